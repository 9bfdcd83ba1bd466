#include "images/collection.h"

#include <gtest/gtest.h>

namespace blixard::images {
namespace {

constexpr std::int64_t kMinute = 60'000, kDay = 86'400'000;
constexpr std::int64_t kNow =
    1'000 * kDay;  // on the wall when the first minute of the daemon begins

// A daemon that looks at its files now and then. Times are minutes of its life.
class CollectionTest : public testing::Test {
 protected:
    CollectionTest() { facts_.wall = WallTime{kNow}; }

    void at(std::int64_t minute) {
        facts_.mono = MonoTime{minute * kMinute};
        facts_.wall = WallTime{kNow + minute * kMinute + clock_set_ms_};
    }
    void file(const std::string& sha256, std::int64_t asked_minute = -1000) {
        std::erase_if(facts_.files, [&](const Blob& blob) { return blob.sha256 == sha256; });
        facts_.files.push_back({sha256, 7, WallTime{kNow + asked_minute * kMinute}});
    }
    // sha256 of what goes, one behind the other.
    std::string goes() {
        plan_ = collection_.look(facts_);
        std::string text;
        for (const Blob& blob : plan_.files) text += blob.sha256;
        return text;
    }

    Collection collection_{{.grace = Millis{10 * kMinute}, .stray = Millis{7 * kDay}}};
    CollectionFacts facts_;
    CollectionPlan plan_;
    std::int64_t clock_set_ms_ = 0;
};

TEST_F(CollectionTest, the_file_of_a_deleted_image_goes_a_grace_later) {
    file("a");
    facts_.named = {"a"};
    EXPECT_EQ(goes(), "");
    facts_.named = {};
    for (const int minute : {5, 10, 14}) {
        at(minute);
        EXPECT_EQ(goes(), "") << minute;
    }
    at(15);
    EXPECT_EQ(goes(), "a");
}

TEST_F(CollectionTest, a_file_stays_while_any_image_names_it) {
    file("a");
    facts_.named = {"a", "b"};
    for (const int minute : {0, 100, 10'000}) {
        at(minute);
        EXPECT_EQ(goes(), "");
    }
}

TEST_F(CollectionTest, a_file_that_a_disk_lies_on_stays_whatever_the_store_says) {
    file("a");
    facts_.under_disks = {"a"};
    for (const int minute : {0, 100, 30 * 1440}) {
        at(minute);
        EXPECT_EQ(goes(), "") << minute;
    }
    facts_.under_disks = {};
    at(30 * 1440 + 1);
    EXPECT_EQ(goes(), "");
    at(30 * 1440 + 11);
    EXPECT_EQ(goes(), "a");
}

TEST_F(CollectionTest, what_was_named_before_it_came_or_before_a_restart_is_known) {
    facts_.named = {"a", "b"};
    goes();
    facts_.named = {"b"};
    file("a");
    at(5);
    goes();
    EXPECT_EQ(collection_.named_once(), (std::set<std::string>{"a", "b"}));
    file("b");
    facts_.named = {};
    at(10);
    goes();
    EXPECT_EQ(collection_.named_once(), (std::set<std::string>{"a", "b"}));
    Collection next({.grace = Millis{10 * kMinute}, .stray = Millis{7 * kDay}}, {"b", "c"});
    EXPECT_TRUE(next.look(facts_).files.empty());
    at(20);
    const CollectionPlan plan = next.look(facts_);
    ASSERT_EQ(plan.files.size(), 1u);
    EXPECT_EQ(plan.files[0].sha256, "b");
    EXPECT_EQ(next.named_once(), std::set<std::string>{"b"});
}

TEST_F(CollectionTest, an_image_of_the_same_file_made_meanwhile_begins_the_wait_anew) {
    file("a");
    facts_.named = {"a"};
    goes();
    facts_.named = {};
    at(5);
    goes();
    facts_.named = {"a"};
    at(10);
    goes();
    facts_.named = {};
    at(16);
    EXPECT_EQ(goes(), "");
    at(26);
    EXPECT_EQ(goes(), "a");
}

TEST_F(CollectionTest, a_file_that_was_asked_for_just_now_stays) {
    file("a");
    facts_.named = {"a"};
    goes();
    facts_.named = {};
    at(5);
    goes();
    file("a", 14);  // an image is being made of it
    at(16);
    EXPECT_EQ(goes(), "");
    at(24);
    EXPECT_EQ(goes(), "a");
}

TEST_F(CollectionTest, an_upload_that_no_image_was_made_of_stays_for_a_week) {
    file("a", 0);
    for (const std::int64_t minute : {0, 20, 1440, 7 * 1440 - 1}) {
        at(minute);
        EXPECT_EQ(goes(), "") << minute;
    }
    at(7 * 1440);
    EXPECT_EQ(goes(), "a");
}

// After `cluster leave`, or a start: it may be of a cluster that this host will be in again.
TEST_F(CollectionTest,
       a_file_that_no_image_of_this_store_named_stays_for_a_week_after_it_was_used) {
    file("a", -6 * 1440);
    goes();
    at(1439);
    EXPECT_EQ(goes(), "");
    at(1440);
    EXPECT_EQ(goes(), "a");
}

TEST_F(CollectionTest, even_a_file_that_nobody_asked_for_in_years_is_watched_for_a_grace) {
    file("a", -1000 * 1440);
    EXPECT_EQ(goes(), "");
    at(9);
    EXPECT_EQ(goes(), "");
    at(10);
    EXPECT_EQ(goes(), "a");
}

TEST_F(CollectionTest, a_clock_that_jumps_ahead_deletes_nothing_by_itself) {
    file("a", 0);
    goes();
    clock_set_ms_ = 100 * kDay;
    at(1);
    EXPECT_EQ(goes(), "");
}

TEST_F(CollectionTest, a_file_that_was_asked_for_in_the_future_is_marked_with_the_clock_as_it_is) {
    file("a", 500);
    at(20);
    EXPECT_EQ(goes(), "");
    EXPECT_EQ(plan_.refresh, std::vector<std::string>{"a"});
}

// So that the week of a cluster that this host leaves begins when it leaves, not when the file
// came.
TEST_F(CollectionTest, what_is_needed_is_marked_once_a_day) {
    file("a", 0);
    file("b", 0);
    facts_.named = {"a"};
    at(1439);
    goes();
    EXPECT_TRUE(plan_.refresh.empty());
    at(1440);
    goes();
    EXPECT_EQ(plan_.refresh, std::vector<std::string>{"a"});
}

TEST_F(CollectionTest, a_file_that_is_on_its_way_again_stays) {
    file("a", -1000 * 1440);
    facts_.fetching = {"a"};
    goes();
    at(20);
    EXPECT_EQ(goes(), "");
}

TEST_F(CollectionTest, what_a_fetch_left_goes_when_its_image_is_gone) {
    facts_.parts = {{"a", 5, WallTime{kNow}}, {"b", 5, WallTime{kNow}}, {"c", 5, WallTime{kNow}}};
    facts_.named = {"a"};
    facts_.fetching = {"b"};
    at(9);
    goes();
    EXPECT_TRUE(plan_.parts.empty());
    at(10);
    goes();
    EXPECT_EQ(plan_.parts, std::vector<std::string>{"c"});
}

TEST(Digests, each_run_of_64_hex_digits_in_a_text_is_one) {
    const std::string a(64, 'a');
    std::string b(64, '0'), c(64, 'a');
    b.back() = 'f';
    c.back() = 'b';
    EXPECT_TRUE(digests_in("").empty());
    EXPECT_TRUE(digests_in(a.substr(1) + "g" + a.substr(1)).empty());
    EXPECT_EQ(digests_in(a), std::set<std::string>{a});
    EXPECT_EQ(digests_in("{\"files\":[{\"sha256\":\"" + a + "\"},{\"newer\":\"" + b + "\"}]}"),
              (std::set<std::string>{a, b}));
    EXPECT_EQ(digests_in("/var/lib/blixard/blobs/" + b), std::set<std::string>{b});
    EXPECT_EQ(digests_in(a + "b"), (std::set<std::string>{a, c}));
}

}  // namespace
}  // namespace blixard::images
