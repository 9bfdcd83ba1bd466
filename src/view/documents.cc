// The JSON documents of everything but VMs, whose document is kept ready.
#include <fmt/format.h>

#include "view/snapshot.h"

namespace blixard::view {
namespace {

// `"a":1,"b":2` of `{"a":1,"b":2}`, with a comma before it where there is anything.
std::string members(std::string_view json) {
    if (json.size() <= 2) return {};
    return fmt::format(",{}", json.substr(1, json.size() - 2));
}

template <class T>
std::string single(std::string_view kind, std::string_view name_field,
                   const SingleEntry<T>& entry) {
    return fmt::format(R"({{"kind":"{}","{}":"{}","revision":{}{}}})", kind, name_field, entry.key,
                       entry.revision, members(entry.record->bytes));
}

}  // namespace

std::string document(const NodeEntry& node, const Snapshot& state) {
    std::int64_t cpus = 0, memory_mib = 0, vms = 0;
    state.for_each_vm_on(node.key, [&](const VmEntry& vm) {
        ++vms;
        const bool holds =
            vm.record && vm.phase != model::Phase::kStopped && vm.phase != model::Phase::kFailed;
        if (!holds) return;
        cpus += vm.record->value.spec.cpus;
        memory_mib += vm.record->value.spec.memory_mib;
    });
    std::string text = fmt::format(R"({{"kind":"node","name":"{}","revision":{},"ready":{})",
                                   node.key, node.revision, node.ready());
    if (node.spec) text += fmt::format(R"(,"spec":{})", node.spec->bytes);
    if (node.status) text += fmt::format(R"(,"status":{})", node.status->bytes);
    if (node.lease) text += fmt::format(R"(,"lease":{})", node.lease->bytes);
    text += fmt::format(R"(,"allocated":{{"vms":{},"cpus":{},"memory_mib":{}}}}})", vms, cpus,
                        memory_mib);
    return text;
}

std::string document(const VolumeEntry& volume) {
    std::string text = fmt::format(R"({{"kind":"volume","project":"{}","name":"{}","revision":{})",
                                   volume.project(), volume.name(), volume.revision);
    if (volume.record) text += members(volume.record->bytes);
    if (volume.status) text += fmt::format(R"(,"status":{})", volume.status->bytes);
    text += '}';
    return text;
}

std::string document(const ImageEntry& image) { return single("image", "name", image); }
std::string document(const ProjectEntry& project) { return single("project", "name", project); }
std::string document(const OperationEntry& operation) {
    return single("operation", "id", operation);
}
std::string document(const FailoverEntry& failover) { return single("failover", "id", failover); }

}  // namespace blixard::view
