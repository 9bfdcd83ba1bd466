// The reference of the command line (docs/CLI.md).
#pragma once

#include <string>

namespace blixard::cli {

std::string reference_page();

}  // namespace blixard::cli
