#include "agent/lease.h"

#include <gtest/gtest.h>

#include "model/keys.h"
#include "store/memory/memory_store.h"
#include "store/test_loop.h"

namespace blixard::agent {
namespace {

// Delays what one daemon sends, until it is healed.
struct Slow final : store::FaultPlan {
    store::CommitFault on_commit(const store::Transaction&) override { return {.delay = delay}; }
    Millis delay{};
};

// One host, and one run of its daemon after the other, on one store.
struct Host {
    Host() : backend(std::make_shared<store::MemoryBackend>(loop, loop)) {}
    struct Run {
        Run(Host& host, std::string uid)
            : store(host.backend, host.loop, {.faults = &slow}),
              lease(
                  {store, host.loop, host.loop, host.log}, "h1", std::move(uid), LeaseSettings{},
                  [&host] { return host.key(); }, [this](MonoTime until) { fed = until; },
                  [this] { ++written; }, [this] { ++held_again; }) {}
        Slow slow;
        store::MemoryStore store;
        MonoTime fed{};
        int written = 0, held_again = 0;
        HostLease lease;
    };
    store::Revision key() const {
        const store::KeyValue* key = backend->history().find(model::node_key("h1", "lease"));
        return key ? key->mod_revision : 0;
    }
    store::LeaseId key_lease() const {
        const store::KeyValue* key = backend->history().find(model::node_key("h1", "lease"));
        return key ? key->lease : 0;
    }

    // What is on its way keeps the backend alive, and lies in the loop.
    ~Host() {
        for (store::LeaseId lease = 1; lease < 10; ++lease) (void)backend->revoke_lease(lease);
    }

    NullLog log;
    std::shared_ptr<store::MemoryBackend> backend;
    store::TestLoop loop{store::TestTime::kVirtual};
};

TEST(HostLease, the_deadline_is_counted_from_the_sending_and_leaves_the_margin) {
    Host host;
    Host::Run run(host, "first");
    const MonoTime sent = host.loop.mono();
    run.lease.start();
    host.loop.run_until([&] { return run.written == 1; });
    EXPECT_EQ(run.fed, sent + Millis{3500});
}

// The story of a daemon that is killed while its key is on the way: the next one has taken its own
// lease and runs fenced VMs under it, when the late key arrives and would hang the host on a lease
// that nobody renews.
TEST(HostLease, what_a_former_run_sent_late_does_not_replace_the_key_of_this_one) {
    Host host;
    auto first = std::make_unique<Host::Run>(host, "first");
    first->slow.delay = Millis{900};
    first->lease.start();
    host.loop.run_for(Millis{100});  // its key is on the way
    first->store.crash();

    Host::Run second(host, "second");
    second.lease.start();
    ASSERT_TRUE(host.loop.run_until([&] { return second.written == 1; }));
    host.loop.run_for(Millis{2000});
    EXPECT_EQ(host.key(), second.lease.key_revision());
    EXPECT_EQ(host.key_lease(), second.lease.id());
}

TEST(HostLease, a_key_that_was_refused_is_put_with_the_next_tick) {
    Host host;
    Host::Run other(host, "other");
    other.lease.start();
    host.loop.run_until([&] { return other.written == 1; });
    Host::Run run(host, "late");
    run.slow.delay = Millis{300};
    run.lease.start();
    host.loop.run_for(Millis{100});  // on the way, counting on the key of `other`
    other.lease.key_is_gone(other.lease.key_revision() + 100);
    ASSERT_TRUE(host.loop.run_until([&] { return other.written == 2; }));
    ASSERT_TRUE(host.loop.run_until([&] { return run.written == 1; }));
    EXPECT_EQ(host.key(), run.lease.key_revision());
}

// A host that could not renew for a while and has kept its lease: what waits for it is told.
TEST(HostLease, who_waits_for_a_lease_is_told_when_it_is_held_again) {
    Host host;
    Host::Run run(host, "first");
    run.lease.start();
    ASSERT_TRUE(host.loop.run_until([&] { return run.written == 1; }));
    EXPECT_EQ(run.held_again, 1);
    host.loop.run_for(seconds(10));
    EXPECT_EQ(run.held_again, 1) << "it was held all the time";
    run.store.set_link({.requests_cut = true});
    host.loop.run_for(Millis{3700});
    EXPECT_FALSE(run.lease.held());
    run.store.set_link({});
    ASSERT_TRUE(host.loop.run_until([&] { return run.lease.held(); }));
    EXPECT_EQ(run.held_again, 2);
}

}  // namespace
}  // namespace blixard::agent
