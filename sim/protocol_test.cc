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
