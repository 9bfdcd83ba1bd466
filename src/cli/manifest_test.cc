// What apply knows of the daemon's documents, against the model itself.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/apply.h"
#include "model/documents.h"
#include "model/types.h"

namespace blixard::cli {
namespace {

template <class T>
Value document_of(const std::string& kind, const std::string& member, const T& value) {
    return parse_json(fmt::format(R"({{"kind":"{}","name":"a","{}":{}}})", kind, member,
                                  model::to_json(value)))
        .value();
}

TEST(Manifests, a_default_of_the_daemon_is_no_difference) {
    model::VmSpec spec;
    spec.disks.emplace_back();
    spec.nics.emplace_back().forwards.emplace_back();
    spec.health.emplace();
    spec.affinity.emplace_back();
    spec.constraints.devices.emplace_back();
    EXPECT_EQ(to_json(normalised("vm", document_of("vm", "spec", spec))),
              R"({"spec":{"affinity":[{}],"constraints":{"devices":[{}]},"disks":[{}],)"
              R"("nics":[{"forwards":[{}]}]}})");
    EXPECT_EQ(to_json(normalised("node", document_of("node", "spec", model::NodeSpec{}))), "{}");
    EXPECT_EQ(
        to_json(normalised("volume", parse_json(model::to_json(model::VolumeRecord{})).value())),
        "{}");
    EXPECT_EQ(to_json(normalised("project", parse_json(model::to_json(model::Project{})).value())),
              "{}");
}

TEST(NextStart, names_what_a_vm_that_is_up_gets_only_then) {
    const auto vm = [](const char* phase, const char* spec) {
        return parse_json(fmt::format(R"({{"kind":"vm","phase":"{}","spec":{}}})", phase, spec))
            .value();
    };
    const Value before = vm("running", R"({"cpus":1,"memory_mib":96,"priority":1})");
    const char* larger = R"({"cpus":1,"memory_mib":128,"nics":[{"name":"net0"}],"priority":2})";
    EXPECT_EQ(at_next_start(before, vm("running", larger)), "memory_mib, nics");
    EXPECT_EQ(at_next_start(before, vm("stopped", larger)), "");
    EXPECT_EQ(at_next_start(before, vm("running", R"({"memory_mib":96,"priority":9})")), "")
        << "1 CPU is what it has where nothing is said";
}

// What the API serves is the record's members, those it adds, and for VMs and hosts what else is
// known.
template <class T>
void every_member_may_be_applied_again(const std::string& kind, const std::string& also) {
    const bool with_spec = kind == "vm" || kind == "node";
    std::string text = fmt::format("{{\"kind\":\"{}\",\"name\":\"a\",\"revision\":1{}{}", kind,
                                   kind == "node" ? R"(,"spec":{})" : "", also);
    if (kind != "node")
        for (const model::json::Field& field : model::json::type_of<T>().fields)
            text += fmt::format(",\"{}\":{}", field.name, with_spec ? "{}" : "1");
    const auto read = read_manifests({parse_json(text + "}").value()}, "f.json", "default");
    EXPECT_TRUE(read) << kind << ": " << read.error().message;
}

TEST(Manifests, what_the_daemon_says_can_be_applied_again) {
    every_member_may_be_applied_again<model::VmRecord>(
        "vm", R"(,"project":"default","phase":"running","placement":{},"status":{})");
    every_member_may_be_applied_again<model::NodeSpec>(
        "node", R"(,"ready":true,"status":{},"lease":{},"allocated":{})");
    every_member_may_be_applied_again<model::Image>("image", "");
    every_member_may_be_applied_again<model::VolumeRecord>("volume",
                                                           R"(,"project":"default","status":{})");
    every_member_may_be_applied_again<model::Project>("project", "");
}

TEST(Manifests, what_is_no_name_is_refused_before_it_stands_in_a_path) {
    for (const char* name : {"a\\nb", "../a", "A", "a b"}) {
        const auto read = read_manifests(
            {parse_json(fmt::format(R"({{"kind":"project","name":"{}"}})", name)).value()},
            "f.json", "default");
        ASSERT_FALSE(read) << name;
        EXPECT_EQ(read.error().field, "name");
    }
}

}  // namespace
}  // namespace blixard::cli
