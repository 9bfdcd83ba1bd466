#include "sim/view_check.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "model/documents.h"
#include "model/keys.h"

namespace blixard::sim {
namespace {

using model::RecordKind;

bool is_understood(const store::KeyValue& item) {
    constexpr model::Mode kLenient = model::Mode::kLenient;
    switch (model::parse_key(item.key).kind) {
        case RecordKind::kVmSpec: return model::parse_vm_record(item.value, kLenient).has_value();
        case RecordKind::kVmPlacement:
            return model::parse_placement(item.value, kLenient).has_value();
        case RecordKind::kVmStatus: return model::parse_vm_status(item.value, kLenient).has_value();
        default: return true;
    }
}

class Compare {
 public:
    explicit Compare(const view::Snapshot& view) : view_(view) {}

    std::string run(const store::RangeResult& stored) {
        for (const store::KeyValue& item : stored.items) {
            look_at(item);
            if (is_understood(item)) continue;
            ++unread_;
            if (!view_.unread.find(item.key))
                say(fmt::format("it does not know that it cannot read {}", item.key));
        }
        count_vms();
        check("records that nobody here understands", unread_, view_.unread.size());
        check("VMs", vm_parts_, view_vm_parts_);
        check("hosts' records", node_parts_, view_node_parts());
        check("volumes' records", volume_parts_, view_volume_parts());
        check("images", images_, view_.images.size());
        check("projects", projects_, view_.projects.size());
        check("operations", operations_, view_.operations.size());
        check("failovers", failovers_, view_.failovers.size());
        return wrong_;
    }

 private:
    void say(std::string what) {
        if (wrong_.empty()) wrong_ = fmt::format("shows revision {}, but {}", view_.revision, what);
    }
    void check(std::string_view what, std::size_t stored, std::size_t seen) {
        if (stored != seen) say(fmt::format("the store has {} {}, it has {}", stored, what, seen));
    }
    template <class PartPtr>
    void same(const store::KeyValue& item, const PartPtr& part) {
        if (!part) return say(fmt::format("it has no {}", item.key));
        if (part->mod_revision != item.mod_revision ||
            part->create_revision != item.create_revision)
            say(fmt::format("{} is of revision {}, it has it as of {}", item.key, item.mod_revision,
                            part->mod_revision));
    }

    void look_at(const store::KeyValue& item) {
        const model::ParsedKey key = model::parse_key(item.key);
        const std::string name = key.project.empty() ? std::string(key.name)
                                                     : fmt::format("{}/{}", key.project, key.name);
        switch (key.kind) {
            case RecordKind::kVmSpec:
            case RecordKind::kVmPlacement:
            case RecordKind::kVmStatus: return look_at_vm(item, key, name);
            case RecordKind::kNodeSpec:
            case RecordKind::kNodeStatus:
            case RecordKind::kNodeLease: {
                ++node_parts_;
                const view::NodeEntry* node = view_.nodes.find(name);
                if (!node) return say(fmt::format("it has no {}", item.key));
                if (key.kind == RecordKind::kNodeSpec) return same(item, node->spec);
                if (key.kind == RecordKind::kNodeStatus) return same(item, node->status);
                return same(item, node->lease);
            }
            case RecordKind::kVolumeSpec:
            case RecordKind::kVolumeStatus: {
                ++volume_parts_;
                const view::VolumeEntry* volume = view_.volumes.find(name);
                if (!volume) return say(fmt::format("it has no {}", item.key));
                if (key.kind == RecordKind::kVolumeSpec) return same(item, volume->record);
                return same(item, volume->status);
            }
            case RecordKind::kImage: ++images_; return;
            case RecordKind::kProject: ++projects_; return;
            case RecordKind::kOperation: ++operations_; return;
            case RecordKind::kFailover: ++failovers_; return;
            case RecordKind::kElection:
                if (view_.election.mod_revision != item.mod_revision)
                    say("it takes another for the elected one");
                return;
            case RecordKind::kOther: return;
        }
    }

