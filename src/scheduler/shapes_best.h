// The templates of shapes.h.
#pragma once

#include <algorithm>

namespace blixard::scheduler {

template <class Score>
void Shapes::catch_up(Column& column, const Score& score) {
    auto add = [&](ShapeIndex shape) {
        if (std::optional<double> points = score(first_host(shape))) {
            column.entries.push_back({*points, shape, shapes_[shape].born});
            std::push_heap(column.entries.begin(), column.entries.end());
        }
    };
    bool too_far_behind = column.seen < births_dropped_;
    bool mostly_dead = column.entries.size() > 2 * live_ + 64;
    if (too_far_behind || mostly_dead) {
        column.entries.clear();
        for (ShapeIndex shape = 0; shape < shapes_.size(); ++shape)
            if (shapes_[shape].hosts > 0) add(shape);
    } else {
        for (auto at = column.seen - births_dropped_; at < births_.size(); ++at)
            if (alive(births_[at].shape, births_[at].born)) add(births_[at].shape);
    }
    column.seen = births_dropped_ + births_.size();
}

template <class Score>
HostIndex Shapes::best(std::uint64_t flavour, std::uint32_t edition, const Score& score) {
    Column& column = column_for(flavour, edition);
    catch_up(column, score);
    auto& entries = column.entries;
    while (!entries.empty() && !alive(entries.front().shape, entries.front().born)) {
        std::pop_heap(entries.begin(), entries.end());
        entries.pop_back();
    }
    return entries.empty() ? kNoHost : first_of_equals(column);
}

}  // namespace blixard::scheduler
