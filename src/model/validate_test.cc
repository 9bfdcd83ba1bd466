#include "model/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "model/documents.h"

namespace blixard::model {
namespace {

using testing::HasSubstr;

VmSpec valid_spec() {
    VmSpec spec;
    spec.image = "debian-13";
    return spec;
}

// The refusal of an otherwise valid spec after `change`.
Error refusal(const std::function<void(VmSpec&)>& change) {
    VmSpec spec = valid_spec();
    change(spec);
    const Status status = validate(spec);
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
}

TEST(Validate, a_spec_with_only_an_image_is_valid) { EXPECT_TRUE(validate(valid_spec())); }

TEST(Validate, a_name_that_climbs_out_or_is_too_long_is_refused) {
    for (const std::string name : {"", "..", "../x", "a/b", "Web", "web_1", "-web", "web-", "w b",
                                   "w\n", "a.b", "caf\xC3\xA9"})
        EXPECT_FALSE(validate_name(name, "name")) << name;
    EXPECT_FALSE(validate_name(std::string(200, 'a'), "name"));
    EXPECT_FALSE(validate_name(std::string(64, 'a'), "name"));
    EXPECT_TRUE(validate_name(std::string(63, 'a'), "name"));
    EXPECT_TRUE(validate_name("0-9", "name"));
    const Error error = validate_name("..", "name").error();
    EXPECT_EQ(error.field, "name");
    EXPECT_EQ(error.message, R"(".." is not a name)");
    EXPECT_THAT(error.help, HasSubstr("a-z, 0-9"));
}

TEST(Validate, cpus_and_memory_have_limits_that_the_refusal_names) {
    Error error = refusal([](VmSpec& spec) { spec.cpus = 0; });
    EXPECT_EQ(error.field, "spec.cpus");
    EXPECT_EQ(error.message, "must be 1 to 512, found 0");
    error = refusal([](VmSpec& spec) { spec.memory_mib = 5; });
    EXPECT_EQ(error.field, "spec.memory_mib");
    EXPECT_EQ(error.message, "must be 16 to 4194304 MiB (4 TiB), found 5 MiB");
    error = refusal([](VmSpec& spec) { spec.memory_mib = 9 * 1024 * 1024; });
    EXPECT_EQ(error.message, "must be 16 to 4194304 MiB (4 TiB), found 9437184 MiB (9 TiB)");
}

TEST(Validate, there_must_be_something_to_boot_from) {
    const Error error = refusal([](VmSpec& spec) { spec.image.clear(); });
    EXPECT_EQ(error.field, "spec.image");
    EXPECT_THAT(error.help, HasSubstr("blixard image list"));
    VmSpec from_volume;
    from_volume.disks.push_back({.name = "root", .volume = "v1"});
    EXPECT_TRUE(validate(from_volume));
}

TEST(Validate, disks_have_different_names_a_size_and_a_volume_of_their_own) {
    EXPECT_EQ(refusal([](VmSpec& spec) {
                  spec.disks = {{.name = "root"}, {.name = "root", .size_mib = 10}};
              }).field,
              "spec.disks[1].name");
    EXPECT_EQ(
        refusal([](VmSpec& spec) { spec.disks = {{.name = "root"}, {.name = "data"}}; }).field,
        "spec.disks[1].size_mib");
    EXPECT_EQ(refusal([](VmSpec& spec) {
                  spec.disks = {{.name = "a", .volume = "v"}, {.name = "b", .volume = "v"}};
              }).field,
              "spec.disks[1].volume");
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.disks = {{.name = "root", .size_mib = -1}}; }).field,
              "spec.disks[0].size_mib");
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.disks = {{.size_mib = 1}}; }).field,
              "spec.disks[0].name");
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.disks.resize(17); }).field, "spec.disks");
}

Nic nic_with(std::vector<PortForward> forwards) {
    Nic nic;
    nic.name = "net0";
    nic.forwards = std::move(forwards);
    return nic;
}

