#include "store/etcd/combine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace blixard::store {
namespace {

WaitingPtr put(std::string key, std::string compare = "", std::size_t bytes = 1) {
    auto waiting = std::make_shared<Waiting>();
    waiting->transaction.puts.push_back({std::move(key), std::string(bytes, 'v')});
    if (!compare.empty()) waiting->transaction.compares.push_back({std::move(compare), 1});
    return waiting;
}

// A bundle of several in brackets.
std::string keys(const WaitingGroup& group) {
    std::string text;
    for (const auto& bundle : group) {
        if (group.size() > 1 && bundle.size() > 1) text += "[ ";
        for (const auto& waiting : bundle) text += waiting->transaction.puts[0].key + " ";
        if (group.size() > 1 && bundle.size() > 1) text += "] ";
    }
    return text;
}

WaitingPtr large(const std::string& key, std::size_t operations) {
    auto waiting = put(key);
    for (std::size_t i = 1; i < operations; ++i)
        waiting->transaction.puts.push_back({key + std::to_string(i), "v"});
    return waiting;
}

class CombinerTest : public testing::Test {
 protected:
    void add(std::initializer_list<WaitingPtr> all) {
        for (const auto& waiting : all) combiner_.add(waiting);
    }
    Combiner combiner_;
};

TEST_F(CombinerTest, independent_transactions_go_together) {
    add({put("a"), put("b"), put("c", "election"), put("d", "election")});
    EXPECT_EQ(keys(combiner_.next()), "a b c d ");
    EXPECT_TRUE(combiner_.next().empty());
}

TEST_F(CombinerTest, two_writers_of_a_key_go_one_after_the_other) {
    add({put("a"), put("a"), put("b")});
    const auto first = combiner_.next();
    EXPECT_EQ(keys(first), "a b ");
    EXPECT_TRUE(combiner_.next().empty()) << "the first is still under way";
    combiner_.finished(first);
    EXPECT_EQ(keys(combiner_.next()), "a ");
}

TEST_F(CombinerTest, a_compare_waits_for_the_write_of_its_key) {
    add({put("a"), put("b", "a"), put("c")});
    EXPECT_EQ(keys(combiner_.next()), "a c ");
}

TEST_F(CombinerTest, a_write_waits_for_an_earlier_compare_of_its_key) {
    add({put("b", "a"), put("a")});
    EXPECT_EQ(keys(combiner_.next()), "b ");
}

TEST_F(CombinerTest, nobody_overtakes_one_with_whom_he_conflicts) {
    add({put("a"), put("b", "a"), put("b"), put("c")});
    const auto first = combiner_.next();
    EXPECT_EQ(keys(first), "a c ");
    combiner_.finished(first);
    const auto second = combiner_.next();
    EXPECT_EQ(second[0][0]->transaction.compares.size(), 1u) << "the earlier writer of b";
    EXPECT_EQ(size_of(second), 1u);
}

TEST_F(CombinerTest, a_group_keeps_etcds_bounds) {
    for (int i = 0; i < 500; ++i) add({put("k" + std::to_string(i))});
    const auto first = combiner_.next();
    EXPECT_EQ(first.size(), 8u);
    for (const auto& bundle : first) EXPECT_EQ(bundle.size(), 56u);
    EXPECT_EQ(size_of(combiner_.next()), 52u);
    add({put("x", "", 900'000), put("y", "", 900'000), put("z", "", 100)});
    EXPECT_EQ(keys(combiner_.next()), "x z ");
}

TEST_F(CombinerTest, large_ones_have_a_bundle_each) {
    add({large("m", 120), put("a"), large("n", 65), put("b")});
    EXPECT_EQ(keys(combiner_.next()), "m [ a b ] n ");
}

TEST_F(CombinerTest, large_ones_leave_room_for_no_more_than_eight_bundles) {
    for (int i = 0; i < 9; ++i) add({large("m" + std::to_string(i) + "-", 100)});
    add({put("a")});
    EXPECT_EQ(keys(combiner_.next()), "m0- m1- m2- m3- m4- m5- m6- m7- ");
    EXPECT_EQ(keys(combiner_.next()), "m8- a ");
}

TEST_F(CombinerTest, one_with_too_many_operations_to_be_nested_goes_alone) {
    add({put("a"), large("m", 121), put("b")});
    EXPECT_EQ(keys(combiner_.next()), "a b ");
    add({put("c")});
    EXPECT_EQ(keys(combiner_.next()), "m ");
    EXPECT_EQ(keys(combiner_.next()), "c ");
}

TEST_F(CombinerTest, a_group_that_failed_as_a_whole_is_tried_one_by_one_and_first) {
    add({put("a"), put("b")});
    const auto group = combiner_.next();
    add({put("c")});
    combiner_.add_again(group);
    EXPECT_EQ(keys(combiner_.next()), "a ");
    EXPECT_EQ(keys(combiner_.next()), "b ");
    EXPECT_EQ(keys(combiner_.next()), "c ");
}

TEST_F(CombinerTest, a_large_group_that_failed_as_a_whole_is_tried_in_eight_parts) {
    for (int i = 0; i < 64; ++i) add({put("k" + std::to_string(i))});
    combiner_.add_again(combiner_.next());
    add({put("late")});
    const auto part = combiner_.next();
    EXPECT_EQ(keys(part), "k0 k1 k2 k3 k4 k5 k6 k7 ");
    combiner_.add_again(part);
    EXPECT_EQ(keys(combiner_.next()), "k0 ") << "one of these is to blame";
    for (int i = 1; i < 8; ++i) EXPECT_EQ(size_of(combiner_.next()), 1u);
    EXPECT_EQ(keys(combiner_.next()), "k8 k9 k10 k11 k12 k13 k14 k15 ");
}

TEST_F(CombinerTest, what_waited_too_long_is_given_back) {
    auto early = put("a"), late = put("b");
    early->deadline = MonoTime{10};
    late->deadline = MonoTime{20};
    add({early, late});
    EXPECT_EQ(keys({combiner_.expired(MonoTime{10})}), "a ");
    EXPECT_EQ(keys(combiner_.next()), "b ");
}

}  // namespace
}  // namespace blixard::store
