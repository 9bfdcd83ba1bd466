#include "os/pci_devices.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/files.h"
#include "os/temp_dir.h"

namespace blixard::os {
namespace {

// sysfs as Linux lays it out, as far as it is read.
struct Sysfs {
    TempDir dir;
    std::string root() const { return dir.path(); }
    void write(const std::string& path, const std::string& text) {
        ASSERT_TRUE(make_directories(parent_directory(dir.file(path)), 0755));
        ASSERT_TRUE(replace_file(dir.file(path), text));
    }
    void link(const std::string& path, const std::string& target) {
        ASSERT_TRUE(make_directories(parent_directory(dir.file(path)), 0755));
        std::filesystem::create_symlink(target, dir.file(path));
    }
    void function(const std::string& address, const std::string& vendor, const std::string& device,
                  const std::string& pci_class, const std::string& driver,
                  const std::string& group) {
        const std::string base = "sys/bus/pci/devices/" + address;
        write(base + "/vendor", "0x" + vendor + "\n");
        write(base + "/device", "0x" + device + "\n");
        write(base + "/class", "0x" + pci_class + "\n");
        if (!driver.empty()) link(base + "/driver", "../../../bus/pci/drivers/" + driver);
        if (!group.empty()) link(base + "/iommu_group", "../../kernel/iommu_groups/" + group);
    }
};

TEST(PciDevices, a_host_without_any_offers_none) {
    const Sysfs nothing;
    EXPECT_TRUE(scan_pci_devices(nothing.root()).offered.empty());
    EXPECT_TRUE(scan_pci_devices(nothing.root()).refused.empty());
}

TEST(PciDevices, what_is_bound_to_vfio_is_offered_and_nothing_else) {
    Sysfs sysfs;
    sysfs.function("0000:01:00.0", "10de", "20b0", "030200", "vfio-pci", "12");
    sysfs.function("0000:02:00.0", "8086", "1572", "020000", "i40e", "13");
    sysfs.function("0000:03:00.0", "8086", "1572", "020000", "vfio-pci", "14");
    const PciScan scan = scan_pci_devices(sysfs.root());
    EXPECT_EQ(scan.offered,
              (std::vector<PciDevice>{{"gpu", "10de:20b0", "0000:01:00.0", {"0000:01:00.0"}},
                                      {"pci", "8086:1572", "0000:03:00.0", {"0000:03:00.0"}}}));
    EXPECT_TRUE(scan.refused.empty());
}

TEST(PciDevices, a_card_and_its_sound_go_together_the_card_first) {
    Sysfs sysfs;
    sysfs.function("0000:00:01.0", "8086", "1901", "060400", "pcieport", "1");
    sysfs.function("0000:01:00.0", "10de", "0fb9", "040300", "vfio-pci", "1");
    sysfs.function("0000:01:00.1", "10de", "1b80", "030000", "vfio-pci", "1");
    const PciScan scan = scan_pci_devices(sysfs.root());
    ASSERT_EQ(scan.offered.size(), 1u);
    EXPECT_EQ(scan.offered[0].kind, "gpu");
    EXPECT_EQ(scan.offered[0].functions,
              (std::vector<std::string>{"0000:01:00.1", "0000:01:00.0"}));
}

TEST(PciDevices, what_would_let_a_vm_reach_another_device_is_not_offered) {
    Sysfs sysfs;
    sysfs.function("0000:01:00.0", "10de", "1b80", "030000", "vfio-pci", "1");
    sysfs.function("0000:01:00.1", "10de", "0fb9", "040300", "snd_hda_intel", "1");
    sysfs.function("0000:02:00.0", "8086", "1572", "020000", "vfio-pci", "2");
    sysfs.function("0000:03:00.0", "8086", "1572", "020000", "vfio-pci", "2");
    sysfs.function("0000:04:00.0", "8086", "1572", "020000", "vfio-pci", "");
    const PciScan scan = scan_pci_devices(sysfs.root());
    EXPECT_TRUE(scan.offered.empty());
    ASSERT_EQ(scan.refused.size(), 3u);
    EXPECT_NE(scan.refused[0].find("has no IOMMU group"), std::string::npos);
    EXPECT_NE(scan.refused[1].find("0000:01:00.1, which driver snd_hda_intel has"),
              std::string::npos);
    EXPECT_NE(scan.refused[2].find("another device, 0000:03:00.0"), std::string::npos);
}

TEST(PciDevices, a_mediated_device_is_named_by_its_type_and_of_its_parents_kind) {
    Sysfs sysfs;
    const std::string uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    sysfs.write("sys/devices/pci0000:00/0000:01:00.0/class", "0x030200\n");
    sysfs.link("sys/devices/pci0000:00/0000:01:00.0/" + uuid + "/mdev_type",
               "../mdev_supported_types/nvidia-63");
    sysfs.link("sys/bus/mdev/devices/" + uuid, "../../../devices/pci0000:00/0000:01:00.0/" + uuid);
    EXPECT_EQ(scan_pci_devices(sysfs.root()).offered,
              (std::vector<PciDevice>{{"gpu", "nvidia-63", uuid, {}}}));
}

}  // namespace
}  // namespace blixard::os
