// The HTTP API's operations as one table, for its OpenAPI page. Private to this room.
#pragma once

#include <span>
#include <string_view>

namespace blixard::model {

struct Parameter {
    std::string_view key;     // its name in this table
    std::string_view name;    // on the wire
    std::string_view in;      // "path", "query", "header"
    std::string_view schema;  // JSON text
    std::string_view doc;
};

struct Endpoint {
    std::string_view method;  // "get"
    std::string_view path;    // "/v1/vms/{name}"
    std::string_view id;      // operationId
    std::string_view tag;
    std::string_view summary;
    std::string_view parameters;  // keys of Parameters, spaces between
    std::string_view request;     // schema; "bytes": any content; empty: none
    int status = 200;
    std::string_view response;  // schema; or a content type such as "text/plain"; empty: no body
};

std::span<const Parameter> api_parameters();
std::span<const Endpoint> api_endpoints();

}  // namespace blixard::model
