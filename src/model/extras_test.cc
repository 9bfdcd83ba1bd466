#include "model/extras.h"

#include <gtest/gtest.h>

#include "model/documents.h"

namespace blixard::model {
namespace {

// As a daemon of the next version wrote it.
VmSpec from_the_next_version() {
    return *parse_vm_spec(
        R"({"image":"demo","tpm":true,"constraints":{"quiet":1},)"
        R"("disks":[{"name":"root","tier":"fast"},{"name":"data","tier":"slow"}]})",
        Mode::kLenient);
}

TEST(Extras, without_them_a_document_is_one_of_this_version) {
    const std::string text = to_json(without_extras(from_the_next_version()));
    EXPECT_TRUE(parse_vm_spec(text, Mode::kStrict));
    EXPECT_EQ(text.find("tpm"), std::string::npos);
    EXPECT_EQ(text.find("tier"), std::string::npos);
}

TEST(Extras, they_are_put_back_where_they_were) {
    const VmSpec before = from_the_next_version();
    VmSpec now = without_extras(before);
    keep_extras(before, now);
    EXPECT_EQ(now, before);
}

TEST(Extras, they_follow_the_name_of_their_item_and_go_with_it) {
    const VmSpec before = from_the_next_version();
    VmSpec now = without_extras(before);
    now.disks.erase(now.disks.begin());
    now.disks.push_back({.name = "more"});
    keep_extras(before, now);
    EXPECT_EQ(now.disks[0].extras, before.disks[1].extras);
    EXPECT_TRUE(now.disks[1].extras.members.empty());
}

}  // namespace
}  // namespace blixard::model
