#include "scheduler/gpu_loss.h"

#include <gtest/gtest.h>

namespace blixard::scheduler {
namespace {

constexpr NameId kT4 = 1;
constexpr NameId kA100 = 2;

Ask wants(std::int32_t gpus, std::int32_t milli, std::int64_t cpus) {
    Ask ask;
    ask.cpu_milli = cpus * 1000;
    ask.memory_mib = 1024;
    ask.gpu_count = gpus;
    ask.gpu_milli = milli;
    return ask;
}

Room room(std::int64_t cpus, std::initializer_list<std::int32_t> gpus, NameId model = kT4) {
    Room room;
    room.cpu_milli = cpus * 1000;
    room.memory_mib = 1'000'000;
    for (auto milli : gpus) {
        room.gpu_model[room.gpu_count] = model;
        room.gpu_milli[room.gpu_count++] = milli;
    }
    return room;
}

TEST(GpuLoss, usable_are_the_gpus_that_hold_one_and_none_where_the_vm_cannot_run) {
    EXPECT_EQ(gpu_milli_usable(wants(1, 600, 1), room(8, {1000, 700, 500})), 1700);
    EXPECT_EQ(gpu_milli_usable(wants(2, 1000, 1), room(8, {1000, 700, 500})), 0);
    EXPECT_EQ(gpu_milli_usable(wants(1, 600, 9), room(8, {1000})), 0);
    auto a100 = wants(1, 600, 1);
    a100.gpu_models[a100.gpu_model_count++] = kA100;
    EXPECT_EQ(gpu_milli_usable(a100, room(8, {1000})), 0);
    EXPECT_EQ(gpu_milli_usable(a100, room(8, {1000}, kA100)), 1000);
}

// A host that was overfilled by force has GPUs below zero.
TEST(GpuLoss, a_gpu_below_zero_counts_as_full) {
    Mix mix;
    mix.observe(wants(1, 1000, 1));
    GpuLoss loss;
    auto overfilled = room(8, {-200, 300});
    const Room* rooms[] = {&overfilled};
    loss.learn(mix, rooms);
    EXPECT_DOUBLE_EQ(loss.of(overfilled), 300.0);
}

TEST(GpuLoss, flavours_weigh_by_their_share_over_the_room_left_for_them) {
    Mix mix;
    for (int i = 0; i < 4; ++i) {
        mix.observe(wants(1, 1000, 1));  // runs on all 6 GPUs
        mix.observe(wants(2, 1000, 1));  // on the 4 of the larger host
    }
    auto small = room(8, {1000}, kT4);
    auto other = room(8, {1000}, kT4);
    auto large = room(8, {1000, 1000, 1000, 1000}, kT4);
    const Room* rooms[] = {&small, &other, &large};
    GpuLoss loss;
    loss.learn(mix, rooms);
    // (1/2)/6 to (1/2)/4 is 0.4 to 0.6, and only the second kind cannot use the small host.
    EXPECT_NEAR(loss.of(small), 600.0, 1e-9);
    EXPECT_NEAR(loss.of(large), 0.0, 1e-9);
}

TEST(GpuLoss, a_flavour_that_has_room_nowhere_has_no_say) {
    Mix mix;
    for (int i = 0; i < 4; ++i) {
        mix.observe(wants(1, 1000, 1));
        mix.observe(wants(8, 1000, 1));
    }
    auto only = room(8, {1000, 1000});
    const Room* rooms[] = {&only};
    GpuLoss loss;
    loss.learn(mix, rooms);
    EXPECT_DOUBLE_EQ(loss.of(only), 0.0);
}

TEST(GpuLoss, without_any_room_the_shares_count) {
    Mix mix;
    mix.observe(wants(1, 1000, 1));
    mix.observe(wants(8, 1000, 1));
    mix.observe(wants(8, 1000, 1));
    mix.observe(wants(8, 1000, 1));
    GpuLoss loss;
    loss.learn(mix, {});
    EXPECT_DOUBLE_EQ(loss.of(room(8, {1000, 1000})), 1500.0);  // three of four lose both
}

TEST(GpuLoss, a_mix_without_gpus_loses_nothing) {
    Mix mix;
    mix.observe(wants(0, 0, 4));
    GpuLoss loss;
    auto only = room(8, {1000});
    const Room* rooms[] = {&only};
    loss.learn(mix, rooms);
    EXPECT_TRUE(loss.empty());
    EXPECT_DOUBLE_EQ(loss.of(only), 0.0);
}

}  // namespace
}  // namespace blixard::scheduler
