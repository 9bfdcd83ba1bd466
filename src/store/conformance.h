// What every store must do. An adapter's test makes a Subject and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(memory, StoreConformance, testing::Values(SubjectFactory(...)));
//
// A transaction's revision rises above the one before it. An adapter may combine transactions of
// concurrent writers into one commit of its engine; they then share one revision and come in one
// watch batch. A writer that waits for its answer before it writes again sees its revision rise by
// exactly one.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "store/store.h"
#include "store/test_loop.h"

namespace blixard::store {

// One store under test and the loop that it delivers on. The loop is pumped by the test's thread.
class Subject {
 public:
    virtual ~Subject() = default;
    virtual TestLoop& loop() = 0;
    virtual Store& store() = 0;
    virtual Millis shortest_ttl() const { return {300}; }  // a lease that a test can wait for
};

using SubjectFactory = std::function<std::unique_ptr<Subject>()>;

// Remembers what a watch told.
class Recorder final : public WatchHandler {
 public:
    void on_batch(WatchBatch batch) override {
        EXPECT_GE(batch.revision, revision);
        for (Change& change : batch.changes) {
            EXPECT_LE(change.item.mod_revision, batch.revision);
            if (!changes.empty()) {
                EXPECT_LE(changes.back().item.mod_revision, change.item.mod_revision);
            }
            changes.push_back(std::move(change));
        }
        revision = batch.revision;
        ++batches;
    }
    void on_end(Error error) override { end = std::move(error); }

    // "key=value@+n" and "-key@+n", revisions counted from `base`.
    std::vector<std::string> story(Revision base) const {
        std::vector<std::string> lines;
        for (const Change& change : changes) {
            const std::string at = "@" + std::to_string(change.item.mod_revision - base);
            lines.push_back(change.deleted ? "-" + change.item.key + at
                                           : change.item.key + "=" + change.item.value + at);
        }
        return lines;
    }

    std::vector<Change> changes;
    Revision revision = 0;
    int batches = 0;
    std::optional<Error> end;
};

class StoreConformance : public testing::TestWithParam<SubjectFactory> {
 protected:
    void SetUp() override {
        subject_ = GetParam()();
        ASSERT_TRUE(subject_);
    }

    Store& store() { return subject_->store(); }
    TestLoop& loop() { return subject_->loop(); }

    // Waits for the answer of a call that takes a callback last.
    template <class T, class Call>
    Result<T> wait(Call call) {
        std::optional<Result<T>> answer;
        call([&answer](Result<T> result) { answer = std::move(result); });
        if (!loop().run_until([&] { return answer.has_value(); })) {
            ADD_FAILURE() << "no answer";
            return fail(ErrorCode::kTimeout, "no answer");
        }
        return std::move(*answer);
    }

    Result<Committed> commit(Transaction transaction) {
        return wait<Committed>(
            [&](auto done) { store().commit(std::move(transaction), std::move(done)); });
    }
    Revision put(std::string key, std::string value, LeaseId lease = 0) {
        auto result = commit({.puts = {{std::move(key), std::move(value), lease}}});
        EXPECT_TRUE(result) << describe(result.error());
        return result ? result->revision : -1;
    }
    Revision erase(std::string key) {
        auto result = commit({.deletes = {std::move(key)}});
        EXPECT_TRUE(result) << describe(result.error());
        return result ? result->revision : -1;
    }
    Result<RangeResult> read(Range range) {
        return wait<RangeResult>(
            [&](auto done) { store().read(std::move(range), std::move(done)); });
    }
    std::string keys(Range range) {
        auto result = read(std::move(range));
        if (!result) return describe(result.error());
        std::string text;
        for (const KeyValue& item : result->items) text += item.key + "=" + item.value + " ";
        return text + (result->more ? "..." : "");
    }
    std::string value(const std::string& key, Revision at = 0) {
        auto result = read({.prefix = key, .at = at});
        if (!result || result->items.empty() || result->items[0].key != key) return "(none)";
        return result->items[0].value;
    }
    Revision current() {
        auto result = wait<Revision>([&](auto done) { store().current_revision(std::move(done)); });
        EXPECT_TRUE(result) << describe(result.error());
        return result.value_or(-1);
    }
    LeaseGrant grant(Millis ttl) {
        auto result =
            wait<LeaseGrant>([&](auto done) { store().grant_lease(ttl, std::move(done)); });
        EXPECT_TRUE(result) << describe(result.error());
        return result.value_or(LeaseGrant{});
    }
    Result<Revision> compact(Revision revision) {
        return wait<Revision>([&](auto done) { store().compact(revision, std::move(done)); });
    }
    bool seen(const Recorder& recorder, std::size_t changes) {
        return loop().run_until([&] { return recorder.changes.size() >= changes; });
    }

