#include "cluster/records.h"

#include "cluster/json_fields.h"

namespace blixard::cluster {
namespace {

Status require(const std::string& value, std::string_view member, std::string_view record) {
    if (!value.empty()) return {};
    return fail(ErrorCode::kInvalid,
                "the " + std::string(record) + " record lacks \"" + std::string(member) + "\"");
}

MemberRole role_of(std::string_view name) {
    return name == "voter" ? MemberRole::kVoter : MemberRole::kWorker;
}

MemberState state_of(std::string_view name) {
    if (name == "ready") return MemberState::kReady;
    return name == "leaving" ? MemberState::kLeaving : MemberState::kJoining;
}

}  // namespace

std::string member_key(std::string_view name) {
    return std::string(kMembersPrefix) + std::string(name);
}
std::string revoked_key(std::string_view serial) {
    return std::string(kRevokedPrefix) + std::string(serial);
}
std::string token_key(std::string_view id) { return std::string(kTokensPrefix) + std::string(id); }

std::string_view role_name(MemberRole role) {
    switch (role) {
        case MemberRole::kWorker: return "worker";
        case MemberRole::kVoter: return "voter";
    }
    return "worker";
}

std::string_view state_name(MemberState state) {
    switch (state) {
        case MemberState::kJoining: return "joining";
        case MemberState::kReady: return "ready";
        case MemberState::kLeaving: return "leaving";
    }
    return "joining";
}

std::string write_record(const ClusterMeta& meta) {
    return JsonObject()
        .add("schema", meta.schema)
        .add("cluster_id", meta.cluster_id)
        .add("created_at", meta.created_at)
        .add("authority_pem", meta.authority_pem)
        .add("sealed_authority_key", meta.sealed_authority_key)
        .add("voters_wanted", meta.voters_wanted)
        .add("lease_ttl_ms", meta.lease_ttl.count)
        .add("clock_margin_ms", meta.clock_margin.count)
        .add("certificate_life_ms", meta.certificate_life.count)
        .add(meta.extras)
        .text();
}

std::string write_record(const Member& member) {
    return JsonObject()
        .add("schema", member.schema)
        .add("name", member.name)
        .add("uid", member.uid)
        .add("advertise", member.advertise)
        .add("etcd_client_url", member.etcd_client_url)
        .add("etcd_peer_url", member.etcd_peer_url)
        .add("role", role_name(member.role))
        .add("state", state_name(member.state))
        .add("certificate_serial", member.certificate_serial)
        .add("certificate_until_ms", member.certificate_until.ms)
        .add("previous_serial", member.previous_serial)
        .add("joined_at", member.joined_at)
        .add("version", member.version)
        .add(member.extras)
        .text();
}

std::string write_record(const Revoked& revoked) {
    return JsonObject()
        .add("schema", revoked.schema)
        .add("serial", revoked.serial)
        .add("name", revoked.name)
        .add("revoked_at", revoked.revoked_at)
        .add("reason", revoked.reason)
        .add("address", revoked.address)
        .add("certificate_until_ms", revoked.certificate_until.ms)
        .add(revoked.extras)
        .text();
}

std::string write_record(const TokenRecord& token) {
    return JsonObject()
        .add("id", token.id)
        .add("secret_sha256", token.secret_sha256)
        .add("created_at", token.created_at)
        .add("expires_at_ms", token.expires_at.ms)
        .add("used_by", token.used_by)
        .add("used_at", token.used_at)
        .text();
}

Result<ClusterMeta> parse_meta(std::string_view json) {
    ASSIGN_OR_RETURN(auto fields, JsonFields::parse(json));
    ClusterMeta meta;
    meta.schema = fields.take_number("schema");
    meta.cluster_id = fields.take_text("cluster_id");
    meta.created_at = fields.take_text("created_at");
    meta.authority_pem = fields.take_text("authority_pem");
    meta.sealed_authority_key = fields.take_text("sealed_authority_key");
    meta.voters_wanted = fields.take_number("voters_wanted");
    meta.lease_ttl.count = fields.take_number("lease_ttl_ms");
    meta.clock_margin.count = fields.take_number("clock_margin_ms");
    meta.certificate_life.count = fields.take_number("certificate_life_ms");
    meta.extras = fields.rest();
    RETURN_IF_ERROR(require(meta.cluster_id, "cluster_id", "cluster/meta"));
    RETURN_IF_ERROR(require(meta.authority_pem, "authority_pem", "cluster/meta"));
    if (meta.voters_wanted < 1) meta.voters_wanted = kVotersDefault;
    if (meta.lease_ttl.count <= 0) meta.lease_ttl = kLeaseTtlDefault;
    if (meta.certificate_life.count <= 0) meta.certificate_life = kHostCertificateLife;
    if (meta.clock_margin.count <= 0) meta.clock_margin = kClockMarginDefault;
    return meta;
}

Result<Member> parse_member(std::string_view json) {
    ASSIGN_OR_RETURN(auto fields, JsonFields::parse(json));
    Member member;
    member.schema = fields.take_number("schema");
    member.name = fields.take_text("name");
    member.uid = fields.take_text("uid");
    member.advertise = fields.take_text("advertise");
    member.etcd_client_url = fields.take_text("etcd_client_url");
    member.etcd_peer_url = fields.take_text("etcd_peer_url");
    member.role = role_of(fields.take_text("role"));
    member.state = state_of(fields.take_text("state"));
    member.certificate_serial = fields.take_text("certificate_serial");
    member.certificate_until.ms = fields.take_number("certificate_until_ms");
    member.previous_serial = fields.take_text("previous_serial");
    member.joined_at = fields.take_text("joined_at");
    member.version = fields.take_text("version");
    member.extras = fields.rest();
    RETURN_IF_ERROR(require(member.name, "name", "member"));
    RETURN_IF_ERROR(require(member.uid, "uid", "member"));
    return member;
}

Result<Revoked> parse_revoked(std::string_view json) {
    ASSIGN_OR_RETURN(auto fields, JsonFields::parse(json));
    Revoked revoked;
    revoked.schema = fields.take_number("schema");
    revoked.serial = fields.take_text("serial");
    revoked.name = fields.take_text("name");
    revoked.revoked_at = fields.take_text("revoked_at");
    revoked.reason = fields.take_text("reason");
    revoked.address = fields.take_text("address");
    revoked.certificate_until.ms = fields.take_number("certificate_until_ms");
    revoked.extras = fields.rest();
    RETURN_IF_ERROR(require(revoked.serial, "serial", "revocation"));
    return revoked;
}

Result<TokenRecord> parse_token_record(std::string_view json) {
    ASSIGN_OR_RETURN(auto fields, JsonFields::parse(json));
    TokenRecord token;
    token.id = fields.take_text("id");
    token.secret_sha256 = fields.take_text("secret_sha256");
    token.created_at = fields.take_text("created_at");
    token.expires_at.ms = fields.take_number("expires_at_ms");
    token.used_by = fields.take_text("used_by");
    token.used_at = fields.take_text("used_at");
    RETURN_IF_ERROR(require(token.secret_sha256, "secret_sha256", "token"));
    return token;
}

}  // namespace blixard::cluster
