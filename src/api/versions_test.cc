// Hosts are upgraded one by one: this one's API serves what a newer one has written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_api.h"

namespace blixard::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class VersionsTest : public testing::Test {
 protected:
    VersionsTest() {
        t.add_image("demo");
        t.ask("POST", "/v1/vms",
              R"({"name":"web","spec":{"image":"demo","nics":[{"name":"n0"}]}})");
    }

    // As a newer daemon's API would have written it.
    void put_newer(const std::string& before, const std::string& after) {
        std::string record = model::to_json(t.record("web"));
        record.replace(record.find(before), before.size(), after);
        t.put(model::vm_key("default", "web", "spec"), record);
    }
    void put_members() {
        put_newer(R"("image":"demo")", R"("tpm":{"v":2},"image":"demo")");
        put_newer(R"({"name":"n0")", R"({"queues":4,"name":"n0")");
    }
    std::string spec() { return t.ask("GET", "/v1/vms/web").at("spec"); }
    void expect_kept(const Answer& answer) {
        EXPECT_EQ(answer.status / 100, 2) << answer.body;
        EXPECT_THAT(spec(), HasSubstr(R"("tpm":{"v":2})"));
        EXPECT_THAT(spec(), HasSubstr(R"("queues":4)"));
    }

    TestApi t;
};

TEST_F(VersionsTest, every_change_through_this_host_keeps_the_members_of_a_newer_one) {
    put_members();
    expect_kept(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"cpus":4}})"));
    EXPECT_THAT(spec(), HasSubstr(R"("cpus":4)"));
    expect_kept(t.ask("POST", "/v1/vms/web/restart"));
    expect_kept(t.ask("POST", "/v1/vms/web/pause"));
    expect_kept(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"labels":{"a":"b"}}})"));
    expect_kept(t.ask("PUT", "/v1/vms/web", R"({"spec":)" + spec() + "}"));
}

TEST_F(VersionsTest, who_replaces_the_whole_without_knowing_of_a_member_does_not_remove_it) {
    put_members();
    const Answer put = t.ask("PUT", "/v1/vms/web", R"({"spec":{"image":"demo","cpus":2}})");
    EXPECT_EQ(put.status, 200) << put.body;
    EXPECT_THAT(spec(), HasSubstr(R"("tpm":{"v":2})"));
}

TEST_F(VersionsTest, a_member_that_this_host_does_not_know_can_be_removed_and_not_be_set) {
    put_members();
    const Answer set = t.ask("PATCH", "/v1/vms/web", R"({"spec":{"tpm":{"v":3}}})");
    EXPECT_EQ(set.status, 400);
    EXPECT_EQ(set.at("field"), "\"spec.tpm\"");
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"tpm":null}})").status, 200);
    EXPECT_THAT(spec(), Not(HasSubstr("tpm")));
}

TEST_F(VersionsTest, projects_and_hosts_keep_them_too) {
    t.ask("POST", "/v1/projects", R"({"name":"lab","quota":{"vms":3}})");
    std::string project = model::to_json(t.view.current()->projects.find("lab")->record->value);
    project.replace(project.find(R"("quota":{)"), 9, R"("budget":5,"quota":{"gpus":1,)");
    t.put(model::project_key("lab"), project);
    const Answer patched =
        t.ask("PATCH", "/v1/projects/lab", R"({"description":"d","quota":{"vms":4}})");
    EXPECT_EQ(patched.status, 200) << patched.body;
    EXPECT_THAT(t.ask("GET", "/v1/projects/lab").body, HasSubstr(R"("budget":5)"));
    EXPECT_THAT(t.ask("GET", "/v1/projects/lab").body, HasSubstr(R"("gpus":1)"));

    t.put(model::node_key("n1", "spec"),
          R"({"schema":2,"uid":"u","rack":"r7","labels":{"a":"b"}})");
    EXPECT_EQ(t.ask("PATCH", "/v1/nodes/n1", R"({"spec":{"zone":"z1"}})").status, 200);
    EXPECT_EQ(t.ask("POST", "/v1/nodes/n1/cordon").status, 200);
    EXPECT_THAT(t.ask("GET", "/v1/nodes/n1").body, HasSubstr(R"("rack":"r7")"));
}

