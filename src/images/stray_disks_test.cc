#include "images/stray_disks.h"

#include <gtest/gtest.h>

#include "os/files.h"
#include "os/temp_dir.h"

namespace blixard::images {
namespace {

const std::string kKept(32, 'a'), kLost(32, 'b');

std::string names(const StrayDisks& disks) {
    std::string text;
    for (const auto& [uid, disk] : disks) text += disk.path.substr(disk.path.rfind('/') + 1) + "\n";
    return text;
}

TEST(StrayDisks, are_files_with_the_uid_of_a_volume_that_no_record_names) {
    os::TempDir directory;
    for (const std::string& name :
         {kKept + ".qcow2", kLost + ".qcow2", kLost + ".qcow2.epoch", kLost + ".raw.tmp"})
        ASSERT_TRUE(os::write_file_atomically(directory.path() + "/" + name, "12345"));
    auto disks = disks_in(directory.path());
    ASSERT_TRUE(disks);
    EXPECT_EQ(disks->size(), 4u);
    EXPECT_GE(disks->begin()->second.size_bytes, 512u) << "what it takes of the file system";
    EXPECT_GT(disks->begin()->second.modified.ms, 1'700'000'000'000);

    drop_named(*disks,
               R"({"schema":9,"volume":{"uid":")" + kKept + R"("},"of_a_newer_version":{}})");
    EXPECT_EQ(names(*disks), kLost + ".qcow2\n" + kLost + ".qcow2.epoch\n" + kLost + ".raw.tmp\n");
    drop_named(*disks, kLost);
    EXPECT_TRUE(disks->empty());
}

TEST(StrayDisks, what_is_not_named_as_a_disk_is_none_of_ours) {
    os::TempDir directory;
    for (const std::string& name :
         {std::string("debian.qcow2"), kLost, kLost + "b.qcow2", std::string("lost+found.txt")})
        ASSERT_TRUE(os::write_file_atomically(directory.path() + "/" + name, "x"));
    ASSERT_TRUE(os::make_directories(directory.path() + "/" + kLost + ".d"));
    auto disks = disks_in(directory.path());
    ASSERT_TRUE(disks);
    EXPECT_EQ(names(*disks), "");
    EXPECT_TRUE(disks_in(directory.path() + "/never-made")->empty());
}

TEST(StrayDisks, a_longer_word_does_not_name_them) {
    StrayDisks disks;
    disks.emplace(kLost, StrayDisk{.path = "/volumes/" + kLost + ".raw"});
    drop_named(disks, R"({"sha256":")" + kLost + kLost + R"("})");
    EXPECT_EQ(disks.size(), 1u);
}

}  // namespace
}  // namespace blixard::images