TEST(Validate, ports_are_ports_and_each_host_port_is_forwarded_once) {
    const auto refused_at = [](PortForward forward) {
        return refusal([&](VmSpec& spec) { spec.nics = {nic_with({forward})}; }).field;
    };
    EXPECT_EQ(refused_at({.guest_port = 0}), "spec.nics[0].forwards[0].guest_port");
    EXPECT_EQ(refused_at({.guest_port = 65536}), "spec.nics[0].forwards[0].guest_port");
    EXPECT_EQ(refused_at({.host_port = 65536, .guest_port = 1}),
              "spec.nics[0].forwards[0].host_port");
    EXPECT_EQ(refused_at({.host_address = "::1", .guest_port = 1}),
              "spec.nics[0].forwards[0].host_address");
    EXPECT_EQ(refused_at({.host_address = "localhost", .guest_port = 1}),
              "spec.nics[0].forwards[0].host_address");
    const PortForward web{.host_port = 8080, .guest_port = 80};
    const PortForward same{.host_address = "127.0.0.1", .host_port = 8080, .guest_port = 81};
    EXPECT_EQ(refusal([&](VmSpec& spec) { spec.nics = {nic_with({web, same})}; }).field,
              "spec.nics[0].forwards[1].host_port");
    VmSpec spec = valid_spec();
    spec.nics = {nic_with({web,
                           {.host_port = 8080, .guest_port = 80, .protocol = Protocol::kUdp},
                           {.guest_port = 22},
                           {.guest_port = 23}})};
    EXPECT_TRUE(validate(spec)) << "another protocol is another port, and free ones are chosen";
}

TEST(Validate, a_mac_address_names_one_machine) {
    const auto with_mac = [](const char* mac) {
        VmSpec spec = valid_spec();
        spec.nics = {{.name = "net0", .mac = mac}};
        return validate(spec);
    };
    EXPECT_TRUE(with_mac("52:54:00:12:34:56"));
    for (const char* mac :
         {"53:54:00:12:34:56", "52:54:00:12:34", "52-54-00-12-34-56", "52:54:00:12:34:5g"})
        EXPECT_FALSE(with_mac(mac)) << mac;
}

TEST(Validate, labels_are_few_short_and_printable) {
    const auto refused_at = [](std::string key, std::string value) {
        return refusal([&](VmSpec& spec) { spec.labels[key] = value; }).field;
    };
    EXPECT_EQ(refused_at("a b", "c"), R"(spec.labels["a b"])");
    EXPECT_EQ(refused_at("", "c"), R"(spec.labels[""])");
    EXPECT_EQ(refused_at(std::string(64, 'k'), "c"), "spec.labels." + std::string(64, 'k'));
    EXPECT_EQ(refused_at("k", std::string(64, 'v')), "spec.labels.k");
    EXPECT_EQ(refused_at("k", "a\nb"), "spec.labels.k");
    EXPECT_EQ(refusal([](VmSpec& spec) {
                  for (int i = 0; i < 65; ++i) spec.labels["k" + std::to_string(i)] = "v";
              }).field,
              "spec.labels");
    VmSpec spec = valid_spec();
    spec.labels = {{"app.example/tier_1", "Front end"}, {"empty", ""}};
    EXPECT_TRUE(validate(spec));
}

TEST(Validate, priority_strategy_and_stop_timeout_have_limits) {
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.priority = 1001; }).field, "spec.priority");
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.priority = -1; }).field, "spec.priority");
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.stop_timeout_s = 3601; }).message,
              "must be 0 to 3600 s, found 3601 s");
    const Error error = refusal([](VmSpec& spec) { spec.strategy = "best"; });
    EXPECT_EQ(error.message, R"(cannot be "best")");
    EXPECT_THAT(error.help, HasSubstr("fragmentation"));
    EXPECT_TRUE(is_strategy("round-robin"));
    EXPECT_FALSE(is_strategy(""));
}

TEST(Validate, strategy_manual_needs_a_node) {
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.strategy = "manual"; }).field,
              "spec.constraints.node");
}

TEST(Validate, cloud_init_documents_are_bounded) {
    EXPECT_EQ(
        refusal([](VmSpec& spec) { spec.cloud_init.user_data.assign(64 * 1024 + 1, 'x'); }).field,
        "spec.cloud_init.user_data");
    VmSpec spec = valid_spec();
    spec.cloud_init.user_data.assign(64 * 1024, '\n');
    EXPECT_TRUE(validate(spec));
}

