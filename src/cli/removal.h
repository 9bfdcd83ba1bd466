// Deleting things by name, one after the other.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace blixard::cli {

// Asks for each of `names` of the API's `collection`, also behind one that is refused. The first
// refusal gives the exit code; the others are told.
Outcome remove_each(Context& context, std::string_view kind, std::string_view collection,
                    const std::vector<std::string>& names, const Query& query);

}  // namespace blixard::cli
