// apply's decisions, completion, doctor's judgement, the options of launch.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "cli/apply.h"
#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/doctor.h"
#include "cli/launch.h"
#include "cli/test_server.h"
#include "cli/yaml.h"
#include "os/clock.h"

namespace blixard::cli {
namespace {

Result<std::vector<Manifest>> manifests(std::string_view text) {
    return read_manifests(parse_yaml(text).value(), "f.yaml", "default");
}

TEST(Manifests, leave_out_what_the_daemon_adds) {
    auto read = manifests(
                    "kind: vm\nname: a\nproject: shop\nrevision: 5\nuid: x\nphase: "
                    "running\nstatus: {phase: running}\nspec: {image: demo}\n")
                    .value();
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].project, "shop");
    EXPECT_EQ(to_json(read[0].wanted), R"({"spec":{"image":"demo"}})");
}

TEST(Manifests, lists_are_opened) {
    auto read =
        manifests("items:\n- kind: volume\n  name: d\n  size_mib: 10\n- {kind: project, name: p}\n")
            .value();
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].kind, "volume");
    EXPECT_EQ(read[0].where, "f.yaml, item 1");
}

TEST(Manifests, are_refused_with_the_place_and_the_mend) {
    EXPECT_EQ(manifests("kind: vmm\nname: a\n").error().message,
              "f.yaml: \"vmm\" cannot be applied; did you mean \"vm\"?");
    EXPECT_EQ(manifests("kind: vm\nname: a\nspec: {}\n---\nname: b\n").error().message,
              "f.yaml, document 2: the kind is missing");
    EXPECT_EQ(manifests("kind: vm\nname: a\n").error().message, "f.yaml: the vm \"a\" has no spec");
    EXPECT_EQ(manifests("kind: vm\nname: 5\nspec: {}\n").error().field, "name");
    EXPECT_EQ(manifests("kind: volume\nname: a\nsise_mib: 5\n").error().field, "sise_mib");
}

TEST(Manifests, a_default_that_is_written_down_is_no_difference) {
    Value file = parse_yaml(
                     "spec:\n  image: demo\n  memory_mib: 512.0\n  disks:\n  - name: root\n    "
                     "size_mib: 10\n")
                     .value()[0];
    Value daemon =
        parse_json(
            R"({"kind":"vm","spec":{"image":"demo","cpus":1,"memory_mib":512,"machine":"auto","priority":100,"restart":"on-failure",
        "disks":[{"name":"root","size_mib":10,"format":"qcow2","read_only":false}],"labels":{}},"phase":"running"})")
            .value();
    EXPECT_EQ(to_yaml(normalised("vm", file)), to_yaml(normalised("vm", daemon)));
}

TEST(Manifests, a_zero_that_is_no_default_is_one) {
    Value zero = parse_json(R"({"spec":{"priority":0}})").value();
    EXPECT_EQ(to_json(normalised("vm", zero)), R"({"spec":{"priority":0}})");
    Value label = parse_json(R"({"spec":{"labels":{"empty":""}}})").value();
    EXPECT_EQ(to_json(normalised("vm", label)), R"({"spec":{"labels":{"empty":""}}})");
}

// A file and a daemon that has one VM already.
class Apply : public ::testing::Test {
 protected:
    Apply()
        : server_([](const SeenRequest& request) {
              if (request.method == "GET" && request.target.starts_with("/v1/vms/old"))
                  return answer(
                      200,
                      R"({"kind":"vm","name":"old","revision":7,"spec":{"image":"demo","cpus":1,"memory_mib":256}})");
              if (request.method == "GET" && request.target.starts_with("/v1/projects/old"))
                  return answer(
                      200,
                      R"({"kind":"project","name":"old","revision":7,"labels":{"a":"1","b":"2"},"quota":{"vms":5,"cpus":10}})");
              if (request.method == "GET") return problem(404, "not-found", "no such thing");
              if (request.body.find("\"bad\"") != std::string::npos)
                  return problem(400, "invalid", "no image \"none\"", "spec.image", "import it");
              return answer(200, R"({"name":"x","revision":8})");
          }) {
        char name[] = "/tmp/blixard-cli-apply-XXXXXX";
        ::close(::mkstemp(name));
        path_ = name;
    }
    ~Apply() override { ::unlink(path_.c_str()); }

