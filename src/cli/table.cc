#include "cli/table.h"

#include "base/assert.h"

namespace blixard::cli {

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    for (char c : utf8)
        if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++width;
    return width;
}

std::string tinted(std::string_view text, Tint tint, const Colours& colours) {
    switch (tint) {
        case Tint::kNone: return std::string(text);
        case Tint::kGood: return colours.green(text);
        case Tint::kBusy: return colours.yellow(text);
        case Tint::kBad: return colours.red(text);
        case Tint::kDim: return colours.dim(text);
    }
    return std::string(text);
}

Tint phase_tint(std::string_view phase) {
    if (phase == "running" || phase == "ready" || phase == "done") return Tint::kGood;
    if (phase == "failed" || phase == "not-ready" || phase == "lost") return Tint::kBad;
    if (phase == "stopped" || phase == "cancelled" || phase == "defined") return Tint::kDim;
    return Tint::kBusy;
}

void Table::row(std::vector<Cell> cells) {
    ASSERT(cells.size() == columns_.size());
    for (Cell& cell : cells) cell.text = cell.text.empty() ? "-" : printable(cell.text);
    rows_.push_back(std::move(cells));
}

std::string Table::render(bool wide, const Colours& colours) const {
    std::vector<std::size_t> widths;
    std::size_t last = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::size_t width = display_width(columns_[c].title);
        for (const auto& row : rows_) width = std::max(width, display_width(row[c].text));
        widths.push_back(width);
        if (wide || !columns_[c].wide_only) last = c;
    }
    std::string out;
    auto line = [&](auto&& text_of) {
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (columns_[c].wide_only && !wide) continue;
            auto [text, shown] = text_of(c);
            std::string gap(widths[c] - display_width(text), ' ');
            if (columns_[c].right)
                out += gap + shown;
            else
                out += shown + (c == last ? "" : gap);
            out += c == last ? "\n" : "  ";
        }
    };
    line([&](std::size_t c) {
        return std::pair{columns_[c].title, colours.bold(columns_[c].title)};
    });
    for (const auto& row : rows_)
        line([&](std::size_t c) {
            return std::pair{row[c].text, tinted(row[c].text, row[c].tint, colours)};
        });
    return out;
}

void Facts::add(std::string name, std::string value, Tint tint) {
    if (!value.empty()) facts_.push_back({std::move(name), printable(value), tint});
}

std::string Facts::render(const Colours& colours) const {
    std::size_t width = 0;
    for (const Fact& fact : facts_)
        width = std::max(width, fact.name.empty() ? 0 : fact.name.size() + 1);
    std::string out;
    for (const Fact& fact : facts_) {
        std::string name = fact.name.empty() ? "" : fact.name + ":";
        out += colours.bold(name) + std::string(width - name.size() + 2, ' ') +
               tinted(fact.value, fact.tint, colours) + "\n";
    }
    return out;
}

}  // namespace blixard::cli
