// Drills of what a controller decides: drains, rebalances, and who must be with whom.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "controller/election.h"
#include "sim/drills.h"
#include "sim/kept_room.h"
#include "sim/rules.h"

namespace blixard::sim {
namespace {

constexpr std::string_view kDefaultPrefix = "default/";
constexpr const char* kMovers[] = {"default/mover-1", "default/mover-2"};

}  // namespace

// A healed cluster does its work: what a drained host can give away, it gives away. And nobody is
// told to leave for a place that another has been promised, also by a controller that begins anew.
bool Drills::drain() {
    if (plan_.hosts < 2) return true;
    const int host = plan_.world > 2 ? one_with_room_for_two() : index(0);
    const std::string& name = hosts_[static_cast<std::size_t>(host)]->name();
    trace_.add("", fmt::format("drill: {} is drained", name));
    const std::string other = plan_.world > 2 ? pen_two_on(host) : "";
    const bool begins_anew = !other.empty() && plan_.seed % 3 != 0;
    std::map<std::string, std::int64_t> epochs;
    // Else some go before others; and who begins anew keeps other room than was kept.
    const bool quiet = plan_.world > 2 && !begins_anew && !anyone_waits();
    checker_.state().for_each_vm_on(name, [&](const view::VmEntry& vm) {
        if (quiet || vm.key.starts_with("default/mover"))
            epochs[vm.key] = vm.placement->value.epoch;
        return true;
    });
    operators_.carry_out(
        {.kind = ActKind::kNodeDrain, .host = (host + 1) % plan_.hosts, .subject = host});
    if (begins_anew && !controller_begins_anew(host)) return false;
    bool good = comes_true("after its drain", [&] { return who_could_leave(name); });
    good = good && nobody_is_homeless(epochs);
    if (good && !other.empty()) good = room_for_who_must_leave(name, other);
    operators_.uncordon(host, 30);
    return good && all_is_well("after the drill of a drain");
}

int Drills::one_with_room_for_two() const {
    for (std::uint64_t more = 0; more < hosts_.size(); ++more) {
        const int host = index(more);
        const view::NodeEntry* node =
            checker_.state().nodes.find(hosts_[static_cast<std::size_t>(host)]->name());
        if (node && memory_free_mib(checker_.state(), *node) >= 128) return host;
    }
    return index(0);
}

// The controller reads the state anew while one is on its way, whose guest takes its time to end;
// and one more comes, for whom there would be room if none were kept.
bool Drills::controller_begins_anew(int drained) {
    const auto on_its_way = [&] {
        bool any = false;
        for (const char* name : kMovers) {
            const view::VmEntry* mover = checker_.state().vms.find(name);
            any = any || (mover && mover->placement && mover->placement->value.release);
        }
        return any;
    };
    for (int looks = 0; looks < 20 && !on_its_way(); ++looks)
        if (!run_for_(Millis{100})) return false;
    const std::string elected = controller::elected_node(checker_.state().election.value);
    SimHost* controller = nullptr;
    int another = drained;
    for (int i = 0; i < plan_.hosts; ++i)
        if (hosts_[static_cast<std::size_t>(i)]->name() == elected)
            controller = hosts_[static_cast<std::size_t>(i)].get();
        else
            another = i;
    if (!controller || !on_its_way()) return true;
    controller->change_ways([](SimHost::Ways& ways) { ways.replies_cut += 1; });
    operators_.create_named(
        another, "comer",
        R"("memory_mib":64,"priority":1000,"constraints":{"node_labels":{"pen":"yes"}})");
    if (!asked_at_once(another, {make_request("PATCH", "/v1/vms/filler", {},
                                              R"({"spec":{"labels":{"colour":"red"}}})")}) ||
        !run_for_(Millis{300}))
        return false;
    (void)backend_.compact(backend_.history().revision());
    checker_.compacted_by_others();
    controller->change_ways([](SimHost::Ways& ways) { ways.replies_cut -= 1; });
    if (!run_for_(seconds(2))) return false;
    for (int looks = 0; looks < 30 && on_its_way(); ++looks)
        if (!run_for_(Millis{500})) return false;
    return run_for_(seconds(1));
}

bool Drills::nobody_is_homeless(const std::map<std::string, std::int64_t>& epochs) {
    for (const auto& [name, epoch] : epochs) {
        const view::VmEntry* vm = checker_.state().vms.find(name);
        if (!vm || !waits(*vm) || vm->placement->value.epoch != epoch) continue;
        // Rules count a VM where it is, not where its room is kept.
        const std::string& reason = vm->placement->value.reason;
        if (!reason.starts_with("fits on none") || reason.find("affinity") != std::string::npos ||
            reason.find("reserved") != std::string::npos)
            continue;
        checker_.broken(
            fmt::format("vm {} was told to leave for a drain, and has no place: {}", name, reason));
        return false;
    }
    return true;
}

bool Drills::mark_pen(const std::string& node, std::string_view label) {
    return asked_at_once(
        index(1), {make_request("PATCH", "/v1/nodes/" + node, {},
                                fmt::format(R"({{"spec":{{"labels":{{"pen":{}}}}}}})", label))});
}

// Two VMs that can be on that host, and on another that has room for one of them. The name of the
// other; empty: there is none.
std::string Drills::pen_two_on(int host) {
    const view::Snapshot& state = checker_.state();
    const std::string& drained = hosts_[static_cast<std::size_t>(host)]->name();
    std::string other;
    std::int64_t free_mib = 0;
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        const std::int64_t free_there = memory_free_mib(state, *node);
        if (node->key == drained || free_there <= free_mib) return;
        free_mib = free_there;
        other = node->key;
    });
    if (free_mib < 256 || memory_free_mib(state, *state.nodes.find(drained)) < 128) return {};
    if (!mark_pen(drained, "\"yes\"") || !mark_pen(other, "\"yes\"")) return {};
    operators_.create_named(
        host, "filler",
        fmt::format(R"("memory_mib":{},"priority":1000,"constraints":{{"node":"{}"}})",
                    free_mib - 32, other));
    if (!run_for_(seconds(2))) return {};
    for (const char* mover : kMovers)
        operators_.create_named(
            host, mover + kDefaultPrefix.size(),
            R"("memory_mib":64,"priority":1000,"stop_timeout_s":5,"constraints":{"node_labels":{"pen":"yes"}})");
    if (!run_for_(seconds(4))) return {};
    const auto is_on = [&](std::string_view vm, const std::string& node) {
        const view::VmEntry* entry = state.vms.find(vm);
        return entry && entry->phase == model::Phase::kRunning && entry->node() == node;
    };
    bool good = is_on("default/filler", other);
    for (const char* mover : kMovers) {
        good = good && is_on(mover, drained);
        Machine* const machine = hosts_[static_cast<std::size_t>(host)]->machines().find(mover);
        if (good && machine) machine->script.deaf = true;
    }
    if (good && asked_at_once(host, {make_request("PATCH", "/v1/vms/filler", {},
                                                  fmt::format(R"({{"spec":{{"memory_mib":{}}}}})",
                                                              free_mib - 100))}))
        return other;
    (void)open_pen(drained, other);
    (void)run_for_(seconds(1));
    return {};
}

