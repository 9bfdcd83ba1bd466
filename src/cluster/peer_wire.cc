#include "cluster/peer_wire.h"

namespace blixard::cluster {
namespace {

grpc::StatusCode status_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalid:
        case ErrorCode::kTooLarge: return grpc::INVALID_ARGUMENT;
        case ErrorCode::kUnauthenticated: return grpc::UNAUTHENTICATED;
        case ErrorCode::kDenied: return grpc::PERMISSION_DENIED;
        case ErrorCode::kNotFound: return grpc::NOT_FOUND;
        case ErrorCode::kExists: return grpc::ALREADY_EXISTS;
        case ErrorCode::kConflict: return grpc::FAILED_PRECONDITION;
        case ErrorCode::kExhausted: return grpc::RESOURCE_EXHAUSTED;
        case ErrorCode::kUnavailable: return grpc::UNAVAILABLE;
        case ErrorCode::kUnknownOutcome: return grpc::UNKNOWN;
        case ErrorCode::kTimeout: return grpc::DEADLINE_EXCEEDED;
        case ErrorCode::kCompacted: return grpc::OUT_OF_RANGE;
        case ErrorCode::kUnsupported: return grpc::UNIMPLEMENTED;
        case ErrorCode::kCancelled: return grpc::CANCELLED;
        case ErrorCode::kInternal: return grpc::INTERNAL;
    }
    return grpc::INTERNAL;
}

// For statuses that gRPC itself made: nothing is known but that the connection failed.
ErrorCode error_code(grpc::StatusCode code) {
    switch (code) {
        case grpc::DEADLINE_EXCEEDED: return ErrorCode::kTimeout;
        case grpc::CANCELLED: return ErrorCode::kCancelled;
        case grpc::UNAUTHENTICATED: return ErrorCode::kUnauthenticated;
        case grpc::UNIMPLEMENTED: return ErrorCode::kUnsupported;
        case grpc::RESOURCE_EXHAUSTED: return ErrorCode::kTooLarge;
        default: return ErrorCode::kUnavailable;
    }
}

}  // namespace

grpc::Status to_status(const Error& error) {
    wire::Problem problem;
    problem.set_code(static_cast<int>(error.code));
    problem.set_message(error.message);
    problem.set_field(error.field);
    problem.set_help(error.help);
    return {status_code(error.code), error.message, problem.SerializeAsString()};
}

Error from_status(const grpc::Status& status, const std::string& whom) {
    wire::Problem problem;
    const bool ours = !status.error_details().empty() &&
                      problem.ParseFromString(status.error_details()) && problem.code() >= 0 &&
                      problem.code() <= static_cast<int>(ErrorCode::kInternal);
    if (ours)
        return {static_cast<ErrorCode>(problem.code()), problem.message(), problem.field(),
                problem.help()};
    return {error_code(status.error_code()),
            whom + " does not answer: " + status.error_message(),
            {},
            "look at that host's daemon and the network between"};
}

wire::RequestHead to_wire(const api::Request& request, bool wants_socket,
                          const std::string& asked_host) {
    wire::RequestHead head;
    head.set_method(request.method);
    head.set_path(request.path);
    for (const auto& [name, value] : request.query) {
        auto* entry = head.add_query();
        entry->set_name(name);
        entry->set_value(value);
    }
    head.set_body(request.body);
    head.set_principal_name(request.principal.name);
    head.set_principal_admin(request.principal.admin);
    head.set_if_match(request.if_match);
    head.set_if_none_match(request.if_none_match);
    head.set_idempotency_key(request.idempotency_key);
    head.set_last_event_id(request.last_event_id);
    head.set_content_type(request.content_type);
    head.set_range(request.range);
    head.set_wants_socket(wants_socket);
    head.set_asked_host(asked_host);
    return head;
}

api::Request from_wire(wire::RequestHead head) {
    api::Request request;
    request.method = head.method();
    request.path = head.path();
    for (const auto& entry : head.query()) request.query.emplace_back(entry.name(), entry.value());
    request.body = std::move(*head.mutable_body());
    request.principal = {head.principal_name(), head.principal_admin()};
    request.if_match = head.if_match();
    request.if_none_match = head.if_none_match();
    request.idempotency_key = head.idempotency_key();
    request.last_event_id = head.last_event_id();
    request.content_type = head.content_type();
    request.range = head.range();
    return request;
}

wire::ResponseHead to_wire(const api::Response& response, wire::ResponseHead::Kind kind) {
    wire::ResponseHead head;
    head.set_kind(kind);
    head.set_status(response.status);
    head.set_content_type(response.content_type);
    for (const auto& [name, value] : response.headers) {
        auto* entry = head.add_headers();
        entry->set_name(name);
        entry->set_value(value);
    }
    if (kind == wire::ResponseHead::COMPLETE)
        head.set_body(response.shared_body ? *response.shared_body : response.body);
    return head;
}

api::Response from_wire(wire::ResponseHead head) {
    api::Response response;
    response.status = head.status();
    response.content_type = head.content_type();
    for (const auto& entry : head.headers())
        response.headers.emplace_back(entry.name(), entry.value());
    response.body = std::move(*head.mutable_body());
    return response;
}

wire::JoinRequest to_wire(const JoinRequest& request) {
    wire::JoinRequest out;
    out.set_cluster_id(request.cluster_id);
    out.set_token_id(request.token_id);
    out.set_secret(request.secret);
    out.set_name(request.name);
    out.set_uid(request.uid);
    out.set_advertise(request.advertise);
    out.set_version(request.version);
    out.set_request_pem(request.request_pem);
    out.set_clock_ahead_ms(request.clock_ahead.count);
    out.set_clock_uncertainty_ms(request.clock_uncertainty.count);
    out.set_etcd_client_port(request.etcd_client_port);
    out.set_etcd_peer_port(request.etcd_peer_port);
    return out;
}

JoinRequest from_wire(const wire::JoinRequest& request) {
    return {.cluster_id = request.cluster_id(),
            .token_id = request.token_id(),
            .secret = request.secret(),
            .name = request.name(),
            .uid = request.uid(),
            .advertise = request.advertise(),
            .version = request.version(),
            .request_pem = request.request_pem(),
            .clock_ahead = {request.clock_ahead_ms()},
            .clock_uncertainty = {request.clock_uncertainty_ms()},
            .etcd_client_port = request.etcd_client_port(),
            .etcd_peer_port = request.etcd_peer_port()};
}

}  // namespace blixard::cluster
