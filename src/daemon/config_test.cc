#include "daemon/config.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace blixard::daemon {
namespace {

TEST(Config, flags_win_over_the_file) {
    Config config;
    ASSERT_TRUE(parse_toml("data_dir = \"/a\"\nlease_ttl_s = 6\n[pools]\nnfs = \"/mnt\"\n",
                           "x.toml", config));
    EXPECT_EQ(config.data_dir, "/a");
    EXPECT_EQ(config.lease_ttl_s, 6);
    EXPECT_EQ(config.pools.at("nfs"), "/mnt");
    const Result<Config> parsed =
        parse_arguments({"--name", "a", "--data-dir=/b", "--lease-ttl", "10", "--pool", "p=/q"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->data_dir, "/b");
    EXPECT_EQ(parsed->pools.at("p"), "/q");
}

TEST(Config, directories_are_told_from_where_the_daemon_was_started) {
    const std::string here = std::filesystem::current_path();
    const Result<Config> parsed = parse_arguments(
        {"--name", "a", "--data-dir", "var/data", "--pool", "nfs=../nfs", "--pool", "c=rbd:vms"});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->data_dir, here + "/var/data");
    EXPECT_EQ(parsed->pools.at("nfs"), std::filesystem::path(here).parent_path() / "nfs");
    EXPECT_EQ(parsed->pools.at("c"), "rbd:vms");
}

TEST(Config, an_unknown_key_is_refused_with_its_line) {
    Config config;
    const Status refused = parse_toml("name = \"a\"\ndata_dri = \"/a\"\n", "x.toml", config);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "x.toml:2: unknown key \"data_dri\"");
}

TEST(Config, bad_values_are_refused) {
    EXPECT_FALSE(parse_arguments({"--name", "a", "--lease-ttl", "1"}));
    EXPECT_EQ(parse_arguments({"--name", "a", "--lease-ttl", "4x"}).error().message,
              "--lease-ttl: \"4x\" is not a whole number");
    EXPECT_FALSE(parse_arguments({"--name", "a", "--record-mib", "-1"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--record-mib", "many"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--image-grace", "9"}));
    EXPECT_TRUE(parse_arguments({"--name", "a", "--image-grace", "10"}));
    EXPECT_FALSE(parse_arguments({"--name", "../a"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--pool", "nfs"}));
    EXPECT_TRUE(parse_arguments({"--name", "a", "--pool", "c=rbd:vms:id=blixard"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--pool", "c=rbd:vms:key=secret"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--sokcet", "x"}));
    EXPECT_EQ(parse_arguments({"--sokcet"}).error().message, "unknown option --sokcet");
    EXPECT_EQ(parse_arguments({"--name"}).error().message, "option --name needs a value");
    EXPECT_FALSE(parse_arguments({"--name", "a", "--store", "mysql://x"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--pool", "../nfs=/mnt"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--zone", "the east"}));
    EXPECT_TRUE(parse_arguments({"--name", "a", "--zone", "east-1"}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--data-dir="}));
    EXPECT_FALSE(parse_arguments({"--name", "a", "--config", "/"})) << "a directory is no file";
    Config labelled;
    ASSERT_TRUE(parse_toml("name = \"a\"\n[labels]\n\"a b\" = \"c\"\n", "x.toml", labelled));
    EXPECT_EQ(validate(labelled).error().field, "labels[\"a b\"]");
}

TEST(Config, pools_without_their_directory_are_told_from_those_with_it) {
    const auto config =
        parse_arguments({"--name", "a", "--pool", "tmp=/tmp", "--pool", "nfs=/mnt/not-mounted-here",
                         "--pool", "file=/etc/passwd", "--pool", "c=rbd:vms:id=blixard"});
    ASSERT_TRUE(config);
    EXPECT_EQ(missing_pools(*config),
              (std::map<std::string, std::string>{{"file", "/etc/passwd"},
                                                  {"nfs", "/mnt/not-mounted-here"}}));
}

TEST(Config, a_port_that_is_none_is_not_taken_for_another) {
    for (const char* wrong : {"127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:99999", "127.0.0.1:-1",
                              "127.0.0.1:80x", "127.0.0.1: 80"})
        EXPECT_FALSE(parse_arguments({"--name", "a", "--listen", wrong})) << wrong;
    ASSERT_TRUE(parse_arguments({"--name", "a", "--listen", "[::1]:8080"}));
    EXPECT_EQ(parse_listen("[::1]:8080")->host, "[::1]");
    EXPECT_EQ(parse_listen("[::1]:8080")->port, 8080);
    EXPECT_EQ(parse_listen("localhost:0")->port, 0);
}

}  // namespace
}  // namespace blixard::daemon
