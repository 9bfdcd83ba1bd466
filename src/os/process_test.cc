#include "os/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "os/cgroup.h"
#include "os/command.h"
#include "os/files.h"
#include "os/temp_dir.h"

namespace blixard::os {
namespace {

TEST(ProcessStat, the_name_may_hold_blanks_and_parentheses) {
    const auto stat = parse_process_stat(
        "4242 (a) b) S 17 1 1 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 3 0 987654 10240 25 "
        "18446744073709551615 1 1");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 17);
    EXPECT_EQ(stat->start, 987654u);
    EXPECT_DOUBLE_EQ(stat->cpu_seconds, 2.0);
    EXPECT_EQ(stat->resident_bytes, 25u * 4096u);
    EXPECT_FALSE(parse_process_stat("1 (x) S 1 2"));
    EXPECT_FALSE(parse_process_stat(""));
}

TEST(Process, is_named_by_pid_and_start_time) {
    const auto self = process_stat(::getpid());
    ASSERT_TRUE(self);
    EXPECT_TRUE(process_lives({::getpid(), self->start}));
    EXPECT_FALSE(process_lives({::getpid(), self->start + 1}));
}

TEST(Process, a_child_is_started_signalled_and_reaped) {
    auto child = spawn({.arguments = {"sleep", "60"}, .new_session = true});
    ASSERT_TRUE(child) << describe(child.error());
    EXPECT_TRUE(process_lives(child->id));
    EXPECT_FALSE(reap(child->pidfd.get()));
    ASSERT_TRUE(send_signal(child->pidfd.get(), SIGKILL));
    EXPECT_EQ(describe(wait_for(child->pidfd.get())), "signal 9 (Killed)");
    EXPECT_FALSE(process_lives(child->id));
    EXPECT_TRUE(send_signal(child->pidfd.get(), SIGKILL));
}

TEST(Process, what_cannot_start_says_why) {
    EXPECT_EQ(spawn({.arguments = {"no-such-program-here"}}).error().code, ErrorCode::kNotFound);
    const TempDir dir;
    ASSERT_TRUE(replace_file(dir.file("plain"), "text"));
    EXPECT_EQ(spawn({.arguments = {dir.file("plain")}}).error().code, ErrorCode::kDenied);
    EXPECT_EQ(spawn({.arguments = {"true"}, .directory = "/none"}).error().code,
              ErrorCode::kNotFound);
    const auto refused = spawn({.arguments = {"true"}, .before_exec = [](ProcessId) -> Status {
                                    return fail(ErrorCode::kInternal, "the disk is full");
                                }});
    EXPECT_NE(refused.error().message.find("the disk is full"), std::string::npos);
}

// A hierarchy of version 2 for this test alone; where there is none, `path` is empty.
struct Hierarchy2 {
    Hierarchy2() {
        if (::mount("none", dir.path().c_str(), "cgroup2", 0, nullptr) != 0) return;
        mounted = true;
        const std::string made = dir.file("blixard-test-" + std::to_string(::getpid()));
        if (::mkdir(made.c_str(), 0755) == 0) path = made;
    }
    ~Hierarchy2() {
        if (!path.empty()) ::rmdir(path.c_str());
        if (mounted) ::umount2(dir.path().c_str(), MNT_DETACH);
    }
    TempDir dir;
    bool mounted = false;
    std::string path;
};

TEST(Process, a_child_is_born_in_its_control_group) {
    const Hierarchy2 groups;
    if (groups.path.empty()) GTEST_SKIP() << "no control groups of version 2 can be made here";
    EXPECT_TRUE(is_cgroup2(groups.path));
    EXPECT_FALSE(is_cgroup2("/"));
    auto child = spawn({.arguments = {"sleep", "60"}, .cgroup = groups.path});
    ASSERT_TRUE(child) << describe(child.error());
    EXPECT_EQ(*read_file(groups.path + "/cgroup.procs"), std::to_string(child->id.pid) + "\n");
    ASSERT_TRUE(send_signal(child->pidfd.get(), SIGKILL));
    wait_for(child->pidfd.get());
}

TEST(Process, a_group_that_is_not_there_is_said_and_nothing_starts) {
    const TempDir dir;
    const auto none = spawn({.arguments = {"true"}, .cgroup = dir.file("none")});
    EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
    const auto no_group = spawn({.arguments = {"true"}, .cgroup = dir.path()});
    ASSERT_FALSE(no_group);
    EXPECT_NE(no_group.error().message.find("join its control group"), std::string::npos);
}

TEST(Process, before_exec_knows_the_name_the_parent_sees) {
    const TempDir dir;
    auto child = spawn({.arguments = {"true"}, .before_exec = [&](ProcessId self) -> Status {
                            return replace_file(dir.file("id"), std::to_string(self.pid) + " " +
                                                                    std::to_string(self.start));
                        }});
    ASSERT_TRUE(child);
    wait_for(child->pidfd.get());
    EXPECT_EQ(*read_file(dir.file("id")),
              std::to_string(child->id.pid) + " " + std::to_string(child->id.start));
}

TEST(Process, only_the_passed_descriptors_are_open_in_the_child) {
    const TempDir dir;
    UniqueFd leak(::open("/dev/zero", O_RDONLY));  // not close-on-exec
    UniqueFd out(::open(dir.file("out").c_str(), O_RDWR | O_CREAT, 0600));
    auto child = spawn({.arguments = {"ls", "/proc/self/fd"},
                        .output_fd = out.get(),
                        .passed_fds = {{leak.get(), 5}, {out.get(), 4}}});
    ASSERT_TRUE(child);
    EXPECT_EQ(wait_for(child->pidfd.get()).status, 0);
    EXPECT_EQ(*read_file(dir.file("out")),
              "0\n1\n2\n3\n4\n5\n");  // 3 is the directory that ls reads
}

TEST(Command, output_and_status_are_kept_and_too_long_is_killed) {
    const auto said = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"}, seconds(10));
    ASSERT_TRUE(said);
    EXPECT_EQ(said->output, "out\n");
    EXPECT_EQ(said->errors, "err\n");
    EXPECT_EQ(said->exit.status, 3);
    EXPECT_EQ(run_command({"sleep", "60"}, Millis{20}).error().code, ErrorCode::kTimeout);
    EXPECT_NE(run_checked({"sh", "-c", "echo broken >&2; exit 1"}, seconds(10))
                  .error()
                  .message.find("broken"),
              std::string::npos);
}

TEST(Command, more_output_than_the_bound_is_cut_not_kept) {
    const auto said = run_command({"head", "-c", "3000000", "/dev/zero"}, seconds(10));
    ASSERT_TRUE(said);
    EXPECT_EQ(said->output.size(), kCommandOutputMax);
}

}  // namespace
}  // namespace blixard::os
