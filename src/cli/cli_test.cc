// Whole commands: words in, text and exit code out, against a daemon that says what the story
// needs.
#include "cli/cli.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/reference.h"
#include "cli/test_command.h"
#include "cli/test_server.h"
#include "cli/units.h"
#include "os/clock.h"

namespace blixard::cli {
namespace {

constexpr auto kWeb =
    R"({"kind":"vm","project":"default","name":"web-1","revision":12,"uid":"u1","created_at":"2026-11-21T11:57:00.000Z","generation":1,
 "spec":{"image":"demo","cpus":2,"memory_mib":1536,"machine":"auto","ha":"none","priority":100,"restart":"on-failure","run":"running","labels":{"role":"web"}},
 "placement":{"node":"host-a","epoch":1,"reason":"scheduled"},
 "status":{"phase":"running","since":"2026-11-21T11:58:00Z","node":"host-a","machine":"q35","accelerator":"tcg","pid":4711,"restarts":0,
           "addresses":[{"nic":"net0","address":"127.0.0.1:8080","guest_port":80}]},"phase":"running"})";
constexpr auto kStuck =
    R"({"kind":"vm","project":"default","name":"big","revision":13,"created_at":"2026-11-21T10:00:00Z",
 "spec":{"image":"demo","cpus":64,"memory_mib":65536,"machine":"auto","ha":"none","priority":100,"restart":"on-failure"},
 "placement":{"node":"","epoch":0,"reason":"needs 64 CPUs, 2 free"},"phase":"pending"})";

std::string list_of(const std::string& items) {
    return R"({"items":[)" + items + R"(],"revision":13})";
}

TEST(List, says_once_that_the_daemon_cannot_reach_the_store) {
    TestServer server([](const SeenRequest&) {
        std::string text = answer(200, list_of(kWeb));
        return text.insert(text.find("\r\n") + 2,
                           "X-Blixard-Age-Ms: 14000\r\nX-Blixard-Revision: 13\r\n");
    });
    Ran ran = run_with(server, {"list"});
    EXPECT_NE(ran.out.find("web-1"), std::string::npos);
    EXPECT_EQ(
        ran.err,
        "note: the daemon cannot reach the store: what it says may be 14 s old (revision 13), "
        "and nothing can be written\n");
}

constexpr auto kStatus =
    R"({"kind":"cluster","node":"h1","mode":"member","store":"etcd","cluster_id":"c1","voters_wanted":3,"lease_ttl_ms":4000,
 "consequence":"a host that cannot reach the store …","created_at":"2026-11-21T10:00:00Z","members":3,"members_alive":2,"voters":2,"revision":7,
 "leader":"h1","quota_bytes":2147483648,
 "hosts":[{"name":"h1","advertise":"10.0.0.1:7420","role":"voter","state":"ready","version":"0.1.0"},
          {"name":"h2","advertise":"10.0.0.2:7420","role":"voter","state":"lost","version":"0.1.0"},
          {"name":"h3","advertise":"10.0.0.3:7420","role":"worker","state":"ready","version":"0.1.0","clock_ahead_ms":-3}],
 "etcd":[{"name":"h1","learner":false,"healthy":true,"leader":true,"version":"3.4.23","database_bytes":20480},
         {"name":"h2","learner":false,"healthy":false}],
 "warnings":["\"h2\" is lost: it holds no lease"]})";

