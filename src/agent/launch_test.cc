#include "agent/launch.h"

#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/keys.h"
#include "view/test_state.h"

namespace blixard::agent {
namespace {

class Launches : public testing::Test, protected view::TestState {
 protected:
    Launches() {
        for (const char* node : {"h1", "h2"})
            put(model::node_key(node, "status"), model::to_json(model::NodeStatus{.uid = node}));
        put(model::image_key("demo"), model::to_json(model::Image{.uid = "i"}));
        put(model::volume_key("default", "data", "spec"),
            model::to_json(model::VolumeRecord{.uid = "v", .size_mib = 10}));
        model::VmRecord record{.uid = "w"};
        record.spec.image = "demo";
        record.spec.disks = {{.name = "d", .volume = "data"}};
        put(model::vm_key("default", "web", "spec"), model::to_json(record));
        put(model::vm_key("default", "web", "placement"),
            model::to_json(model::Placement{.uid = "w", .node = "h1", .epoch = 1}));
    }
    void file_is_on(const std::string& node) {
        put(model::volume_key("default", "data", "status"),
            model::to_json(model::VolumeStatus{
                .uid = "v", .state = model::VolumeState::kReady, .node = node}));
    }
    Result<hypervisor::Launch> launch() {
        return make_launch(state, *state.vms.find("default/web"), {.data_dir = "/data"}, {});
    }
};

TEST_F(Launches, a_volume_whose_file_is_on_another_host_is_not_made_anew) {
    ASSERT_TRUE(launch()) << "nobody has made it yet";
    file_is_on("h1");
    ASSERT_TRUE(launch());
    file_is_on("h2");
    const auto refused = launch();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "disk \"d\" of vm \"web\": the file of volume \"data\" is on host h2");
}

TEST_F(Launches, a_volume_of_a_host_that_was_removed_is_made_anew) {
    file_is_on("h9");
    EXPECT_TRUE(launch());
}

}  // namespace
}  // namespace blixard::agent
