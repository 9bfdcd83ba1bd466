#include "api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_api.h"

namespace blixard::api {
namespace {

using testing::HasSubstr;

constexpr const char* kWeb = R"({"name":"web","spec":{"image":"demo","cpus":2}})";

class ApiTest : public testing::Test {
 protected:
    ApiTest() { t.add_image("demo"); }

    void create(const std::string& name, const std::string& more = "") {
        const Answer answer = t.ask(
            "POST", "/v1/vms", R"({"name":")" + name + R"(","spec":{"image":"demo")" + more + "}}");
        ASSERT_EQ(answer.status, 201) << answer.body;
    }

    TestApi t;
};

TEST_F(ApiTest, a_vm_is_made_and_found_as_it_was_answered) {
    const Answer made = t.ask("POST", "/v1/vms", kWeb);
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.at("name"), "\"web\"");
    EXPECT_EQ(made.at("phase"), "\"pending\"");
    EXPECT_EQ(made.at("spec.cpus"), "2");
    EXPECT_EQ(made.at("spec.nics"), R"([{"name":"net0"}])");
    EXPECT_EQ(made.headers.at("Location"), "/v1/vms/web");

    const Answer got = t.ask("GET", "/v1/vms/web");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, made.body);
    EXPECT_EQ(got.headers.at("ETag"), made.headers.at("ETag"));
    EXPECT_EQ(got.headers.at("ETag"), "\"" + got.at("revision") + "\"");
    EXPECT_NE(got.headers.at("X-Blixard-Revision"), "");
}

TEST_F(ApiTest, the_bytes_of_a_document_are_the_views_own) {
    create("web");
    const auto client = t.send("GET", "/v1/vms/web");
    EXPECT_EQ(client->answer->shared_body.get(),
              &t.view.current()->vms.find("default/web")->document);
}

TEST_F(ApiTest, what_the_client_has_is_not_sent_again) {
    create("web");
    Request request = TestApi::request("GET", "/v1/vms/web");
    request.if_none_match = t.ask("GET", "/v1/vms/web").headers.at("ETag");
    const Answer answer = t.ask(request);
    EXPECT_EQ(answer.status, 304);
    EXPECT_EQ(answer.body, "");
}

TEST_F(ApiTest, a_name_is_taken_once) {
    create("web");
    const Answer again = t.ask("POST", "/v1/vms", kWeb);
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.at("code"), "\"already-exists\"");
    EXPECT_EQ(again.at("field"), "\"name\"");
}

TEST_F(ApiTest, bad_input_gets_the_field_and_changes_nothing) {
    const store::Revision before = t.view.current()->revision;
    const std::tuple<const char*, const char*, int> stories[] = {
        {R"({"name":"web","spec":{"image":"demo","cpu":2}})", "spec.cpu", 400},
        {R"({"name":"web","spec":{"image":"demo","cpus":"2"}})", "spec.cpus", 400},
        {R"({"name":"web","spec":{"image":"demo","cpus":0}})", "spec.cpus", 400},
        {R"({"name":"web","spec":{"image":"demo","memory_mib":5}})", "spec.memory_mib", 400},
        {R"({"name":"web","spec":{"image":"demo","memory_mib":9437184}})", "spec.memory_mib", 400},
        {R"({"name":"../web","spec":{"image":"demo"}})", "name", 400},
        {R"({"name":"web","spec":{"image":"nope"}})", "spec.image", 400},
        {R"({"name":"web","project":"nope","spec":{"image":"demo"}})", "project", 400},
        {R"({"name":"web","spec":{"image":"demo","disks":[{"name":"d","volume":"nope"}]}})",
         "spec.disks[0].volume", 400},
        {R"({"name":"web","spec":{"image":"demo","disks":[{"name":"d"}]}})",
         "spec.disks[0].size_mib", 400},
        {R"({"name":"web","spec":{)", "", 400},
    };
    for (const auto& [body, field, status] : stories) {
        const Answer answer = t.ask("POST", "/v1/vms", body);
        EXPECT_EQ(answer.status, status) << body << answer.body;
        const std::string wanted = *field ? "\"" + std::string(field) + "\"" : "";
        EXPECT_EQ(answer.at("field"), wanted) << answer.body;
    }
    EXPECT_EQ(t.view.current()->revision, before);
    EXPECT_EQ(t.ask("POST", "/v1/vms", std::string(2 << 20, ' ')).status, 413);
}

