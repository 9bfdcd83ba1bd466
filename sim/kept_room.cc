#include "sim/kept_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "sim/rules.h"

namespace blixard::sim {
namespace {

constexpr Millis kAskedAgainBy = seconds(40);
constexpr Millis kToldLately = seconds(60);
constexpr std::size_t kReservedPart = 8;  // one host in eight, and always one

// "...kept free for vm default/vm-3, which has waited long": the VM, and the host that is meant.
struct Kept {
    std::string host, vm;
};
std::optional<Kept> kept_in(const std::string& decision) {
    constexpr std::string_view kReason = R"("reason":"reserved")", kHost = R"("closest_host":")",
                               kFor = "kept free for vm ";
    const auto text_behind = [&](std::size_t from, std::string_view word, char end) {
        const std::size_t at = decision.find(word, from);
        if (at == std::string::npos) return std::string{};
        const std::size_t begin = at + word.size();
        return decision.substr(begin, decision.find(end, begin) - begin);
    };
    const std::size_t at = decision.find(kReason);
    if (at == std::string::npos) return {};
    return Kept{text_behind(at, kHost, '"'), text_behind(at, kFor, ',')};
}

// "..., 2 x reserved": how many hosts.
std::size_t reserved_in(const std::string& reason) {
    const std::size_t at = reason.find(" x reserved");
    if (at == std::string::npos) return 0;
    const std::size_t begin = reason.find_last_of(" ", at - 1) + 1;
    std::size_t count = 0;
    std::from_chars(reason.data() + begin, reason.data() + at, count);
    return count;
}

// It lacks nothing there but what others have.
bool could_hold(const view::Snapshot& seen, const view::VmEntry& vm, const view::NodeEntry& host) {
    const Candidate candidate(seen, vm);
    std::set<std::string> all;
    seen.for_each_vm_on(host.key, [&](const view::VmEntry& other) {
        all.insert(other.key);
        return true;
    });
    return host.status && candidate.has_room_without(host, all) &&
           std::ranges::all_of(candidate.reasons_against(host), [](const std::string& reason) {
               return reason == "cpu" || reason == "memory" || reason == "disk";
           });
}

// Where it could be does not change with where others are.
bool minds_nobody(const view::VmEntry& vm) {
    return std::ranges::none_of(vm.record->value.spec.affinity,
                                [](const model::AffinityRule& rule) { return rule.hard; });
}

// All of them, where that changes with where others are.
std::set<std::string> where_it_could_be(const view::Snapshot& seen, const view::VmEntry& vm) {
    std::set<std::string> hosts;
    const bool anywhere = !minds_nobody(vm);
    seen.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        if (anywhere || could_hold(seen, vm, *node)) hosts.insert(node->key);
    });
    return hosts;
}

// Room may have been kept for it before.
bool was_told_to_leave(const view::VmEntry& vm) {
    const std::string reason = vm.placement ? vm.placement->value.reason : std::string{};
    return reason.starts_with("drain") || reason.starts_with("rebalance");
}

bool is_limited(const view::Snapshot& seen, const view::VmEntry& vm) {
    const view::ProjectEntry* project = seen.projects.find(vm.project());
    return project && project->record->value.quota != model::Quota{};
}

store::Revision spec_of(const view::NodeEntry& host) {
    return host.spec ? host.spec->mod_revision : 0;
}
store::Revision lease_of(const view::NodeEntry& host) {
    return host.lease ? host.lease->mod_revision : 0;
}

}  // namespace

bool waits(const view::VmEntry& vm) {
    return vm.record && vm.not_understood == 0 && vm.record->value.deleted_at.empty() &&
           vm.record->value.spec.run != model::Run::kStopped && vm.node().empty();
}

bool goes_before(const view::VmEntry& a, const view::VmEntry& b) {
    const auto turn = [](const view::VmEntry& vm) {
        return std::tuple(-vm.record->value.spec.priority, vm.record->create_revision);
    };
    return turn(a) < turn(b);
}

KeptRoom::KeptRoom(Millis reserve_after)
    : after_least_(reserve_after - reserve_after / 50),
      after_most_(reserve_after + reserve_after / 50 + kAskedAgainBy) {}

void KeptRoom::look_at_office(const std::vector<DecidedPlace>& together, const view::Snapshot& seen,
                              MonoTime now) {
    together_.clear();
    for (const DecidedPlace& each : together)
        if (!each.now.node.empty()) together_.insert(each.vm->key);
    std::string term = fmt::format("{} {}", seen.election.create_revision, seen.election.lease);
    if (term == term_) return;
    term_ = std::move(term);
    since_ = now;
    told_.clear();
    given_away_.clear();
}

std::optional<std::string> KeptRoom::wrong_with(
    const DecidedPlace& decided, const view::Snapshot& seen, MonoTime now,
    const std::map<std::string, MonoTime>& without_place) {
    if (decided.now.node.empty()) return wrong_with_reason(decided, seen, now, without_place);
    if (!decided.vm->node().empty()) return {};
    return wrong_with_place(decided, seen, now, without_place);
}