TEST(Endpoint, an_empty_socket_or_host_does_not_mean_another_daemon) {
    TestServer server([](const SeenRequest&) { return answer(200, list_of("")); });
    for (const char* option : {"--socket", "--host"}) {
        Ran ran = run_with(server, {"list", option, ""});
        EXPECT_EQ(ran.code, 2);
        EXPECT_EQ(ran.err, std::string("error: ") + option + " is empty\n");
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST(ImageImport, uploads_nothing_where_the_name_is_refused_in_the_end) {
    const std::string file = std::string(testing::TempDir()) + "/big.qcow2";
    std::ofstream(file) << "QFI";
    TestServer server(
        [](const SeenRequest&) { return answer(200, R"({"kind":"image","name":"big"})"); });
    Ran there = run_with(server, {"image", "import", file});
    EXPECT_EQ(there.code, 4);
    EXPECT_EQ(there.err,
              "error: image \"big\" is there already\n  field: name\n"
              "  help: take another name, or delete it first: blixard image delete big\n");
    Ran bad = run_with(server, {"image", "import", file, "Big"});
    EXPECT_EQ(bad.code, 4);
    EXPECT_NE(bad.err.find("\"Big\" is not a name"), std::string::npos);
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Launch, of_a_vm_that_is_pending_says_how_to_find_out_why) {
    TestServer server([](const SeenRequest&) { return answer(201, kStuck); });
    Ran ran = run_with(server, {"launch", "demo", "big", "--no-wait"});
    EXPECT_EQ(ran.err, "  why: blixard why big    stop: blixard stop big\n");
}

TEST(Launch, numbers_have_the_limits_that_the_daemon_has) {
    Ran none = run_cli({"launch", "demo", "x", "--cpus", "0"});
    EXPECT_EQ(none.err, "error: --cpus: \"0\" is not between 1 and 512\n");
    Ran many = run_cli({"launch", "demo", "x", "--cpus", "99999999999999999999"});
    EXPECT_EQ(many.err, "error: --cpus: \"99999999999999999999\" is not between 1 and 512\n");
    Ran disk = run_cli({"launch", "demo", "x", "--disk", "data:big"});
    EXPECT_NE(disk.err.find("data:10G"), std::string::npos);
}

TEST(Completion, of_a_project_asks_the_daemon_though_none_is_typed_yet) {
    TestServer server(
        [](const SeenRequest&) { return answer(200, list_of(R"({"name":"shop"})")); });
    for (const char* option : {"-p", "--project"}) {
        Ran ran = run_with(server, {"__complete", "list", option, ""});
        EXPECT_EQ(ran.out, "shop\n") << option;
    }
    Ran vm = run_with(server, {"__complete", "show", "-p", "shop", ""});
    EXPECT_EQ(server.request(2).target, "/v1/vms?limit=1000&project=shop");
}

TEST(Events, a_place_that_is_none_is_refused_in_the_words_of_the_command_line) {
    Ran ran = run_cli({"events", "--from", "yesterday"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err.substr(0, ran.err.find('\n')),
              "error: --from: \"yesterday\" is not a revision or the id of an event");
}

TEST(NextStart, is_said_by_apply_of_what_a_vm_that_runs_gets_only_then) {
    const std::string file = std::string(testing::TempDir()) + "/grow.yaml";
    std::ofstream(file)
        << "kind: vm\nname: web-1\nspec: {image: demo, cpus: 4, memory_mib: 1536}\n";
    std::string grown = kWeb;
    grown.replace(grown.find("\"cpus\":2"), 8, "\"cpus\":4").replace(grown.find(":12"), 3, ":13");
    TestServer server([&](const SeenRequest& request) {
        return answer(200, request.method == "PUT" ? grown : std::string(kWeb));
    });
    Ran ran = run_with(server, {"apply", "-f", file});
    EXPECT_EQ(ran.out, "vm default/web-1: changed\n");
    EXPECT_EQ(ran.err, "  cpus from its next start on; now: blixard restart web-1\n");
}

constexpr auto kStrays =
    R"({"node":"h1","items":[{"path":"/d/volumes/aa.qcow2","pool":"local","size_bytes":3221225472,"modified_at":"2026-11-21T10:00:00Z"},
 {"path":"/nfs/bb.raw","pool":"fast","size_bytes":1073741824,"modified_at":"2026-11-19T10:00:00Z"}],
 "unseen":[{"pool":"ceph","reason":"pools in Ceph are not looked into"}]})";

TEST(Strays, are_listed_and_the_pools_that_nobody_looked_into_are_said) {
    TestServer server([](const SeenRequest&) { return answer(200, kStrays); });
    Ran table = run_with(server, {"node", "strays", "h1"});
    EXPECT_EQ(server.request(0).target, "/v1/nodes/h1/stray-disks");
    EXPECT_EQ(table.out,
              "POOL   SIZE  CHANGED  FILE\n"
              "local    3G       2h  /d/volumes/aa.qcow2\n"
              "fast     1G       2d  /nfs/bb.raw\n");
    Ran names = run_with(server, {"node", "strays", "h1", "-o", "name"});
    EXPECT_EQ(names.out, "/d/volumes/aa.qcow2\n/nfs/bb.raw\n");
    EXPECT_EQ(names.err,
              "note: pool \"ceph\" was not looked into: pools in Ceph are not looked into\n");
}

TEST(Strays, node_show_and_doctor_count_them_and_say_nothing_where_there_are_none) {
    std::string strays = kStrays;
    TestServer server([&](const SeenRequest& request) {
        if (request.target == "/v1/version")
            return answer(200, R"({"version":"0.1.0","node":"h1"})");
        if (request.target == "/v1/nodes/h1/stray-disks") return answer(200, strays);
        return answer(200, R"({"kind":"node","name":"h1","ready":true})");
    });
    constexpr auto kLine =
        "2 files, 4G, that no volume's record names; see: blixard node strays h1";
    EXPECT_NE(run_with(server, {"node", "show", "h1"}).out.find(kLine), std::string::npos);
    EXPECT_NE(run_with(server, {"doctor"}).out.find(kLine), std::string::npos);
    strays = R"({"node":"h1","items":[],"unseen":[]})";
    EXPECT_EQ(run_with(server, {"node", "show", "h1"}).out.find("Stray"), std::string::npos);
    EXPECT_EQ(run_with(server, {"doctor"}).out.find("disk files"), std::string::npos);
}

TEST(Cluster, its_status_shows_each_host_and_what_is_wrong) {
    TestServer server([](const SeenRequest&) { return answer(200, kStatus); });
    Ran ran = run_with(server, {"cluster", "status"});
    EXPECT_EQ(ran.code, 0);
    for (const char* line :
         {"Voters:   1 of 2 healthy, 3 wanted; NO MAJORITY: nothing can be written\n",
          "Hosts:    2 of 3 alive\n", "Leader:   h1\n",
          "h1    voter   ready  leader       20K  3.4.23        0.1.0    here  10.0.0.1:7420\n",
          "h2    voter   lost   silent         -  -             0.1.0       -  10.0.0.2:7420\n",
          "h3    worker  ready  -              -  -             0.1.0   -3 ms  10.0.0.3:7420\n",
          "warning: \"h2\" is lost: it holds no lease\n"})
        EXPECT_NE(ran.out.find(line), std::string::npos) << line << "is not in\n" << ran.out;
}

