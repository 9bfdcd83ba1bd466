#include "os/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/temp_dir.h"

namespace blixard::os {
namespace {

mode_t mode_of(const std::string& path) {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

TEST(Files, a_file_is_written_whole_with_its_mode_and_nothing_beside_it) {
    const TempDir dir;
    ASSERT_TRUE(write_file_atomically(dir.file("a"), "one", 0640));
    ASSERT_TRUE(write_file_atomically(dir.file("a"), "two", 0640));
    EXPECT_EQ(*read_file(dir.file("a")), "two");
    EXPECT_EQ(mode_of(dir.file("a")), 0640u);
    EXPECT_EQ(*list_directory(dir.path()), std::vector<std::string>{"a"});
}

TEST(Files, what_is_no_file_is_not_replaced_by_one) {
    const TempDir dir;
    ASSERT_EQ(::mkfifo(dir.file("pipe").c_str(), 0600), 0);
    EXPECT_FALSE(replace_file(dir.file("pipe"), "x"));
    EXPECT_FALSE(write_file_atomically(dir.file("pipe"), "x"));
    struct stat found{};
    ASSERT_EQ(::lstat(dir.file("pipe").c_str(), &found), 0);
    EXPECT_TRUE(S_ISFIFO(found.st_mode));
    EXPECT_EQ(*list_directory(dir.path()), std::vector<std::string>{"pipe"});
}

TEST(Files, links_are_not_followed) {
    const TempDir dir;
    ASSERT_TRUE(replace_file(dir.file("real"), "secret"));
    ASSERT_EQ(::symlink(dir.file("real").c_str(), dir.file("link").c_str()), 0);
    EXPECT_FALSE(read_file(dir.file("link")));
    ASSERT_TRUE(replace_file(dir.file("link"), "new"));
    EXPECT_EQ(*read_file(dir.file("real")), "secret");
}

TEST(Files, a_file_larger_than_the_bound_is_refused_but_has_a_tail) {
    const TempDir dir;
    ASSERT_TRUE(replace_file(dir.file("a"), "0123456789"));
    EXPECT_EQ(read_file(dir.file("a"), 5).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(*read_file_tail(dir.file("a"), 3), "789");
    EXPECT_EQ(*read_file_tail(dir.file("a"), 99), "0123456789");
    EXPECT_EQ(read_file(dir.file("none")).error().code, ErrorCode::kNotFound);
}

TEST(Files, directories_are_made_with_their_parents_and_removed_with_their_contents) {
    const TempDir dir;
    ASSERT_TRUE(make_directories(dir.file("x/y/z"), 0700));
    ASSERT_TRUE(make_directories(dir.file("x/y/z"), 0755));
    EXPECT_EQ(mode_of(dir.file("x/y")), 0700u);
    ASSERT_TRUE(replace_file(dir.file("x/y/z/f"), "f"));
    ASSERT_TRUE(replace_file(dir.file("kept"), "kept"));
    ASSERT_EQ(::symlink(dir.file("kept").c_str(), dir.file("x/link").c_str()), 0);
    ASSERT_TRUE(remove_tree(dir.file("x")));
    ASSERT_TRUE(remove_tree(dir.file("x")));
    EXPECT_EQ(*list_directory(dir.path()), std::vector<std::string>{"kept"});
    EXPECT_EQ(make_directories(dir.file("kept/no")).error().code, ErrorCode::kInternal);
    EXPECT_EQ(make_directories(dir.file("kept")).error().code, ErrorCode::kExists);
}

TEST(Files, a_lock_is_held_by_one) {
    const TempDir dir;
    auto first = lock_file(dir.file("lock"));
    ASSERT_TRUE(first);
    EXPECT_EQ(lock_file(dir.file("lock")).error().code, ErrorCode::kUnavailable);
    first->reset();
    EXPECT_TRUE(lock_file(dir.file("lock")));
}

}  // namespace
}  // namespace blixard::os
