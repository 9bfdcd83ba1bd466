#include "cluster/join_token.h"

#include <charconv>

#include "cluster/base64.h"
#include "cluster/certificate.h"

namespace blixard::cluster {
namespace {

constexpr std::string_view kPrefix = "blixard1.";
constexpr std::size_t kChecksumDigits = 8;
constexpr std::string_view kHelp = "make a new one on a member: blixard cluster token";

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto at = text.find(by);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string join(const std::vector<std::string>& parts, char by) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : std::string(1, by)) + part;
    return text;
}

Result<JoinToken> parse_fields(std::string_view body) {
    const auto fields = split(body, '\n');
    if (fields.size() != 6)
        return fail(ErrorCode::kInvalid, "the token lacks a part", std::string(kHelp));
    JoinToken token;
    token.cluster_id = fields[0];
    token.authority_fingerprint = fields[1];
    for (const auto endpoint : split(fields[2], ',')) token.endpoints.emplace_back(endpoint);
    token.id = fields[3];
    token.secret = fields[4];
    const auto [end, error] =
        std::from_chars(fields[5].data(), fields[5].data() + fields[5].size(), token.expires_at.ms);
    if (error != std::errc() || end != fields[5].data() + fields[5].size() ||
        token.endpoints.size() > kTokenEndpointsMax)
        return fail(ErrorCode::kInvalid, "the token is damaged", std::string(kHelp));
    return token;
}

}  // namespace

JoinToken make_join_token(std::string cluster_id, std::string authority_fingerprint,
                          std::vector<std::string> endpoints, WallTime expires_at, Random& random) {
    if (endpoints.size() > kTokenEndpointsMax) endpoints.resize(kTokenEndpointsMax);
    return {std::move(cluster_id),         std::move(authority_fingerprint),  std::move(endpoints),
            make_id(random).substr(0, 16), make_id(random) + make_id(random), expires_at};
}

std::string write_join_token(const JoinToken& token) {
    const std::string body = token.cluster_id + "\n" + token.authority_fingerprint + "\n" +
                             join(token.endpoints, ',') + "\n" + token.id + "\n" + token.secret +
                             "\n" + std::to_string(token.expires_at.ms);
    return std::string(kPrefix) + encode_base64(body + sha256_hex(body).substr(0, kChecksumDigits));
}

Result<JoinToken> parse_join_token(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r'))
        text.remove_suffix(1);
    if (!text.starts_with(kPrefix))
        return fail(ErrorCode::kInvalid,
                    "this is no join token: one starts with \"" + std::string(kPrefix) + "\"",
                    std::string(kHelp));
    const auto bytes = decode_base64(text.substr(kPrefix.size()));
    if (!bytes || bytes->size() < kChecksumDigits)
        return fail(ErrorCode::kInvalid, "the join token was cut off or mistyped",
                    "copy it whole; it is one line");
    const std::string_view body =
        std::string_view(*bytes).substr(0, bytes->size() - kChecksumDigits);
    if (sha256_hex(body).substr(0, kChecksumDigits) != std::string_view(*bytes).substr(body.size()))
        return fail(ErrorCode::kInvalid, "the join token was cut off or mistyped",
                    "copy it whole; it is one line");
    return parse_fields(body);
}

TokenRecord record_of(const JoinToken& token, WallTime now) {
    return {token.id, sha256_hex(token.secret), to_rfc3339(now), token.expires_at, {}, {}};
}

Status check_token(const TokenRecord* record, std::string_view secret, WallTime now) {
    if (record == nullptr || !equal_secret(record->secret_sha256, sha256_hex(secret)))
        return fail(ErrorCode::kUnauthenticated,
                    "the join token is wrong: this cluster did not make it, or took it back",
                    std::string(kHelp));
    if (!record->used_by.empty())
        return fail(ErrorCode::kConflict,
                    "the join token was used by host \"" + record->used_by + "\" at " +
                        record->used_at + "; a token is good once",
                    std::string(kHelp));
    if (record->expires_at <= now)
        return fail(ErrorCode::kUnauthenticated,
                    "the join token expired at " + to_rfc3339(record->expires_at) + ", and it is " +
                        to_rfc3339(now),
                    std::string(kHelp));
    return {};
}

}  // namespace blixard::cluster