TEST(Readiness, is_said_when_requests_are_answered_and_not_before) {
    store::TestLoop loop{store::TestTime::kVirtual};
    NullLog log;
    SeededRandom random{7};
    store::MemoryStore store(loop, loop);
    view::View view(store, loop, loop, log);
    Api api({store, view, loop, loop, loop, random, log}, Settings{.node = "n1"});
    const auto status_of = [&](const char* path) {
        const auto client = std::make_shared<TestClient>();
        api.handle(TestApi::request("GET", path), client);
        return client->answer ? client->answer->status : 0;
    };
    bool ready = false;
    view.start([&](const Status&) { api.start([&] { ready = true; }); });
    loop.run_until([&] {
        EXPECT_EQ(status_of("/readyz") == 200, status_of("/v1/vms") != 503);
        return ready;
    });
    EXPECT_EQ(status_of("/readyz"), 200);
    loop.run_for(seconds(1));
}

TEST(Standing, a_host_that_was_removed_from_its_cluster_says_so_whatever_is_asked) {
    TestCluster cluster;
    TestApi t(nullptr, &cluster);
    EXPECT_EQ(t.ask("GET", "/v1/vms").status, 200);
    cluster.verdict = fail(ErrorCode::kDenied, "this host was removed from its cluster",
                           "to use it again: blixard cluster leave");
    for (const auto& [method, path] :
         {std::pair{"GET", "/v1/vms"}, {"GET", "/v1/vms/web"}, {"DELETE", "/v1/vms/web"}}) {
        const Answer refused = t.ask(method, path);
        EXPECT_EQ(refused.status, 403) << path;
        EXPECT_EQ(refused.at("detail"), "\"this host was removed from its cluster\"");
        EXPECT_EQ(refused.at("help"), "\"to use it again: blixard cluster leave\"");
    }
    EXPECT_EQ(t.ask("GET", "/v1/cluster").status, 200);
    EXPECT_EQ(t.ask("POST", "/v1/cluster/leave").status, 200);
    EXPECT_EQ(t.ask("GET", "/v1/version").status, 200);
}

TEST_F(ApiTest, unknown_paths_methods_and_parameters_say_what_there_is) {
    EXPECT_EQ(t.ask("GET", "/v1/vm").status, 404);
    const Answer wrong = t.ask("PUT", "/v1/vms");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.headers.at("Allow"), "GET, HEAD, POST");
    const Answer mistyped = t.ask("GET", "/v1/vms?lable=a=b");
    EXPECT_EQ(mistyped.status, 400);
    EXPECT_EQ(mistyped.at("field"), "\"lable\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms?limit=0").at("field"), "\"limit\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms?phase=happy").at("field"), "\"phase\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms?after=garbage").at("field"), "\"after\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms?project=../etc").at("field"), "\"project\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms/none").status, 404);
}

TEST_F(ApiTest, only_administrators_may_do_anything_for_now) {
    Request request = TestApi::request("GET", "/v1/vms");
    request.principal = {"uid:1000", false};
    const Answer denied = t.ask(request);
    EXPECT_EQ(denied.status, 403);
    EXPECT_THAT(denied.body, HasSubstr("uid:1000"));
    request.path = "/healthz";
    EXPECT_EQ(t.ask(request).status, 200);
}

TEST_F(ApiTest, what_has_no_port_here_says_so) {
    create("web");
    for (const char* path : {"/v1/vms/web/why", "/metrics", "/v1/cluster"}) {
        const Answer answer = t.ask("GET", path);
        EXPECT_EQ(answer.status, 501) << path;
        EXPECT_THAT(answer.body, HasSubstr("not supported here"));
    }
}

// ---- changing ----

TEST_F(ApiTest, a_patch_changes_what_it_names) {
    create("web", R"(,"labels":{"tier":"a"})");
    const Answer patched =
        t.ask("PATCH", "/v1/vms/web", R"({"spec":{"cpus":4,"labels":{"tier":null,"x":"y"}}})");
    EXPECT_EQ(patched.status, 200) << patched.body;
    EXPECT_EQ(patched.at("spec.cpus"), "4");
    EXPECT_EQ(patched.at("spec.labels"), R"({"x":"y"})");
    EXPECT_EQ(patched.at("generation"), "2");
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"cpuz":4}})").at("field"), "\"spec.cpuz\"");
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"image":"other"}})").at("field"),
              "\"spec.image\"");
}

// Daemons of two versions beside each other: this one can change what the newer one wrote, and
// loses nothing of it.
TEST_F(ApiTest, a_patch_keeps_what_only_a_newer_version_knows) {
    create("web");
    const std::string key = model::vm_key("default", "web", "spec");
    std::string record = model::to_json(t.view.current()->vms.find("default/web")->record->value);
    record.replace(record.find("\"spec\":{") + 8, 0, "\"tpm\":true,");
    t.put(key, record);
    const Answer patched = t.ask("PATCH", "/v1/vms/web", R"({"spec":{"cpus":4}})");
    EXPECT_EQ(patched.status, 200) << patched.body;
    EXPECT_EQ(patched.at("spec.cpus"), "4");
    EXPECT_EQ(patched.at("spec.tpm"), "true");
}

