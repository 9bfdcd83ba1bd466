// Requests that may be sent twice: what a key was used for, kept for a day. The record is written
// in the same transaction as what was asked for, so there is one exactly if it happened. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/exchange.h"
#include "api/subject.h"
#include "base/result.h"
#include "base/time.h"

namespace blixard::api {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;
inline constexpr Millis kIdempotencyKept = seconds(24 * 3600);

// What makes a request the same request.
struct Idempotency {
    std::string store_key;  // empty: the client sent no key
    std::string digest;     // of method, path, query and body

    explicit operator bool() const { return !store_key.empty(); }
};

// kInvalid: a key that is too long or not printable. POST only; elsewhere a key means nothing.
Result<Idempotency> idempotency_of(const Request& request);

// What was done under a key: enough to give the same answer again.
struct IdempotencyRecord {
    std::string digest;
    Subject subject;
    std::string uid;
};
std::string to_json(const IdempotencyRecord& record);
Result<IdempotencyRecord> parse_idempotency(std::string_view json);

}  // namespace blixard::api
