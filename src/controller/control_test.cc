// What the control plane does for a VM, from its creation to its end, and around hosts that come
// and go.
#include "agent/plan.h"
#include "controller/test_control_plane.h"

namespace blixard::controller {
namespace {

TEST_F(ControlPlane, a_vm_is_placed_started_stopped_and_started_again) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    EXPECT_EQ(node_of("web"), "h1");
    EXPECT_TRUE(hosts["h1"]->machines.runs("default/web"));

    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(loop.run_until(
        [&] { return vm("web")->phase == model::Phase::kStopped && node_of("web").empty(); }));
    EXPECT_EQ(vm("web")->status->value.stopped_by, "guest");
    EXPECT_FALSE(hosts["h1"]->machines.runs("default/web"));

    change("web", [](model::VmRecord& record) {
        record.spec.run = model::Run::kRunning;
        ++record.restart_generation;
    });
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    EXPECT_EQ(vm("web")->placement->value.epoch, 2);
}

TEST_F(ControlPlane, pause_resume_restart_and_delete) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kPaused; });
    ASSERT_TRUE(reaches("web", model::Phase::kPaused));
    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kRunning; });
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    const std::size_t starts = hosts["h1"]->machines.starts().size();
    change("web", [](model::VmRecord& record) { ++record.restart_generation; });
    ASSERT_TRUE(loop.run_until([&] {
        return hosts["h1"]->machines.starts().size() == starts + 1 &&
               vm("web")->phase == model::Phase::kRunning;
    })) << vm("web")->document;
    change("web", [](model::VmRecord& record) { record.deleted_at = "now"; });
    ASSERT_TRUE(loop.run_until([&] { return vm("web") == nullptr; }));
    EXPECT_FALSE(hosts["h1"]->machines.runs("default/web"));
    EXPECT_TRUE(hosts["h1"]->hypervisor->leftovers().empty());
}

// Its storage does not answer: without the record, nobody would ever delete the file.
TEST_F(ControlPlane, a_deleted_vm_stays_known_until_its_disk_can_be_deleted) {
    add_hosts(1);
    model::VolumeRecord volume{.uid = "uid-disk", .size_mib = 64, .vm = "web"};
    create("web", [](model::VmSpec& spec) { spec.disks = {{.name = "data", .size_mib = 64}}; });
    put(model::volume_key("default", "web-data", "spec"), model::to_json(volume));
    ASSERT_TRUE(reaches("web", model::Phase::kRunning)) << vm("web")->document;
    hypervisor::FakeHost& host = hosts["h1"]->machines;
    ASSERT_EQ(host.disks().size(), 1U);
    host.set_storage_away(true);
    change("web", [](model::VmRecord& record) {
        record.deleted_at = "now";
        record.force = true;
    });
    loop.run_for(seconds(60));
    ASSERT_NE(vm("web"), nullptr);
    EXPECT_FALSE(host.runs("default/web"));
    host.set_storage_away(false);
    ASSERT_TRUE(loop.run_until([&] { return vm("web") == nullptr; }, seconds(20)));
    EXPECT_TRUE(host.disks().empty());
}

// The volume had no file when both VMs that name it were given it: the other one started first.
TEST_F(ControlPlane, a_vm_that_cannot_start_without_a_volume_follows_it_to_its_host) {
    add_hosts(2);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    const std::string first = node_of("web");
    const std::string other = first == "h1" ? "h2" : "h1";
    put(model::volume_key("default", "data", "spec"),
        model::to_json(model::VolumeRecord{.uid = "uid-data", .size_mib = 64}));
    put(model::volume_key("default", "data", "status"),
        model::to_json(model::VolumeStatus{.uid = "uid-data", .node = other}));
    change("web", [](model::VmRecord& record) {
        record.spec.disks.push_back({.name = "data", .volume = "data"});
    });
    loop.run_for(seconds(5));
    EXPECT_EQ(node_of("web"), first);  // it runs
    EXPECT_FALSE(vm("web")->placement->value.release);
    hosts[first]->machines.crash("default/web", {.signal = 9});
    ASSERT_TRUE(loop.run_until([&] { return vm("web")->placement->value.release; }, seconds(60)));
    EXPECT_EQ(vm("web")->placement->value.reason, "volume data is on host " + other);
    ASSERT_TRUE(loop.run_until([&] { return node_of("web") == other; }, seconds(60)));
    EXPECT_TRUE(reaches("web", model::Phase::kRunning)) << vm("web")->document;
    EXPECT_EQ(running_on_hosts("web"), 1);
}