TEST_F(ApiTest, a_change_that_changes_nothing_writes_nothing) {
    create("web");
    const store::Revision before = t.view.current()->revision;
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", "{}").status, 200);
    EXPECT_EQ(t.ask("PUT", "/v1/vms/web", R"({"spec":{"image":"demo"}})").status, 200);
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/resume").status, 202);
    EXPECT_EQ(t.view.current()->revision, before);
}

TEST_F(ApiTest, if_match_holds_while_the_spec_is_as_seen_whatever_the_status_does) {
    create("web");
    Request change = TestApi::request("PATCH", "/v1/vms/web", R"({"spec":{"cpus":3}})");
    change.if_match = t.ask("GET", "/v1/vms/web").headers.at("ETag");
    t.run("web");
    EXPECT_EQ(t.ask(change).status, 200);

    const Answer late = t.ask(change);
    EXPECT_EQ(late.status, 412);
    EXPECT_EQ(late.at("code"), "\"conflict\"");
    change.if_match = "nonsense";
    EXPECT_EQ(t.ask(change).status, 400);
}

TEST_F(ApiTest, two_writers_at_once_both_get_their_word_in) {
    create("web");
    const auto one = t.send("PATCH", "/v1/vms/web", R"({"spec":{"cpus":3}})");
    const auto two = t.send("PATCH", "/v1/vms/web", R"({"spec":{"memory_mib":512}})");
    EXPECT_EQ(t.wait_for(one).status, 200);
    EXPECT_EQ(t.wait_for(two).status, 200);
    const Answer after = t.ask("GET", "/v1/vms/web");
    EXPECT_EQ(after.at("spec.cpus"), "3");
    EXPECT_EQ(after.at("spec.memory_mib"), "512");
    EXPECT_EQ(after.at("generation"), "3");
}

TEST_F(ApiTest, starting_what_has_ended_asks_for_a_new_run) {
    create("web");
    t.run("web");
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/start").at("restart_generation"), "0");
    const Answer stopped = t.ask("POST", "/v1/vms/web/stop?force=true&timeout_s=5");
    EXPECT_EQ(stopped.at("spec.run"), "\"stopped\"");
    EXPECT_EQ(stopped.at("force"), "true");
    EXPECT_EQ(stopped.at("spec.stop_timeout_s"), "5");
    t.report("web", "n1", model::Phase::kStopped);
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/pause").status, 409);
    const Answer started = t.ask("POST", "/v1/vms/web/start");
    EXPECT_EQ(started.at("spec.run"), "\"running\"");
    EXPECT_EQ(started.at("force"), "false");
    EXPECT_EQ(started.at("restart_generation"), "1");
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/restart").at("restart_generation"), "2");
}

TEST_F(ApiTest, a_running_vm_is_deleted_only_with_force) {
    create("web");
    t.run("web");
    const Answer refused = t.ask("DELETE", "/v1/vms/web");
    EXPECT_EQ(refused.status, 409);
    EXPECT_THAT(refused.body, HasSubstr("--force"));
    const Answer going = t.ask("DELETE", "/v1/vms/web?force=true");
    EXPECT_EQ(going.status, 202);
    EXPECT_NE(going.at("deleted_at"), "");
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/start").status, 409);
    EXPECT_EQ(t.ask("POST", "/v1/vms", kWeb).status, 409);
    EXPECT_EQ(t.ask("DELETE", "/v1/vms/web").status, 202);
}

TEST_F(ApiTest, a_vm_that_was_never_anywhere_is_gone_at_once_with_its_disks) {
    t.add_image("debian", 2048);
    ASSERT_EQ(t.ask("POST", "/v1/vms", R"({"name":"db","spec":{"image":"debian"}})").status, 201);
    const Answer volume = t.ask("GET", "/v1/volumes/db-root");
    EXPECT_EQ(volume.at("size_mib"), "2048") << volume.body;
    EXPECT_EQ(volume.at("image"), "\"debian\"");
    EXPECT_EQ(volume.at("vm"), "\"db\"");
    EXPECT_EQ(t.ask("DELETE", "/v1/volumes/db-root").status, 409);
    const Answer gone = t.ask("DELETE", "/v1/vms/db");
    EXPECT_EQ(gone.at("deleted"), "true") << gone.body;
    EXPECT_EQ(t.ask("GET", "/v1/vms/db").status, 404);
    EXPECT_EQ(t.ask("GET", "/v1/volumes/db-root").status, 404);
}

