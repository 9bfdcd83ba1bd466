// From a VM's records to what the hypervisor has to do: which files, which disks, where. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hypervisor/hypervisor.h"
#include "view/snapshot.h"

namespace blixard::agent {

// Where this host keeps things.
struct Storage {
    std::string data_dir;  // absolute; local volumes live in <data_dir>/volumes
    std::map<std::string, std::string>
        pools;  // shared storage: pool name -> directory, or "rbd:POOL[:id=USER][:conf=FILE]"
};

// The file of a volume record, by its uid: a volume of the same name made anew is another file. Not
// found: an unknown pool.
Result<std::string> volume_path(const Storage& storage, const model::VolumeRecord& volume);

struct ImageFiles {
    const model::ImageFile* disk = nullptr;
    const model::ImageFile* kernel = nullptr;
    const model::ImageFile* initrd = nullptr;
};
ImageFiles image_files(const model::Image& image);

// sha256 of the image files that the VM needs on this host before it can start.
std::vector<std::string> needed_blobs(const model::Image& image);

// `blob_path`: the local file of a sha256, known to be there. Errors name what is missing and what
// helps.
Result<hypervisor::Launch> make_launch(const view::Snapshot& state, const view::VmEntry& vm,
                                       const Storage& storage,
                                       const std::map<std::string, std::string>& blob_path);

}  // namespace blixard::agent