// A round asks only the first of those who want the same.
TEST_F(ControlPlane, all_who_want_the_same_are_told_why_they_wait_now) {
    add_hosts(2);
    for (const char* name : {"one", "two", "three"})
        create(name, [](model::VmSpec& spec) { spec.memory_mib = 100'000; });
    const auto all_are_told = [&](const char* why) {
        return loop.run_until(
            [&] {
                return std::ranges::all_of(
                    std::array{"one", "two", "three"}, [&](const char* name) {
                        return vm(name) && vm(name)->placement &&
                               vm(name)->placement->value.reason.find(why) != std::string::npos;
                    });
            },
            seconds(100));
    };
    ASSERT_TRUE(all_are_told("2 x memory"));
    model::NodeSpec cordoned = state->nodes.find("h2")->spec->value;
    cordoned.schedulable = false;
    put(model::node_key("h2", "spec"), model::to_json(cordoned));
    EXPECT_TRUE(all_are_told("1 x cordoned"));
}

TEST_F(ControlPlane, a_machine_that_dies_is_restarted_with_backoff) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    hosts["h1"]->machines.crash("default/web", {.signal = 9});
    ASSERT_TRUE(reaches("web", model::Phase::kFailed));
    EXPECT_NE(vm("web")->status->value.message.find("signal 9"), std::string::npos);
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    EXPECT_EQ(vm("web")->status->value.restarts, 1);
}

TEST_F(ControlPlane, a_vm_that_is_never_restarted_waits_for_its_images_files) {
    add_hosts(1);
    hosts["h1"]->blobs->here = false;
    create("web", [](model::VmSpec& spec) { spec.restart = model::Restart::kNever; });
    ASSERT_TRUE(loop.run_until([&] {
        return vm("web") && vm("web")->status &&
               vm("web")->status->value.message.find("file k") != std::string::npos;
    })) << vm("web")->document;
    EXPECT_NE(vm("web")->phase, model::Phase::kFailed);
    hosts["h1"]->blobs->here = true;
    EXPECT_TRUE(reaches("web", model::Phase::kRunning));
}

TEST_F(ControlPlane, a_guest_that_powers_off_stays_off) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    hosts["h1"]->machines.guest_powers_off("default/web");
    ASSERT_TRUE(reaches("web", model::Phase::kStopped));
    loop.run_for(seconds(60));
    EXPECT_EQ(vm("web")->phase, model::Phase::kStopped);
}

// Found by the simulation: it had failed to start, and whoever is never restarted had failed for
// good.
TEST_F(ControlPlane, a_guest_that_is_off_before_its_start_was_seen_has_run) {
    add_hosts(1);
    create("job", [](model::VmSpec& spec) { spec.restart = model::Restart::kNever; });
    ASSERT_TRUE(loop.run_until([&] { return hosts["h1"]->machines.runs("default/job"); }));
    EXPECT_NE(vm("job")->phase, model::Phase::kRunning);
    hosts["h1"]->machines.guest_powers_off("default/job");
    ASSERT_TRUE(reaches("job", model::Phase::kStopped));
    EXPECT_EQ(vm("job")->status->value.message, "the guest powered itself off");
    loop.run_for(seconds(60));
    EXPECT_EQ(vm("job")->phase, model::Phase::kStopped);
    EXPECT_EQ(hosts["h1"]->machines.starts().size(), 1u);
}

TEST_F(ControlPlane, how_a_vm_was_stopped_once_is_not_said_of_its_next_end) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    change("web", [](model::VmRecord& record) { ++record.restart_generation; });
    ASSERT_TRUE(loop.run_until([&] { return hosts["h1"]->machines.starts().size() == 2; }));
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    hosts["h1"]->machines.guest_powers_off("default/web");
    ASSERT_TRUE(reaches("web", model::Phase::kStopped));
    EXPECT_EQ(vm("web")->status->value.stopped_by, "exited");
}

TEST_F(ControlPlane, nor_where_it_is_off_before_its_start_was_seen) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(reaches("web", model::Phase::kStopped));
    EXPECT_EQ(vm("web")->status->value.stopped_by, "guest");
    change("web", [](model::VmRecord& record) {
        record.spec.run = model::Run::kRunning;
        ++record.restart_generation;
    });
    ASSERT_TRUE(loop.run_until([&] { return hosts["h1"]->machines.runs("default/web"); }));
    hosts["h1"]->machines.guest_powers_off("default/web");
    ASSERT_TRUE(loop.run_until([&] {
        return vm("web")->phase == model::Phase::kStopped &&
               vm("web")->status->value.stopped_by == "exited";
    })) << vm("web")->document;
}