TEST_F(ApiTest, a_file_that_a_host_has_is_left_for_that_host_to_delete) {
    t.add_image("debian", 2048);
    ASSERT_EQ(t.ask("POST", "/v1/vms", R"({"name":"db","spec":{"image":"debian"}})").status, 201);
    t.put("volumes/default/db-root/status", R"({"state":"ready","node":"n9"})");
    EXPECT_EQ(t.ask("DELETE", "/v1/vms/db").at("deleted"), "true");
    EXPECT_NE(t.ask("GET", "/v1/volumes/db-root").at("deleted_at"), "");
}

// ---- disks and volumes ----

TEST_F(ApiTest, a_disk_grows_and_goes_only_while_the_vm_is_down) {
    create("web", R"(,"disks":[{"name":"data","size_mib":100}])");
    t.run("web");
    const char* grow = R"({"spec":{"disks":[{"name":"data","size_mib":200}]}})";
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", grow).status, 409);
    t.report("web", "n1", model::Phase::kStopped);
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", grow).status, 200);
    EXPECT_EQ(t.ask("GET", "/v1/volumes/web-data").at("size_mib"), "200");
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"disks":[{"name":"data","size_mib":50}]}})")
                  .status,
              400);
}

TEST_F(ApiTest, a_volume_is_used_by_one_running_vm_and_kept_while_it_is_used) {
    ASSERT_EQ(t.ask("POST", "/v1/volumes", R"({"name":"data","size_mib":10})").status, 201);
    const std::string disk = R"(,"disks":[{"name":"d","volume":"data"}])";
    create("a", disk);
    const Answer second =
        t.ask("POST", "/v1/vms", R"({"name":"b","spec":{"image":"demo")" + disk + "}}");
    EXPECT_EQ(second.status, 409) << second.body;
    EXPECT_THAT(second.body, HasSubstr("used by vm"));
    create("b", disk + R"(,"run":"stopped")");
    EXPECT_EQ(t.ask("POST", "/v1/vms/b/start").status, 409);
    const Answer kept = t.ask("DELETE", "/v1/volumes/data");
    EXPECT_EQ(kept.status, 409);
    EXPECT_THAT(kept.body, HasSubstr("vm a, vm b"));
    EXPECT_EQ(t.ask("PATCH", "/v1/volumes/data", R"({"labels":{"a":"b"}})").at("labels.a"),
              "\"b\"");
}

// Where it runs, an empty file would be made for it.
TEST_F(ApiTest, a_vm_that_has_its_place_takes_no_volume_whose_file_is_on_another_host) {
    for (const char* node : {"n1", "n2"})
        t.put(model::node_key(node, "status"), model::to_json(model::NodeStatus{.uid = node}));
    ASSERT_EQ(t.ask("POST", "/v1/volumes", R"({"name":"data","size_mib":10})").status, 201);
    model::VolumeStatus made{.state = model::VolumeState::kReady, .node = "n2"};
    made.uid = t.view.current()->volumes.find("default/data")->record->value.uid;
    t.put(model::volume_key("default", "data", "status"), model::to_json(made));
    create("web", "");
    t.run("web", "n1");
    const char* attach = R"({"spec":{"disks":[{"name":"d","volume":"data"}]}})";
    const Answer refused = t.ask("PATCH", "/v1/vms/web", attach);
    EXPECT_EQ(refused.status, 409);
    EXPECT_THAT(refused.body, HasSubstr("is on host n2, and vm"));
    t.run("web", "n2");
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", attach).status, 200);
}

TEST_F(ApiTest, a_pool_that_no_host_has_is_refused_with_those_there_are) {
    const std::string volume = R"({"name":"v","size_mib":10,"pool":"fast"})";
    const std::string vm =
        R"({"name":"web","spec":{"image":"debian","disks":[{"name":"root","pool":"fast"}]}})";
    const auto hosts_have = [&](std::vector<std::string> first, std::vector<std::string> second) {
        for (auto& [node, pools] : {std::pair{"n1", first}, std::pair{"n2", second}})
            t.put(model::node_key(node, "status"),
                  model::to_json(model::NodeStatus{.uid = node, .pools = pools}));
    };
    t.add_image("debian", 100);
    hosts_have({}, {});
    Answer refused = t.ask("POST", "/v1/volumes", volume);
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.at("field"), "\"pool\"");
    EXPECT_THAT(refused.body, HasSubstr("no host has any; name it under [pools]"));

    hosts_have({"slow"}, {"ceph", "slow"});
    refused = t.ask("POST", "/v1/volumes", volume);
    EXPECT_THAT(refused.body, HasSubstr(R"(no host has a pool \"fast\")"));
    EXPECT_THAT(refused.body, HasSubstr("pools: ceph, slow; leave it out"));
    refused = t.ask("POST", "/v1/vms", vm);
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.at("field"), "\"spec.disks[0].pool\"");

    hosts_have({"slow"}, {"fast"});  // one is enough
    EXPECT_EQ(t.ask("POST", "/v1/volumes", volume).status, 201);
    EXPECT_EQ(t.ask("POST", "/v1/vms", vm).status, 201);
    hosts_have({"slow"}, {});  // what is there already may be changed
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/web", R"({"spec":{"memory_mib":512}})").status, 200);
}

