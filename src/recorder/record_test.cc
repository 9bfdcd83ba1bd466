#include "recorder/record.h"

#include <gtest/gtest.h>

namespace blixard::recorder {
namespace {

std::string two_segments() {
    return segment_head(7, "run-a") + block(Block::kCheckpoint, "state") +
           block(Block::kEntries, "one") + block(Block::kEntries, "two") +
           segment_head(8, "run-a") + block(Block::kEntries, "three");
}

TEST(Record, is_read_as_it_was_written) {
    const Result<Record> record = parse_record(two_segments());
    ASSERT_TRUE(record);
    ASSERT_EQ(record->segments.size(), 2u);
    EXPECT_EQ(record->segments[0].number, 7u);
    EXPECT_EQ(record->segments[0].run, "run-a");
    EXPECT_EQ(record->segments[0].checkpoint, "state");
    EXPECT_EQ(record->segments[0].entries, "onetwo");
    EXPECT_EQ(record->segments[1].checkpoint, "");
    EXPECT_EQ(record->segments[1].entries, "three");
    EXPECT_EQ(record->torn_bytes, 0u);
}

TEST(Record, that_ends_within_a_block_is_good_up_to_there) {
    const std::string whole = two_segments();
    const std::string last = block(Block::kEntries, "three");
    for (std::size_t cut = 1; cut < last.size(); ++cut) {
        const Result<Record> record =
            parse_record(std::string_view(whole).substr(0, whole.size() - cut));
        ASSERT_TRUE(record) << cut;
        EXPECT_EQ(record->torn_bytes, last.size() - cut);
        EXPECT_EQ(record->segments.size(), 2u);
        EXPECT_EQ(record->segments[0].entries, "onetwo");
        EXPECT_EQ(record->segments[1].entries, "");
    }
}

TEST(Record, with_one_flipped_bit_is_refused_with_the_place_of_the_block) {
    const std::string whole = two_segments();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            const Result<Record> record = parse_record(damaged);
            EXPECT_FALSE(record) << "byte " << at << " bit " << bit;
        }
    }
    std::string damaged = whole;
    damaged.back() ^= 1;
    EXPECT_EQ(parse_record(damaged).error().message,
              "the record is damaged at byte " +
                  std::to_string(whole.size() - block(Block::kEntries, "three").size()) +
                  ": nothing behind it can be trusted");
}

TEST(Record, of_another_kind_or_version_is_refused_with_what_helps) {
    EXPECT_EQ(parse_record("#!/bin/sh\n").error().message, "this is no record of Blixard");
    EXPECT_EQ(parse_record("").error().help, "make one with: blixard debug record FILE");
    EXPECT_EQ(parse_record("blixard-record 1\nxyz").error().message,
              "the record is of format 1; this build reads format 4");
}

TEST(Record, of_a_daemon_that_lost_its_power_is_joined_from_whole_blocks) {
    const std::string log = segment_head(3, "r") + block(Block::kEntries, "one");
    const std::string state = block(Block::kCheckpoint, "s");
    const std::string joined =
        joined_segment(log + block(Block::kEntries, "two").substr(0, 5), state) +
        joined_segment(segment_head(4, "r"), "");
    const Result<Record> record = parse_record(joined);
    ASSERT_TRUE(record);
    ASSERT_EQ(record->segments.size(), 2u);
    EXPECT_EQ(record->segments[0].entries, "one");
    EXPECT_EQ(record->segments[0].checkpoint, "s");
    EXPECT_EQ(record->torn_bytes, 0u);
    EXPECT_EQ(joined_segment("blixard-rec", state), "");
}

}  // namespace
}  // namespace blixard::recorder
