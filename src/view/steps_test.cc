#include "view/steps.h"

#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/keys.h"
#include "view/view.h"

namespace blixard::view {
namespace {

store::Change project_made(const std::string& name, store::Revision revision) {
    return {false,
            {.key = model::project_key(name),
             .value = model::to_json(model::Project{.uid = name}),
             .create_revision = revision,
             .mod_revision = revision}};
}

SnapshotPtr state_with(const std::vector<store::Change>& changes, store::Revision revision) {
    NullLog log;
    Snapshot state;
    for (const store::Change& change : changes)
        apply_change(state, change.item, change.deleted, log);
    state.revision = revision;
    return std::make_shared<const Snapshot>(state);
}

std::shared_ptr<const Update> update_of(const store::Change& change, SnapshotPtr after) {
    auto update = std::make_shared<Update>();
    update->changes.push_back(describe_change(change));
    update->snapshot = std::move(after);
    return update;
}

TEST(Steps, a_step_is_taken_by_who_stands_at_its_beginning_and_was_told_the_same) {
    Steps steps;
    const SnapshotPtr from = state_with({}, 99), twin = state_with({}, 99);
    const store::Change change = project_made("web", 100);
    const auto made = update_of(change, state_with({change}, 100));
    steps.add(from, made);
    EXPECT_EQ(steps.find(from, {{change}, 100}), made);
    EXPECT_EQ(steps.find(twin, {{change}, 100}), nullptr);
    EXPECT_EQ(steps.find(from, {{change}, 101}), nullptr);
    EXPECT_EQ(steps.find(from, {{project_made("db", 100)}, 100}), nullptr);
    EXPECT_EQ(steps.find(from, {{}, 100}), nullptr);
}

TEST(Steps, equal_states_become_one_and_a_state_that_lacks_something_stays_alone) {
    Steps steps;
    store::Revision compared_at = 0, never = 0;
    const store::Change web = project_made("web", 90), db = project_made("db", 95);
    const SnapshotPtr first = state_with({web, db}, 100);
    EXPECT_EQ(steps.settle(first, compared_at), first);
    EXPECT_EQ(steps.settle(state_with({db, web}, 100), compared_at), first);
    const SnapshotPtr lacks = state_with({web}, 100),
                      older = state_with({web, project_made("db", 94)}, 100);
    EXPECT_EQ(steps.settle(lacks, never), lacks);
    never = 0;
    EXPECT_EQ(steps.settle(older, never), older);
}

}  // namespace
}  // namespace blixard::view