    int run(std::vector<std::string> words, const std::string& file) {
        std::ofstream(path_) << file;
        words.insert(words.begin(), {"apply", "-f", path_});
        os::SystemClock clock;
        return run_words(words, screen_, clock, [&](std::string_view name) {
            return name == "BLIXARD_SOCKET" ? server_.socket_path() : std::string();
        });
    }

    TestServer server_;
    StringScreen screen_;
    std::string path_;
};

TEST_F(Apply, creates_and_replaces_in_the_order_of_need) {
    EXPECT_EQ(run({},
                  "kind: vm\nname: old\nspec: {image: demo, cpus: 2}\n---\nkind: vm\nname: "
                  "new\nspec: {image: demo}\n---\nkind: project\nname: shop\n"),
              0)
        << screen_.err_text;
    EXPECT_EQ(screen_.out_text,
              "project shop: created\nvm default/old: changed\nvm default/new: created\n");
    auto requests = server_.requests();
    EXPECT_EQ(requests[3].method, "PUT");
    EXPECT_EQ(requests[3].body, R"({"spec":{"image":"demo","cpus":2}})");
    EXPECT_NE(requests[3].head.find("If-Match: \"7\""), std::string::npos);
    EXPECT_EQ(requests[5].body, R"({"name":"new","project":"default","spec":{"image":"demo"}})");
}

TEST_F(Apply, what_a_file_no_longer_names_goes_at_every_depth) {
    EXPECT_EQ(run({}, "kind: project\nname: old\nlabels: {a: '1'}\nquota: {vms: 6}\n"), 0)
        << screen_.err_text;
    auto requests = server_.requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_EQ(requests[1].method, "PATCH");
    EXPECT_EQ(requests[1].body, R"({"labels":{"a":"1","b":null},"quota":{"vms":6,"cpus":null}})");
}

