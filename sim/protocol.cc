#include "sim/protocol.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/election.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::sim {
namespace {

using model::RecordKind;

class Look {
 public:
    Look(const std::string& host, const store::Transaction& transaction,
         const view::Snapshot& state)
        : host_(host), transaction_(transaction), state_(state) {}

    std::optional<std::string> run() {
        for (const store::Put& put : transaction_.puts) look_at(put.key, &put);
        for (const std::string& key : transaction_.deletes) look_at(key, nullptr);
        return wrong_;
    }

 private:
    void say(std::string what) {
        if (!wrong_) wrong_ = fmt::format("host {} {}", host_, what);
    }
    const store::Compare* compare_of(std::string_view key) const {
        const auto found = std::ranges::find(transaction_.compares, key, &store::Compare::key);
        return found == transaction_.compares.end() ? nullptr : &*found;
    }
    // The key is compared, and with a revision (`present`), with 0 (`absent`), or with either.
    enum class As { kAny, kPresent, kAbsent };
    void needs(std::string_view written, const std::string& key, As as = As::kAny) {
        const store::Compare* compare = compare_of(key);
        const bool good =
            compare && (as == As::kAny || (as == As::kPresent) == (compare->mod_revision != 0));
        if (good) return;
        const char* how = as == As::kAbsent    ? " to be absent"
                          : as == As::kPresent ? " to be there"
                                               : "";
        say(fmt::format("writes {} without comparing {}{}", written, key, how));
    }
    bool deletes(const std::string& key) const {
        return std::ranges::find(transaction_.deletes, key) != transaction_.deletes.end();
    }
    const store::Put* put_of(std::string_view key) const {
        const auto found = std::ranges::find(transaction_.puts, key, &store::Put::key);
        return found == transaction_.puts.end() ? nullptr : &*found;
    }

    void look_at(const std::string& key, const store::Put* put) {
        const model::ParsedKey parsed = model::parse_key(key);
        switch (parsed.kind) {
            case RecordKind::kVmSpec: return look_at_spec(key, parsed, put);
            case RecordKind::kVmPlacement:
                return put ? look_at_placement(key, parsed, *put)
                           : look_at_vm_deletion(key, parsed);
            case RecordKind::kVmStatus:
                return put ? look_at_status(key, parsed, *put) : look_at_vm_deletion(key, parsed);
            case RecordKind::kNodeLease: return look_at_lease(key, parsed, put);
            case RecordKind::kNodeStatus:
                if (!put) return needs(key, model::node_key(parsed.name, "lease"), As::kAbsent);
                if (parsed.name != host_) say(fmt::format("writes {}", key));
                return needs(key, model::node_key(host_, "lease"), As::kPresent);
            case RecordKind::kNodeSpec:
                needs(key, key);
                if (!put) needs(key, model::node_key(parsed.name, "lease"), As::kAbsent);
                return;
            case RecordKind::kVolumeSpec:
            case RecordKind::kVolumeStatus: return look_at_volume(key, parsed);
            case RecordKind::kImage:
            case RecordKind::kProject:
                // The mark that keeps others from taking into use what goes.
                if (!put) needs(key, "deleting/" + key, As::kPresent);
                return needs(key, key);
            case RecordKind::kOperation: return needs(key, key);
            case RecordKind::kFailover: return look_at_failover(key, put);
            case RecordKind::kElection: return look_at_election(key, put);
            case RecordKind::kOther:
                // Quota guards and idempotency records: what stops two of a kind.
                if (key.starts_with("locks/quota/") || key.starts_with("idempotency/"))
                    needs(key, key);
                return;
        }
    }

    // Who is elected may renew his proof; others stand for election where nobody is.
    void look_at_election(const std::string& key, const store::Put* put) {
        const store::Compare* own = compare_of(key);
        if (put && put->lease == 0) say("stands for election without a lease");
        if (put && own && own->mod_revision != 0) {
            if (controller::elected_node(put->value) != host_)
                say("renews the proof of another host's election");
            return;
        }
        needs(key, key, As::kAbsent);
        needs(key, model::node_key(host_, "lease"), As::kPresent);
    }

