// The cluster's whole state at one revision, immutable. Taken with View::current() by any thread,
// kept as long as needed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "model/node.h"
#include "model/records.h"
#include "model/vm.h"
#include "store/store.h"
#include "view/persistent_map.h"

namespace blixard::view {

using store::Revision;

// A decoded value and where it stands in the store.
template <class T>
struct Part {
    T value;
    std::string bytes;  // as stored; empty for a VM's parts, which stand in its document
    Revision create_revision = 0;
    Revision mod_revision = 0;
};
template <class T>
using PartPtr = std::shared_ptr<const Part<T>>;

// One VM: its three records, and the JSON document that the API serves. A VM exists while its spec
// does; a placement or status without a spec is what a deletion has yet to clean up.
struct VmEntry {
    std::string key;  // "<project>/<name>"
    std::size_t project_size = 0;
    PartPtr<model::VmRecord> record;
    PartPtr<model::Placement> placement;
    PartPtr<model::VmStatus> status;
    std::string document;  // what the API serves
    struct Slice {
        std::uint32_t at = 0, size = 0;
    };
    Slice record_bytes, placement_bytes,
        status_bytes;  // where the stored bytes stand in `document` (without the record's braces)
    Revision revision = 0;  // the newest of the three
    // Which of the three this version cannot read (bits 1, 2, 4): a newer one wrote it. Nobody here
    // acts on such a VM; what was known of it before is kept.
    std::uint8_t not_understood = 0;
    model::Phase phase = model::Phase::kPending;

    std::string_view project() const { return std::string_view(key).substr(0, project_size); }
    std::string_view name() const { return std::string_view(key).substr(project_size + 1); }
    std::string_view slice(Slice part) const {
        return std::string_view(document).substr(part.at, part.size);
    }
    std::string_view node() const {
        return placement ? std::string_view(placement->value.node) : std::string_view{};
    }
};

struct NodeEntry {
    std::string key;  // the name
    PartPtr<model::NodeSpec> spec;
    PartPtr<model::NodeStatus> status;
    PartPtr<model::NodeLease> lease;  // null: the host is lost, or has not reported yet
    Revision revision = 0;
    Revision lease_gone_revision = 0;  // where a lease was seen to go: the revision at which it did

    bool ready() const { return lease && status; }
};

struct VolumeEntry {
    std::string key;  // "<project>/<name>"
    std::size_t project_size = 0;
    PartPtr<model::VolumeRecord> record;
    PartPtr<model::VolumeStatus> status;
    Revision revision = 0;

    std::string_view project() const { return std::string_view(key).substr(0, project_size); }
    std::string_view name() const { return std::string_view(key).substr(project_size + 1); }
};

template <class T>
struct SingleEntry {
    std::string key;  // name or id
    PartPtr<T> record;
    Revision revision = 0;
};
using ImageEntry = SingleEntry<model::Image>;
using ProjectEntry = SingleEntry<model::Project>;
using OperationEntry = SingleEntry<model::Operation>;
using FailoverEntry = SingleEntry<model::Failover>;

// "<what>/<project>/<name>" of a VM that is looked for by what it lies on or names.
struct IndexedVm {
    std::string key;
    std::size_t what_size = 0;

    std::string_view vm() const { return std::string_view(key).substr(what_size + 1); }
};

// A key whose value nobody here understands: a newer version wrote it.
struct UnreadKey {
    std::string key;
};

// What one project uses of its quota, counted over its VM records.
struct ProjectUse {
    std::string key;
    std::int64_t vms = 0;
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;

    bool operator==(const ProjectUse&) const = default;
};

// Of Snapshot::vms_by_use.
std::string image_use(std::string_view image);
std::string volume_use(std::string_view project, std::string_view volume);

struct Counts {
    std::int64_t by_phase[8] = {};
    std::int64_t vms = 0;
};

struct Snapshot {
    Revision revision = 0;
    PersistentMap<VmEntry> vms;
    PersistentMap<IndexedVm> vms_by_node;
    // By "image/<name>" and "volume/<project>/<name>": of each disk, also where the VM's own volume
    // is not there yet.
    PersistentMap<IndexedVm> vms_by_use;
    PersistentMap<NodeEntry> nodes;
    PersistentMap<VolumeEntry> volumes;
    PersistentMap<ImageEntry> images;
    PersistentMap<ProjectEntry> projects;
    PersistentMap<ProjectUse> project_use;
    PersistentMap<OperationEntry> operations;
    PersistentMap<FailoverEntry> failovers;
    // What was known of such a key before stands where it stood; what is new in it, nobody here
    // knows: which volumes a VM uses, what lies in a project.
    PersistentMap<UnreadKey> unread;
    store::KeyValue election;  // election/controller; empty key: nobody is elected
    Counts counts;

    // visit(const VmEntry&) for each VM placed on `node`, ascending; one that gives a bool ends it
    // with false.
    template <class Visit>
    void for_each_vm_on(std::string_view node, Visit&& visit) const {
        for_each_vm_of(vms_by_node, node, visit);
    }
    // And for each that names an image or a volume; `use` as in vms_by_use.
    template <class Visit>
    void for_each_vm_using(std::string_view use, Visit&& visit) const {
        for_each_vm_of(vms_by_use, use, visit);
    }

 private:
    template <class Visit>
    void for_each_vm_of(const PersistentMap<IndexedVm>& index, std::string_view what,
                        Visit&& visit) const {
        std::string prefix(what);
        prefix += '/';
        index.scan_prefix(prefix, [&](const std::shared_ptr<const IndexedVm>& found) {
            const VmEntry* vm = vms.find(found->vm());
            if (!vm) return true;
            if constexpr (std::is_same_v<std::invoke_result_t<Visit&, const VmEntry&>, bool>)
                return visit(*vm);
            else
                return visit(*vm), true;
        });
    }
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// The JSON document of an entry, as the API serves it.
std::string document(const NodeEntry& node, const Snapshot& state);
std::string document(const VolumeEntry& volume);
std::string document(const ImageEntry& image);
std::string document(const ProjectEntry& project);
std::string document(const OperationEntry& operation);
std::string document(const FailoverEntry& failover);

// The phase that people see: the agent's where it speaks of the present placement, else what
// follows from the placement.
model::Phase effective_phase(const VmEntry& vm);

}  // namespace blixard::view
