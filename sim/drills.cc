#include "sim/drills.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "sim/kept_room.h"
#include "sim/refusals.h"
#include "sim/rules.h"
#include "sim/survey.h"
#include "sim/verdict.h"

namespace blixard::sim {
namespace {

constexpr Millis kDrillWithin = seconds(400);

}  // namespace

bool Drills::run() {
    if (!waits_are_told() || !lists() || !refusals()) return false;
    if (plan_.world > 2 && plan_.hosts > 1 && !orders()) return false;
    checker_.look_at_all_that_is_stored();
    if (!kept_room() || !drain()) return false;
    if (plan_.world > 2 && plan_.hosts > 1 && (!company_on_its_way() || !rebalances()))
        return false;
    return failover();
}

bool Drills::orders() {
    return writes() && illness() && start_after_an_end() && start_that_failed() &&
           volume_of_a_paused_vm() && reads_anew() && what_nobody_can_read() &&
           disk_that_stays_for_now() && all_is_well("after the drills of orders") &&
           room_that_is_given_up() && who_makes_no_way();
}

bool Drills::all_is_well(std::string_view when) {
    return comes_true(when, [this] { return what_is_wrong(checker_, hosts_, shared_); });
}

// What people see of it at any host is what is.
bool Drills::lists() {
    trace_.add("", "drill: all lists");
    for (const auto& host : hosts_) {
        checker_.counted();
        operators_.vouch_for_the_living(*host);
        std::string wrong = what_is_listed_wrongly(*host, checker_.state());
        if (wrong.empty()) continue;
        checker_.broken(std::move(wrong));
        return false;
    }
    return true;
}

// What makes no sense, or not now, is refused.
bool Drills::refusals() {
    trace_.add("", "drill: what must be refused");
    SimHost& host = *hosts_[(plan_.seed + 2) % hosts_.size()];
    const auto silent = std::make_shared<std::set<std::string>>();
    for (api::Request& request : what_must_be_refused(checker_.state())) {
        const std::string what =
            fmt::format("{} {} {}{}", request.method, request.path, request.body,
                        request.query.empty() ? ""
                                              : fmt::format(" ({}={})", request.query.front().first,
                                                            request.query.front().second));
        silent->insert(what);
        checker_.counted();
        ask(host, std::move(request),
            [this, silent, what, name = host.name()](const api::Response& response) {
                silent->erase(what);
                if (response.status < 400 || response.status >= 500)
                    checker_.broken(
                        fmt::format("{} answers {} to {}", name, response.status, what));
            });
    }
    if (!run_for_(seconds(5))) return false;
    if (!silent->empty())
        checker_.broken(fmt::format("{} does not answer to {}", host.name(), *silent->begin()));
    return silent->empty();
}

// Who waits for a VM's end, and for its start, is told in time; also by a daemon that had to
// read the state anew meanwhile.
bool Drills::waits_are_told() {
    if (plan_.hosts < 2) return true;
    SimHost& reader = *hosts_[plan_.seed % hosts_.size()];
    const int subject = operators_.a_running_vm(reader.name());
    if (subject < 0) return true;
    trace_.add("", fmt::format("drill: waiting for {}", operators_.vm_name(subject)));
    const auto told = std::make_shared<bool>(false);
    const auto was_told = [told] { return *told ? "" : "who waits for a VM is not told"; };
    // Another waits for what does not come.
    api::Request in_vain = make_request("GET", "/v1/vms/" + operators_.vm_name(subject),
                                        operators_.project_of(subject));
    in_vain.query = {{"wait", "failed"}, {"timeout", "15"}};
    ask(reader, std::move(in_vain), nullptr);
    operators_.wait_for(index(0), subject, "stopped", [told] { *told = true; });
    reader.change_ways([](SimHost::Ways& ways) { ways.replies_cut += 1; });
    operators_.carry_out(
        {.kind = ActKind::kVmStop, .host = index(1), .subject = subject, .dice = 1});
    const bool ended = comes_true("after an order to stop", [&] {
        const view::VmEntry* vm = operators_.vm_of(subject);
        return vm && vm->phase == model::Phase::kStopped ? "" : "it is not said to be stopped";
    });
    if (ended) {
        (void)backend_.compact(backend_.history().revision());
        checker_.compacted_by_others();
    }
    reader.change_ways([](SimHost::Ways& ways) { ways.replies_cut -= 1; });
    if (!ended || !comes_true("after the end of a VM", was_told)) return false;
    *told = false;
    operators_.carry_out({.kind = ActKind::kVmStart, .host = index(2), .subject = subject});
    if (!run_for_(seconds(2))) return false;
    operators_.wait_for(index(0), subject, "running", [told] { *told = true; });
    // It may have to wait: others took its room.
    const auto told_or_waits = [&] {
        const view::VmEntry* vm = operators_.vm_of(subject);
        return vm && vm->phase == model::Phase::kPending ? "" : was_told();
    };
    if (!comes_true("after an order to start", told_or_waits)) return false;
    // Who asks for a restart and waits is told of the new run, not of the one that ends.
    if (*told && plan_.world > 1) {
        *told = false;
        operators_.order_and_wait(index(2), subject, "restart", "running",
                                  [told] { *told = true; });
        if (!comes_true("after an order to restart", told_or_waits)) return false;
    }
    return all_is_well("after the drill of waits");
}

// Who has waited for long has its host kept free from those who come later, as long as it
// waits. One host is kept at a time: only where nobody else waits.
bool Drills::kept_room() {
    if (plan_.world == 1 || plan_.hosts < 2 || anyone_waits()) return true;
    const int host = index(0) / 3 * 3;
    const std::string& name = hosts_[static_cast<std::size_t>(host)]->name();
    trace_.add("", fmt::format("drill: {} is kept free", name));
    const auto create = [&](const char* vm, std::int64_t memory_mib, int priority) {
        operators_.create_named(
            host + 1, vm,
            fmt::format(R"("memory_mib":{},"priority":{},"constraints":{{"node":"{}"}})",
                        memory_mib, priority, name));
    };
    create("wide", memory_mib_of_host(plan_) * 13 / 16, 1000);
    if (!run_for_(kReserveAfter + seconds(5))) return false;
    create("narrow", 64, plan_.world > 2 && plan_.seed % 2 != 0 ? 1000 : 0);
    if (!run_for_(seconds(10))) return false;
    if (waits_on("default/wide") && !waits_on("default/narrow")) {
        checker_.broken(fmt::format("{} is not kept free for a VM that waits for it", name));
        return false;
    }
    operators_.delete_named(host + 1, "wide");
    const bool good = all_is_well("after a VM that had waited was deleted");
    operators_.delete_named(host + 1, "narrow");
    return good && all_is_well("after the drill of a host that is kept free");
}

bool Drills::waits_on(const std::string& name) const {
    const view::VmEntry* vm = checker_.state().vms.find(name);
    return vm && waits(*vm);
}
bool Drills::anyone_waits() const {
    bool any = false;
    checker_.state().vms.for_each([&](const auto& vm) { any = any || waits(*vm); });
    return any;
}

// A VM gets its place on a host that cannot ask for the store's consent to start it any more.
bool Drills::place_late(std::size_t host) {
    for (int i = 0; i < plan_.hosts; ++i)
        if (i != static_cast<int>(host))
            operators_.carry_out({.kind = ActKind::kNodeCordon, .host = i, .subject = i});
    if (!run_for_(seconds(1))) return false;
    hosts_[host]->change_ways([](SimHost::Ways& ways) { ways.requests_cut += 1; });
    operators_.create_named(static_cast<int>(host) + 1, "late", R"("memory_mib":64)");
    return run_for_(Millis{1500});
}

// ... and what ran on a host that lost its power runs elsewhere, where it may. So does what
// never ran there: nobody need be asked for that. Some are about to leave it; and at times it is
// only cut off, and people may vouch for it.
bool Drills::failover() {
    if (plan_.hosts < 2) return true;
    const int number = index(1);
    SimHost& host = *hosts_[static_cast<std::size_t>(number)];
    const std::uint64_t kind = plan_.world > 2 ? plan_.seed / 2 % 4 : 0;
    if (kind == 3) return cut_off_while_it_starts_one(number);
    if (!place_late(static_cast<std::size_t>(number))) return false;
    if (kind == 2) return vouched_for(number);
    if (kind == 1) {
        operators_.carry_out(
            {.kind = ActKind::kNodeDrain, .host = (number + 1) % plan_.hosts, .subject = number});
        if (!run_for_(Millis{300})) return false;
    }
    trace_.add("", fmt::format("drill: {} loses its power", host.name()));
    host.powered = false;
    host.cut_power();
    host.change_ways([](SimHost::Ways& ways) { ways.requests_cut -= 1; });
    uncordon_all_but(number);
    const bool good =
        in_time_after_its_loss(host.name()) &&
        comes_true("after its power was cut", [&] { return who_should_have_left(host.name()); });
    host.powered = true;
    host.start_daemon();
    operators_.uncordon(number, 30);
    return good && all_is_well("after the drill of a failover");
}

// Nobody has to come by for it: who is elected wakes when the margin has passed.
bool Drills::in_time_after_its_loss(const std::string& name) {
    const auto lives = [&] {
        const view::NodeEntry* node = checker_.state().nodes.find(name);
        return node && node->lease;
    };
    for (int looks = 0; looks < 200 && lives(); ++looks)
        if (!run_for_(Millis{100})) return false;
    if (plan_.world < 3) return true;
    if (!run_for_(seconds(5))) return false;
    checker_.counted();
    const std::string who = who_should_have_left(name);
    if (!who.empty())
        checker_.broken(fmt::format("5 s after the lease of {} has ended, {}", name, who));
    return who.empty();
}

// Its lease ends while a VM is prepared there, whose files take their time: it does not start.
bool Drills::cut_off_while_it_starts_one(int number) {
    SimHost& host = *hosts_[static_cast<std::size_t>(number)];
    trace_.add("", fmt::format("drill: {} is cut off while it starts a VM", host.name()));
    host.machines().prepare_next_for(seconds(15));
    operators_.create_named(
        number + 1, "slow",
        fmt::format(R"("memory_mib":64,"ha":"restart","constraints":{{"node":"{}"}})",
                    host.name()));
    if (!run_for_(seconds(1))) return false;
    const auto cut = [&host](int by) {
        host.change_ways([by](SimHost::Ways& ways) {
            ways.requests_cut += by;
            ways.replies_cut += by;
        });
    };
    cut(+1);
    const bool good = in_time_after_its_loss(host.name()) && run_for_(seconds(10));
    cut(-1);
    host.machines().prepare_next_for(Millis{0});
    operators_.delete_named(number + 1, "slow");
    return good && all_is_well("after the drill of a host that was cut off");
}

void Drills::uncordon_all_but(int host) {
    for (int i = 0; i < plan_.hosts; ++i)
        if (i != host) operators_.uncordon(i, 30);
}

// It is cut off, and people say that it has no power: what runs there runs elsewhere, too, or is
// deleted meanwhile. When it is back, it ends what is not its own any more.
bool Drills::vouched_for(int number) {
    SimHost& host = *hosts_[static_cast<std::size_t>(number)];
    trace_.add("", fmt::format("drill: {} is cut off, and vouched for", host.name()));
    checker_.beyond_assumptions(host.name());
    const auto cut = [&host](int requests, int replies) {
        host.change_ways([requests, replies](SimHost::Ways& ways) {
            ways.requests_cut += requests;
            ways.replies_cut += replies;
        });
    };
    cut(0, +1);
    uncordon_all_but(number);
    const auto is_there = [&](const view::VmEntry& vm) { return vm.node() == host.name(); };
    int deleted = first([&](const view::VmEntry& vm) {  // with what is its own
        return is_there(vm) &&
               std::ranges::any_of(vm.record->value.spec.disks,
                                   [](const auto& disk) { return disk.volume.empty(); });
    });
    if (deleted < 0) deleted = first(is_there);
    if (!run_for_(seconds(15))) return false;
    operators_.vouch(number);
    if (deleted >= 0)
        operators_.carry_out({.kind = ActKind::kVmDelete,
                              .host = (number + 1) % plan_.hosts,
                              .subject = deleted,
                              .dice = 15});
    const bool good = comes_true("after people had vouched for it", [&] {
        const view::VmEntry* vm = deleted < 0 ? nullptr : operators_.vm_of(deleted);
        if (vm && vm->record && !vm->record->value.deleted_at.empty())
            return fmt::format("vm {} is not deleted yet", vm->key);
        return who_should_have_left(host.name());
    });
    cut(-1, -1);
    operators_.uncordon(number, 30);
    return good && all_is_well("after the drill of a host that was vouched for");
}

// Runs until `what_is_wrong` says nothing any more.
bool Drills::comes_true(std::string_view when, const std::function<std::string()>& what_is_wrong) {
    std::string wrong;
    // Most comes true at once, if it does.
    std::int64_t step_s = 1;
    for (std::int64_t waited_s = 0; waited_s < kDrillWithin.count / 1000; waited_s += step_s) {
        step_s = waited_s < 5 ? 1 : 5;
        if (!run_for_(seconds(step_s))) return false;
        wrong = what_is_wrong();
        if (wrong.empty()) return true;
    }
    checker_.broken(fmt::format("{} s {}: {}", kDrillWithin.count / 1000, when, wrong));
    return false;
}

std::string Drills::who_could_leave(const std::string& host) {
    const view::Snapshot& state = checker_.state();
    const view::NodeEntry* node = state.nodes.find(host);
    if (!node || !node->spec || !node->spec->value.draining)
        return fmt::format("host {} is not said to drain", host);
    std::string who;
    bool others_wait = false;  // then room may be kept free for them
    state.vms.for_each([&](const auto& vm) {
        others_wait = others_wait || (vm->record && vm->node().empty() &&
                                      vm->record->value.spec.run != model::Run::kStopped);
    });
    if (others_wait) return who;
    state.for_each_vm_on(host, [&](const view::VmEntry& vm) {
        if (who.empty() && vm.record && could_go_elsewhere(state, vm))
            who = fmt::format("vm {} is still on {}, and could go elsewhere", vm.key, host);
        return true;
    });
    return who;
}

std::string Drills::who_should_have_left(const std::string& host) {
    const view::Snapshot& state = checker_.state();
    std::string who;
    state.for_each_vm_on(host, [&](const view::VmEntry& vm) {
        const bool may_have_run = vm.status && vm.placement &&
                                  vm.status->value.uid == vm.placement->value.uid &&
                                  vm.status->value.epoch == vm.placement->value.epoch;
        const bool stays = !vm.record || is_pinned(state, vm) ||
                           (vm.record->value.spec.ha == model::Ha::kNone && may_have_run);
        if (who.empty() && !stays)
            who = fmt::format("vm {} has its place on {} still", vm.key, host);
        return true;
    });
    return who;
}

}  // namespace blixard::sim