    void look_at_spec(const std::string& key, const model::ParsedKey& parsed,
                      const store::Put* put) {
        needs(key, key);
        if (!put) return look_at_vm_deletion(key, parsed);
        const store::Compare* own = compare_of(key);
        const auto record = model::parse_vm_record(put->value, model::Mode::kLenient);
        if (!record) return say(fmt::format("writes {} as something that nobody understands", key));
        const view::VmEntry* before =
            state_.vms.find(fmt::format("{}/{}", parsed.project, parsed.name));
        const bool creates = own && own->mod_revision == 0;
        if (creates) {
            needs(key, model::image_key(record->spec.image), As::kPresent);
            needs(key, model::project_key(parsed.project), As::kPresent);
            needs(key, fmt::format("deleting/images/{}", record->spec.image), As::kAbsent);
            needs(key, fmt::format("deleting/projects/{}", parsed.project), As::kAbsent);
        }
        const bool same = !creates && before && before->record && own &&
                          before->record->mod_revision == own->mod_revision;
        const model::VmSpec* was = same ? &before->record->value.spec : nullptr;
        const bool more =
            creates ||
            (was && (record->spec.cpus > was->cpus || record->spec.memory_mib > was->memory_mib));
        const view::ProjectEntry* project = state_.projects.find(parsed.project);
        const store::Compare* seen = compare_of(model::project_key(parsed.project));
        const bool limited =
            project && seen && seen->mod_revision == project->revision &&
            (project->record->value.quota.vms > 0 || project->record->value.quota.cpus > 0 ||
             project->record->value.quota.memory_mib > 0 ||
             project->record->value.quota.disk_mib > 0);
        if (more && limited) needs(key, fmt::format("locks/quota/{}", parsed.project));
        if (was && loses_or_grows_a_disk(*was, record->spec))
            needs(key, model::vm_key(parsed.project, parsed.name, "status"));
    }

    // Only a VM that does not run, and does not begin to meanwhile, loses a disk or has it grown.
    static bool loses_or_grows_a_disk(const model::VmSpec& was, const model::VmSpec& now) {
        return std::ranges::any_of(was.disks, [&](const model::Disk& disk) {
            return std::ranges::none_of(now.disks, [&](const model::Disk& other) {
                return other.name == disk.name && other.size_mib == disk.size_mib &&
                       other.read_only == disk.read_only;
            });
        });
    }

    // A VM's records go together, on condition that spec and placement are as they were seen.
    void look_at_vm_deletion(const std::string& key, const model::ParsedKey& parsed) {
        const std::string spec = model::vm_key(parsed.project, parsed.name, "spec");
        const std::string placement = model::vm_key(parsed.project, parsed.name, "placement");
        needs(key, spec);
        needs(key, placement);
        // Whose place it is finishes it; or the controller, where nobody is there to do so.
        const view::VmEntry* vm =
            state_.vms.find(fmt::format("{}/{}", parsed.project, parsed.name));
        const store::Compare* seen = compare_of(placement);
        const bool placed = vm && vm->placement && seen && !vm->node().empty() &&
                            seen->mod_revision == vm->placement->mod_revision;
        if (placed && vm->node() != host_ && !compare_of(model::kElectionKey))
            say(fmt::format("deletes {}, which is {}'s to finish", key, vm->node()));
        for (const char* part : {"spec", "placement", "status"})
            if (!deletes(model::vm_key(parsed.project, parsed.name, part)))
                say(fmt::format("deletes {} and leaves the rest", key));
    }

    void look_at_placement(const std::string& key, const model::ParsedKey& parsed,
                           const store::Put& put) {
        needs(key, key);
        needs(key, model::vm_key(parsed.project, parsed.name, "spec"));
        look_at_office(key);
        const auto now = model::parse_placement(put.value, model::Mode::kLenient);
        if (!now) return say(fmt::format("writes {} as something that nobody understands", key));
        const view::VmEntry* vm =
            state_.vms.find(fmt::format("{}/{}", parsed.project, parsed.name));
        // Who has seen another placement than the store's, or none where there is one, is refused
        // anyway: what it leaves where it is (a release) cannot be told from what it moves.
        const store::Compare* seen = compare_of(key);
        const store::Revision there = vm && vm->placement ? vm->placement->mod_revision : 0;
        if (!seen || seen->mod_revision != there) return;
        const std::string was(vm ? vm->node() : std::string_view{});
        if (!now->node.empty() && now->node != was) {
            needs(key, model::node_key(now->node, "lease"), As::kPresent);
            needs(key, model::node_key(now->node, "spec"));
        }
        if (!now->node.empty() && now->node != was && vm && vm->record)
            look_at_company(*vm, now->node);
        if (now->release && vm && vm->placement && !vm->placement->value.release)
            look_at_release(key, *now);
        // A place that is taken away: because the agent said that the VM is at rest, or because its
        // host is lost.
        if (!was.empty() && now->node != was)
            needs(key, model::vm_key(parsed.project, parsed.name, "status"));
    }

