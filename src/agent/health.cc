// How an agent asks its guests whether they are well.
#include <fmt/format.h>

#include <algorithm>

#include "agent/agent.h"
#include "base/mutant.h"

namespace blixard::agent {
namespace {

constexpr Millis kHealthEvery = seconds(1);

}  // namespace

void Agent::watch_health(const std::string& vm, const view::VmEntry& entry,
                         const hypervisor::Instance& instance) {
    Vm& mine = vms_[vm];
    const bool wanted =
        entry.record->value.spec.health && instance.state == hypervisor::InstanceState::kRunning;
    if (!wanted || mine.health_timer != 0 || mine.health_question != 0) return;
    check_health_later(vm, kHealthEvery);
}

void Agent::check_health_later(const std::string& vm, Millis delay) {
    vms_[vm].health_timer = deps_.executor.after(delay, [this, vm, weak = std::weak_ptr(alive_)] {
        if (!weak.expired()) check_health(vm);
    });
}

void Agent::check_health(const std::string& vm) {
    const auto found = vms_.find(vm);
    if (found == vms_.end()) return;
    found->second.health_timer = 0;
    const view::SnapshotPtr state = deps_.view.current();
    const view::VmEntry* entry = state->vms.find(vm);
    std::optional<hypervisor::Instance> instance;
    for (hypervisor::Instance& each : deps_.hypervisor.instances())
        if (each.id.vm == vm) instance = std::move(each);
    if (!entry || !entry->record || !entry->record->value.spec.health || !instance ||
        instance->state != hypervisor::InstanceState::kRunning)
        return;
    const model::HealthCheck& check = *entry->record->value.spec.health;
    const Millis interval = seconds(std::max<std::int64_t>(1, check.interval_s));
    const bool asks =
        check.kind == model::HealthKind::kTcp || check.kind == model::HealthKind::kHttp;
    const auto address =
        std::ranges::find(instance->addresses, check.port, &model::Address::guest_port);
    if (asks && deps_.probe && address != instance->addresses.end()) {
        const std::uint64_t question = ++health_questions_;
        found->second.health_question = question;
        return deps_.probe->probe(check, address->address,
                                  [this, vm, question, due = deps_.clock.mono() + interval,
                                   weak = std::weak_ptr(alive_)](const Result<bool>& healthy) {
                                      if (!weak.expired())
                                          probe_answered(vm, question, due, healthy && *healthy);
                                  });
    }
    check_health_later(vm, interval);
    health_result(vm, check.kind == model::HealthKind::kProcess ||
                          (check.kind == model::HealthKind::kSerial &&
                           deps_.hypervisor.console_has(vm, check.pattern)));
}

// Not of a process that has been told to stop or to pause since, or is another by now. The next
// question is asked when it is due, and never before this answer.
void Agent::probe_answered(const std::string& vm, std::uint64_t question, MonoTime due,
                           bool healthy) {
    const auto found = vms_.find(vm);
    if (found == vms_.end()) return;
    if (found->second.health_question != question && !mutant(MutantId::kLateProbeCounts)) return;
    found->second.health_question = 0;
    check_health_later(vm, std::max(Millis{0}, due - deps_.clock.mono()));
    health_result(vm, healthy);
}

void Agent::health_result(const std::string& vm, bool healthy) {
    const auto found = vms_.find(vm);
    const view::SnapshotPtr state = deps_.view.current();
    const view::VmEntry* entry = state->vms.find(vm);
    if (found == vms_.end() || !entry || !entry->record || !entry->record->value.spec.health)
        return;
    Vm& mine = found->second;
    const model::HealthCheck& check = *entry->record->value.spec.health;
    if (healthy) {
        mine.health_failures = 0;
        mine.memory.unhealthy = false;
        if (!mine.health_known || !mine.healthy) mark(vm);
        mine.health_known = mine.healthy = true;
        return;
    }
    const Millis up =
        mine.memory.running_since ? deps_.clock.mono() - *mine.memory.running_since : Millis{0};
    const bool counts = (mine.health_known && mine.healthy) || mine.health_failures > 0 ||
                        up >= seconds(check.start_period_s) ||
                        mutant(MutantId::kStartPeriodIgnored);
    const std::int64_t most = mutant(MutantId::kOnceIll) ? 1 : check.failures;
    if (!counts || ++mine.health_failures < most) return;
    mine.health_known = true;
    mine.healthy = false;
    mine.memory.unhealthy = true;
    mine.memory.failure =
        fmt::format("health check failed {} times in a row", mine.health_failures);
    mark(vm);
}

}  // namespace blixard::agent