    std::unique_ptr<Subject> subject_;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreConformance, a_revision_rises_by_one_with_each_transaction_that_changes_something) {
    const Revision first = put("a", "1");
    EXPECT_EQ(put("b", "1"), first + 1);
    EXPECT_EQ(put("b", "1"), first + 2) << "the same value again is a change";
    EXPECT_EQ(erase("b"), first + 3);
    EXPECT_EQ(erase("b"), first + 3) << "deleting what is not there changes nothing";
    EXPECT_EQ(current(), first + 3);
    auto refused = commit({.compares = {{"a", 0}}, .puts = {{"a", "2"}}});
    ASSERT_TRUE(refused);
    EXPECT_FALSE(refused->succeeded);
    EXPECT_EQ(refused->revision, first + 3) << "a failed compare costs no revision";
}

TEST_P(StoreConformance, a_compare_holds_only_at_the_exact_revision) {
    auto created = commit({.compares = {{"a", 0}}, .puts = {{"a", "1"}}});
    ASSERT_TRUE(created && created->succeeded);
    EXPECT_FALSE(commit({.compares = {{"a", 0}}, .puts = {{"a", "2"}}})->succeeded);
    EXPECT_FALSE(
        commit({.compares = {{"a", created->revision - 1}}, .puts = {{"a", "2"}}})->succeeded);
    EXPECT_TRUE(commit({.compares = {{"a", created->revision}}, .puts = {{"a", "3"}}})->succeeded);
    EXPECT_EQ(value("a"), "3");
    erase("a");
    EXPECT_TRUE(commit({.compares = {{"a", 0}}, .puts = {{"a", "4"}}})->succeeded)
        << "a deleted key does not exist";
}

TEST_P(StoreConformance, all_keys_of_a_transaction_change_together_or_not_at_all) {
    put("old", "x");
    auto all = commit(
        {.compares = {{"new", 0}}, .puts = {{"new", "1"}, {"other", "2"}}, .deletes = {"old"}});
    ASSERT_TRUE(all && all->succeeded);
    EXPECT_EQ(keys({}), "new=1 other=2 ");
    auto none = commit({.compares = {{"new", all->revision}, {"other", 1}},
                        .puts = {{"third", "3"}},
                        .deletes = {"new", "other"}});
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->succeeded);
    EXPECT_EQ(keys({}), "new=1 other=2 ");
}

TEST_P(StoreConformance, a_transaction_of_compares_alone_says_whether_they_hold) {
    const Revision revision = put("a", "1");
    EXPECT_TRUE(commit({.compares = {{"a", revision}}})->succeeded);
    EXPECT_FALSE(commit({.compares = {{"a", revision + 1}}})->succeeded);
    EXPECT_EQ(current(), revision);
}

TEST_P(StoreConformance, a_value_knows_when_it_was_created_and_last_changed) {
    const Revision first = put("a", "1");
    const Revision second = put("a", std::string("two\0\xff", 5));
    auto result = read({.prefix = "a"});
    ASSERT_TRUE(result);
    ASSERT_EQ(result->items.size(), 1u);
    EXPECT_EQ(result->items[0], (KeyValue{"a", std::string("two\0\xff", 5), first, second, 0}));
    erase("a");
    const Revision again = put("a", "3");
    EXPECT_EQ(read({.prefix = "a"})->items[0].create_revision, again) << "it came into being anew";
}

TEST_P(StoreConformance, a_range_is_the_keys_of_a_prefix_in_order) {
    for (const char* key : {"vms/b", "vms/a", "vms", "vmt", "vms/\xff", "nodes/x", "vms/a/spec"}) {
        put(key, "1");
    }
    EXPECT_EQ(keys({.prefix = "vms/"}), "vms/a=1 vms/a/spec=1 vms/b=1 vms/\xff=1 ");
    EXPECT_EQ(keys({.prefix = "vms/\xff"}), "vms/\xff=1 ");
    EXPECT_EQ(keys({.prefix = "zzz"}), "");
    EXPECT_EQ(read({})->items.size(), 7u);
}

