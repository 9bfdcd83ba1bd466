// How one changed key changes the state: decoding, joining the parts of an entry, and keeping the
// indexes.
#include "view/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "model/documents.h"
#include "model/keys.h"
#include "view/view.h"

namespace blixard::view {
namespace {

using model::RecordKind;

Result<model::VmRecord> parse(const model::VmRecord*, std::string_view text) {
    return model::parse_vm_record(text, model::Mode::kLenient);
}
Result<model::Placement> parse(const model::Placement*, std::string_view text) {
    return model::parse_placement(text, model::Mode::kLenient);
}
Result<model::VmStatus> parse(const model::VmStatus*, std::string_view text) {
    return model::parse_vm_status(text, model::Mode::kLenient);
}
Result<model::NodeSpec> parse(const model::NodeSpec*, std::string_view text) {
    return model::parse_node_spec(text, model::Mode::kLenient);
}
Result<model::NodeStatus> parse(const model::NodeStatus*, std::string_view text) {
    return model::parse_node_status(text, model::Mode::kLenient);
}
Result<model::NodeLease> parse(const model::NodeLease*, std::string_view text) {
    return model::parse_node_lease(text, model::Mode::kLenient);
}
Result<model::VolumeRecord> parse(const model::VolumeRecord*, std::string_view text) {
    return model::parse_volume_record(text, model::Mode::kLenient);
}
Result<model::VolumeStatus> parse(const model::VolumeStatus*, std::string_view text) {
    return model::parse_volume_status(text, model::Mode::kLenient);
}
Result<model::Image> parse(const model::Image*, std::string_view text) {
    return model::parse_image(text, model::Mode::kLenient);
}
Result<model::Project> parse(const model::Project*, std::string_view text) {
    return model::parse_project(text, model::Mode::kLenient);
}
Result<model::Operation> parse(const model::Operation*, std::string_view text) {
    return model::parse_operation(text, model::Mode::kLenient);
}
Result<model::Failover> parse(const model::Failover*, std::string_view text) {
    return model::parse_failover(text, model::Mode::kLenient);
}

// Null where the bytes are not a `T`, which is said in the log: one bad record must not stop a
// host. It may be a newer version's, so nobody concludes anything from it.
template <class T>
PartPtr<T> decode(Snapshot& state, const store::KeyValue& item, bool keep_bytes, Log& log) {
    Result<T> value = parse(static_cast<const T*>(nullptr), item.value);
    if (!value) {
        log.error("record not understood", {{"key", item.key}, {"error", describe(value.error())}});
        state.unread.put(std::make_shared<const UnreadKey>(UnreadKey{item.key}));
        return nullptr;
    }
    if (!state.unread.empty()) state.unread.erase(item.key);
    auto part = std::make_shared<Part<T>>();
    part->value = std::move(*value);
    if (keep_bytes) part->bytes = item.value;
    part->create_revision = item.create_revision;
    part->mod_revision = item.mod_revision;
    return part;
}

template <class T>
Revision revision_of(const PartPtr<T>& part) {
    return part ? part->mod_revision : 0;
}

std::string join(std::string_view first, std::string_view second) {
    std::string joined;
    joined.reserve(first.size() + 1 + second.size());
    joined.append(first).append("/").append(second);
    return joined;
}

std::string entry_key(const model::ParsedKey& key) { return join(key.project, key.name); }

// ---- VMs ----

std::string_view without_braces(std::string_view json) {
    return json.size() < 2 ? std::string_view{} : json.substr(1, json.size() - 2);
}

// The document, joined from bytes that are there already: each part is new or stands in the old
// document.
void join_document(VmEntry& vm, std::string_view record, std::string_view placement,
                   std::string_view status) {
    std::string text;
    text.reserve(160 + record.size() + placement.size() + status.size());
    fmt::format_to(std::back_inserter(text),
                   R"({{"kind":"vm","project":"{}","name":"{}","revision":{},"phase":"{}")",
                   vm.project(), vm.name(), vm.revision, model::phase_name(vm.phase));
    const auto append = [&text](std::string_view before, std::string_view bytes) {
        VmEntry::Slice slice;
        if (bytes.empty()) return slice;
        text += before;
        slice = {static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(bytes.size())};
        text += bytes;
        return slice;
    };
    vm.record_bytes = append(",", record);
    vm.placement_bytes = append(",\"placement\":", placement);
    vm.status_bytes = append(",\"status\":", status);
    text += '}';
    vm.document = std::move(text);
}

std::int64_t spec_disk_mib(const model::VmSpec& spec) {
    std::int64_t sum = 0;
    for (const model::Disk& disk : spec.disks)
        if (disk.volume.empty()) sum += disk.size_mib;
    return sum;
}

ProjectUse use_of(const VmEntry* vm) {
    if (!vm || !vm->record) return {};
    const model::VmSpec& spec = vm->record->value.spec;
    return {.vms = 1,
            .cpus = spec.cpus,
            .memory_mib = spec.memory_mib,
            .disk_mib = spec_disk_mib(spec)};
}

// Most changes are of a status, and change no use.
void count_use(Snapshot& state, const VmEntry* before, const VmEntry& after) {
    const ProjectUse old = use_of(before), now = use_of(&after);
    if (old.vms) --state.counts.by_phase[static_cast<int>(before->phase)];
    if (now.vms) ++state.counts.by_phase[static_cast<int>(after.phase)];
    state.counts.vms += now.vms - old.vms;
    if (old == now) return;
    const ProjectUse* sum = state.project_use.find(after.project());
    auto use = std::make_shared<ProjectUse>(sum ? *sum : ProjectUse{});
    use->key = after.project();
    use->vms += now.vms - old.vms;
    use->cpus += now.cpus - old.cpus;
    use->memory_mib += now.memory_mib - old.memory_mib;
    use->disk_mib += now.disk_mib - old.disk_mib;
    if (use->vms == 0)
        state.project_use.erase(use->key);
    else
        state.project_use.put(std::move(use));
}

void index_vm(PersistentMap<IndexedVm>& index, std::string_view what, const VmEntry& vm) {
    auto entry = std::make_shared<IndexedVm>();
    entry->key = join(what, vm.key);
    entry->what_size = what.size();
    index.put(std::move(entry));
}

void index_node(Snapshot& state, const VmEntry* before, const VmEntry* after) {
    const std::string_view old_node = before ? before->node() : std::string_view{};
    const std::string_view new_node = after ? after->node() : std::string_view{};
    if (old_node == new_node) return;
    if (!old_node.empty()) state.vms_by_node.erase(join(old_node, before->key));
    if (!new_node.empty()) index_vm(state.vms_by_node, new_node, *after);
}

std::vector<std::string> uses_of(const VmEntry* vm) {
    std::vector<std::string> uses;
    if (!vm || !vm->record) return uses;
    const model::VmSpec& spec = vm->record->value.spec;
    uses.reserve(1 + spec.disks.size());
    if (!spec.image.empty()) uses.push_back(image_use(spec.image));
    for (const model::Disk& disk : spec.disks)
        uses.push_back(volume_use(vm->project(), model::volume_name(vm->name(), disk)));
    return uses;
}

void index_uses(Snapshot& state, const VmEntry* before, const VmEntry& after) {
    if (before && before->record == after.record) return;
    const std::vector<std::string> old_uses = uses_of(before), new_uses = uses_of(&after);
    const auto is_in = [](const std::vector<std::string>& uses, const std::string& use) {
        return std::find(uses.begin(), uses.end(), use) != uses.end();
    };
    for (const std::string& use : old_uses)
        if (!is_in(new_uses, use)) state.vms_by_use.erase(join(use, after.key));
    for (const std::string& use : new_uses)
        if (!is_in(old_uses, use)) index_vm(state.vms_by_use, use, after);
}

constexpr std::uint8_t kSpecBit = 1, kPlacementBit = 2, kStatusBit = 4;

// One of the three records as it is now. False where it is not understood, and the one before
// stays.
template <class T>
bool take_part(Snapshot& state, VmEntry& vm, std::uint8_t bit, PartPtr<T>& part,
               std::string_view& bytes, const store::KeyValue& item, bool deleted, Log& log) {
    PartPtr<T> now = deleted ? nullptr : decode<T>(state, item, false, log);
    const bool understood = deleted || now;
    vm.not_understood =
        static_cast<std::uint8_t>(understood ? vm.not_understood & ~bit : vm.not_understood | bit);
    if (!understood) return false;
    part = std::move(now);
    bytes = deleted ? std::string_view{} : std::string_view(item.value);
    return true;
}

// The stored bytes of a VM's three records, in its document before or in what was read.
struct VmBytes {
    std::string_view record, placement, status;
};

void take_part(Snapshot& state, VmEntry& vm, VmBytes& bytes, const store::KeyValue& item,
               bool deleted, Log& log) {
    switch (model::parse_key(item.key).kind) {
        case RecordKind::kVmSpec: {
            const bool taken = take_part<model::VmRecord>(state, vm, kSpecBit, vm.record,
                                                          bytes.record, item, deleted, log);
            if (taken) bytes.record = without_braces(bytes.record);
            return;
        }
        case RecordKind::kVmPlacement:
            take_part<model::Placement>(state, vm, kPlacementBit, vm.placement, bytes.placement,
                                        item, deleted, log);
            return;
        case RecordKind::kVmStatus:
            take_part<model::VmStatus>(state, vm, kStatusBit, vm.status, bytes.status, item,
                                       deleted, log);
            return;
        default: return;
    }
}

// One to all of the records of the VM that `key` is of.
void apply_vm(Snapshot& state, const model::ParsedKey& key, std::span<const store::KeyValue> parts,
              bool deleted, Log& log) {
    const std::string name = entry_key(key);
    const std::shared_ptr<const VmEntry> before = state.vms.find_shared(name);
    auto vm = std::make_shared<VmEntry>();
    VmBytes bytes;
    if (before) {
        vm->record = before->record;
        vm->placement = before->placement;
        vm->status = before->status;
        vm->not_understood = before->not_understood;
        bytes = {before->slice(before->record_bytes), before->slice(before->placement_bytes),
                 before->slice(before->status_bytes)};
    }
    vm->key = name;
    vm->project_size = key.project.size();
    for (const store::KeyValue& part : parts) take_part(state, *vm, bytes, part, deleted, log);
    vm->revision =
        std::max({revision_of(vm->record), revision_of(vm->placement), revision_of(vm->status)});
    vm->phase = effective_phase(*vm);
    join_document(*vm, bytes.record, bytes.placement, bytes.status);

    const bool exists = vm->record || vm->placement || vm->status || vm->not_understood != 0;
    index_node(state, before.get(), exists ? vm.get() : nullptr);
    index_uses(state, before.get(), *vm);
    count_use(state, before.get(), *vm);
    if (exists)
        state.vms.put(std::move(vm));
    else
        state.vms.erase(name);
}

bool is_of_vm(RecordKind kind) {
    return kind == RecordKind::kVmSpec || kind == RecordKind::kVmPlacement ||
           kind == RecordKind::kVmStatus;
}

// How many of the first `items` are of one VM: their keys are the same up to the last word.
std::size_t items_of_one_vm(std::span<const store::KeyValue> items) {
    const std::string_view first = items.front().key;
    const std::string_view vm = first.substr(0, first.rfind('/') + 1);
    std::size_t count = 1;
    while (count < items.size() && items[count].key.starts_with(vm)) ++count;
    return count;
}

// ---- the others ----

// What is not understood (a newer version wrote it) leaves what was known.
template <class T>
void renew_part(Snapshot& state, PartPtr<T>& part, const store::KeyValue& item, bool deleted,
                Log& log) {
    PartPtr<T> now = deleted ? nullptr : decode<T>(state, item, true, log);
    if (deleted || now) part = std::move(now);
}

void apply_node(Snapshot& state, const model::ParsedKey& key, const store::KeyValue& item,
                bool deleted, Log& log) {
    const NodeEntry* before = state.nodes.find(key.name);
    auto node = before ? std::make_shared<NodeEntry>(*before) : std::make_shared<NodeEntry>();
    node->key = key.name;
    if (key.kind == RecordKind::kNodeSpec) {
        renew_part(state, node->spec, item, deleted, log);
    } else if (key.kind == RecordKind::kNodeStatus) {
        renew_part(state, node->status, item, deleted, log);
    } else {
        if (deleted && node->lease) node->lease_gone_revision = item.mod_revision;
        renew_part(state, node->lease, item, deleted, log);
        if (node->lease) node->lease_gone_revision = 0;
    }
    node->revision = std::max({node->revision, item.mod_revision});
    if (node->spec || node->status || node->lease)
        state.nodes.put(std::move(node));
    else
        state.nodes.erase(key.name);
}

void apply_volume(Snapshot& state, const model::ParsedKey& key, const store::KeyValue& item,
                  bool deleted, Log& log) {
    const std::string name = entry_key(key);
    const VolumeEntry* before = state.volumes.find(name);
    auto volume = before ? std::make_shared<VolumeEntry>(*before) : std::make_shared<VolumeEntry>();
    volume->key = name;
    volume->project_size = key.project.size();
    if (key.kind == RecordKind::kVolumeSpec) {
        renew_part(state, volume->record, item, deleted, log);
    } else {
        renew_part(state, volume->status, item, deleted, log);
    }
    volume->revision = std::max(volume->revision, item.mod_revision);
    if (volume->record || volume->status)
        state.volumes.put(std::move(volume));
    else
        state.volumes.erase(name);
}

template <class T>
void apply_single(Snapshot& state, PersistentMap<SingleEntry<T>>& table,
                  const model::ParsedKey& key, const store::KeyValue& item, bool deleted,
                  Log& log) {
    PartPtr<T> part = deleted ? nullptr : decode<T>(state, item, true, log);
    if (!part && !deleted) return;
    if (!part) {
        table.erase(key.name);
        return;
    }
    auto entry = std::make_shared<SingleEntry<T>>();
    entry->key = key.name;
    entry->record = std::move(part);
    entry->revision = item.mod_revision;
    table.put(std::move(entry));
}

}  // namespace

void apply_change(Snapshot& state, const store::KeyValue& item, bool deleted, Log& log) {
    const model::ParsedKey key = model::parse_key(item.key);
    if (deleted && !state.unread.empty()) state.unread.erase(item.key);
    switch (key.kind) {
        case RecordKind::kVmSpec:
        case RecordKind::kVmPlacement:
        case RecordKind::kVmStatus: return apply_vm(state, key, {&item, 1}, deleted, log);
        case RecordKind::kNodeSpec:
        case RecordKind::kNodeStatus:
        case RecordKind::kNodeLease: return apply_node(state, key, item, deleted, log);
        case RecordKind::kVolumeSpec:
        case RecordKind::kVolumeStatus: return apply_volume(state, key, item, deleted, log);
        case RecordKind::kImage: return apply_single(state, state.images, key, item, deleted, log);
        case RecordKind::kProject:
            return apply_single(state, state.projects, key, item, deleted, log);
        case RecordKind::kOperation:
            return apply_single(state, state.operations, key, item, deleted, log);
        case RecordKind::kFailover:
            return apply_single(state, state.failovers, key, item, deleted, log);
        case RecordKind::kElection: state.election = deleted ? store::KeyValue{} : item; return;
        case RecordKind::kOther: return;
    }
}

void apply_items(Snapshot& state, std::span<const store::KeyValue> items, Log& log) {
    while (!items.empty()) {
        const model::ParsedKey key = model::parse_key(items.front().key);
        std::size_t taken = 1;
        if (is_of_vm(key.kind)) {
            taken = items_of_one_vm(items);
            apply_vm(state, key, items.first(taken), false, log);
        } else {
            apply_change(state, items.front(), false, log);
        }
        items = items.subspan(taken);
    }
}

std::string image_use(std::string_view image) { return join("image", image); }
std::string volume_use(std::string_view project, std::string_view volume) {
    return join("volume", join(project, volume));
}

model::Phase effective_phase(const VmEntry& vm) {
    using model::Phase;
    const bool wants_stop = vm.record && vm.record->value.spec.run == model::Run::kStopped;
    if (vm.node().empty()) return wants_stop ? Phase::kStopped : Phase::kPending;
    const bool current = vm.status && vm.status->value.epoch == vm.placement->value.epoch &&
                         vm.status->value.uid == vm.placement->value.uid;
    return current ? vm.status->value.phase : Phase::kScheduled;
}

}  // namespace blixard::view
