// `cluster join TOKEN`, on the host that joins. Until the identity file is written, as the last
// step, this host stands alone as before.
#include "cluster/node_impl.h"
#include "os/files.h"

namespace blixard::cluster {
namespace {

constexpr Millis kAuthorityTimeout = seconds(5);

// A definite answer of the cluster: the next voter would say the same.
bool is_final(const Error& error) {
    return error.code != ErrorCode::kUnavailable && error.code != ErrorCode::kTimeout &&
           error.code != ErrorCode::kCancelled && error.code != ErrorCode::kUnsupported;
}

}  // namespace

// What would be lost: a host brings nothing along.
Status Node::Impl::check_nothing_here(store::Store& store) {
    for (const auto& [prefix, what] :
         {std::pair{"vms/", "VMs"}, {"volumes/", "volumes"}, {"images/", "images"}}) {
        ASSIGN_OR_RETURN(const auto found, read_now(store, {prefix, {}, 1, 0}));
        if (found.items.empty()) continue;
        return fail(
            ErrorCode::kConflict,
            std::string("this host has ") + what + " of its own (" + found.items.front().key +
                "), and they would be lost",
            "delete them first; or keep them, and found the cluster on this host: blixard cluster "
            "init");
    }
    return {};
}

Status Node::Impl::join(const std::string& token_text) {
    if (identity_now())
        return fail(ErrorCode::kConflict, "this host is a member of a cluster already",
                    "leave it first: blixard cluster leave");
    RETURN_IF_ERROR(check_address());
    ASSIGN_OR_RETURN(const JoinToken token, parse_join_token(token_text));
    RETURN_IF_ERROR(check_nothing_here(*store));
    const std::string uid = make_id(random);
    ASSIGN_OR_RETURN(const auto keys, make_certificate_request(settings.name));

    Error last{ErrorCode::kUnavailable, "the token names no host to ask", {}, {}};
    for (const std::string& address : token.endpoints) {
        auto reply = ask_to_join(token, address, keys, uid);
        if (!reply) {
            last = reply.error();
            if (is_final(last)) return fail(last);
            continue;
        }
        RETURN_IF_ERROR(
            check_issued_by(reply->certificate_pem, reply->authority_pem, clock.wall()));
        RETURN_IF_ERROR(files.clear());
        RETURN_IF_ERROR(os::make_directories(files.root(), 0700));
        RETURN_IF_ERROR(os::write_file_atomically(files.key(), keys.key_pem));
        RETURN_IF_ERROR(files.save_certificate(reply->certificate_pem, reply->authority_pem));
        Identity who;
        who.cluster_id = token.cluster_id;
        who.name = settings.name;
        who.uid = uid;
        who.advertise = write_host_port(advertise);
        who.etcd_client_port = advertise.port + 1;
        who.etcd_peer_port = advertise.port + 2;
        who.etcd_endpoints = reply->etcd_endpoints;
        who.voter_addresses = token.endpoints;
        who.lease_ttl_ms = reply->lease_ttl.count;
        RETURN_IF_ERROR(files.save(who));
        log.info("cluster joined",
                 {{"cluster", who.cluster_id}, {"node", who.name}, {"through", address}});
        return {};
    }
    return fail(std::move(last));
}

Result<JoinReply> Node::Impl::ask_to_join(const JoinToken& token, const std::string& address,
                                          const KeyAndRequest& keys, const std::string& uid) {
    ASSIGN_OR_RETURN(const std::string authority_pem,
                     fetch_authority(address, token.authority_fingerprint, kAuthorityTimeout));
    PeerClient stranger(
        {settings.name, token.cluster_id, authority_pem, {}, {}},
        [](const std::string&) { return std::nullopt; }, hooks.problem, loop);
    JoinRequest request{.cluster_id = token.cluster_id,
                        .token_id = token.id,
                        .secret = token.secret,
                        .name = settings.name,
                        .uid = uid,
                        .advertise = write_host_port(advertise),
                        .version = settings.version,
                        .request_pem = keys.request_pem,
                        .etcd_client_port = advertise.port + 1,
                        .etcd_peer_port = advertise.port + 2};
    // The first Hello opens the connection; the second one's round trip is the network's alone.
    for (int i = 0; i < 2; ++i) {
        const WallTime sent = clock.wall();
        ASSIGN_OR_RETURN(
            const Hello hello, await<Hello>([&](Callback<Hello> done) {
                loop.post([&stranger, address, done] { stranger.hello_at(address, done); });
            }));
        const WallTime got = clock.wall();
        if (hello.cluster_id != token.cluster_id)
            return fail(ErrorCode::kUnauthenticated,
                        "the host at " + address + " is of another cluster than the token");
        request.clock_uncertainty = (got - sent) / 2;
        request.clock_ahead = sent + request.clock_uncertainty - hello.wall;
    }
    return await<JoinReply>(
        [&](Callback<JoinReply> done) {
            loop.post(
                [&stranger, address, request, done] { stranger.join_at(address, request, done); });
        },
        kPeerCallTimeout + seconds(5));
}

}  // namespace blixard::cluster
