// Questions to the scheduler over the API; and a rebalance, which is planned first, then an
// operation of the controller's.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/test_api.h"

namespace blixard::api {
namespace {

// Plans so many moves, or refuses.
class Moves final : public PlanPort {
 public:
    void ask(model::Question question, Callback<std::string> json) override {
        asked.push_back(question);
        if (refusal) return json(fail(*refusal));
        json(fmt::format(R"({{"kind":"plan","plan":"rebalance","moves":[],"count":{}}})", moves));
    }
    std::int64_t moves = 0;
    std::optional<Error> refusal;
    std::vector<model::Question> asked;
};

TEST(Rebalance, a_dry_run_and_one_without_moves_leave_nothing_behind) {
    Moves plans;
    TestApi t(&plans);
    EXPECT_EQ(t.ask("POST", "/v1/rebalance?dry_run=true").at("kind"), R"("plan")");
    const Answer none = t.ask("POST", "/v1/rebalance");
    EXPECT_EQ(none.status, 200);
    EXPECT_EQ(none.at("count"), "0");
    EXPECT_EQ(t.view.current()->operations.size(), 0U);
    EXPECT_TRUE(plans.asked[0].dry_run);
    EXPECT_FALSE(plans.asked[1].dry_run);
}

TEST(Rebalance, moves_become_one_operation_that_can_be_cancelled) {
    Moves plans;
    plans.moves = 3;
    TestApi t(&plans);
    const Answer begun = t.ask("POST", "/v1/rebalance", R"({"restart_vms":true})");
    EXPECT_EQ(begun.status, 202) << begun.body;
    EXPECT_EQ(begun.at("operation"), R"("rebalance")");
    EXPECT_EQ(begun.at("total"), "3");
    EXPECT_EQ(plans.asked[0].body, R"({"restart_vms":true})");
    std::string id = begun.at("id");
    id = id.substr(1, id.size() - 2);
    EXPECT_EQ(t.ask("POST", "/v1/rebalance").at("id"), begun.at("id")) << "one at a time";
    EXPECT_EQ(t.ask("DELETE", "/v1/operations/" + id).status, 202);
    EXPECT_EQ(t.ask("GET", "/v1/operations/" + id).at("state"), R"("cancelled")");
    EXPECT_NE(t.ask("POST", "/v1/rebalance").at("id"), begun.at("id"));
}

TEST(Rebalance, what_the_planner_refuses_is_refused) {
    Moves plans;
    plans.refusal =
        Error{ErrorCode::kConflict, "2 running VMs would be restarted", {}, "--restart-vms"};
    TestApi t(&plans);
    const Answer refused = t.ask("POST", "/v1/rebalance");
    EXPECT_EQ(refused.status, 409);
    EXPECT_NE(refused.body.find("2 running VMs would be restarted"), std::string::npos);
    EXPECT_EQ(t.view.current()->operations.size(), 0U);
}

TEST(WhyNot, of_a_host_that_is_not_there_is_not_found) {
    Moves plans;
    TestApi t(&plans);
    t.add_image("demo");
    ASSERT_EQ(t.ask("POST", "/v1/vms", R"({"name":"web","spec":{"image":"demo"}})").status, 201);
    const Answer nowhere = t.ask("GET", "/v1/vms/web/why-not?node=n9");
    EXPECT_EQ(nowhere.status, 404);
    EXPECT_EQ(nowhere.at("detail"), R"("there is no node \"n9\" here")");
    EXPECT_EQ(nowhere.at("help"), R"("see: blixard node list")");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/why-not").status, 400);
}

TEST(PlanLaunch, what_could_not_be_made_is_refused_as_its_creation_would_be) {
    Moves plans;
    TestApi t(&plans);
    const auto field = [&](const char* body) {
        return t.ask("POST", "/v1/plan/launch", body).at("field");
    };
    EXPECT_EQ(field(R"({"spec":{"image":"nobody"}})"), R"("spec.image")");
    t.add_image("demo", 2048);
    EXPECT_EQ(field(R"({"project":"nowhere","spec":{"image":"demo"}})"), R"("project")");
    EXPECT_EQ(t.ask("POST", "/v1/plan/launch?project=nowhere", R"({"spec":{"image":"demo"}})")
                  .at("field"),
              R"("project")");
    EXPECT_EQ(field(R"({"spec":{"image":"demo"},"number":3})"), R"("number")");
    EXPECT_TRUE(plans.asked.empty());
}

TEST(PlanLaunch, the_disk_of_the_image_counts_and_so_does_the_quota) {
    Moves plans;
    TestApi t(&plans);
    t.add_image("demo", 2048);
    ASSERT_EQ(t.ask("POST", "/v1/projects", R"({"name":"p","quota":{"cpus":7}})").status, 201);
    const Answer asked =
        t.ask("POST", "/v1/plan/launch",
              R"({"project":"p","spec":{"image":"demo","cpus":2,"memory_mib":64},"count":1000})");
    ASSERT_EQ(asked.status, 200) << asked.body;
    EXPECT_NE(plans.asked[0].body.find(R"("size_mib":2048)"), std::string::npos)
        << plans.asked[0].body;
    EXPECT_EQ(plans.asked[0].allowed, 3);
    EXPECT_EQ(plans.asked[0].beyond, "project \"p\" may use 7 CPUs, uses 0, and this needs 8 more");
    t.ask("POST", "/v1/plan/launch", R"({"spec":{"image":"demo"},"count":5})");
    EXPECT_EQ(plans.asked[1].allowed, 5);
    EXPECT_EQ(plans.asked[1].beyond, "");
}

}  // namespace
}  // namespace blixard::api