    // Who is told to leave for a drain leaves as long as that goes on; who leaves for another, or
    // to even things out, does so as long as the room is given away that was counted on.
    void look_at_release(const std::string& key, const model::Placement& now) {
        if (now.node.empty())
            return say(fmt::format("tells who is at {} to leave no host: {}", key, now.reason));
        if (now.reason.starts_with("drain")) needs(key, model::node_key(now.node, "spec"));
        if (now.reason.starts_with("preempted")) {
            needs(key, model::node_key(now.node, "spec"));
            needs(key, model::node_key(now.node, "lease"), As::kPresent);
        }
        if (!now.reason.starts_with("rebalance")) return;
        for (const store::Put& put : transaction_.puts) {
            if (model::parse_key(put.key).kind != RecordKind::kOperation) continue;
            const auto operation = model::parse_operation(put.value, model::Mode::kLenient);
            if (!operation || operation->kind != "rebalance") continue;
            const std::size_t to = operation->message.rfind(" to ");
            if (to == std::string::npos) continue;
            const std::string target = operation->message.substr(to + 4);
            needs(key, model::node_key(target, "lease"), As::kPresent);
            needs(key, model::node_key(target, "spec"));
        }
    }

    // One whose place is compared has none any more: nothing of this happens.
    bool counts_on_one_gone() const {
        return std::ranges::any_of(transaction_.compares, [&](const store::Compare& compare) {
            const model::ParsedKey key = model::parse_key(compare.key);
            if (key.kind != RecordKind::kVmPlacement || compare.mod_revision == 0) return false;
            const view::VmEntry* vm = state_.vms.find(fmt::format("{}/{}", key.project, key.name));
            return !vm || !vm->placement;
        });
    }

    // Those that it must be with are where it goes: as far as they are on that very host, one of
    // them is compared.
    void look_at_company(const view::VmEntry& vm, std::string_view host) {
        if (counts_on_one_gone()) return;
        for (const model::AffinityRule& rule : vm.record->value.spec.affinity) {
            const bool here = rule.domain.empty() || rule.domain == "node";
            if (!rule.hard || rule.anti || !here) continue;
            bool there = false, compared = false;
            state_.for_each_vm_on(host, [&](const view::VmEntry& other) {
                if (other.key == vm.key || other.project() != vm.project() || !other.record)
                    return true;
                const auto& labels = other.record->value.spec.labels;
                const bool meant =
                    !rule.vm.empty()
                        ? other.name() == rule.vm
                        : std::ranges::all_of(rule.labels, [&](const auto& label) {
                              const auto found = labels.find(label.first);
                              return found != labels.end() && found->second == label.second;
                          });
                there = there || meant;
                compared = compared || (meant && compare_of(model::vm_key(
                                                     other.project(), other.name(), "placement")));
                return true;
            });
            if (there && !compared)
                say(
                    fmt::format("places vm {} on {}, and compares the placement of nobody that it "
                                "must be with",
                                vm.key, host));
        }
    }

    void look_at_office(const std::string& key) {
        const store::Compare* proof = compare_of(model::kElectionKey);
        if (!proof || proof->mod_revision == 0)
            return say(fmt::format("writes {} without the proof of an election", key));
        const bool stands = proof->mod_revision == state_.election.mod_revision;
        if (stands && controller::elected_node(state_.election.value) != host_)
            say(fmt::format("writes {} with the proof of another host's election", key));
    }

