#include "sim/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/election.h"
#include "model/documents.h"
#include "model/keys.h"
#include "view/view.h"

namespace blixard::sim {
namespace {

using model::RecordKind;

// The rule of the event stream, written down once more.
bool is_event(const store::Change& change) {
    switch (model::parse_key(change.item.key).kind) {
        case RecordKind::kVmPlacement:
        case RecordKind::kVmStatus:
        case RecordKind::kVolumeStatus:
        case RecordKind::kNodeStatus: return !change.deleted;
        case RecordKind::kElection:
        case RecordKind::kOther: return false;
        default: return true;
    }
}

const store::Compare* compare_of(const store::Transaction& transaction, std::string_view key) {
    const auto found = std::ranges::find(transaction.compares, key, &store::Compare::key);
    return found == transaction.compares.end() ? nullptr : &*found;
}

bool carries(const model::VmSpec& spec, const std::map<std::string, std::string>& labels) {
    return std::ranges::all_of(labels, [&](const auto& label) {
        const auto found = spec.labels.find(label.first);
        return found != spec.labels.end() && found->second == label.second;
    });
}

}  // namespace

void Checker::broken(std::string what) {
    if (failure_) return;
    trace_.add("", "BROKEN: " + what);
    failure_ = std::move(what);
}

// ---- the store

void Checker::on_revision() {
    const store::Revision now = backend_.history().revision();
    if (now == seen_) return;
    const auto changes = backend_.history().changes("", seen_ + 1, now);
    if (!changes) return broken("the checks lost sight of the store: " + describe(changes.error()));
    std::vector<store::Change> batch;
    for (const store::Change& change : *changes) {
        if (!batch.empty() && batch.front().item.mod_revision != change.item.mod_revision) {
            apply(batch.front().item.mod_revision, batch);
            batch.clear();
        }
        batch.push_back(change);
    }
    if (!batch.empty()) apply(batch.front().item.mod_revision, batch);
    seen_ = now;
}

void Checker::apply(store::Revision revision, const std::vector<store::Change>& changes) {
    std::map<std::string, std::shared_ptr<const view::VmEntry>> before;
    std::set<std::string> projects;
    std::vector<std::string> failovers;
    int events = 0;
    for (const store::Change& change : changes) {
        const model::ParsedKey key = model::parse_key(change.item.key);
        trace_.mix(change.item.key);
        trace_.mix(change.item.value);
        if (trace_.keeps() && !change.item.key.ends_with("/lease"))
            trace_.add("", fmt::format("r{} {} {}", revision, change.deleted ? "deleted" : "put", change.item.key));
        events += is_event(change);
        const bool of_vm = key.kind == RecordKind::kVmSpec || key.kind == RecordKind::kVmPlacement || key.kind == RecordKind::kVmStatus;
        if (of_vm) {
            const std::string vm = fmt::format("{}/{}", key.project, key.name);
            if (!before.contains(vm)) {
                const view::VmEntry* entry = state_.vms.find(vm);
                before[vm] = entry ? std::make_shared<view::VmEntry>(*entry) : nullptr;
            }
            if (key.kind == RecordKind::kVmSpec && !change.deleted) projects.insert(std::string(key.project));
        }
        if (key.kind == RecordKind::kFailover && !change.deleted) failovers.emplace_back(key.name);
        view::apply_change(state_, change.item, change.deleted, log_);
    }
    state_.revision = revision;
    if (ledger_ && events > 0) ledger_->owed.emplace_back(revision, events);
    for (const auto& [vm, entry] : before) check_vm(vm, entry.get(), state_.vms.find(vm));
    for (const std::string& project : projects) check_quota(project);
    for (const std::string& id : failovers)
        if (const view::FailoverEntry* failover = state_.failovers.find(id)) check_failover(*failover);
}

void Checker::check_vm(const std::string& vm, const view::VmEntry* before, const view::VmEntry* after) {
    counted();
    const bool had = before && before->record;
    const bool has = after && after->record;
    if (has && !had) {
        uids_.insert(after->record->value.uid);
        deletions_asked_.erase(vm);
    }
    if (had && !has && !deletions_asked_.contains(vm)) broken(fmt::format("vm {} is gone, and nobody had asked for it", vm));
    if (!had || !has || before->record->value.uid != after->record->value.uid) return;
    if (!model::phase_may_follow(before->phase, after->phase))
        broken(fmt::format("vm {} went from {} to {}, which is no legal step", vm, model::phase_name(before->phase),
                           model::phase_name(after->phase)));
    const bool written = after->placement && (!before->placement || before->placement->mod_revision != after->placement->mod_revision);
    if (written) check_placement(before, *after);
}

void Checker::check_placement(const view::VmEntry* before, const view::VmEntry& after) {
    counted();
    const model::Placement& now = after.placement->value;
    const std::string was = before->placement ? before->placement->value.node : "";
    std::int64_t& highest = epochs_[now.uid];
    if (now.epoch < highest) broken(fmt::format("vm {}: epoch fell from {} to {}", after.key, highest, now.epoch));
    if (!now.node.empty() && now.node != was) {
        if (now.epoch <= highest) broken(fmt::format("vm {} was placed on {} with epoch {}, which was used before", after.key, now.node, now.epoch));
        if (!was.empty()) {
            bool proven = false;
            state_.failovers.for_each([&](const auto& failover) {
                proven = proven || (failover->record->value.uid == now.uid && failover->record->value.new_epoch == now.epoch);
            });
            if (!proven) broken(fmt::format("vm {} was moved from {} to {} without the record of a failover", after.key, was, now.node));
        }
        if (processes_.contains(now.uid) && !processes_.at(now.uid).empty())
            broken(fmt::format("vm {} was placed on {} while it ran on {}", after.key, now.node, processes_.at(now.uid).begin()->first));
        check_room(after);
        check_rules(after);
    }
    highest = std::max(highest, now.epoch);
}

void Checker::check_room(const view::VmEntry& vm) {
    const view::NodeEntry* node = state_.nodes.find(vm.node());
    if (!node || !node->status) return broken(fmt::format("vm {} was placed on host {}, which is unknown", vm.key, vm.node()));
    std::int64_t cpus = 0, memory_mib = 0;
    state_.for_each_vm_on(vm.node(), [&](const view::VmEntry& each) {
        if (!each.record) return;
        cpus += each.record->value.spec.cpus;
        memory_mib += each.record->value.spec.memory_mib;
    });
    if (cpus > node->status->value.cpus || memory_mib > node->status->value.memory_mib)
        broken(fmt::format("host {} has {} CPUs and {} MiB; with vm {} its VMs want {} and {}", vm.node(), node->status->value.cpus,
                           node->status->value.memory_mib, vm.key, cpus, memory_mib));
    if (!node->lease) broken(fmt::format("vm {} was placed on host {}, which had no lease", vm.key, vm.node()));
    if (node->spec && !node->spec->value.schedulable) broken(fmt::format("vm {} was placed on host {}, which was cordoned", vm.key, vm.node()));
}

void Checker::check_rules(const view::VmEntry& vm) {
    for (const model::AffinityRule& rule : vm.record->value.spec.affinity) {
        if (!rule.anti || !rule.hard) continue;
        std::int64_t group = 0;
        state_.for_each_vm_on(vm.node(), [&](const view::VmEntry& each) {
            group += each.record && each.project() == vm.project() && carries(each.record->value.spec, rule.labels);
        });
        if (group > rule.max_per_node)
            broken(fmt::format("vm {}: {} of its group on host {}, its rule allows {}", vm.key, group, vm.node(), rule.max_per_node));
    }
}

void Checker::check_quota(const std::string& project) {
    counted();
    const view::ProjectEntry* entry = state_.projects.find(project);
    if (!entry) return;
    const model::Quota& quota = entry->record->value.quota;
    std::int64_t vms = 0, cpus = 0, memory_mib = 0;
    state_.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (!vm->record || vm->project() != project) return;
        ++vms;
        cpus += vm->record->value.spec.cpus;
        memory_mib += vm->record->value.spec.memory_mib;
    });
    const auto over = [](std::int64_t used, std::int64_t most) { return most > 0 && used > most; };
    if (over(vms, quota.vms) || over(cpus, quota.cpus) || over(memory_mib, quota.memory_mib))
        broken(fmt::format("project {} uses {} VMs, {} CPUs, {} MiB: more than its quota", project, vms, cpus, memory_mib));
}