TEST_F(ApiTest, two_that_take_a_volume_at_once_cannot_both_have_it) {
    ASSERT_EQ(t.ask("POST", "/v1/volumes", R"({"name":"data","size_mib":10})").status, 201);
    const auto body = [](const char* name) {
        return std::string(R"({"name":")") + name +
               R"(","spec":{"image":"demo","disks":[{"name":"d","volume":"data"}]}})";
    };
    const auto one = t.send("POST", "/v1/vms", body("a"));
    const auto two = t.send("POST", "/v1/vms", body("b"));
    EXPECT_EQ(t.wait_for(one).status, 201);
    EXPECT_EQ(t.wait_for(two).status, 409);
}

TEST_F(ApiTest, a_volume_that_another_vm_takes_has_the_next_epoch) {
    ASSERT_EQ(t.ask("POST", "/v1/volumes", R"({"name":"data","size_mib":10})").status, 201);
    const auto epoch = [&] {
        return t.view.current()->volumes.find("default/data")->record->value.epoch;
    };
    EXPECT_EQ(epoch(), 0);
    const std::string disk = R"(,"disks":[{"name":"d","volume":"data"}])";
    create("a", disk);
    const std::int64_t of_a = epoch();
    EXPECT_GT(of_a, 0);
    t.ask("POST", "/v1/vms/a/stop");
    create("b", disk);
    const std::int64_t of_b = epoch();
    EXPECT_GT(of_b, of_a);
    t.ask("POST", "/v1/vms/b/stop");
    EXPECT_EQ(t.ask("POST", "/v1/vms/a/start").status, 202);
    EXPECT_GT(epoch(), of_b) << "it takes it again";
}

TEST_F(ApiTest, a_volume_is_not_taken_from_a_vm_that_runs) {
    ASSERT_EQ(t.ask("POST", "/v1/volumes", R"({"name":"data","size_mib":10})").status, 201);
    create("a", R"(,"disks":[{"name":"root","size_mib":10},{"name":"d","volume":"data"}])");
    t.run("a");
    const std::string without = R"({"spec":{"disks":[{"name":"root","size_mib":10}]}})";
    const Answer refused = t.ask("PATCH", "/v1/vms/a", without);
    EXPECT_EQ(refused.status, 409) << refused.body;
    EXPECT_THAT(refused.body, HasSubstr("cannot be removed while the VM runs"));
    const std::string read_only =
        R"({"spec":{"disks":[{"name":"root","size_mib":10},{"name":"d","volume":"data","read_only":true}]}})";
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/a", read_only).status, 409);
    t.report("a", "n1", model::Phase::kStopped);
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/a", without).status, 200);
}

// Its agent has begun to start it, and this host has not seen that yet.
TEST_F(ApiTest, a_disk_is_not_taken_from_a_vm_that_is_started_at_that_moment) {
    create("a", R"(,"disks":[{"name":"root","size_mib":10},{"name":"more","size_mib":10}])");
    t.place("a", "n1");
    t.report("a", "n1", model::Phase::kStopped);
    model::VmStatus status = t.view.current()->vms.find("default/a")->status->value;
    status.phase = model::Phase::kStarting;
    t.store.commit({.puts = {{.key = model::vm_key("default", "a", "status"),
                              .value = model::to_json(status)}}},
                   [](const Result<store::Committed>&) {});  // on its way, before the next
    EXPECT_EQ(
        t.ask("PATCH", "/v1/vms/a", R"({"spec":{"disks":[{"name":"root","size_mib":10}]}})").status,
        409);
}

// ---- images and projects ----

TEST_F(ApiTest, an_image_is_made_of_uploaded_files) {
    const std::string sha(64, 'c');
    const std::string body =
        R"({"name":"debian","files":[{"role":"disk","sha256":")" + sha + R"("}]})";
    const Answer missing = t.ask("POST", "/v1/images", body);
    EXPECT_EQ(missing.status, 400);
    EXPECT_EQ(missing.at("field"), "\"files[0].sha256\"");
    t.blobs.files[sha] = {.sha256 = sha, .size_bytes = 5, .virtual_size_mib = 7};
    const Answer made = t.ask("POST", "/v1/images", body);
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.headers.at("Location"), "/v1/images/debian");
    EXPECT_THAT(made.body, HasSubstr(R"("virtual_size_mib":7)"));
}

