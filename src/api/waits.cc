#include "api/waits.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/reply.h"
#include "base/mutant.h"

namespace blixard::api {
namespace {

using model::Phase;
using view::VmEntry;

constexpr std::string_view kUntilNames[] = {"running", "stopped",   "paused",
                                            "deleted", "scheduled", "failed"};
constexpr std::int64_t kTimeoutDefault_s = 30;
constexpr std::int64_t kTimeoutMax_s = 3600;
constexpr std::size_t kWaitsMax =
    10000;  // open connections are the transport's bound; this is ours
constexpr Millis kSweepEvery = seconds(5);  // for clients that left while nothing changed

std::string_view name_of(Until until) { return kUntilNames[static_cast<std::size_t>(until)]; }

// The agent's last word is about what is asked for now, not about a run before.
bool is_about_now(const VmEntry& vm) {
    if (!vm.status || !vm.placement) return false;
    const model::VmStatus& status = vm.status->value;
    const model::VmRecord& record = vm.record->value;
    return status.uid == record.uid && status.epoch == vm.placement->value.epoch &&
           status.restart_generation >= record.restart_generation &&
           status.generation >= record.generation;
}

bool restart_is_due(const VmEntry& vm) {
    return !vm.status || vm.status->value.restart_generation < vm.record->value.restart_generation;
}

// What the VM says about itself, for people who waited in vain.
std::string reason_of(const VmEntry& vm) {
    if (!vm.node().empty() && vm.status && !vm.status->value.message.empty())
        return vm.status->value.message;
    return vm.placement ? vm.placement->value.reason : std::string{};
}

Error in_vain(const Subject& subject, const VmEntry& vm, std::string help) {
    const std::string reason = reason_of(vm);
    return {ErrorCode::kConflict,
            fmt::format("{} is {} and will not run by itself{}{}", subject.text(),
                        model::phase_name(vm.phase), reason.empty() ? "" : ": ", reason),
            {},
            std::move(help)};
}

Result<bool> judge_running(const Subject& subject, const VmEntry& vm) {
    if (vm.phase == Phase::kRunning) return !restart_is_due(vm) || mutant(MutantId::kToldOfOldRun);
    const model::VmSpec& spec = vm.record->value.spec;
    const bool ended = vm.phase == Phase::kStopped || vm.phase == Phase::kFailed;
    if (!ended) return false;
    if (spec.run == model::Run::kStopped)
        return fail(in_vain(subject, vm, fmt::format("start it: blixard start {}", subject.name)));
    const bool restarts = vm.phase == Phase::kFailed ? spec.restart != model::Restart::kNever
                                                     : spec.restart == model::Restart::kAlways;
    if (restarts || !is_about_now(vm)) return false;
    return fail(in_vain(
        subject, vm,
        fmt::format("see: blixard logs {0}; mend it, then: blixard start {0}", subject.name)));
}

}  // namespace

Result<std::optional<WaitFor>> parse_wait(const Request& request) {
    const std::string* text = request.find_query("wait");
    ASSIGN_OR_RETURN(const std::int64_t timeout_s,
                     number_of(request, "timeout", 0, kTimeoutMax_s, kTimeoutDefault_s));
    if (!text || text->empty()) return std::optional<WaitFor>{};
    const auto found = std::find(std::begin(kUntilNames), std::end(kUntilNames), *text);
    if (found == std::end(kUntilNames))
        return fail_field("wait", fmt::format("nothing to wait for is called \"{}\"", *text),
                          "wait for: running, stopped, paused, deleted, scheduled, failed");
    const auto until = static_cast<Until>(found - std::begin(kUntilNames));
    return std::optional(WaitFor{until, seconds(timeout_s)});
}

Result<bool> judge(const view::Snapshot& state, const Subject& subject, const std::string& uid,
                   Until until) {
    const VmEntry* vm = state.vms.find(subject.key());
    // Nobody here can tell what has become of it.
    if (vm && !vm->record && vm->not_understood != 0) return false;
    const bool gone = !vm || !vm->record || (!uid.empty() && vm->record->value.uid != uid);
    if (until == Until::kDeleted) return gone;
    if (gone) return fail(not_found(subject));
    switch (until) {
        case Until::kRunning: return judge_running(subject, *vm);
        case Until::kStopped: return vm->phase == Phase::kStopped;
        case Until::kPaused: return vm->phase == Phase::kPaused;
        case Until::kScheduled: return !vm->node().empty();
        case Until::kFailed: return vm->phase == Phase::kFailed;
        case Until::kDeleted: break;
    }
    return false;
}

void Waits::add(const CallPtr& call, Subject vm, std::string uid, WaitFor wait, int status) {
    auto waiting = std::make_shared<Wait>();
    waiting->call = call;
    waiting->vm = std::move(vm);
    waiting->uid = std::move(uid);
    waiting->wait = wait;
    waiting->status = status;
    if (settle(waiting, *view_.current())) return;
    if (wait.timeout.count == 0) return time_out(waiting);
    if (waiting_.size() >= kWaitsMax)
        return call->refuse(
            {ErrorCode::kUnavailable,
             fmt::format("{} requests wait already; what was asked for goes on", kWaitsMax),
             {},
             "ask again without wait, and look at the VM from time to time"});
    waiting->timer = crossing_.after(wait.timeout, [this, waiting] {
        remove(waiting);
        time_out(waiting);
    });
    waiting_.emplace(waiting->vm.key(), waiting);
    look_for_gone();
}

bool Waits::settle(const WaitPtr& wait, const view::Snapshot& state) {
    const Result<bool> verdict = judge(state, wait->vm, wait->uid, wait->wait.until);
    if (verdict && !*verdict) return false;
    wait->answered = true;
    if (!verdict)
        wait->call->refuse(verdict.error());
    else if (wait->wait.until == Until::kDeleted)
        send_gone(*wait->call, wait->vm, wait->uid, state.revision);
    else
        send_document(*wait->call, wait->status, *find(state, wait->vm), state.revision);
    return true;
}

void Waits::time_out(const WaitPtr& wait) {
    const view::SnapshotPtr state = view_.current();
    if (settle(wait, *state)) return;
    const VmEntry* vm = state->vms.find(wait->vm.key());
    const std::string reason = vm ? reason_of(*vm) : std::string{};
    wait->call->refuse(
        {ErrorCode::kTimeout,
         fmt::format("{} is {} after {} s, not {}{}{}", wait->vm.text(),
                     vm ? model::phase_name(vm->phase) : "gone", wait->wait.timeout.count / 1000,
                     name_of(wait->wait.until), reason.empty() ? "" : ": ", reason),
         {},
         "what was asked for goes on; wait longer with timeout=SECONDS, or look again later"});
}

void Waits::on_update(const view::Update& update) {
    if (waiting_.empty()) return;
    if (update.reloaded) {
        if (mutant(MutantId::kWaitUnsettled)) return;
        std::vector<std::string> keys;
        for (const auto& [key, wait] : waiting_)
            if (keys.empty() || keys.back() != key) keys.push_back(key);
        for (const std::string& key : keys) settle_all(key, *update.snapshot);
        return;
    }
    using model::RecordKind;
    for (const view::Changed& change : update.changes) {
        const bool of_vm = change.kind == RecordKind::kVmSpec ||
                           change.kind == RecordKind::kVmStatus ||
                           change.kind == RecordKind::kVmPlacement;
        if (of_vm) settle_all(change.project + "/" + change.name, *update.snapshot);
    }
}

void Waits::settle_all(const std::string& key, const view::Snapshot& state) {
    const auto [first, last] = waiting_.equal_range(key);
    if (first == last) return;
    std::vector<WaitPtr> here;
    for (auto each = first; each != last; ++each) here.push_back(each->second);
    for (const WaitPtr& wait : here) {
        if (wait->answered || !settle(wait, state)) continue;
        crossing_.here().cancel(wait->timer);
        remove(wait);
    }
}

void Waits::remove(const WaitPtr& wait) {
    const auto [first, last] = waiting_.equal_range(wait->vm.key());
    for (auto each = first; each != last; ++each) {
        if (each->second != wait) continue;
        waiting_.erase(each);
        return;
    }
}

void Waits::look_for_gone() {
    if (sweeping_ || waiting_.empty()) return;
    sweeping_ = true;
    crossing_.after(kSweepEvery, [this] {
        sweeping_ = false;
        std::erase_if(waiting_, [this](const auto& entry) {
            if (!entry.second->call->responder->gone()) return false;
            crossing_.here().cancel(entry.second->timer);
            return true;
        });
        look_for_gone();
    });
}

}  // namespace blixard::api
