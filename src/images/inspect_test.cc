#include "images/inspect.h"

#include <gtest/gtest.h>

#include <fstream>

#include "images/qcow2_header.h"
#include "os/temp_dir.h"

namespace blixard::images {
namespace {

using namespace std::string_literals;

void put(std::string& bytes, std::size_t at, std::size_t size, std::uint64_t value) {
    for (std::size_t i = 0; i < size; ++i)
        bytes[at + i] = static_cast<char>(value >> (8 * (size - 1 - i)));
}

// What `qemu-img create -f qcow2 x 10M` writes, as far as we look: 64 KiB clusters, L1 at 192 KiB,
// refcounts at 64 KiB.
std::string good_qcow2() {
    std::string bytes(200'704, '\0');
    bytes.replace(0, 4, "QFI\xfb");
    put(bytes, 4, 4, 3);
    put(bytes, 20, 4, 16);
    put(bytes, 24, 8, 10u << 20);
    put(bytes, 36, 4, 1);
    put(bytes, 40, 8, 0x30000);
    put(bytes, 48, 8, 0x10000);
    put(bytes, 56, 4, 1);
    put(bytes, 96, 4, 4);
    put(bytes, 100, 4, 112);
    return bytes;
}

class InspectTest : public testing::Test {
 protected:
    std::string file(const std::string& bytes, const std::string& name = "disk.qcow2") {
        std::ofstream(directory_.file(name), std::ios::binary) << bytes;
        return directory_.file(name);
    }
    // The message of the refusal, or "taken".
    std::string disk(const std::string& bytes) {
        const auto info = inspect_disk_image(file(bytes));
        return info ? "taken" : info.error().message;
    }
    std::string changed(std::size_t at, std::size_t size, std::uint64_t value) {
        std::string bytes = good_qcow2();
        put(bytes, at, size, value);
        return disk(bytes);
    }

    os::TempDir directory_;
};

TEST_F(InspectTest, a_qcow2_disk_is_known_with_its_size) {
    const auto info = inspect_disk_image(file(good_qcow2()));
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->format, DiskFormat::kQcow2);
    EXPECT_EQ(info->virtual_bytes, 10u << 20);
}

TEST_F(InspectTest, a_qcow2_disk_that_leads_to_other_files_is_refused) {
    EXPECT_NE(changed(8, 8, 0x200).find("backing file"), std::string::npos);
    EXPECT_NE(changed(72, 8, 4).find("external file"), std::string::npos);
    std::string named = good_qcow2();
    put(named, 112, 4, 0x44415441);
    put(named, 116, 4, 8);
    EXPECT_NE(disk(named).find("external data file"), std::string::npos);
}

TEST_F(InspectTest, a_qcow2_disk_that_cannot_be_read_is_refused_with_the_reason) {
    EXPECT_NE(changed(4, 4, 7).find("version 7"), std::string::npos);
    EXPECT_NE(changed(32, 4, 1).find("encrypted"), std::string::npos);
    EXPECT_NE(changed(72, 8, 2).find("corrupt"), std::string::npos);
    EXPECT_NE(changed(72, 8, 1).find("cleanly"), std::string::npos);
    EXPECT_NE(changed(72, 8, 1 << 9).find("not known"), std::string::npos);
}

TEST_F(InspectTest, a_qcow2_disk_whose_numbers_make_no_sense_is_refused) {
    EXPECT_NE(changed(20, 4, 60).find("clusters of 2^60"), std::string::npos);
    EXPECT_NE(changed(20, 4, 3).find("clusters of 2^3"), std::string::npos);
    EXPECT_NE(changed(24, 8, 0).find("size of 0"), std::string::npos);
    EXPECT_NE(changed(24, 8, ~0ull).find("16 TiB"), std::string::npos);
    EXPECT_NE(changed(24, 8, 1ull << 40).find("L1 table of 1 entries"), std::string::npos);
    EXPECT_NE(changed(36, 4, 0xFFFFFFFF).find("L1 table"), std::string::npos);
    EXPECT_NE(changed(40, 8, 0x30001).find("no cluster"), std::string::npos);
    EXPECT_NE(changed(40, 8, 0xFFFFFFFFFFFF0000).find("beyond the end"), std::string::npos);
    EXPECT_NE(changed(48, 8, 0x100000).find("refcount table beyond"), std::string::npos);
    EXPECT_NE(changed(56, 4, 0).find("refcount table of 0"), std::string::npos);
    EXPECT_NE(changed(60, 4, 1'000'000).find("snapshots"), std::string::npos);
    EXPECT_NE(changed(60, 4, 1).find("snapshot table"), std::string::npos);
    EXPECT_NE(changed(100, 4, 7).find("header of 7"), std::string::npos);
    EXPECT_NE(disk(good_qcow2().substr(0, 50)).find("ends after 50"), std::string::npos);
    EXPECT_NE(disk(good_qcow2().substr(0, 90)).find("ends after 90"), std::string::npos);
    EXPECT_NE(disk(good_qcow2().substr(0, 1000)).find("beyond the end"), std::string::npos);
}

TEST_F(InspectTest, a_picture_named_qcow2_is_said_to_be_one) {
    const auto info = inspect_disk_image(file("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s));
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(info.error().message, "the file is no disk: it is a PNG picture");
}

TEST_F(InspectTest, other_things_are_named_with_a_mend) {
    const auto found = [&](const std::string& bytes) {
        const auto info = inspect_disk_image(file(bytes));
        return info ? "taken" : info.error().message.substr(27) + "; " + info.error().help;
    };
    EXPECT_EQ(found("KDMV\1\0\0\0"s),
              "a VMware disk (VMDK); convert it first: qemu-img convert -O qcow2 OLD NEW");
    EXPECT_NE(found(std::string(0x40, 'x') + "\x7f\x10\xda\xbe").find("VDI"), std::string::npos);
    EXPECT_NE(found("\xff\xd8\xff\xe0").find("JPEG"), std::string::npos);
    const std::string elf = found(
        "\x7f"
        "ELF\2\1\1");
    EXPECT_NE(elf.find("ELF"), std::string::npos);
    EXPECT_NE(elf.find("--kernel"), std::string::npos);
    EXPECT_NE(found("\x1f\x8b\x08").find("gunzip"), std::string::npos);
    EXPECT_NE(found("PK\3\4").find("ZIP"), std::string::npos);
    EXPECT_NE(found("hello, this is a text\n").find("text"), std::string::npos);
    EXPECT_NE(found("").find("empty"), std::string::npos);
    EXPECT_NE(found("\x01\x02\x03\x04").find("nothing known"), std::string::npos);
    std::string iso(40'960, '\0');
    iso.replace(0x8001, 5, "CD001");
    iso.replace(510, 2, "\x55\xaa");
    EXPECT_NE(found(iso).find("cloud image"), std::string::npos);
}

TEST_F(InspectTest, a_raw_disk_is_whole_sectors_with_something_known_in_front) {
    std::string raw(1 << 20, '\0');
    EXPECT_EQ(disk(raw), "taken");
    raw.replace(510, 2, "\x55\xaa");
    EXPECT_EQ(disk(raw), "taken");
    EXPECT_NE(disk(raw + "x").find("no whole sectors"), std::string::npos);
    std::string ext4(1 << 20, '\0');
    ext4.replace(1080, 2, "\x53\xef");
    EXPECT_EQ(inspect_disk_image(file(ext4))->format, DiskFormat::kRaw);
}

TEST_F(InspectTest, a_kernel_and_its_initramfs_are_known) {
    std::string kernel(4096, '\0');
    kernel.replace(510, 2, "\x55\xaa");
    kernel.replace(0x202, 4, "HdrS");
    EXPECT_TRUE(inspect_kernel(file(kernel)));
    EXPECT_TRUE(
        inspect_kernel(file("\x7f"
                            "ELF\2\1\1")));
    EXPECT_NE(inspect_kernel(file("\x1f\x8b\x08")).error().help.find("gunzip"), std::string::npos);
    EXPECT_FALSE(inspect_kernel(file("070701")));
    EXPECT_NE(inspect_disk_image(file(kernel)).error().help.find("--kernel"), std::string::npos);
    for (const std::string& start : {"070701"s, "\x1f\x8b\x08"s, "\x28\xb5\x2f\xfd"s,
                                     "\xfd"
                                     "7zXZ\0"s,
                                     "\x02\x21\x4c\x18"s})
        EXPECT_TRUE(inspect_initrd(file(start + "rest")));
    EXPECT_FALSE(inspect_initrd(file(kernel)));
    EXPECT_FALSE(inspect_initrd(file("")));
}

TEST_F(InspectTest, a_path_that_is_no_plain_file_is_refused) {
    EXPECT_EQ(inspect_disk_image(directory_.file("missing")).error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(inspect_disk_image(directory_.path()));
    EXPECT_FALSE(inspect_disk_image("/dev/zero"));
}

}  // namespace
}  // namespace blixard::images