TEST_F(ApiTest, an_image_in_use_is_kept_and_its_users_named) {
    for (char name = 'a'; name < 'h'; ++name) create(std::string(1, name));
    const Answer refused = t.ask("DELETE", "/v1/images/demo");
    EXPECT_EQ(refused.status, 409);
    EXPECT_THAT(refused.body, HasSubstr("vm default/a, vm default/b, vm default/c, vm default/d, "
                                        "vm default/e and 2 more"));
    for (char name = 'a'; name < 'h'; ++name) t.ask("DELETE", std::string("/v1/vms/") + name);
    EXPECT_EQ(t.ask("DELETE", "/v1/images/demo").at("deleted"), "true");
    EXPECT_EQ(t.ask("GET", "/v1/images/demo").status, 404);
    EXPECT_EQ(t.ask("DELETE", "/v1/images/demo").status, 404);
}

TEST_F(ApiTest, an_image_that_is_deleted_while_a_vm_is_made_of_it_leaves_no_vm_without_image) {
    const auto deleted = t.send("DELETE", "/v1/images/demo");
    const auto made = t.send("POST", "/v1/vms", kWeb);
    t.wait_for(deleted);
    t.wait_for(made);
    const bool image = t.ask("GET", "/v1/images/demo").status == 200;
    const bool vm = t.ask("GET", "/v1/vms/web").status == 200;
    EXPECT_TRUE(image || !vm);
    EXPECT_NE(deleted->answer->status == 200, made->answer->status == 201);
}

TEST_F(ApiTest, a_project_is_deleted_when_it_is_empty_and_default_never) {
    ASSERT_EQ(t.ask("POST", "/v1/projects", R"({"name":"p"})").status, 201);
    ASSERT_EQ(t.ask("POST", "/v1/vms?project=p", kWeb).status, 201);
    EXPECT_EQ(t.ask("GET", "/v1/vms/web?project=p").at("project"), "\"p\"");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web").status, 404);
    const Answer full = t.ask("DELETE", "/v1/projects/p");
    EXPECT_EQ(full.status, 409);
    EXPECT_THAT(full.body, HasSubstr("vm web"));
    t.ask("DELETE", "/v1/vms/web?project=p");
    EXPECT_EQ(t.ask("DELETE", "/v1/projects/p").at("deleted"), "true");
    EXPECT_EQ(t.ask("DELETE", "/v1/projects/default").status, 409);
}

TEST_F(ApiTest, a_quota_is_not_exceeded_by_many_at_once) {
    ASSERT_EQ(t.ask("POST", "/v1/projects", R"({"name":"p","quota":{"cpus":10}})").status, 201);
    std::vector<std::shared_ptr<TestClient>> clients;
    for (int i = 0; i < 40; ++i)
        clients.push_back(t.send(
            "POST", "/v1/vms?project=p",
            R"({"name":"vm-)" + std::to_string(i) + R"(","spec":{"image":"demo","cpus":2}})"));
    int made = 0, refused = 0;
    for (const auto& client : clients) {
        const Answer answer = t.wait_for(client);
        made += answer.status == 201;
        refused += answer.status == 403;
        if (answer.status == 403) {
            EXPECT_EQ(answer.at("code"), "\"exhausted\"");
            EXPECT_EQ(answer.at("field"), "\"quota.cpus\"");
        }
    }
    EXPECT_EQ(made, 5);
    EXPECT_EQ(refused, 35);
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/vm-0?project=p", R"({"spec":{"cpus":3}})").status, 403);
    EXPECT_EQ(t.ask("PATCH", "/v1/vms/vm-0?project=p", R"({"spec":{"cpus":1}})").status, 200);
}

// ---- nodes ----

TEST_F(ApiTest, a_node_is_cordoned_drained_and_deleted_when_it_is_dead_and_empty) {
    t.put("nodes/n1/spec", R"({"uid":"u"})");
    t.put("nodes/n1/lease", R"({"uid":"u"})");
    EXPECT_EQ(t.ask("PATCH", "/v1/nodes/n1", R"({"spec":{"zone":"z1"}})").at("spec.zone"),
              "\"z1\"");
    EXPECT_EQ(t.ask("POST", "/v1/nodes/n1/cordon").at("spec.schedulable"), "false");
    create("web");
    t.run("web");
    const Answer drain = t.ask("POST", "/v1/nodes/n1/drain");
    EXPECT_EQ(drain.status, 202);
    EXPECT_EQ(drain.at("kind"), "\"operation\"");
    EXPECT_EQ(drain.at("total"), "1");
    const std::string id = drain.at("id").substr(1, 32);
    EXPECT_EQ(t.ask("POST", "/v1/nodes/n1/drain").at("id"), drain.at("id"));
    EXPECT_EQ(t.ask("DELETE", "/v1/operations/" + id).at("state"), "\"cancelled\"");
    EXPECT_EQ(t.ask("GET", "/v1/nodes/n1").at("spec.draining"), "false");
    EXPECT_EQ(t.ask("POST", "/v1/nodes/n1/lost").status, 409);
    EXPECT_EQ(t.ask("DELETE", "/v1/nodes/n1").status, 409);
    EXPECT_EQ(t.ask("POST", "/v1/nodes/n1/uncordon").at("spec.schedulable"), "true");
}

