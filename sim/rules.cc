#include "sim/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <functional>
#include <map>
#include <sstream>
#include <vector>

#include "model/keys.h"

namespace blixard::sim {
namespace {

using Visit = std::function<void(const view::VmEntry&)>;

struct Amount {
    std::int64_t cpu_milli = 0, memory_mib = 0, disk_mib = 0;

    void operator+=(const Amount& more) {
        cpu_milli += more.cpu_milli;
        memory_mib += more.memory_mib;
        disk_mib += more.disk_mib;
    }
};

// Tenths of the physical amount, and percent held back (docs: the scheduler's profiles).
struct Profile {
    std::int64_t cpu, memory, disk, reserve_percent;
};

Profile profile_of(model::Overcommit overcommit) {
    switch (overcommit) {
        case model::Overcommit::kShared: return {320, 10, 40, 0};
        case model::Overcommit::kNone: return {10, 10, 10, 0};
        case model::Overcommit::kConservative: return {10, 10, 10, 10};
        case model::Overcommit::kModerate: return {20, 12, 11, 15};
        case model::Overcommit::kAggressive: return {40, 15, 13, 5};
    }
    return {10, 10, 10, 0};
}

Amount capacity_of(const view::NodeEntry& host) {
    const Profile profile =
        profile_of(host.spec ? host.spec->value.overcommit : model::Overcommit::kShared);
    const auto scaled = [&](std::int64_t physical, std::int64_t tenths) {
        return physical * tenths * (100 - profile.reserve_percent) / 1000;
    };
    const model::NodeStatus& facts = host.status->value;
    return {scaled(facts.cpus * 1000, profile.cpu), scaled(facts.memory_mib, profile.memory),
            scaled(facts.disk_mib, profile.disk)};
}

const view::VolumeEntry* volume_of(const view::Snapshot& state, const view::VmEntry& vm,
                                   const model::Disk& disk) {
    const view::VolumeEntry* volume =
        state.volumes.find(fmt::format("{}/{}", vm.project(), model::volume_name(vm.name(), disk)));
    return volume && volume->record ? volume : nullptr;
}

Amount use_of(const view::Snapshot& state, const view::VmEntry& vm) {
    const model::VmSpec& spec = vm.record->value.spec;
    Amount use{spec.cpus * 1000, spec.memory_mib, 0};
    for (const model::Disk& disk : spec.disks) {
        const view::VolumeEntry* volume = volume_of(state, vm, disk);
        if (volume ? volume->record->value.pool.empty() : disk.pool.empty())
            use.disk_mib += volume ? volume->record->value.size_mib : disk.size_mib;
    }
    return use;
}

// The VMs on a host, but for `vm`.
void each_other_on(const view::Snapshot& state, std::string_view host, const view::VmEntry& vm,
                   const Visit& visit) {
    state.for_each_vm_on(host, [&](const view::VmEntry& each) {
        if (each.record && each.key != vm.key) visit(each);
        return true;
    });
}

bool speaks_of(const model::AffinityRule& rule, std::string_view project, const view::VmEntry& vm) {
    if (vm.project() != project) return false;
    if (!rule.vm.empty()) return vm.name() == rule.vm;
    return std::ranges::all_of(rule.labels, [&](const auto& label) {
        const auto& labels = vm.record->value.spec.labels;
        const auto found = labels.find(label.first);
        return found != labels.end() && found->second == label.second;
    });
}

// Who must be with it makes no way for it.
bool must_be_with(const view::VmEntry& vm, const view::VmEntry& other) {
    return std::ranges::any_of(
        vm.record->value.spec.affinity, [&](const model::AffinityRule& rule) {
            return rule.hard && !rule.anti && speaks_of(rule, vm.project(), other);
        });
}

Amount use_with(const view::Snapshot& state, const view::VmEntry& vm, const view::NodeEntry& host,
                bool without_lower) {
    Amount used = use_of(state, vm);
    each_other_on(state, host.key, vm, [&](const view::VmEntry& each) {
        const model::VmSpec& spec = each.record->value.spec;
        if (without_lower && spec.preemptible && spec.priority < vm.record->value.spec.priority &&
            !must_be_with(vm, each))
            return;
        used += use_of(state, each);
    });
    return used;
}

std::string no_room(const view::Snapshot& state, const view::VmEntry& vm,
                    const view::NodeEntry& host, bool without_lower) {
    const Amount has = capacity_of(host);
    const Amount used = use_with(state, vm, host, without_lower);
    if (used.cpu_milli <= has.cpu_milli && used.memory_mib <= has.memory_mib &&
        used.disk_mib <= has.disk_mib)
        return {};
    return fmt::format(
        "host {} gives {} thousandths of CPUs, {} MiB, {} MiB of disk; with vm {} its VMs want {}, "
        "{}, {}",
        host.key, has.cpu_milli, has.memory_mib, has.disk_mib, vm.key, used.cpu_milli,
        used.memory_mib, used.disk_mib);
}

std::string domain_of(const view::NodeEntry& host, const std::string& domain) {
    if (domain.empty() || domain == "node") return host.key;
    if (!host.spec) return {};
    if (domain == "zone" && !host.spec->value.zone.empty()) return host.spec->value.zone;
    const auto label = host.spec->value.labels.find(domain);
    return label == host.spec->value.labels.end() ? std::string{} : label->second;
}

// What refuses the host, by the word that a decision has for it, and said.
struct Broken {
    std::string reason, text;
};

// How many lie in each domain, and in all.
struct Group {
    std::map<std::string, std::int64_t> in;
    std::int64_t anywhere = 0;