bool Drills::open_pen(const std::string& drained, const std::string& other) {
    for (const char* vm : {"filler", "mover-1", "mover-2", "comer"})
        if (checker_.state().vms.find(std::string(kDefaultPrefix) + vm))
            operators_.delete_named(index(2), vm);
    return mark_pen(drained, "null") && mark_pen(other, "null");
}

// Who fitted nowhere else goes when there is room.
bool Drills::room_for_who_must_leave(const std::string& drained, const std::string& other) {
    bool good = asked_at_once(
        index(1), {make_request("PATCH", "/v1/vms/filler", {}, R"({"spec":{"memory_mib":64}})")});
    good = good && run_for_(seconds(3));
    for (const char* name : kMovers) {
        const view::VmEntry* mover = checker_.state().vms.find(name);
        if (good && mover && mover->node() == drained && !mover->placement->value.release &&
            could_go_elsewhere(checker_.state(), *mover)) {
            checker_.broken(
                fmt::format("vm {} stays on {}, though there is room elsewhere", name, drained));
            return false;
        }
    }
    return good && open_pen(drained, other);
}

// Who must be with another is placed when that one's place is written, not before: the controller's
// writes take their time, and the other is changed meanwhile.
bool Drills::company_on_its_way() {
    const std::string elected = controller::elected_node(checker_.state().election.value);
    SimHost* controller = nullptr;
    int another = 0;
    for (int i = 0; i < plan_.hosts; ++i)
        if (hosts_[static_cast<std::size_t>(i)]->name() == elected)
            controller = hosts_[static_cast<std::size_t>(i)].get();
        else
            another = i;
    const std::shared_ptr<const view::NodeEntry> node = emptiest();
    if (!controller || memory_free_mib(checker_.state(), *node) < 128) return true;
    trace_.add("", "drill: company that is on its way");
    const auto create = [&](const char* name, std::string_view more) {
        operators_.create_named(
            another, name,
            fmt::format(R"("memory_mib":64,"priority":1000,"constraints":{{"node":"{}"}},{})",
                        node->key, more));
    };
    create("shadow", R"("affinity":[{"hard":true,"labels":{"beside":"me"}}])");
    if (!run_for_(seconds(2))) return false;
    const auto slow = [&](int by) {
        controller->change_ways([by](SimHost::Ways& ways) {
            ways.slow += by;
            ways.slow_ms = 400;
        });
    };
    slow(+1);
    create("anchor", R"("labels":{"beside":"me"})");
    // All who wait are asked again.
    bool good = run_for_(Millis{100}) && mark_pen(node->key, R"("soon")") &&
                run_for_(Millis{450}) &&
                asked_at_once(another, {make_request("PATCH", "/v1/vms/anchor", {},
                                                     R"({"spec":{"labels":{"colour":"red"}}})")}) &&
                run_for_(seconds(3));
    slow(-1);
    if (!good || !mark_pen(node->key, "null")) return false;
    operators_.delete_named(another, "shadow");
    if (!run_for_(seconds(2))) return false;
    operators_.delete_named(another, "anchor");
    return all_is_well("after the drill of company that is on its way") && outside_of_domains();
}

