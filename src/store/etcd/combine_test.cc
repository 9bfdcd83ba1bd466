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

std::string keys(const WaitingGroup& group) {
    std::string text;
    for (const auto& waiting : group) text += waiting->transaction.puts[0].key + " ";
    return text;
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
    EXPECT_EQ(second[0]->transaction.compares.size(), 1u) << "the earlier writer of b";
    EXPECT_EQ(second.size(), 1u);
}

TEST_F(CombinerTest, a_group_keeps_etcds_bounds) {
    for (int i = 0; i < 100; ++i) add({put("k" + std::to_string(i))});
    EXPECT_EQ(combiner_.next().size(), kCombinedMost);
    EXPECT_EQ(combiner_.next().size(), 36u);
    add({put("x", "", 900'000), put("y", "", 900'000), put("z", "", 100)});
    EXPECT_EQ(keys(combiner_.next()), "x z ");
}

TEST_F(CombinerTest, one_with_many_operations_goes_alone) {
    auto many = put("m0");
    for (int i = 1; i < 100; ++i) many->transaction.puts.push_back({"m" + std::to_string(i), "v"});
    add({many, put("a")});
    EXPECT_EQ(combiner_.next().size(), 1u);
    EXPECT_EQ(keys(combiner_.next()), "a ");
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

TEST_F(CombinerTest, what_waited_too_long_is_given_back) {
    auto early = put("a"), late = put("b");
    early->deadline = MonoTime{10};
    late->deadline = MonoTime{20};
    add({early, late});
    EXPECT_EQ(keys(combiner_.expired(MonoTime{10})), "a ");
    EXPECT_EQ(keys(combiner_.next()), "b ");
}

}  // namespace
}  // namespace blixard::store