    void look_at_vm(const store::KeyValue& item, const model::ParsedKey& key,
                    const std::string& name) {
        ++vm_parts_;
        const view::VmEntry* vm = view_.vms.find(name);
        if (!vm) return say(fmt::format("it has no {}", item.key));
        if (vm->not_understood != 0 &&
            !is_understood(item)) {  // it keeps what it knew, if anything
            const bool known = key.kind == RecordKind::kVmSpec        ? vm->record != nullptr
                               : key.kind == RecordKind::kVmPlacement ? vm->placement != nullptr
                                                                      : vm->status != nullptr;
            vm_parts_ -= known ? 0 : 1;
            return;
        }
        if (vm->document.find(std::string_view(item.value).substr(1, item.value.size() - 2)) ==
            std::string::npos)
            say(fmt::format("the document that it serves of {} is not what is stored", item.key));
        if (key.kind == RecordKind::kVmSpec) return same(item, vm->record);
        if (key.kind == RecordKind::kVmPlacement) return same(item, vm->placement);
        same(item, vm->status);
    }

    // What the view counts as it goes, counted anew.
    void count_vms() {
        struct Use {
            std::int64_t vms = 0, cpus = 0, memory_mib = 0, disk_mib = 0;
        };
        std::map<std::string, Use, std::less<>> uses;
        std::map<int, std::int64_t> phases;
        std::size_t placed = 0, uses_of_all = 0;
        std::int64_t all = 0;
        view_.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
            view_vm_parts_ +=
                (vm->record != nullptr) + (vm->placement != nullptr) + (vm->status != nullptr);
            if (!vm->node().empty()) {
                ++placed;
                if (!view_.vms_by_node.find(fmt::format("{}/{}", vm->node(), vm->key)))
                    say(fmt::format("vm {} is not among those on {}", vm->key, vm->node()));
            }
            if (vm->phase != view::effective_phase(*vm))
                say(fmt::format("the phase of vm {} is not what follows from its records",
                                vm->key));
            if (!vm->record) return;
            std::set<std::string> named;
            if (!vm->record->value.spec.image.empty())
                named.insert(view::image_use(vm->record->value.spec.image));
            for (const model::Disk& disk : vm->record->value.spec.disks)
                named.insert(view::volume_use(vm->project(), model::volume_name(vm->name(), disk)));
            uses_of_all += named.size();
            for (const std::string& use : named)
                if (!view_.vms_by_use.find(fmt::format("{}/{}", use, vm->key)))
                    say(fmt::format("vm {} is not among those that use {}", vm->key, use));
            ++all;
            ++phases[static_cast<int>(vm->phase)];
            Use& use = uses[std::string(vm->project())];
            ++use.vms;
            use.cpus += vm->record->value.spec.cpus;
            use.memory_mib += vm->record->value.spec.memory_mib;
            for (const model::Disk& disk : vm->record->value.spec.disks)
                if (disk.volume.empty()) use.disk_mib += disk.size_mib;
        });
        check("placed VMs", placed, view_.vms_by_node.size());
        check("images and volumes in use", uses_of_all, view_.vms_by_use.size());
        if (all != view_.counts.vms)
            say(fmt::format("there are {} VMs, it counts {}", all, view_.counts.vms));
        for (int phase = 0; phase < 8; ++phase)
            if (phases[phase] != view_.counts.by_phase[phase])
                say(fmt::format("{} VMs are {}, it counts {}", phases[phase],
                                model::phase_name(static_cast<model::Phase>(phase)),
                                view_.counts.by_phase[phase]));
        check("projects in use", uses.size(), view_.project_use.size());
        for (const auto& [project, use] : uses) {
            const view::ProjectUse* seen = view_.project_use.find(project);
            if (!seen || seen->vms != use.vms || seen->cpus != use.cpus ||
                seen->memory_mib != use.memory_mib || seen->disk_mib != use.disk_mib)
                say(fmt::format("it counts the use of project {} wrongly", project));
        }
    }

    std::size_t view_node_parts() const {
        std::size_t parts = 0;
        view_.nodes.for_each([&](const auto& node) {
            parts += (node->spec != nullptr) + (node->status != nullptr) + (node->lease != nullptr);
        });
        return parts;
    }
    std::size_t view_volume_parts() const {
        std::size_t parts = 0;
        view_.volumes.for_each([&](const auto& volume) {
            parts += (volume->record != nullptr) + (volume->status != nullptr);
        });
        return parts;
    }

    const view::Snapshot& view_;
    std::string wrong_;
    std::size_t vm_parts_ = 0, view_vm_parts_ = 0, node_parts_ = 0, volume_parts_ = 0, images_ = 0,
                projects_ = 0, operations_ = 0, failovers_ = 0, unread_ = 0;
};

}  // namespace

std::string what_is_wrong_with(const view::Snapshot& view, const store::History& store) {
    const auto stored = store.read({.at = view.revision});
    if (!stored) return {};
    return Compare(view).run(*stored);
}

}  // namespace blixard::sim
