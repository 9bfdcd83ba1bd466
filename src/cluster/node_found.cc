// `cluster init`: this host becomes the first member of a new cluster, and what its embedded store
// holds moves to etcd.
//
// Nothing counts until the identity file is written, as the last step; a crash before it leaves the
// host alone, as it was, and the next init sweeps the rest away.
#include "cluster/json_fields.h"
#include "cluster/node_impl.h"
#include "cluster/seal.h"
#include "os/files.h"
#include "store/etcd/etcd_store.h"

namespace blixard::cluster {
namespace {

constexpr Millis kEtcdStartMax = seconds(30);
constexpr Millis kWritesEndMax = seconds(10);
constexpr Millis kCertificateLifeMin = seconds(60);
constexpr Millis kCertificateLifeMax = seconds(std::int64_t{5} * 365 * 24 * 3600);
constexpr std::size_t kMoveKeys = 100;
constexpr std::size_t kMoveBytes = 1000 * 1024;

// Asks `ready` every 50 ms.
bool poll_until(const os::SystemClock& clock, Millis limit, const std::function<bool()>& ready) {
    const MonoTime deadline = clock.mono() + limit;
    while (!ready()) {
        if (clock.mono() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
}

ClusterMeta make_meta(const Authority& authority, std::string cluster_id, std::string sealed_key,
                      std::string now, const Node::Impl::Founding& founding) {
    ClusterMeta meta;
    meta.cluster_id = std::move(cluster_id);
    meta.created_at = std::move(now);
    meta.authority_pem = authority.certificate_pem;
    meta.sealed_authority_key = std::move(sealed_key);
    meta.voters_wanted = founding.voters;
    meta.lease_ttl = founding.lease_ttl;
    meta.certificate_life = founding.certificate_life;
    return meta;
}

Status check_founding(const Node::Impl::Founding& founding) {
    if (founding.voters != 1 && founding.voters != 3 && founding.voters != 5)
        return fail_field("voters", std::to_string(founding.voters) + " voters are not possible",
                          "use 1, 3 or 5");
    if (founding.lease_ttl < seconds(2) || founding.lease_ttl > seconds(60))
        return fail_field(
            "lease_ttl_ms",
            "a lease of " + std::to_string(founding.lease_ttl.count) + " ms is not possible",
            "use 2 s to 60 s: a lost host's VMs are started elsewhere only after it has ended, and "
            "a host "
            "that cannot reach the store for that long stops its own");
    if (founding.certificate_life < kCertificateLifeMin ||
        founding.certificate_life > kCertificateLifeMax)
        return fail_field(
            "certificate_life_ms",
            "a host's certificate cannot live for " +
                std::to_string(founding.certificate_life.count / 1000) + " s",
            "use 1 minute to 5 years; it is renewed after two thirds, and a host that is "
            "off until it has ended must join anew");
    return {};
}

}  // namespace

Identity Node::Impl::first_identity(std::string cluster_id, Millis lease_ttl) {
    Identity who;
    who.cluster_id = std::move(cluster_id);
    who.name = settings.name;
    who.uid = make_id(random);
    who.advertise = write_host_port(advertise);
    who.etcd_client_port = advertise.port + 1;
    who.etcd_peer_port = advertise.port + 2;
    who.runs_etcd = true;
    who.etcd_endpoints = {write_host_port({advertise.host, who.etcd_client_port})};
    who.lease_ttl_ms = lease_ttl.count;
    return who;
}

Result<std::string> Node::Impl::write_first_keys(const Identity& who, const Authority& authority,
                                                 const std::string& voter_key,
                                                 Millis certificate_life) {
    const WallTime now = clock.wall();
    ASSIGN_OR_RETURN(const auto keys, make_certificate_request(who.name));
    const std::string serial = make_id(random);
    ASSIGN_OR_RETURN(
        std::string certificate,
        issue_certificate(
            authority, keys.request_pem,
            {who.cluster_id, who.name, {advertise.host}, serial, now, certificate_life}));
    ASSIGN_OR_RETURN(const std::string revocations,
                     issue_revocation_list(authority, {}, now, kAuthorityLife));
    RETURN_IF_ERROR(os::write_file_atomically(files.voter_key(), voter_key));
    RETURN_IF_ERROR(os::write_file_atomically(files.key(), keys.key_pem));
    RETURN_IF_ERROR(os::write_file_atomically(files.revocations(), revocations));
    RETURN_IF_ERROR(files.save_certificate(certificate, authority.certificate_pem));
    return certificate;
}

Status Node::Impl::check_found(const Founding& founding) const {
    if (identity_now())
        return fail(ErrorCode::kConflict, "this host is a member of a cluster already",
                    "see: blixard cluster status");
    RETURN_IF_ERROR(check_address());
    return check_founding(founding);
}

Status Node::Impl::check_address() const {
    if (!advertise.host.empty()) return {};
    return fail(ErrorCode::kConflict, "this host has no address for others",
                "start its daemon with --advertise ADDR[:PORT]");
}

Result<Identity> Node::Impl::found(const Founding& founding) {
    RETURN_IF_ERROR(check_found(founding));
    RETURN_IF_ERROR(files.clear());
    RETURN_IF_ERROR(os::make_directories(files.root(), 0700));

    const WallTime now = clock.wall();
    const Identity who = first_identity(make_id(random), founding.lease_ttl);
    ASSIGN_OR_RETURN(const Authority authority,
                     create_authority(who.cluster_id, make_id(random), now));
    ASSIGN_OR_RETURN(const std::string voter_key, make_voter_key());
    ASSIGN_OR_RETURN(std::string sealed, seal(authority.key_pem, voter_key, who.cluster_id));
    ASSIGN_OR_RETURN(const std::string certificate,
                     write_first_keys(who, authority, voter_key, founding.certificate_life));
    RETURN_IF_ERROR(start_first_etcd(who));

    ASSIGN_OR_RETURN(const auto info, inspect_certificate(certificate));
    const ClusterMeta meta =
        make_meta(authority, who.cluster_id, std::move(sealed), to_rfc3339(now), founding);
    const Member member = first_member(who, info);

    ASSIGN_OR_RETURN(auto made,
                     store::EtcdStore::connect(etcd_options(who.etcd_endpoints), loop, clock, log));
    const std::shared_ptr<store::Store> etcd = std::move(made);
    Status moved = [&]() -> Status {
        if (gate != nullptr) RETURN_IF_ERROR(move_contents(*gate, *etcd));
        store::Transaction records;
        records.compares = {{std::string(kMetaKey), 0}};
        records.puts = {{std::string(kMetaKey), write_record(meta)},
                        {member_key(who.name), write_record(member)}};
        ASSIGN_OR_RETURN(const auto committed, commit_now(*etcd, std::move(records)));
        if (!committed.succeeded) return fail(ErrorCode::kInternal, "the new etcd is not empty");
        return files.save(who);
    }();
    loop.post([etcd] {});  // its end is the loop's
    if (!moved) {
        if (gate != nullptr) gate->open();
        return fail(moved.error());
    }
    log.info("cluster founded",
             {{"cluster", who.cluster_id}, {"node", who.name}, {"advertise", who.advertise}});
    return who;
}

// This host, as the only member.
Member Node::Impl::first_member(const Identity& who, const CertificateInfo& certificate) const {
    Member member{.name = who.name,
                  .uid = who.uid,
                  .advertise = who.advertise,
                  .role = MemberRole::kVoter,
                  .state = MemberState::kReady,
                  .certificate_serial = certificate.serial,
                  .certificate_until = certificate.not_after,
                  .joined_at = to_rfc3339(clock.wall()),
                  .version = settings.version};
    member.etcd_client_url = etcd_client_url(advertise.host, who.etcd_client_port);
    member.etcd_peer_url = etcd_client_url(advertise.host, who.etcd_peer_port);
    return member;
}

Status Node::Impl::start_first_etcd(const Identity& who) {
    EtcdConfig config = etcd_config(who);
    config.initial_cluster = {{who.name, etcd_client_url(advertise.host, who.etcd_peer_port)}};
    RETURN_IF_ERROR(run_on_loop([this, config]() -> Status {
        start_supervisor(config);
        return {};
    }));
    store::EtcdAdmin admin(etcd_options(who.etcd_endpoints));
    const bool up = poll_until(clock, kEtcdStartMax, [&] {
        const auto status = admin.status(who.etcd_endpoints.front());
        return status && status->leader != 0;
    });
    if (up) return {};
    std::string why;
    (void)run_on_loop([&]() -> Status {
        why = supervisor->status().last_exit;
        supervisor->stop(seconds(1), [] {});
        return {};
    });
    return fail(
        ErrorCode::kUnavailable, "etcd did not start" + (why.empty() ? std::string() : ": " + why),
        "see " + files.root() + "/etcd.log; are the ports " + std::to_string(who.etcd_client_port) +
            " and " + std::to_string(who.etcd_peer_port) + " free?");
}

// Keys that live as long as a lease are not moved: their holders write them anew.
Status Node::Impl::move_contents(store::Store& from, store::Store& to) {
    gate->close();
    if (!poll_until(clock, kWritesEndMax, [&] { return gate->writes_under_way() == 0; }))
        return fail(ErrorCode::kTimeout, "writes to the embedded store do not end");
    ASSIGN_OR_RETURN(const auto all, read_all(from, ""));
    store::Transaction batch;
    std::size_t bytes = 0, moved = 0;
    const auto flush = [&]() -> Status {
        if (batch.empty()) return {};
        ASSIGN_OR_RETURN(const auto committed, commit_now(to, std::exchange(batch, {})));
        if (!committed.succeeded) return fail(ErrorCode::kInternal, "the new etcd is not empty");
        bytes = 0;
        return {};
    };
    for (const auto& item : all.items) {
        if (item.lease != 0) continue;
        const std::size_t size = item.key.size() * 2 + item.value.size();
        if (batch.puts.size() == kMoveKeys || bytes + size > kMoveBytes) RETURN_IF_ERROR(flush());
        batch.compares.push_back({item.key, 0});
        batch.puts.push_back({item.key, item.value});
        bytes += size;
        ++moved;
    }
    RETURN_IF_ERROR(flush());
    ASSIGN_OR_RETURN(const auto arrived, read_all(to, ""));
    std::map<std::string_view, std::string_view> there;
    for (const auto& item : arrived.items) there.emplace(item.key, item.value);
    for (const auto& item : all.items)
        if (item.lease == 0 && (!there.contains(item.key) || there[item.key] != item.value))
            return fail(ErrorCode::kInternal, "key \"" + item.key + "\" did not arrive in etcd");
    log.info("store moved to etcd", {{"keys", moved}, {"revision", all.revision}});
    return {};
}

}  // namespace blixard::cluster
