#include <gtest/gtest.h>

#include "model/vm.h"

namespace blixard::model {
namespace {

TEST(Phase, has_a_name_on_the_wire) {
    EXPECT_EQ(phase_name(Phase::kPending), "pending");
    EXPECT_EQ(phase_name(Phase::kFailed), "failed");
    EXPECT_EQ(enum_value<Phase>("stopping"), Phase::kStopping);
    EXPECT_EQ(enum_value<Phase>("gone"), std::nullopt);
}

TEST(Phase, the_whole_matrix_of_moves) {
    // Row: from. Column: to, in the order pending scheduled starting running paused stopping
    // stopped failed.
    constexpr std::string_view kLegal[] = {
        "yy....y.",  // pending
        "yyy...yy",  // scheduled
        "yyyyyyyy",  // starting
        "yyyyyyyy",  // running
        "yy.yyyyy",  // paused
        "yyy..yyy",  // stopping
        "yyy...y.",  // stopped
        "yyy...yy",  // failed
    };
    for (std::size_t from = 0; from < std::size(kLegal); ++from)
        for (std::size_t to = 0; to < std::size(kLegal); ++to)
            EXPECT_EQ(phase_may_follow(Phase(from), Phase(to)), kLegal[from][to] == 'y')
                << phase_name(Phase(from)) << " -> " << phase_name(Phase(to));
}

TEST(Phase, a_vm_that_lost_its_host_can_be_placed_anew_from_anywhere) {
    for (std::size_t from = 0; from < json::kNames<Phase>.size(); ++from)
        EXPECT_TRUE(phase_may_follow(Phase(from), Phase::kScheduled)) << phase_name(Phase(from));
}

}  // namespace
}  // namespace blixard::model
