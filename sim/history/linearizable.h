// Can a history be explained by its operations happening one after the other, each between its call
// and its answer? The search of Wing and Gong (1993), with the cache of configurations of Lowe
// (2017).
//
// A model says what one operation does to one object:
//
//   struct Model {
//       using State = ...;   // a value with < and ==
//       using Input = ...; using Output = ...;
//       State initial() const;
//       // The states after `input` was done in `state` and answered `output`; none: it cannot have
//       been.
//       // Absent output: nobody knows the answer, so every state that it can lead to.
//       std::vector<State> step(const State&, const Input&, const std::optional<Output>&) const;
//   };
//
// An operation without an answer may have happened at any time after its call, or never. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace blixard::sim {

inline constexpr std::int64_t kNoAnswer = std::numeric_limits<std::int64_t>::max();

template <class Model>
struct HistoryOp {
    std::int64_t called = 0;
    // Later than `called`; in the order of a clock that all clients share.
    std::int64_t answered = kNoAnswer;
    typename Model::Input input;
    std::optional<typename Model::Output> output;
};

enum class Linearizable : std::uint8_t {
    kYes,
    kNo,
    kTooLong,  // given up after `steps_most` steps
};

// `stuck`, where given: on kNo, the index of the operation whose answer could be explained least.
template <class Model>
Linearizable check_linearizable(const Model& model, const std::vector<HistoryOp<Model>>& ops,
                                std::size_t* stuck = nullptr,
                                std::uint64_t steps_most = 2'000'000) {
    using State = typename Model::State;
    // One configuration: which operations have been put in order, and the state they lead to.
    struct Frame {
        std::vector<bool> done;
        State state;
        std::vector<std::pair<std::size_t, State>> next;  // what may come next
        std::size_t tried = 0;
    };
    std::set<std::pair<std::vector<bool>, State>> seen;
    std::uint64_t steps = 0;
    std::size_t most_done = 0;

    const auto first_answer = [&](const std::vector<bool>& done) {
        std::int64_t first = kNoAnswer;
        for (std::size_t i = 0; i < ops.size(); ++i)
            if (!done[i] && ops[i].answered < first) first = ops[i].answered;
        return first;
    };
    const auto expand = [&](Frame& frame) {
        const std::int64_t first = first_answer(frame.done);
        std::size_t count = 0;
        for (std::size_t i = 0; i < ops.size(); ++i) {
            count += frame.done[i];
            // It comes next only if no other has been answered before it was called.
            if (frame.done[i] || ops[i].called > first) continue;
            for (State& state : model.step(frame.state, ops[i].input, ops[i].output))
                frame.next.emplace_back(i, std::move(state));
        }
        if (count >= most_done && first != kNoAnswer) {
            most_done = count;
            for (std::size_t i = 0; stuck && i < ops.size(); ++i)
                if (ops[i].answered == first) *stuck = i;
        }
        return first == kNoAnswer;  // all that were answered are explained
    };

    std::vector<Frame> stack;
    stack.push_back({std::vector<bool>(ops.size()), model.initial(), {}, 0});
    if (expand(stack.back())) return Linearizable::kYes;
    while (!stack.empty()) {
        if (++steps > steps_most) return Linearizable::kTooLong;
        Frame& top = stack.back();
        if (top.tried == top.next.size()) {
            stack.pop_back();
            continue;
        }
        auto& [op, state] = top.next[top.tried++];
        Frame frame{top.done, std::move(state), {}, 0};
        frame.done[op] = true;
        if (!seen.emplace(frame.done, frame.state).second) continue;
        if (expand(frame)) return Linearizable::kYes;
        stack.push_back(std::move(frame));
    }
    return Linearizable::kNo;
}

}  // namespace blixard::sim
