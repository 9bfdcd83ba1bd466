// Asks other hosts. One channel a host, kept and reused; gRPC stays in the .cc.
//
// Threads: methods on the executor; every callback there, exactly once. Deadlines are per call,
// below.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/exchange.h"
#include "base/result.h"
#include "base/time.h"
#include "cluster/peer.h"

namespace blixard::cluster {

inline constexpr Millis kHelloTimeout = seconds(3);
inline constexpr Millis kPeerCallTimeout = seconds(15);
inline constexpr Millis kBlobPartTimeout = seconds(60);

// The authority's certificate of whoever listens at `address`, if its sha256 is the token's.
// Blocking, at most `timeout`. kUnauthenticated: another authority (kUnavailable: nobody there).
Result<std::string> fetch_authority(const std::string& address, const std::string& fingerprint,
                                    Millis timeout);

class PeerClient {
 public:
    // Who can be asked: a member's ADDR:PORT by its name; absent: no such member.
    using Resolve = std::function<std::optional<std::string>(const std::string& name)>;

    // Identity as PEM texts; `certificate_pem` and `key_pem` empty: a host that has not joined yet.
    struct Identity {
        std::string name;
        std::string cluster_id;
        std::string authority_pem;
        std::string certificate_pem;
        std::string key_pem;
    };

    // How an error becomes an answer: api::problem.
    using Problem = std::function<api::Response(const Error&)>;

    PeerClient(Identity identity, Resolve resolve, Problem problem, Executor& executor);
    ~PeerClient();  // cuts calls off; their callbacks still come
    PeerClient(const PeerClient&) = delete;
    PeerClient& operator=(const PeerClient&) = delete;

    // A new certificate: calls that run end on the old one.
    void set_identity(Identity identity);

    // By address, before the other host's name is known: the certificate must be of the cluster.
    void hello_at(const std::string& address, Callback<Hello> done);
    void join_at(const std::string& address, const JoinRequest& request, Callback<JoinReply> done);

    // By name: the certificate must be of the cluster and of that name.
    void hello(const std::string& name, Callback<Hello> done);
    void renew(const std::string& name, const std::string& request_pem, Callback<std::string> done);
    void voter_key(const std::string& name, Callback<std::string> done);
    // At most kBlobPartBytesMax.
    void fetch_blob_part(const std::string& name, const std::string& sha256, std::uint64_t offset,
                         std::uint64_t length, Callback<BlobPart> done);

    // Lets host `name` answer, whatever it is: complete, stream, WebSocket. Where that host cannot
    // be reached the responder gets a problem document.
    void forward(const std::string& name, const api::Request& request, bool wants_socket,
                 std::shared_ptr<api::Responder> responder);

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace blixard::cluster