void Checker::check_failover(const view::FailoverEntry& failover) {
    counted();
    const model::Failover& proof = failover.record->value;
    const std::string vm = proof.project + "/" + proof.vm;
    const view::NodeEntry* from = state_.nodes.find(proof.from_node);
    if (from && from->lease) broken(fmt::format("failover of {}: host {} has its lease key", vm, proof.from_node));
    if (proof.lease != 0 && backend_.lease_deadline(proof.lease))
        broken(fmt::format("failover of {}: lease {} of host {} has not ended", vm, proof.lease, proof.from_node));
    const auto runs = processes_.find(proof.uid);
    if (runs != processes_.end() && !runs->second.empty())
        broken(fmt::format("failover of {} from {}: it still runs on {}", vm, proof.from_node, runs->second.begin()->first));
    if (proof.new_epoch < proof.old_epoch) broken(fmt::format("failover of {}: epoch {} after {}", vm, proof.new_epoch, proof.old_epoch));
}

// ---- what is sent: who may write what

void Checker::on_send(const std::string& host, const store::Transaction& transaction) {
    for (const store::Put& put : transaction.puts) {
        const model::ParsedKey key = model::parse_key(put.key);
        if (key.kind == RecordKind::kVmPlacement || key.kind == RecordKind::kFailover) {
            counted();
            const store::Compare* proof = compare_of(transaction, model::kElectionKey);
            if (!proof || proof->mod_revision == 0) {
                broken(fmt::format("host {} writes {} without the proof of an election", host, put.key));
            } else if (proof->mod_revision == state_.election.mod_revision && controller::elected_node(state_.election.value) != host) {
                broken(fmt::format("host {} writes {} with the proof of another host's election", host, put.key));
            }
        }
        if (key.kind == RecordKind::kVmStatus) {
            counted();
            const store::Compare* lease = compare_of(transaction, model::node_key(host, "lease"));
            const store::Compare* placement = compare_of(transaction, model::vm_key(key.project, key.name, "placement"));
            if (!lease || lease->mod_revision == 0) broken(fmt::format("host {} writes {} without its lease", host, put.key));
            if (!placement || placement->mod_revision == 0) broken(fmt::format("host {} writes {} without its placement", host, put.key));
        }
    }
}

