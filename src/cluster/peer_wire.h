// Between our values and peer.proto's. Includes gRPC: for peer_*.cc alone.
#pragma once

#include <grpcpp/grpcpp.h>

#include "api/exchange.h"
#include "base/result.h"
#include "cluster/peer.h"
#include "proto/cluster/peer.grpc.pb.h"

namespace blixard::cluster {

namespace wire = blixard::peer::v1;

inline constexpr int kPeerMessageBytesMax = 16 << 20;
inline constexpr std::size_t kPeerDataBytes = 256u << 10;  // of one data frame or blob chunk
inline constexpr std::size_t kPeerBacklogBytesMax =
    4u << 20;  // a slower reader of a stream is cut off

grpc::Status to_status(const Error& error);

// `whom`: "host-2 (10.0.0.2:7420)", for errors that the connection itself makes.
Error from_status(const grpc::Status& status, const std::string& whom);

wire::RequestHead to_wire(const api::Request& request, bool wants_socket,
                          const std::string& asked_host);
api::Request from_wire(wire::RequestHead head);
wire::ResponseHead to_wire(const api::Response& response, wire::ResponseHead::Kind kind);
api::Response from_wire(wire::ResponseHead head);
wire::JoinRequest to_wire(const JoinRequest& request);
JoinRequest from_wire(const wire::JoinRequest& request);

}  // namespace blixard::cluster