// A host that is in no domain of a rule lets in whom the rule would keep apart.
bool Drills::outside_of_domains() {
    const std::shared_ptr<const view::NodeEntry> node = emptiest();
    const std::string name = node->key;
    if (memory_free_mib(checker_.state(), *node) < 256) return true;
    int other = 0;
    while (hosts_[static_cast<std::size_t>(other)]->name() == name) ++other;
    trace_.add("", fmt::format("drill: {} is in no pen", name));
    if (!mark_pen(hosts_[static_cast<std::size_t>(other)]->name(), R"("yes")")) return false;
    for (const char* vm : {"apart-1", "apart-2"})
        operators_.create_named(
            index(0), vm,
            fmt::format(
                R"("memory_mib":64,"priority":1000,"labels":{{"apart":"yes"}},"constraints":{{"node":"{}"}},"affinity":[{{"anti":true,"hard":true,"domain":"pen","labels":{{"apart":"yes"}}}}])",
                name));
    if (!run_for_(seconds(3))) return false;
    for (const char* vm : {"default/apart-1", "default/apart-2"}) {
        const view::VmEntry* entry = checker_.state().vms.find(vm);
        if (!entry || !waits(*entry) || !could_go_elsewhere(checker_.state(), *entry)) continue;
        checker_.broken(fmt::format("vm {} waits, though no rule keeps it from {}", vm, name));
        return false;
    }
    for (const char* vm : {"apart-1", "apart-2"}) operators_.delete_named(index(1), vm);
    return mark_pen(hosts_[static_cast<std::size_t>(other)]->name(), "null") &&
           all_is_well("after the drill of a host in no domain");
}

// To even things out, VMs are moved, one after the other, also where people ask twice at once, and
// stop the one that is on its way; what a newer version has written stays.
bool Drills::rebalances() {
    trace_.add("", "drill: rebalances");
    if (plan_.seed % 2 == 0)
        for (int i = 0; i < plan_.vms; ++i) {
            const view::VmEntry* vm = operators_.vm_of(i);
            if (vm && vm->phase == model::Phase::kRunning && i % 3 != 0)
                newer_.write({.span_ms = 3000, .dice = 2}, vm);
        }
    for (const std::uint64_t host : {0, 1})
        operators_.carry_out({.kind = ActKind::kRebalance, .host = index(host)});
    bool stopped = false;
    int subject = -1;
    for (int looks = 0; looks < 40 && !stopped; ++looks) {
        if (!run_for_(Millis{100})) return false;
        if (plan_.seed % 2 != 0) stop_who_is_moved(stopped, subject);
    }
    const bool good = comes_true("after orders to rebalance", [&] {
        std::string open;
        checker_.state().operations.for_each([&](const auto& operation) {
            const model::Operation& record = operation->record->value;
            if (record.kind == "rebalance" && record.state == model::OperationState::kRunning)
                open = fmt::format("rebalance {} goes on: {}", operation->key, record.message);
        });
        return open;
    });
    if (subject >= 0)
        operators_.carry_out(
            {.kind = ActKind::kVmStart, .host = index(1), .subject = subject, .dice = 6});
    return good && run_for_(seconds(1)) && all_is_well("after the drill of rebalances");
}

void Drills::stop_who_is_moved(bool& stopped, int& subject) {
    std::string moving;
    checker_.state().operations.for_each([&](const auto& operation) {
        const model::Operation& record = operation->record->value;
        if (record.kind == "rebalance" && record.state == model::OperationState::kRunning)
            moving = record.moving;
    });
    for (int i = 0; i < plan_.vms && !moving.empty(); ++i) {
        const view::VmEntry* vm = operators_.vm_of(i);
        if (!vm || vm->key != moving) continue;
        subject = i;
        stopped = true;
        return operators_.carry_out(
            {.kind = ActKind::kVmStop, .host = index(1), .subject = i, .dice = 1});
    }
}

}  // namespace blixard::sim