TEST_P(StoreConformance, a_limited_range_continues_where_it_was_cut_at_the_same_revision) {
    for (int i = 0; i < 5; ++i) put("k" + std::to_string(i), "1");
    auto first = read({.prefix = "k", .limit = 2});
    ASSERT_TRUE(first && first->more);
    EXPECT_EQ(first->items.back().key, "k1");
    erase("k2");
    put("k3", "changed");
    EXPECT_EQ(keys({.prefix = "k", .after = "k1", .limit = 2, .at = first->revision}),
              "k2=1 k3=1 ...");
    EXPECT_EQ(keys({.prefix = "k", .after = "k3", .limit = 2, .at = first->revision}), "k4=1 ");
    EXPECT_EQ(keys({.prefix = "k", .after = "k1"}), "k3=changed k4=1 ");
    EXPECT_EQ(keys({.prefix = "k", .after = "k4"}), "");
    EXPECT_EQ(keys({.prefix = "k", .after = "a", .limit = 1}), "k0=1 ...");
}

TEST_P(StoreConformance, a_kept_revision_can_be_read_and_a_future_one_is_refused) {
    const Revision first = put("a", "1");
    const Revision second = put("a", "2");
    const Revision third = erase("a");
    EXPECT_EQ(value("a", first), "1");
    EXPECT_EQ(value("a", second), "2");
    EXPECT_EQ(value("a", third), "(none)");
    EXPECT_EQ(read({.prefix = "a", .at = first})->revision, first);
    auto future = read({.prefix = "a", .at = third + 5});
    ASSERT_FALSE(future);
    EXPECT_EQ(future.error().code, ErrorCode::kInvalid);
}

TEST_P(StoreConformance, a_watch_tells_every_change_once_from_any_kept_revision) {
    const Revision base = put("a", "1") - 1;
    put("x", "other");
    commit({.puts = {{"ab", "2"}}, .deletes = {"a"}});
    Recorder all, late, future;
    const WatchId first = store().watch("a", base + 1, all);
    const WatchId second = store().watch("a", base + 3, late);
    const WatchId third = store().watch("a", base + 5, future);
    ASSERT_TRUE(seen(all, 3));
    put("a", "4");
    put("ac", "5");
    ASSERT_TRUE(seen(all, 5) && seen(late, 4) && seen(future, 1));
    using testing::UnorderedElementsAre;
    EXPECT_EQ(all.story(base).front(), "a=1@1");
    EXPECT_THAT(all.story(base),
                UnorderedElementsAre("a=1@1", "-a@3", "ab=2@3", "a=4@4", "ac=5@5"));
    EXPECT_THAT(late.story(base), UnorderedElementsAre("-a@3", "ab=2@3", "a=4@4", "ac=5@5"));
    EXPECT_THAT(future.story(base), ElementsAre("ac=5@5"));
    EXPECT_EQ(all.changes.back().item.create_revision, base + 5);
    for (WatchId watch : {first, second, third}) store().unwatch(watch);
}

TEST_P(StoreConformance, changes_of_one_transaction_come_in_one_batch) {
    Recorder recorder;
    const WatchId watch = store().watch("", current() + 1, recorder);
    Transaction transaction;
    for (int i = 0; i < 100; ++i) transaction.puts.push_back({"k" + std::to_string(i), "v"});
    commit(transaction);
    ASSERT_TRUE(loop().run_until([&] { return !recorder.changes.empty(); }));
    EXPECT_EQ(recorder.changes.size(), 100u);
    store().unwatch(watch);
}

TEST_P(StoreConformance, a_watch_that_is_over_tells_nothing_more) {
    Recorder stopped, going;
    const Revision from = current() + 1;
    const WatchId watch = store().watch("", from, stopped);
    const WatchId other = store().watch("", from, going);
    put("a", "1");
    ASSERT_TRUE(seen(going, 1) && seen(stopped, 1));
    store().unwatch(watch);
    put("a", "2");
    ASSERT_TRUE(seen(going, 2));
    EXPECT_EQ(stopped.changes.size(), 1u);
    EXPECT_FALSE(stopped.end);
    store().unwatch(other);
    store().unwatch(other + 1000);
}

TEST_P(StoreConformance, compaction_keeps_what_is_current_and_tells_a_late_reader) {
    const Revision first = put("a", "1");
    put("a", "2");
    put("gone", "x");
    erase("gone");
    const Revision kept = put("b", "1");
    put("a", "3");
    ASSERT_TRUE(compact(kept));
    EXPECT_EQ(keys({}), "a=3 b=1 ");
    EXPECT_EQ(keys({.at = kept}), "a=2 b=1 ");
    auto early = read({.at = first});
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::kCompacted);
    auto again = compact(first);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kCompacted);
    auto future = compact(kept + 100);
    ASSERT_FALSE(future);
    EXPECT_EQ(future.error().code, ErrorCode::kInvalid);
}

