#include "daemon/record_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "daemon/record_ports.h"
#include "os/event_loop.h"
#include "os/files.h"
#include "os/temp_dir.h"
#include "recorder/record.h"

namespace blixard::daemon {
namespace {

struct Kept {
    explicit Kept(std::uint64_t bytes_most = 100'000) : bytes_most(bytes_most) { reopen(); }
    ~Kept() {
        files.reset();
        workers.reset();
    }
    void reopen() { files = *RecordFiles::open(directory(), bytes_most, *workers, loop, log); }
    std::string directory() const { return temp.path() + "/record"; }
    void begin(const std::string& run = "run-1") {
        files->begin_segment(
            {.controller_settings = {.run_uid = run}, .state = std::make_shared<view::Snapshot>()});
        // Its checkpoint is there, and counted.
        std::string newest;
        for (const auto& entry : std::filesystem::directory_iterator(directory()))
            if (entry.path().extension() == ".log")
                newest = std::max(newest, entry.path().stem().string());
        const std::uint64_t log_alone = files->bytes();
        loop.run_until(
            [&] {
                return os::path_exists(directory() + "/" + newest + ".state") &&
                       files->bytes() != log_alone;
            },
            seconds(20));
    }
    recorder::Record exported() const {
        const Result<std::string> bytes = export_record(directory());
        EXPECT_TRUE(bytes);
        const Result<recorder::Record> record = recorder::parse_record(*bytes);
        EXPECT_TRUE(record) << describe(record.error());
        return *record;
    }

    const std::uint64_t bytes_most;
    os::TempDir temp;
    NullLog log;
    os::EventLoop loop;
    std::unique_ptr<os::WorkerPool> workers = std::make_unique<os::WorkerPool>(1);
    std::unique_ptr<RecordFiles> files;
};

TEST(RecordFiles, what_was_appended_is_exported_with_its_checkpoint) {
    Kept kept;
    kept.begin();
    kept.files->append("one");
    kept.files->append("two");
    const recorder::Record record = kept.exported();
    ASSERT_EQ(record.segments.size(), 1u);
    EXPECT_EQ(record.segments[0].run, "run-1");
    EXPECT_EQ(record.segments[0].entries, "onetwo");
    EXPECT_FALSE(record.segments[0].checkpoint.empty());
}

TEST(RecordFiles, the_next_daemon_goes_on_behind_what_the_killed_one_left) {
    Kept kept;
    kept.begin("run-1");
    kept.files->append("one");
    kept.reopen();
    kept.begin("run-2");
    kept.files->append("two");
    const recorder::Record record = kept.exported();
    ASSERT_EQ(record.segments.size(), 2u);
    EXPECT_EQ(record.segments[0].entries, "one");
    EXPECT_EQ(record.segments[1].run, "run-2");
    EXPECT_EQ(record.segments[1].number, record.segments[0].number + 1);
}

TEST(RecordFiles, the_oldest_segments_go_when_the_room_is_used_up) {
    Kept kept(20'000);
    for (int i = 0; i < 12; ++i) {
        kept.begin();
        kept.files->append(std::string(3000, static_cast<char>('a' + i)));
        EXPECT_LE(kept.files->bytes(), 20'000u);
    }
    const recorder::Record record = kept.exported();
    EXPECT_LT(record.segments.size(), 8u);
    EXPECT_GT(record.segments.size(), 2u);
    EXPECT_EQ(record.segments.back().entries.substr(0, 1), "l");
}

TEST(RecordFiles,
     without_a_quiet_moment_the_record_ends_and_the_next_segment_does_not_pretend_to_go_on) {
    Kept kept(20'000);
    kept.begin();
    for (int i = 0; i < 30; ++i) kept.files->append(std::string(1000, 'x'));
    EXPECT_LE(kept.files->bytes(), 22'000u);
    kept.begin();
    kept.files->append("again");
    const recorder::Record record = kept.exported();
    EXPECT_EQ(record.segments.back().entries, "again");
    if (record.segments.size() == 2) {
        EXPECT_EQ(record.segments[1].number, record.segments[0].number + 2);
    }
}

TEST(RecordFiles, a_torn_end_does_not_spoil_what_follows_it) {
    Kept kept;
    kept.begin("run-1");
    kept.files->append("one");
    kept.files->append("two");
    const std::string log = kept.directory() + "/00000001.log";
    std::filesystem::resize_file(log, std::filesystem::file_size(log) - 2);
    kept.reopen();
    kept.begin("run-2");
    kept.files->append("three");
    const recorder::Record record = kept.exported();
    ASSERT_EQ(record.segments.size(), 2u);
    EXPECT_EQ(record.segments[0].entries, "one");
    EXPECT_EQ(record.segments[1].entries, "three");
}

TEST(RecordFiles, none_is_said_to_be_none) {
    Kept kept;
    EXPECT_EQ(export_record(kept.directory()).error().code, ErrorCode::kNotFound);
}

TEST(RequestNote, has_who_asked_for_what_and_no_secret) {
    api::Request request{.method = "POST",
                         .path = "/v1/cluster/join",
                         .query = {{"project", "lab"}, {"token", "hunter2"}}};
    request.body = R"({"token":"hunter2","address":"10.0.0.1"})";
    request.principal.name = "root";
    EXPECT_EQ(
        request_note(request),
        R"(POST /v1/cluster/join?project=lab&token=[removed] by root: {"token":"[removed]","address":"10.0.0.1"})");
    request.body = std::string(100'000, '"');
    EXPECT_EQ(request_note(request),
              "POST /v1/cluster/join?project=lab&token=[removed] by root: [removed]");
}

}  // namespace
}  // namespace blixard::daemon
