// The live picture that decisions are made on: hosts, what is left on them, and which VM lies
// where. Kept up to date by small changes, so that a decision never has to rebuild anything.
//
// Owner: the controller. One thread at a time, const functions included (they keep caches). A copy
// is independent and is what what-if questions are asked on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "scheduler/decision.h"
#include "scheduler/fragmentation.h"
#include "scheduler/host.h"
#include "scheduler/mix.h"
#include "scheduler/names.h"
#include "scheduler/policy.h"
#include "scheduler/request.h"
#include "scheduler/room.h"
#include "scheduler/shapes.h"
#include "scheduler/vm_table.h"

namespace blixard::scheduler {

// A place on a host, in the scheduler's own numbers.
struct Spot {
    HostIndex host = kNoHost;
    Take take;
    double score = 0.0;
};

// Kept for one VM: only VMs whose turn comes before its (see order.h) and the VM itself may use the
// host.
struct HostReservation {
    std::string vm;
    std::int32_t priority = 0;
    WallTime created;
};

struct HostSlot {
    Host spec;
    Room capacity;  // effective, empty
    Room free;
    std::vector<LabelId> labels;   // sorted; the zone is the label "zone"
    std::vector<NameId> features;  // sorted
    NameId accelerator = kNoName;
    NameId name = kNoName;
    std::vector<VmIndex> vms;      // in no order
    std::int64_t last_placed = 0;  // number of the placement that used it last; round-robin
    std::uint32_t rank = 0;        // position by name
    std::optional<HostReservation> reservation;
    std::uint64_t kind = 0;    // equal for hosts that differ in name, labels, zone and VMs only
    bool nodes_alike = false;  // all NUMA nodes have the same capacity
    bool present = false;
};

struct VmSlot {
    std::shared_ptr<const Request> request;
    Ask ask;
    HostIndex host = kNoHost;
    Take take;
    std::uint32_t position_on_host = 0;
    std::int64_t placement = 0;  // the number of its placement: the order in which VMs were placed
    std::vector<std::uint32_t> label_positions;  // in the list of each of its labels
    bool present = false;
};

struct Usage {
    Resources used;
    std::int64_t vms = 0;
    std::int64_t gpu_milli = 0;
};

class Cluster {
 public:
    // Adds a host, or changes it: VMs that lie there stay. kInvalid if the description cannot be
    // meant.
    Status upsert_host(Host host);
    // kNotFound; kConflict while VMs lie there.
    Status remove_host(std::string_view name);
    Status set_host_state(std::string_view name, HostState state);

    // Counts a VM against its host, running and starting alike, whether it fits or not: the records
    // are the truth. kExists if the key has a place already, kNotFound if there is no such host.
    Status place(std::shared_ptr<const Request> request, std::string_view host,
                 const Assignment& assignment);
    Status place(std::shared_ptr<const Request> request, const Spot& spot);
    // kNotFound if it has no place.
    Status release(std::string_view vm);

    // Keeps a known host for a VM until unreserve(); a second reservation replaces the first.
    void reserve(std::string_view host, const Request& request);
    void unreserve(std::string_view host);
    std::size_t reserved_count() const { return reserved_; }

    // Learns the flavour mix: call once for each new VM, when it is first seen.
    // The room that is free when an edition of the mix comes out tells how scarce each flavour's
    // is.
    void observe(const Request& request);
    const Mix& mix() const { return mix_; }

    std::int64_t placements() const { return placements_; }  // so many so far, in all
    std::int64_t revision() const { return revision_; }
    void set_revision(std::int64_t revision) { revision_ = revision; }

    // --- what there is ---
    std::size_t host_count() const { return by_rank_.size(); }
    std::size_t vm_count() const { return table_.size(); }
    std::span<const HostIndex> hosts() const { return by_rank_; }  // by name
    const HostSlot& host(HostIndex index) const { return hosts_[index]; }
    HostIndex find_host(std::string_view name) const;  // kNoHost
    VmIndex find_vm(std::string_view key) const;       // kNoVm
    const VmSlot& vm(VmIndex index) const { return vms_[index]; }
    const std::string& host_of(std::string_view vm) const;  // empty if it has no place
    std::span<const VmIndex> vms_with_label(LabelId label) const;
    // Placed VMs with a hard anti-affinity rule that may speak of `request`, in the order in which
    // they were placed: their rules bind newcomers too.
    std::vector<VmIndex> vms_that_may_forbid(const Request& request) const;
    const Usage& usage(std::string_view project) const;
    const Names& names() const { return names_; }

    // What the usual mix cannot use of this room on a host of this kind.
    double room_lost(const HostSlot& host, const Room& room) const {
        return fragmentation_.lost(room, host.capacity, host.kind, host.nodes_alike);
    }
    // The hosts by shape, up to date.
    Shapes& shapes() const;

    // The request in numbers. Names that no host has become kNoName, so the filter fails as it
    // should.
    Ask ask_of(const Request& request) const;
    Assignment assignment_of(Take take) const;
    void write_assignment(Take take, Assignment& assignment) const;
    Take take_of(const Assignment& assignment) const;
    NameId zone_key() const { return zone_key_; }
    // The value of a host's label, kNoName if it has none.
    NameId label_value(const HostSlot& host, NameId key) const;

    Cluster();

 private:
    void fill_slot(HostSlot& slot);
    void insert_rank(HostIndex index);
    void reshape(HostIndex index);
    void count_in(VmIndex index);
    void count_out(VmIndex index);
    std::vector<VmIndex>& owners_of(const Selector& target);

    Names names_;
    NameId zone_key_;
    std::vector<HostSlot> hosts_;
    std::vector<HostIndex> hosts_unused_;
    std::vector<HostIndex> by_rank_;
    std::unordered_map<std::string, HostIndex, NameHash, std::equal_to<>> host_by_name_;
    std::vector<VmSlot> vms_;
    std::vector<VmIndex> vms_unused_;
    VmTable table_;
    std::unordered_map<LabelId, std::vector<VmIndex>> by_label_;
    // Owners of hard anti-affinity rules, by what the rule speaks of: the first of its labels, or a
    // VM.
    std::unordered_map<LabelId, std::vector<VmIndex>> anti_by_label_;
    std::unordered_map<std::string, std::vector<VmIndex>, NameHash, std::equal_to<>> anti_by_vm_;
    std::unordered_map<std::string, Usage, NameHash, std::equal_to<>> usage_;
    Mix mix_;
    mutable Fragmentation fragmentation_;
    mutable Shapes shapes_;
    std::size_t reserved_ = 0;
    std::int64_t placements_ = 0;
    std::int64_t revision_ = 0;
};

}  // namespace blixard::scheduler
