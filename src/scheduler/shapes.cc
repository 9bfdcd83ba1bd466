#include "scheduler/shapes.h"

#include "base/assert.h"

namespace blixard::scheduler {
namespace {

constexpr std::size_t kColumnsMax =
    512;  // flavours remembered; beyond that all are forgotten at once
constexpr std::size_t kBirthsKept = 1 << 14;  // columns further behind start anew

}  // namespace

void Shapes::start(std::size_t hosts) {
    *this = Shapes{};
    births_dropped_ = 1;  // so that a column that has seen 0 births is behind
    host_shape_.assign(hosts, kNoShape);
    valid_ = true;
}

ShapeIndex Shapes::shape_for(std::uint64_t hash) {
    if (auto found = by_hash_.find(hash); found != by_hash_.end()) return found->second;
    // A dead shape stays findable until its slot is needed: rooms come back.
    while (!shapes_unused_.empty()) {
        auto shape = shapes_unused_.back();
        auto& slot = shapes_[shape];
        shapes_unused_.pop_back();
        slot.listed = false;
        if (slot.hosts > 0) continue;
        auto node = by_hash_.extract(slot.hash);
        node.key() = hash;
        by_hash_.insert(std::move(node));
        slot.hash = hash;
        slot.members.clear();
        return shape;
    }
    auto shape = static_cast<ShapeIndex>(shapes_.size());
    shapes_.emplace_back().hash = hash;
    by_hash_.emplace(hash, shape);
    return shape;
}

void Shapes::put(HostIndex host, std::uint32_t rank, std::uint64_t hash) {
    if (host_shape_.size() <= host) host_shape_.resize(host + 1, kNoShape);
    auto old = host_shape_[host];
    if (old != kNoShape && shapes_[old].hash == hash && hash != 0) return;
    leave(host);
    if (hash == 0) return;
    auto shape = shape_for(hash);
    auto& slot = shapes_[shape];
    host_shape_[host] = shape;
    if (slot.hosts++ == 0) {
        slot.born = ++births_counter_;
        ++live_;
        births_.push_back({shape, slot.born});
        trim_births();
    }
    auto& members = slot.members;
    if (members.size() > 2 * std::size_t{slot.hosts} + 16) {
        std::sort(members.begin(), members.end(),
                  [](const Member& a, const Member& b) { return a.rank < b.rank; });
        members.erase(
            std::unique(members.begin(), members.end(),
                        [](const Member& a, const Member& b) { return a.host == b.host; }),
            members.end());
        std::erase_if(members, [&](const Member& one) {
            return host_shape_[one.host] != shape || one.host == host;
        });
        std::make_heap(members.begin(), members.end(), std::greater<>{});
    }
    members.push_back({rank, host});
    std::push_heap(members.begin(), members.end(), std::greater<>{});
}

void Shapes::leave(HostIndex host) {
    auto shape = host_shape_[host];
    if (shape == kNoShape) return;
    host_shape_[host] = kNoShape;
    if (--shapes_[shape].hosts > 0) return;
    --live_;
    shapes_[shape].members.clear();
    if (!std::exchange(shapes_[shape].listed, true)) shapes_unused_.push_back(shape);
}

HostIndex Shapes::first_host(ShapeIndex shape) {
    auto& members = shapes_[shape].members;
    while (host_shape_[members.front().host] != shape) {
        std::pop_heap(members.begin(), members.end(), std::greater<>{});
        members.pop_back();
    }
    return members.front().host;
}

void Shapes::trim_births() {
    if (births_.size() < 2 * kBirthsKept) return;
    births_.erase(births_.begin(), births_.begin() + kBirthsKept);
    births_dropped_ += kBirthsKept;
}

Shapes::Column& Shapes::column_for(std::uint64_t flavour, std::uint32_t edition) {
    auto found = column_by_flavour_.find(flavour);
    if (found == column_by_flavour_.end()) {
        if (columns_.size() >= kColumnsMax) {
            columns_.clear();
            column_by_flavour_.clear();
        }
        found =
            column_by_flavour_.emplace(flavour, static_cast<std::uint32_t>(columns_.size())).first;
        columns_.push_back({edition, 0, {}});
    }
    auto& column = columns_[found->second];
    if (column.edition != edition) {
        column.edition = edition;
        column.seen = 0;
    }
    return column;
}

// Shapes of equal score stand together at the top of the heap; the host with the lowest rank among
// them wins.
HostIndex Shapes::first_of_equals(Column& column) {
    const auto& entries = column.entries;
    double top = entries.front().score;
    HostIndex best = kNoHost;
    std::uint32_t best_rank = UINT32_MAX;
    walk_.assign(1, 0);
    while (!walk_.empty()) {
        auto at = walk_.back();
        walk_.pop_back();
        const auto& entry = entries[at];
        if (alive(entry.shape, entry.born)) {
            auto host = first_host(entry.shape);
            auto rank = shapes_[entry.shape].members.front().rank;
            if (rank < best_rank) {
                best_rank = rank;
                best = host;
            }
        }
        for (auto child = 2 * at + 1; child <= 2 * at + 2; ++child)
            if (child < entries.size() && entries[child].score == top) walk_.push_back(child);
    }
    return best;
}

}  // namespace blixard::scheduler
