// What hosts say to each other, as values. peer_server.h answers, peer_client.h asks; peer.proto is
// the wire.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::cluster {

// A host's identity on disk. `certificate_file` holds its certificate and then the authority's, so
// that a joining host can compare the authority with its token.
struct PeerFiles {
    std::string authority_file;
    std::string certificate_file;
    std::string key_file;
};

struct Hello {
    std::string cluster_id;
    std::string name;
    std::string version;
    WallTime wall;  // the answering host's clock
};

struct JoinRequest {
    std::string cluster_id;
    std::string token_id;
    std::string secret;
    std::string name;
    std::string uid;
    std::string advertise;
    std::string version;
    std::string request_pem;
    Millis clock_ahead{};
    Millis clock_uncertainty{};
    int etcd_client_port = 0;
    int etcd_peer_port = 0;
};

struct JoinReply {
    std::string certificate_pem;
    std::string authority_pem;
    std::vector<std::string> etcd_endpoints;
    Millis lease_ttl{};
};

// A part of a blob.
struct BlobPart {
    std::string bytes;
    std::uint64_t total_bytes = 0;  // of the whole blob
};
inline constexpr std::uint64_t kBlobPartBytesMax = 4u
                                                   << 20;  // at most this much is asked for at once

}  // namespace blixard::cluster
