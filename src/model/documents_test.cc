#include "model/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/requests.h"

namespace blixard::model {
namespace {

using testing::HasSubstr;

Error refusal(std::string_view text) {
    auto parsed = parse_vm_create(text);
    EXPECT_FALSE(parsed) << text;
    return parsed ? Error{} : parsed.error();
}

TEST(Documents, a_vm_is_read_with_every_kind_of_member) {
    const auto parsed =
        parse_vm_create(R"({"name":"web-1","spec":{"image":"debian-13","cpus":2,"memory_mib":512,
        "machine":"q35","disks":[{"name":"root","size_mib":1024},{"name":"data","volume":"v1","read_only":true}],
        "nics":[{"name":"net0","forwards":[{"host_port":8080,"guest_port":80}]}],
        "constraints":{"features":["kvm"],"cost_per_hour_max":0.25},
        "health":{"kind":"http","port":80},"labels":{"app":"web"},"restart":"on-failure","run":"stopped"}})");
    ASSERT_TRUE(parsed) << describe(parsed.error());
    const VmSpec& spec = parsed->spec;
    EXPECT_EQ(parsed->name, "web-1");
    EXPECT_EQ(spec.cpus, 2);
    EXPECT_EQ(spec.machine, Machine::kQ35);
    ASSERT_EQ(spec.disks.size(), 2u);
    EXPECT_EQ(spec.disks[1].volume, "v1");
    EXPECT_TRUE(spec.disks[1].read_only);
    EXPECT_EQ(spec.nics[0].forwards[0].guest_port, 80);
    EXPECT_EQ(spec.constraints.features, std::vector<std::string>{"kvm"});
    EXPECT_EQ(spec.constraints.cost_per_hour_max, 0.25);
    ASSERT_TRUE(spec.health);
    EXPECT_EQ(spec.health->kind, HealthKind::kHttp);
    EXPECT_EQ(spec.labels.at("app"), "web");
    EXPECT_EQ(spec.run, Run::kStopped);
    EXPECT_EQ(spec.priority, 100) << "what is not said keeps its default";
}

TEST(Documents, an_unknown_member_is_refused_with_its_path_and_the_likely_one) {
    const Error error =
        refusal(R"({"name":"a","spec":{"disks":[{"name":"root"},{"name":"b","sise_mib":5}]}})");
    EXPECT_EQ(error.code, ErrorCode::kInvalid);
    EXPECT_EQ(error.field, "spec.disks[1].sise_mib");
    EXPECT_EQ(error.message, R"(there is no member "sise_mib")");
    EXPECT_EQ(error.help, R"(did you mean "size_mib"?)");
}

TEST(Documents, an_unknown_member_like_no_other_gets_the_list_of_known_ones) {
    const Error error = refusal(R"({"name":"a","spec":{"nics":[{"colour":"red"}]}})");
    EXPECT_EQ(error.field, "spec.nics[0].colour");
    EXPECT_EQ(error.help, "known here: name, network, mac, forwards");
}

TEST(Documents, a_wrong_type_says_what_was_found) {
    EXPECT_EQ(refusal(R"({"spec":{"cpus":"four"}})").message,
              R"(must be a whole number, found a string ("four"))");
    EXPECT_EQ(refusal(R"({"spec":{"cpus":2.5}})").message,
              "must be a whole number, found a number (2.5)");
    EXPECT_EQ(refusal(R"({"spec":{"cpus":null}})").message, "must be a whole number, found null");
    EXPECT_EQ(refusal(R"({"spec":{"disks":{}}})").message,
              "must be a list of objects, found an object");
    EXPECT_EQ(refusal(R"({"spec":{"disks":[7]}})").field, "spec.disks[0]");
    EXPECT_EQ(refusal(R"({"spec":{"labels":{"a":1}}})").field, "spec.labels.a");
    EXPECT_EQ(refusal(R"({"spec":{"preemptible":"yes"}})").message,
              R"(must be true or false, found a string ("yes"))");
    EXPECT_EQ(refusal(R"({"spec":{"machine":"i440"}})").message,
              R"(must be one of "auto", "microvm", "q35", found a string ("i440"))");
    EXPECT_EQ(refusal("[]").message, "must be an object, found a list");
}

