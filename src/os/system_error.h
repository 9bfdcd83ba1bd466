// What the kernel refused, as an Error for people.
#pragma once

#include <string>

#include "base/result.h"

namespace blixard::os {

// "open /x: No such file or directory", with the code that fits `number` (an errno value).
Error system_error(const std::string& what, int number);

// The same from errno; call it at once after the failed call.
tl::unexpected<Error> fail_errno(const std::string& what);

}  // namespace blixard::os
