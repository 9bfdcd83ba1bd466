// Aligned columns for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/screen.h"

namespace blixard::cli {

struct Column {
    std::string title;
    bool right = false;      // numbers stand to the right
    bool wide_only = false;  // left out unless -o wide
};

enum class Tint : std::uint8_t { kNone, kGood, kBusy, kBad, kDim };

struct Cell {
    std::string text;
    Tint tint = Tint::kNone;

    Cell(std::string content, Tint colour = Tint::kNone) : text(std::move(content)), tint(colour) {}
    Cell(const char* content, Tint colour = Tint::kNone) : text(content), tint(colour) {}
};

class Table {
 public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void row(std::vector<Cell> cells);  // one for each column
    bool empty() const { return rows_.empty(); }
    // Header and rows; two blanks between columns, no blanks at line ends. Empty cells show "-".
    std::string render(bool wide, const Colours& colours) const;

 private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

// "Name:    web-1" lines, the values in one column. Entries without a value are left out.
class Facts {
 public:
    void add(std::string name, std::string value, Tint tint = Tint::kNone);
    std::string render(const Colours& colours) const;

 private:
    struct Fact {
        std::string name;
        std::string value;
        Tint tint;
    };
    std::vector<Fact> facts_;
};

std::string tinted(std::string_view text, Tint tint, const Colours& colours);
Tint phase_tint(std::string_view phase);
std::size_t display_width(std::string_view utf8);  // code points; East Asian width is not looked at

}  // namespace blixard::cli
