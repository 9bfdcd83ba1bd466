// What the commands say of where VMs are, could be and are moved to: why, why-not, plan, rebalance,
// drain.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/test_command.h"
#include "cli/test_server.h"

namespace blixard::cli {
namespace {

TEST(Why, a_pending_vm_is_told_what_is_in_its_way_now) {
    TestServer server([](const SeenRequest&) {
        return answer(
            200,
            R"({"kind":"decision","vm":"default/big","phase":"pending","node":"","epoch":0,"reason":"fits on none of 2 hosts: 2 x cpu",
            "decided_at":"2026-01-02T03:04:05Z","decided":{"outcome":"pending","refusals":[]},
            "now":{"outcome":"pending","strategy":"fragmentation","host":"","score":0.0,"parts":[],
            "refusals":[{"reason":"cpu","hosts":2,"closest_host":"host-b","detail":"needs 64 CPUs, 2 free"}],
            "would_fit_if":[{"kind":"shrink","host":"host-b","text":"62 CPUs less fits host host-b"}],"revision":9,"hosts_considered":2}})");
    });
    EXPECT_EQ(run_with(server, {"why", "big", "-o", "name"}).out, "");  // and no empty line
    EXPECT_EQ(run_with(server, {"why", "big"}).out,
              "VM:       default/big\n"
              "Phase:    pending\n"
              "Node:     none\n"
              "Reason:   fits on none of 2 hosts: 2 x cpu\n"
              "Decided:  2026-01-02T03:04:05Z\n"
              "\n"
              "What is decided now\n"
              "Outcome:            pending\n"
              "Strategy:           fragmentation\n"
              "Refused:            2 hosts by cpu: needs 64 CPUs, 2 free (closest: host-b)\n"
              "It would fit with:  62 CPUs less fits host host-b\n"
              "Decided at:         revision 9, 2 hosts considered\n");
}

TEST(Why, a_vm_that_has_a_place_is_told_why_there_and_where_it_would_go_now) {
    TestServer server([](const SeenRequest&) {
        return answer(
            200,
            R"({"kind":"decision","vm":"default/web","phase":"running","node":"host-a","epoch":1,"reason":"scheduled",
            "decided_at":"2026-01-02T03:04:05Z",
            "decided":{"outcome":"placed","strategy":"fragmentation","host":"host-a","score":-1.0,"parts":[{"name":"room lost","points":-1.0}],
            "runners_up":[{"host":"host-b","score":-2.5,"parts":[{"name":"room lost","points":-2.5}]}],"revision":7,"hosts_considered":2},
            "now":{"outcome":"placed","strategy":"fragmentation","host":"host-b","score":-0.5,"parts":[]}})");
    });
    EXPECT_EQ(
        run_with(server, {"why", "web"}).out,
        "VM:         default/web\n"
        "Phase:      running\n"
        "Node:       host-a\n"
        "Reason:     scheduled\n"
        "Decided:    2026-01-02T03:04:05Z\n"
        "Asked now:  host-b -0.50 (it is not moved for that; see: blixard rebalance --dry-run)\n"
        "\n"
        "The decision\n"
        "Outcome:     placed\n"
        "Host:        host-a\n"
        "Strategy:    fragmentation\n"
        "Score:       -1.00\n"
        "Made of:     room lost -1.00\n"
        "Next best:   host-b -2.50 (room lost -2.50)\n"
        "Decided at:  revision 7, 2 hosts considered\n");
}

TEST(WhyNot, a_host_that_is_only_second_best_is_said_to_be) {
    TestServer server([](const SeenRequest&) {
        return answer(
            200,
            R"({"kind":"why-not","vm":"default/web","node":"host-b","fits":true,"refusals":[],"rank":2,"of":3,
            "here":{"host":"host-b","score":-2.5,"parts":[{"name":"room lost","points":-2.5}]},"best":{"host":"host-a","score":-1.0,"parts":[]}})");
    });
    EXPECT_EQ(run_with(server, {"why-not", "web", "host-b"}).out,
              "it would fit on host-b\n"
              "  number 2 of 3: host-b -2.50 (room lost -2.50)\n"
              "  the best is host-a -1.00\n");
}

