// One request on its way through an operation, and its query parameters by type. Executor thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/result.h"
#include "store/store.h"

namespace blixard::api {

struct Call {
    Request request;
    std::shared_ptr<Responder> responder;
    std::string_view route;  // "/v1/vms/{name}": a literal
    std::string name;        // what stands for {name}, {id}, ...
    std::string location;    // of what was made: sent along with a 201

    void send(Response response);
    void refuse(const Error& error);
};
using CallPtr = std::shared_ptr<Call>;

// The HTTP status of an error as the API means it: 412 where an If-Match failed, 403 where a quota
// did.
int status_of(const Error& error);
inline constexpr std::string_view kIfMatchField = "If-Match";
inline constexpr std::string_view kQuotaField = "quota";

// Refuses parameters that no operation knows: a mistyped filter must not pass for none.
Status check_query_names(const Request& request);

// "default" where absent. "*" only where `all` is allowed.
Result<std::string> project_of(const Request& request, bool all = false);
Result<bool> flag_of(const Request& request, std::string_view name);
Result<std::int64_t> number_of(const Request& request, std::string_view name, std::int64_t min,
                               std::int64_t max, std::int64_t otherwise);

// The revision that the client has seen; absent: it does not care.
Result<std::optional<store::Revision>> if_match_of(const Request& request);
// Refuses (412) where what people wrote has changed after the revision that the client has seen.
// Changes of status in between do no harm.
Status check_if_match(std::optional<store::Revision> seen, store::Revision written,
                      std::string_view what);

}  // namespace blixard::api
