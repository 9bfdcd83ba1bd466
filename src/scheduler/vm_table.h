// VM key -> slot, without an allocation per entry: open addressing over the slots' own keys (Knuth,
// TAOCP 3, 6.4).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace blixard::scheduler {

using VmIndex = std::uint32_t;
inline constexpr VmIndex kNoVm = UINT32_MAX;

// The table stores hash and slot; the caller's `key_of(slot)` gives a slot's key back. Removal
// shifts back, so there are no tombstones and no slow decay.
class VmTable {
 public:
    std::size_t size() const { return size_; }

    template <class KeyOf>
    VmIndex find(std::string_view key, const KeyOf& key_of) const {
        if (cells_.empty()) return kNoVm;
        auto hash = hash_of(key);
        for (auto at = hash & mask();; at = (at + 1) & mask()) {
            const Cell& cell = cells_[at];
            if (cell.slot == kNoVm) return kNoVm;
            if (cell.hash == hash && key_of(cell.slot) == key) return cell.slot;
        }
    }

    // The key must not be in the table.
    void insert(std::string_view key, VmIndex slot) {
        if ((size_ + 1) * 2 > cells_.size()) grow();
        put({hash_of(key), slot});
        ++size_;
    }

    // The slot must be in the table under this key.
    void erase(std::string_view key, VmIndex slot) {
        auto at = hash_of(key) & mask();
        while (cells_[at].slot != slot) at = (at + 1) & mask();
        for (auto next = (at + 1) & mask(); cells_[next].slot != kNoVm;
             next = (next + 1) & mask()) {
            auto home = cells_[next].hash & mask();
            if (((next - home) & mask()) < ((next - at) & mask())) continue;
            cells_[at] = cells_[next];
            at = next;
        }
        cells_[at] = {};
        --size_;
    }

 private:
    struct Cell {
        std::uint64_t hash = 0;
        VmIndex slot = kNoVm;
    };

    static std::uint64_t hash_of(std::string_view key) {
        return std::hash<std::string_view>{}(key) * 0x9e3779b97f4a7c15ULL >> 7;
    }
    std::uint64_t mask() const { return cells_.size() - 1; }

    void put(Cell cell) {
        auto at = cell.hash & mask();
        while (cells_[at].slot != kNoVm) at = (at + 1) & mask();
        cells_[at] = cell;
    }

    void grow() {
        std::vector<Cell> old(cells_.empty() ? 64 : cells_.size() * 2);
        old.swap(cells_);
        for (const Cell& cell : old)
            if (cell.slot != kNoVm) put(cell);
    }

    std::vector<Cell> cells_;
    std::size_t size_ = 0;
};

}  // namespace blixard::scheduler
