#include "cli/endpoint.h"

#include <gtest/gtest.h>

namespace blixard::cli {
namespace {

TEST(Endpoint, is_the_default_socket_where_nothing_is_said) {
    EXPECT_EQ(choose_endpoint("", "", "", "").value().socket_path, "/run/blixard/blixard.sock");
}

TEST(Endpoint, an_option_beats_the_environment) {
    EXPECT_EQ(choose_endpoint("/a", "", "/b", "h").value().text(), "/a");
    EXPECT_EQ(choose_endpoint("", "h:1", "/b", "").value().text(), "h:1");
    EXPECT_EQ(choose_endpoint("", "", "", "h").value().text(), "h:8480");
    EXPECT_FALSE(choose_endpoint("/a", "h", "", ""));
    EXPECT_FALSE(choose_endpoint("", "", "/a", "h"));
}

TEST(Endpoint, hosts_are_read_in_every_usual_form) {
    EXPECT_EQ(parse_host("http://localhost:99/").value().text(), "localhost:99");
    EXPECT_EQ(parse_host("[::1]").value().text(), "[::1]:8480");
    EXPECT_EQ(parse_host("[::1]:5").value().text(), "[::1]:5");
    for (std::string_view bad :
         {"", ":80", "h:0", "h:x", "::1", "[::1", "[::1]x", "https://h", "a b", "h/x"})
        EXPECT_FALSE(parse_host(bad)) << bad;
}

}  // namespace
}  // namespace blixard::cli