TEST_F(ApiTest, the_disks_that_no_record_names_are_asked_of_their_host) {
    t.put("nodes/n1/spec", R"({"uid":"u"})");
    t.put("nodes/n2/spec", R"({"uid":"v"})");
    t.disks.found.by_pool["local"].emplace(
        "x", images::StrayDisk{"/d/volumes/x.raw", 4096, WallTime{1'795'255'200'000}});
    t.disks.found.unseen = {{"ceph", "not looked into"}};
    const Answer here = t.ask("GET", "/v1/nodes/n1/stray-disks");
    EXPECT_EQ(
        here.body,
        R"({"node":"n1","items":[{"path":"/d/volumes/x.raw","pool":"local","size_bytes":4096,)"
        R"("modified_at":"2026-11-21T10:00:00.000Z"}],)"
        R"("unseen":[{"pool":"ceph","reason":"not looked into"}]})");
    const Answer elsewhere = t.ask("GET", "/v1/nodes/n2/stray-disks");
    EXPECT_EQ(elsewhere.status, 503);
    EXPECT_EQ(elsewhere.at("detail"),
              R"("its disks are on host \"n2\", which cannot be reached from here")");
    EXPECT_EQ(t.ask("GET", "/v1/nodes/n9/stray-disks").status, 404);
}

// ---- lists ----

TEST_F(ApiTest, pages_hold_while_things_come_and_go) {
    for (const char* name : {"a", "c", "e", "g"}) create(name);
    const Answer first = t.ask("GET", "/v1/vms?limit=2&fields=name");
    EXPECT_EQ(first.at("items"), R"([{"name":"a"},{"name":"c"}])") << first.body;
    t.ask("DELETE", "/v1/vms/c");
    create("b");
    create("d");
    const std::string next = first.at("next").substr(1, first.at("next").size() - 2);
    const Answer second = t.ask("GET", "/v1/vms?limit=10&fields=name&after=" + next);
    EXPECT_EQ(second.at("items"), R"([{"name":"d"},{"name":"e"},{"name":"g"}])");
    EXPECT_EQ(second.at("next"), "");
    EXPECT_EQ(t.ask("GET", "/v1/nodes?after=" + next).at("field"), "\"after\"");
}

TEST_F(ApiTest, lists_are_cut_down_by_project_label_phase_node_and_prefix) {
    ASSERT_EQ(t.ask("POST", "/v1/projects", R"({"name":"p"})").status, 201);
    create("web-1", R"(,"labels":{"tier":"web","x":"1"})");
    create("web-2", R"(,"labels":{"tier":"web"})");
    create("db", R"(,"labels":{"tier":"db"})");
    ASSERT_EQ(t.ask("POST", "/v1/vms?project=p", kWeb).status, 201);
    t.run("web-2", "n2");
    t.put("nodes/n1/spec", R"({"uid":"u"})");
    const auto names = [&](const std::string& query) {
        return t.ask("GET", "/v1/vms?fields=name" + query).at("items");
    };
    EXPECT_EQ(names(""), R"([{"name":"db"},{"name":"web-1"},{"name":"web-2"}])");
    EXPECT_EQ(names("&label=tier=web&label=x=1"), R"([{"name":"web-1"}])");
    EXPECT_EQ(names("&phase=running"), R"([{"name":"web-2"}])");
    EXPECT_EQ(names("&node=n2"), R"([{"name":"web-2"}])");
    EXPECT_EQ(names("&node=n1"), "[]");
    EXPECT_EQ(names("&prefix=web-"), R"([{"name":"web-1"},{"name":"web-2"}])");
    EXPECT_EQ(names("&project=p"), R"([{"name":"web"}])");
    EXPECT_EQ(names("&project=*&limit=10&phase=pending"),
              R"([{"name":"db"},{"name":"web-1"},{"name":"web"}])");
}

