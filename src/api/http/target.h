// The request target ("/v1/vms?project=p%20q") as a path and its parameters. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace blixard::api::http {

struct Target {
    std::string path;  // begins with "/"; no NUL or other control character, no empty, "." or ".."
                       // segment; UTF-8
    std::vector<std::pair<std::string, std::string>>
        query;  // in order, repeated names kept; UTF-8, no NUL
};

// No request of ours has more; a thousand would only cost us time.
constexpr std::size_t kQueryParametersMax = 64;

// RFC 9112 section 3.2: origin form, or absolute form (whose host is not looked at). Refuses what
// has no business in a path of ours, the encoded slash too: it would move a request to another
// route. "+" in the query is a space.
Result<Target> parse_target(std::string_view target);

// No NUL, overlong form, surrogate or stray byte (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace blixard::api::http
