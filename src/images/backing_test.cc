#include "images/backing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "os/command.h"
#include "os/files.h"
#include "os/temp_dir.h"

namespace blixard::images {
namespace {

const std::string kA(64, 'a'), kB(64, 'b'), kC(64, 'c');

class BackingTest : public testing::Test {
 protected:
    std::string blob(const std::string& sha256) {
        const std::string path = directory_.file("blobs/" + sha256);
        std::ofstream(path) << std::string(65536, '\0');
        return path;
    }
    void overlay(const std::string& backing, const std::string& format, const std::string& path) {
        const auto made = os::run_checked(
            {"qemu-img", "create", "-q", "-f", "qcow2", "-F", format, "-b", backing, path},
            seconds(60));
        ASSERT_TRUE(made) << made.error().message;
    }
    void SetUp() override {
        ASSERT_TRUE(os::make_directories(directory_.file("blobs")));
        ASSERT_TRUE(os::make_directories(directory_.file("disks/deeper")));
    }

    os::TempDir directory_;
    const std::string disks_ = directory_.file("disks");
};

TEST_F(BackingTest, an_overlay_lies_on_the_image_file_that_it_names) {
    overlay(blob(kA), "raw", disks_ + "/one.qcow2");
    overlay(blob(kB), "raw", disks_ + "/deeper/two.qcow2.tmp");
    EXPECT_EQ(*images_under_disks(disks_), (std::set<std::string>{kA, kB}));
}

TEST_F(BackingTest, each_link_of_a_chain_is_seen) {
    overlay(blob(kA), "raw", disks_ + "/snapshot.qcow2");
    overlay(disks_ + "/snapshot.qcow2", "qcow2", disks_ + "/now.qcow2");
    EXPECT_EQ(*images_under_disks(disks_), std::set<std::string>{kA});
}

TEST_F(BackingTest, an_overlay_on_a_file_that_is_gone_still_names_it) {
    const std::string file = blob(kA);
    overlay(file, "raw", disks_ + "/one.qcow2");
    ASSERT_TRUE(os::remove_file(file));
    EXPECT_EQ(*images_under_disks(disks_), std::set<std::string>{kA});
}

TEST_F(BackingTest, what_is_no_overlay_names_nothing) {
    ASSERT_TRUE(os::run_checked(
        {"qemu-img", "create", "-q", "-f", "qcow2", disks_ + "/blank.qcow2", "1M"}, seconds(60)));
    std::ofstream(disks_ + "/text") << kA;
    std::ofstream(disks_ + "/empty");
    std::ofstream(disks_ + "/short") << "QFI\xfb";
    ASSERT_EQ(::symlink(blob(kC).c_str(), (disks_ + "/link").c_str()), 0);
    EXPECT_TRUE(images_under_disks(disks_)->empty());
}

TEST_F(BackingTest, where_not_all_can_be_looked_at_nothing_is_known) {
    EXPECT_FALSE(images_under_disks(directory_.file("nowhere")));
    ASSERT_TRUE(os::make_directories(disks_ + "/1/2/3/4/5"));
    const auto found = images_under_disks(disks_);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().message, disks_ + "/1/2/3/4 lies deeper than disks do");
}

}  // namespace
}  // namespace blixard::images