TEST_P(StoreConformance, compaction_tells_a_late_watch_and_leaves_the_others_whole) {
    const Revision base = put("a", "1") - 1;
    put("b", "1");
    erase("b");
    put("a", "2");
    ASSERT_TRUE(compact(base + 3));
    Recorder late, kept;
    store().watch("", base + 2, late);
    const WatchId watch = store().watch("", base + 3, kept);
    ASSERT_TRUE(loop().run_until([&] { return late.end.has_value(); }));
    EXPECT_EQ(late.end->code, ErrorCode::kCompacted);
    EXPECT_THAT(late.changes, IsEmpty());
    ASSERT_TRUE(seen(kept, 2));
    EXPECT_THAT(kept.story(base), ElementsAre("-b@3", "a=2@4"));
    store().unwatch(watch);
}

TEST_P(StoreConformance, keys_of_an_ended_lease_go_in_one_transaction) {
    const LeaseGrant lease = grant(subject_->shortest_ttl());
    ASSERT_NE(lease.id, 0);
    EXPECT_GE(lease.ttl, subject_->shortest_ttl());
    put("nodes/a", "1", lease.id);
    const Revision last = put("nodes/b", "2", lease.id);
    EXPECT_EQ(read({.prefix = "nodes/a"})->items[0].lease, lease.id);
    Recorder recorder;
    const WatchId watch = store().watch("nodes/", last + 1, recorder);
    ASSERT_TRUE(seen(recorder, 2));
    EXPECT_THAT(recorder.story(last), ElementsAre("-nodes/a@1", "-nodes/b@1"));
    auto renewed =
        wait<LeaseGrant>([&](auto done) { store().renew_lease(lease.id, std::move(done)); });
    ASSERT_FALSE(renewed);
    EXPECT_EQ(renewed.error().code, ErrorCode::kNotFound);
    store().unwatch(watch);
}

TEST_P(StoreConformance, a_renewed_lease_goes_on) {
    const LeaseGrant lease = grant(subject_->shortest_ttl());
    put("a", "1", lease.id);
    MonoTime renewed_at = loop().mono();
    for (int i = 0; i < 5; ++i) {
        loop().run_for(lease.ttl / 3);
        const MonoTime asked = loop().mono();
        auto renewed =
            wait<LeaseGrant>([&](auto done) { store().renew_lease(lease.id, std::move(done)); });
        ASSERT_TRUE(renewed) << describe(renewed.error());
        renewed_at = asked;
    }
    EXPECT_EQ(value("a"), "1");
    Recorder recorder;
    const WatchId watch = store().watch("a", current() + 1, recorder);
    ASSERT_TRUE(seen(recorder, 1));
    EXPECT_GE(loop().mono() - renewed_at, lease.ttl - Millis{1}) << "never earlier than its time";
    store().unwatch(watch);
}

