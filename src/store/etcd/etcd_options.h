// Where an etcd is, and how to prove who we are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace blixard::store {

// PEM texts, not paths. All three for mTLS.
struct EtcdTls {
    std::string ca;
    std::string certificate;
    std::string key;
};

struct EtcdOptions {
    std::vector<std::string>
        endpoints;               // "host:port", client URLs without scheme; the first is preferred
    std::optional<EtcdTls> tls;  // none: plain text, for loopback and tests only
    // How long a request may take before it is given up. A write that was sent by then has an
    // unknown outcome.
    Millis request_timeout = seconds(3);
    // A member that does not answer a status request for this long, twice, is left for another one.
    Millis probe_interval{250};
};

}  // namespace blixard::store
