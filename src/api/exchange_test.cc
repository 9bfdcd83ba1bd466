#include "api/exchange.h"

#include <gtest/gtest.h>

namespace blixard::api {
namespace {

TEST(Problem, says_what_where_and_what_would_help) {
    const Response response =
        problem(Error{ErrorCode::kInvalid, "cpus is 0", "spec.cpus", "take 1 or more"});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(
        response.body,
        R"({"type":"about:blank#invalid","title":"The request is not valid","status":400,"detail":"cpus is 0",)"
        R"("code":"invalid","field":"spec.cpus","help":"take 1 or more"})");
}

TEST(Problem, stays_json_whatever_the_client_had_sent) {
    const Response response = problem(
        Error{ErrorCode::kNotFound, std::string("vm \"a\\\n\xFF\xC0\xAF\0é\"", 14), {}, {}});
    EXPECT_NE(response.body.find(R"("detail":"vm \"a\\\u000a)"
                                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                                 R"(\u0000é\"")"),
              std::string::npos)
        << response.body;
}

TEST(Problem, may_carry_another_status_for_the_same_code) {
    EXPECT_EQ(problem(Error{ErrorCode::kConflict, "revision 7 is not 9", {}, {}}).status, 409);
    EXPECT_EQ(problem(Error{ErrorCode::kConflict, "revision 7 is not 9", {}, {}}, 412).status, 412);
}

}  // namespace
}  // namespace blixard::api
