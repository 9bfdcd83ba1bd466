// What single header values mean. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace blixard::api::http {

enum class Encoding : std::uint8_t { kIdentity, kGzip, kBrotli };

std::string_view encoding_name(Encoding encoding);  // "gzip", "br", "identity"

// What Accept-Encoding likes best of what we speak (RFC 9110 section 12.5.3); between equals gzip,
// which is the faster one here.
Encoding negotiate_encoding(std::string_view accept_encoding);

// Whether a request that came by a loopback port was meant for one. A page of a strange site can
// make a browser on this machine send us requests: its Origin gives it away, and where it has its
// own name point here (DNS rebinding), the Host does.
bool is_loopback_host(std::string_view host);  // "localhost:8080", "127.0.0.1", "[::1]:80"
bool is_same_origin(std::string_view origin,
                    std::string_view host);  // an absent Origin is nobody's page

// A request id that may stand in a log line and in an answer: 1 to 64 of [A-Za-z0-9._-].
bool is_request_id(std::string_view text);

// An RFC 9110 date, "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t unix_seconds);

std::string_view reason_phrase(int status);

}  // namespace blixard::api::http