bool KeptRoom::may_be_kept(const view::NodeEntry& host, const view::VmEntry& vm,
                           const view::Snapshot& seen, MonoTime now,
                           const std::map<std::string, MonoTime>& without_place) const {
    return std::ranges::any_of(without_place, [&](const auto& waiting) {
        const view::VmEntry* other = seen.vms.find(waiting.first);
        return now - waiting.second >= after_least_ && other && other->key != vm.key &&
               waits(*other) && goes_before(*other, vm) &&
               where_it_could_be(seen, *other).contains(host.key);
    });
}

std::optional<std::string> KeptRoom::wrong_with_reason(
    const DecidedPlace& decided, const view::Snapshot& seen, MonoTime now,
    const std::map<std::string, MonoTime>& without_place) {
    const std::size_t hosts = reserved_in(decided.now.reason);
    const auto kept = kept_in(decided.now.decision);
    if (hosts == 0 || !kept) return {};
    const view::VmEntry& vm = *decided.vm;
    const auto wrong = [&](std::string what) {
        return fmt::format("vm {} is told that host {} is kept free for vm {}, {}", vm.key,
                           kept->host, kept->vm, what);
    };
    if (hosts > std::max<std::size_t>(1, seen.nodes.size() / kReservedPart))
        return wrong(fmt::format("as are {} of {} hosts", hosts, seen.nodes.size()));
    const view::VmEntry* holder = seen.vms.find(kept->vm);
    const view::NodeEntry* host = seen.nodes.find(kept->host);
    if (!holder || !waits(*holder) || !host) return wrong("which does not wait");
    if (!goes_before(*holder, vm)) return wrong("whose turn is later");
    // One that has a place by now still waits for who has not seen it: since when, nobody knows.
    const auto since = without_place.find(kept->vm);
    if (since != without_place.end() && now - since->second < after_least_)
        return wrong("which has not waited for long");
    if (!could_hold(seen, *holder, *host)) return wrong("which could not be there");
    told_[kept->host] = {kept->vm, holder->record->mod_revision, spec_of(*host), lease_of(*host),
                         now};
    return {};
}

std::optional<std::string> KeptRoom::wrong_with_place(
    const DecidedPlace& decided, const view::Snapshot& seen, MonoTime now,
    const std::map<std::string, MonoTime>& without_place) {
    const view::VmEntry& vm = *decided.vm;
    const view::NodeEntry* host = seen.nodes.find(decided.now.node);
    // With another in the same moment, that one's rules may have a part in it.
    if (!host || !vm.record || together_.size() != 1) return {};
    if (const auto told = told_.find(host->key); told != told_.end()) {
        const view::VmEntry* holder = seen.vms.find(told->second.vm);
        const bool as_told = holder && holder->key != vm.key && waits(*holder) &&
                             holder->record->mod_revision == told->second.spec &&
                             spec_of(*host) == told->second.host_spec &&
                             lease_of(*host) == told->second.host_lease &&
                             now - told->second.at < kToldLately && minds_nobody(*holder);
        if (as_told && goes_before(*holder, vm) && could_hold(seen, *holder, *host))
            return fmt::format("vm {} is placed on {}, which is kept free for vm {}", vm.key,
                               host->key, holder->key);
        told_.erase(told);
    }
    return wrong_with_giving(vm, *host, seen, now, without_place);
}

// If some have waited for long, a host is kept for one of them: those who come later cannot have
// been given all that it could be.
std::optional<std::string> KeptRoom::wrong_with_giving(
    const view::VmEntry& vm, const view::NodeEntry& host, const view::Snapshot& seen, MonoTime now,
    const std::map<std::string, MonoTime>& without_place) {
    const view::VmEntry* sure = nullptr;  // it has asked for one, and could be somewhere
    bool comes_last = !was_told_to_leave(vm);
    std::set<std::string> could;
    std::string by;
    for (const auto& [name, since] : without_place) {
        const view::VmEntry* other = seen.vms.find(name);
        if (now - since < after_least_ || !other || !waits(*other)) continue;
        const std::set<std::string> hosts = where_it_could_be(seen, *other);
        if (hosts.empty()) continue;
        comes_last = comes_last && other->key != vm.key && goes_before(*other, vm);
        Wish& wish = wishes_[name];
        if (std::exchange(wish.spec, other->record->mod_revision) != other->record->mod_revision)
            wish.since = now;
        const bool asks = std::min(now - wish.since, now - since_) > after_most_ &&
                          !is_limited(seen, *other) && minds_nobody(*other);
        if (asks) sure = other;
        could.insert(hosts.begin(), hosts.end());
        by += fmt::format("{} {} ", other->key, other->record->mod_revision);
    }
    if (!sure || !comes_last) return {};
    // Another host may be kept when one comes or goes.
    for (const std::string& name : could)
        if (const view::NodeEntry* node = seen.nodes.find(name))
            by += fmt::format(" {} {} {}", name, spec_of(*node), lease_of(*node));
    if (std::exchange(given_by_, by) != by) given_away_.clear();
    given_away_.insert(host.key);
    if (!std::ranges::includes(given_away_, could)) return {};
    return fmt::format(
        "vm {} is placed on {}: no host is kept free for vm {}, which has waited {} s", vm.key,
        host.key, sure->key, (now - without_place.at(sure->key)).count / 1000);
}

}  // namespace blixard::sim