    std::int64_t here(const std::string& domain) const {
        const auto found = in.find(domain);
        return found == in.end() ? 0 : found->second;
    }
};

// The state that its place was decided from.
store::Revision decided_from(const view::VmEntry& vm) {
    constexpr std::string_view kRevision = R"("revision":)";
    const std::string& decision = vm.placement->value.decision;
    const std::size_t at = decision.rfind(kRevision);
    store::Revision revision = 0;
    if (at != std::string::npos)
        std::from_chars(decision.data() + at + kRevision.size(), decision.data() + decision.size(),
                        revision);
    return revision;
}

}  // namespace

// Whom a VM must be with or keep away from, counted once for all hosts. Rules speak of VMs of their
// own project only.
class Candidate::Neighbours {
 public:
    Neighbours(const view::Snapshot& state, const view::VmEntry& vm, bool new_there)
        : state_(state), vm_(vm), decided_(new_there ? decided_from(vm) : 0) {
        for (const model::AffinityRule& rule : vm.record->value.spec.affinity)
            if (rule.hard) own_.push_back({&rule, group_of(rule)});
        each_other([&](const view::VmEntry& owner, const view::NodeEntry& node) {
            for (const model::AffinityRule& rule : owner.record->value.spec.affinity)
                if (rule.anti && rule.hard && speaks_of(rule, vm.project(), vm))
                    keep_away_from(owner, node, rule);
        });
    }

    std::vector<Broken> broken_on(const view::NodeEntry& host) const {
        std::vector<Broken> broken;
        for (const auto& [rule, group] : own_) look_at_own(*rule, group, host, broken);
        for (const Theirs& one : theirs_)
            if (one.domain == domain_of(host, *one.key))
                broken.push_back(
                    {"anti-affinity", fmt::format("vm {} breaks the rule of vm {} on host {}",
                                                  vm_.key, one.owner->key, host.key)});
        return broken;
    }

 private:
    // A rule of one that lies in `domain` already, and would be broken.
    struct Theirs {
        const view::VmEntry* owner;
        const std::string* key;
        std::string domain;
    };

    template <class Look>
    void each_other(const Look& look) const {
        state_.vms.scan_prefix(
            fmt::format("{}/", vm_.project()),
            [&](const std::shared_ptr<const view::VmEntry>& each) {
                if (!each->record || each->key == vm_.key || each->node().empty()) return true;
                const view::NodeEntry* node = state_.nodes.find(each->node());
                if (node && node->status) look(*each, *node);
                return true;
            });
    }

