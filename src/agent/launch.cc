#include "agent/launch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mutant.h"
#include "model/keys.h"
#include "view/volume_file.h"

namespace blixard::agent {

Result<std::string> volume_path(const Storage& storage, const model::VolumeRecord& volume) {
    const std::string_view suffix = volume.format == model::DiskFormat::kQcow2 ? "qcow2" : "raw";
    if (volume.pool.empty())
        return fmt::format("{}/volumes/{}.{}", storage.data_dir, volume.uid, suffix);
    const auto pool = storage.pools.find(volume.pool);
    if (pool == storage.pools.end())
        return fail(ErrorCode::kNotFound,
                    fmt::format("storage pool \"{}\" is not set up on this host", volume.pool),
                    "name it under [pools] in this host's configuration, or place the VM on a host "
                    "that has it");
    if (pool->second.starts_with("rbd:")) {
        // "rbd:POOL:id=USER:conf=FILE": the image's name comes before the options.
        const std::size_t options = std::min(pool->second.find(':', 4), pool->second.size());
        return fmt::format("{}/{}{}", pool->second.substr(0, options), volume.uid,
                           pool->second.substr(options));
    }
    return fmt::format("{}/{}.{}", pool->second, volume.uid, suffix);
}

ImageFiles image_files(const model::Image& image) {
    ImageFiles files;
    for (const model::ImageFile& file : image.files) {
        switch (file.role) {
            case model::FileRole::kDisk: files.disk = &file; break;
            case model::FileRole::kKernel: files.kernel = &file; break;
            case model::FileRole::kInitrd: files.initrd = &file; break;
        }
    }
    return files;
}

std::vector<std::string> needed_blobs(const model::Image& image) {
    std::vector<std::string> blobs;
    for (const model::ImageFile& file : image.files) blobs.push_back(file.sha256);
    return blobs;
}

namespace {

// Disks there are raw, whatever their format says: Ceph has itself what qcow2 is for.
bool is_in_ceph(const Storage& storage, const model::VolumeRecord& volume) {
    const auto pool = storage.pools.find(volume.pool);
    return pool != storage.pools.end() && pool->second.starts_with("rbd:");
}

Result<hypervisor::DiskFile> make_disk(const view::Snapshot& state, const view::VmEntry& vm,
                                       const Storage& storage, const model::Disk& disk,
                                       const std::map<std::string, std::string>& blob_path) {
    const std::string name = model::volume_name(vm.name(), disk);
    const view::VolumeEntry* volume = state.volumes.find(fmt::format("{}/{}", vm.project(), name));
    if (!volume || !volume->record)
        return fail(ErrorCode::kNotFound,
                    fmt::format("disk \"{}\" of vm \"{}\": volume \"{}\" does not exist", disk.name,
                                vm.name(), name),
                    fmt::format("create it with: blixard volume create {}", name));
    const model::VolumeRecord& record = volume->record->value;
    // All that was written to it is there: a file that is made here would be empty.
    const std::string_view there = view::host_of_file(*volume);
    if (!there.empty() && there != vm.node() && state.nodes.find(there))
        return fail(ErrorCode::kConflict,
                    fmt::format("disk \"{}\" of vm \"{}\": the file of volume \"{}\" is on host {}",
                                disk.name, vm.name(), name, there),
                    "it is placed anew, where its volumes are");
    hypervisor::DiskFile file;
    file.name = disk.name;
    file.format = is_in_ceph(storage, record) ? model::DiskFormat::kRaw : record.format;
    file.size_mib = record.size_mib;
    file.read_only = disk.read_only;
    file.shared = !record.pool.empty();
    file.volume_epoch = static_cast<std::uint64_t>(record.epoch);
    ASSIGN_OR_RETURN(file.path, volume_path(storage, record));
    if (record.image.empty()) return file;
    const view::ImageEntry* image = state.images.find(record.image);
    if (!image)
        return fail(ErrorCode::kNotFound,
                    fmt::format("disk \"{}\" of vm \"{}\": image \"{}\" is not on this cluster",
                                disk.name, vm.name(), record.image),
                    fmt::format("import it with: blixard image import FILE {}", record.image));
    const ImageFiles files = image_files(image->record->value);
    if (!files.disk) return file;
    const auto blob = blob_path.find(files.disk->sha256);
    if (blob == blob_path.end())
        return fail(
            ErrorCode::kUnavailable,
            fmt::format(
                "disk \"{}\" of vm \"{}\": the file of image \"{}\" is not on this host yet",
                disk.name, vm.name(), record.image));
    file.backing_path = blob->second;
    file.backing_format = files.disk->format;
    return file;
}

}  // namespace

Result<hypervisor::Launch> make_launch(const view::Snapshot& state, const view::VmEntry& vm,
                                       const Storage& storage,
                                       const std::map<std::string, std::string>& blob_path) {
    const model::VmRecord& record = vm.record->value;
    const view::ImageEntry* image = state.images.find(record.spec.image);
    if (!image)
        return fail(ErrorCode::kNotFound,
                    fmt::format("image \"{}\" of vm \"{}\" is not on this cluster",
                                record.spec.image, vm.name()),
                    fmt::format("import it with: blixard image import FILE {}", record.spec.image));
    hypervisor::Launch launch;
    launch.id = {.vm = vm.key,
                 .uid = record.uid.str(),
                 .epoch = static_cast<std::uint64_t>(vm.placement->value.epoch)};
    launch.spec = record.spec;
    launch.generation = record.generation;
    launch.restart_generation = record.restart_generation;
    launch.fenced = record.spec.ha != model::Ha::kNone && !mutant(MutantId::kUnfenced);
    const ImageFiles files = image_files(image->record->value);
    const auto path_of = [&](const model::ImageFile* file) -> std::string {
        const auto blob = file ? blob_path.find(file->sha256) : blob_path.end();
        return blob == blob_path.end() ? std::string{} : blob->second;
    };
    launch.kernel = path_of(files.kernel);
    launch.initrd = path_of(files.initrd);
    // The hypervisor appends the spec's own.
    if (files.kernel) launch.command_line = image->record->value.command_line;
    for (const model::Disk& disk : record.spec.disks) {
        ASSIGN_OR_RETURN(hypervisor::DiskFile file, make_disk(state, vm, storage, disk, blob_path));
        launch.disks.push_back(std::move(file));
    }
    return launch;
}

}  // namespace blixard::agent
