#include "sim/api_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "model/merge_patch.h"

namespace blixard::sim {

std::string body_of(const api::Response& response) {
    return response.shared_body ? *response.shared_body : response.body;
}

namespace {

std::string member(const std::string& body, std::string_view path) {
    const Result<std::string> value = model::select_member(body, path);
    return value ? *value : std::string{};
}

std::string unquoted(const std::string& text) {
    return text.size() < 2 || text.front() != '"' ? std::string{} : text.substr(1, text.size() - 2);
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

VmModel::State shown(const std::string& body) {
    VmModel::State state{.exists = true};
    state.uid = unquoted(member(body, "uid"));
    state.generation = number(member(body, "generation"));
    state.restart_generation = number(member(body, "restart_generation"));
    state.mark = number(unquoted(member(body, "spec.labels.mark")));
    state.run = unquoted(member(body, "spec.run"));
    return state;
}

}  // namespace

std::string text_at(const api::Response& response, std::string_view path) {
    return unquoted(member(body_of(response), path));
}
std::int64_t number_at(const api::Response& response, std::string_view path) {
    return number(member(body_of(response), path));
}
bool is_good(const api::Response& response) {
    return response.status >= 200 && response.status < 300;
}

std::int64_t revision_of(const api::Response& response) {
    for (const auto& [name, value] : response.headers)
        if (name == "X-Blixard-Revision") return number(value);
    return 0;
}

std::optional<VmModel::Output> output_of(const api::Response& response, VmModel::Kind kind) {
    using Answer = VmModel::Answer;
    using Kind = VmModel::Kind;
    if (is_good(response)) {
        VmModel::Output output{Answer::kDone, {}, {}};
        if (kind == Kind::kCreate) output.uid = text_at(response, "uid");
        const bool shows = kind == Kind::kRead || kind == Kind::kMark || kind == Kind::kChange;
        if (shows) output.shown = shown(body_of(response));
        return output;
    }
    if (response.status == 404) return VmModel::Output{Answer::kNotFound, {}, {}};
    const std::string code = text_at(response, "code");
    if (kind == Kind::kCreate && code == "exists") return VmModel::Output{Answer::kExists, {}, {}};
    // "unavailable" is a promise: it did not happen.
    if (response.status < 500 || code == "unavailable" || code == "exhausted")
        return VmModel::Output{Answer::kRefused, {}, {}};
    return std::nullopt;
}

std::size_t ApiHistory::called(const std::string& vm, VmModel::Input input) {
    VmHistory& history = vms_[vm];
    history.push_back({++now_, kNoAnswer, input, {}});
    return history.size() - 1;
}

void ApiHistory::answered(const std::string& vm, std::size_t call, VmModel::Output output) {
    VmHistory& history = vms_[vm];
    HistoryOp<VmModel>& op = history[call];
    op.answered = ++now_;
    const bool reads = op.input.kind == VmModel::Kind::kRead;
    const auto shown = reads ? std::nullopt : std::exchange(output.shown, std::nullopt);
    op.output = std::move(output);
    if (shown)
        history.push_back({op.called,
                           op.answered,
                           {VmModel::Kind::kRead},
                           VmModel::Output{VmModel::Answer::kDone, {}, shown}});
}

std::string ApiHistory::check() const {
    for (const auto& [vm, history] : vms_) {
        std::size_t stuck = history.size();
        if (check_linearizable(VmModel{}, history, &stuck) != Linearizable::kNo) continue;
        std::string text = fmt::format("what clients were told of vm {} cannot be: ", vm);
        if (stuck < history.size()) text += to_text(history[stuck]) + "; all:";
        for (const auto& op : history) text += " | " + to_text(op);
        return text;
    }
    return {};
}

std::size_t ApiHistory::size() const {
    std::size_t all = 0;
    for (const auto& [vm, history] : vms_) all += history.size();
    return all;
}

}  // namespace blixard::sim