    // It has come since this one was decided, which was the first then.
    bool came_later(const view::VmEntry& each) const {
        return decided_ > 0 && each.placement->mod_revision > decided_;
    }

    Group group_of(const model::AffinityRule& rule) const {
        Group group;
        each_other([&](const view::VmEntry& each, const view::NodeEntry& node) {
            if (!speaks_of(rule, vm_.project(), each)) return;
            if (!came_later(each)) ++group.anywhere;
            const std::string domain = domain_of(node, rule.domain);
            if (!domain.empty()) ++group.in[domain];
        });
        return group;
    }

    // Many have the same rule: whom it speaks of is counted once.
    const Group& group_of_theirs(const model::AffinityRule& rule) {
        for (const auto& [known, group] : known_)
            if (known->vm == rule.vm && known->labels == rule.labels &&
                known->domain == rule.domain)
                return group;
        return known_.emplace_back(&rule, group_of(rule)).second;
    }

    void keep_away_from(const view::VmEntry& owner, const view::NodeEntry& node,
                        const model::AffinityRule& rule) {
        const std::string domain = domain_of(node, rule.domain);
        if (domain.empty()) return;
        const std::int64_t itself = speaks_of(rule, owner.project(), owner) ? 1 : 0;
        const std::int64_t others = group_of_theirs(rule).here(domain) + 1 - itself;
        if (others + 1 > rule.max_per_node) theirs_.push_back({&owner, &rule.domain, domain});
    }

    void look_at_own(const model::AffinityRule& rule, const Group& group,
                     const view::NodeEntry& host, std::vector<Broken>& broken) const {
        const std::string domain = domain_of(host, rule.domain);
        const std::int64_t here = group.here(domain);
        if (rule.anti && !domain.empty() && here + 1 > rule.max_per_node)
            broken.push_back(
                {"anti-affinity",
                 fmt::format("vm {}: {} of its group are with it on host {}, its rule allows {}",
                             vm_.key, here, host.key, rule.max_per_node - 1)});
        const bool first = group.anywhere == 0 && speaks_of(rule, vm_.project(), vm_);
        if (!rule.anti && here == 0 && !first)
            broken.push_back(
                {"affinity", fmt::format("vm {}: nobody that it must be with is on host {}",
                                         vm_.key, host.key)});
    }

