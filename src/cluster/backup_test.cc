#include "cluster/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cluster/test_cluster_files.h"

namespace blixard::cluster {
namespace {

constexpr const char* kWords = "correct horse battery";

class BackupTest : public testing::Test {
 protected:
    BackupTest() {
        EXPECT_TRUE(os::write_file_atomically(directory_ / "db", std::string(3'000'000, 'd')));
        EXPECT_TRUE(os::make_directories(directory_ / "out"));
        backup_.manifest = {.cluster_id = "c1",
                            .created_at = "2026-11-27T00:00:00.000Z",
                            .node = "h1",
                            .version = "0.1.0",
                            .revision = 42,
                            .lease_ttl_ms = 4000,
                            .members = {{"h1", "10.0.0.1:7420", "voter", "10.0.0.1:7421"},
                                        {"h2", "10.0.0.2:7420", "worker", ""}},
                            .vms = 3};
        backup_.authority_pem = "the authority";
        backup_.sealed_authority_key = "v1.sealed";
        backup_.voter_key = std::string(32, '\7');
        backup_.snapshot_file = directory_ / "db";
    }
    Result<Backup> read(const std::string& passphrase) {
        return read_backup(path_, passphrase, directory_ / "out");
    }

    TestDirectory directory_;
    const std::string path_ = directory_ / "backup";
    Backup backup_;
};

TEST_F(BackupTest, what_was_written_is_read_with_and_without_a_passphrase) {
    for (const std::string passphrase : {"", kWords}) {
        ASSERT_TRUE(write_backup(path_, backup_, passphrase));
        const auto found = read(passphrase);
        ASSERT_TRUE(found) << found.error().message;
        EXPECT_EQ(found->manifest.cluster_id, "c1");
        EXPECT_EQ(found->manifest.revision, 42);
        ASSERT_EQ(found->manifest.members.size(), 2u);
        EXPECT_EQ(found->manifest.members[0].etcd_endpoint, "10.0.0.1:7421");
        EXPECT_EQ(found->authority_pem, "the authority");
        EXPECT_EQ(found->sealed_authority_key, "v1.sealed");
        EXPECT_EQ(found->voter_key, std::string(32, '\7'));
        EXPECT_EQ(*os::read_file(found->snapshot_file), std::string(3'000'000, 'd'));
    }
}

TEST_F(BackupTest, nothing_can_be_read_of_one_under_a_passphrase) {
    ASSERT_TRUE(write_backup(path_, backup_, kWords));
    EXPECT_EQ(os::read_file(path_)->find("the authority"), std::string::npos);
    EXPECT_EQ(read("").error().code, ErrorCode::kDenied);
    EXPECT_EQ(read("another passphrase").error().code, ErrorCode::kDenied);
}

TEST_F(BackupTest, one_that_is_cut_off_or_something_else_is_refused) {
    ASSERT_TRUE(write_backup(path_, backup_, ""));
    const std::string whole = *os::read_file(path_);
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() / 2}) {
        ASSERT_TRUE(os::write_file_atomically(path_, whole.substr(0, size)));
        const auto found = read("");
        ASSERT_FALSE(found) << size;
        EXPECT_EQ(found.error().code, ErrorCode::kInvalid);
    }
    ASSERT_TRUE(os::write_file_atomically(path_, std::string(100'000, 'x')));
    EXPECT_EQ(read("").error().code, ErrorCode::kInvalid);
}

TEST_F(BackupTest, one_of_a_newer_format_says_so) {
    backup_.manifest.schema = 2;
    ASSERT_TRUE(write_backup(path_, backup_, ""));
    EXPECT_EQ(read("").error().code, ErrorCode::kUnsupported);
}

TEST_F(BackupTest, the_file_is_for_its_owner_alone) {
    ASSERT_TRUE(write_backup(path_, backup_, ""));
    struct stat facts{};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace blixard::cluster
