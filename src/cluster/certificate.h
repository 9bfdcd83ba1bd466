// What an X.509 certificate says, and whether it is time for a new one. Pure but for the parsing
// (OpenSSL, in the .cc).
//
// Any thread. Certificates are PEM text; where a text holds several, the first one is meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::cluster {

struct CertificateInfo {
    std::string name;                    // subject CN: the host's name
    std::string cluster_id;              // subject O
    std::string serial;                  // lower-case hex, without leading zeros
    std::string fingerprint;             // sha256 of the DER form, 64 hex digits
    std::vector<std::string> addresses;  // IP subject alternative names
    std::vector<std::string> dns_names;  // DNS subject alternative names
    WallTime not_before;
    WallTime not_after;
    bool authority = false;  // may sign others
};

// kInvalid: not a certificate.
Result<CertificateInfo> inspect_certificate(std::string_view pem);

// kUnauthenticated: not signed by this authority, or not valid at `now`.
Status check_issued_by(std::string_view pem, std::string_view authority_pem, WallTime now);

// The name that every host's certificate of a cluster carries besides its own, so that a peer can
// be asked for by cluster before its name is known.
std::string cluster_dns_name(std::string_view cluster_id);

enum class Renewal { kNone, kDue, kExpired };

// Due when two thirds of the life are over: a third is left to reach a voter that can sign.
Renewal judge_renewal(WallTime not_before, WallTime not_after, WallTime now);

// "sha256" in lower-case hex.
std::string sha256_hex(std::string_view bytes);

// Compares in a time that does not depend on where the texts differ.
bool equal_secret(std::string_view one, std::string_view other);

}  // namespace blixard::cluster