    const view::Snapshot& state_;
    const view::VmEntry& vm_;
    const store::Revision decided_;  // the state that its place was decided from; 0: that is past
    std::vector<std::pair<const model::AffinityRule*, Group>> own_;
    std::deque<std::pair<const model::AffinityRule*, Group>> known_;
    std::vector<Theirs> theirs_;
};

namespace {

std::vector<Broken> broken_constraints(const view::Snapshot& state, const view::VmEntry& vm,
                                       const view::NodeEntry& host) {
    const model::VmSpec& spec = vm.record->value.spec;
    const model::Constraints& wants = spec.constraints;
    const model::NodeSpec none;
    const model::NodeSpec& is = host.spec ? host.spec->value : none;
    const model::NodeStatus& facts = host.status->value;
    std::vector<Broken> broken;
    const auto add = [&](std::string reason, std::string text) {
        broken.push_back({std::move(reason), std::move(text)});
    };
    const auto among = [](const auto& list, const std::string& one) {
        return std::ranges::find(list, one) != list.end();
    };
    if (!wants.node.empty() && wants.node != host.key)
        add("node", fmt::format("vm {} asks for host {}", vm.key, wants.node));
    for (const std::string& feature : wants.features)
        if (!among(facts.features, feature))
            add("feature",
                fmt::format("host {} lacks {}, which vm {} needs", host.key, feature, vm.key));
    for (const auto& [key, value] : wants.node_labels) {
        const auto label = is.labels.find(key);
        if (label == is.labels.end() || label->second != value)
            add("label",
                fmt::format("host {} is not {}={}, as vm {} needs", host.key, key, value, vm.key));
    }
    if (among(wants.zones_excluded, is.zone))
        add("zone", fmt::format("vm {} excludes zone {}", vm.key, is.zone));
    const bool strict =
        spec.strategy == "locality" && wants.zones_strict && !wants.zones_preferred.empty();
    if (strict && !among(wants.zones_preferred, is.zone))
        add("zone", fmt::format("vm {} wants another zone than {}", vm.key, is.zone));
    for (const model::Disk& disk : spec.disks) {
        const view::VolumeEntry* volume = volume_of(state, vm, disk);
        const std::string& pool = volume ? volume->record->value.pool : disk.pool;
        if (!pool.empty() && !among(facts.pools, pool))
            add("feature", fmt::format("host {} lacks pool {} of vm {}", host.key, pool, vm.key));
        const bool elsewhere = volume && pool.empty() && volume->status &&
                               volume->status->value.uid == volume->record->value.uid &&
                               !volume->status->value.node.empty() &&
                               volume->status->value.node != host.key;
        if (elsewhere)
            add("volume", fmt::format("volume {} of vm {} is on host {}, not on {}", volume->key,
                                      vm.key, volume->status->value.node, host.key));
    }
    return broken;
}

}  // namespace

Candidate::Candidate(const view::Snapshot& state, const view::VmEntry& vm, bool new_there)
    : state_(state),
      vm_(vm),
      neighbours_(std::make_unique<const Neighbours>(state, vm, new_there)) {}
Candidate::~Candidate() = default;

std::string Candidate::what_forbids(const view::NodeEntry& host) const {
    if (!host.status) return fmt::format("host {} is unknown", host.key);
    if (!host.lease) return fmt::format("host {} has no lease", host.key);
    if (host.spec && (!host.spec->value.schedulable || host.spec->value.draining))
        return fmt::format("host {} is cordoned", host.key);
    return what_breaks(host, false);
}

std::string Candidate::what_breaks_after_preemption(const view::NodeEntry& host) const {
    const bool takes = host.status && host.lease &&
                       (!host.spec || (host.spec->value.schedulable && !host.spec->value.draining));
    return takes ? what_breaks(host, true) : "the host takes no VMs";
}

std::string Candidate::what_breaks(const view::NodeEntry& host, bool without_lower) const {
    const std::vector<Broken> constraints = broken_constraints(state_, vm_, host);
    if (!constraints.empty()) return constraints.front().text;
    if (std::string room = no_room(state_, vm_, host, without_lower); !room.empty()) return room;
    const std::vector<Broken> affinities = neighbours_->broken_on(host);
    return affinities.empty() ? std::string{} : affinities.front().text;
}

bool Candidate::has_room_without(const view::NodeEntry& host,
                                 const std::set<std::string>& gone) const {
    if (!host.status) return false;
    const Amount has = capacity_of(host);
    Amount used = use_of(state_, vm_);
    each_other_on(state_, host.key, vm_, [&](const view::VmEntry& each) {
        if (!gone.contains(each.key)) used += use_of(state_, each);
    });
    return used.cpu_milli <= has.cpu_milli && used.memory_mib <= has.memory_mib &&
           used.disk_mib <= has.disk_mib;
}

bool Candidate::must_be_near(const view::VmEntry& other) const { return must_be_with(vm_, other); }

std::set<std::string> Candidate::reasons_against(const view::NodeEntry& host) const {
    if (!host.status || !host.lease) return {"lost"};
    std::set<std::string> reasons;
    if (host.spec && host.spec->value.draining)
        reasons.insert("draining");
    else if (host.spec && !host.spec->value.schedulable)
        reasons.insert("cordoned");
    for (const Broken& one : broken_constraints(state_, vm_, host)) reasons.insert(one.reason);
    for (const Broken& one : neighbours_->broken_on(host)) reasons.insert(one.reason);
    const Amount has = capacity_of(host), used = use_with(state_, vm_, host, false);
    if (used.cpu_milli > has.cpu_milli) reasons.insert("cpu");
    if (used.memory_mib > has.memory_mib) reasons.insert("memory");
    if (used.disk_mib > has.disk_mib) reasons.insert("disk");
    return reasons;
}

std::string miscounted(const std::string& reason) {
    std::istringstream words(reason.substr(0, reason.find(';')));
    std::string fits, on, none, of, word, why;
    std::size_t said = 0, refused = 0;
    words >> fits >> on >> none >> of >> said >> word;
    if (words.fail() || fits != "fits" || none != "none") return {};  // of something else
    for (std::size_t count = 0; words >> count >> word >> why;) refused += count;
    if (refused == said) return {};
    return fmt::format("gives reasons for {} of {} hosts", refused, said);
}

std::string what_is_untrue(const view::Snapshot& state, const Candidate& vm,
                           const std::string& reason) {
    constexpr std::string_view kBegin = "fits on none of ";
    if (!reason.starts_with(kBegin)) return fmt::format("says nothing about hosts");
    std::size_t hosts = 0;
    std::map<std::string, std::size_t> against;
    const view::ProjectEntry* project = state.projects.find(vm.project());
    const bool has_quota =
        project &&
        project->record->value.quota != model::Quota{};  // what it lets in, check_quota() looks at
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& host) {
        if (!host->status) return;
        ++hosts;
        for (const std::string& one : vm.reasons_against(*host)) ++against[one];
        against["quota"] += has_quota;
    });
    std::istringstream words(reason.substr(kBegin.size(), reason.find(';') - kBegin.size()));
    std::size_t said = 0;
    std::string word, why;
    words >> said >> word;
    if (said != hosts) return fmt::format("speaks of {} hosts, there are {}", said, hosts);
    for (std::size_t count = 0; words >> count >> word >> why;) {
        if (why.ends_with(',')) why.pop_back();
        if (count > against[why])
            return fmt::format("says {} of {} hosts, it is true of {}", why, count, against[why]);
    }
    return miscounted(reason);
}

