// Answers other hosts: gRPC over mTLS on the advertised port. gRPC stays in the .cc.
//
// TLS asks every caller for a certificate of the cluster's authority; a caller without one gets no
// further than Hello and Join. Every call by a certificate is judged anew (`authorize`), so a
// revoked one is refused at its next call.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/exchange.h"
#include "base/result.h"
#include "base/time.h"
#include "cluster/certificate.h"
#include "cluster/peer.h"

namespace blixard::cluster {

struct PeerHandlers {
    // Any thread, must not block.
    std::function<Status(const CertificateInfo& caller)> authorize;
    std::function<Hello()> hello;
    std::function<Result<std::string>(const std::string& sha256)>
        blob_file;  // its path here, kNotFound

    // On the executor.
    std::function<void(JoinRequest request, Callback<JoinReply> done)> join;
    std::function<void(std::string caller, std::string request_pem, Callback<std::string> done)>
        renew;
    std::function<void(std::string caller, Callback<std::string> done)> voter_key;
    // A request that another host took and this one can answer. `service` may be null: refused.
    api::Service* service = nullptr;
    Executor* service_executor = nullptr;  // where the service lives; null: the same executor
};

class PeerServer {
 public:
    // `address`: ADDR:PORT to listen on (port 0: any, see port()). `executor` must outlive this.
    // kInvalid: an identity file is missing or no such thing; kUnavailable: the address cannot be
    // had.
    static Result<std::unique_ptr<PeerServer>> start(const std::string& address,
                                                     const PeerFiles& files, PeerHandlers handlers,
                                                     Executor& executor);
    ~PeerServer();  // cuts every call off; not from within a handler
    PeerServer(const PeerServer&) = delete;
    PeerServer& operator=(const PeerServer&) = delete;

    int port() const;

 private:
    struct Impl;
    explicit PeerServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace blixard::cluster
