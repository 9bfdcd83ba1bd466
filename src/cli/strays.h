// Disk files of a host that no record of a volume names: told, never deleted.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/value.h"

namespace blixard::cli {

// "2 files, 4.2G, that no volume's record names; see: blixard node strays h1". Empty: there are
// none, or nobody can say (the host is away, or its daemon is older).
std::string strays_line(Context& context, const std::string& node);

Outcome list_strays(Context& context, const Args& args);

}  // namespace blixard::cli
