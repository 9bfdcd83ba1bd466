// The cluster's certificate authority: makes itself, signs the hosts' requests, lists what it has
// taken back.
//
// Keys are ECDSA P-256, signatures SHA-256 (RFC 5280, RFC 5480). OpenSSL 3 is in the .cc alone. Any
// thread; nothing is kept between calls. Private keys are PEM text in memory: who holds them keeps
// them off the disk or at mode 0600.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::cluster {

// Host certificates live this long, where the cluster says nothing else, and are renewed after two
// thirds (judge_renewal).
inline constexpr Millis kHostCertificateLife = seconds(90 * 24 * 3600);
inline constexpr Millis kAuthorityLife = seconds(std::int64_t{20} * 365 * 24 * 3600);
// Certificates begin this long before they are made, or a tenth of their life: a new host's clock
// may be a little behind.
inline constexpr Millis kCertificateBackdate = seconds(300);

struct Authority {
    std::string certificate_pem;
    std::string key_pem;
};

// `serial`: 1 to 32 hex digits, random (base/random.h make_id); a certificate is named by it when
// it is revoked.
Result<Authority> create_authority(std::string_view cluster_id, std::string_view serial,
                                   WallTime now);

struct KeyAndRequest {
    std::string key_pem;      // stays on the host
    std::string request_pem;  // PKCS #10, goes to the authority
};

Result<KeyAndRequest> make_certificate_request(std::string_view name);

// What the authority grants. It takes only the public key from the request: names and addresses are
// its own decision.
struct IssueTerms {
    std::string cluster_id;
    std::string name;
    std::vector<std::string>
        addresses;  // IP addresses and DNS names under which the host is reached
    std::string serial;
    WallTime now;
    Millis life = kHostCertificateLife;
};

// The host's certificate (PEM), for use as server and as client. kInvalid: the request is not one,
// or does not prove that its sender holds the key; an address is not one.
Result<std::string> issue_certificate(const Authority& authority, std::string_view request_pem,
                                      const IssueTerms& terms);

// The list of revoked certificates (RFC 5280 §5) that etcd reads at each connection.
Result<std::string> issue_revocation_list(const Authority& authority,
                                          const std::vector<std::string>& serials, WallTime now,
                                          Millis life);

}  // namespace blixard::cluster
