#include "api/http/request_parser.h"

#include <fmt/format.h>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "api/http/target.h"

namespace blixard::api::http {
namespace {

namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string* member_of(RequestHead& head, wire::field field, std::string_view name) {
    switch (field) {
        case wire::field::host: return &head.host;
        case wire::field::origin: return &head.origin;
        case wire::field::accept: return &head.accept;
        case wire::field::accept_encoding: return &head.accept_encoding;
        case wire::field::authorization: return &head.authorization;
        case wire::field::content_type: return &head.content_type;
        case wire::field::if_match: return &head.if_match;
        case wire::field::if_none_match: return &head.if_none_match;
        case wire::field::range: return &head.range;
        case wire::field::sec_websocket_key: return &head.websocket_key;
        case wire::field::sec_websocket_version: return &head.websocket_version;
        case wire::field::unknown: break;
        default: return nullptr;
    }
    if (beast::iequals(name, "idempotency-key")) return &head.idempotency_key;
    if (beast::iequals(name, "last-event-id")) return &head.last_event_id;
    if (beast::iequals(name, "x-request-id")) return &head.request_id;
    return nullptr;
}

// Lists may be spread over several lines (RFC 9110 section 5.3); anything else twice is an attempt
// to be understood twofold.
bool is_list(wire::field field) {
    return field == wire::field::accept || field == wire::field::accept_encoding ||
           field == wire::field::if_match || field == wire::field::if_none_match;
}

class Parser final : public wire::basic_parser<true> {
 public:
    Parser() {
        header_limit(kHeadBytesMax);
        body_limit(boost::none);  // the connection's business: a document and an upload differ
    }

    RequestHead head;
    std::string body;
    Refusal refusal;  // why we stopped the parser; status 0: its own error
    bool has_transfer_encoding = false;

 private:
    void refuse(error_code& error, int status, std::string message) {
        refusal = {status, std::move(message), {}};
        error = make_error_code(wire::error::bad_value);
    }

    void on_request_impl(wire::verb, beast::string_view method, beast::string_view target,
                         int version, error_code&) override {
        head.method = view(method);
        head.target = view(target);
        head.version = version;
    }

    void on_response_impl(int, beast::string_view, int, error_code&) override {}

    void on_field_impl(wire::field field, beast::string_view name, beast::string_view value,
                       error_code& error) override {
        if (field == wire::field::transfer_encoding) has_transfer_encoding = true;
        if (field == wire::field::upgrade && beast::iequals(value, "websocket"))
            head.asks_websocket = true;
        if (field == wire::field::expect) return on_expect(view(value), error);
        std::string* const member = member_of(head, field, view(name));
        if (!member) return;
        if (!is_utf8(view(value)))
            return refuse(error, 400, fmt::format("the header {} is not UTF-8 text", view(name)));
        if (member->empty()) {
            *member = view(value);
        } else if (is_list(field)) {
            *member += ", ";
            *member += view(value);
        } else {
            refuse(error, 400,
                   fmt::format("the header {} stands twice in the request", view(name)));
        }
    }

    void on_expect(std::string_view value, error_code& error) {
        if (!beast::iequals(value, "100-continue"))
            return refuse(error, 417, fmt::format("Expect: {} is not supported", value));
        head.expects_continue = true;
    }

    void on_header_impl(error_code& error) override {
        if (head.version == 11 && head.host.empty())
            return refuse(error, 400, "the request has no Host header (RFC 9112 section 3.2)");
        if (has_transfer_encoding && (!chunked() || head.version == 10))
            return refuse(error, 501, "only Transfer-Encoding: chunked is understood");
        head.keep_alive = keep_alive();
        if (const auto length = content_length()) head.content_length = *length;
        head.has_body = chunked() || head.content_length.value_or(0) > 0;
        head.asks_websocket = head.asks_websocket && upgrade() && !head.websocket_key.empty();
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

    std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
        body.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_finish_impl(error_code&) override {}
};

Refusal refusal_of(const Parser& parser, const error_code& error) {
    if (parser.refusal.status != 0) return parser.refusal;
    if (error == wire::error::header_limit)
        return {431, "the request's headers are larger than 16 KiB",
                "send fewer or shorter headers"};
    if (error == wire::error::bad_version)
        return {505, "the HTTP version of the request is not 1.0 or 1.1", "speak HTTP/1.1"};
    return {400, "the request is not HTTP/1.1: " + error.message(), {}};
}

}  // namespace

class RequestParser::Impl {
 public:
    std::optional<Parser> parser;
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) { reset(); }
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
    impl_->parser.emplace();
    impl_->parser->refusal.status = 0;
}

tl::expected<std::size_t, Refusal> RequestParser::feed(std::string_view input) {
    Parser& parser = *impl_->parser;
    const bool had_head = parser.is_header_done();
    if (had_head) parser.eager(true);
    error_code error;
    std::size_t taken = 0;
    try {
        taken = parser.put(boost::asio::const_buffer(input.data(), input.size()), error);
    } catch (const std::exception& failure) {
        return tl::unexpected(
            Refusal{400, std::string("the request is not HTTP/1.1: ") + failure.what(), {}});
    }
    if (error && error != wire::error::need_more) return tl::unexpected(refusal_of(parser, error));
    return taken;
}

bool RequestParser::head_done() const { return impl_->parser->is_header_done(); }
bool RequestParser::done() const { return impl_->parser->is_done(); }
RequestHead& RequestParser::head() { return impl_->parser->head; }
std::size_t RequestParser::body_buffered() const { return impl_->parser->body.size(); }
std::string RequestParser::take_body() { return std::exchange(impl_->parser->body, {}); }

}  // namespace blixard::api::http