TEST(Cluster, a_host_that_was_removed_says_so_and_what_helps) {
    TestServer server([](const SeenRequest&) {
        return answer(
            200,
            R"({"kind":"cluster","node":"h3","mode":"member","cluster_id":"c1","standing":"removed",
            "warnings":["this host, \"h3\", was removed from its cluster; to use it again: blixard cluster leave"]})");
    });
    Ran ran = run_with(server, {"cluster", "status"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out,
              "Cluster:   c1\nHost:      h3\nStanding:  REMOVED from this cluster\n"
              "warning: this host, \"h3\", was removed from its cluster; to use it again: blixard "
              "cluster leave\n");
}

TEST(Cluster, a_restore_says_what_it_will_do_and_does_nothing_where_nobody_can_say_yes) {
    TestServer server([](const SeenRequest& asked) {
        if (asked.target == "/v1/blobs") return answer(201, R"({"sha256":"abc"})");
        return answer(
            200,
            R"({"kind":"backup","cluster_id":"c1","created_at":"2026-11-21T10:00:00Z","members":["h1","h2"],
                               "vms":3,"images":1,"volumes":0,"revision":42,"lease_ttl_ms":4000,"restored_on":"new"})");
    });
    const std::string file =
        testing::TempDir() + "/blixard-cli-test-backup-" + std::to_string(::getpid());
    std::ofstream(file) << "a backup";
    Ran ran = run_with(server, {"cluster", "restore", file});
    std::filesystem::remove(file);
    EXPECT_NE(ran.code, 0);
    EXPECT_NE(ran.err.find("This makes new (the daemon at"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("3 VMs, 1 images, 0 volumes"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("the hosts of then (h1, h2)"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("nothing was done"), std::string::npos) << ran.err;
    ASSERT_EQ(server.requests().size(), 3u);
    EXPECT_EQ(server.request(0).body, R"({"dry_run":true})");
    EXPECT_EQ(server.request(2).body, R"({"sha256":"abc","dry_run":true})");
}

TEST(Cluster, a_token_can_be_kept_out_of_the_list_of_processes) {
    TestServer server([](const SeenRequest&) { return problem(409, "conflict", "no"); });
    std::istringstream typed("blixard1.secret\n");
    std::streambuf* const before = std::cin.rdbuf(typed.rdbuf());
    (void)run_with(server, {"cluster", "join", "-"});
    std::cin.rdbuf(before);
    ASSERT_EQ(server.requests().size(), 1u);
    EXPECT_EQ(server.request(0).body, R"({"token":"blixard1.secret"})");
}

TEST(Cluster, a_token_for_no_time_is_none) {
    EXPECT_EQ(run_cli({"cluster", "token", "--ttl", "0"}).code, 2);
}

TEST(Cluster, a_backup_is_for_its_owner_alone_and_replaces_no_device) {
    TestServer server([](const SeenRequest&) { return answer(200, "the keys"); });
    const std::string directory =
        testing::TempDir() + "/blixard-cli-test-backup-" + std::to_string(::getpid());
    std::filesystem::create_directory(directory);
    const std::string file = directory + "/b", elsewhere = directory + "/elsewhere";
    std::ofstream(elsewhere) << "kept";
    std::filesystem::create_symlink(elsewhere, file + ".partial");
    EXPECT_EQ(run_with(server, {"cluster", "backup", file}).code, 0);
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(std::filesystem::file_size(elsewhere), 4u);
    ASSERT_EQ(::mkfifo((directory + "/pipe").c_str(), 0600), 0);
    EXPECT_EQ(run_with(server, {"cluster", "backup", directory + "/pipe"}).code, 2);
    EXPECT_TRUE(std::filesystem::is_fifo(directory + "/pipe"));
    std::filesystem::remove_all(directory);
}

TEST(List, is_a_table_with_the_reason_of_what_is_stuck) {
    TestServer server(
        [](const SeenRequest&) { return answer(200, list_of(std::string(kWeb) + "," + kStuck)); });
    Ran ran = run_with(server, {"list"});
    EXPECT_EQ(ran.out,
              "NAME   PHASE    NODE    IMAGE  CPUS  MEMORY  ADDRESSES           AGE  MESSAGE\n"
              "web-1  running  host-a  demo      2    1.5G  127.0.0.1:8080->80   3m  -\n"
              "big    pending  -       demo     64     64G  -                    2h  needs 64 "
              "CPUs, 2 free\n");
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(server.request(0).target, "/v1/vms?project=default&limit=1000");
}

TEST(List, a_vm_of_a_host_that_does_not_report_is_not_said_to_run_there_now) {
    TestServer server([](const SeenRequest& request) {
        const bool nodes = request.target.starts_with("/v1/nodes");
        return answer(200, list_of(nodes ? R"({"kind":"node","name":"host-a","ready":false})"
                                         : std::string(kWeb)));
    });
    EXPECT_NE(run_with(server, {"list"}).out.find("running  host-a (not ready)  demo"),
              std::string::npos);
    EXPECT_EQ(server.requests().size(), 2u);
    EXPECT_EQ(run_with(server, {"list", "-o", "name"}).out, "web-1\n");
    EXPECT_EQ(server.requests().size(), 3u) << "programs ask for it themselves";
}

TEST(List, asks_for_what_the_filters_say) {
    TestServer server([](const SeenRequest&) { return answer(200, list_of("")); });
    Ran ran = run_with(server, {"list", "-A", "--label", "a=b", "--phase", "running", "--node=n1"});
    EXPECT_EQ(server.request(0).target,
              "/v1/vms?project=%2A&label=a%3Db&phase=running&node=n1&limit=1000");
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, "no VM matches; all of them: blixard list -A\n");
}

TEST(List, says_what_it_has_not_found) {
    TestServer server([](const SeenRequest&) { return answer(200, list_of("")); });
    EXPECT_EQ(run_with(server, {"list"}).err,
              "no VMs here yet; launch one with: blixard launch IMAGE NAME\n");
    EXPECT_EQ(run_with(server, {"list", "-p", "shpo"}).err,
              "no VMs in project \"shpo\"; those of all projects: blixard list -A\n");
}

TEST(List, speaks_json_yaml_and_names) {
    TestServer server([](const SeenRequest&) {
        return answer(200, list_of(R"({"kind":"vm","name":"a"},{"kind":"vm","name":"b"})"));
    });
    EXPECT_EQ(run_with(server, {"list", "-o", "name"}).out, "a\nb\n");
    EXPECT_EQ(run_with(server, {"-o", "yaml", "list"}).out,
              "kind: vm\nname: a\n---\nkind: vm\nname: b\n");
    EXPECT_EQ(run_with(server, {"list", "--output=json"}).out,
              "{\n  \"items\": [\n    {\n      \"kind\": \"vm\",\n      \"name\": \"a\"\n    },\n  "
              "  {\n      \"kind\": \"vm\",\n      \"name\": \"b\"\n    }\n  ]\n}\n");
}

TEST(Show, tells_what_a_person_wants_to_know) {
    TestServer server([](const SeenRequest&) { return answer(200, kWeb); });
    EXPECT_EQ(run_with(server, {"show", "web-1"}).out,
              "Name:               web-1\n"
              "Project:            default\n"
              "Phase:              running for 2m\n"
              "Wanted:             running\n"
              "Node:               host-a\n"
              "Placed:             scheduled\n"
              "Image:              demo\n"
              "CPUs:               2\n"
              "Memory:             1.5G\n"
              "Machine:            q35 with tcg\n"
              "Addresses:          127.0.0.1:8080->80\n"
              "Restart:            on-failure, 0 so far\n"
              "High availability:  none\n"
              "Priority:           100\n"
              "Labels:             role=web\n"
              "QEMU:               pid 4711\n"
              "Created:            3m ago, 2026-11-21T11:57:00.000Z\n"
              "Revision:           12, generation 1, epoch 1\n"
              "Uid:                u1\n");
}

TEST(Launch, sends_what_was_given_and_nothing_else) {
    TestServer server([](const SeenRequest& request) {
        return request.method == "POST" ? answer(201, kWeb) : answer(200, kWeb);
    });
    Ran ran = run_with(server, {"launch",
                                "demo",
                                "web-1",
                                "-c",
                                "2",
                                "--memory",
                                "1.5G",
                                "--port",
                                "8080:80",
                                "--label",
                                "role=web",
                                "--disk",
                                "10G",
                                "--disk",
                                "data:1T",
                                "--health",
                                "http:80/ready",
                                "--anti-affinity",
                                "role=web",
                                "--restart",
                                "always"});
    EXPECT_EQ(
        server.request(0).body,
        R"({"name":"web-1","project":"default","spec":{"image":"demo","cpus":2,"memory_mib":1536,"restart":"always",)"
        R"("health":{"kind":"http","port":80,"path":"/ready"},"disks":[{"name":"root","size_mib":10240},{"name":"data","size_mib":1048576}],)"
        R"("nics":[{"name":"net0","forwards":[{"host_port":8080,"guest_port":80,"protocol":"tcp"}]}],)"
        R"("affinity":[{"anti":true,"hard":true,"labels":{"role":"web"}}],"labels":{"role":"web"}}})");
    EXPECT_EQ(server.request(1).target, "/v1/vms/web-1?project=default&wait=running&timeout=2");
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "web-1: running on host-a (0.0 s)\n  addresses: 127.0.0.1:8080->80\n");
}

