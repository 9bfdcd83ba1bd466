#include "model/keys.h"

#include <gtest/gtest.h>

namespace blixard::model {
namespace {

TEST(Keys, are_taken_apart_as_they_were_put_together) {
    const auto vm = vm_key("default", "web-1", "placement");
    EXPECT_EQ(vm, "vms/default/web-1/placement");
    const ParsedKey parsed = parse_key(vm);
    EXPECT_EQ(parsed.kind, RecordKind::kVmPlacement);
    EXPECT_EQ(parsed.project, "default");
    EXPECT_EQ(parsed.name, "web-1");
    EXPECT_EQ(parse_key(node_key("n1", "lease")).kind, RecordKind::kNodeLease);
    EXPECT_EQ(parse_key(volume_key("p", "v", "status")).kind, RecordKind::kVolumeStatus);
    EXPECT_EQ(parse_key(image_key("i")).kind, RecordKind::kImage);
    EXPECT_EQ(parse_key(project_key("p")).kind, RecordKind::kProject);
    EXPECT_EQ(parse_key(operation_key("o")).kind, RecordKind::kOperation);
    EXPECT_EQ(parse_key(failover_key("f")).kind, RecordKind::kFailover);
    EXPECT_EQ(parse_key(kElectionKey).kind, RecordKind::kElection);
}

TEST(Keys, that_are_none_of_ours_are_other) {
    for (const char* key :
         {"", "/", "vms", "vms/", "vms/p/n", "vms/p/n/", "vms/p/n/spec/x", "vms/p/n/m/spec",
          "images/", "images/a/b", "nodes/n/placement", "volumes/p/v/placement", "cluster/x"})
        EXPECT_EQ(parse_key(key).kind, RecordKind::kOther) << key;
}

}  // namespace
}  // namespace blixard::model
