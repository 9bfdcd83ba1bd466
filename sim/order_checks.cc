#include "sim/order_checks.h"

#include <fmt/format.h>

namespace blixard::sim {
namespace {

using hypervisor::InstanceState;

// A minute by the agent (agent/plan.h), of a clock that drifts.
constexpr Millis kSilentLeast{58'500};

class Look {
 public:
    Look(const MachineOrder& order, const std::string& host, const Machine& machine,
         const view::Snapshot& seen)
        : order_(order), machine_(machine), vm_(seen.vms.find(machine.instance.id.vm)) {
        const hypervisor::InstanceId& id = machine.instance.id;
        has_place_ = vm_ && vm_->record && vm_->placement && vm_->node() == host &&
                     vm_->record->value.uid == id.uid && vm_->placement->value.uid == id.uid &&
                     static_cast<std::uint64_t>(vm_->placement->value.epoch) == id.epoch;
    }

    std::optional<std::string> run() const {
        if (vm_ && vm_->not_understood != 0) return "is not touched: nobody here understands it";
        switch (order_.asked) {
            case Asked::kStop: return wrong_with_stop();
            case Asked::kKill: return wrong_with_kill();
            case Asked::kPause:
                return has_place_ && spec().run == model::Run::kPaused
                           ? std::nullopt
                           : std::optional<std::string>("shall not be paused");
            case Asked::kResume:
                return has_place_ && spec().run == model::Run::kRunning
                           ? std::nullopt
                           : std::optional<std::string>("shall not be resumed");
        }
        return std::nullopt;
    }

 private:
    const model::VmRecord& record() const { return vm_->record->value; }
    const model::VmSpec& spec() const { return record().spec; }
    bool shall_restart() const {
        return machine_.instance.restart_generation < record().restart_generation;
    }
    bool shall_end() const {
        return !record().deleted_at.empty() || vm_->placement->value.release ||
               spec().run == model::Run::kStopped;
    }

    std::optional<std::string> wrong_with_stop() const {
        if (!has_place_) return "has no place here: it is killed";
        if (!shall_end() && !shall_restart()) return "shall not stop";
        if (record().force) return "is to be ended by force, and is asked to stop";
        if (order_.grace != seconds(spec().stop_timeout_s))
            return fmt::format("has {} s to stop, and is given {} ms", spec().stop_timeout_s,
                               order_.grace.count);
        return std::nullopt;
    }

    std::optional<std::string> wrong_with_kill() const {
        if (!has_place_) return std::nullopt;
        if (record().force && (shall_end() || shall_restart())) return std::nullopt;
        const InstanceState state = machine_.instance.state;
        if (state == InstanceState::kPaused && shall_restart()) return std::nullopt;
        const bool may_end = spec().restart != model::Restart::kNever || shall_restart();
        // Who has stood still has not seen that it answered in between.
        const bool overslept = order_.awake && *order_.awake < kSilentLeast;
        if (state == InstanceState::kUnknown && may_end &&
            (order_.silent >= kSilentLeast || overslept))
            return std::nullopt;
        if (spec().health && machine_.checks_failed >= spec().health->failures && may_end)
            return std::nullopt;
        return fmt::format(
            "is killed, and nothing asks for it ({}, silent for {} ms, {} health checks failed)",
            hypervisor::instance_state_name(state), order_.silent.count, machine_.checks_failed);
    }

    const MachineOrder& order_;
    const Machine& machine_;
    const view::VmEntry* const vm_;
    bool has_place_ = false;
};

}  // namespace

std::optional<std::string> what_is_wrong_with(const MachineOrder& order, const std::string& host,
                                              const Machine& machine, const view::Snapshot& seen) {
    auto wrong = Look(order, host, machine, seen).run();
    if (wrong) wrong = fmt::format("vm {} on {} {}", machine.instance.id.vm, host, *wrong);
    return wrong;
}

}  // namespace blixard::sim
