#include "controller/questions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "view/test_state.h"

namespace blixard::controller {
namespace {

using model::Question;

// Three hosts of 8 CPUs and 4 GiB, and one VM of 3 GiB on each of the first two.
class Questions : public testing::Test, protected view::TestState {
 protected:
    Questions() {
        for (const char* name : {"h1", "h2", "h3"}) {
            put(model::node_key(name, "spec"), model::to_json(model::NodeSpec{.uid = name}));
            model::NodeStatus status{
                .uid = name, .cpus = 8, .memory_mib = 4096, .disk_mib = 100'000};
            put(model::node_key(name, "status"), model::to_json(status));
            put(model::node_key(name, "lease"),
                model::to_json(model::NodeLease{.uid = name, .lease = 1, .ttl_ms = 4000}));
        }
        vm("a", "h1");
        vm("b", "h2");
    }
    void vm(const std::string& name, const std::string& node) {
        model::VmRecord record{.uid = name};
        record.spec.image = "demo";
        record.spec.memory_mib = 3072;
        put(model::vm_key("default", name, "spec"), model::to_json(record));
        put(model::vm_key("default", name, "placement"),
            model::to_json(model::Placement{.uid = name, .node = node, .epoch = 1}));
    }
    std::string member(const Question& question, std::string_view path) {
        const Result<std::string> text = answer(question, state, {});
        if (!text) return describe(text.error());
        const Result<std::string> found = model::select_member(*text, path);
        return found ? *found : *text;
    }
};

TEST_F(Questions, the_loss_of_one_host_is_survived_of_two_is_not) {
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h1"]})"}, "moves"),
              R"([{"vm":"default/a","from":"h1","to":"h3"}])");
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h1","h1"]})"}, "moves"),
              member({.what = "lose", .body = R"({"nodes":["h1"]})"}, "moves"));
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h1"]})"}, "survives"), "true");
    EXPECT_NE(member({.what = "lose", .body = R"({"nodes":["h1","h2"]})"}, "stuck"), "[]");
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h9"]})"}, "moves").find("[{"),
              std::string::npos);
}

