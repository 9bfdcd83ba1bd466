#include "bench/micro/state.h"

#include <fmt/format.h>

#include "base/log.h"
#include "model/documents.h"
#include "model/keys.h"
#include "view/view.h"

namespace blixard::bench {
namespace {

constexpr std::int64_t kHosts = 20;

std::string user_data() {
    std::string text = "#cloud-config\nusers:\n";
    for (int i = 0; i < 6; ++i)
        text += fmt::format("  - name: user-{}\n    groups: sudo\n    shell: /bin/bash\n", i);
    return text;
}

model::VmSpec spec_of(std::int64_t number) {
    model::VmSpec spec;
    spec.image = kImage;
    spec.cpus = 2;
    spec.memory_mib = 512;
    spec.labels = {{"app", "shop"}, {"owner", fmt::format("team-{}", number % 7)}, {"tier", "web"}};
    spec.cloud_init.user_data = user_data();
    spec.nics.push_back({.name = "net0"});
    spec.nics[0].forwards.push_back({.host_port = 0, .guest_port = 80});
    return spec;
}

template <class T>
store::KeyValue item(std::string key, const T& value, store::Revision revision) {
    return {.key = std::move(key),
            .value = model::to_json(value),
            .create_revision = revision,
            .mod_revision = revision};
}

}  // namespace

std::string vm_name(std::int64_t number) { return fmt::format("web-{:05}", number); }

std::vector<store::KeyValue> vm_items(std::int64_t number, store::Revision revision) {
    const std::string name = vm_name(number);
    const std::string uid = fmt::format("{:032x}", number + 1);
    const std::string node = fmt::format("host-{:02}", number % kHosts);
    model::VmRecord record;
    record.uid = uid;
    record.created_at = "2026-11-21T05:32:34.199Z";
    record.spec = spec_of(number);
    model::Placement placement{.uid = uid, .node = node, .epoch = 1};
    placement.decided_at = "2026-11-21T05:32:34.201Z";
    placement.reason = "scheduled";
    placement.decision = fmt::format(
        R"({{"chosen":"{}","strategy":"fragmentation","score":-1.25,"hosts_considered":20}})",
        node);
    model::VmStatus status{.uid = uid, .phase = model::Phase::kRunning};
    status.since = "2026-11-21T05:32:35.010Z";
    status.node = node;
    status.epoch = status.generation = 1;
    status.pid = 20000 + number;
    status.pid_start = 123456789;
    status.started_at = "2026-11-21T05:32:34.950Z";
    status.accelerator = "kvm";
    status.machine = "q35";
    status.addresses.push_back({.nic = "net0",
                                .address = fmt::format("127.0.0.1:{}", 30000 + number % 20000),
                                .guest_port = 80});
    return {item(model::vm_key(kProject, name, "placement"), placement, revision),
            item(model::vm_key(kProject, name, "spec"), record, revision),
            item(model::vm_key(kProject, name, "status"), status, revision)};
}

std::vector<store::KeyValue> common_items() {
    model::Image image;
    image.uid = "image-uid";
    model::ImageFile& kernel = image.files.emplace_back();
    kernel.role = model::FileRole::kKernel;
    kernel.sha256.assign(64, 'b');
    std::vector<store::KeyValue> items{item(model::image_key(kImage), image, 1),
                                       item(model::project_key(kProject), model::Project{}, 1)};
    for (std::int64_t i = 0; i < kHosts; ++i)
        items.push_back(
            item(model::node_key(fmt::format("host-{:02}", i), "spec"), model::NodeSpec{}, 1));
    return items;
}

view::SnapshotPtr make_state(std::int64_t vms) {
    NullLog log;
    auto state = std::make_shared<view::Snapshot>();
    for (const store::KeyValue& one : common_items()) view::apply_change(*state, one, false, log);
    for (std::int64_t i = 0; i < vms; ++i)
        for (const store::KeyValue& one : vm_items(i, i + 2))
            view::apply_change(*state, one, false, log);
    state->revision = vms + 1;
    return state;
}

std::string create_body(std::int64_t number) {
    return fmt::format(R"({{"name":"{}","spec":{}}})", vm_name(number),
                       model::to_json(spec_of(number)));
}

}  // namespace blixard::bench
