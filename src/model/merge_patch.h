// Documents as text, changed or cut down without being understood. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::model {

// RFC 7396: members of `patch` replace those of `target`, null removes, objects are merged. Both
// are bounded and checked as documents.h says. The result keeps the target's member order; new
// members follow in the patch's order.
Result<std::string> merge_patch(std::string_view target, std::string_view patch);

// The value at a dotted path ("spec.cpus") as JSON text, or an error (kNotFound) where there is
// none.
Result<std::string> select_member(std::string_view document, std::string_view path);

// Only the members named by dotted paths ("name", "spec.cpus"), in the document's order; what is
// not there is left out. A path through a list applies to each of its elements. A document that is
// no JSON object gives "{}".
std::string select_fields(std::string_view document, const std::vector<std::string>& paths);

// "name,phase,spec.cpus" -> paths; refuses empty ones and more than 64.
Result<std::vector<std::string>> parse_field_paths(std::string_view text);

}  // namespace blixard::model
