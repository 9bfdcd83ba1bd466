// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under the voter key, which is a file on voting
// hosts and never in the store. The authority's private key lies in the store only sealed. Any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::cluster {

inline constexpr std::size_t kVoterKeyBytes = 32;

// 32 bytes from the kernel.
Result<std::string> make_voter_key();

// "v1." and base64 of nonce, ciphertext and tag. `context` is not hidden but bound: opening with
// another one fails.
Result<std::string> seal(std::string_view plain, std::string_view voter_key,
                         std::string_view context);

// kDenied: another key or context, or the text was changed.
Result<std::string> open_sealed(std::string_view sealed, std::string_view voter_key,
                                std::string_view context);

}  // namespace blixard::cluster