    void look_at_status(const std::string& key, const model::ParsedKey& parsed,
                        const store::Put& put) {
        needs(key, key);
        needs(key, model::node_key(host_, "lease"), As::kPresent);
        needs(key, model::vm_key(parsed.project, parsed.name, "placement"), As::kPresent);
        // Who asks for consent to a start starts what is wanted: a disk that was taken from the VM
        // may be another's.
        const auto now = model::parse_vm_status(put.value, model::Mode::kLenient);
        if (!now) return say(fmt::format("writes {} as something that nobody understands", key));
        const view::VmEntry* vm =
            state_.vms.find(fmt::format("{}/{}", parsed.project, parsed.name));
        const store::Compare* seen = compare_of(key);
        const bool current =
            vm && vm->status && seen && seen->mod_revision == vm->status->mod_revision;
        const bool starts = now->phase == model::Phase::kStarting && current &&
                            vm->status->value.phase != model::Phase::kStarting;
        if (starts) needs(key, model::vm_key(parsed.project, parsed.name, "spec"), As::kPresent);
    }

    void look_at_lease(const std::string& key, const model::ParsedKey& parsed,
                       const store::Put* put) {
        if (!put || parsed.name != host_) return say(fmt::format("writes {}", key));
        if (put->lease == 0) say(fmt::format("writes {} without a lease", key));
        // What is late on its way from a daemon's last run must not replace what its next one
        // wrote.
        needs(key, key);
    }

    void look_at_failover(const std::string& key, const store::Put* put) {
        if (!put) return say(fmt::format("deletes {}", key));
        look_at_office(key);
        const auto proof = model::parse_failover(put->value, model::Mode::kLenient);
        if (!proof) return say(fmt::format("writes {} as something that nobody understands", key));
        needs(key, model::node_key(proof->from_node, "lease"), As::kAbsent);
        const std::string placement = model::vm_key(proof->project, proof->vm, "placement");
        if (!put_of(placement))
            say(fmt::format("writes {} without the placement that it proves", key));
    }

    // Not under a guest: nobody who names it begins to run meanwhile. Who takes it into use writes
    // its record, too, so that all who do so now are known to who has seen that.
    void look_at_growth(const std::string& key, const model::ParsedKey& parsed) {
        const view::VolumeEntry* volume =
            state_.volumes.find(fmt::format("{}/{}", parsed.project, parsed.name));
        const store::Compare* own = compare_of(key);
        const store::Put* put = put_of(key);
        if (!put || !own || !volume || !volume->record ||
            volume->record->mod_revision != own->mod_revision || !volume->record->value.vm.empty())
            return;
        const auto now = model::parse_volume_record(put->value, model::Mode::kLenient);
        if (!now || now->size_mib <= volume->record->value.size_mib) return;
        const auto compared = [&](const view::VmEntry& vm) {
            needs(key, model::vm_key(vm.project(), vm.name(), "status"));
        };
        state_.for_each_vm_using(view::volume_use(parsed.project, parsed.name), compared);
    }

    // By itself, or with the VM it belongs to.
    void look_at_volume(const std::string& key, const model::ParsedKey& parsed) {
        const std::string spec = model::volume_key(parsed.project, parsed.name, "spec");
        if (parsed.kind == RecordKind::kVolumeSpec) look_at_growth(key, parsed);
        if (compare_of(spec)) return;
        // Who changes one member leaves the others, as they are; of what goes, nothing is left.
        const store::Put* put = parsed.kind == RecordKind::kVolumeSpec ? put_of(key) : nullptr;
        const auto record = put ? model::parse_volume_record(put->value, model::Mode::kLenient)
                                : Result<model::VolumeRecord>(model::VolumeRecord{});
        if (put && record && record->deleted_at.empty()) return needs(key, spec);
        // What is said of a volume is said of this one.
        if (parsed.kind == RecordKind::kVolumeStatus && !deletes(key)) needs(key, spec);
        const bool with_vm =
            std::ranges::any_of(transaction_.compares, [](const store::Compare& compare) {
                return model::parse_key(compare.key).kind == RecordKind::kVmSpec &&
                       compare.mod_revision != 0;
            });
        if (!with_vm) say(fmt::format("writes {} without comparing {}", key, spec));
    }

    const std::string& host_;
    const store::Transaction& transaction_;
    const view::Snapshot& state_;
    std::optional<std::string> wrong_;
};

}  // namespace

std::optional<std::string> what_breaks_protocol(const std::string& host,
                                                const store::Transaction& transaction,
                                                const view::Snapshot& state) {
    return Look(host, transaction, state).run();
}

}  // namespace blixard::sim
