// A scheduler's decision in words. The document is the one that scheduler/decision.h describes.
#pragma once

#include <string>

#include "cli/screen.h"
#include "cli/value.h"

namespace blixard::cli {

std::string decision_text(const Value& decision, const Colours& colours);

}  // namespace blixard::cli
