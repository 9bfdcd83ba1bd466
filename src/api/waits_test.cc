#include "api/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_api.h"

namespace blixard::api {
namespace {

using model::Phase;
using testing::HasSubstr;

class WaitsTest : public testing::Test {
 protected:
    WaitsTest() {
        t.add_image("demo");
        t.ask("POST", "/v1/vms", R"({"name":"web","spec":{"image":"demo"}})");
    }
    TestApi t;
};

TEST_F(WaitsTest, an_answer_comes_when_the_vm_runs) {
    const auto client = t.send("GET", "/v1/vms/web?wait=running&timeout=60");
    t.place("web", "n1");
    EXPECT_FALSE(client->answer);
    t.report("web", "n1", Phase::kStarting);
    EXPECT_FALSE(client->answer);
    t.report("web", "n1", Phase::kRunning);
    const Answer answer = t.wait_for(client);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.at("phase"), "\"running\"");
    EXPECT_EQ(t.api->waiting_requests(), 0u);
}

TEST_F(WaitsTest, a_restart_is_over_when_the_new_run_is_there) {
    t.run("web");
    const auto client = t.send("POST", "/v1/vms/web/restart?wait=running");
    t.settle();
    EXPECT_FALSE(client->answer);
    t.report("web", "n1", Phase::kStopping);
    t.report("web", "n1", Phase::kRunning);
    EXPECT_EQ(t.wait_for(client).status, 202);
}

TEST_F(WaitsTest, when_the_time_is_over_the_answer_says_how_far_it_came) {
    t.place("web", "n1");
    t.report("web", "n1", Phase::kStarting, "the disk is being made");
    const Answer answer = t.ask("GET", "/v1/vms/web?wait=running&timeout=5");
    EXPECT_EQ(answer.status, 504);
    EXPECT_EQ(answer.at("code"), "\"timeout\"");
    EXPECT_THAT(answer.body,
                HasSubstr("is starting after 5 s, not running: the disk is being made"));
    EXPECT_EQ(t.ask("GET", "/v1/vms/web?wait=running&timeout=0").status, 504);
}

TEST_F(WaitsTest, nobody_waits_for_a_vm_that_failed_for_good) {
    t.ask("PATCH", "/v1/vms/web", R"({"spec":{"restart":"never"}})");
    const auto client = t.send("GET", "/v1/vms/web?wait=running&timeout=60");
    t.place("web", "n1");
    t.report("web", "n1", Phase::kFailed, "qemu ended with status 1");
    const Answer answer = t.wait_for(client);
    EXPECT_EQ(answer.status, 409);
    EXPECT_THAT(answer.body, HasSubstr("qemu ended with status 1"));
}

TEST_F(WaitsTest, a_failure_that_is_restarted_is_waited_out) {
    const auto client = t.send("GET", "/v1/vms/web?wait=running&timeout=60");
    t.place("web", "n1");
    t.report("web", "n1", Phase::kFailed, "restart 1 in 5 s");
    EXPECT_FALSE(client->answer);
    t.report("web", "n1", Phase::kRunning);
    EXPECT_EQ(t.wait_for(client).status, 200);
}

TEST_F(WaitsTest, deleted_is_reached_when_the_records_are_gone) {
    t.run("web");
    const auto client = t.send("DELETE", "/v1/vms/web?force=true&wait=deleted");
    t.settle();
    EXPECT_FALSE(client->answer);
    store::Transaction gone;
    for (const char* part : {"spec", "placement", "status"})
        gone.deletes.push_back(model::vm_key("default", "web", part));
    t.store.commit(gone, [](const Result<store::Committed>&) {});
    EXPECT_EQ(t.wait_for(client).at("deleted"), "true");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web?wait=deleted").at("deleted"), "true");
}

TEST_F(WaitsTest, a_client_that_left_is_forgotten) {
    const auto client = t.send("GET", "/v1/vms/web?wait=running&timeout=600");
    EXPECT_EQ(t.api->waiting_requests(), 1u);
    client->left = true;
    t.loop.run_for(seconds(6));
    EXPECT_EQ(t.api->waiting_requests(), 0u);
    EXPECT_FALSE(client->answer);
}

TEST_F(WaitsTest, what_cannot_be_waited_for_is_refused_before_anything_is_done) {
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/stop?wait=happy").at("field"), "\"wait\"");
    EXPECT_EQ(t.record("web").spec.run, model::Run::kRunning);
}

}  // namespace
}  // namespace blixard::api
