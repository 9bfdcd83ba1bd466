// Request bytes, cut into pieces of any size, through everything that looks at them before a
// service does.
#include <cstdint>

#include "api/http/headers.h"
#include "api/http/request_parser.h"
#include "api/http/target.h"
#include "base/assert.h"

using namespace blixard::api::http;

namespace {

void look_at(const RequestHead& head) {
    negotiate_encoding(head.accept_encoding);
    is_loopback_host(head.host);
    is_same_origin(head.origin, head.host);
    is_request_id(head.request_id);
    const auto target = parse_target(head.target);
    if (!target) return;
    ASSERT(is_utf8(target->path) && target->path.starts_with("/"));
    ASSERT(target->path.find("//") == target->path.npos &&
           target->path.find("/../") == target->path.npos);
    for (const auto& [name, value] : target->query) ASSERT(is_utf8(name) && is_utf8(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] + 1u;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    RequestParser parser;
    bool looked = false;
    std::size_t begin = 0, end = 0;
    while (!parser.done()) {
        const auto taken = parser.feed(input.substr(begin, end - begin));
        if (!taken) {
            ASSERT(taken.error().status >= 400 && taken.error().status < 600 &&
                   !taken.error().message.empty());
            break;
        }
        ASSERT(*taken <= end - begin);
        begin += *taken;
        if (parser.head_done() && !looked) {
            looked = true;
            look_at(parser.head());
            continue;
        }
        if (parser.done() || end == input.size()) break;
        end = std::min(end + piece, input.size());
    }
    ASSERT(parser.take_body().size() <= size);
    return 0;
}
