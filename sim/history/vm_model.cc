#include "sim/history/vm_model.h"

#include <fmt/format.h>

namespace blixard::sim {
namespace {

using State = VmModel::State;
using Input = VmModel::Input;
using Output = VmModel::Output;
using Answer = VmModel::Answer;
using Kind = VmModel::Kind;

bool shows(const std::optional<Output>& output, const State& state) {
    if (!output || !output->shown) return true;
    const State& shown = *output->shown;
    return shown.uid == state.uid && shown.generation == state.generation &&
           shown.restart_generation == state.restart_generation && shown.mark == state.mark &&
           (shown.run.empty() || state.run.empty() || shown.run == state.run);
}

// What a change of an existing record may lead to.
void add_changes(const State& state, const Input& input, const std::optional<Output>& output,
                 std::vector<State>& into) {
    const bool marks = input.kind == Kind::kMark;
    for (std::int64_t more = marks ? 1 : 0; more <= 1; ++more)
        for (std::int64_t restarts = 0; restarts <= (marks ? 0 : 1); ++restarts) {
            State next = state;
            next.generation += more;
            next.restart_generation += restarts;
            if (marks) next.mark = input.mark;
            if (input.kind == Kind::kDelete) next.deleting = true;
            if (!input.run.empty()) next.run = input.run;
            if (input.kind == Kind::kDelete) next.run.clear();
            if (shows(output, next)) into.push_back(std::move(next));
        }
}

void add_creation(const State& state, const std::optional<Output>& output,
                  std::vector<State>& into) {
    if (state.exists) return;
    State next;
    next.exists = true;
    next.generation = 1;
    // Without an answer its uid is not known: "?" is whatever is seen first.
    next.uid = output ? output->uid : "?";
    into.push_back(std::move(next));
}

bool matches_condition(const State& state, const Input& input) {
    return !input.seen_generation || (state.generation == *input.seen_generation &&
                                      state.restart_generation == input.seen_restart_generation);
}

void add_done(const State& state, const Input& input, const std::optional<Output>& output,
              std::vector<State>& into) {
    switch (input.kind) {
        case Kind::kCreate: return add_creation(state, output, into);
        case Kind::kRead:
            if (state.exists && shows(output, state)) into.push_back(state);
            return;
        case Kind::kDelete:
            // What is gone is gone: where the store lost an answer, nobody can tell by whom.
            if (!state.exists) return into.push_back(state);
            if (!matches_condition(state, input)) return;
            add_changes(state, input, output, into);
            into.push_back(State{});  // where no host has something of it, it is gone at once
            return;
        case Kind::kMark:
        case Kind::kChange:
            if (state.exists && !state.deleting && matches_condition(state, input))
                add_changes(state, input, output, into);
            return;
    }
}

void add_steps(const State& state, const Input& input, const std::optional<Output>& output,
               std::vector<State>& into) {
    if (!output) {
        into.push_back(state);
        return add_done(state, input, output, into);
    }
    switch (output->answer) {
        case Answer::kDone: return add_done(state, input, output, into);
        case Answer::kNotFound:
            if (!state.exists) into.push_back(state);
            return;
        case Answer::kExists:
            if (state.exists) into.push_back(state);
            return;
        case Answer::kRefused: into.push_back(state); return;
    }
}

}  // namespace

std::vector<State> VmModel::step(const State& state, const Input& input,
                                 const std::optional<Output>& output) const {
    std::vector<State> next;
    State known = state;
    const bool names_it = output && output->shown && !output->shown->uid.empty();
    if (known.uid == "?" && names_it) known.uid = output->shown->uid;
    add_steps(known, input, output, next);
    if (state.deleting) add_steps(State{}, input, output, next);  // it has gone meanwhile
    return next;
}

std::string to_text(const HistoryOp<VmModel>& op) {
    static constexpr const char* kKinds[] = {"create", "mark", "change", "delete", "read"};
    static constexpr const char* kAnswers[] = {"done", "not found", "exists", "refused"};
    std::string text = kKinds[static_cast<int>(op.input.kind)];
    if (op.input.kind == Kind::kMark) text += fmt::format(" {}", op.input.mark);
    if (op.input.seen_generation)
        text +=
            fmt::format(" if {}/{}", *op.input.seen_generation, op.input.seen_restart_generation);
    text += fmt::format(" [{}", op.called);
    if (op.answered != kNoAnswer) text += fmt::format("..{}", op.answered);
    text += "]: ";
    if (!op.output) return text + "no answer";
    text += kAnswers[static_cast<int>(op.output->answer)];
    if (!op.output->uid.empty()) text += fmt::format(" uid {:.6}", op.output->uid);
    if (op.output->shown)
        text += fmt::format(" uid {:.6} generation {}/{} mark {}", op.output->shown->uid,
                            op.output->shown->generation, op.output->shown->restart_generation,
                            op.output->shown->mark);
    return text;
}

}  // namespace blixard::sim