TEST(Validate, a_health_check_has_what_its_kind_needs) {
    const auto refused_at = [](HealthCheck check) {
        return refusal([&](VmSpec& spec) { spec.health = check; }).field;
    };
    EXPECT_EQ(refused_at({.kind = HealthKind::kTcp}), "spec.health.port");
    EXPECT_EQ(refused_at({.kind = HealthKind::kHttp, .port = 80}), "spec.health.port")
        << "no forward to it";
    EXPECT_EQ(refused_at({.kind = HealthKind::kSerial}), "spec.health.pattern");
    EXPECT_EQ(refused_at({.path = "status"}), "spec.health.path");
    EXPECT_EQ(refused_at({.interval_s = 5, .timeout_s = 6}), "spec.health.timeout_s");
    EXPECT_EQ(refused_at({.interval_s = 0}), "spec.health.interval_s");
    EXPECT_EQ(refused_at({.failures = 0}), "spec.health.failures");
    VmSpec spec = valid_spec();
    spec.nics = {nic_with({{.guest_port = 80}})};
    spec.health = HealthCheck{.kind = HealthKind::kHttp, .port = 80};
    EXPECT_TRUE(validate(spec));
}

TEST(Validate, affinity_rules_are_about_somebody_and_do_not_contradict) {
    const auto refused_at = [](std::vector<AffinityRule> rules) {
        return refusal([&](VmSpec& spec) { spec.affinity = rules; }).field;
    };
    EXPECT_EQ(refused_at({{.anti = true}}), "spec.affinity[0].labels");
    EXPECT_EQ(refused_at({{.labels = {{"a", "b"}}, .vm = "c"}}), "spec.affinity[0].vm");
    EXPECT_EQ(refused_at({{.vm = "c"}, {.anti = true, .vm = "c"}}), "spec.affinity[1].anti");
    EXPECT_EQ(refused_at({{.anti = true, .vm = "c", .max_per_node = 0}}),
              "spec.affinity[0].max_per_node");
    VmSpec spec = valid_spec();
    spec.affinity = {{.vm = "c"}, {.anti = true, .hard = false, .vm = "c"}};
    EXPECT_TRUE(validate(spec)) << "a soft rule may be broken";
}

TEST(Validate, a_zone_is_not_preferred_and_excluded) {
    EXPECT_EQ(refusal([](VmSpec& spec) {
                  spec.constraints.zones_preferred = {"a", "b"};
                  spec.constraints.zones_excluded = {"b"};
              }).field,
              "spec.constraints.zones_preferred[1]");
    EXPECT_EQ(refusal([](VmSpec& spec) { spec.constraints.zones_strict = true; }).field,
              "spec.constraints.zones_strict");
}

TEST(Validate, devices_are_asked_for_once_and_by_name) {
    const auto field = [](std::vector<DeviceRequest> devices) {
        return refusal([&](VmSpec& spec) { spec.constraints.devices = devices; }).field;
    };
    EXPECT_EQ(field({{.kind = "gpu"}, {.kind = "gpu"}}), "spec.constraints.devices[1].kind");
    EXPECT_EQ(field({{.kind = "pci"}}), "spec.constraints.devices[0].models");
    EXPECT_EQ(field({{.kind = "pci", .models = {"8086:1572", "8086:1583"}}}),
              "spec.constraints.devices[0].models");
    VmSpec spec = valid_spec();
    spec.constraints.devices = {{.kind = "gpu", .models = {"10de:20b0", "10de:2330"}, .count = 2},
                                {.kind = "pci", .models = {"8086:1572"}}};
    EXPECT_TRUE(validate(spec));
}

TEST(Validate, quotas_are_not_negative) {
    EXPECT_EQ(validate(Quota{.cpus = -1}).error().field, "quota.cpus");
    EXPECT_TRUE(validate(Quota{.vms = 10}));
}

