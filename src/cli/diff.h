// What changes between two texts, line by line, as `diff -u` shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/screen.h"

namespace blixard::cli {

struct DiffLine {
    enum class Kind : char { kSame = ' ', kRemoved = '-', kAdded = '+', kGap = '@' };
    Kind kind = Kind::kSame;
    std::string text;

    bool operator==(const DiffLine&) const = default;
};

inline constexpr std::size_t kDiffCellsMax =
    16'000'000;  // lines x lines; beyond it everything counts as replaced

// Changed lines with `context` equal ones around them; a kGap where equal lines were left out.
// Empty: no difference.
std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after, int context = 3);

std::string render_diff(const std::vector<DiffLine>& lines, const Colours& colours);

}  // namespace blixard::cli
