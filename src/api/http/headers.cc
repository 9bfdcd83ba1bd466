#include "api/http/headers.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <ctime>

namespace blixard::api::http {
namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// "0.5" -> 500; what is no weight counts as 0, so that nothing is sent that may not be understood.
int weight_of(std::string_view parameters) {
    const std::size_t at = parameters.find("q=");
    if (at == parameters.npos) return 1000;
    const std::string_view value = trim(parameters.substr(at + 2));
    if (value.empty() || (value[0] != '0' && value[0] != '1')) return 0;
    int weight = (value[0] - '0') * 1000;
    int unit = 100;
    for (std::size_t i = 2; i < value.size() && i < 5 && value[1] == '.'; ++i, unit /= 10) {
        if (value[i] < '0' || value[i] > '9') return 0;
        weight += (value[i] - '0') * unit;
    }
    return std::min(weight, 1000);
}

}  // namespace

std::string_view encoding_name(Encoding encoding) {
    switch (encoding) {
        case Encoding::kIdentity: return "identity";
        case Encoding::kGzip: return "gzip";
        case Encoding::kBrotli: return "br";
    }
    return "identity";
}

Encoding negotiate_encoding(std::string_view accept_encoding) {
    int gzip = -1, brotli = -1, any = 0;
    while (!accept_encoding.empty()) {
        const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
        const std::string_view item = accept_encoding.substr(0, end);
        accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
        const std::size_t semicolon = std::min(item.find(';'), item.size());
        const std::string_view name = trim(item.substr(0, semicolon));
        const int weight = weight_of(item.substr(semicolon));
        if (same(name, "gzip") || same(name, "x-gzip")) gzip = weight;
        if (same(name, "br")) brotli = weight;
        if (name == "*") any = weight;
    }
    if (gzip < 0) gzip = any;
    if (brotli < 0) brotli = any;
    if (gzip == 0 && brotli == 0) return Encoding::kIdentity;
    return brotli > gzip ? Encoding::kBrotli : Encoding::kGzip;
}

bool is_loopback_host(std::string_view host) {
    if (host.starts_with("[")) {
        const std::size_t end = host.find(']');
        return end != host.npos && host.substr(1, end - 1) == "::1";
    }
    const std::string_view name = host.substr(0, host.find(':'));
    if (same(name, "localhost") || name.empty()) return true;
    return name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos;
}

bool is_same_origin(std::string_view origin, std::string_view host) {
    if (origin.empty()) return true;
    const std::size_t scheme_end = origin.find("://");
    if (scheme_end == origin.npos) return false;
    return same(origin.substr(scheme_end + 3), host);
}

bool is_request_id(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

std::string http_date(std::int64_t unix_seconds) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t time = unix_seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                       kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                       parts.tm_sec);
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 499: return "Client Closed Request";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return status < 400 ? "OK" : "Error";
    }
}

}  // namespace blixard::api::http
