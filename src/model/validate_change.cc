// What may not change once a thing exists.
#include <algorithm>

#include "model/types.h"
#include "model/validate.h"

namespace blixard::model {
namespace {

using json::Path;

std::string mib(std::int64_t size) { return std::to_string(size) + " MiB"; }

Status check_size(std::int64_t before, std::int64_t now, const Path& path) {
    if (now >= before) return {};
    return fail_field(path.text(),
                      "a disk cannot shrink: it has " + mib(before) + ", asked for " + mib(now),
                      "make a new, smaller disk and copy the files in the guest");
}

Status check_disk(const Disk& before, const Disk& now, const Path& path) {
    RETURN_IF_ERROR(json::check_fixed(json::type_of<Disk>(), &before, &now, path));
    return check_size(before.size_mib, now.size_mib, Path{&path, "size_mib"});
}

Status check_disks(const VmSpec& before, const VmSpec& now, const Path& at) {
    const Path list{&at, "disks"};
    const bool had_root = !before.disks.empty();
    if (had_root && (now.disks.empty() || now.disks.front().name != before.disks.front().name))
        return fail_field(
            Path{&list, {}, 0}.text(),
            "the first disk stays \"" + before.disks.front().name + "\": the guest boots from it",
            "add other disks after it");
    for (std::size_t i = 0; i < now.disks.size(); ++i) {
        const auto old =
            std::find_if(before.disks.begin(), before.disks.end(),
                         [&](const Disk& disk) { return disk.name == now.disks[i].name; });
        if (old != before.disks.end())
            RETURN_IF_ERROR(check_disk(*old, now.disks[i], Path{&list, {}, i}));
    }
    return {};
}

}  // namespace

Status validate_change(const VmSpec& before, const VmSpec& now, std::string_view at) {
    const Path path{nullptr, at};
    RETURN_IF_ERROR(json::check_fixed(json::type_of<VmSpec>(), &before, &now, path));
    return check_disks(before, now, path);
}

Status validate_change(const VolumeRecord& before, const VolumeChange& now) {
    return check_size(before.size_mib, now.size_mib, Path{nullptr, "size_mib"});
}

}  // namespace blixard::model
