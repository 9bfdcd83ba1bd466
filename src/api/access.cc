#include "api/access.h"

#include <fmt/format.h>

namespace blixard::api {

Status check_access(const Principal& who, Right needed) {
    if (needed == Right::kAnybody || who.admin) return {};
    return fail(ErrorCode::kDenied,
                fmt::format("\"{}\" is no administrator of this daemon, and only those may do this",
                            who.name.empty() ? "somebody unknown" : who.name),
                "ask as root, or as a member of the group blixard, over the daemon's unix socket");
}

}  // namespace blixard::api
