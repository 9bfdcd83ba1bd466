// The token that lets one host join: `blixard cluster token` prints it, `blixard cluster join
// TOKEN` takes it.
//
// It names the cluster, the authority's fingerprint (so that the joining host knows whom it speaks
// to before it has a certificate), where to ask, and a secret that is good once and until it
// expires. The store keeps only the secret's sha256. Pure: time and randomness are parameters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace blixard::cluster {

inline constexpr Millis kTokenLifeDefault = seconds(3600);
inline constexpr Millis kTokenLifeMax = seconds(30 * 24 * 3600);
inline constexpr std::size_t kTokenEndpointsMax = 16;

struct JoinToken {
    std::string cluster_id;
    std::string authority_fingerprint;   // sha256, 64 hex digits
    std::vector<std::string> endpoints;  // ADDR:PORT of voters' peer services
    std::string id;                      // names the token in the store: cluster/tokens/<id>
    std::string secret;
    WallTime expires_at;

    bool operator==(const JoinToken&) const = default;
};

// A new id and a secret of 256 bits.
JoinToken make_join_token(std::string cluster_id, std::string authority_fingerprint,
                          std::vector<std::string> endpoints, WallTime expires_at, Random& random);

// "blixard1." and base64, with a checksum that tells a mistyped token from a wrong one.
std::string write_join_token(const JoinToken& token);
Result<JoinToken> parse_join_token(std::string_view text);  // kInvalid: no token, or cut off

// What the store keeps of a token (the value of cluster/tokens/<id>; records.h writes it).
struct TokenRecord {
    std::string id;
    std::string secret_sha256;
    std::string created_at;  // RFC 3339
    WallTime expires_at;
    std::string used_by;  // name of the host that joined with it; empty: not used
    std::string used_at;

    bool operator==(const TokenRecord&) const = default;
};
TokenRecord record_of(const JoinToken& token, WallTime now);

// May this secret join now? kUnauthenticated: wrong (or no such token: `record` null); kConflict:
// used; kUnauthenticated with its time: expired. The one use is enforced by a compare on the
// record's revision in the transaction that admits.
Status check_token(const TokenRecord* record, std::string_view secret, WallTime now);

}  // namespace blixard::cluster