// Hosts are upgraded one by one: a newer daemon's API knows a policy that this host does not.
TEST_F(ControlPlane, a_vm_whose_spec_is_of_a_newer_version_is_left_as_it_is) {
    add_hosts(1);
    create("web");
    create("other");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    const std::string key = model::vm_key("default", "web", "spec");
    std::string newer = model::to_json(vm("web")->record->value);
    newer.replace(newer.find("\"ha\":\"none\""), 11, "\"ha\":\"live\"");
    put(key, newer);
    loop.run_for(seconds(60));
    EXPECT_TRUE(hosts["h1"]->machines.runs("default/web"));
    EXPECT_EQ(hosts["h1"]->machines.starts().size(), 2u);
    EXPECT_EQ(backend->history().find(key)->value, newer);
    ASSERT_TRUE(reaches("other", model::Phase::kRunning)) << "it holds up its neighbours";

    // Nor does a daemon that has never seen it otherwise.
    hosts["h1"]->kill_daemon();
    restart_daemon("h1");
    loop.run_for(seconds(60));
    EXPECT_TRUE(hosts["h1"]->machines.runs("default/web"));
    EXPECT_EQ(hosts["h1"]->hypervisor->leftovers().size(), 2u);

    change("other", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(reaches("other", model::Phase::kStopped));
    newer.replace(newer.find("live"), 4, "none");
    put(key, newer);
    change("web", [](model::VmRecord& record) { record.deleted_at = "now"; });
    ASSERT_TRUE(loop.run_until([&] { return vm("web") == nullptr; }))
        << "understood again, it is done again";
}

TEST_F(ControlPlane, what_a_newer_version_wrote_beside_is_kept_by_all_writers) {
    add_hosts(2);
    create("web", [](model::VmSpec& spec) { spec.ha = model::Ha::kRestart; });
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    for (const char* part : {"placement", "status"}) {
        const std::string key = model::vm_key("default", "web", part);
        std::string value = backend->history().find(key)->value;
        value.replace(0, 1, R"({"schema_next":{"a":[1,2]},)");
        put(key, value);
    }
    const std::string host = node_of("web");
    hosts[host]->machines.cut_power();
    hosts[host]->kill_daemon();
    ASSERT_TRUE(loop.run_until(
        [&] { return node_of("web") != host && vm("web")->phase == model::Phase::kRunning; },
        seconds(60)));
    EXPECT_NE(vm("web")->document.find(R"("schema_next":{"a":[1,2]})"), std::string::npos);
    EXPECT_EQ(vm("web")->placement->value.extras.members.size(), 1u);
}

TEST_F(ControlPlane, vms_outlive_their_daemon) {
    add_hosts(1);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    hosts["h1"]->kill_daemon();
    loop.run_for(seconds(20));
    EXPECT_TRUE(hosts["h1"]->machines.runs("default/web"));
    restart_daemon("h1");
    loop.run_for(seconds(20));
    EXPECT_EQ(vm("web")->phase, model::Phase::kRunning);
    EXPECT_EQ(hosts["h1"]->machines.starts().size(), 1u);
}

TEST_F(ControlPlane, an_ha_vm_of_a_lost_host_runs_elsewhere_and_leaves_a_proof) {
    add_hosts(3);
    create("web", [](model::VmSpec& spec) { spec.ha = model::Ha::kRestart; });
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    const std::string first = node_of("web");
    hosts[first]->cut_power();
    ASSERT_TRUE(loop.run_until(
        [&] { return vm("web")->phase == model::Phase::kRunning && node_of("web") != first; }));
    EXPECT_EQ(vm("web")->placement->value.epoch, 2);
    ASSERT_EQ(state->failovers.size(), 1u);
    state->failovers.for_each([&](const auto& failover) {
        EXPECT_EQ(failover->record->value.from_node, first);
        EXPECT_EQ(failover->record->value.proof, "lease-ended");
        EXPECT_EQ(failover->record->value.new_epoch, 2);
    });
}

TEST_F(ControlPlane, a_host_that_is_cut_off_fences_its_ha_vms_before_they_run_elsewhere) {
    add_hosts(3);
    create("web", [](model::VmSpec& spec) { spec.ha = model::Ha::kRestart; });
    create("local");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    ASSERT_TRUE(reaches("local", model::Phase::kRunning));
    const std::string first = node_of("web");
    hosts[first]->store->set_link({.requests_cut = true, .replies_cut = true});
    ASSERT_TRUE(loop.run_until([&] {
        EXPECT_LE(running_on_hosts("web"), 1);
        return running_on_hosts("web") == 1 && !hosts[first]->machines.runs("default/web");
    }));
    hosts[first]->store->set_link({});
    loop.run_for(seconds(20));
    EXPECT_EQ(running_on_hosts("web"), 1);
    EXPECT_EQ(running_on_hosts("local"), 1);
    EXPECT_EQ(vm("local")->phase, model::Phase::kRunning);
}

TEST_F(ControlPlane, a_vm_without_ha_stays_with_its_lost_host_and_goes_on_when_it_is_back) {
    add_hosts(2);
    create("local");
    ASSERT_TRUE(reaches("local", model::Phase::kRunning));
    const std::string first = node_of("local");
    hosts[first]->cut_power();
    loop.run_for(seconds(60));
    EXPECT_EQ(node_of("local"), first);
    EXPECT_EQ(running_on_hosts("local"), 0);
    restart_daemon(first);
    ASSERT_TRUE(loop.run_until([&] { return running_on_hosts("local") == 1; }));
}

// The story of a host that was vouched for, came back, and was then only cut off: what is not
// fenced ran on it and elsewhere.
TEST_F(ControlPlane, that_people_vouched_for_a_lost_host_counts_for_one_loss) {
    add_hosts(2);
    create("local", [](model::VmSpec& spec) { spec.constraints.node = "h2"; });
    ASSERT_TRUE(reaches("local", model::Phase::kRunning));
    change("local", [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
    const auto spec_of_h2 = [&] {
        state = store_view->current();
        return state->nodes.find("h2")->spec->value;
    };
    hosts["h2"]->cut_power();
    loop.run_for(seconds(10));
    model::NodeSpec vouched = spec_of_h2();
    vouched.lost_at = "2030-01-01T00:00:00Z";
    put(model::node_key("h2", "spec"), model::to_json(vouched));
    ASSERT_TRUE(
        loop.run_until([&] { return node_of("local") == "h1" && running_on_hosts("local") == 1; }));
    create("second", [](model::VmSpec& spec) { spec.constraints.node = "h2"; });
    hosts["h2"]->start_daemon(loop, backend, random, log);
    ASSERT_TRUE(loop.run_until([&] {
        const bool runs = hosts["h2"]->machines.runs("default/second");
        if (runs) {
            EXPECT_EQ(spec_of_h2().lost_at, "") << "it starts nothing before that is taken back";
        }
        return runs;
    }));
    change("second", [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
    hosts["h2"]->store->set_link({.requests_cut = true, .replies_cut = true});
    loop.run_for(seconds(60));
    EXPECT_EQ(node_of("second"), "h2");
    EXPECT_EQ(running_on_hosts("second"), 1);
}

// Found by the simulation: its view lagged so far behind that it had lost the lease that it came to
// by then, and people had vouched for it meanwhile.
TEST_F(ControlPlane, a_host_works_when_its_view_has_come_to_the_lease_that_it_has) {
    add_hosts(2);
    const auto h2 = [&] {
        state = store_view->current();
        return state->nodes.find("h2");
    };
    ASSERT_TRUE(loop.run_until([&] { return h2() && h2()->status && h2()->lease; }));
    loop.run_for(seconds(5));
    const auto takes_another_lease = [&] {
        const store::Revision before = h2()->lease->mod_revision;
        ASSERT_TRUE(backend->revoke_lease(h2()->lease->value.lease));
        ASSERT_TRUE(loop.run_until(
            [&] { return h2()->lease && h2()->lease->mod_revision != before; }, seconds(60)));
    };
    hosts["h2"]->store->set_link({.watch_lag = seconds(12)});
    takes_another_lease();
    loop.run_for(seconds(4));
    ASSERT_TRUE(backend->revoke_lease(h2()->lease->value.lease));
    ASSERT_TRUE(loop.run_until([&] { return !h2()->lease; }));
    model::NodeSpec vouched = h2()->spec ? h2()->spec->value : model::NodeSpec{};
    vouched.lost_at = "2030-01-01T00:00:00Z";
    put(model::node_key("h2", "spec"), model::to_json(vouched));
    ASSERT_TRUE(loop.run_until([&] { return h2()->lease != nullptr; }, seconds(60)));
    model::NodeStatus facts = h2()->status->value;
    facts.memory_mib = 8192;
    hosts["h2"]->agent->set_facts(facts);
    ASSERT_TRUE(
        loop.run_until([&] { return h2()->status->value.memory_mib == 8192; }, seconds(60)));
    EXPECT_EQ(h2()->spec->value.lost_at, "") << "it works before that is taken back";
}

TEST_F(ControlPlane, another_host_becomes_the_controller_when_the_elected_one_dies) {
    add_hosts(3);
    create("a");
    ASSERT_TRUE(reaches("a", model::Phase::kRunning));
    std::string elected;
    for (auto& [name, host] : hosts)
        if (host->controller->elected()) elected = name;
    ASSERT_FALSE(elected.empty());
    hosts[elected]->cut_power();
    create("b", [](model::VmSpec& spec) { spec.ha = model::Ha::kRestart; });
    ASSERT_TRUE(reaches("b", model::Phase::kRunning));
    EXPECT_NE(node_of("b"), elected);
}

TEST_F(ControlPlane, a_new_controller_proves_the_loss_of_the_old_ones_host) {
    add_hosts(3);
    for (int i = 0; i < 6; ++i)
        create(fmt::format("a{}", i), [](model::VmSpec& spec) {
            spec.ha = model::Ha::kRestart;
            spec.strategy = "spread";
        });
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(reaches(fmt::format("a{}", i), model::Phase::kRunning));
    std::string elected;
    for (auto& [name, host] : hosts)
        if (host->controller->elected()) elected = name;
    ASSERT_FALSE(elected.empty());
    const std::int64_t lease = state->nodes.find(elected)->lease->value.lease;
    std::size_t there = 0;
    for (int i = 0; i < 6; ++i) there += node_of(fmt::format("a{}", i)) == elected;
    ASSERT_GT(there, 0u);
    hosts[elected]->cut_power();
    ASSERT_TRUE(loop.run_until([&] { return vm("a0") && state->failovers.size() == there; }))
        << state->failovers.size() << " of " << there;
    state->failovers.for_each([&](const auto& failover) {
        EXPECT_EQ(failover->record->value.lease, lease);
        EXPECT_EQ(failover->record->value.lease_ttl_ms, 4000);
    });
}

TEST_F(ControlPlane,
       a_vm_that_fits_nowhere_is_pending_with_the_reason_and_runs_when_there_is_room) {
    add_hosts(1);
    create("big", [](model::VmSpec& spec) { spec.memory_mib = 4000; });
    ASSERT_TRUE(reaches("big", model::Phase::kRunning));
    create("late", [](model::VmSpec& spec) { spec.memory_mib = 512; });
    ASSERT_TRUE(loop.run_until([&] { return vm("late") && vm("late")->placement; }));
    EXPECT_EQ(vm("late")->phase, model::Phase::kPending);
    EXPECT_NE(vm("late")->placement->value.reason.find("memory"), std::string::npos)
        << vm("late")->placement->value.reason;
    change("big", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(reaches("late", model::Phase::kRunning));
}

// It would be a list of all that ever lived, on each host that is never elected.
TEST_F(ControlPlane, who_is_not_in_office_keeps_no_list_of_what_has_changed) {
    add_hosts(3);
    loop.run_for(seconds(5));
    for (const char* name : {"a", "b", "c"}) create(name);
    loop.run_for(seconds(10));
    int others = 0;
    for (auto& [name, host] : hosts) {
        if (host->controller->elected()) continue;
        const std::optional<ControllerState> state = host->controller->state();
        ASSERT_TRUE(state) << name;
        EXPECT_TRUE(state->dirty_vms.empty() && state->dirty_nodes.empty()) << name;
        ++others;
    }
    EXPECT_EQ(others, 2);
}

TEST_F(ControlPlane, a_more_important_vm_takes_the_place_of_a_preemptible_one) {
    add_hosts(1);
    create("batch", [](model::VmSpec& spec) {
        spec.memory_mib = 3000;
        spec.priority = 10;
        spec.preemptible = true;
    });
    ASSERT_TRUE(reaches("batch", model::Phase::kRunning));
    create("prod", [](model::VmSpec& spec) {
        spec.memory_mib = 3000;
        spec.priority = 900;
        spec.strategy = "priority";
    });
    ASSERT_TRUE(reaches("prod", model::Phase::kRunning, seconds(120)));
    EXPECT_EQ(vm("batch")->phase, model::Phase::kPending);
}

TEST_F(ControlPlane, a_vm_that_was_evicted_goes_on_where_there_is_room) {
    add_hosts(2);
    const auto pinned = [](std::int64_t memory_mib, const char* node) {
        return [=](model::VmSpec& spec) {
            spec.memory_mib = memory_mib;
            spec.constraints.node = node;
        };
    };
    create("base-1", pinned(1000, "h1"));
    create("base-2", pinned(2500, "h2"));
    create("batch", [&](model::VmSpec& spec) {
        pinned(1500, "h1")(spec);
        spec.priority = 10;
        spec.preemptible = true;
    });
    for (const char* name : {"base-1", "base-2", "batch"})
        ASSERT_TRUE(reaches(name, model::Phase::kRunning));
    change("batch", [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
    loop.run_for(seconds(1));
    create("prod", [](model::VmSpec& spec) {
        spec.memory_mib = 3000;
        spec.priority = 900;
        spec.strategy = "priority";
    });
    ASSERT_TRUE(loop.run_until([&] { return vm("batch")->placement->value.release; }));
    EXPECT_EQ(vm("batch")->placement->value.reason, "preempted by default/prod (priority 900)");
    EXPECT_EQ(running_on_hosts("prod"), 0) << "not before its place is free";
    ASSERT_TRUE(reaches("prod", model::Phase::kRunning, seconds(120)));
    EXPECT_EQ(node_of("prod"), "h1");
    ASSERT_TRUE(loop.run_until(
        [&] { return vm("batch")->phase == model::Phase::kRunning && node_of("batch") == "h2"; }));
    EXPECT_EQ(vm("batch")->placement->value.epoch, 2);
}

// It is counted where they make way, as if it were there: the next one may take that from it.
TEST_F(ControlPlane, who_waits_for_others_to_make_way_is_not_told_to_leave) {
    add_hosts(1);
    const auto of_priority = [](std::int64_t priority) {
        return [=](model::VmSpec& spec) {
            spec.memory_mib = 3000;
            spec.priority = priority;
            spec.preemptible = true;
            spec.strategy = "priority";
        };
    };
    create("batch", of_priority(10));
    ASSERT_TRUE(reaches("batch", model::Phase::kRunning));
    hosts["h1"]->store->set_link({.delay = Millis{300}});
    create("middle", of_priority(500));
    ASSERT_TRUE(loop.run_until([&] { return vm("batch")->placement->value.release; }));
    create("prod", of_priority(900));
    ASSERT_TRUE(loop.run_until(
        [&] {
            const view::VmEntry* middle = vm("middle");
            EXPECT_FALSE(middle->node().empty() && middle->placement &&
                         middle->placement->value.release);
            return vm("prod") && vm("prod")->phase == model::Phase::kRunning;
        },
        seconds(120)));
    EXPECT_EQ(vm("middle")->phase, model::Phase::kPending);
}

// ... and who must be with it waits until it is there: it may never come.
TEST_F(ControlPlane, nobody_makes_way_for_one_whose_company_waits_for_others) {
    add_hosts(1);
    const auto wants = [](std::int64_t memory_mib, std::int64_t priority) {
        return [=](model::VmSpec& spec) {
            spec.memory_mib = memory_mib;
            spec.priority = priority;
            spec.preemptible = priority == 10;
            spec.strategy = "priority";
        };
    };
    for (const char* name : {"batch-1", "batch-2"}) create(name, wants(1500, 10));
    for (const char* name : {"batch-1", "batch-2"})
        ASSERT_TRUE(reaches(name, model::Phase::kRunning));
    hosts["h1"]->store->set_link({.delay = Millis{300}});
    create("prod", [&](model::VmSpec& spec) {
        wants(1500, 900)(spec);
        spec.labels["app"] = "shop";
    });
    const auto leaves = [&](const char* name) { return vm(name)->placement->value.release; };
    ASSERT_TRUE(loop.run_until([&] { return leaves("batch-1") || leaves("batch-2"); }));
    create("near", [&](model::VmSpec& spec) {
        wants(1200, 500)(spec);
        spec.affinity.push_back({.hard = true, .labels = {{"app", "shop"}}});
    });
    ASSERT_TRUE(loop.run_until(
        [&] {
            EXPECT_FALSE(leaves("batch-1") && leaves("batch-2") && vm("prod")->node().empty());
            return vm("near") && vm("near")->phase == model::Phase::kRunning;
        },
        seconds(120)));
}

TEST_F(ControlPlane, an_eviction_is_all_or_nothing) {
    add_hosts(1);
    for (const char* name : {"batch-1", "batch-2"})
        create(name, [](model::VmSpec& spec) {
            spec.memory_mib = 2000;
            spec.priority = 10;
            spec.preemptible = true;
        });
    for (const char* name : {"batch-1", "batch-2"})
        ASSERT_TRUE(reaches(name, model::Phase::kRunning));
    // What the decision counts on changes while its transaction is on the way.
    hosts["h1"]->store->set_link({.delay = Millis{500}});
    create("prod", [](model::VmSpec& spec) {
        spec.memory_mib = 4000;
        spec.priority = 900;
        spec.strategy = "priority";
    });
    ASSERT_TRUE(loop.run_until([&] { return hosts["h1"]->controller->counters().evictions == 2; }));
    change("batch-2", [](model::VmRecord& record) { record.spec.preemptible = false; });
    ASSERT_TRUE(loop.run_until([&] { return vm("prod")->placement != nullptr; }, seconds(60)));
    for (const char* name : {"batch-1", "batch-2"}) {
        EXPECT_FALSE(vm(name)->placement->value.release) << name;
        EXPECT_EQ(vm(name)->phase, model::Phase::kRunning) << name;
    }
    EXPECT_EQ(vm("prod")->phase, model::Phase::kPending);
}

TEST_F(ControlPlane, a_big_vm_that_waits_is_not_starved_by_small_ones) {
    add_hosts(1);
    create("r1", [](model::VmSpec& spec) { spec.memory_mib = 2000; });
    create("r2", [](model::VmSpec& spec) { spec.memory_mib = 1500; });
    for (const char* name : {"r1", "r2"}) ASSERT_TRUE(reaches(name, model::Phase::kRunning));
    create("big", [](model::VmSpec& spec) { spec.memory_mib = 3500; });
    loop.run_for(seconds(310));
    change("r2", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(loop.run_until([&] { return node_of("r2").empty(); }));
    create("small", [](model::VmSpec& spec) { spec.memory_mib = 1500; });
    loop.run_for(seconds(60));
    EXPECT_EQ(vm("small")->phase, model::Phase::kPending);
    EXPECT_NE(vm("small")->placement->value.reason.find("reserved"), std::string::npos)
        << vm("small")->placement->value.reason;
    change("r1", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(reaches("big", model::Phase::kRunning));
    change("big", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(reaches("small", model::Phase::kRunning));
}

TEST_F(ControlPlane, every_strategy_can_be_asked_for) {
    add_hosts(2);
    for (const char* strategy : {"most-available", "least-available", "round-robin", "manual",
                                 "priority", "locality", "spread", "cost", "fragmentation"}) {
        create(strategy, [&](model::VmSpec& spec) {
            spec.memory_mib = 64;
            spec.strategy = strategy;
            if (spec.strategy == "manual") spec.constraints.node = "h2";
        });
        ASSERT_TRUE(reaches(strategy, model::Phase::kRunning));
        EXPECT_NE(vm(strategy)->placement->value.decision.find(
                      fmt::format(R"("strategy":"{}")", strategy)),
                  std::string::npos)
            << vm(strategy)->placement->value.decision;
    }
    EXPECT_EQ(node_of("manual"), "h2");
}

TEST_F(ControlPlane, a_vm_that_asks_for_no_strategy_gets_its_projects_or_the_clusters) {
    scheduler::Policy policy;
    policy.strategy = scheduler::Strategy::kMostAvailable;
    add_hosts(1, policy);
    create("by-cluster", [](model::VmSpec& spec) { spec.memory_mib = 64; });
    ASSERT_TRUE(reaches("by-cluster", model::Phase::kRunning));
    EXPECT_NE(vm("by-cluster")->placement->value.decision.find(R"("strategy":"most-available")"),
              std::string::npos);
    put(model::project_key("default"),
        model::to_json(model::Project{.uid = "p", .strategy = "spread"}));
    create("by-project", [](model::VmSpec& spec) { spec.memory_mib = 64; });
    ASSERT_TRUE(reaches("by-project", model::Phase::kRunning));
    EXPECT_NE(vm("by-project")->placement->value.decision.find(R"("strategy":"spread")"),
              std::string::npos);
    create("by-itself", [](model::VmSpec& spec) {
        spec.memory_mib = 64;
        spec.strategy = "cost";
    });
    ASSERT_TRUE(reaches("by-itself", model::Phase::kRunning));
    EXPECT_NE(vm("by-itself")->placement->value.decision.find(R"("strategy":"cost")"),
              std::string::npos);
    put(model::project_key("default"), model::to_json(model::Project{.uid = "p"}));
    create("by-cluster-again", [](model::VmSpec& spec) { spec.memory_mib = 64; });
    ASSERT_TRUE(reaches("by-cluster-again", model::Phase::kRunning));
    EXPECT_NE(
        vm("by-cluster-again")->placement->value.decision.find(R"("strategy":"most-available")"),
        std::string::npos);
}

// Each waits for the other: neither is refused for good, and both say what they wait for.
TEST_F(ControlPlane, affinities_in_a_circle_are_pending_with_the_reason) {
    add_hosts(1);
    create("a", [](model::VmSpec& spec) { spec.affinity.push_back({.hard = true, .vm = "b"}); });
    create("b", [](model::VmSpec& spec) { spec.affinity.push_back({.hard = true, .vm = "a"}); });
    ASSERT_TRUE(loop.run_until(
        [&] { return vm("a") && vm("a")->placement && vm("b") && vm("b")->placement; }));
    EXPECT_EQ(vm("a")->phase, model::Phase::kPending);
    EXPECT_NE(
        vm("a")->placement->value.decision.find("must be with default/b, which has no place yet"),
        std::string::npos)
        << vm("a")->placement->value.decision;
    change("b", [](model::VmRecord& record) { record.spec.affinity.clear(); });
    ASSERT_TRUE(reaches("a", model::Phase::kRunning));
    ASSERT_TRUE(reaches("b", model::Phase::kRunning));
}

class LongQueue : public ControlPlane {
 protected:
    // lone-000 to lone-599: one of them a host.
    void create_many_for_one_place() {
        for (int i = 0; i < 600; ++i)
            create(fmt::format("lone-{:03}", i), [](model::VmSpec& spec) {
                spec.memory_mib = 64;
                spec.labels = {{"app", "lone"}};
                spec.affinity.push_back({.anti = true, .hard = true, .labels = {{"app", "lone"}}});
            });
    }
};

// More than are decided in one tick, each of which has to be asked for itself.
TEST_F(LongQueue, many_vms_that_fit_nowhere_do_not_keep_others_from_their_turn) {
    add_hosts(1);
    create_many_for_one_place();
    create("late", [](model::VmSpec& spec) { spec.priority = 1; });
    ASSERT_TRUE(reaches("late", model::Phase::kRunning));
    ASSERT_TRUE(reaches("lone-000", model::Phase::kRunning));
    EXPECT_EQ(vm("lone-599")->phase, model::Phase::kPending);
}

// What comes free in quick succession is taken in quick succession, however many wait for it.
TEST_F(LongQueue, a_long_queue_does_not_leave_room_unused) {
    add_hosts(1);
    create_many_for_one_place();
    ASSERT_TRUE(reaches("lone-000", model::Phase::kRunning));
    for (int i = 0; i < 10; ++i) {
        change(fmt::format("lone-{:03}", i),
               [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
        ASSERT_TRUE(reaches(fmt::format("lone-{:03}", i), model::Phase::kStopped));
        EXPECT_TRUE(reaches(fmt::format("lone-{:03}", i + 1), model::Phase::kRunning, Millis{500}))
            << i;
    }
}

// Each is asked again when it may have a host kept for it: it alone, not all who wait.
TEST_F(ControlPlane, who_waits_is_not_asked_again_for_the_sake_of_others) {
    add_hosts(1);
    for (int i = 0; i < 100; ++i) {
        create(fmt::format("big-{:02}", i),
               [i](model::VmSpec& spec) { spec.memory_mib = 100'000 + i; });
        loop.run_for(Millis{200});
    }
    const auto asked = [&] { return hosts.at("h1")->controller->counters().pending_decisions; };
    const std::uint64_t before = asked();
    put(model::volume_key("default", "nobodys", "spec"),
        model::to_json(model::VolumeRecord{.uid = "v", .size_mib = 10}));
    loop.run_for(hosts.at("h1")->policy.reserve_after + seconds(30));
    EXPECT_EQ(vm("big-00")->phase, model::Phase::kPending);
    EXPECT_GT(asked(), before);
    EXPECT_LE(asked() - before, 1000u);  // not all 100 each time one is due
}

// Found by the simulation.
TEST(AgentPlan, a_monitor_that_stays_silent_is_not_looked_at_in_a_circle) {
    model::VmRecord record{.uid = "u"};
    record.spec.restart = model::Restart::kNever;
    const model::Placement placement{.uid = "u", .node = "h1", .epoch = 1};
    hypervisor::Instance instance{.id = {"default/web", "u", 1}};
    instance.state = hypervisor::InstanceState::kUnknown;
    agent::Memory memory;
    memory.silent_since = MonoTime{0};
    const agent::Wanted wanted{.record = &record, .placement = &placement, .mine = true};
    EXPECT_EQ(agent::plan(wanted, &instance, memory, true, MonoTime{1000}).look_again,
              MonoTime{60'000});
    EXPECT_FALSE(agent::plan(wanted, &instance, memory, true, MonoTime{120'000}).look_again);
}

// Found by the simulation.
TEST(AgentPlan, a_vm_that_is_never_restarted_is_not_started_again_after_a_failed_start) {
    model::VmRecord record{.uid = "u"};
    record.spec.restart = model::Restart::kNever;
    const model::Placement placement{.uid = "u", .node = "h1", .epoch = 1};
    agent::Memory memory;
    memory.given_up = agent::GivenUp{"u", record.generation, 0};
    const agent::Wanted wanted{.record = &record, .placement = &placement, .mine = true};
    EXPECT_EQ(agent::plan(wanted, nullptr, memory, true, MonoTime{0}).step, agent::Step::kNone);
    ++record.restart_generation;
    EXPECT_EQ(agent::plan(wanted, nullptr, memory, true, MonoTime{0}).step, agent::Step::kStart);
}

}  // namespace
}  // namespace blixard::controller
