#include "hypervisor/qemu/host_devices.h"

#include <gtest/gtest.h>

namespace blixard::hypervisor {
namespace {

const std::vector<os::PciDevice> kOffered = {
    {"gpu", "10de:20b0", "0000:01:00.0", {"0000:01:00.0"}},
    {"gpu", "10de:2330", "0000:02:00.0", {"0000:02:00.0"}},
    {"pci", "8086:1572", "0000:03:00.0", {"0000:03:00.0"}}};

std::vector<std::string> addresses(const Result<std::vector<os::PciDevice>>& devices) {
    std::vector<std::string> all;
    if (devices)
        for (const os::PciDevice& device : *devices) all.push_back(device.address);
    return all;
}

TEST(ChooseDevices, the_first_that_is_allowed_and_free) {
    const std::vector<model::DeviceRequest> requests = {{.kind = "gpu"},
                                                        {.kind = "pci", .models = {"8086:1572"}}};
    EXPECT_EQ(addresses(choose_devices(requests, kOffered, {})),
              (std::vector<std::string>{"0000:01:00.0", "0000:03:00.0"}));
    EXPECT_EQ(addresses(choose_devices(requests, kOffered, {{"0000:01:00.0", "default/a"}})),
              (std::vector<std::string>{"0000:02:00.0", "0000:03:00.0"}));
    EXPECT_EQ(addresses(choose_devices({{.kind = "gpu", .models = {"10de:2330"}}}, kOffered, {})),
              (std::vector<std::string>{"0000:02:00.0"}));
}

TEST(ChooseDevices, one_device_is_never_given_twice) {
    const std::vector<model::DeviceRequest> twice = {{.kind = "pci", .models = {"8086:1572"}},
                                                     {.kind = "pci", .models = {"8086:1572"}}};
    EXPECT_FALSE(choose_devices(twice, kOffered, {}));
    EXPECT_EQ(choose_devices({{.kind = "gpu", .count = 2}}, kOffered, {})->size(), 2u);
}

TEST(ChooseDevices, a_shortage_says_who_has_what_there_is) {
    const auto none = choose_devices({{.kind = "gpu", .models = {"10de:20b0"}, .count = 2}},
                                     kOffered, {{"0000:01:00.0", "default/a"}});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(none.error().message,
              "needs 2 gpu 10de:20b0 of this host; it has 0000:01:00.0 (with VM default/a)");
    EXPECT_EQ(choose_devices({{.kind = "pci", .models = {"1:2"}}}, {}, {}).error().message,
              "needs 1 pci 1:2 of this host; it has none");
}

}  // namespace
}  // namespace blixard::hypervisor
