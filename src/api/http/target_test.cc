#include "api/http/target.h"

#include <gtest/gtest.h>

namespace blixard::api::http {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(Target, is_a_path_and_its_parameters_in_order) {
    const auto target = parse_target("/v1/vms?label=a%3Db&label=c%3Dd&project=my+own&watch&&x=");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/v1/vms");
    EXPECT_EQ(
        target->query,
        (Query{
            {"label", "a=b"}, {"label", "c=d"}, {"project", "my own"}, {"watch", ""}, {"x", ""}}));
}

TEST(Target, is_decoded_once) {
    EXPECT_EQ(parse_target("/a%2525%41+b")->path, "/a%25A+b");
    EXPECT_EQ(parse_target("/%C3%A9%41")->path, "/éA");
    EXPECT_EQ(parse_target("/")->path, "/");
    EXPECT_EQ(parse_target("/?a=b")->query, (Query{{"a", "b"}}));
}

TEST(Target, may_be_in_absolute_form) {
    EXPECT_EQ(parse_target("http://localhost:8080/v1/vms?limit=1")->path, "/v1/vms");
    EXPECT_EQ(parse_target("http://localhost")->path, "/");
}

class RefusedTarget : public testing::TestWithParam<std::string> {};

TEST_P(RefusedTarget, is_invalid) {
    const auto target = parse_target(GetParam());
    ASSERT_FALSE(target);
    EXPECT_EQ(target.error().code, ErrorCode::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Target, RefusedTarget,
                         testing::Values("", "*", "v1/vms", "/v1/../etc/passwd", "/v1/%2e%2e/etc",
                                         "/..", "/.", "/v1/./vms", "//etc", "/v1//vms", "/v1/vms/",
                                         "/v1/vms%00", "/v1/vms?name=%00", "/v1/%", "/v1/%4",
                                         "/v1/%zz", "/v1/a%2Fb", "/v1/a%2fb", "/v1/%ff",
                                         "/v1/%C0%AF", "/v1/%ED%A0%80", "/v1?a=%", "/v1/vms#x",
                                         "/v1/a%0ab", "/v1/\xff"));

TEST(Target, has_no_more_than_64_parameters) {
    std::string text = "/v1/vms?";
    for (int i = 0; i < 64; ++i) text += "a=b&";
    EXPECT_TRUE(parse_target(text));
    EXPECT_FALSE(parse_target(text + "a=b"));
}

}  // namespace
}  // namespace blixard::api::http