TEST_F(Questions, a_host_of_one_numa_node_has_all_the_hosts_memory) {
    model::NodeStatus status{.uid = "h3", .cpus = 8, .memory_mib = 4096, .disk_mib = 100'000};
    status.numa = {{.cpus = 8, .memory_mib = 1024}};
    put(model::node_key("h3", "status"), model::to_json(status));
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h3"}, "refusals"), "[]");
}

TEST_F(Questions, survival_is_asked_of_any_number_of_hosts) {
    EXPECT_EQ(member({.what = "survive"}, "survives"), "true");
    const Question two{.what = "survive", .body = R"({"hosts":2})"};
    EXPECT_EQ(member(two, "survives"), "false");
    EXPECT_EQ(member(two, "worst"), R"(["h1","h2"])");
    EXPECT_EQ(member(two, "summary"), R"("1 VM would have no place after the loss of h1, h2")");
    EXPECT_NE(member({.what = "survive", .body = R"({"hosts":4})"}, "survives").find("use 1 to 3"),
              std::string::npos);
}

TEST_F(Questions, what_is_launched_and_added_is_counted) {
    const std::string spec = R"({"spec":{"image":"demo","memory_mib":3072},"count":3})";
    EXPECT_EQ(member({.what = "launch", .body = spec}, "summary"),
              R"("1 of 3 VMs would find a place")");
    EXPECT_EQ(member({.what = "add", .body = R"({"cpus":8,"memory_mib":4096})"}, "summary"),
              R"("0 of 0 pending VMs would find a place")");
}

TEST_F(Questions, what_the_quota_does_not_allow_is_not_placed) {
    Question launch{.what = "launch",
                    .body = R"({"spec":{"image":"demo","memory_mib":512},"count":3})",
                    .allowed = 1,
                    .beyond = "too much"};
    EXPECT_EQ(member(launch, "summary"), R"("1 of 3 VMs would find a place")");
    EXPECT_EQ(member(launch, "stuck"), R"([{"vm":"default/new-2","from":"","reason":"too much"},)"
                                       R"({"vm":"default/new-3","from":"","reason":"too much"}])");
    launch.allowed = 0;
    EXPECT_EQ(member(launch, "moves"), "[]");
}

TEST_F(Questions, what_is_not_understood_is_refused_with_its_place) {
    const auto refused = [&](std::string what, std::string body) {
        const auto answered = answer({.what = std::move(what), .body = std::move(body)}, state, {});
        return answered ? *answered : answered.error().field + ": " + answered.error().message;
    };
    EXPECT_EQ(refused("add", R"({"cpus":-1,"memory_mib":4096})").substr(0, 5), "cpus:");
    EXPECT_EQ(refused("add", R"({"cpus":8})").substr(0, 11), "memory_mib:");
    EXPECT_EQ(refused("drain", R"({"nodes":["h1"]})").substr(0, 6), "nodes:");
    EXPECT_EQ(refused("drain", "").substr(0, 5), "node:");
    EXPECT_EQ(refused("lose", R"({"nodes":"h1"})").substr(0, 6), "nodes:");
    EXPECT_EQ(refused("launch", R"({"spec":{"cpus":0}})").substr(0, 10), "spec.cpus:");
    EXPECT_EQ(refused("rebalance", R"({"restart_vms":1})").substr(0, 12), "restart_vms:");
    EXPECT_EQ(refused("upgrade", R"({"now":true})").substr(0, 4), "now:");
}

TEST_F(Questions, why_not_names_the_refusal) {
    vm("c", "h3");
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h2"}, "fits"), "false");
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h1"}, "fits"), "true");
}

TEST_F(Questions, why_has_the_reason_the_decision_then_and_the_decision_now) {
    vm("c", "h3");
    vm("big", "");
    put(model::vm_key("default", "big", "placement"),
        model::to_json(model::Placement{.uid = "big",
                                        .decided_at = "2026-01-02T03:04:05Z",
                                        .reason = "it \"waits\"",
                                        .decision = R"({"outcome":"pending"})"}));
    const Question why{.what = "why", .vm = "default/big"};
    EXPECT_EQ(member(why, "reason"), R"("it \"waits\"")");
    EXPECT_EQ(member(why, "decided_at"), R"("2026-01-02T03:04:05Z")");
    EXPECT_EQ(member(why, "decided"), R"({"outcome":"pending"})");
    EXPECT_NE(
        member(why, "now")
            .find(
                R"("would_fit_if":[{"kind":"shrink","host":"h1","text":"2 GiB less memory fits host h1"})"),
        std::string::npos)
        << member(why, "now");
}

TEST_F(Questions, why_not_a_host_where_it_fits_tells_its_rank) {
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h3"}, "rank"), "2");
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h3"}, "of"), "2");
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h1"}, "rank"), "1");
}

TEST_F(Questions, several_hosts_can_be_added_at_once) {
    vm("c", "h3");
    vm("d", "");
    vm("e", "");
    const std::string host = R"("cpus":8,"memory_mib":4096)";
    EXPECT_EQ(member({.what = "add", .body = "{" + host + "}"}, "summary"),
              R"("1 of 2 pending VMs would find a place")");
    EXPECT_EQ(member({.what = "add", .body = "{" + host + R"(,"count":2})"}, "summary"),
              R"("2 of 2 pending VMs would find a place")");
    EXPECT_NE(
        member({.what = "add", .body = "{" + host + R"(,"count":0})"}, "summary").find("count"),
        std::string::npos);
}

// Two small VMs on two hosts, where most have wanted a whole host.
class ScatteredQuestions : public Questions {
 protected:
    ScatteredQuestions() {
        for (const char* name : {"a", "b"}) {
            model::VmRecord record{.uid = name};
            record.spec.image = "demo";
            record.spec.memory_mib = 512;
            put(model::vm_key("default", name, "spec"), model::to_json(record));
            put(model::vm_key("default", name, "status"),
                model::to_json(model::VmStatus{.uid = name,
                                               .phase = model::Phase::kRunning,
                                               .node = name == std::string("a") ? "h1" : "h2",
                                               .epoch = 1}));
        }
        for (const char* name : {"w1", "w2", "w3"}) {
            model::VmRecord record{.uid = name};
            record.spec.image = "demo";
            record.spec.run = model::Run::kStopped;
            record.spec.cpus = 200;
            record.spec.memory_mib = 4000;
            put(model::vm_key("default", name, "spec"), model::to_json(record));
            put(model::vm_key("default", name, "placement"),
                model::to_json(model::Placement{.uid = name, .epoch = 1, .reason = "stopped"}));
        }
    }
};

TEST_F(ScatteredQuestions, a_rebalance_is_shown_first_and_restarts_only_what_may_be_restarted) {
    EXPECT_EQ(member({.what = "rebalance", .dry_run = true}, "count"), "1");
    const std::string refused = member({.what = "rebalance"}, "count");
    EXPECT_NE(refused.find("one running VM would be restarted, as there is no live migration: "
                           "default/"),
              std::string::npos)
        << refused;
    EXPECT_NE(refused.find("--restart-vms"), std::string::npos);
    EXPECT_EQ(member({.what = "rebalance", .body = R"({"restart_vms":true})"}, "count"), "1");
    EXPECT_NE(member({.what = "rebalance", .body = R"({"restart_vms":1})"}, "count")
                  .find("true or false"),
              std::string::npos);
}

TEST_F(Questions, a_rebalance_that_gains_nothing_has_nothing_to_ask_for) {
    EXPECT_EQ(member({.what = "rebalance"}, "count"), "0");
    EXPECT_EQ(member({.what = "rebalance"}, "moves"), "[]");
}

}  // namespace
}  // namespace blixard::controller
