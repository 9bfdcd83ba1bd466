// HTTP/1.1 (RFC 9112) as bytes: requests out, responses in. Pure; a socket feeds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace blixard::cli {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    std::string target;  // path and query, already encoded
    Headers headers;     // besides Host, Content-Length and User-Agent
    std::string body;
};

struct HttpResponse {
    int status = 0;
    Headers headers;
    std::string body;

    // The value of a header, whatever its case; empty where absent.
    std::string_view header(std::string_view name) const;
    bool ok() const { return status >= 200 && status < 300; }
};

// The request's head with the final empty line; the body's length is given apart, for uploads.
std::string request_head(const HttpRequest& request, std::string_view host,
                         std::uint64_t body_size);

// Percent-encodes everything but unreserved characters (RFC 3986).
std::string encode_component(std::string_view text);

// "/v1/vms" and {{"project","p"}} -> "/v1/vms?project=p"
using Query = std::vector<std::pair<std::string, std::string>>;
std::string with_query(std::string path, const Query& query);

// Takes a response apart as its bytes come in. Interim (1xx) responses but 101 are skipped.
class ResponseParser {
 public:
    static constexpr std::size_t kHeadBytesMax = 64 * 1024;

    explicit ResponseParser(bool answers_head_request) : no_body_(answers_head_request) {}

    // Takes some of `bytes` and says how many; stops behind the response. kInternal: this is not
    // HTTP.
    Result<std::size_t> feed(std::string_view bytes);
    // The connection has ended: legal only where the body lasts until then, or is complete.
    Status end();

    bool head_complete() const { return state_ != State::kHead; }
    bool done() const { return state_ == State::kDone; }
    bool keeps_alive() const { return keeps_alive_; }
    HttpResponse& response() {
        return response_;
    }  // its body grows; a streaming reader may take it away

 private:
    enum class State : std::uint8_t {
        kHead,
        kLength,
        kUntilClose,
        kChunkSize,
        kChunk,
        kChunkEnd,
        kTrailer,
        kDone
    };

    Status take_head();
    Status take_line(std::string_view line);
    Status choose_body();

    State state_ = State::kHead;
    bool no_body_;
    bool keeps_alive_ = true;
    std::string line_;        // the head, a chunk's size line or a trailer line, so far
    std::uint64_t left_ = 0;  // of the body or the chunk
    HttpResponse response_;
};

}  // namespace blixard::cli
