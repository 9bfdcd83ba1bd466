// Hosts that look the same are judged once. A shape is a set of hosts of one kind (capacity,
// features, price) with equally much room left; a column remembers how good each shape is for one
// flavour of VM, best on top. A change of one host makes at most one new shape, so a decision costs
// what has changed since the last one for this flavour, not the number of hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "scheduler/room.h"

namespace blixard::scheduler {

using HostIndex = std::uint32_t;  // stable while the host is in the cluster
inline constexpr HostIndex kNoHost = UINT32_MAX;

using ShapeIndex = std::uint32_t;
inline constexpr ShapeIndex kNoShape = UINT32_MAX;

// One thread. Owned by a Cluster, as a cache: it can be thrown away at any time.
class Shapes {
 public:
    bool valid() const { return valid_; }
    void invalidate() { valid_ = false; }

    // Starts anew for hosts with these ranks (position by name).
    void start(std::size_t hosts);
    // The host is of this shape now; `hash` 0: it takes no VMs and is of none.
    void put(HostIndex host, std::uint32_t rank, std::uint64_t hash);

    // kNoShape for a host that takes no VMs.
    ShapeIndex of(HostIndex host) const { return host_shape_[host]; }

    // The best host for one flavour: highest score, then lowest rank. `score(host)` judges a host
    // for its whole shape and is asked once per shape and edition; empty: the flavour does not fit
    // there. `flavour` tells flavours apart.
    template <class Score>
    HostIndex best(std::uint64_t flavour, std::uint32_t edition, const Score& score);

    // Calls visit(shape, host with the lowest rank) for each shape that has hosts.
    template <class Visit>
    void each(const Visit& visit) {
        for (ShapeIndex shape = 0; shape < shapes_.size(); ++shape)
            if (shapes_[shape].hosts > 0) visit(shape, first_host(shape));
    }
    std::size_t count() const { return live_; }

    // A sheet to note one number per shape on, for the length of one decision.
    struct Note {
        std::uint64_t decision = 0;
        bool fits = false;
        double score = 0.0;
        std::int32_t refusal = -1;  // the caller's number for why it does not fit
    };
    std::uint64_t new_decision() { return ++decisions_; }
    Note& note(ShapeIndex shape) {
        if (notes_.size() < shapes_.size()) notes_.resize(shapes_.size());
        return notes_[shape];
    }

 private:
    struct Member {
        std::uint32_t rank;
        HostIndex host;
        bool operator>(const Member& other) const { return rank > other.rank; }
    };
    struct Shape {
        std::uint64_t hash = 0;
        std::uint32_t hosts = 0;
        bool listed = false;     // among shapes_unused_
        std::uint32_t born = 0;  // tells this use of the slot from earlier ones
        std::vector<Member>
            members;  // heap by rank; hosts that have left are dropped when they come to the top
    };
    struct Entry {
        double score;
        ShapeIndex shape;
        std::uint32_t born;
        bool operator<(const Entry& other) const { return score < other.score; }
    };
    struct Birth {
        ShapeIndex shape;
        std::uint32_t born;
    };
    struct Column {
        std::uint32_t edition = 0;
        std::uint64_t seen = 0;  // births looked at, counted from the beginning
        std::vector<Entry>
            entries;  // heap by score; entries of dead shapes are dropped when they come to the top
    };

    HostIndex first_host(ShapeIndex shape);
    ShapeIndex shape_for(std::uint64_t hash);
    void leave(HostIndex host);
    Column& column_for(std::uint64_t flavour, std::uint32_t edition);
    void trim_births();
    bool alive(ShapeIndex shape, std::uint32_t born) const {
        return shapes_[shape].born == born && shapes_[shape].hosts > 0;
    }
    template <class Score>
    void catch_up(Column& column, const Score& score);
    HostIndex first_of_equals(Column& column);

    bool valid_ = false;
    std::vector<ShapeIndex> host_shape_;
    std::vector<Shape> shapes_;
    std::vector<ShapeIndex> shapes_unused_;
    std::unordered_map<std::uint64_t, ShapeIndex> by_hash_;
    std::size_t live_ = 0;
    std::uint32_t births_counter_ = 0;
    std::vector<Birth> births_;
    std::uint64_t births_dropped_ = 0;
    std::vector<Column> columns_;
    std::unordered_map<std::uint64_t, std::uint32_t> column_by_flavour_;
    std::vector<std::uint32_t> walk_;
    std::vector<Note> notes_;
    std::uint64_t decisions_ = 0;
};

}  // namespace blixard::scheduler

#include "scheduler/shapes_best.h"
