#include "model/parse_written.h"

#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/types.h"

namespace blixard::model {
namespace {

template <class T>
bool takes(std::string_view text) {
    T value;
    return json::parse_written(json::type_of<T>(), text, &value);
}

TEST(ParseWritten, takes_what_daemons_write) {
    VmRecord record;
    record.uid = "u1";
    record.spec.image = "demo";
    record.spec.labels = {{"a", "1"}, {"b", "z\xC3\xA9"}};
    record.spec.cloud_init.user_data = "#cloud-config\nrun: \"x\\y\"\n";
    record.spec.nics.push_back({.name = "net0"});
    record.spec.nics[0].forwards.push_back({.guest_port = 80});
    record.spec.health = HealthCheck{};
    record.spec.constraints.cost_per_hour_max = 0.25;
    VmRecord read;
    ASSERT_TRUE(json::parse_written(json::type_of<VmRecord>(), to_json(record), &read));
    EXPECT_EQ(read, record);

    Placement placement{.uid = "u1", .node = "n1", .epoch = 3};
    placement.numa_nodes = {0, 1};
    placement.decision =
        R"({"score":-1.2517361111111112,"refusals":[{"reason":"cpu"},{}],"ok":true})";
    Placement placed;
    ASSERT_TRUE(json::parse_written(json::type_of<Placement>(), to_json(placement), &placed));
    EXPECT_EQ(placed, placement);
}

TEST(ParseWritten, leaves_everything_else_to_the_thorough_reader) {
    EXPECT_TRUE(takes<Placement>(R"({"uid":"u","node":"n","epoch":1})"));
    for (const char* text : {"",
                             "{",
                             "[]",
                             R"({"uid":"u"} )",
                             R"({"uid": "u"})",
                             R"({"node":"n","uid":"u"})",
                             R"({"uid":"u","uid":"v"})",
                             R"({"uid":"u","newer":1})",
                             R"({"uid":"\u0041"})",
                             R"({"uid":"u})",
                             R"({"uid":"u"}x)",
                             R"({"epoch":01})",
                             R"({"epoch":-0})",
                             R"({"epoch":1.0})",
                             R"({"epoch":1e2})",
                             R"({"epoch":1234567890123456789})",
                             R"({"epoch":-})",
                             R"({"epoch":null})",
                             R"({"release":1})",
                             R"({"decision":{"a":1,"a":2}})",
                             R"({"decision":{"a":01}})",
                             R"({"decision":{"a"}})",
                             R"({"decision":"text"})",
                             "{\"uid\":\"\x01\"}",
                             "{\"uid\":\"\xff\"}"})
        EXPECT_FALSE(takes<Placement>(text)) << text;
}

TEST(ParseWritten, a_text_given_up_half_way_leaves_no_trace) {
    const auto placement =
        parse_placement(R"({"uid":"u","node":"n", "reason":"r"})", Mode::kLenient);
    ASSERT_TRUE(placement.has_value());
    EXPECT_EQ(to_json(*placement), to_json(Placement{.uid = "u", .node = "n", .reason = "r"}));
    const auto twice = parse_placement(R"({"numa_nodes":[1,2], "epoch":1})", Mode::kLenient);
    ASSERT_TRUE(twice.has_value());
    EXPECT_EQ(twice->numa_nodes, (std::vector<std::int64_t>{1, 2}));
}

}  // namespace
}  // namespace blixard::model
