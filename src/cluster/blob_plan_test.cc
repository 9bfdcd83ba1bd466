#include "cluster/blob_plan.h"

#include <gtest/gtest.h>

namespace blixard::cluster {
namespace {

constexpr MonoTime kNow{1000};
const Error kBroken{ErrorCode::kUnavailable, "the line broke", {}, {}};
const Error kLacks{ErrorCode::kNotFound, "not here", {}, {}};

TEST(BlobPlan, asks_one_part_first_to_learn_the_size_and_then_several_hosts_at_once) {
    BlobPlan plan({"a", "b"}, 10, 0, {});
    auto first = plan.next(kNow);
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(first[0].length, 10u);
    EXPECT_TRUE(plan.next(kNow).empty());
    ASSERT_TRUE(plan.arrived(first[0], 10, 35));
    const auto rest = plan.next(kNow);
    ASSERT_EQ(rest.size(), 3u);
    EXPECT_EQ(rest[2].offset, 30u);
    EXPECT_EQ(rest[2].length, 5u);
    EXPECT_NE(rest[0].host, rest[1].host);
    for (const auto& question : rest) EXPECT_TRUE(plan.arrived(question, question.length, 35));
    EXPECT_TRUE(plan.complete());
    EXPECT_EQ(plan.bytes_done(), 35u);
}

TEST(BlobPlan, goes_on_where_an_earlier_try_ended) {
    BlobPlan plan({"a"}, 10, 30, {0, 2});
    const auto questions = plan.next(kNow);
    ASSERT_EQ(questions.size(), 1u);
    EXPECT_EQ(questions[0].part, 1u);
    EXPECT_TRUE(plan.arrived(questions[0], 10, 30));
    EXPECT_TRUE(plan.complete());
}

TEST(BlobPlan, lets_a_host_rest_that_failed_and_gives_its_part_to_another) {
    BlobPlan plan({"a", "b"}, 10, 10, {});
    const auto first = plan.next(kNow).at(0);
    EXPECT_EQ(first.host, "a");
    plan.failed(first, kBroken, kNow);
    const auto second = plan.next(kNow).at(0);
    EXPECT_EQ(second.host, "b");
    plan.failed(second, kBroken, kNow);
    EXPECT_TRUE(plan.next(kNow).empty());
    EXPECT_EQ(plan.wake_at(kNow), (MonoTime{1500}));
    EXPECT_FALSE(plan.wake_at(MonoTime{1500}));
    EXPECT_EQ(plan.next(MonoTime{1500}).size(), 1u);
    EXPECT_FALSE(plan.hopeless());
}

TEST(BlobPlan, gives_up_with_each_hosts_reason_when_nobody_is_left) {
    BlobPlan plan({"a", "b"}, 10, 10, {});
    plan.failed(plan.next(kNow).at(0), kLacks, kNow);
    EXPECT_FALSE(plan.hopeless());
    MonoTime now = kNow;
    for (int i = 0; i < kBlobHostFailuresMax; ++i) {
        now = now + seconds(60);
        plan.failed(plan.next(now).at(0), kBroken, now);
    }
    ASSERT_TRUE(plan.hopeless());
    EXPECT_EQ(plan.hopeless()->message,
              "no host could give the file: a has no such file; b says: the line broke");
    EXPECT_EQ(plan.hopeless()->code, ErrorCode::kUnavailable);
    EXPECT_TRUE(BlobPlan({}, 10, 0, {}).hopeless());
}

TEST(BlobPlan, that_every_host_lacks_it_is_not_found_rather_than_unavailable) {
    BlobPlan plan({"a", "b"}, 10, 10, {});
    plan.failed(plan.next(kNow).at(0), kLacks, kNow);
    plan.failed(plan.next(kNow).at(0), kLacks, kNow);
    ASSERT_TRUE(plan.hopeless());
    EXPECT_EQ(plan.hopeless()->code, ErrorCode::kNotFound);
}

void answer_all(BlobPlan& plan, std::uint64_t total) {
    for (auto questions = plan.next(kNow); !questions.empty(); questions = plan.next(kNow))
        for (const auto& question : questions)
            ASSERT_TRUE(plan.arrived(question, question.length, total));
    ASSERT_TRUE(plan.complete());
}

TEST(BlobPlan, the_only_host_that_gave_a_damaged_whole_is_left_out_and_the_next_is_asked) {
    BlobPlan plan({"a", "b"}, 10, 10, {});
    answer_all(plan, 10);
    EXPECT_EQ(plan.sources(), std::set<std::string>{"a"});
    EXPECT_EQ(plan.reject(), "a");
    EXPECT_FALSE(plan.complete());
    answer_all(plan, 10);
    EXPECT_EQ(plan.sources(), std::set<std::string>{"b"});
}

TEST(BlobPlan, where_several_gave_parts_of_a_damaged_whole_each_is_asked_alone_for_everything) {
    BlobPlan plan({"a", "b"}, 10, 30, {});
    answer_all(plan, 30);
    EXPECT_EQ(plan.sources(), (std::set<std::string>{"a", "b"}));
    EXPECT_EQ(plan.reject(), std::nullopt);
    answer_all(plan, 30);
    EXPECT_EQ(plan.sources(), std::set<std::string>{"a"});
    EXPECT_EQ(plan.reject(), "a");
    answer_all(plan, 30);
    EXPECT_EQ(plan.sources(), std::set<std::string>{"b"});
    EXPECT_EQ(plan.reject(), "b");
    ASSERT_TRUE(plan.hopeless());
    EXPECT_EQ(plan.hopeless()->message,
              "no host could give the file: a has a damaged copy; b has a damaged copy");
}

TEST(BlobPlan, parts_that_an_earlier_try_left_are_nobodys_fault) {
    BlobPlan plan({"a"}, 10, 20, {0});
    answer_all(plan, 20);
    EXPECT_EQ(plan.reject(), std::nullopt);
    answer_all(plan, 20);
    EXPECT_EQ(plan.reject(), "a");
}

TEST(BlobPlan, leaves_a_host_out_whose_file_has_another_size) {
    BlobPlan plan({"a"}, 10, 20, {});
    const auto question = plan.next(kNow).at(0);
    EXPECT_FALSE(plan.arrived(question, 10, 21));
    EXPECT_FALSE(plan.parts_done().contains(question.part));
}

TEST(BlobPlan, bounds_what_is_under_way) {
    BlobPlan plan({"a", "b", "c", "d", "e"}, 10, 1000, {});
    EXPECT_EQ(plan.next(kNow).size(), kBlobPartsUnderWayMax);
}

}  // namespace
}  // namespace blixard::cluster
