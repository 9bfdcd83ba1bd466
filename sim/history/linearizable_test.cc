#include "sim/history/linearizable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sim/history/vm_model.h"

namespace blixard::sim {
namespace {

// The smallest object: a number that is written and read.
struct Register {
    using State = int;
    struct Input {
        bool write = false;
        int value = 0;
    };
    using Output = int;
    State initial() const { return 0; }
    std::vector<State> step(const State& state, const Input& input,
                            const std::optional<Output>& output) const {
        if (!input.write)
            return !output || *output == state ? std::vector<State>{state} : std::vector<State>{};
        return {input.value};
    }
};
using Ops = std::vector<HistoryOp<Register>>;

HistoryOp<Register> write(std::int64_t called, std::int64_t answered, int value) {
    HistoryOp<Register> op{called, answered, {true, value}, {}};
    if (answered != kNoAnswer) op.output = 0;
    return op;
}
HistoryOp<Register> read(std::int64_t called, std::int64_t answered, int value) {
    return {called, answered, {}, value};
}

Linearizable check(const Ops& ops) { return check_linearizable(Register{}, ops); }

TEST(Linearizable, nothing_and_one_after_the_other) {
    EXPECT_EQ(check({}), Linearizable::kYes);
    EXPECT_EQ(check({write(1, 2, 7), read(3, 4, 7)}), Linearizable::kYes);
}

TEST(Linearizable, a_read_that_misses_a_finished_write_is_refused) {
    EXPECT_EQ(check({write(1, 2, 7), read(3, 4, 0)}), Linearizable::kNo);
}

TEST(Linearizable, while_a_write_is_under_way_both_may_be_read) {
    EXPECT_EQ(check({write(1, 9, 7), read(2, 3, 0), read(4, 5, 7)}), Linearizable::kYes);
}

TEST(Linearizable, a_read_must_not_go_back_behind_another) {
    EXPECT_EQ(check({write(1, 9, 7), read(2, 3, 7), read(4, 5, 0)}), Linearizable::kNo);
}

TEST(Linearizable, two_writes_at_once_may_go_either_way_but_not_both_ways) {
    EXPECT_EQ(check({write(1, 4, 1), write(2, 5, 2), read(6, 7, 1)}), Linearizable::kYes);
    EXPECT_EQ(check({write(1, 4, 1), write(2, 5, 2), read(6, 7, 2)}), Linearizable::kYes);
    EXPECT_EQ(check({write(1, 4, 1), write(2, 5, 2), read(6, 7, 1), read(8, 9, 2)}),
              Linearizable::kNo);
}

TEST(Linearizable, what_was_never_answered_may_have_happened_or_not_and_late) {
    EXPECT_EQ(check({write(1, kNoAnswer, 7), read(2, 3, 0)}), Linearizable::kYes);
    EXPECT_EQ(check({write(1, kNoAnswer, 7), read(2, 3, 0), read(4, 5, 7)}), Linearizable::kYes);
    EXPECT_EQ(check({write(1, kNoAnswer, 7), read(2, 3, 7), read(4, 5, 0)}), Linearizable::kNo);
}

TEST(Linearizable, it_says_which_answer_could_not_be_explained) {
    std::size_t stuck = 99;
    const Ops ops = {write(1, 2, 7), read(3, 4, 7), read(5, 6, 3), read(7, 8, 7)};
    EXPECT_EQ(check_linearizable(Register{}, ops, &stuck), Linearizable::kNo);
    EXPECT_EQ(stuck, 2u);
}

TEST(Linearizable, it_gives_up_rather_than_search_for_ever) {
    Ops ops;
    for (int i = 0; i < 18; ++i) ops.push_back(write(1, 100, i + 1));
    ops.push_back(read(101, 102, 99));
    EXPECT_EQ(check_linearizable(Register{}, ops, nullptr, 1000), Linearizable::kTooLong);
}

// By all orders, for histories that are small enough.
bool by_brute_force(const Ops& ops) {
    std::vector<std::size_t> order(ops.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    do {
        int state = 0;
        bool good = true;
        for (std::size_t i = 0; i < order.size() && good; ++i) {
            const auto& op = ops[order[i]];
            for (std::size_t j = i + 1; j < order.size(); ++j)
                good = good && ops[order[j]].answered >= op.called;
            if (op.input.write)
                state = op.input.value;
            else
                good = good && *op.output == state;
        }
        if (good) return true;
    } while (std::next_permutation(order.begin(), order.end()));
    return false;
}

TEST(Linearizable, it_agrees_with_trying_all_orders) {
    std::mt19937 random(7);
    int no = 0;
    for (int round = 0; round < 2000; ++round) {
        Ops ops;
        for (int i = 0; i < 6; ++i) {
            const std::int64_t called = static_cast<std::int64_t>(random() % 20) * 2,
                               answered = called + 1 + static_cast<std::int64_t>(random() % 8) * 2;
            const int value = static_cast<int>(random() % 3);
            ops.push_back(random() % 2 ? write(called, answered, value)
                                       : read(called, answered, value));
        }
        const bool expected = by_brute_force(ops);
        no += !expected;
        ASSERT_EQ(check(ops), expected ? Linearizable::kYes : Linearizable::kNo)
            << "round " << round;
    }
    EXPECT_GT(no, 200);  // the histories are not all of one kind
}

}  // namespace
}  // namespace blixard::sim
