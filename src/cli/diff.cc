#include "cli/diff.h"

namespace blixard::cli {
namespace {

using Kind = DiffLine::Kind;

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

// Longest common subsequence by the textbook table: specs have dozens of lines, not thousands.
std::vector<DiffLine> all_lines(const std::vector<std::string_view>& before,
                                const std::vector<std::string_view>& after) {
    std::size_t rows = before.size(), columns = after.size();
    std::vector<DiffLine> lines;
    auto add = [&](Kind kind, std::string_view text) {
        lines.push_back({kind, std::string(text)});
    };
    if (rows * columns > kDiffCellsMax) {
        for (auto line : before) add(Kind::kRemoved, line);
        for (auto line : after) add(Kind::kAdded, line);
        return lines;
    }
    std::vector<std::uint32_t> length((rows + 1) * (columns + 1),
                                      0);  // of the common part behind (i, j)
    auto cell = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
        return length[i * (columns + 1) + j];
    };
    for (std::size_t i = rows; i-- > 0;)
        for (std::size_t j = columns; j-- > 0;)
            cell(i, j) = before[i] == after[j] ? cell(i + 1, j + 1) + 1
                                               : std::max(cell(i + 1, j), cell(i, j + 1));
    std::size_t i = 0, j = 0;
    while (i < rows || j < columns) {
        if (i < rows && j < columns && before[i] == after[j]) {
            add(Kind::kSame, before[i]);
            ++i, ++j;
        } else if (i < rows && (j == columns || cell(i + 1, j) >= cell(i, j + 1))) {
            add(Kind::kRemoved, before[i++]);
        } else {
            add(Kind::kAdded, after[j++]);
        }
    }
    return lines;
}

}  // namespace

std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after, int context) {
    std::vector<DiffLine> lines = all_lines(split_lines(before), split_lines(after));
    std::vector<bool> keep(lines.size(), false);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].kind == Kind::kSame) continue;
        std::size_t reach = static_cast<std::size_t>(context);
        for (std::size_t j = i > reach ? i - reach : 0; j < std::min(lines.size(), i + reach + 1);
             ++j)
            keep[j] = true;
    }
    std::vector<DiffLine> kept;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (keep[i])
            kept.push_back(std::move(lines[i]));
        else if (!kept.empty() && kept.back().kind != Kind::kGap)
            kept.push_back({Kind::kGap, ""});
    }
    if (!kept.empty() && kept.back().kind == Kind::kGap) kept.pop_back();
    return kept;
}

std::string render_diff(const std::vector<DiffLine>& lines, const Colours& colours) {
    std::string out;
    for (const DiffLine& line : lines) {
        switch (line.kind) {
            case Kind::kSame: out += "  " + line.text; break;
            case Kind::kRemoved: out += colours.red("- " + line.text); break;
            case Kind::kAdded: out += colours.green("+ " + line.text); break;
            case Kind::kGap: out += colours.dim("  ..."); break;
        }
        out += '\n';
    }
    return out;
}

}  // namespace blixard::cli
