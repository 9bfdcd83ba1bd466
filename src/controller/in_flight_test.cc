// Decisions that the store has not answered yet: it may refuse them, lose its answer, or carry them
// out later than anybody would think. Until that is over, nobody counts on them.
#include <algorithm>

#include "controller/test_control_plane.h"

namespace blixard::controller {
namespace {

// One kind of transaction has a fate of its own, once.
class OneFate final : public store::FaultPlan {
 public:
    store::CommitFault on_commit(const store::Transaction& transaction) override {
        if (!strikes || !strikes(transaction)) return {};
        strikes = nullptr;
        return fault;
    }
    std::function<bool(const store::Transaction&)> strikes;
    store::CommitFault fault;
};

// Three hosts: the controller's own, and two that the stories are about.
class InFlight : public ControlPlane {
 protected:
    InFlight() {
        faults = &fate;
        add_hosts(3);
        EXPECT_TRUE(loop.run_until([&] { return !elected().empty(); }));
        for (const auto& [name, host] : hosts) {
            if (host->controller->elected())
                office = name;
            else
                (first.empty() ? first : second) = name;
        }
    }
    std::string elected() {
        for (const auto& [name, host] : hosts)
            if (host->controller && host->controller->elected()) return name;
        return {};
    }
    void strike_the_placing_of_web(store::CommitFault fault) {
        fate.fault = fault;
        fate.strikes = [](const store::Transaction& transaction) {
            return std::ranges::any_of(transaction.puts, [](const store::Put& put) {
                return put.key == model::vm_key("default", "web", "placement") &&
                       put.value.find("\"node\"") != std::string::npos;
            });
        };
    }
    store::MemoryStore& store_of_office() { return *hosts[office]->store; }
    void create_on(const std::string& name, const std::string& node, std::int64_t memory_mib,
                   const std::function<void(model::VmSpec&)>& change = {}) {
        create(name, [&](model::VmSpec& spec) {
            spec.memory_mib = memory_mib;
            spec.constraints.node = node;
            if (change) change(spec);
        });
    }
    std::int64_t memory_placed_on(const std::string& node) {
        std::int64_t memory_mib = 0;
        state = store_view->current();
        state->for_each_vm_on(node, [&](const view::VmEntry& vm) {
            memory_mib += vm.record->value.spec.memory_mib;
            return true;
        });
        return memory_mib;
    }

    OneFate fate;
    std::string office, first, second;  // the controller's host, and the two others
};

// A VM on its way from a lost host may yet stay there: the store refuses its move where the host
// has said something more. Found by the simulation (seed 4483 of 81e2900): a third VM of a group of
// two in a zone was let in meanwhile; and once more where another VM of that host comes behind it
// in the order of names; and where only the VM that stays has the rule (seed 130717 of c7f19e7).
class OfTwoInAZone : public InFlight, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(WhoseRule, OfTwoInAZone, ::testing::Bool(),
                         [](const auto& all) { return all.param ? "everybodys" : "a_third_vms"; });

TEST_P(OfTwoInAZone, one_that_is_being_failed_over_counts_until_it_has_left) {
    for (const std::string& name : {first, second})
        put(model::node_key(name, "spec"),
            model::to_json(model::NodeSpec{.uid = name, .zone = "z0"}));
    put(model::node_key(office, "spec"),
        model::to_json(model::NodeSpec{.uid = office, .zone = "z1"}));
    const auto two_a_zone = [](model::VmSpec& spec) {
        spec.ha = model::Ha::kRestart;
        spec.labels = {{"app", "db"}};
        spec.affinity.push_back(
            {.anti = true, .labels = {{"app", "db"}}, .max_per_node = 2, .domain = "zone"});
    };
    const auto one_of_them = [&](model::VmSpec& spec) {
        two_a_zone(spec);
        if (!GetParam()) spec.affinity.clear();
    };
    create_on("there", first, 100, two_a_zone);
    create_on("leaves", second, 100, one_of_them);
    create_on("minds-nobody", second, 100);
    for (const char* name : {"there", "leaves", "minds-nobody"})
        ASSERT_TRUE(reaches(name, model::Phase::kRunning));
    change("leaves", [&](model::VmRecord& record) { record.spec.constraints.node = office; });
    loop.run_for(seconds(1));
    store_of_office().set_link({.delay = Millis{300}});
    hosts[second]->cut_power();
    ASSERT_TRUE(
        loop.run_until([&] { return hosts[office]->controller->counters().failovers == 1; }));
    put(model::vm_key("default", "leaves", "status"), model::to_json(vm("leaves")->status->value));
    create_on("comes", first, 100, one_of_them);
    ASSERT_TRUE(loop.run_until([&] {
        const view::VmEntry* comes = vm("comes");
        if (!comes || comes->node().empty()) return false;
        EXPECT_EQ(node_of("leaves"), office) << "three of them would be in zone z0";
        return true;
    }));
    EXPECT_EQ(hosts[office]->controller->counters().failovers, 2U) << "the first one was refused";
    EXPECT_TRUE(reaches("comes", model::Phase::kRunning));
    EXPECT_TRUE(reaches("leaves", model::Phase::kRunning));
}

// The story of a daemon that reads the whole state anew (its watch came too late for the history
// that is kept) while a decision of its own is being written: the same room was given to another
// VM.
TEST_F(InFlight, a_decision_is_counted_when_the_state_is_read_anew_before_it_is_answered) {
    strike_the_placing_of_web({.delay = seconds(5)});
    bool read_anew = false;
    hosts[office]->view->subscribe([&](const std::shared_ptr<const view::Update>& update) {
        read_anew = read_anew || update->reloaded;
    });
    create_on("web", first, 3000);
    ASSERT_TRUE(loop.run_until([&] { return hosts[office]->controller->counters().placed == 1; }));
    store_of_office().set_link({.replies_cut = true});
    for (const char* other : {"projects/a", "projects/b"}) put(other, "{}");
    ASSERT_TRUE(backend->compact(backend->history().revision()));
    store_of_office().set_link({});
    ASSERT_TRUE(loop.run_until([&] { return read_anew; }));
    create_on("db", first, 3000);
    loop.run_for(seconds(10));
    EXPECT_EQ(memory_placed_on(first), 3000);
    EXPECT_EQ(node_of("web"), first);
    EXPECT_TRUE(node_of("db").empty());
}

// No answer came, and the newest state did not show it; so it was decided anew, and a more
// important VM got the room. Then the first decision reached the store at last.
TEST_F(InFlight, a_decision_without_an_answer_cannot_come_true_when_its_room_is_given_away) {
    create_on("before", first, 3000);
    ASSERT_TRUE(reaches("before", model::Phase::kRunning));
    create_on("web", first, 3000);
    ASSERT_TRUE(loop.run_until([&] { return vm("web") && vm("web")->placement; }));
    strike_the_placing_of_web({.outcome = store::CommitOutcome::kUnknownLate, .again = seconds(3)});
    change("before", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(loop.run_until([&] { return !fate.strikes; }));
    store_of_office().set_link({.watch_lag = Millis{500}});
    loop.run_for(Millis{1900});
    create_on("db", first, 3000, [](model::VmSpec& spec) { spec.priority = 900; });
    loop.run_for(seconds(20));
    EXPECT_EQ(memory_placed_on(first), 3000) << "one of them";
}

}  // namespace
}  // namespace blixard::controller
