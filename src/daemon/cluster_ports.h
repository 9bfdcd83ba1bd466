// The host's part in a cluster as the API wants it: /v1/cluster, and other hosts as answerers.
#pragma once

#include <memory>
#include <string>

#include "api/ports.h"
#include "cluster/node.h"

namespace blixard::daemon {

class ClusterOperations final : public api::ClusterPort {
 public:
    explicit ClusterOperations(cluster::Node& node) : node_(node) {}
    // The API answers before this host's part in its cluster has begun.
    void handle(api::Request request, std::shared_ptr<api::Responder> responder) override {
        if (!node_.is_open())
            return responder->send(api::problem(
                {ErrorCode::kUnavailable, "this daemon is starting", {}, "ask again in a moment"}));
        node_.handle(std::move(request), std::move(responder));
    }
    Status standing() const override { return node_.standing(); }

 private:
    cluster::Node& node_;
};

class OtherHosts final : public api::Forwarder {
 public:
    explicit OtherHosts(cluster::Node& node) : node_(node) {}
    bool forward(const std::string& node, const api::Request& request,
                 std::shared_ptr<api::Responder> responder) override {
        return node_.forward(node, request, std::move(responder));
    }

 private:
    cluster::Node& node_;
};

// "etcd://HOST:PORT,HOST:PORT": an etcd that someone else runs.
Result<std::vector<std::string>> parse_store_address(std::string_view text);

}  // namespace blixard::daemon
