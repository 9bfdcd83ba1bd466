// What an agent makes of its guests' answers to health checks, in time, late, and of a process that
// is another by now.
#include "controller/test_control_plane.h"

namespace blixard::controller {
namespace {

class Health : public ControlPlane {
 protected:
    // Answers when it is told to.
    class Probe final : public agent::HealthProbe {
     public:
        void probe(const model::HealthCheck&, const std::string&, Callback<bool> healthy) override {
            ++asked;
            waiting.push_back(std::move(healthy));
        }
        void answer(bool well) {
            auto healthy = std::move(waiting.front());
            waiting.erase(waiting.begin());
            healthy(well);
        }
        int asked = 0;
        std::vector<Callback<bool>> waiting;
    };
    Health() {
        probe = &guest;
        add_hosts(1);
        create("web", [](model::VmSpec& spec) {
            spec.nics = {{.name = "net0", .forwards = {{.guest_port = 80}}}};
            spec.health = model::HealthCheck{.kind = model::HealthKind::kTcp,
                                             .port = 80,
                                             .interval_s = 10,
                                             .timeout_s = 10,
                                             .failures = 2,
                                             .start_period_s = 60};
        });
        EXPECT_TRUE(reaches("web", model::Phase::kRunning));
    }
    ~Health() override { hosts["h1"]->kill_daemon(); }
    bool asks() {
        return loop.run_until([&] { return !guest.waiting.empty(); }, seconds(30));
    }
    std::string health() { return vm("web")->status->value.health; }
    bool is_said_to_be(const std::string& word) {
        return loop.run_until([&] { return health() == word; }, seconds(5));
    }
    std::size_t starts() { return hosts["h1"]->machines.starts().size(); }

    Probe guest;
};

TEST_F(Health, a_guest_that_fails_often_enough_in_a_row_is_restarted) {
    ASSERT_TRUE(asks());
    guest.answer(true);
    ASSERT_TRUE(is_said_to_be("healthy"));
    for (const bool well : {false, true, false, false}) {
        ASSERT_EQ(starts(), 1U);
        ASSERT_TRUE(asks());
        guest.answer(well);
    }
    ASSERT_TRUE(loop.run_until([&] { return starts() == 2; }, seconds(60)));
}

TEST_F(Health, failures_do_not_count_while_it_may_still_start) {
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(asks());
        guest.answer(false);
    }
    EXPECT_EQ(health(), "");
    EXPECT_EQ(starts(), 1U);
}

TEST_F(Health, the_next_question_waits_for_the_answer_and_is_asked_when_it_is_due) {
    ASSERT_TRUE(asks());
    loop.run_for(seconds(25));
    EXPECT_EQ(guest.asked, 1);
    guest.answer(true);
    loop.run_for(Millis{10});
    EXPECT_EQ(guest.asked, 2);  // it was due long ago
    loop.run_for(seconds(4));
    guest.answer(true);
    loop.run_for(Millis{5'900});
    EXPECT_EQ(guest.asked, 2);
    loop.run_for(Millis{200});
    EXPECT_EQ(guest.asked, 3);
}

// Else its successor would be "healthy" before it has been asked, and its failures would count
// while it starts.
TEST_F(Health, an_answer_about_a_process_that_has_ended_is_not_its_successors) {
    ASSERT_TRUE(asks());
    hosts["h1"]->machines.crash("default/web", {.signal = 9});
    ASSERT_TRUE(reaches("web", model::Phase::kFailed));
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    guest.answer(true);
    EXPECT_FALSE(is_said_to_be("healthy"));
    while (starts() == 2 && guest.asked < 5) {
        ASSERT_TRUE(asks());
        guest.answer(false);
    }
    EXPECT_EQ(starts(), 2U);
}

TEST_F(Health, a_guest_that_is_paused_does_not_fail) {
    ASSERT_TRUE(asks());
    guest.answer(true);
    ASSERT_TRUE(asks());
    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kPaused; });
    ASSERT_TRUE(reaches("web", model::Phase::kPaused));
    guest.answer(false);
    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kRunning; });
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    ASSERT_TRUE(asks());
    guest.answer(false);  // the first in a row
    loop.run_for(seconds(5));
    EXPECT_EQ(health(), "healthy");
    EXPECT_EQ(starts(), 1U);
}

}  // namespace
}  // namespace blixard::controller