TEST(Plan, vms_that_differ_in_nothing_but_their_names_share_a_line) {
    TestServer server([](const SeenRequest&) {
        return answer(200,
                      R"({"kind":"plan","plan":"launch","summary":"5 of 7 VMs would find a place",
            "moves":[{"vm":"default/new-1","from":"","to":"a"},{"vm":"default/new-2","from":"","to":"b"},
                     {"vm":"default/new-3","from":"","to":"b"},{"vm":"default/new-4","from":"","to":"b"},
                     {"vm":"default/new-5","from":"","to":"b"}],
            "stuck":[{"vm":"default/new-6","from":"","reason":"full"},{"vm":"default/new-7","from":"","reason":"full"}]})");
    });
    const Ran ran = run_with(server, {"plan", "launch", "demo", "--count", "7"});
    EXPECT_EQ(ran.out,
              "5 of 7 VMs would find a place\n"
              "\nPlaced (5):\n"
              "VM                                   FROM  TO\n"
              "default/new-1                        -     a\n"
              "default/new-2 ... default/new-5 (4)  -     b\n"
              "\nDoes not fit (2):\n"
              "VM             REASON\n"
              "default/new-6  full\n"
              "default/new-7  full\n");
    EXPECT_NE(
        run_with(server, {"plan", "launch", "demo", "-o", "wide"}).out.find("default/new-3  -"),
        std::string::npos);
}

TEST(Plan, by_names_is_a_list_of_the_vms_that_it_speaks_of) {
    TestServer server([](const SeenRequest&) {
        return answer(200, R"({"kind":"plan","plan":"drain","summary":"1 would move",
            "moves":[{"vm":"default/web","from":"a","to":"b"}],
            "stuck":[{"vm":"default/big","from":"a","reason":"full"}]})");
    });
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"plan", "drain", "a", "-o", "name"}, {"rebalance", "--dry-run", "-o", "name"}})
        EXPECT_EQ(run_with(server, words).out, "default/web\ndefault/big\n");
}

TEST(Rebalance, what_would_be_restarted_has_to_be_allowed) {
    TestServer server([](const SeenRequest& request) {
        if (request.target == "/v1/operations/op1")
            return answer(
                200,
                R"({"kind":"operation","id":"op1","operation":"rebalance","state":"done","done":2,"total":3})");
        return answer(
            202,
            R"({"kind":"operation","id":"op1","operation":"rebalance","state":"running","done":0,"total":3})");
    });
    Ran ran = run_with(server, {"rebalance", "--restart-vms", "--max-moves", "3"});
    EXPECT_EQ(server.request(0).body, R"({"max_moves":3,"restart_vms":true})");
    EXPECT_EQ(ran.out, "2 of 3 planned moves made; no other would regain room now\n") << ran.err;
}

// It goes on by itself when there is room; nobody sits before a command that says nothing.
TEST(Drain, ends_with_what_stays_and_why_when_nothing_moves_any_more) {
    std::string message = R"("default/a fits nowhere else; default/b has a disk on this host")";
    TestServer server([&](const SeenRequest& request) {
        if (request.target == "/v1/operations/op1")
            return answer(
                200,
                R"({"kind":"operation","id":"op1","operation":"node-drain","state":"running","done":1,"total":3,"blocked":2,"message":)" +
                    message + "}");
        return answer(200, R"({"kind":"node","name":"h1","operation":"op1"})");
    });
    Ran ran = run_with(server, {"node", "drain", "h1"});
    EXPECT_EQ(ran.code, kExitRefused);
    EXPECT_NE(ran.err.find("error: node h1 is cordoned, and 2 VMs stay on it: "
                           "default/a fits nowhere else; default/b has a disk on this host\n"
                           "  help: each goes as soon as it can;"),
              std::string::npos)
        << ran.err;
}

TEST(Drain, waits_while_a_vm_that_has_a_place_is_still_going) {
    int asked = 0;
    TestServer server([&](const SeenRequest& request) {
        if (request.target != "/v1/operations/op1")
            return answer(200, R"({"kind":"node","name":"h1","operation":"op1"})");
        return answer(
            200,
            ++asked < 20
                ? R"({"id":"op1","operation":"node-drain","state":"running","done":0,"total":2,"blocked":1,"message":"default/a fits nowhere else"})"
                : R"({"id":"op1","operation":"node-drain","state":"done","done":2,"total":2,"message":""})");
    });
    Ran ran = run_with(server, {"node", "drain", "h1"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "node h1: drained\n");
}

}  // namespace
}  // namespace blixard::cli
