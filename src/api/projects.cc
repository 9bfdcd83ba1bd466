// Projects: names of their own for VMs and volumes, a default strategy, a quota.
#include <fmt/format.h>

#include "api/deletion.h"
#include "api/operations.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

constexpr Millis kDefaultRetry = seconds(1);

struct NewProject {
    std::string name;
    model::Project record;
};

Result<Draft> decide_create(const view::Snapshot& state, const NewProject& wanted) {
    Draft draft;
    draft.subject = {Kind::kProject, {}, wanted.name};
    draft.uid = wanted.record.uid;
    if (state.projects.find(wanted.name))
        return fail(Error{ErrorCode::kExists,
                          fmt::format("project \"{}\" is there already", wanted.name), "name",
                          "take another name"});
    const std::string key = model::project_key(wanted.name);
    draft.counts_on_absence(key).put_proven(key, model::to_json(wanted.record));
    return draft;
}

Result<const view::ProjectEntry*> find_project(const view::Snapshot& state, const std::string& name,
                                               const std::optional<store::Revision>& seen) {
    const view::ProjectEntry* project = state.projects.find(name);
    const Subject subject{Kind::kProject, {}, name};
    if (!project) return fail(not_found(subject));
    RETURN_IF_ERROR(check_if_match(seen, project->revision, subject.text()));
    return project;
}

Result<Draft> decide_patch(const view::Snapshot& state, const std::string& name,
                           const std::optional<store::Revision>& seen, const std::string& patch) {
    ASSIGN_OR_RETURN(const view::ProjectEntry* project, find_project(state, name, seen));
    const model::Project& before = project->record->value;
    const std::string was = model::to_json(
        model::ProjectChange{before.description, before.strategy, before.quota, before.labels, {}});
    ASSIGN_OR_RETURN(const std::string body, model::merge_patch(was, patch));
    ASSIGN_OR_RETURN(model::ProjectChange change, model::parse_project_change(body, was));
    RETURN_IF_ERROR(model::validate(change));
    model::Project record = before;
    record.description = std::move(change.description);
    record.strategy = std::move(change.strategy);
    record.quota = std::move(change.quota);
    record.labels = std::move(change.labels);
    Draft draft;
    draft.subject = {Kind::kProject, {}, name};
    draft.uid = before.uid;
    if (record == before) return draft;
    const std::string key = model::project_key(name);
    draft.counts_on(key, project->revision).put_proven(key, model::to_json(record));
    return draft;
}

Status check_empty(const view::Snapshot& state, const std::string& name,
                   const std::optional<store::Revision>& seen) {
    RETURN_IF_ERROR(find_project(state, name, seen));
    if (name == model::kDefaultProject)
        return fail(ErrorCode::kConflict, "the project \"default\" is always there",
                    "delete what is in it instead");
    Users users;
    state.vms.scan_prefix(name + "/", [&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (vm->record) users.add("vm " + std::string(vm->name()));
        return true;
    });
    state.volumes.scan_prefix(name + "/",
                              [&](const std::shared_ptr<const view::VolumeEntry>& volume) {
                                  if (volume->record)
                                      users.add("volume " + std::string(volume->name()));
                                  return true;
                              });
    if (!users.empty())
        return fail(ErrorCode::kConflict,
                    fmt::format("project \"{}\" is not empty: it has {}", name, users.text()),
                    "delete those first");
    if (const Users unread = unread_in(state, name, true); !unread.empty())
        return fail(ErrorCode::kConflict,
                    fmt::format("project \"{}\" is not empty: it has {}, written by a newer "
                                "version of Blixard",
                                name, unread.text()),
                    "ask a host of that version, or upgrade this one");
    return {};
}

Result<Draft> decide_delete(const view::Snapshot& state, const std::string& name) {
    const view::ProjectEntry& project = *state.projects.find(name);
    Draft draft;
    draft.subject = {Kind::kProject, {}, name};
    draft.uid = project.record->value.uid;
    draft.proof_key = model::project_key(name);
    draft.counts_on(draft.proof_key, project.revision).erase(draft.proof_key);
    return draft;
}

}  // namespace

void create_project(Core& core, const CallPtr& call) {
    auto request = model::parse_project_create(call->request.body);
    if (!request) return call->refuse(request.error());
    if (const Status valid = model::validate(*request); !valid) return call->refuse(valid.error());
    NewProject wanted;
    wanted.name = std::move(request->name);
    wanted.record.uid = core.new_id();
    wanted.record.created_at = core.now();
    wanted.record.description = std::move(request->description);
    wanted.record.strategy = std::move(request->strategy);
    wanted.record.quota = std::move(request->quota);
    wanted.record.labels = std::move(request->labels);
    write_and_answer(core, call, 201, [wanted = std::move(wanted)](const view::Snapshot& state) {
        return decide_create(state, wanted);
    });
}

void patch_project(Core& core, const CallPtr& call) {
    auto seen = if_match_of(call->request);
    if (!seen) return call->refuse(seen.error());
    write_and_answer(core, call, 200, [call, seen = *seen](const view::Snapshot& state) {
        return decide_patch(state, call->name, seen, call->request.body);
    });
}

void delete_project(Core& core, const CallPtr& call) {
    auto seen = if_match_of(call->request);
    if (!seen) return call->refuse(seen.error());
    const std::string name = call->name;
    delete_unused(
        core, call, {Kind::kProject, {}, name},
        [name, seen = *seen](const view::Snapshot& state) {
            return check_empty(state, name, seen);
        },
        [name](const view::Snapshot& state) { return decide_delete(state, name); });
}

void ensure_default_project(Core& core, std::function<void()> done) {
    NewProject wanted{std::string(model::kDefaultProject), {}};
    wanted.record.uid = core.new_id();
    wanted.record.created_at = core.now();
    core.writes.run([wanted](const view::Snapshot& state) { return decide_create(state, wanted); },
                    {},
                    [&core, done = std::move(done)](Result<Done> written) {
                        if (written || written.error().code == ErrorCode::kExists) return done();
                        core.deps.log.warn("project \"default\" not made yet",
                                           {{"error", describe(written.error())}});
                        core.crossing.after(kDefaultRetry,
                                            [&core, done] { ensure_default_project(core, done); });
                    });
}

}  // namespace blixard::api