TEST_F(VersionsTest, a_vm_that_this_host_cannot_read_any_more_is_shown_as_it_was_and_not_written) {
    put_newer(R"("ha":"none")", R"("ha":"live")");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web").status, 200);
    EXPECT_EQ(t.ask("GET", "/v1/vms").status, 200);
    for (const char* action : {"stop", "restart", "pause"}) {
        const Answer refused = t.ask("POST", std::string("/v1/vms/web/") + action);
        EXPECT_EQ(refused.status, 409) << refused.body;
        EXPECT_THAT(refused.body, HasSubstr("a newer version"));
    }
    EXPECT_EQ(t.ask("POST", "/v1/vms", R"({"name":"db","spec":{"image":"demo"}})").status, 201);
}

TEST_F(VersionsTest, a_vm_that_this_host_never_could_read_is_there_all_the_same) {
    std::string record = model::to_json(t.record("web"));
    record.replace(record.find(R"("ha":"none")"), 11, R"("ha":"live")");
    t.put(model::vm_key("default", "app", "spec"), record);
    for (const char* method : {"GET", "DELETE"}) {
        const Answer refused = t.ask(method, "/v1/vms/app");
        EXPECT_EQ(refused.status, 409) << refused.body;
        EXPECT_THAT(refused.body, HasSubstr("a newer version"));
    }
    EXPECT_EQ(t.ask("POST", "/v1/vms", R"({"name":"app","spec":{"image":"demo"}})").status, 409);
    EXPECT_NE(t.ask("GET", "/v1/vms/app?wait=deleted&timeout=0").status, 200);
}

// Which volumes and images it uses, which project it keeps: only the newer version knows.
TEST_F(VersionsTest, what_a_vm_may_use_that_this_host_cannot_read_is_kept_for_it) {
    const auto volume = [](const char* name) {
        return std::string(R"({"name":")") + name + R"(","size_mib":64})";
    };
    const auto vm_with = [](const std::string& name, const std::string& volume) {
        return R"({"name":")" + name +
               R"(","spec":{"image":"demo","disks":[{"name":"d","volume":")" + volume + R"("}]}})";
    };
    EXPECT_EQ(t.ask("POST", "/v1/projects", R"({"name":"lab"})").status, 201);
    EXPECT_EQ(t.ask("POST", "/v1/volumes", volume("data")).status, 201);
    EXPECT_EQ(t.ask("POST", "/v1/volumes", volume("spare")).status, 201);
    EXPECT_EQ(t.ask("POST", "/v1/vms", vm_with("reader", "data")).status, 201);
    std::string record = model::to_json(t.record("web"));
    record.replace(record.find(R"("ha":"none")"), 11, R"("ha":"live")");
    t.put(model::vm_key("default", "app", "spec"), record);
    t.put(model::vm_key("lab", "app", "spec"), record);
    t.put(model::volume_key("default", "safe", "spec"), R"({"schema":9,"format":7})");

    const auto is_refused = [&](const char* method, const char* path, std::string body = {}) {
        const Answer refused = t.ask(method, path, std::move(body));
        EXPECT_EQ(refused.status, 409) << method << " " << path << refused.body;
        EXPECT_THAT(refused.body, HasSubstr("a newer version")) << method << " " << path;
    };
    is_refused("DELETE", "/v1/projects/lab");
    is_refused("POST", "/v1/vms", vm_with("other", "spare"));
    is_refused("PATCH", "/v1/volumes/spare", R"({"size_mib":128})");
    is_refused("GET", "/v1/volumes/safe");
    is_refused("DELETE", "/v1/volumes/safe");
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/reader", R"({"spec":{"labels":{"a":"b"}}})").status, 200)
        << "it has its volume already";
    EXPECT_EQ(t.ask("DELETE", "/v1/vms/reader?force=true").status / 100, 2);
    EXPECT_EQ(t.ask("DELETE", "/v1/vms/web?force=true").status / 100, 2);
    is_refused("DELETE", "/v1/volumes/data");
    is_refused("DELETE", "/v1/images/demo");
    // The newer version has taken its words back.
    t.erase(model::vm_key("default", "app", "spec"));
    t.erase(model::vm_key("lab", "app", "spec"));
    t.erase(model::volume_key("default", "safe", "spec"));
    EXPECT_EQ(t.ask("DELETE", "/v1/volumes/data").status / 100, 2);
    EXPECT_EQ(t.ask("DELETE", "/v1/images/demo").status / 100, 2);
    EXPECT_EQ(t.ask("DELETE", "/v1/projects/lab").status / 100, 2);
}

}  // namespace
}  // namespace blixard::api
