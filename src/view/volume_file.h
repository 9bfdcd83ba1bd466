// Where the file of a local volume is, with all that was written to it.
#pragma once

#include <string_view>

#include "view/snapshot.h"

namespace blixard::view {

// The host's name; empty: no file has been made yet, or it is on storage that all share.
inline std::string_view host_of_file(const VolumeEntry& volume) {
    if (!volume.record || !volume.status || !volume.record->value.pool.empty()) return {};
    const model::VolumeStatus& status = volume.status->value;
    return status.uid == volume.record->value.uid ? std::string_view(status.node)
                                                  : std::string_view{};
}

}  // namespace blixard::view