TEST_F(ApiTest, of_a_project_or_a_host_that_is_not_there_is_no_empty_list) {
    for (const char* path : {"/v1/vms?project=nope", "/v1/volumes?project=nope",
                             "/v1/vms/web?project=nope", "/v1/volumes/data?project=nope"}) {
        const Answer answer = t.ask("GET", path);
        EXPECT_EQ(answer.status, 404) << path;
        EXPECT_EQ(answer.at("detail"), R"("there is no project \"nope\" here")") << path;
        EXPECT_EQ(answer.at("help"), R"("see: blixard project list")") << path;
    }
    EXPECT_EQ(t.ask("POST", "/v1/vms/web/start?project=nope").at("help"),
              R"("see: blixard project list")");
    const Answer node = t.ask("GET", "/v1/vms?node=n9");
    EXPECT_EQ(node.status, 404);
    EXPECT_EQ(node.at("detail"), R"("there is no node \"n9\" here")");
    create("web");
    t.run("web");
    EXPECT_THAT(t.ask("GET", "/v1/vms?node=n1").at("items"), HasSubstr("web"))
        << "of a host that was forgotten, what was placed there last";

    ASSERT_EQ(t.ask("POST", "/v1/projects", R"({"name":"nope"})").status, 201);
    EXPECT_EQ(t.ask("GET", "/v1/vms?project=nope").at("items"), "[]");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web?project=nope").at("help"),
              R"("see: blixard list -p nope")");
    ASSERT_EQ(t.ask("DELETE", "/v1/projects/nope").status, 200);
    EXPECT_EQ(t.ask("GET", "/v1/vms?project=nope").status, 404);
}

TEST_F(ApiTest, a_list_that_has_not_changed_is_made_once) {
    create("web");
    const auto one = t.send("GET", "/v1/vms");
    const auto two = t.send("GET", "/v1/vms");
    EXPECT_EQ(one->answer->shared_body, two->answer->shared_body);
    create("other");
    EXPECT_THAT(t.ask("GET", "/v1/vms").body, HasSubstr("other"));
}

TEST_F(ApiTest, a_consistent_read_waits_for_what_others_have_written) {
    store::Transaction elsewhere;
    elsewhere.puts.push_back({.key = "projects/q", .value = R"({"uid":"q"})"});
    t.store.commit(elsewhere, [](const Result<store::Committed>&) {});
    EXPECT_EQ(t.ask("GET", "/v1/projects/q?consistent=true").status, 200);
}

TEST_F(ApiTest, while_the_store_is_away_reads_say_how_old_they_are_and_writes_are_refused_at_once) {
    EXPECT_FALSE(t.ask("GET", "/v1/projects").headers.contains("X-Blixard-Age-Ms"));
    t.store.set_link({.requests_cut = true, .replies_cut = true});
    t.loop.run_for(seconds(20));
    const Answer read = t.ask("GET", "/v1/projects/default");
    EXPECT_EQ(read.status, 200);
    EXPECT_GE(std::stoll(read.headers.at("X-Blixard-Age-Ms")), 10'000);
    EXPECT_GT(std::stoll(read.headers.at("X-Blixard-Revision")), 0);
    const auto write = t.send("POST", "/v1/projects", R"({"name":"p"})");
    ASSERT_TRUE(write->answer.has_value()) << "it waits for a store that is known to be away";
    EXPECT_EQ(write->answer->status, 503);
    EXPECT_THAT(write->answer->body, HasSubstr("the store has not been reached for"));
    t.store.set_link({});
    t.loop.run_for(seconds(20));
    EXPECT_EQ(t.ask("POST", "/v1/projects", R"({"name":"p"})").status, 201);
    EXPECT_FALSE(t.ask("GET", "/v1/projects").headers.contains("X-Blixard-Age-Ms"));
}

TEST_F(ApiTest, a_refusal_is_judged_by_what_others_have_written) {
    const auto write_elsewhere = [&](const std::string& name) {
        store::Transaction elsewhere;
        elsewhere.puts.push_back({.key = "projects/" + name, .value = R"({"uid":"u"})"});
        t.store.commit(elsewhere, [](const Result<store::Committed>&) {});
    };
    write_elsewhere("p");
    EXPECT_EQ(t.ask("PATCH", "/v1/projects/p", R"({"description":"x"})").status, 200);
    write_elsewhere("q");
    EXPECT_EQ(t.ask("DELETE", "/v1/projects/q").status, 200);
    EXPECT_EQ(t.ask("DELETE", "/v1/projects/q").status, 404);
}

TEST_F(ApiTest, the_files_of_an_image_are_asked_for_until_its_record_is_written) {
    const std::string kernel(64, '1'), initrd(64, '2'), disk(64, '3');
    for (const std::string& sha256 : {kernel, initrd, disk}) t.blobs.files[sha256].sha256 = sha256;
    const Answer made = t.ask("POST", "/v1/images",
                              R"({"name":"tiny","files":[{"role":"kernel","sha256":")" + kernel +
                                  R"("},{"role":"initrd","sha256":")" + initrd +
                                  R"("},{"role":"disk","sha256":")" + disk + R"("}]})");
    EXPECT_EQ(made.status, 201) << made.body;
    // The last was looked at just before.
    EXPECT_EQ(t.blobs.found, (std::vector<std::string>{kernel, initrd}));
}

}  // namespace
}  // namespace blixard::api
