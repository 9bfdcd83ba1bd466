#include "sim/history/vm_model.h"

#include <gtest/gtest.h>

namespace blixard::sim {
namespace {

using Answer = VmModel::Answer;
using Kind = VmModel::Kind;
using Op = HistoryOp<VmModel>;

Op done(std::int64_t called, Kind kind, std::int64_t generation, std::int64_t mark = 0,
        std::int64_t restarts = 0) {
    VmModel::Output output{Answer::kDone, "",
                           VmModel::State{true, false, "u", generation, restarts, mark}};
    return {called, called + 1, {kind, mark}, output};
}
Op created(std::int64_t called, std::string uid = "u") {
    return {called, called + 1, {Kind::kCreate}, VmModel::Output{Answer::kDone, uid, {}}};
}
Op answered(std::int64_t called, Kind kind, Answer answer) {
    return {called, called + 1, {kind}, VmModel::Output{answer, "", {}}};
}
Op unanswered(std::int64_t called, Kind kind, std::int64_t mark = 0) {
    return {called, kNoAnswer, {kind, mark}, {}};
}
Op at_once(Op op, std::int64_t called, std::int64_t answered) {
    op.called = called;
    op.answered = answered;
    return op;
}

Linearizable check(const VmHistory& history) { return check_linearizable(VmModel{}, history); }

TEST(VmModel, a_life) {
    EXPECT_EQ(
        check({answered(1, Kind::kRead, Answer::kNotFound), created(3), done(5, Kind::kMark, 2, 7),
               done(7, Kind::kChange, 3, 7, 1), done(9, Kind::kRead, 3, 7, 1),
               answered(11, Kind::kCreate, Answer::kExists), done(13, Kind::kDelete, 4, 7, 1),
               answered(15, Kind::kRead, Answer::kNotFound), created(17, "v")}),
        Linearizable::kYes);
}

TEST(VmModel, two_changes_that_both_made_generation_2_lost_one) {
    EXPECT_EQ(check({created(1), at_once(done(3, Kind::kMark, 2, 7), 3, 9),
                     at_once(done(4, Kind::kMark, 2, 8), 4, 10)}),
              Linearizable::kNo);
    EXPECT_EQ(check({created(1), at_once(done(3, Kind::kMark, 2, 7), 3, 9),
                     at_once(done(4, Kind::kMark, 3, 8), 4, 10)}),
              Linearizable::kYes);
}

TEST(VmModel, a_mark_that_was_acknowledged_must_be_read) {
    EXPECT_EQ(check({created(1), done(3, Kind::kMark, 2, 7), done(5, Kind::kRead, 1, 0)}),
              Linearizable::kNo);
}

TEST(VmModel, a_vm_is_made_once) {
    EXPECT_EQ(check({created(1, "u"), created(3, "v")}), Linearizable::kNo);
    EXPECT_EQ(check({created(1, "u"), done(3, Kind::kDelete, 2), created(5, "v")}),
              Linearizable::kYes);
}

TEST(VmModel, what_was_refused_did_not_happen) {
    Op refused = answered(3, Kind::kMark, Answer::kRefused);
    refused.input.mark = 7;
    EXPECT_EQ(check({created(1), refused, done(5, Kind::kRead, 2, 7)}), Linearizable::kNo);
    EXPECT_EQ(check({created(1), unanswered(3, Kind::kMark, 7), done(5, Kind::kRead, 2, 7)}),
              Linearizable::kYes);
    EXPECT_EQ(check({created(1), unanswered(3, Kind::kMark, 7), done(5, Kind::kRead, 1, 0)}),
              Linearizable::kYes);
}

TEST(VmModel, a_conditional_change_is_refused_when_something_came_between) {
    Op conditional = done(7, Kind::kMark, 3, 9);
    conditional.input.seen_generation = 1;
    EXPECT_EQ(check({created(1), done(3, Kind::kRead, 1), done(5, Kind::kMark, 2, 7), conditional}),
              Linearizable::kNo);
    conditional.input.seen_generation = 2;
    EXPECT_EQ(check({created(1), done(3, Kind::kRead, 1), done(5, Kind::kMark, 2, 7), conditional}),
              Linearizable::kYes);
}

TEST(VmModel, what_is_there_is_found) {
    EXPECT_EQ(check({created(1), answered(3, Kind::kRead, Answer::kNotFound)}), Linearizable::kNo);
    EXPECT_EQ(check({answered(1, Kind::kCreate, Answer::kExists)}), Linearizable::kNo);
    EXPECT_EQ(check({unanswered(1, Kind::kCreate), done(3, Kind::kRead, 1)}), Linearizable::kYes);
}

TEST(VmModel, a_creation_without_an_answer_has_one_uid) {
    Op other = done(5, Kind::kRead, 1);
    other.output->shown->uid = "v";
    EXPECT_EQ(check({unanswered(1, Kind::kCreate), done(3, Kind::kRead, 1), other}),
              Linearizable::kNo);
}

TEST(VmModel, nothing_changes_what_is_being_deleted) {
    EXPECT_EQ(check({created(1), done(3, Kind::kDelete, 2), done(5, Kind::kMark, 3, 7)}),
              Linearizable::kNo);
}

TEST(VmModel, an_operation_is_told_in_one_line) {
    EXPECT_EQ(to_text(done(3, Kind::kMark, 2, 7)),
              "mark 7 [3..4]: done uid u generation 2/0 mark 7");
    EXPECT_EQ(to_text(unanswered(3, Kind::kDelete)), "delete [3]: no answer");
}

TEST(VmModel, a_start_behind_an_acknowledged_stop_is_not_taken_for_done) {
    const auto order = [](std::int64_t called, const char* run) {
        Op op{called, called + 1, {Kind::kChange}, VmModel::Output{Answer::kDone, "", {}}};
        op.input.run = run;
        return op;
    };
    const auto seen = [](std::int64_t called, std::int64_t generation, const char* run) {
        Op op = done(called, Kind::kRead, generation);
        op.output->shown->run = run;
        return op;
    };
    EXPECT_EQ(check({created(1), order(3, "stopped"), order(5, "running"), seen(7, 3, "running")}),
              Linearizable::kYes);
    EXPECT_EQ(check({created(1), order(3, "stopped"), order(5, "running"), seen(7, 2, "stopped")}),
              Linearizable::kNo);
}

}  // namespace
}  // namespace blixard::sim
