// What the API promises about one VM's record, as a model for linearizable.h: it is made once, each
// change raises its generation by one at most and is not lost, a conditional change happens only if
// nothing came between, and what is being deleted goes by itself. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/history/linearizable.h"

namespace blixard::sim {

struct VmModel {
    struct State {
        bool exists = false, deleting = false;
        std::string uid;
        std::int64_t generation = 0, restart_generation = 0;
        std::int64_t mark = 0;  // what the last marking write wrote
        std::string run = {};   // what it shall do; empty: not known

        auto operator<=>(const State&) const = default;
    };
    enum class Kind : std::uint8_t {
        kCreate,
        kMark,    // writes `mark`
        kChange,  // any other change of the record: stop, start, restart, resize ...
        kDelete,
        kRead,
    };
    struct Input {
        Kind kind = Kind::kRead;
        std::int64_t mark = 0;
        // A conditional change: of the record as a read has shown it.
        std::optional<std::int64_t> seen_generation;
        std::int64_t seen_restart_generation = 0;
        std::string run = {};  // what it tells the VM to do; empty: nothing, or several things
    };
    enum class Answer : std::uint8_t {
        kDone,
        kNotFound,
        kExists,
        kRefused,  // it did not happen, for reasons that this model does not know
    };
    struct Output {
        Answer answer = Answer::kDone;
        std::string uid;
        // As the answer shows the record; absent where it shows none.
        std::optional<State> shown;
    };

    State initial() const { return {}; }
    std::vector<State> step(const State& state, const Input& input,
                            const std::optional<Output>& output) const;
};

using VmHistory = std::vector<HistoryOp<VmModel>>;

// One line for people: "mark 7 (calls 12, answered 15): done, generation 3".
std::string to_text(const HistoryOp<VmModel>& op);

}  // namespace blixard::sim
