// Images: made of uploaded files, deleted when nothing uses them.
#include <fmt/format.h>

#include "api/deletion.h"
#include "api/operations.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

// An image on its way: its files are looked at one after the other.
struct NewImage {
    CallPtr call;
    std::string name;
    model::Image image;
    std::vector<model::ImageFileRef> files;
};
using NewImagePtr = std::shared_ptr<NewImage>;

Result<Draft> decide_create(const view::Snapshot& state, const NewImage& wanted) {
    Draft draft;
    draft.subject = {Kind::kImage, {}, wanted.name};
    draft.uid = wanted.image.uid;
    if (state.images.find(wanted.name))
        return fail(Error{ErrorCode::kExists,
                          fmt::format("image \"{}\" is there already", wanted.name), "name",
                          "take another name, or delete it first"});
    const std::string key = model::image_key(wanted.name);
    draft.counts_on_absence(key)
        .counts_on_absence("deleting/images/" + wanted.name)
        .put_proven(key, model::to_json(wanted.image));
    return draft;
}

Error file_refused(const Error& error, std::size_t index) {
    Error refused = error;
    refused.field = fmt::format("files[{}].sha256", index);
    if (error.code != ErrorCode::kNotFound) return refused;
    refused.code = ErrorCode::kInvalid;
    refused.help = "upload it first: POST /v1/blobs";
    return refused;
}

// The last may have been hours on its way from another host: the first, which no image names yet,
// is asked for again, and so is not taken for spare before the record is written.
void ask_once_more(Core& core, const NewImagePtr& wanted, std::size_t index) {
    if (index + 1 >= wanted->files.size())
        return write_and_answer(core, wanted->call, 201, [wanted](const view::Snapshot& state) {
            return decide_create(state, *wanted);
        });
    core.deps.blobs->find(wanted->files[index].sha256,
                          [&core, wanted, index](const Result<Blob>& seen) {
                              if (!seen)
                                  return wanted->call->refuse(file_refused(seen.error(), index));
                              ask_once_more(core, wanted, index + 1);
                          });
}

void look_at_files(Core& core, const NewImagePtr& wanted) {
    const std::size_t index = wanted->image.files.size();
    if (index == wanted->files.size()) return ask_once_more(core, wanted, 0);
    const model::ImageFileRef& file = wanted->files[index];
    core.deps.blobs->inspect(file.sha256, file.role,
                             [&core, wanted, index](Result<model::ImageFile> seen) {
                                 if (!seen)
                                     return wanted->call->refuse(file_refused(seen.error(), index));
                                 wanted->image.files.push_back(std::move(*seen));
                                 look_at_files(core, wanted);
                             });
}

Status check_unused(const view::Snapshot& state, const std::string& name,
                    const std::optional<store::Revision>& seen) {
    const view::ImageEntry* image = state.images.find(name);
    const Subject subject{Kind::kImage, {}, name};
    if (!image) return fail(not_found(subject));
    RETURN_IF_ERROR(check_if_match(seen, image->revision, subject.text()));
    Users users;
    state.for_each_vm_using(view::image_use(name),
                            [&](const view::VmEntry& vm) { users.add("vm " + vm.key); });
    state.volumes.for_each([&](const std::shared_ptr<const view::VolumeEntry>& volume) {
        if (volume->record && volume->record->value.image == name &&
            volume->record->value.vm.empty())
            users.add("volume " + volume->key);
    });
    if (mutant(MutantId::kImageUseIgnored)) return {};
    if (users.empty()) return check_uses_are_known(state, subject);
    return fail(ErrorCode::kConflict, fmt::format("image \"{}\" is used by {}", name, users.text()),
                "delete those first");
}

Result<Draft> decide_delete(const view::Snapshot& state, const std::string& name) {
    const view::ImageEntry& image = *state.images.find(name);
    Draft draft;
    draft.subject = {Kind::kImage, {}, name};
    draft.uid = image.record->value.uid;
    draft.proof_key = model::image_key(name);
    draft.counts_on(draft.proof_key, image.revision).erase(draft.proof_key);
    return draft;
}

}  // namespace

void create_image(Core& core, const CallPtr& call) {
    if (!core.deps.blobs)
        return refuse_unsupported(*call, "images", "ask a daemon that keeps files");
    auto request = model::parse_image_create(call->request.body);
    if (!request) return call->refuse(request.error());
    if (const Status valid = model::validate(*request); !valid) return call->refuse(valid.error());
    auto wanted = std::make_shared<NewImage>();
    wanted->call = call;
    wanted->name = std::move(request->name);
    wanted->image.uid = core.new_id();
    wanted->image.created_at = core.now();
    wanted->image.description = std::move(request->description);
    wanted->image.command_line = std::move(request->command_line);
    wanted->image.labels = std::move(request->labels);
    wanted->files = std::move(request->files);
    look_at_files(core, wanted);
}

void delete_image(Core& core, const CallPtr& call) {
    auto seen = if_match_of(call->request);
    if (!seen) return call->refuse(seen.error());
    const std::string name = call->name;
    delete_unused(
        core, call, {Kind::kImage, {}, name},
        [name, seen = *seen](const view::Snapshot& state) {
            return check_unused(state, name, seen);
        },
        [name](const view::Snapshot& state) { return decide_delete(state, name); });
}

}  // namespace blixard::api
