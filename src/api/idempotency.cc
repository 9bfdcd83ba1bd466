#include "api/idempotency.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/base64url.h"
#include "model/json_writer.h"
#include "model/merge_patch.h"

namespace blixard::api {
namespace {

// FNV-1a (Fowler, Noll, Vo): tells a client that it reused a key by mistake. It guards the client
// against itself, nobody else against it: keys of different people never meet.
class Digest {
 public:
    void add(std::string_view text) {
        for (const char byte : text) mix(static_cast<unsigned char>(byte));
        mix(0x100);
        size_ += text.size();
    }
    std::string text() const { return fmt::format("{:016x}-{}", hash_, size_); }

 private:
    void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3; }

    std::uint64_t hash_ = 0xcbf29ce484222325;
    std::size_t size_ = 0;
};

Result<std::string> string_member(std::string_view json, std::string_view name) {
    ASSIGN_OR_RETURN(std::string text, model::select_member(json, name));
    if (text.size() < 2 || text.front() != '"')
        return fail(ErrorCode::kInternal, "an idempotency record is damaged");
    return text.substr(1, text.size() - 2);  // names, ids and digests have nothing to unescape
}

}  // namespace

Result<Idempotency> idempotency_of(const Request& request) {
    if (request.idempotency_key.empty() || request.method != "POST") return Idempotency{};
    const std::string& key = request.idempotency_key;
    const bool printable =
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (key.size() > kIdempotencyKeyBytesMax || !printable)
        return fail_field("Idempotency-Key",
                          fmt::format("must be 1 to {} printable characters, found {}",
                                      kIdempotencyKeyBytesMax, key.size()),
                          "send a random id, a new one for each new request");
    Digest digest;
    digest.add(request.method);
    digest.add(request.path);
    for (const auto& [name, value] : request.query) {
        if (name == "wait" || name == "timeout") continue;  // they change when, not what
        digest.add(name);
        digest.add(value);
    }
    digest.add(request.body);
    return Idempotency{
        fmt::format("idempotency/{}/{}", to_base64url(request.principal.name), to_base64url(key)),
        digest.text()};
}

std::string to_json(const IdempotencyRecord& record) {
    std::string text;
    model::json::Writer writer(text);
    writer.begin_object()
        .member("digest", std::string_view(record.digest))
        .member("kind", kind_name(record.subject.kind))
        .member("project", std::string_view(record.subject.project))
        .member("name", std::string_view(record.subject.name))
        .member("uid", std::string_view(record.uid))
        .end_object();
    return text;
}

Result<IdempotencyRecord> parse_idempotency(std::string_view json) {
    IdempotencyRecord record;
    ASSIGN_OR_RETURN(record.digest, string_member(json, "digest"));
    ASSIGN_OR_RETURN(const std::string kind, string_member(json, "kind"));
    ASSIGN_OR_RETURN(record.subject.project, string_member(json, "project"));
    ASSIGN_OR_RETURN(record.subject.name, string_member(json, "name"));
    ASSIGN_OR_RETURN(record.uid, string_member(json, "uid"));
    const std::optional<Kind> known = kind_of(kind);
    if (!known) return fail(ErrorCode::kInternal, "an idempotency record is damaged");
    record.subject.kind = *known;
    return record;
}

}  // namespace blixard::api