// ---- the processes

void Checker::on_process_start(const std::string& host, const Machine& machine) {
    counted();
    const hypervisor::InstanceId& id = machine.instance.id;
    trace_.add(host, "process starts", {{"vm", id.vm}, {"epoch", id.epoch}});
    auto& here = processes_[id.uid];
    if (!here.empty())
        broken(fmt::format("vm {} runs twice: on {} (epoch {}) and on {} (epoch {})", id.vm, here.begin()->first, here.begin()->second, host,
                           id.epoch));
    here[host] = id.epoch;
}

void Checker::on_process_end(const std::string& host, const Machine& machine, std::string_view why) {
    trace_.add(host, "process ends", {{"vm", machine.instance.id.vm}, {"epoch", machine.instance.id.epoch}, {"why", why}});
    const auto found = processes_.find(machine.instance.id.uid);
    if (found == processes_.end()) return;
    found->second.erase(host);
    if (found->second.empty()) processes_.erase(found);
}

// ---- what people were told

void Checker::create_acknowledged(const std::string& vm, const std::string& uid) {
    counted();
    if (!uids_.contains(uid)) broken(fmt::format("vm {} was acknowledged, and no record of it was ever written", vm));
}

void Checker::label_acknowledged(const std::string& vm, const std::string& uid, const std::string& label) {
    labels_[vm + " " + uid].insert(label);
    check_acknowledged();
}

void Checker::check_acknowledged() {
    counted();
    for (const auto& [key, labels] : labels_) {
        const std::size_t space = key.find(' ');
        const view::VmEntry* entry = state_.vms.find(key.substr(0, space));
        if (!entry || !entry->record || entry->record->value.uid != key.substr(space + 1)) continue;
        for (const std::string& label : labels)
            if (!entry->record->value.spec.labels.contains(label))
                broken(fmt::format("vm {}: label {} was acknowledged, and is lost", key.substr(0, space), label));
    }
}

void Checker::on_event(store::Revision revision) {
    counted();
    if (!ledger_) return;
    auto& owed = ledger_->owed;
    if (owed.empty() || owed.front().first > revision)
        return broken(fmt::format("an event of revision {} came twice, or is of nothing", revision));
    if (owed.front().first < revision)
        return broken(fmt::format("the events of revision {} never came; revision {} did", owed.front().first, revision));
    if (--owed.front().second == 0) owed.pop_front();
}

}  // namespace blixard::sim
