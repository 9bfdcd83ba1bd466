// What the store holds under cluster/. JSON, as everything there; members that this version does
// not know are kept.
//
//   cluster/meta              one: who the cluster is, its authority, its settings
//   cluster/members/<name>    one a host
//   cluster/revoked/<serial>  one a certificate that counts no more
//   cluster/tokens/<id>       one a join token (join_token.h)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "cluster/ca.h"
#include "cluster/join_token.h"
#include "model/schema.h"

namespace blixard::cluster {

inline constexpr std::string_view kClusterPrefix = "cluster/";
inline constexpr std::string_view kMetaKey = "cluster/meta";
inline constexpr std::string_view kMembersPrefix = "cluster/members/";
inline constexpr std::string_view kRevokedPrefix = "cluster/revoked/";
inline constexpr std::string_view kTokensPrefix = "cluster/tokens/";
std::string member_key(std::string_view name);
std::string revoked_key(std::string_view serial);
std::string token_key(std::string_view id);

inline constexpr std::int64_t kVotersDefault = 3;
inline constexpr Millis kLeaseTtlDefault = seconds(4);
inline constexpr Millis kClockMarginDefault = seconds(2);

struct ClusterMeta {
    std::int64_t schema = 1;
    std::string cluster_id;  // 32 hex digits
    std::string created_at;
    std::string authority_pem;         // the authority's certificate
    std::string sealed_authority_key;  // its private key, sealed with the voter key (seal.h),
                                       // context: cluster_id
    std::int64_t voters_wanted = kVotersDefault;  // 1, 3 or 5
    Millis lease_ttl = kLeaseTtlDefault;
    Millis clock_margin = kClockMarginDefault;
    Millis certificate_life = kHostCertificateLife;  // of hosts
    model::json::Extras extras;

    bool operator==(const ClusterMeta&) const = default;
};

enum class MemberRole : std::uint8_t { kWorker, kVoter };
enum class MemberState : std::uint8_t { kJoining, kReady, kLeaving };
std::string_view role_name(MemberRole role);     // "worker", "voter"
std::string_view state_name(MemberState state);  // "joining", "ready", "leaving"

struct Member {
    std::int64_t schema = 1;
    std::string name;
    std::string uid;        // of the host: made once, kept in its data directory
    std::string advertise;  // ADDR:PORT of its peer service
    std::string etcd_client_url;
    std::string etcd_peer_url;
    MemberRole role = MemberRole::kWorker;
    MemberState state = MemberState::kJoining;
    std::string certificate_serial;
    WallTime certificate_until;
    std::string
        previous_serial;  // of the certificate before the last renewal: it may still be in use
    std::string joined_at;
    std::string version;  // of the daemon that joined
    model::json::Extras extras;

    bool operator==(const Member&) const = default;
};

struct Revoked {
    std::int64_t schema = 1;
    std::string serial;
    std::string name;  // whose it was
    std::string revoked_at;
    std::string reason;
    std::string address;         // where the host was; its open connections are cut
    WallTime certificate_until;  // after this the entry may go
    model::json::Extras extras;

    bool operator==(const Revoked&) const = default;
};

std::string write_record(const ClusterMeta& meta);
std::string write_record(const Member& member);
std::string write_record(const Revoked& revoked);
std::string write_record(const TokenRecord& token);

// kInvalid: not such a record.
Result<ClusterMeta> parse_meta(std::string_view json);
Result<Member> parse_member(std::string_view json);
Result<Revoked> parse_revoked(std::string_view json);
Result<TokenRecord> parse_token_record(std::string_view json);

}  // namespace blixard::cluster
