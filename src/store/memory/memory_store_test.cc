#include "store/memory/memory_store.h"

#include "store/conformance.h"

namespace blixard::store {
namespace {

class MemorySubject final : public Subject {
 public:
    TestLoop& loop() override { return loop_; }
    Store& store() override { return store_; }

 private:
    TestLoop loop_{TestTime::kVirtual};
    MemoryStore store_{loop_, loop_};
};

INSTANTIATE_TEST_SUITE_P(memory, StoreConformance, testing::Values(SubjectFactory([] {
                             return std::make_unique<MemorySubject>();
                         })));

// Two clients of one backend on virtual time.
class MemoryFaults : public testing::Test, public FaultPlan {
 protected:
    CommitFault on_commit(const Transaction&) override { return std::exchange(fault_, {}); }

    std::optional<Result<Committed>> put(MemoryStore& client, std::string key, Millis patience) {
        std::optional<Result<Committed>> answer;
        client.commit({.puts = {{std::move(key), "v"}}},
                      [&answer](Result<Committed> result) { answer = std::move(result); });
        loop_.run_until([&] { return answer.has_value(); }, patience);
        return answer;
    }
    ErrorCode put_error(MemoryStore& client, std::string key) {
        auto answer = put(client, std::move(key), seconds(10));
        return answer && !*answer ? answer->error().code : ErrorCode::kInternal;
    }
    bool stored(const std::string& key) { return backend_->history().find(key) != nullptr; }

