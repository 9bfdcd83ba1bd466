#include "controller/liveness.h"

#include <gtest/gtest.h>

namespace blixard::controller {
namespace {

constexpr Millis kTtl = seconds(4);

view::NodeEntry host_with(std::int64_t lease) {
    view::NodeEntry node;
    node.key = "h1";
    if (lease == 0) return node;
    auto part = std::make_shared<view::Part<model::NodeLease>>();
    part->value.lease = lease;
    part->value.ttl_ms = kTtl.count;
    node.lease = part;
    return node;
}

view::Snapshot state_with(const view::NodeEntry& node) {
    view::Snapshot state;
    state.nodes.put(std::make_shared<view::NodeEntry>(node));
    return state;
}

// A controller that stood still for a while sees a lost host come back and go again at once: its
// VMs may have been started anew under the lease that has just ended.
TEST(Liveness, the_end_of_a_lease_that_nobody_had_time_to_look_at_counts) {
    Liveness liveness(kTtl);
    MonoTime now{100'000};
    liveness.note(host_with(7));
    liveness.look(state_with(host_with(7)), "h1", now, {});
    liveness.look(state_with(host_with(0)), "h1", now, {});
    now = now + seconds(60);
    ASSERT_TRUE(liveness.lost("h1", now));
    liveness.note(host_with(8));
    liveness.look(state_with(host_with(0)), "h1", now, {});
    EXPECT_FALSE(liveness.lost("h1", now));
    EXPECT_EQ(liveness.sight("h1")->lease, 8);
    EXPECT_TRUE(liveness.lost("h1", now + drift_margin(kTtl)));
}

TEST(Liveness, what_was_put_and_has_gone_between_two_looks_is_named) {
    Liveness liveness(kTtl);
    const MonoTime now{100'000};
    liveness.note(host_with(7));
    liveness.look(state_with(host_with(7)), "h1", now, {});
    liveness.note(host_with(8));
    liveness.look(state_with(host_with(0)), "h1", now, {});
    EXPECT_EQ(liveness.sight("h1")->lease, 8);
}

}  // namespace
}  // namespace blixard::controller