TEST(Validate, a_request_is_refused_at_the_path_in_its_body) {
    VmCreate request{.name = "web/1", .spec = valid_spec()};
    EXPECT_EQ(validate(request).error().field, "name");
    request.name = "web-1";
    request.project = "..";
    EXPECT_EQ(validate(request).error().field, "project");
    request.project.clear();
    EXPECT_TRUE(validate(request));
    EXPECT_EQ(validate(VolumeCreate{.name = "v"}).error().field, "size_mib");
    EXPECT_EQ(validate(VolumeCreate{.name = "v", .size_mib = kDiskMibMax + 1}).error().field,
              "size_mib");
    EXPECT_EQ(validate(ProjectCreate{.name = "p", .quota = {.vms = -1}}).error().field,
              "quota.vms");
    EXPECT_EQ(validate(NodeChange{.spec = {.cost_per_hour = -1}}).error().field,
              "spec.cost_per_hour");
}

TEST(Validate, an_image_has_one_file_per_role_and_no_initrd_alone) {
    const std::string sha(64, 'a');
    ImageCreate image{.name = "i"};
    EXPECT_EQ(validate(image).error().field, "files");
    image.files = {{.role = FileRole::kDisk, .sha256 = "../../etc/passwd"}};
    EXPECT_EQ(validate(image).error().field, "files[0].sha256");
    image.files = {{.role = FileRole::kInitrd, .sha256 = sha}};
    EXPECT_EQ(validate(image).error().field, "files");
    image.files = {{.role = FileRole::kDisk, .sha256 = sha},
                   {.role = FileRole::kDisk, .sha256 = sha}};
    EXPECT_EQ(validate(image).error().field, "files[1].role");
    image.files = {{.role = FileRole::kKernel, .sha256 = sha},
                   {.role = FileRole::kInitrd, .sha256 = sha}};
    EXPECT_TRUE(validate(image));
}

Error change_refusal(const std::function<void(VmSpec&)>& change) {
    VmSpec before = valid_spec();
    before.disks = {{.name = "root", .size_mib = 1000}, {.name = "data", .size_mib = 500}};
    VmSpec now = before;
    change(now);
    const Status status = validate_change(before, now);
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
}

TEST(ValidateChange, what_a_vm_was_made_of_stays) {
    const Error error = change_refusal([](VmSpec& spec) { spec.image = "debian-12"; });
    EXPECT_EQ(error.field, "spec.image");
    EXPECT_EQ(error.message,
              R"(stays "debian-13" for as long as this exists, asked for "debian-12")");
    EXPECT_EQ(change_refusal([](VmSpec& spec) { spec.firmware = Firmware::kUefi; }).field,
              "spec.firmware");
    EXPECT_EQ(change_refusal([](VmSpec& spec) { spec.disks[1].format = DiskFormat::kRaw; }).field,
              "spec.disks[1].format");
    EXPECT_EQ(change_refusal([](VmSpec& spec) { spec.disks[1].pool = "ceph"; }).field,
              "spec.disks[1].pool");
}

TEST(ValidateChange, disks_grow_and_never_shrink) {
    const Error error = change_refusal([](VmSpec& spec) { spec.disks[1].size_mib = 499; });
    EXPECT_EQ(error.field, "spec.disks[1].size_mib");
    EXPECT_EQ(error.message, "a disk cannot shrink: it has 500 MiB, asked for 499 MiB");
    EXPECT_EQ(change_refusal([](VmSpec& spec) { spec.disks[0].size_mib = 0; }).field,
              "spec.disks[0].size_mib");
    EXPECT_EQ(
        validate_change(VolumeRecord{.size_mib = 10}, VolumeChange{.size_mib = 9}).error().field,
        "size_mib");
    EXPECT_TRUE(validate_change(VolumeRecord{.size_mib = 10}, VolumeChange{.size_mib = 11}));
}

TEST(ValidateChange, the_root_disk_stays_first_and_others_come_and_go) {
    EXPECT_EQ(change_refusal([](VmSpec& spec) { std::swap(spec.disks[0], spec.disks[1]); }).field,
              "spec.disks[0]");
    EXPECT_EQ(change_refusal([](VmSpec& spec) { spec.disks.clear(); }).field, "spec.disks[0]");
    VmSpec before = valid_spec();
    before.disks = {{.name = "root"}, {.name = "data", .size_mib = 1}};
    VmSpec now = before;
    now.disks[1] = {.name = "other", .size_mib = 1};
    now.cpus = 8;
    now.labels["a"] = "b";
    EXPECT_TRUE(validate_change(before, now));
}

}  // namespace
}  // namespace blixard::model
