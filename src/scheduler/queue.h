// The VMs that wait for a place, in order of turn. VMs that want the same but for name and age
// stand in one group: when the first is refused, the others are not asked in that round, so that a
// million equal VMs cost as much as one.
//
// A round asks every VM once. What comes while it goes on is asked in its turn; a VM behind a
// refused one gets its turn before that one is asked again.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "scheduler/decision.h"
#include "scheduler/names.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

// Equal but for the VM's name and age: where one fits, the other does, as far as their own wishes
// go.
bool wants_the_same(const Request& a, const Request& b);

class Queue {
 public:
    using Pending = std::shared_ptr<const Request>;

    // A VM that is new here, or wants something else than before, is asked in this round. `since`:
    // when it began to wait; kept from the first time.
    void put(Pending request, MonoTime since);
    void remove(std::string_view vm);
    void clear();

    bool contains(std::string_view vm) const { return entries_.contains(vm); }
    std::size_t size() const { return entries_.size(); }
    // Those who must be with such a VM: when it finds a place, that may let them in.
    std::vector<Pending> followers_of(const Request& placed) const;
    // Empty where the VM does not wait.
    std::optional<MonoTime> waits_since(std::string_view vm) const;
    // The request as it stands here; null if the VM does not wait.
    Pending find(std::string_view vm) const;

    // Whose turn it is; null: the round is over. Stays the same until one of the calls below.
    Pending next() const;
    // What was said in this round to a VM that wants the same as next(); null: it has to be asked.
    const Decision* known_answer() const;

    // next() has had its turn in this round, with this answer. `for_all`: those who want the same
    // would get the same.
    void answered(const Decision& decision, bool for_all);

    // next() cannot be asked in this round.
    void pass_over() { had_turn({}); }

    // A VM that waits is asked once more in this round.
    void ask_again(std::string_view vm);

    // Every VM is asked again.
    void new_round();

 private:
    struct ByTurn {
        bool operator()(const Pending& a, const Pending& b) const;
    };
    using Line = std::set<Pending, ByTurn>;
    struct Group {
        Line untold;  // have had no answer since they came
        Line told;    // have had one in an earlier round
        Line done;    // have had their turn in round `round`
        std::uint64_t round = 0;
        std::optional<Decision> answer;  // for all of them in round `round`: the untold get a copy

        bool empty() const { return untold.empty() && told.empty() && done.empty(); }
    };
    using Turns = std::map<Pending, Group*, ByTurn>;
    struct WishHash {
        std::size_t operator()(const Pending& request) const;
    };
    struct SameWish {
        bool operator()(const Pending& a, const Pending& b) const { return wants_the_same(*a, *b); }
    };
    struct Entry {
        Pending request;
        Group* group = nullptr;
        MonoTime since;
    };

    void had_turn(const std::optional<Decision>& answer_for_all);
    static const Pending* first_of(std::initializer_list<const Line*> lines);
    const Pending* first_to_ask(const Group& group) const;
    void freshen(Group& group);
    // `spare`: what delist() took out, to be used again.
    void enlist(Group& group, Turns::node_type spare);
    Turns::node_type delist(Group& group);

    std::unordered_map<std::string, Entry, NameHash, std::equal_to<>> entries_;
    std::unordered_map<Pending, std::unique_ptr<Group>, WishHash, SameWish> groups_;
    Turns turns_;  // the groups with somebody to ask in this round, by who that is
    Turns asked_;  // the others, by their first
    std::uint64_t round_ = 1;
    Line followers_;  // those who must be with others
};

}  // namespace blixard::scheduler
