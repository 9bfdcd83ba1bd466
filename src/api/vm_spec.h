// What the API adds to a spec, checks about it against the state, and writes along with it: disks
// and their volumes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/draft.h"
#include "base/result.h"
#include "model/vm.h"
#include "view/snapshot.h"

namespace blixard::api {

// A VM and its spec as they shall be.
struct VmPlan {
    std::string project;
    std::string name;
    model::VmSpec spec;
    std::string created_at;  // of what is made now
};

// Fills in what people leave out: a root disk where the image has one, sizes of disks, a network
// interface. `before`: null for a new VM.
Status complete_spec(const view::Snapshot& state, model::VmSpec& spec, const model::VmSpec* before);

// Image, project and named volumes exist and may be used; the draft counts on that.
Status check_references(const view::Snapshot& state, const VmPlan& vm, Draft& draft);

// For a VM that is going to run: no other VM that is not stopped uses its volumes, unless all only
// read, and the draft counts on that; and where it has its place, their files are there, if
// anywhere.
Status claim_volumes(const view::Snapshot& state, const VmPlan& vm, Draft& draft);

// The volume records of its own disks: new ones, grown ones, and those whose disk is gone. What
// grows or leaves, a machine of it must not have open. `before`: null for a new VM.
Status write_volumes(const view::Snapshot& state, const VmPlan& vm, const model::VmSpec* before,
                     const std::function<std::string()>& new_id, Draft& draft);

// Counts on the project being there and not being deleted.
Status check_project(const view::Snapshot& state, const std::string& project, Draft& draft);
// Counts on the image likewise. `field`: where the request names it.
Result<const model::Image*> check_image(const view::Snapshot& state, const std::string& image,
                                        std::string_view field, Draft& draft);

// Of a new disk or volume: some host has said that it has the pool, be it up now or not.
Status check_pool(const view::Snapshot& state, const std::string& pool, std::string_view field);

// A key that is there while somebody deletes the thing: see deletion.h.
std::string deletion_key(Kind kind, std::string_view name);

// Deletes a volume's records; or marks it, where a host has its file and deletes that first.
void remove_volume(const view::VolumeEntry& volume, const std::string& now, Draft& draft);

}  // namespace blixard::api
