#include "recorder/checkpoint.h"

#include "model/keys.h"
#include "recorder/fields.h"
#include "recorder/scrub.h"
#include "view/view.h"

namespace blixard::recorder {
namespace {

using store::Change;

// The state as the changes that make it.
class Collector {
 public:
    explicit Collector(std::vector<Change>& out) : out_(out) {}

    template <class T>
    void add(const std::string& key, const view::PartPtr<T>& part, std::string_view bytes,
             store::LeaseId lease = 0) {
        if (!part) return;
        out_.push_back({false,
                        {.key = key,
                         .value = scrubbed_value(key, std::string(bytes)),
                         .create_revision = part->create_revision,
                         .mod_revision = part->mod_revision,
                         .lease = lease}});
    }
    template <class T>
    void add(const std::string& key, const view::PartPtr<T>& part) {
        if (part) add(key, part, part->bytes);
    }

    // What a newer version has written since then: that nobody here can read it.
    void add_not_understood(const std::string& key) {
        out_.push_back({false, {.key = key, .value = "not understood"}});
    }

    // A lease that has gone: that it was, and that it is no more.
    void add_gone_lease(const std::string& key, store::Revision gone) {
        out_.push_back({false,
                        {.key = key,
                         .value = model::to_json(model::NodeLease{}),
                         .create_revision = gone,
                         .mod_revision = gone}});
        out_.push_back({true, {.key = key, .mod_revision = gone}});
    }

 private:
    std::vector<Change>& out_;
};

std::vector<Change> changes_of(const view::Snapshot& state) {
    std::vector<Change> changes;
    Collector collector(changes);
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        const auto key = [&](std::string_view part) {
            return model::vm_key(vm->project(), vm->name(), part);
        };
        collector.add(key("spec"), vm->record,
                      "{" + std::string(vm->slice(vm->record_bytes)) + "}");
        collector.add(key("placement"), vm->placement, vm->slice(vm->placement_bytes));
        collector.add(key("status"), vm->status, vm->slice(vm->status_bytes));
    });
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        collector.add(model::node_key(node->key, "spec"), node->spec);
        collector.add(model::node_key(node->key, "status"), node->status);
        if (node->lease_gone_revision != 0)
            collector.add_gone_lease(model::node_key(node->key, "lease"),
                                     node->lease_gone_revision);
        collector.add(model::node_key(node->key, "lease"), node->lease);
    });
    state.volumes.for_each([&](const std::shared_ptr<const view::VolumeEntry>& volume) {
        collector.add(model::volume_key(volume->project(), volume->name(), "spec"), volume->record);
        collector.add(model::volume_key(volume->project(), volume->name(), "status"),
                      volume->status);
    });
    state.images.for_each(
        [&](const auto& image) { collector.add(model::image_key(image->key), image->record); });
    state.projects.for_each([&](const auto& project) {
        collector.add(model::project_key(project->key), project->record);
    });
    state.operations.for_each(
        [&](const auto& each) { collector.add(model::operation_key(each->key), each->record); });
    state.unread.for_each([&](const auto& unread) { collector.add_not_understood(unread->key); });
    // Failovers that are past have no part in any decision.
    if (!state.election.key.empty()) changes.push_back({false, state.election});
    return changes;
}

template <class A>
void head(A& a, Checkpoint& c) {
    pack(a, c.build, c.wall, c.mono, c.agent_settings, c.controller_settings, c.counts.calls,
         c.counts.posts, c.counts.timers, c.instances, c.agent, c.controller);
}

}  // namespace

std::string checkpoint_bytes(const Checkpoint& checkpoint) {
    std::string bytes;
    Writer writer(bytes);
    Checkpoint copy = checkpoint;
    head(writer, copy);
    std::vector<Change> changes = changes_of(*checkpoint.state);
    store::Revision revision = checkpoint.state->revision;
    pack(writer, revision, changes);
    return bytes;
}

Result<Checkpoint> read_checkpoint(std::string_view bytes, Log& log) {
    Checkpoint checkpoint;
    Reader reader(bytes);
    head(reader, checkpoint);
    store::Revision revision = 0;
    std::vector<Change> changes;
    pack(reader, revision, changes);
    if (!reader.ok() || !reader.at_end())
        return fail(
            ErrorCode::kInvalid, "a checkpoint in the record does not read as one",
            "it may be of another version of Blixard: replay it with the build that made it");
    auto state = std::make_shared<view::Snapshot>();
    for (const Change& change : changes)
        view::apply_change(*state, change.item, change.deleted, log);
    state->revision = revision;
    checkpoint.state = std::move(state);
    return checkpoint;
}

}  // namespace blixard::recorder
