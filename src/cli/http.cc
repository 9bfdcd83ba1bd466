#include "cli/http.h"

#include <fmt/format.h>

#include <charconv>

namespace blixard::cli {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

bool contains_word(std::string_view list, std::string_view word) {
    for (std::size_t at = 0; at + word.size() <= list.size(); ++at)
        if (same_name(list.substr(at, word.size()), word)) return true;
    return false;
}

std::string_view trim(std::string_view text) {
    std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

tl::unexpected<Error> not_http(std::string_view what) {
    return fail(ErrorCode::kInternal, fmt::format("the answer is not HTTP: {}", what),
                "does --host or --socket name a blixard daemon?");
}

template <class Number>
bool read_whole(std::string_view text, Number& number, int base) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (same_name(key, name)) return value;
    return {};
}

std::string request_head(const HttpRequest& request, std::string_view host,
                         std::uint64_t body_size) {
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: blixard-cli\r\n",
                                   request.method, request.target, host);
    for (const auto& [name, value] : request.headers)
        head += fmt::format("{}: {}\r\n", name, value);
    if (body_size > 0 || (request.method != "GET" && request.method != "HEAD"))
        head += fmt::format("Content-Length: {}\r\n", body_size);
    return head + "\r\n";
}

std::string encode_component(std::string_view text) {
    std::string out;
    for (unsigned char c : text) {
        bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved)
            out += static_cast<char>(c);
        else
            fmt::format_to(std::back_inserter(out), "%{:02X}", c);
    }
    return out;
}

std::string with_query(std::string path, const Query& query) {
    char separator = path.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, value] : query) {
        path += separator + encode_component(name) + "=" + encode_component(value);
        separator = '&';
    }
    return path;
}

Status ResponseParser::take_head() {
    std::string_view head = line_;
    std::size_t end = head.find("\r\n");
    std::string_view first = head.substr(0, end);
    int status = 0;
    if (!first.starts_with("HTTP/1.") || first.size() < 12 ||
        !read_whole(first.substr(9, 3), status, 10) || status < 100)
        return not_http("no status line");
    response_ = HttpResponse{};
    response_.status = status;
    keeps_alive_ = first[7] != '0';
    for (head.remove_prefix(end + 2); !head.starts_with("\r\n");) {
        end = head.find("\r\n");
        std::string_view line = head.substr(0, end);
        std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0)
            return not_http("a header line without a name");
        response_.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
        head.remove_prefix(end + 2);
    }
    line_.clear();
    return choose_body();
}

Status ResponseParser::choose_body() {
    int status = response_.status;
    if (status < 200 && status != 101) return {};  // interim: the real head follows
    std::string_view connection = response_.header("Connection");
    if (contains_word(connection, "close")) keeps_alive_ = false;
    std::string_view length = response_.header("Content-Length");
    if (no_body_ || status == 101 || status == 204 || status == 304) {
        state_ = State::kDone;
    } else if (contains_word(response_.header("Transfer-Encoding"), "chunked")) {
        state_ = State::kChunkSize;
    } else if (!length.empty()) {
        if (!read_whole(length, left_, 10)) return not_http("a Content-Length that is no number");
        state_ = left_ == 0 ? State::kDone : State::kLength;
    } else {
        state_ = State::kUntilClose;
        keeps_alive_ = false;
    }
    return {};
}

// A complete line of the chunked coding, without its end.
Status ResponseParser::take_line(std::string_view line) {
    switch (state_) {
        case State::kChunkSize: {
            std::string_view size = trim(line.substr(0, line.find(';')));
            if (size.size() > 15 || !read_whole(size, left_, 16))
                return not_http("a chunk without a size");
            state_ = left_ == 0 ? State::kTrailer : State::kChunk;
            return {};
        }
        case State::kChunkEnd:
            if (!line.empty()) return not_http("a chunk longer than its size");
            state_ = State::kChunkSize;
            return {};
        default:
            if (line.empty()) state_ = State::kDone;
            return {};
    }
}

Result<std::size_t> ResponseParser::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && state_ != State::kDone) {
        std::string_view rest = bytes.substr(used);
        if (state_ == State::kUntilClose) {
            response_.body += rest;
            return bytes.size();
        }
        if (state_ == State::kLength || state_ == State::kChunk) {
            std::size_t count =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
            response_.body += rest.substr(0, count);
            used += count;
            left_ -= count;
            if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
            continue;
        }
        std::size_t newline = rest.find('\n');
        std::size_t count = newline == std::string_view::npos ? rest.size() : newline + 1;
        line_ += rest.substr(0, count);
        used += count;
        if (line_.size() > kHeadBytesMax) return not_http("a head of more than 64 KiB");
        if (newline == std::string_view::npos) break;
        if (!line_.ends_with("\r\n")) return not_http("a line that does not end in CR LF");
        if (state_ == State::kHead) {
            if (line_.ends_with("\r\n\r\n"))
                RETURN_IF_ERROR(take_head());
            else if (line_ == "\r\n")
                return not_http("an empty line first");
        } else {
            RETURN_IF_ERROR(take_line(std::string_view(line_).substr(0, line_.size() - 2)));
            line_.clear();
        }
    }
    return used;
}

Status ResponseParser::end() {
    if (state_ == State::kUntilClose) state_ = State::kDone;
    if (state_ == State::kDone) return {};
    return fail(ErrorCode::kUnknownOutcome,
                "the daemon closed the connection before its answer was complete",
                "look whether it still runs; what was asked for may have happened");
}

}  // namespace blixard::cli
