// Who may do what: the one place that says so.
#pragma once

#include "api/exchange.h"
#include "base/result.h"

namespace blixard::api {

enum class Right : std::uint8_t {
    kAnybody,  // that the daemon lives, its version, its API page
    kAdmin,
};

// kDenied with what would help. Any thread.
Status check_access(const Principal& who, Right needed);

}  // namespace blixard::api
