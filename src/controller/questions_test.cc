#include "controller/questions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "view/view.h"

namespace blixard::controller {
namespace {

// Three hosts of 8 CPUs and 4 GiB, and one VM of 3 GiB on each of the first two.
class Questions : public testing::Test {
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
    void put(const std::string& key, const std::string& value) {
        ++state.revision;
        view::apply_change(state,
                           {.key = key,
                            .value = value,
                            .create_revision = state.revision,
                            .mod_revision = state.revision},
                           false, log);
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

    view::Snapshot state;
    NullLog log;
};

TEST_F(Questions, the_loss_of_one_host_is_survived_of_two_is_not) {
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h1"]})"}, "moves"),
              R"([{"vm":"default/a","from":"h1","to":"h3"}])");
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h1"]})"}, "survives"), "true");
    EXPECT_NE(member({.what = "lose", .body = R"({"nodes":["h1","h2"]})"}, "stuck"), "[]");
    EXPECT_EQ(member({.what = "lose", .body = R"({"nodes":["h9"]})"}, "moves").find("[{"),
              std::string::npos);
}

TEST_F(Questions, what_is_launched_and_added_is_counted) {
    const std::string spec = R"({"spec":{"image":"demo","memory_mib":3072},"count":3})";
    EXPECT_EQ(member({.what = "launch", .body = spec}, "summary"),
              R"("1 of 3 VMs would find a place")");
    EXPECT_EQ(member({.what = "add", .body = R"({"cpus":8,"memory_mib":4096})"}, "summary"),
              R"("0 of 0 pending VMs would find a place")");
    EXPECT_NE(member({.what = "add", .body = R"({"cpus":-1,"memory_mib":4096})"}, "summary")
                  .find("whole number"),
              std::string::npos);
}

TEST_F(Questions, why_not_names_the_refusal) {
    vm("c", "h3");
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h2"}, "fits"), "false");
    EXPECT_EQ(member({.what = "why-not", .vm = "default/a", .node = "h1"}, "fits"), "true");
}

TEST_F(Questions, rebalancing_is_only_planned) {
    EXPECT_NE(member({.what = "rebalance"}, "summary").find("not supported here"),
              std::string::npos);
    EXPECT_NE(member({.what = "rebalance", .dry_run = true}, "summary").find("moves"),
              std::string::npos);
}

}  // namespace
}  // namespace blixard::controller
