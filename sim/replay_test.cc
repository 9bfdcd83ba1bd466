// Records that simulated daemons make, played again.
#include "sim/replay.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "recorder/checkpoint.h"
#include "sim/operators.h"
#include "sim/schedule.h"
#include "sim/world.h"

namespace blixard::sim {
namespace {

// Half an hour of three hosts under all faults, of this seed.
Records records_of(std::uint64_t seed) {
    Records records;
    (void)run_plan(make_plan(seed, 3, 14, 0.6, FaultSet{}), false, &records);
    return records;
}

recorder::Record parsed(const std::string& bytes) {
    Result<recorder::Record> record = recorder::parse_record(bytes);
    EXPECT_TRUE(record) << describe(record.error());
    return record ? std::move(*record) : recorder::Record{};
}

TEST(Replay, what_was_recorded_under_all_faults_is_decided_again_in_the_same_way) {
    std::uint64_t calls = 0, stretches = 0;
    for (const std::uint64_t seed : {1, 2, 3}) {
        for (const auto& [host, bytes] : records_of(seed)) {
            const Result<Replay> played = replay(parsed(bytes));
            ASSERT_TRUE(played) << describe(played.error());
            EXPECT_TRUE(played->divergences.empty()) << "seed " << seed << " host " << host << "\n"
                                                     << replay_text(*played);
            EXPECT_EQ(played->timing, 0u);
            calls += played->calls;
            stretches += played->stretches;
        }
    }
    EXPECT_GT(calls, 10'000u);
    EXPECT_GT(stretches, 9u) << "no daemon was ever killed: the faults are too few";
}

TEST(Replay, a_record_that_has_lost_its_beginning_is_played_from_any_checkpoint_that_is_left) {
    std::size_t checkpoints = 0;
    for (const auto& [host, bytes] : records_of(4)) {
        recorder::Record record = parsed(bytes);
        for (; record.segments.size() > 1; record.segments.erase(record.segments.begin())) {
            recorder::Record rest{.segments = {record.segments[1]}};
            ASSERT_FALSE(rest.segments[0].checkpoint.empty());
            ++checkpoints;
            const Result<Replay> played = replay(rest);
            ASSERT_TRUE(played) << describe(played.error());
            EXPECT_TRUE(played->divergences.empty())
                << host << " from segment " << rest.segments[0].number << "\n"
                << replay_text(*played);
        }
    }
    EXPECT_GT(checkpoints, 20u);
}

TEST(Replay, without_the_checkpoint_that_its_beginning_needs_a_segment_is_left_out) {
    recorder::Record record = parsed(records_of(4).begin()->second);
    ASSERT_GT(record.segments.size(), 2u);
    record.segments.erase(record.segments.begin());
    record.segments[0].checkpoint.clear();
    const Result<Replay> played = replay(record);
    ASSERT_TRUE(played);
    EXPECT_EQ(played->unknown_segments, 1u);
    record.segments.resize(1);
    EXPECT_EQ(replay(record).error().message, "the record has no checkpoint to begin at");
}

// As a build would that holds its lease for longer: the record's settings are changed instead.
TEST(Replay, a_build_that_decides_otherwise_is_shown_with_both_decisions) {
    recorder::Record record = parsed(records_of(1).begin()->second);
    NullLog log;
    Result<recorder::Checkpoint> from =
        recorder::read_checkpoint(record.segments[0].checkpoint, log);
    ASSERT_TRUE(from);
    from->agent_settings.lease.ttl = seconds(5);
    record.segments.resize(1);
    record.segments[0].checkpoint = recorder::checkpoint_bytes(*from);
    const Result<Replay> played = replay(record);
    ASSERT_TRUE(played);
    ASSERT_EQ(played->divergences.size(), 1u);
    EXPECT_NE(replay_text(*played).find(
                  "    - ask for a lease of 4000 ms\n    + ask for a lease of 5000 ms\n"),
              std::string::npos)
        << replay_text(*played);
}

TEST(Replay, secrets_are_in_no_record) {
    for (const auto& [host, bytes] : records_of(5)) {
        EXPECT_EQ(bytes.find(kSecret), std::string::npos) << host;
        EXPECT_NE(bytes.find("[removed]"), std::string::npos)
            << "no VM with cloud-init came by " << host;
    }
}

TEST(Replay, a_record_that_ends_anywhere_is_played_up_to_there) {
    const std::string bytes = records_of(1).begin()->second;
    SeededRandom random(11);
    for (int i = 0; i < 25; ++i) {
        const std::size_t size = bytes.size() / 4 + random.below(bytes.size() / 2);
        const Result<recorder::Record> record =
            recorder::parse_record(std::string_view(bytes).substr(0, size));
        ASSERT_TRUE(record) << describe(record.error());
        const Result<Replay> played = replay(*record);
        ASSERT_TRUE(played) << describe(played.error());
        EXPECT_TRUE(played->divergences.empty()) << size << "\n" << replay_text(*played);
    }
}

TEST(Replay, entries_of_another_version_are_refused) {
    recorder::Record record = parsed(records_of(1).begin()->second);
    record.segments.resize(1);
    record.segments[0].entries[0] = 99;
    const Result<Replay> played = replay(record);
    ASSERT_FALSE(played);
    EXPECT_EQ(played.error().message, "the record has an entry 99 where it cannot stand");
    record.segments[0].checkpoint = "x";
    EXPECT_FALSE(replay(record));
}

}  // namespace
}  // namespace blixard::sim