TEST(Documents, numbers_that_do_not_fit_are_refused) {
    EXPECT_EQ(refusal(R"({"spec":{"cpus":9223372036854775808}})").field, "spec.cpus");
    EXPECT_EQ(refusal(R"({"spec":{"cpus":1e400}})").code, ErrorCode::kInvalid);
    EXPECT_EQ(refusal(R"({"spec":{"cpus":99999999999999999999}})").code, ErrorCode::kInvalid);
}

TEST(Documents, a_member_given_twice_is_refused) {
    EXPECT_EQ(refusal(R"({"spec":{"cpus":1,"cpus":2}})").field, "spec.cpus");
    EXPECT_EQ(refusal(R"({"spec":{"labels":{"a":"1","a":"2"}}})").field, "spec.labels.a");
    EXPECT_EQ(refusal(R"({"spec":{},"name":"a","spec":{}})").field, "spec");
}

TEST(Documents, text_that_is_no_json_is_refused) {
    for (const std::string_view text :
         {"", "   ", "{", R"({"name":"a")", R"({"name":"a)", R"({"name":"a"} x)",
          R"({"name":"a"}{"name":"b"})", R"({"name":'a'})", R"({"name":"a",})", R"({name:"a"})",
          "nul", R"({"name":"\x"})", "\xEF\xBB\xBF", "{\"name\":\"a\nb\"}"})
        EXPECT_EQ(refusal(text).code, ErrorCode::kInvalid) << text;
}

TEST(Documents, nul_and_text_that_is_no_utf_8_are_refused) {
    EXPECT_EQ(refusal(R"({"name":"a\u0000b"})").field, "name");
    EXPECT_EQ(refusal(R"({"spec":{"labels":{"a\u0000":"b"}}})").code, ErrorCode::kInvalid);
    EXPECT_EQ(refusal(std::string_view("{\"name\":\"a\0b\"}", 14)).code, ErrorCode::kInvalid);
    EXPECT_EQ(refusal("{\"name\":\"\xC3\x28\"}").message, "the document is not valid UTF-8");
    EXPECT_EQ(refusal("{\"name\":\"\xED\xA0\x80\"}").code, ErrorCode::kInvalid) << "a surrogate";
}

TEST(Documents, nesting_is_bounded) {
    const auto nested = [](int levels) {
        return R"({"name":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
    };
    EXPECT_EQ(refusal(nested(60)).message, "must be a string, found a list");
    EXPECT_EQ(refusal(nested(200)).message, "the document is nested more than 64 levels deep");
    EXPECT_EQ(refusal(nested(100000)).message, "the document is nested more than 64 levels deep");
}

TEST(Documents, a_document_that_is_too_large_is_refused) {
    const std::string text = R"({"name":")" + std::string(kDocumentBytesMax, 'a') + "\"}";
    EXPECT_EQ(refusal(text).code, ErrorCode::kTooLarge);
}

TEST(Documents, members_of_a_newer_version_survive_reading_and_writing) {
    const std::string_view newer =
        R"({"schema":2,"uid":"u1","spec":{"image":"i","disks":[{"name":"root","cache":{"mode":"none","n":[1,2.5,null]}}],)"
        R"("tpm":true},"owner":"alice"})";
    const auto parsed = parse_vm_record(newer, Mode::kLenient);
    ASSERT_TRUE(parsed) << describe(parsed.error());
    EXPECT_EQ(parsed->spec.image, "i");
    const std::string written = to_json(*parsed);
    EXPECT_THAT(written, HasSubstr(R"("cache":{"mode":"none","n":[1,2.5,null]}})"));
    EXPECT_THAT(written, HasSubstr(R"("tpm":true})"));
    EXPECT_THAT(written, HasSubstr(R"("owner":"alice"})"));
    EXPECT_EQ(*parse_vm_record(written, Mode::kLenient), *parsed);
    EXPECT_FALSE(parse_vm_record(written, Mode::kStrict));
}

