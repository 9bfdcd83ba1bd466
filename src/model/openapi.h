// The OpenAPI 3.1 page of the HTTP API, its schemas made from the same tables as parsing and
// writing.
#pragma once

#include <string>
#include <string_view>

namespace blixard::model {

// JSON text. `version` is the daemon's.
std::string openapi_document(std::string_view version);

}  // namespace blixard::model