TEST_F(Apply, does_nothing_where_nothing_differs) {
    EXPECT_EQ(run({}, "kind: vm\nname: old\nspec: {image: demo}\n"), 0);
    EXPECT_EQ(screen_.out_text, "vm default/old: unchanged\n");
    EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(Apply, shows_what_a_dry_run_would_change) {
    EXPECT_EQ(run({"--dry-run"},
                  "kind: vm\nname: old\nspec: {image: demo, cpus: 2, priority: 0}\n---\nkind: "
                  "vm\nname: new\nspec: {image: demo}\n"),
              0);
    EXPECT_EQ(screen_.out_text,
              "vm default/old: would be changed\n"
              "  spec:\n"
              "+   cpus: 2\n"
              "    image: demo\n"
              "+   priority: 0\n"
              "vm default/new: would be created\n"
              "+ spec:\n"
              "+   image: demo\n");
    for (const SeenRequest& request : server_.requests()) EXPECT_EQ(request.method, "GET");
}

TEST_F(Apply, a_dry_run_is_for_people) {
    EXPECT_EQ(run({"--dry-run", "-o", "json"}, "kind: vm\nname: new\nspec: {image: demo}\n"), 2);
    EXPECT_EQ(screen_.err_text,
              "error: --dry-run shows the difference as text\n  help: leave out -o\n");
    EXPECT_TRUE(server_.requests().empty());
}

TEST_F(Apply, a_refusal_names_the_document) {
    EXPECT_EQ(run({}, "kind: vm\nname: bad\nspec: {image: none}\n"), 4);
    EXPECT_EQ(screen_.err_text,
              "error: " + path_ +
                  ": vm \"bad\": no image \"none\"\n  field: spec.image\n  help: import it\n");
}

TEST_F(Apply, a_broken_file_changes_nothing) {
    EXPECT_EQ(run({}, "kind: vm\nname: [\n"), 2);
    EXPECT_TRUE(server_.requests().empty());
}

std::vector<std::string> offers(std::vector<std::string> words) {
    return complete(all_commands(), words, [](Offer offer) {
        return offer == Offer::kVm ? std::vector<std::string>{"web-2", "web-1", "db"}
                                   : std::vector<std::string>{"other"};
    });
}

TEST(Completion, offers_commands_verbs_names_and_values) {
    EXPECT_EQ(offers({"la"}), std::vector<std::string>{"launch"});
    EXPECT_EQ(offers({"image", "b"}), std::vector<std::string>{"build-demo"});
    EXPECT_EQ(offers({"stop", "web"}), (std::vector<std::string>{"web-1", "web-2"}));
    EXPECT_EQ(offers({"stop", "web-1", "d"}), std::vector<std::string>{"db"});
    EXPECT_EQ(offers({"list", "-o", "j"}), std::vector<std::string>{"json"});
    EXPECT_EQ(offers({"-o", "json", "sh"}), std::vector<std::string>{"show"});
    EXPECT_EQ(offers({"apply", "-f", ""}), std::vector<std::string>{":files"});
    EXPECT_EQ(offers({"launch", "x", "y", "--mem"}), std::vector<std::string>{"--memory"});
    EXPECT_EQ(offers({"completion", "f"}), std::vector<std::string>{"fish"});
    EXPECT_EQ(offers({"show", "a", "--project", "o"}), std::vector<std::string>{"other"});
    EXPECT_TRUE(offers({"launch", "x", "y", "z"}).empty());
    EXPECT_TRUE(offers({"nonsense", "x"}).empty());
}

TEST(Completion, of_the_daemon_and_the_simulation_comes_out_of_their_help) {
    constexpr std::string_view kDaemon =
        "Usage: blixard daemon [options]\n\n"
        "  --data-dir DIR         everything the daemon keeps          (/var/lib/blixard)\n"
        "  --store-ca, --store-cert FILE  PEM\n"
        "  --listen ADDR:PORT     the API\n"
        "  --accelerator kvm|tcg  instead of what the probe finds\n"
        "  --log-format text|json\n"
        "  --config FILE          TOML; flags win over it\n\n"
        "Example:\n  blixard daemon --data-dir var/blixard\n";
    const auto offers = [&](std::vector<std::string> words) {
        return complete_from_help(kDaemon, words);
    };
    EXPECT_EQ(offers({"daemon", "--store-"}),
              (std::vector<std::string>{"--store-ca", "--store-cert"}));
    EXPECT_EQ(offers({"daemon", ""}).size(), 7u);
    EXPECT_EQ(offers({"daemon", "--data-dir", ""}), std::vector<std::string>{":files"});
    EXPECT_EQ(offers({"daemon", "--accelerator", ""}), (std::vector<std::string>{"kvm", "tcg"}));
    EXPECT_EQ(offers({"daemon", "--log-format", "j"}), std::vector<std::string>{"json"});
    EXPECT_TRUE(offers({"daemon", "--listen", ""}).empty());

    constexpr std::string_view kSim =
        "blixard sim [--seed N] [--once]\n            [--corpus DIR]\n"
        "blixard sim --recorded FILE|DIR [--html FILE]\n--once: one run a seed.\n";
    EXPECT_EQ(complete_from_help(kSim, {"sim", "--"}),
              (std::vector<std::string>{"--corpus", "--html", "--once", "--recorded", "--seed"}));
    EXPECT_EQ(complete_from_help(kSim, {"sim", "--recorded", ""}),
              std::vector<std::string>{":files"});
    EXPECT_EQ(complete_from_help(kSim, {"sim", "--once", "--co"}),
              std::vector<std::string>{"--corpus"});
    EXPECT_TRUE(complete_from_help("", {"sim", "--"}).empty());
}

TEST(Doctor, a_kvm_device_without_the_cpu_flag_is_not_believed) {
    EXPECT_EQ(judge_kvm({true, true, true}).health, Health::kOk);
    Finding lying = judge_kvm({false, true, true});
    EXPECT_EQ(lying.health, Health::kWarning);
    EXPECT_NE(lying.found.find("would never run"), std::string::npos);
    EXPECT_EQ(judge_kvm({true, false, false}).mend, "modprobe kvm_intel (or kvm_amd)");
    EXPECT_NE(judge_kvm({true, true, false}).mend.find("usermod"), std::string::npos);
    EXPECT_EQ(judge_kvm({false, false, false}).health, Health::kWarning);
}

TEST(Doctor, what_is_missing_comes_with_its_package) {
    EXPECT_EQ(judge_program("qemu-img", "qemu-utils", "", "", true, "disks").mend,
              "apt-get install qemu-utils");
    EXPECT_EQ(judge_program("qemu-img", "qemu-utils", "", "", true, "disks").health,
              Health::kFailed);
    EXPECT_EQ(judge_program("etcd", "etcd-server", "", "", false, "clusters").health,
              Health::kWarning);
    EXPECT_EQ(judge_program("etcd", "etcd-server", "/usr/bin/etcd", "3.4", false, "clusters").found,
              "3.4 (/usr/bin/etcd)");
    EXPECT_EQ(judge_memory(24'000, 200).health, Health::kWarning);
    EXPECT_EQ(judge_disk("/", 1'000'000, 500).health, Health::kWarning);
    EXPECT_EQ(judge_clock(true, true, 1000).health, Health::kOk);
    EXPECT_EQ(judge_clock(true, false, 1000).health, Health::kWarning);
    EXPECT_EQ(judge_devices({}, {}).health, Health::kOk);
    EXPECT_EQ(judge_devices({"gpu 10de:20b0 at 0000:01:00.0"}, {}).found,
              "for VMs: gpu 10de:20b0 at 0000:01:00.0");
    EXPECT_EQ(judge_devices({}, {"0000:01:00.0: has no IOMMU group"}).health, Health::kWarning);
    EXPECT_EQ(judge_group(false, true, false).mend, "groupadd --system blixard");
    EXPECT_EQ(judge_group(true, true, false).health, Health::kOk);
    EXPECT_EQ(judge_group(true, false, false).health, Health::kWarning);
}

TEST(LaunchOptions, disks_and_health_checks_are_read) {
    EXPECT_EQ(to_json(disk_from("10G", 0).value()), R"({"name":"root","size_mib":10240})");
    EXPECT_EQ(to_json(disk_from("1G", 2).value()), R"({"name":"disk2","size_mib":1024})");
    EXPECT_FALSE(disk_from("data:", 0));
    EXPECT_EQ(to_json(health_from("serial:demo: ready").value()),
              R"({"kind":"serial","pattern":"demo: ready"})");
    EXPECT_EQ(to_json(health_from("tcp:22").value()), R"({"kind":"tcp","port":22})");
    for (std::string_view bad : {"", "serial:", "tcp", "tcp:0", "http:/x", "ping"})
        EXPECT_FALSE(health_from(bad)) << bad;
}

TEST(Suggestions, are_near_or_absent) {
    EXPECT_EQ(nearest("strat", {"start", "stop", "restart"}), "start");
    EXPECT_EQ(nearest("xyzzy", {"start", "stop"}), "");
    EXPECT_EQ(nearest("lsit", {"list", "edit"}), "list");
    EXPECT_EQ(nearest("wait", {"list", "edit"}), "");
    EXPECT_EQ(nearest("move", {"node"}), "");
}

}  // namespace
}  // namespace blixard::cli
