#include "api/writes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/cursor.h"
#include "api/test_api.h"

namespace blixard::api {
namespace {

constexpr const char* kWeb = R"({"name":"web","spec":{"image":"demo"}})";

class IdempotencyTest : public testing::Test {
 protected:
    IdempotencyTest() { t.add_image("demo"); }
    Answer post(const std::string& target, const std::string& body, const std::string& key) {
        Request request = TestApi::request("POST", target, body);
        request.idempotency_key = key;
        return t.ask(std::move(request));
    }
    TestApi t;
};

TEST_F(IdempotencyTest, the_same_request_again_is_answered_and_not_done_again) {
    const Answer first = post("/v1/vms", kWeb, "k1");
    const Answer again = post("/v1/vms", kWeb, "k1");
    EXPECT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(post("/v1/vms/web/restart", "", "k2").at("restart_generation"), "1");
    EXPECT_EQ(post("/v1/vms/web/restart", "", "k2").at("restart_generation"), "1");
    EXPECT_EQ(post("/v1/vms/web/restart", "", "k3").at("restart_generation"), "2");
}

TEST_F(IdempotencyTest, a_key_used_for_something_else_is_refused) {
    post("/v1/vms", kWeb, "k1");
    const Answer other = post("/v1/vms", R"({"name":"db","spec":{"image":"demo"}})", "k1");
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(other.at("field"), "\"Idempotency-Key\"");
    EXPECT_EQ(post("/v1/vms", kWeb, std::string(300, 'x')).status, 400);
}

TEST_F(IdempotencyTest, what_was_made_and_deleted_since_is_not_made_again) {
    post("/v1/vms", kWeb, "k1");
    t.ask("DELETE", "/v1/vms/web");
    EXPECT_EQ(post("/v1/vms", kWeb, "k1").at("deleted"), "true");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web").status, 404);
}

TEST_F(IdempotencyTest, a_key_is_forgotten_after_a_day) {
    post("/v1/vms", kWeb, "k1");
    t.ask("DELETE", "/v1/vms/web");
    t.loop.run_for(seconds(25 * 3600));
    EXPECT_EQ(post("/v1/vms", kWeb, "k1").at("name"), "\"web\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web").status, 200);
}

// A store that does not say what became of some transactions.
class Forgetful final : public store::FaultPlan {
 public:
    store::CommitFault on_commit(const store::Transaction&) override {
        if (outcomes.empty()) return {};
        const store::CommitOutcome next = outcomes.front();
        outcomes.erase(outcomes.begin());
        return {.outcome = next};
    }
    std::vector<store::CommitOutcome> outcomes;
};

// The decision and the loop around Writes, without the rest of the API.
class WritesTest : public testing::Test {
 protected:
    WritesTest()
        : store(loop, loop, {.faults = &faults}),
          view(store, loop, loop, log),
          crossing(loop, loop, view),
          deps{store, view, loop, loop, loop, random, log},
          writes(deps, crossing) {
        bool ready = false;
        view.start([&](Status) { ready = true; });
        loop.run_until([&] { return ready; });
    }

    static Result<Draft> make_project(const view::Snapshot& state) {
        if (state.projects.find("p")) return fail(ErrorCode::kExists, "there already");
        Draft draft;
        draft.subject = {Kind::kProject, {}, "p"};
        draft.counts_on_absence("projects/p").put_proven("projects/p", R"({"uid":"u1"})");
        return draft;
    }
    static Result<Draft> rename_project(const view::Snapshot& state) {
        Draft draft;
        draft.subject = {Kind::kProject, {}, "p"};
        draft.counts_on("projects/p", state.projects.find("p")->revision)
            .put_proven("projects/p", R"({"uid":"u1","description":"first"})");
        return draft;
    }
    Result<Done> run(Decide decide) {
        std::optional<Result<Done>> result;
        writes.run(std::move(decide), {}, [&](Result<Done> done) { result = std::move(done); });
        loop.run_until([&] { return result.has_value(); });
        return *result;
    }

    store::TestLoop loop{store::TestTime::kVirtual};
    NullLog log;
    SeededRandom random{1};
    Forgetful faults;
    store::MemoryStore store;
    view::View view;
    Crossing crossing;
    Deps deps;
    Writes writes;
};

using enum store::CommitOutcome;

TEST_F(WritesTest, the_answer_comes_when_the_view_shows_what_was_written) {
    const auto done = run(make_project);
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->changed);
    EXPECT_NE(view.current()->projects.find("p"), nullptr);
}

TEST_F(WritesTest, an_unknown_outcome_that_happened_is_found_out) {
    faults.outcomes = {kUnknownApplied};
    const auto done = run(make_project);
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(view.current()->revision, 1);
}

TEST_F(WritesTest, an_unknown_outcome_that_did_not_happen_is_done_now) {
    ASSERT_TRUE(run(make_project));
    faults.outcomes = {kUnknownNotApplied, kUnknownNotApplied, kUnknownApplied};
    const auto done = run(rename_project);
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(view.current()->revision, 2);
}