TEST_P(StoreConformance, a_revoked_lease_takes_its_keys_at_once) {
    const LeaseGrant lease = grant(seconds(60));
    const LeaseGrant other = grant(seconds(60));
    put("a", "1", lease.id);
    put("moved", "1", lease.id);
    put("moved", "2", other.id);
    put("freed", "1", lease.id);
    put("freed", "2");
    auto revoked = wait<bool>([&](auto done) { store().revoke_lease(lease.id, std::move(done)); });
    ASSERT_TRUE(revoked) << describe(revoked.error());
    EXPECT_EQ(keys({}), "freed=2 moved=2 ");
    auto again = wait<bool>([&](auto done) { store().revoke_lease(lease.id, std::move(done)); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
}

TEST_P(StoreConformance, a_put_on_a_lease_that_is_not_there_is_refused) {
    const Revision before = current();
    auto refused = commit({.puts = {{"a", "1", 123456789}, {"b", "1"}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(current(), before);
}

TEST_P(StoreConformance, bounds_are_kept) {
    Transaction most;
    for (std::size_t i = 0; i < kMaxOperations; ++i) {
        most.compares.push_back({"k" + std::to_string(i), 0});
        most.puts.push_back({"k" + std::to_string(i), "v"});
    }
    EXPECT_TRUE(commit(most)->succeeded);
    most.puts.push_back({"one-more", "v"});
    EXPECT_EQ(commit(most).error().code, ErrorCode::kTooLarge);
    EXPECT_TRUE(
        commit({.puts = {{std::string(kMaxKeyBytes, 'k'), std::string(kMaxValueBytes, 'v')}}}));
    EXPECT_EQ(commit({.puts = {{std::string(kMaxKeyBytes + 1, 'k'), ""}}}).error().code,
              ErrorCode::kTooLarge);
    EXPECT_EQ(commit({.puts = {{"k", std::string(kMaxValueBytes + 1, 'v')}}}).error().code,
              ErrorCode::kTooLarge);
    EXPECT_EQ(commit({.puts = {{"a", "1"}, {"a", "2"}}}).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(commit({.puts = {{"a", "1"}}, .deletes = {"a"}}).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(commit({.puts = {{"", "1"}}}).error().code, ErrorCode::kInvalid);
    Transaction large;
    for (int i = 0; i < 2; ++i)
        large.puts.push_back({"l" + std::to_string(i), std::string(750'000, 'v')});
    EXPECT_EQ(commit(large).error().code, ErrorCode::kTooLarge);
}

TEST_P(StoreConformance, a_big_state_is_read_in_one_range_and_in_pages) {
    const std::string value(50'000, 'v');
    for (int t = 0; t < 8; ++t) {
        Transaction transaction;
        for (int i = 0; i < 20; ++i) {
            transaction.puts.push_back({"k" + std::to_string(100 + t * 20 + i), value});
        }
        ASSERT_TRUE(commit(transaction));
    }
    auto all = read({.prefix = "k"});
    ASSERT_TRUE(all) << describe(all.error());
    EXPECT_EQ(all->items.size(), 160u);
    EXPECT_FALSE(all->more);
    Recorder recorder;
    const WatchId watch = store().watch("k", all->items[0].mod_revision, recorder);
    EXPECT_TRUE(seen(recorder, 160));
    EXPECT_EQ(recorder.changes.size(), 160u);
    store().unwatch(watch);
}

// Everything that was acknowledged is there; every increment counted once; the watch told all of
// it.
TEST_P(StoreConformance, concurrent_writers_do_not_harm_each_other) {
    constexpr int kThreads = 4, kWritesEach = 50;
    put("counter", "0");
    Recorder recorder;
    const WatchId watch = store().watch("", current() + 1, recorder);
    std::atomic<int> answered = 0, succeeded = 0, refused = 0;
    std::vector<std::thread> threads;
    const Revision stale = current() - 1;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kWritesEach; ++i) {
                const std::string key = "t" + std::to_string(t) + "/" + std::to_string(i);
                const bool wrong = i % 5 == 4;  // a neighbour whose compare fails
                store().commit({.compares = {{wrong ? "counter" : key, wrong ? stale : 0}},
                                .puts = {{key, "v"}}},
                               [&](Result<Committed> result) {
                                   ++answered;
                                   if (result && result->succeeded) ++succeeded;
                                   if (result && !result->succeeded) ++refused;
                               });
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(loop().run_until([&] { return answered == kThreads * kWritesEach; }));
    EXPECT_EQ(succeeded, kThreads * kWritesEach * 4 / 5);
    EXPECT_EQ(refused, kThreads * kWritesEach / 5);
    EXPECT_EQ(read({.prefix = "t"})->items.size(), 160u);
    EXPECT_TRUE(seen(recorder, 160));
    std::set<std::string> told;
    for (const Change& change : recorder.changes) told.insert(change.item.key);
    EXPECT_EQ(told.size(), 160u);
    EXPECT_EQ(recorder.changes.size(), 160u);
    store().unwatch(watch);
}

TEST_P(StoreConformance, of_writers_who_compare_the_same_revision_one_wins) {
    const Revision revision = put("a", "0");
    int answered = 0, won = 0;
    for (int i = 0; i < 20; ++i) {
        store().commit({.compares = {{"a", revision}}, .puts = {{"a", std::to_string(i)}}},
                       [&](Result<Committed> result) {
                           ++answered;
                           if (result && result->succeeded) ++won;
                       });
    }
    ASSERT_TRUE(loop().run_until([&] { return answered == 20; }));
    EXPECT_EQ(won, 1);
}

TEST_P(StoreConformance, one_callers_transactions_on_a_key_happen_in_their_order) {
    int answered = 0;
    for (int i = 1; i <= 30; ++i) {
        store().commit({.puts = {{"a", std::to_string(i)}}},
                       [&](Result<Committed>) { ++answered; });
    }
    ASSERT_TRUE(loop().run_until([&] { return answered == 30; }));
    EXPECT_EQ(value("a"), "30");
}

}  // namespace blixard::store