TEST(Launch, asks_for_devices_of_the_host) {
    TestServer server([](const SeenRequest&) { return answer(201, kStuck); });
    run_with(server, {"launch", "demo", "big", "--no-wait", "--device", "gpu=10de:20b0,10de:2330*2",
                      "--device", "pci=8086:1572"});
    EXPECT_NE(server.request(0).body.find(
                  R"("devices":[{"kind":"gpu","models":["10de:20b0","10de:2330"],"count":2},)"
                  R"({"kind":"pci","models":["8086:1572"]}])"),
              std::string::npos)
        << server.request(0).body;
    for (const char* wrong : {"gpu=", "gpu=a,,b", "gpu*0", "gpu*x"})
        EXPECT_EQ(run_with(server, {"launch", "demo", "b", "--device", wrong}).code, 2) << wrong;
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Launch, does_not_wait_where_told_so) {
    TestServer server([](const SeenRequest&) { return answer(201, kStuck); });
    EXPECT_EQ(run_with(server, {"launch", "demo", "big", "--no-wait"}).out,
              "big: pending (0.0 s)\n");
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Launch, waits_for_the_console_to_speak) {
    int looks = 0;
    TestServer server([&](const SeenRequest& request) {
        if (request.target.find("/log") == std::string::npos) return answer(200, kWeb);
        return answer(200, ++looks < 2 ? "booting\n" : "booting\ndemo ready\n", "text/plain");
    });
    EXPECT_EQ(run_with(server, {"launch", "demo", "web-1", "--console-pattern", "demo ready"}).code,
              0);
    EXPECT_EQ(looks, 2);
}

