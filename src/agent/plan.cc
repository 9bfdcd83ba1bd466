#include "agent/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mutant.h"

namespace blixard::agent {
namespace {

using hypervisor::Instance;
using hypervisor::InstanceState;
using model::Phase;
using model::Restart;
using model::Run;

bool lives(const Instance* instance) {
    return instance && instance->state != InstanceState::kExited;
}

Decision stop_now(const Wanted& wanted, std::string message) {
    const bool force = wanted.record && wanted.record->force && !mutant(MutantId::kForceIgnored);
    return {.step = force ? Step::kKill : Step::kStop,
            .phase = Phase::kStopping,
            .message = std::move(message)};
}

// The VM is not this host's to run: another host has it, it was deleted, or it was made anew under
// its name.
Decision give_up(const Wanted& wanted, const Instance* instance) {
    if (lives(instance))
        return {.step = mutant(MutantId::kKeepElsewhere) ? Step::kNone : Step::kKill};
    if (instance) return {.step = Step::kForget};
    const bool elsewhere = wanted.placement && !wanted.placement->node.empty();
    if (wanted.leftover && (!wanted.record || elsewhere)) return {.step = Step::kPurge};
    return {};
}

Decision remove(const Wanted& wanted, const Instance* instance) {
    if (lives(instance)) return stop_now(wanted, "being deleted");
    if (instance)
        return {.step = Step::kForget, .phase = Phase::kStopped, .message = "being deleted"};
    if (wanted.leftover)
        return {.step = Step::kPurge, .phase = Phase::kStopped, .message = "being deleted"};
    return {.step = Step::kFinish};
}

// Not to be running: because people want it stopped, or because it shall run elsewhere.
Decision keep_stopped(const Wanted& wanted, const Instance* instance, const Memory& memory) {
    if (lives(instance))
        return stop_now(wanted, wanted.placement->release ? wanted.placement->reason : "");
    if (instance) return {.step = Step::kForget, .phase = Phase::kStopped};
    return {.phase = Phase::kStopped, .message = memory.failure};
}

bool clean(const hypervisor::Exit& exit) {
    return exit.guest_shutdown || (exit.status && *exit.status == 0);
}

bool policy_restarts(Restart policy, bool was_clean) {
    switch (policy) {
        case Restart::kNever: return mutant(MutantId::kNeverRestarts);
        case Restart::kOnFailure: return !was_clean || mutant(MutantId::kCleanEndRestarts);
        case Restart::kAlways: return true;
    }
    return false;
}

// Nothing runs and it shall run: start it, or wait for the lease or the backoff; not for that where
// people ask for it after its end (`asked`).
Decision start(const Wanted& wanted, const Memory& memory, bool lease_held, MonoTime now,
               bool asked = false) {
    const bool fenced = wanted.record->spec.ha != model::Ha::kNone;
    if (fenced && !lease_held && !mutant(MutantId::kLeaseUnheld))
        return {.phase = Phase::kScheduled, .message = "waiting for this host's lease"};
    if (memory.start_not_before && now < *memory.start_not_before && !asked) {
        const std::int64_t wait_s = ((*memory.start_not_before - now).count + 999) / 1000;
        // Failed is what has run, or was refused; without its files nothing was tried.
        return {.phase = memory.files_missing ? Phase::kScheduled : Phase::kFailed,
                .message = fmt::format("{}; {} {} in {} s", memory.failure,
                                       memory.files_missing ? "attempt" : "restart",
                                       memory.restarts, wait_s),
                .look_again = memory.start_not_before};
    }
    const model::VmStatus* said = wanted.status;
    if (said && said->uid == wanted.record->uid && said->epoch == wanted.placement->epoch &&
        said->phase == Phase::kPaused)  // its end was never said; a paused VM does not start
        return {.phase = Phase::kFailed, .message = "it ended while it was paused"};
    return {.step = Step::kStart, .phase = Phase::kStarting};
}

// The process ended by itself.
Decision after_exit(const Wanted& wanted, const Instance& instance, const Memory& memory) {
    const model::VmStatus* said = wanted.status;
    const bool end_said = said && said->uid == wanted.record->uid &&
                          said->epoch == wanted.placement->epoch &&
                          (said->phase == Phase::kStopped || said->phase == Phase::kFailed);
    if (instance.restart_generation < wanted.record->restart_generation && end_said)
        return {.step = Step::kForget};  // asked for after its end: it starts from nothing
    if (instance.restart_generation < wanted.record->restart_generation)
        // Not "stopped": that is an end, and it would count for the restart that was asked for.
        return {.step = Step::kForget, .phase = Phase::kStopping, .message = "restarting"};
    const hypervisor::Exit exit = instance.exit.value_or(hypervisor::Exit{});
    const bool was_clean = clean(exit) && !memory.unhealthy;
    const std::string why = memory.unhealthy ? memory.failure : describe_exit(exit);
    if (policy_restarts(wanted.record->spec.restart, was_clean))
        return {
            .step = Step::kForget, .phase = Phase::kFailed, .message = why, .count_restart = true};
    // The end is written down before the instance, which proves it, is dropped.
    const Phase end = was_clean ? Phase::kStopped : Phase::kFailed;
    const bool written = mutant(MutantId::kEndUnwritten) ||
                         (wanted.status && wanted.status->epoch == wanted.placement->epoch &&
                          wanted.status->phase == end);
    return {.step = written ? Step::kForget : Step::kNone, .phase = end, .message = why};
}

// Nothing is there. The stored status tells whether it has run under this placement and ended for
// good.
Decision from_nothing(const Wanted& wanted, const Memory& memory, bool lease_held, MonoTime now) {
    const model::VmStatus* status = wanted.status;
    if (memory.given_up && memory.given_up->uid == wanted.record->uid &&
        memory.given_up->generation == wanted.record->generation &&
        memory.given_up->restart_generation == wanted.record->restart_generation)
        return {.phase = Phase::kFailed, .message = memory.failure};
    const bool ended_here = status && status->epoch == wanted.placement->epoch &&
                            status->uid == wanted.record->uid &&
                            (status->phase == Phase::kStopped || status->phase == Phase::kFailed);
    const bool asked_again =
        status && status->restart_generation < wanted.record->restart_generation;
    if (!ended_here || asked_again || memory.start_not_before)
        return start(wanted, memory, lease_held, now, ended_here && asked_again);
    // A daemon that comes back finds a VM between two restarts: its policy still wants it.
    if (policy_restarts(wanted.record->spec.restart, status->phase == Phase::kStopped))
        return start(wanted, memory, lease_held, now);
    return {.phase = status->phase, .message = status->message};
}

Decision keep_running(const Wanted& wanted, const Instance& instance, const Memory& memory,
                      MonoTime now) {
    const bool wants_pause = wanted.record->spec.run == Run::kPaused;
    switch (instance.state) {
        case InstanceState::kStarting:
            return {.phase = Phase::kStarting, .message = instance.message};
        case InstanceState::kStopping:
            return {.phase = Phase::kStopping, .message = instance.message};
        case InstanceState::kUnknown: break;
        case InstanceState::kRunning:
            if (instance.restart_generation < wanted.record->restart_generation &&
                !mutant(MutantId::kRestartForgotten))
                return stop_now(wanted, "restarting");
            if (memory.unhealthy && wanted.record->spec.restart != Restart::kNever)
                return {.step = Step::kKill, .phase = Phase::kStopping, .message = memory.failure};
            if (wants_pause && !mutant(MutantId::kPauseForgotten))
                return {.step = Step::kPause, .phase = Phase::kRunning};
            return {.phase = Phase::kRunning, .message = memory.unhealthy ? memory.failure : ""};
        case InstanceState::kPaused:
            if (instance.restart_generation < wanted.record->restart_generation)
                return {.step = Step::kKill, .phase = Phase::kStopping, .message = "restarting"};
            if (!wants_pause) return {.step = Step::kResume, .phase = Phase::kPaused};
            return {.phase = Phase::kPaused};
        case InstanceState::kExited: break;
    }
    // The process lives and its monitor is silent. A VM that is never restarted is left to itself,
    // unless people have asked for a restart.
    const bool may_end = wanted.record->spec.restart != Restart::kNever ||
                         instance.restart_generation < wanted.record->restart_generation;
    if (memory.silent_since && now - *memory.silent_since >= kSilentMost && may_end)
        return {.step = Step::kKill,
                .phase = Phase::kStopping,
                .message = "its monitor was silent for too long"};
    std::optional<MonoTime> again;
    if (memory.silent_since && now < *memory.silent_since + kSilentMost)
        again = *memory.silent_since + kSilentMost;
    const bool known = wanted.status && wanted.status->epoch == wanted.placement->epoch;
    return {.phase = known ? wanted.status->phase : Phase::kStarting,
            .message = "the process lives, its monitor does not answer",
            .look_again = again};
}

}  // namespace

Millis restart_backoff(std::int64_t restarts) {
    if (mutant(MutantId::kBackoffForgotten)) return {};
    Millis wait = kBackoffFirst;
    for (std::int64_t i = 0; i < restarts && wait < kBackoffMost; ++i) wait = wait * 2;
    return mutant(MutantId::kBackoffUncapped) ? wait * 4 : std::min(wait, kBackoffMost);
}

std::string describe_exit(const hypervisor::Exit& exit) {
    if (exit.guest_shutdown) return "the guest powered itself off";
    std::string text = "the process ended while nobody watched";
    if (exit.signal)
        text = fmt::format("qemu was ended by signal {}", *exit.signal);
    else if (exit.status)
        text = fmt::format("qemu ended with status {}", *exit.status);
    if (!exit.stderr_tail.empty()) text += ": " + exit.stderr_tail;
    return text;
}

Decision plan(const Wanted& wanted, const Instance* instance, const Memory& memory, bool lease_held,
              MonoTime now) {
    const bool same_vm =
        wanted.record && wanted.placement &&
        (wanted.placement->uid == wanted.record->uid || mutant(MutantId::kUidUnchecked));
    if (!wanted.mine || !same_vm) return give_up(wanted, instance);
    const auto epoch = static_cast<std::uint64_t>(wanted.placement->epoch);
    const bool epoch_counts = !mutant(MutantId::kEpochUnchecked);
    if (epoch_counts && instance &&
        (instance->id.uid != wanted.record->uid || instance->id.epoch != epoch)) {
        return {.step = lives(instance) ? Step::kKill : Step::kForget};
    }
    if (!wanted.record->deleted_at.empty()) return remove(wanted, instance);
    if (wanted.placement->release || wanted.record->spec.run == Run::kStopped)
        return keep_stopped(wanted, instance, memory);
    if (!instance) return from_nothing(wanted, memory, lease_held, now);
    if (instance->state == InstanceState::kExited) return after_exit(wanted, *instance, memory);
    return keep_running(wanted, *instance, memory, now);
}

}  // namespace blixard::agent
