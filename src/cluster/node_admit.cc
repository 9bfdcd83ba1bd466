// What a member does for others: makes tokens, admits hosts, renews certificates, hands the voter
// key to new voters.
#include "cluster/node_impl.h"
#include "os/files.h"

namespace blixard::cluster {
namespace {

Error not_a_member() {
    return {ErrorCode::kConflict,
            "this host stands alone",
            {},
            "found a cluster first: blixard cluster init"};
}

}  // namespace

Result<JoinToken> Node::Impl::make_token(Millis life) {
    if (!identity_now()) return fail(not_a_member());
    if (life.count <= 0 || life > kTokenLifeMax)
        return fail_field("ttl_s",
                          "a token cannot live for " + std::to_string(life.count / 1000) + " s",
                          "use 1 s to " + std::to_string(kTokenLifeMax.count / 1000) + " s");
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    if (!members.meta)
        return fail(ErrorCode::kInternal, "the cluster's record is not in the store");
    ASSIGN_OR_RETURN(const auto authority, inspect_certificate(members.meta->authority_pem));
    const WallTime now = clock.wall();
    const JoinToken token = make_join_token(members.meta->cluster_id, authority.fingerprint,
                                            voter_addresses(members), now + life, random);
    store::Transaction put;
    put.compares = {{token_key(token.id), 0}};
    put.puts = {{token_key(token.id), write_record(record_of(token, now))}};
    ASSIGN_OR_RETURN(const auto committed, commit_now(*store, std::move(put)));
    if (!committed.succeeded)
        return fail(ErrorCode::kInternal, "a token of that id exists already");
    return token;
}

Result<JoinReply> Node::Impl::admit(const JoinRequest& request) {
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    const AdmissionRequest asked{request.cluster_id,  request.name,
                                 request.uid,         request.advertise,
                                 request.clock_ahead, request.clock_uncertainty};
    ASSIGN_OR_RETURN(const auto tokens, read_now(*store, {token_key(request.token_id), {}, 1, 0}));
    std::optional<TokenRecord> token;
    store::Revision token_revision = 0;
    for (const auto& item : tokens.items) {
        if (item.key != token_key(request.token_id)) continue;
        ASSIGN_OR_RETURN(token, parse_token_record(item.value));
        token_revision = item.mod_revision;
    }
    const WallTime now = clock.wall();
    // Who has no good token learns nothing about the members.
    RETURN_IF_ERROR(check_token(token ? &*token : nullptr, request.secret, now));
    RETURN_IF_ERROR(check_admission(asked, members));
    ASSIGN_OR_RETURN(const Authority authority, open_authority(members));
    ASSIGN_OR_RETURN(const HostPort address, parse_host_port(request.advertise));
    ASSIGN_OR_RETURN(const std::string certificate,
                     issue_certificate(authority, request.request_pem,
                                       {members.meta->cluster_id,
                                        request.name,
                                        {address.host},
                                        make_id(random),
                                        now,
                                        members.meta->certificate_life}));
    ASSIGN_OR_RETURN(const auto info, inspect_certificate(certificate));
    Member member{.name = request.name,
                  .uid = request.uid,
                  .advertise = request.advertise,
                  .etcd_client_url = etcd_client_url(address.host, request.etcd_client_port),
                  .etcd_peer_url = etcd_client_url(address.host, request.etcd_peer_port),
                  .state = MemberState::kReady,
                  .certificate_serial = info.serial,
                  .certificate_until = info.not_after,
                  .joined_at = to_rfc3339(now),
                  .version = request.version};
    token->used_by = request.name;
    token->used_at = to_rfc3339(now);
    store::Transaction admission;
    admission.compares = {
        {token_key(request.token_id), token_revision},
        {member_key(request.name), members.revision_of(member_key(request.name))}};
    admission.puts = {{token_key(request.token_id), write_record(*token)},
                      {member_key(request.name), write_record(member)}};
    ASSIGN_OR_RETURN(const auto committed, commit_now(*store, std::move(admission)));
    if (!committed.succeeded)
        return fail(ErrorCode::kConflict,
                    "another host used this token, or took this name, at the same moment",
                    "make a new token on a member: blixard cluster token");
    log.info("host admitted",
             {{"node", request.name}, {"advertise", request.advertise}, {"serial", info.serial}});
    return JoinReply{certificate, members.meta->authority_pem, etcd_endpoints(members),
                     members.meta->lease_ttl};
}

Result<std::string> Node::Impl::renew(const std::string& caller, const std::string& request_pem) {
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    const Member* known = members.find(caller);
    if (known == nullptr)
        return fail(ErrorCode::kDenied, "\"" + caller + "\" is no member of this cluster");
    ASSIGN_OR_RETURN(const Authority authority, open_authority(members));
    ASSIGN_OR_RETURN(const HostPort address, parse_host_port(known->advertise));
    ASSIGN_OR_RETURN(const std::string certificate,
                     issue_certificate(authority, request_pem,
                                       {members.meta->cluster_id,
                                        caller,
                                        {address.host},
                                        make_id(random),
                                        clock.wall(),
                                        members.meta->certificate_life}));
    ASSIGN_OR_RETURN(const auto info, inspect_certificate(certificate));
    Member renewed = *known;
    renewed.previous_serial = known->certificate_serial;
    renewed.certificate_serial = info.serial;
    renewed.certificate_until = info.not_after;
    store::Transaction put;
    put.compares = {{member_key(caller), members.revision_of(member_key(caller))}};
    put.puts = {{member_key(caller), write_record(renewed)}};
    ASSIGN_OR_RETURN(const auto committed, commit_now(*store, std::move(put)));
    if (!committed.succeeded)
        return fail(ErrorCode::kUnavailable, "the member's record changed meanwhile; ask again");
    log.info("certificate renewed", {{"node", caller}, {"serial", info.serial}});
    return certificate;
}

Result<std::string> Node::Impl::give_voter_key(const std::string& caller) {
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    const Member* known = members.find(caller);
    if (known == nullptr || known->role != MemberRole::kVoter)
        return fail(ErrorCode::kDenied,
                    "\"" + caller + "\" does not vote, and so gets no voter key");
    auto key = os::read_file(files.voter_key(), 64);
    if (!key) return fail(ErrorCode::kUnavailable, "this host holds no voter key itself");
    return *key;
}

}  // namespace blixard::cluster