// Whether it never happened or was deleted since, nobody can tell: it may not come back.
TEST_F(WritesTest, what_may_have_been_made_and_deleted_since_is_not_made_again) {
    faults.outcomes = {kUnknownApplied};
    std::optional<Result<Done>> result;
    writes.run(make_project, {}, [&](Result<Done> done) { result = std::move(done); });
    loop.run_for(Millis{100});
    store::Transaction others;
    others.deletes.push_back("projects/p");
    store.commit(others, [](const Result<store::Committed>&) {});
    loop.run_until([&] { return result.has_value(); });
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().code, ErrorCode::kUnknownOutcome);
    loop.run_for(seconds(5));
    EXPECT_EQ(view.current()->projects.find("p"), nullptr);
}

// A copy of the request that was late, or carried out elsewhere: found by the simulation (seed
// 157).
TEST_F(WritesTest, what_the_same_request_did_since_its_key_was_looked_for_is_its_answer) {
    const Idempotency key{.store_key = "idempotency/a/k", .digest = "d"};
    bool sent = false;
    const auto decide = [&](const view::Snapshot& state) {
        if (!std::exchange(sent, true)) {
            store::Transaction copy = make_project(state)->transaction;
            copy.puts.push_back(
                {.key = key.store_key,
                 .value = to_json(IdempotencyRecord{key.digest, {Kind::kProject, {}, "p"}, "u1"})});
            store.commit(std::move(copy), [](const Result<store::Committed>&) {});
            return Result<Draft>(fail(ErrorCode::kExists, "as if the view had shown it already"));
        }
        return make_project(state);
    };
    std::optional<Result<Done>> result;
    writes.run(decide, key, [&](Result<Done> done) { result = std::move(done); });
    loop.run_until([&] { return result.has_value(); });
    ASSERT_TRUE(*result) << describe(result->error());
    EXPECT_TRUE((*result)->repeated);
    EXPECT_EQ((*result)->uid, "u1");
    EXPECT_NE((*result)->state->projects.find("p"), nullptr);
}

// The record of an Idempotency-Key is written then, and nothing else: it must not make a stale
// answer a true one.
TEST_F(WritesTest, that_nothing_has_to_change_is_said_of_what_is_there_still) {
    ASSERT_TRUE(run(make_project));
    store.set_link({.watch_lag = seconds(2)});
    store::Transaction others;
    others.deletes.push_back("projects/p");
    ASSERT_TRUE(store.backend().commit(others));
    std::optional<Result<Done>> result;
    writes.run(
        [](const view::Snapshot& state) -> Result<Draft> {
            if (!state.projects.find("p"))
                return fail(ErrorCode::kNotFound, "there is no project p");
            Draft draft;
            draft.subject = {Kind::kProject, {}, "p"};
            return draft;
        },
        {.store_key = "idempotency/a/b", .digest = "d"},
        [&](Result<Done> done) { result = std::move(done); });
    loop.run_until([&] { return result.has_value(); });
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store.backend().history().find("idempotency/a/b"), nullptr);
}

TEST_F(WritesTest, an_outcome_that_stays_unknown_is_said_to_be) {
    faults.outcomes = std::vector(20, kUnknownNotApplied);
    const auto done = run(make_project);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kUnknownOutcome);
}

TEST_F(WritesTest, what_may_have_happened_and_was_overwritten_is_not_done_again) {
    std::optional<Result<Done>> result;
    ASSERT_TRUE(run(make_project));
    faults.outcomes = {kUnknownApplied};
    writes.run(rename_project, {}, [&](Result<Done> done) { result = std::move(done); });
    loop.run_for(Millis{100});
    store::Transaction others;
    others.puts.push_back({.key = "projects/p", .value = R"({"uid":"u1","description":"second"})"});
    store.commit(others, [](const Result<store::Committed>&) {});
    loop.run_until([&] { return result.has_value(); });
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().code, ErrorCode::kUnknownOutcome);
    loop.run_for(seconds(5));
    EXPECT_EQ(view.current()->projects.find("p")->record->value.description, "second");
}

TEST_F(WritesTest, what_did_not_happen_is_said_at_once) {
    faults.outcomes = {kUnavailable};
    EXPECT_EQ(run(make_project).error().code, ErrorCode::kUnavailable);
    faults.outcomes = {kExhausted};
    EXPECT_EQ(run(make_project).error().code, ErrorCode::kExhausted);
    EXPECT_EQ(view.current()->revision, 0);
}

TEST_F(WritesTest, somebody_who_writes_without_end_does_not_hold_us_for_ever) {
    int looked = 0;
    const auto done = run([&](const view::Snapshot& state) {
        ++looked;
        Draft draft;
        draft.subject = {Kind::kProject, {}, "p"};
        draft.counts_on("projects/p", state.revision + 100).put_proven("projects/p", "{}");
        return Result<Draft>(draft);
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kConflict);
    EXPECT_EQ(looked, 10);
}

TEST(Cursor, is_given_back_as_it_was_and_nothing_else_passes) {
    const std::string cursor = encode_cursor(Kind::kVm, "default/web-1");
    EXPECT_EQ(*decode_cursor(Kind::kVm, cursor), "default/web-1");
    EXPECT_FALSE(decode_cursor(Kind::kNode, cursor));
    for (const std::string& bad : {std::string(), std::string("!"), cursor + "=", cursor.substr(1),
                                   encode_cursor(Kind::kVm, ""), encode_cursor(Kind::kVm, "a\nb"),
                                   encode_cursor(Kind::kVm, std::string(300, 'a'))})
        EXPECT_FALSE(decode_cursor(Kind::kVm, bad)) << bad;
}

}  // namespace
}  // namespace blixard::api