TEST(Documents, a_change_may_leave_what_a_newer_version_wrote_and_may_not_invent_it) {
    const std::string_view present =
        R"({"spec":{"image":"i","disks":[{"name":"root","cache":{"mode":"none"}}],"tpm":true}})";
    const auto kept = parse_vm_change(
        R"({"spec":{"image":"i","cpus":4,"disks":[{"name":"root","cache":{"mode":"none"}}],"tpm":true}})",
        present);
    ASSERT_TRUE(kept) << describe(kept.error());
    EXPECT_THAT(to_json(kept->spec), HasSubstr(R"("tpm":true})"));
    EXPECT_TRUE(parse_vm_change(R"({"spec":{"image":"i"}})", present)) << "it may be taken away";
    const auto changed = parse_vm_change(R"({"spec":{"image":"i","tpm":false}})", present);
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().field, "spec.tpm");
    EXPECT_FALSE(parse_vm_change(R"({"tpm":true,"spec":{"image":"i"}})", present))
        << "elsewhere it is another member";
    EXPECT_FALSE(parse_vm_change(R"({"spec":{"image":"i","tpm":true}})"));
}

TEST(Documents, what_is_empty_is_not_written_and_what_is_zero_is) {
    EXPECT_EQ(
        to_json(VmStatus{.uid = "u", .message = "say \"hi\"\n"}),
        R"({"schema":1,"uid":"u","phase":"pending","message":"say \"hi\"\n","epoch":0,"generation":0,)"
        R"("restart_generation":0,"pid":0,"pid_start":0,"restarts":0})");
    EXPECT_EQ(
        to_json(Placement{.uid = "u", .node = "n1", .epoch = 3, .decision = R"({"score":1})"}),
        R"({"schema":1,"uid":"u","node":"n1","epoch":3,"release":false,"decision":{"score":1}})");
    const std::string spec = to_json(VmSpec{});
    EXPECT_THAT(spec, testing::Not(HasSubstr("cloud_init")));
    EXPECT_THAT(spec, HasSubstr(R"("preemptible":false)"));
}

TEST(Documents, what_was_written_can_be_read_whatever_a_guest_said) {
    const VmStatus status{
        .message = std::string("qemu: \xFF\xFE caf\xC3\xA9 \xE2\x82 nul \0 end \x1b[0m", 32)};
    const auto parsed = parse_vm_status(to_json(status), Mode::kStrict);
    ASSERT_TRUE(parsed) << describe(parsed.error());
    EXPECT_EQ(parsed->message,
              "qemu: \xEF\xBF\xBD\xEF\xBF\xBD caf\xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD nul "
              "\xEF\xBF\xBD end \x1b[0m");
}

TEST(Documents, a_decision_that_is_no_object_is_kept_as_text) {
    const Placement placement{.decision = "{\"half\":"};
    EXPECT_EQ(parse_placement(to_json(placement), Mode::kStrict)->decision, "{\"half\":");
}

TEST(Documents, an_id_that_is_longer_than_any_is_refused_with_its_place) {
    const std::string longest(ShortText::kBytesMax, 'a');
    const auto read = [](const std::string& uid) {
        return parse_vm_status("{\"uid\":\"" + uid + "\"}", Mode::kLenient);
    };
    EXPECT_EQ(read(longest)->uid, longest);
    const auto refused = read(longest + "b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, "uid");
    EXPECT_EQ(refused.error().message, "must have at most 39 bytes, found 40");
}

}  // namespace
}  // namespace blixard::model