namespace {

// Calls with the host that has the file of one of its local volumes; ends when that says so.
bool any_file(const view::Snapshot& state, const view::VmEntry& vm,
              const std::function<bool(const std::string&)>& is_so) {
    return std::ranges::any_of(vm.record->value.spec.disks, [&](const model::Disk& disk) {
        const view::VolumeEntry* volume = volume_of(state, vm, disk);
        return volume && volume->record->value.pool.empty() && volume->status &&
               volume->status->value.uid == volume->record->value.uid &&
               is_so(volume->status->value.node);
    });
}

}  // namespace

bool is_pinned(const view::Snapshot& state, const view::VmEntry& vm) {
    return any_file(state, vm, [&](const std::string& host) { return host == vm.node(); });
}

bool has_a_file_elsewhere(const view::Snapshot& state, const view::VmEntry& vm) {
    return any_file(state, vm, [&](const std::string& host) {
        return host != vm.node() && state.nodes.find(host);
    });
}

std::string who_needs_it_near(const view::Snapshot& state, const view::VmEntry& vm) {
    std::string who;
    state.vms.scan_prefix(fmt::format("{}/", vm.project()), [&](const auto& other) {
        const bool lies_there = other->record && other->key != vm.key && !other->node().empty();
        if (lies_there && who.empty() && must_be_with(*other, vm)) who = other->key;
        return true;
    });
    return who;
}

std::int64_t memory_free_mib(const view::Snapshot& state, const view::NodeEntry& host) {
    if (!host.status) return 0;
    std::int64_t free_mib = capacity_of(host).memory_mib;
    state.for_each_vm_on(host.key, [&](const view::VmEntry& vm) {
        if (vm.record) free_mib -= use_of(state, vm).memory_mib;
        return true;
    });
    return free_mib;
}

bool could_go_elsewhere(const view::Snapshot& state, const view::VmEntry& vm) {
    bool could = false;
    const Candidate candidate(state, vm);
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& host) {
        could = could || (host->key != vm.node() && candidate.what_forbids(*host).empty());
    });
    return could;
}

}  // namespace blixard::sim