TEST(Launch, tells_of_a_vm_that_fails_instead) {
    std::string failed =
        R"({"name":"web-1","phase":"failed","status":{"phase":"failed","since":"s","message":"QEMU: exit status 1"}})";
    TestServer server([&](const SeenRequest& request) {
        if (request.method == "POST") return answer(201, failed);
        return request.target.find("wait=") != std::string::npos
                   ? problem(504, "timeout", "not running yet")
                   : answer(200, failed);
    });
    Ran ran = run_with(server, {"launch", "demo", "web-1"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.err.find(
                  "error: web-1 has failed: QEMU: exit status 1\n  help: see: blixard logs web-1"),
              std::string::npos)
        << ran.err;
}

TEST(Waiting, that_takes_too_long_has_an_exit_code_of_its_own) {
    TestServer server([&](const SeenRequest& request) {
        return request.target.find("wait=") != std::string::npos
                   ? problem(504, "timeout", "not running yet")
                   : answer(200, kStuck);
    });
    Ran ran = run_with(server, {"start", "big", "--timeout", "3ms"});
    EXPECT_EQ(ran.code, 7);
    EXPECT_NE(ran.err.find("big: pending: needs 64 CPUs, 2 free\n"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("error: big is not running after 0.0 s (it is pending)"),
              std::string::npos)
        << ran.err;
}

TEST(Stop, says_how_the_guest_was_stopped) {
    TestServer server([](const SeenRequest& request) {
        return request.method == "POST"
                   ? answer(200, kWeb)
                   : answer(
                         200,
                         R"({"name":"web-1","phase":"stopped","status":{"phase":"stopped","stopped_by":"guest"}})");
    });
    EXPECT_EQ(run_with(server, {"stop", "web-1", "--grace", "5s"}).out,
              "web-1: stopped by guest (0.0 s)\n");
    EXPECT_EQ(server.request(0).target, "/v1/vms/web-1/stop?project=default&timeout_s=5");
    EXPECT_EQ(server.request(1).target, "/v1/vms/web-1?project=default&wait=stopped&timeout=2");
}

TEST(Restart, is_over_when_the_new_machine_runs) {
    int looks = 0;
    TestServer server([&](const SeenRequest& request) {
        if (request.method == "POST") return answer(200, "{}");
        ++looks;
        std::string seen = looks < 2 ? "4" : "5";
        return answer(
            200,
            R"({"name":"web-1","phase":"running","restart_generation":5,"placement":{"node":"n"},"status":{"restart_generation":)" +
                seen + "}}");
    });
    EXPECT_EQ(run_with(server, {"restart", "web-1"}).code, 0);
    EXPECT_EQ(looks, 2);
}

TEST(Delete, is_over_when_the_vm_is_gone) {
    TestServer server([](const SeenRequest& request) {
        return request.method == "DELETE" ? answer(202, "{}") : problem(404, "not-found", "no vm");
    });
    Ran ran = run_with(server, {"delete", "web-1", "web-2", "--force"});
    EXPECT_EQ(ran.out, "web-1: deleted (0.0 s)\nweb-2: deleted (0.0 s)\n");
    EXPECT_EQ(server.request(0).target, "/v1/vms/web-1?project=default&force=true");
}

TEST(Delete, goes_on_behind_a_refusal_and_keeps_its_exit_code) {
    TestServer server([](const SeenRequest& request) {
        if (request.target.starts_with("/v1/vms/a?"))
            return problem(409, "conflict", "vm \"a\" is running", "",
                           "stop it first, or say --force");
        return request.method == "DELETE" ? answer(200, "{}") : problem(404, "not-found", "no vm");
    });
    Ran ran = run_with(server, {"delete", "a", "b"});
    EXPECT_EQ(ran.code, 4);
    EXPECT_EQ(ran.out, "b: deleted (0.0 s)\n");
    EXPECT_EQ(ran.err, "error: vm \"a\" is running\n  help: stop it first, or say --force\n");
}

TEST(ExitCodes, follow_from_what_the_daemon_says) {
    struct Case {
        int status;
        std::string code;
        int exit;
    };
    for (const Case& c : std::vector<Case>{{400, "invalid", 4},
                                           {401, "unauthenticated", 5},
                                           {403, "denied", 5},
                                           {404, "not-found", 3},
                                           {409, "already-exists", 4},
                                           {409, "conflict", 4},
                                           {507, "exhausted", 4},
                                           {403, "exhausted", 4},
                                           {503, "unavailable", 6},
                                           {503, "unknown-outcome", 6},
                                           {504, "timeout", 7},
                                           {501, "unsupported", 4},
                                           {413, "too-large", 4},
                                           {500, "internal", 1}}) {
        TestServer server([&](const SeenRequest&) { return problem(c.status, c.code, "no"); });
        EXPECT_EQ(run_with(server, {"show", "x"}).code, c.exit) << c.code;
    }
    EXPECT_EQ(run_cli({"list", "--socket", "/nonexistent/s"}).code, 6);
}

TEST(Words, a_mistyped_command_or_option_is_answered_with_the_nearest) {
    Ran ran = run_cli({"lanch", "demo", "x"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err,
              "error: unknown command \"lanch\"; did you mean \"launch\"?\n  help: see them all "
              "with: blixard help\n");
    EXPECT_EQ(run_cli({"image", "lits"}).err,
              "error: unknown image command \"lits\"; did you mean \"list\"?\n  help: see them all "
              "with: blixard image --help\n");
    EXPECT_EQ(run_cli({"launch", "demo", "x", "--memroy", "1G"}).err,
              "error: blixard launch has no option --memroy; did you mean --memory?\n  help: see: "
              "blixard launch --help\n");
    EXPECT_EQ(run_cli({"--sockt", "x", "list"}).code, 2);
}

TEST(Words, what_cannot_be_a_name_is_refused_before_anybody_is_asked) {
    EXPECT_EQ(run_cli({"show", ""}).err, "error: NAME is empty\n");
    Ran ran = run_cli({"show", "default/web-1"});
    EXPECT_EQ(ran.err,
              "error: \"default/web-1\" cannot be NAME: no name holds a slash\n  help: name the "
              "project with --project PROJECT\n");
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(run_cli({"image", "delete", "../x"}).code, 2);
}

TEST(Wait, says_where_the_vm_is_and_not_how_it_came_there) {
    int asked = 0;
    TestServer server([&](const SeenRequest& request) {
        if (request.method == "POST") return answer(200, R"({"name":"a","phase":"running"})");
        return answer(200, fmt::format(R"({{"name":"a","phase":"{}","placement":{{"node":"h",)"
                                       R"("reason":"scheduled"}},"spec":{{"run":"stopped"}}}})",
                                       ++asked < 2 ? "stopping" : "stopped"));
    });
    EXPECT_EQ(run_with(server, {"stop", "a"}).err.find("scheduled"), std::string::npos);
    EXPECT_GE(asked, 1);
}

TEST(Delete, goes_on_behind_what_is_refused) {
    TestServer server([](const SeenRequest& request) {
        if (request.target.ends_with("/b?project=default") || request.target.ends_with("/b"))
            return answer(200, "{}");
        return problem(404, "not-found", "no such thing");
    });
    for (const char* noun : {"volume", "image"}) {
        Ran ran = run_with(server, {noun, "delete", "a", "b", "c"});
        EXPECT_EQ(ran.out, fmt::format("{} b: deleted\n", noun));
        EXPECT_EQ(ran.err, "error: no such thing\nerror: no such thing\n");
        EXPECT_EQ(ran.code, 3);
    }
}

TEST(Words, a_number_is_finite) {
    for (const char* wrong : {"nan", "inf", "-1", "x", ""})
        EXPECT_EQ(run_cli({"node", "set", "h", "--cost", wrong}).code, 2) << wrong;
}

TEST(Words, what_is_no_socket_is_called_that) {
    Ran ran = run_cli({"list", "--socket", "/etc/passwd"});
    EXPECT_EQ(ran.err.substr(0, ran.err.find('\n')),
              "error: no daemon answers at /etc/passwd: it is no socket");
    EXPECT_EQ(ran.code, 6);
}

TEST(Words, a_pattern_to_wait_for_needs_a_wait) {
    for (const char* contrary : {"--no-wait", "--stopped"})
        EXPECT_EQ(
            run_cli({"launch", "demo", "x", "--console-pattern", "ready", contrary}).err,
            fmt::format("error: --console-pattern waits for a VM that runs; with {} there is no "
                        "waiting\n",
                        contrary));
}

// A disk that is full, a file that is closed.
class FullScreen final : public Screen {
 public:
    void out(std::string_view) override {}
    void err(std::string_view text) override { err_text += text; }
    bool out_is_tty() const override { return false; }
    bool err_is_tty() const override { return false; }
    int columns() const override { return 80; }
    std::string lost() const override { return "No space left on device"; }
    std::string err_text;
};

TEST(Words, output_that_is_lost_is_no_success) {
    FullScreen screen;
    EXPECT_EQ(run_words({"version", "--client"}, screen, os::SystemClock(),
                        [](std::string_view) { return std::string(); }),
              1);
    EXPECT_EQ(screen.err_text, "error: the output cannot be written: No space left on device\n");
}

TEST(Words, what_is_missing_or_too_much_is_said) {
    EXPECT_EQ(run_cli({"launch", "demo"}).err,
              "error: NAME is missing; usage: blixard launch IMAGE NAME [options]\n  help: see: "
              "blixard launch --help\n");
    EXPECT_EQ(run_cli({"launch", "demo", "x", "y"}).code, 2);
    EXPECT_EQ(run_cli({"list", "-o", "xml"}).err,
              "error: --output cannot be \"xml\"\n  help: one of: table, "
              "wide, json, yaml, name\n");
    EXPECT_EQ(run_cli({"launch", "demo", "x", "--memory", "12X"}).err,
              "error: --memory: \"12X\" is not a size\n  help: write it as 512M, 2G, 1.5G or 1T; a "
              "bare number is MiB\n");
    EXPECT_EQ(run_cli({"list", "--socket"}).code, 2);
    EXPECT_EQ(run_cli({"list", "--socket", "a", "--host", "b"}).code, 2);
    EXPECT_EQ(run_cli({"start", "x", "--wait", "--no-wait"}).code, 2);
    EXPECT_EQ(run_cli({"node", "lost", "a"}).code, 2);
}

TEST(Help, is_there_for_everything_and_shows_examples) {
    EXPECT_NE(run_cli({}).out.find("launch"), std::string::npos);
    EXPECT_EQ(run_cli({"help"}).code, 0);
    EXPECT_NE(run_cli({"image"}).out.find("build-demo"), std::string::npos);
    for (const Command& command : all_commands()) {
        if (command.hidden) continue;
        std::vector<std::string> words;
        std::istringstream path(command.path);
        for (std::string word; path >> word;) words.push_back(word);
        words.push_back("--help");
        Ran ran = run_cli(words);
        EXPECT_EQ(ran.code, 0) << command.path;
        EXPECT_NE(ran.out.find("Examples"), std::string::npos) << command.path;
        EXPECT_FALSE(command.examples.empty()) << command.path;
    }
}

TEST(Help, every_example_can_be_parsed) {
    for (const Command& command : all_commands()) {
        for (const std::string& example : command.examples) {
            std::size_t at = example.find("blixard ");
            if (example.find_first_of("<>|;\"") != std::string::npos || at != 0) continue;
            std::vector<std::string> words;
            std::istringstream text(example.substr(8));
            for (std::string word; text >> word;) words.push_back(word);
            const std::vector<Command> commands = all_commands();
            auto chosen = choose_command(commands, words);
            ASSERT_TRUE(chosen) << example;
            ASSERT_TRUE(chosen->command) << example;
            EXPECT_TRUE(parse_args(*chosen->command, chosen->words)) << example;
        }
    }
}

TEST(Reference, is_what_docs_cli_md_says) {
    // This program lies somewhere below the checkout.
    std::filesystem::path above = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    while (!std::filesystem::exists(above / "docs/CLI.md") && above != above.root_path())
        above = above.parent_path();
    std::ifstream file(above / "docs/CLI.md");
    ASSERT_TRUE(file) << "docs/CLI.md is nowhere above this program";
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_TRUE(text.str() == reference_page())
        << "make it anew: blixard __reference > docs/CLI.md";
}

TEST(Events, are_lines_for_people_and_json_for_programs) {
    std::string stream =
        ": keep-alive\n\nid: 41\nevent: vm.status\ndata: "
        "{\"revision\":41,\"type\":\"vm.status\",\"project\":\"default\",\"name\":\"web-1\","
        "\"phase\":\"running\",\"message\":\"up\"}\n\n"
        "id: 42\nevent: node.spec\ndata: "
        "{\"revision\":42,\"type\":\"node.spec\",\"name\":\"host-a\"}\n\n";
    TestServer server([&](const SeenRequest&) { return answer(200, stream, "text/event-stream"); });
    EXPECT_EQ(run_with(server, {"events", "--from", "40"}).out,
              "      41  vm.status           default/web-1             running  up\n"
              "      42  node.spec           host-a                    \n");
    EXPECT_NE(server.request(0).head.find("Last-Event-ID: 40\r\n"), std::string::npos);
    EXPECT_EQ(run_with(server, {"events", "--from", "40", "-o", "name"}).out, "web-1\nhost-a\n");
}

TEST(Events, of_a_project_that_is_not_there_are_refused_and_not_empty) {
    TestServer server([&](const SeenRequest& request) {
        if (request.target.starts_with("/v1/events"))
            return answer(200, ": events from here on\nid: 40\n\n", "text/event-stream");
        if (request.target.find("project=nope") == std::string::npos)
            return answer(200, R"({"items":[],"revision":40})");
        return answer(404, R"({"code":"not-found","detail":"there is no project \"nope\" here"})");
    });
    for (const std::vector<std::string>& more :
         std::vector<std::vector<std::string>>{{}, {"--from", "7"}, {"-f", "--from", "7"}}) {
        std::vector<std::string> words{"events", "-p", "nope"};
        words.insert(words.end(), more.begin(), more.end());
        Ran ran = run_with(server, words);
        EXPECT_EQ(ran.code, kExitNotFound);
        EXPECT_NE(ran.err.find("there is no project \"nope\" here"), std::string::npos) << ran.err;
    }
    EXPECT_EQ(run_with(server, {"events", "-p", "there"}).code, 0);
}

TEST(Events, those_that_are_kept_are_shown_where_a_quiet_host_has_forgotten_others) {
    TestServer server([](const SeenRequest& request) {
        if (!request.target.starts_with("/v1/events"))
            return answer(200, R"({"items":[],"revision":180})");
        const std::string from = request.head.substr(request.head.find("Last-Event-ID: ") + 15);
        if (std::stoi(from) < 137)
            return answer(410, R"({"code":"compacted","detail":"no longer kept"})");
        return answer(200,
                      "id: 138\nevent: vm.spec\ndata: {\"revision\":138,\"type\":\"vm.spec\","
                      "\"project\":\"default\",\"name\":\"web-1\"}\n\n",
                      "text/event-stream");
    });
    const Ran ran = run_with(server, {"events", "-o", "name"});
    EXPECT_EQ(ran.out, "web-1\n");
    EXPECT_EQ(ran.code, 0) << ran.err;
    const std::size_t last = server.requests().size() - 1;
    EXPECT_NE(server.request(last).head.find("Last-Event-ID: 137\r\n"), std::string::npos);
    // What was asked for by its revision is not replaced.
    EXPECT_EQ(run_with(server, {"events", "--from", "100"}).code, kExitRefused);
}

TEST(Events, a_stream_that_was_cut_off_says_why) {
    TestServer server([&](const SeenRequest&) {
        return answer(200, "id: 5\nevent: error\ndata: {\"detail\":\"too slow\"}\n\n",
                      "text/event-stream");
    });
    Ran ran = run_with(server, {"events", "-f"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.err.find("too slow"), std::string::npos);
}

TEST(Refusals, of_a_member_are_sentences_about_it) {
    std::string detail = "must be a whole number, found a string (\\\"5G\\\")";
    TestServer server([&](const SeenRequest&) {
        return answer(
            400, R"({"code":"invalid","field":"spec.memory_mib","detail":")" + detail + R"("})");
    });
    EXPECT_EQ(run_with(server, {"launch", "demo", "web"}).err,
              "error: spec.memory_mib must be a whole number, found a string (\"5G\")\n");
    detail = "this host is too small";
    EXPECT_EQ(run_with(server, {"launch", "demo", "web"}).err,
              "error: this host is too small\n  field: spec.memory_mib\n");
}

TEST(Cluster, init_is_over_when_the_daemon_is_back_on_its_new_store) {
    int looks = 0;
    TestServer server([&](const SeenRequest& request) {
        if (request.method == "POST") return answer(200, R"({"kind":"cluster","cluster_id":"c1"})");
        if (request.target == "/readyz") return answer(200, "ok", "text/plain");
        return answer(200, ++looks < 2 ? R"({"store":"sqlite"})" : R"({"store":"etcd"})");
    });
    Ran ran = run_with(server, {"cluster", "init", "--voters", "5", "--lease-ttl", "10s"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "Cluster:  c1\n");
    EXPECT_EQ(server.request(0).body, R"({"voters":5,"lease_ttl_ms":10000,"dry_run":true})");
    EXPECT_EQ(server.request(1).body, R"({"voters":5,"lease_ttl_ms":10000})");
    EXPECT_EQ(looks, 2);
}

TEST(Cluster, what_cannot_be_is_refused_before_it_is_announced_or_uploaded) {
    TestServer server([](const SeenRequest&) {
        return answer(409, R"({"code":"conflict","detail":"this host has no address for others"})");
    });
    const std::string file = std::string(testing::TempDir()) + "/blixard.backup";
    std::ofstream(file) << "manifest.json";
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"cluster", "init"}, {"cluster", "restore", file, "--yes"}}) {
        const Ran ran = run_with(server, words);
        EXPECT_EQ(ran.code, kExitRefused);
        EXPECT_EQ(ran.err, "error: this host has no address for others\n");
    }
    EXPECT_EQ(server.requests().size(), 2u);
    EXPECT_EQ(server.request(1).target, "/v1/cluster/restore");
}

TEST(Cluster, a_status_by_names_has_those_of_its_hosts) {
    std::string answered = kStatus;
    TestServer server([&](const SeenRequest&) { return answer(200, answered); });
    EXPECT_EQ(run_with(server, {"cluster", "status", "-o", "name"}).out, "h1\nh2\nh3\n");
    answered = R"({"kind":"cluster","node":"alone","mode":"single","store":"sqlite"})";
    EXPECT_EQ(run_with(server, {"cluster", "status", "-o", "name"}).out, "alone\n");
}

}  // namespace
}  // namespace blixard::cli
