#include "images/blob_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>

#include "os/files.h"
#include "os/temp_dir.h"

namespace blixard::images {
namespace {

// FIPS 180-2, appendix B.1.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class BlobStoreTest : public testing::Test {
 protected:
    std::size_t files_in(const std::string& name) {
        return os::list_directory(directory_.file(name))->size();
    }
    Blob put(std::string_view bytes) {
        auto writer = *store_->begin(std::nullopt);
        EXPECT_TRUE(writer->write(bytes));
        EXPECT_TRUE(writer->finish({}));
        return *store_->find(kAbc);
    }
    static void was_used_at(const std::string& path, std::int64_t seconds) {
        const timespec times[2] = {{seconds, 0}, {seconds, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    }

    os::TempDir directory_;
    std::unique_ptr<BlobStore> store_ = std::move(*BlobStore::open(directory_.path()));
};

TEST_F(BlobStoreTest, a_blob_stands_under_the_sha256_of_its_bytes) {
    auto writer = *store_->begin(std::nullopt);
    ASSERT_TRUE(writer->write("a"));
    ASSERT_TRUE(writer->write("bc"));
    EXPECT_EQ(files_in("blobs"), 0u);
    const auto blob = writer->finish({});
    ASSERT_TRUE(blob);
    EXPECT_EQ(blob->sha256, kAbc);
    EXPECT_EQ(blob->size_bytes, 3u);
    EXPECT_EQ(*os::read_file(store_->path_of(kAbc)), "abc");
    EXPECT_EQ(files_in("uploads"), 0u);
    EXPECT_TRUE(store_->verify(kAbc));
    EXPECT_EQ(store_->find(kAbc)->size_bytes, 3u);
}

TEST_F(BlobStoreTest, the_same_bytes_twice_are_one_blob) {
    for (int i = 0; i < 2; ++i) {
        auto writer = *store_->begin(3);
        ASSERT_TRUE(writer->write("abc"));
        ASSERT_TRUE(writer->finish(kAbc));
    }
    EXPECT_EQ(store_->list()->size(), 1u);
}

TEST_F(BlobStoreTest, bytes_that_are_not_the_expected_ones_are_refused_and_gone) {
    {
        auto writer = *store_->begin(std::nullopt);
        ASSERT_TRUE(writer->write("abd"));
        const auto blob = writer->finish(kAbc);
        ASSERT_FALSE(blob);
        EXPECT_EQ(blob.error().code, ErrorCode::kInvalid);
    }
    EXPECT_EQ(files_in("blobs") + files_in("uploads"), 0u);
}

TEST_F(BlobStoreTest, an_upload_that_is_dropped_leaves_nothing) {
    {
        (void)(*store_->begin(std::nullopt))->write("half");
    }
    EXPECT_EQ(files_in("uploads"), 0u);
}

TEST_F(BlobStoreTest, what_a_killed_process_left_is_swept_at_the_next_start) {
    std::ofstream(directory_.file("uploads/left")) << "half";
    store_ = std::move(*BlobStore::open(directory_.path()));
    EXPECT_EQ(files_in("uploads"), 0u);
}

TEST_F(BlobStoreTest, a_file_that_was_fetched_and_verified_is_taken_over) {
    ASSERT_TRUE(os::make_directories(store_->fetches_directory()));
    const std::string path = store_->fetches_directory() + "/part";
    std::ofstream(path) << "hello\n";
    const std::string sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const auto blob = store_->adopt(path, sha256);
    ASSERT_TRUE(blob) << blob.error().message;
    EXPECT_EQ(blob->size_bytes, 6u);
    EXPECT_TRUE(store_->verify(sha256));
    EXPECT_FALSE(os::path_exists(path));
    EXPECT_FALSE(store_->adopt(path, sha256));
}

TEST_F(BlobStoreTest, zeros_take_no_room_on_the_disk_and_count_all_the_same) {
    auto writer = *store_->begin(std::nullopt);
    const std::string zeros(300'000, '\0');
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer->write(zeros));
    ASSERT_TRUE(writer->write("end"));
    ASSERT_TRUE(writer->write(zeros));
    const auto blob = writer->finish({});
    ASSERT_TRUE(blob);
    EXPECT_EQ(blob->size_bytes, 101u * 300'000 + 3);
    struct stat facts{};
    ASSERT_EQ(::stat(store_->path_of(blob->sha256).c_str(), &facts), 0);
    EXPECT_EQ(static_cast<std::uint64_t>(facts.st_size), blob->size_bytes);
    EXPECT_LT(facts.st_blocks * 512, 1'000'000);
    EXPECT_TRUE(store_->verify(blob->sha256));
}

TEST_F(BlobStoreTest, a_full_disk_is_said_and_nothing_is_left) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1'000'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    {
        auto writer = *store_->begin(std::nullopt);
        const auto status = writer->write(std::string(2'000'000, 'x'));
        EXPECT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::kExhausted);
        EXPECT_FALSE(status.error().help.empty());
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(files_in("uploads"), 0u);
}

TEST_F(BlobStoreTest, an_upload_that_cannot_fit_is_refused_before_it_begins) {
    const auto writer = store_->begin(std::uint64_t{1} << 60);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, ErrorCode::kExhausted);
}

TEST_F(BlobStoreTest, a_blob_that_changed_on_disk_is_found_out) {
    auto writer = *store_->begin(std::nullopt);
    (void)writer->write("abc");
    ASSERT_TRUE(writer->finish({}));
    std::ofstream(store_->path_of(kAbc)) << "abX";
    EXPECT_EQ(store_->verify(kAbc).error().code, ErrorCode::kInternal);
}

TEST_F(BlobStoreTest, a_spare_blob_is_deleted_and_what_it_took_is_said) {
    const Blob blob = put("abc");
    EXPECT_EQ(*store_->remove_spare(blob), std::optional<std::uint64_t>(4096));
    EXPECT_EQ(store_->find(kAbc).error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(store_->remove_spare(blob));
    EXPECT_EQ(files_in("leaving"), 0u);
}

TEST_F(BlobStoreTest, a_blob_that_was_used_since_it_was_seen_is_not_spare) {
    put("abc");
    was_used_at(store_->path_of(kAbc), 1000);
    const Blob seen = *store_->find(kAbc);
    EXPECT_EQ(seen.asked_at.ms, 1000'000);
    ASSERT_TRUE(store_->use(kAbc));
    EXPECT_GT(store_->find(kAbc)->asked_at, seen.asked_at);
    EXPECT_EQ(*store_->remove_spare(seen), std::nullopt);
    EXPECT_EQ(*os::read_file(store_->path_of(kAbc)), "abc");
}

TEST_F(BlobStoreTest, a_blob_that_comes_again_is_as_young_as_a_new_one) {
    put("abc");
    was_used_at(store_->path_of(kAbc), 1000);
    put("abc");
    EXPECT_GT(store_->find(kAbc)->asked_at.ms, 1000'000);
}

TEST_F(BlobStoreTest, a_blob_whose_end_was_not_decided_when_the_power_went_is_there_again) {
    put("abc");
    ASSERT_TRUE(os::rename_file(store_->path_of(kAbc), directory_.file("leaving/") + kAbc));
    store_ = std::move(*BlobStore::open(directory_.path()));
    EXPECT_TRUE(store_->verify(kAbc));
    EXPECT_EQ(files_in("leaving"), 0u);
}

TEST_F(BlobStoreTest, what_fetches_have_begun_is_listed_once_each_and_can_go) {
    EXPECT_TRUE(store_->list_parts()->empty());
    const std::string base = store_->fetches_directory() + "/" + kAbc;
    ASSERT_TRUE(os::make_directories(store_->fetches_directory()));
    std::ofstream(base + ".part") << "ab";
    std::ofstream(base + ".have") << "4 3\n";
    was_used_at(base + ".part", 2000);
    was_used_at(base + ".have", 1000);
    const auto parts = *store_->list_parts();
    ASSERT_EQ(parts.size(), 1u);
    EXPECT_EQ(parts[0].sha256, kAbc);
    EXPECT_EQ(parts[0].size_bytes, 6u);
    EXPECT_EQ(parts[0].asked_at.ms, 2000'000);
    EXPECT_TRUE(store_->remove_part(kAbc));
    EXPECT_TRUE(store_->remove_part(kAbc));
    EXPECT_EQ(files_in("fetches"), 0u);
}

TEST_F(BlobStoreTest, a_name_that_is_no_sha256_never_reaches_the_file_system) {
    for (const char* name : {"", "..", "../blobs",
                             "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}) {
        EXPECT_EQ(store_->find(name).error().code, ErrorCode::kInvalid);
        EXPECT_EQ(store_->use(name).error().code, ErrorCode::kInvalid);
    }
}

TEST_F(BlobStoreTest, a_file_can_be_imported_whole) {
    std::ofstream(directory_.file("source")) << "abc";
    EXPECT_EQ(store_->import_file(directory_.file("source"))->sha256, kAbc);
    EXPECT_FALSE(store_->import_file(directory_.file("missing")));
}

}  // namespace
}  // namespace blixard::images
