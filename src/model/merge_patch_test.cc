#include "model/merge_patch.h"

#include <gtest/gtest.h>

namespace blixard::model {
namespace {

std::string merged(std::string_view target, std::string_view patch) {
    auto result = merge_patch(target, patch);
    return result ? *result : "refused: " + describe(result.error());
}

TEST(MergePatch, the_examples_of_rfc_7396) {
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":"c"})"), R"({"a":"c"})");
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"b":"c"})"), R"({"a":"b","b":"c"})");
    EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":null})"), R"({})");
    EXPECT_EQ(merged(R"({"a":"b","b":"c"})", R"({"a":null})"), R"({"b":"c"})");
    EXPECT_EQ(merged(R"({"a":["b"]})", R"({"a":"c"})"), R"({"a":"c"})");
    EXPECT_EQ(merged(R"({"a":"c"})", R"({"a":["b"]})"), R"({"a":["b"]})");
    EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), R"({"a":{"b":"d"}})");
    EXPECT_EQ(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})"), R"({"a":[1]})");
    EXPECT_EQ(merged(R"(["a","b"])", R"(["c","d"])"), R"(["c","d"])");
    EXPECT_EQ(merged(R"({"a":"b"})", R"(["c"])"), R"(["c"])");
    EXPECT_EQ(merged(R"({"a":"foo"})", "null"), "null");
    EXPECT_EQ(merged(R"({"a":"foo"})", R"("bar")"), R"("bar")");
    EXPECT_EQ(merged(R"({"e":null})", R"({"a":1})"), R"({"e":null,"a":1})");
    EXPECT_EQ(merged("[1,2]", R"({"a":"b","c":null})"), R"({"a":"b"})");
    EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
}

TEST(MergePatch, what_is_not_named_stays_as_it_was_written) {
    constexpr std::string_view kText =
        R"({"a":1.5,"b":-7,"c":18446744073709551615,"d":"é\n\"\\/","e":[true,false,null,{},[]],"f":{"g":[1,"x"]},"h":1e+30})";
    EXPECT_EQ(merged(kText, "{}"), kText);
    EXPECT_EQ(merged("{}", kText), R"({"a":1.5,"b":-7,"c":18446744073709551615,"d":"é\n\"\\/",)"
                                   R"("e":[true,false,null,{},[]],"f":{"g":[1,"x"]},"h":1e+30})");
}

TEST(MergePatch, a_null_inside_a_list_is_a_value) {
    EXPECT_EQ(merged("{}", R"({"a":[null,{"b":null}]})"), R"({"a":[null,{"b":null}]})");
}

TEST(MergePatch, a_spec_keeps_what_is_not_named_and_its_order) {
    EXPECT_EQ(merged(R"({"spec":{"image":"i","cpus":1,"labels":{"a":"1","b":"2"}}})",
                     R"({"spec":{"labels":{"a":null,"c":"3"},"cpus":4}})"),
              R"({"spec":{"image":"i","cpus":4,"labels":{"b":"2","c":"3"}}})");
}

TEST(MergePatch, a_patch_that_is_no_clean_json_is_refused) {
    EXPECT_EQ(merge_patch("{}", R"({"a":)").error().code, ErrorCode::kInvalid);
    EXPECT_EQ(merge_patch("{}", std::string_view{}).error().message, "the document is empty");
    EXPECT_EQ(merge_patch("{}", R"({"a":{"b":1,"b":2}})").error().field, "a.b");
    EXPECT_EQ(merge_patch("{}", R"({"a":{"b":{"c":1,"c":2}}})").error().field, "a.b.c");
    EXPECT_EQ(merge_patch("{}", R"({"a":"\u0000"})").error().code, ErrorCode::kInvalid);
    EXPECT_EQ(merge_patch("{}", std::string(200, '[') + std::string(200, ']')).error().message,
              "the document is nested more than 64 levels deep");
    EXPECT_EQ(merge_patch("{}", std::string(2 << 20, ' ')).error().code, ErrorCode::kTooLarge);
}

constexpr std::string_view kVm =
    R"({"kind":"vm","name":"web-1","spec":{"cpus":2,"disks":[{"name":"root","size_mib":5},{"name":"b","size_mib":7}],)"
    R"("labels":{"app":"web"}},"phase":"running"})";

TEST(SelectFields, keeps_the_paths_asked_for_in_the_documents_order) {
    EXPECT_EQ(select_fields(kVm, {"phase", "name", "spec.cpus"}),
              R"({"name":"web-1","spec":{"cpus":2},"phase":"running"})");
    EXPECT_EQ(select_fields(kVm, {"spec.labels"}), R"({"spec":{"labels":{"app":"web"}}})");
    EXPECT_EQ(select_fields(kVm, {"spec.labels", "spec.labels.app", "name"}),
              R"({"name":"web-1","spec":{"labels":{"app":"web"}}})");
}

TEST(SelectFields, reaches_through_lists) {
    EXPECT_EQ(select_fields(kVm, {"spec.disks.name"}),
              R"({"spec":{"disks":[{"name":"root"},{"name":"b"}]}})");
}

TEST(SelectFields, leaves_out_what_is_not_there) {
    EXPECT_EQ(select_fields(kVm, {"status.pid", "name.first", "nothing"}), "{}");
    EXPECT_EQ(select_fields("7", {"a"}), "{}");
    EXPECT_EQ(select_fields("{", {"a"}), "{}");
}

TEST(SelectFields, paths_come_with_commas) {
    EXPECT_EQ(*parse_field_paths("name,spec.cpus"),
              (std::vector<std::string>{"name", "spec.cpus"}));
    for (const char* bad : {"", ",", "a,", "a..b", ".a", "a."})
        EXPECT_FALSE(parse_field_paths(bad)) << bad;
    std::string many = "a";
    for (int i = 0; i < 64; ++i) many += ",a";
    EXPECT_FALSE(parse_field_paths(many));
}

TEST(SelectMember, gives_one_value_as_text) {
    EXPECT_EQ(*select_member(kVm, "spec.cpus"), "2");
    EXPECT_EQ(*select_member(kVm, "spec.labels"), R"({"app":"web"})");
    EXPECT_EQ(select_member(kVm, "spec.memory").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace blixard::model
