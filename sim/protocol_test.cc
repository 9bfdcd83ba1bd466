#include "sim/protocol.h"

#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/keys.h"
#include "view/view.h"

namespace blixard::sim {
namespace {

using store::Transaction;

std::string said(const Transaction& transaction) {
    return what_breaks_protocol("h1", transaction, view::Snapshot{}).value_or("");
}

Transaction placing() {
    Transaction one;
    one.compares = {{"vms/p/a/spec", 3},
                    {"vms/p/a/placement", 0},
                    {"nodes/h2/lease", 4},
                    {"nodes/h2/spec", 1},
                    {"election/controller", 7}};
    one.puts = {{.key = "vms/p/a/placement",
                 .value = model::to_json(model::Placement{.uid = "u", .node = "h2", .epoch = 1})}};
    return one;
}

TEST(Protocol, a_placement_counts_on_all_that_it_was_decided_from) {
    EXPECT_EQ(said(placing()), "");
    for (std::size_t i = 0; i < placing().compares.size(); ++i) {
        Transaction one = placing();
        one.compares.erase(one.compares.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_NE(said(one), "") << placing().compares[i].key;
    }
}

TEST(Protocol, comparing_the_election_with_nothing_proves_nothing) {
    Transaction one = placing();
    one.compares.back().mod_revision = 0;
    EXPECT_EQ(said(one), "host h1 writes vms/p/a/placement without the proof of an election");
}

TEST(Protocol, who_asks_for_consent_to_a_start_compares_what_he_starts) {
    view::Snapshot state;
    NullLog log;
    view::apply_change(
        state,
        {.key = "vms/p/a/status",
         .value = model::to_json(model::VmStatus{.uid = "u", .phase = model::Phase::kStopped}),
         .mod_revision = 6},
        false, log);
    Transaction one;
    one.compares = {{"vms/p/a/placement", 5}, {"vms/p/a/status", 6}, {"nodes/h1/lease", 4}};
    one.puts = {
        {.key = "vms/p/a/status",
         .value = model::to_json(model::VmStatus{.uid = "u", .phase = model::Phase::kStarting})}};
    EXPECT_EQ(what_breaks_protocol("h1", one, state).value_or(""),
              "host h1 writes vms/p/a/status without comparing vms/p/a/spec to be there");
    one.compares.push_back({"vms/p/a/spec", 2});
    EXPECT_EQ(what_breaks_protocol("h1", one, state).value_or(""), "");
}

TEST(Protocol, an_image_goes_under_the_mark_that_keeps_others_from_it) {
    Transaction one;
    one.compares = {{"images/i", 3}, {"deleting/images/i", 8}};
    one.deletes = {"images/i"};
    EXPECT_EQ(said(one), "");
    one.compares.pop_back();
    EXPECT_EQ(said(one), "host h1 writes images/i without comparing deleting/images/i to be there");
}

model::VmRecord with_disk(std::int64_t size_mib) {
    model::VmRecord record{.uid = "u"};
    record.spec.image = "i";
    record.spec.disks = {{.name = "data", .size_mib = size_mib}};
    return record;
}

TEST(Protocol, who_has_a_disk_grown_compares_what_the_agent_said) {
    view::Snapshot state;
    NullLog log;
    view::apply_change(
        state, {.key = "vms/p/a/spec", .value = model::to_json(with_disk(10)), .mod_revision = 3},
        false, log);
    Transaction one;
    one.compares = {{"vms/p/a/spec", 3}};
    one.puts = {{.key = "vms/p/a/spec", .value = model::to_json(with_disk(10))}};
    EXPECT_EQ(what_breaks_protocol("h1", one, state).value_or(""), "");
    one.puts[0].value = model::to_json(with_disk(20));
    EXPECT_EQ(what_breaks_protocol("h1", one, state).value_or(""),
              "host h1 writes vms/p/a/spec without comparing vms/p/a/status");
    one.compares.push_back({"vms/p/a/status", 0});
    EXPECT_EQ(what_breaks_protocol("h1", one, state).value_or(""), "");
}

TEST(Protocol, who_is_placed_beside_another_compares_its_place) {
    view::Snapshot state;
    NullLog log;
    model::VmRecord record{.uid = "u"};
    record.spec.labels = {{"pair", "x"}};
    record.spec.affinity = {{.hard = true, .labels = {{"pair", "x"}}}};
    const auto put = [&](std::string key, std::string value, store::Revision revision) {
        view::apply_change(
            state, {.key = std::move(key), .value = std::move(value), .mod_revision = revision},
            false, log);
    };
    put("vms/p/a/spec", model::to_json(record), 3);
    put("vms/p/b/spec", model::to_json(record), 4);
    put("vms/p/b/placement", model::to_json(model::Placement{.uid = "u", .node = "h2", .epoch = 1}),
        5);
    Transaction one = placing();
    EXPECT_EQ(
        what_breaks_protocol("h1", one, state).value_or(""),
        "host h1 places vm p/a on h2, and compares the placement of nobody that it must be with");
    one.compares.push_back({"vms/p/b/placement", 5});
    EXPECT_EQ(what_breaks_protocol("h1", one, state).value_or(""), "");
}

TEST(Protocol, a_status_needs_the_place_and_the_lease_of_who_speaks) {
    Transaction one;
    one.compares = {{"vms/p/a/placement", 5}, {"vms/p/a/status", 0}, {"nodes/h1/lease", 4}};
    one.puts = {{.key = "vms/p/a/status", .value = model::to_json(model::VmStatus{.uid = "u"})}};
    EXPECT_EQ(said(one), "");
    one.compares[2].mod_revision = 0;
    EXPECT_EQ(said(one),
              "host h1 writes vms/p/a/status without comparing nodes/h1/lease to be there");
    one.compares[2] = {"nodes/h2/lease", 4};
    EXPECT_NE(said(one), "");
}

TEST(Protocol, the_records_of_a_vm_go_together) {
    Transaction one;
    one.compares = {{"vms/p/a/spec", 3}, {"vms/p/a/placement", 5}};
    one.deletes = {"vms/p/a/spec", "vms/p/a/placement", "vms/p/a/status"};
    EXPECT_EQ(said(one), "");
    one.deletes.pop_back();
    EXPECT_NE(said(one), "");
}

TEST(Protocol, a_host_puts_its_own_lease_key_as_it_saw_it) {
    Transaction one;
    one.compares = {{"nodes/h1/lease", 0}};
    one.puts = {{.key = "nodes/h1/lease", .value = "{}", .lease = 9}};
    EXPECT_EQ(said(one), "");
    one.puts[0].lease = 0;
    EXPECT_EQ(said(one), "host h1 writes nodes/h1/lease without a lease");
    one.puts[0] = {.key = "nodes/h2/lease", .value = "{}", .lease = 9};
    EXPECT_EQ(said(one), "host h1 writes nodes/h2/lease");
}

}  // namespace
}  // namespace blixard::sim
