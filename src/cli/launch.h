// The spec of a VM out of the options of `launch` and `plan launch`.
#pragma once

#include "cli/context.h"
#include "cli/value.h"

namespace blixard::cli {

std::vector<Option> spec_options();

// What was given and nothing else: what is left out gets the daemon's defaults.
tl::expected<Value, Failure> spec_from(const Args& args);

// "data:20G", "10G" -> a disk; the first without a name is "root".
Result<Value> disk_from(std::string_view text, std::size_t index);
// "serial:TEXT", "tcp:PORT", "http:PORT/PATH", "process"
Result<Value> health_from(std::string_view text);

}  // namespace blixard::cli