    CommitFault fault_;
    TestLoop loop_{TestTime::kVirtual};
    std::shared_ptr<MemoryBackend> backend_ = std::make_shared<MemoryBackend>(loop_, loop_);
    MemoryStore a_{backend_, loop_, {.faults = this}};
    MemoryStore b_{backend_, loop_};
};

TEST_F(MemoryFaults, an_unknown_outcome_may_have_happened_or_not) {
    fault_ = {CommitOutcome::kUnknownApplied};
    EXPECT_EQ(put_error(a_, "happened"), ErrorCode::kUnknownOutcome);
    EXPECT_TRUE(stored("happened"));
    fault_ = {CommitOutcome::kUnknownNotApplied};
    EXPECT_EQ(put_error(a_, "not"), ErrorCode::kUnknownOutcome);
    EXPECT_FALSE(stored("not"));
    fault_ = {CommitOutcome::kUnavailable};
    EXPECT_EQ(put_error(a_, "not"), ErrorCode::kUnavailable);
    EXPECT_FALSE(stored("not"));
}

TEST_F(MemoryFaults, a_delayed_transaction_is_overtaken_by_another_client) {
    fault_ = {.delay = seconds(2)};
    std::optional<Revision> slow;
    a_.commit({.puts = {{"a", "v"}}}, [&](Result<Committed> result) {
        if (result) slow = result->revision;
    });
    EXPECT_EQ((*put(b_, "b", seconds(1)))->revision, 1);
    ASSERT_TRUE(loop_.run_until([&] { return slow.has_value(); }));
    EXPECT_EQ(*slow, 2);
}

TEST_F(MemoryFaults, a_cut_watch_resumes_without_gap_or_repeat) {
    Recorder recorder;
    a_.watch("", 1, recorder);
    put(b_, "k1", seconds(1));
    a_.set_link({.requests_cut = true, .replies_cut = true});
    put(b_, "k2", seconds(1));
    put(b_, "k3", seconds(1));
    loop_.run_for(seconds(5));
    EXPECT_THAT(recorder.story(0), ElementsAre("k1=v@1"));
    EXPECT_EQ(put_error(a_, "cut"), ErrorCode::kUnavailable);
    a_.set_link({});
    loop_.run_for(seconds(1));
    EXPECT_THAT(recorder.story(0), ElementsAre("k1=v@1", "k2=v@2", "k3=v@3"));
}

TEST_F(MemoryFaults, a_watch_that_was_cut_over_a_compaction_is_told_so) {
    Recorder recorder;
    a_.watch("", 1, recorder);
    put(b_, "k1", seconds(1));
    a_.set_link({.replies_cut = true});
    for (int i = 0; i < 5; ++i) put(b_, "k2", seconds(1));
    ASSERT_TRUE(backend_->compact(5));
    a_.set_link({});
    loop_.run_for(seconds(1));
    ASSERT_TRUE(recorder.end);
    EXPECT_EQ(recorder.end->code, ErrorCode::kCompacted);
}

TEST_F(MemoryFaults, lost_replies_leave_the_outcome_unknown) {
    a_.set_link({.replies_cut = true});
    EXPECT_EQ(put_error(a_, "a"), ErrorCode::kUnknownOutcome);
    EXPECT_TRUE(stored("a"));
}

TEST_F(MemoryFaults, a_watch_never_hears_of_a_change_before_its_delay) {
    Recorder recorder;
    a_.set_link({.delay = Millis{100}});
    a_.watch("", 1, recorder);
    put(b_, "k1", seconds(1));
    loop_.run_for(Millis{60});
    put(b_, "k2", seconds(1));
    loop_.run_for(Millis{50});
    EXPECT_THAT(recorder.story(0), ElementsAre("k1=v@1"));
    loop_.run_for(Millis{50});
    EXPECT_THAT(recorder.story(0), ElementsAre("k1=v@1", "k2=v@2"));
}

TEST_F(MemoryFaults, a_new_leader_counts_leases_anew) {
    const LeaseId lease = backend_->grant_lease(seconds(4))->id;
    loop_.run_for(seconds(3));
    backend_->change_leader();
    loop_.run_for(seconds(3));
    EXPECT_TRUE(backend_->lease_deadline(lease));
    loop_.run_for(seconds(2));
    EXPECT_FALSE(backend_->lease_deadline(lease));
}

TEST_F(MemoryFaults, no_lease_ends_while_the_store_has_no_majority) {
    const LeaseId lease = backend_->grant_lease(seconds(4))->id;
    backend_->stop();
    EXPECT_EQ(put_error(a_, "a"), ErrorCode::kUnavailable);
    loop_.run_for(seconds(60));
    EXPECT_TRUE(backend_->lease_deadline(lease));
    backend_->start();
    loop_.run_for(seconds(5));
    EXPECT_FALSE(backend_->lease_deadline(lease));
    EXPECT_TRUE(*put(a_, "a", seconds(1)));
}

TEST_F(MemoryFaults, a_full_disk_refuses_puts_and_recovers) {
    put(a_, "a", seconds(1));
    backend_->set_disk_full(true);
    EXPECT_EQ(put_error(a_, "b"), ErrorCode::kExhausted);
    backend_->set_disk_full(false);
    EXPECT_TRUE(*put(a_, "b", seconds(1)));
}

TEST_F(MemoryFaults, a_closed_store_answers_everything_and_ends_its_watches) {
    Recorder recorder;
    a_.watch("", 1, recorder);
    a_.set_link({.replies_cut = true});
    std::optional<ErrorCode> first;
    a_.commit({.puts = {{"a", "v"}}},
              [&](Result<Committed> result) { first = result.error().code; });
    loop_.run_for(Millis{1});
    a_.close();
    EXPECT_EQ(put_error(a_, "b"), ErrorCode::kUnavailable);
    EXPECT_EQ(first, ErrorCode::kUnknownOutcome);
    ASSERT_TRUE(recorder.end);
    EXPECT_EQ(recorder.end->code, ErrorCode::kUnavailable);
}

TEST_F(MemoryFaults, a_crashed_client_is_never_called_back) {
    Recorder recorder;
    a_.watch("", 1, recorder);
    bool called = false;
    a_.set_link({.delay = Millis{10}});
    a_.commit({.puts = {{"a", "v"}}}, [&](Result<Committed>) { called = true; });
    loop_.run_for(Millis{5});
    a_.crash();
    loop_.run_for(seconds(10));
    EXPECT_FALSE(called);
    EXPECT_FALSE(recorder.end);
    EXPECT_TRUE(stored("a")) << "what was on its way happens";
}

}  // namespace
}  // namespace blixard::store
