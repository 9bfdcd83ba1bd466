// `cluster backup` and `cluster restore`. A restore makes this host, which stands alone, the only
// member of the cluster that the backup is of. Nothing counts until the identity file is written,
// as the last step.
#include <algorithm>

#include "cluster/node_impl.h"
#include "cluster/seal.h"
#include "os/command.h"
#include "os/files.h"
#include "store/etcd/etcd_store.h"

namespace blixard::cluster {
namespace {

constexpr const char* kEtcdctl = "/usr/bin/etcdctl";
constexpr Millis kCatchUpMax = seconds(10);
constexpr Millis kSnapshotRestoreMax = seconds(600);
constexpr Millis kOldVoterAnswerMax = seconds(2);
constexpr std::string_view kBackupPrefix = "backup-";

std::string endpoint_of_url(const std::string& url) {
    const auto at = url.find("://");
    return at == std::string::npos ? url : url.substr(at + 3);
}

// The member that leads has every acknowledged write; once it has applied what it had committed
// when it was first asked, its snapshot has them too.
Result<std::string> caught_up_leader(store::EtcdAdmin& admin, const os::SystemClock& clock) {
    const MonoTime deadline = clock.mono() + kCatchUpMax;
    std::string leader;
    std::uint64_t committed = 0;
    while (clock.mono() < deadline) {
        ASSIGN_OR_RETURN(const auto members, admin.members());
        for (const auto& member : members) {
            if (member.client_urls.empty() || member.learner) continue;
            const std::string endpoint = endpoint_of_url(member.client_urls.front());
            const auto status = admin.status(endpoint);
            if (!status || status->leader != status->id) continue;
            if (leader != endpoint) committed = status->raft_index;
            leader = endpoint;
            if (status->raft_applied_index >= committed) return leader;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return fail(ErrorCode::kUnavailable, "etcd has no leader that could be asked for a snapshot",
                "see: blixard cluster status");
}

std::int64_t count_ending(const store::RangeResult& range, std::string_view end) {
    return std::count_if(range.items.begin(), range.items.end(),
                         [&](const auto& item) { return item.key.ends_with(end); });
}

}  // namespace

void Node::Impl::sweep_backups() {
    const auto names = os::list_directory(files.root());
    if (!names) return;
    for (const std::string& name : *names)
        if (name.starts_with(kBackupPrefix)) (void)os::remove_file(files.root() + "/" + name);
}

std::string Node::Impl::voter_to_ask() const {
    if (!identity_now() || os::path_exists(files.voter_key())) return {};
    const auto members = members_now();
    for (const auto& [name, member] : members->members)
        if (member.role == MemberRole::kVoter && name != settings.name && is_alive(name))
            return name;
    return {};
}

Result<std::string> Node::Impl::make_backup(const std::string& passphrase) {
    const auto who = identity_now();
    if (!who)
        return fail(ErrorCode::kConflict, "this host stands alone: there is no cluster to back up",
                    "the whole of a single host is its data directory");
    Backup backup;
    auto voter_key = os::read_file(files.voter_key(), kVoterKeyBytes);
    if (!voter_key)
        return fail(ErrorCode::kUnavailable, "this host does not vote, and no voter can be reached",
                    "see: blixard cluster status");
    backup.voter_key = std::move(*voter_key);
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    if (!members.meta)
        return fail(ErrorCode::kInternal, "the cluster's record is not in the store");
    backup.authority_pem = members.meta->authority_pem;
    backup.sealed_authority_key = members.meta->sealed_authority_key;
    RETURN_IF_ERROR(open_authority(members));  // a backup that could not be opened is none

    const std::string base = files.root() + "/" + std::string(kBackupPrefix) + make_id(random);
    backup.snapshot_file = base + ".db";
    store::EtcdAdmin admin(etcd_options(endpoints_own_first()));
    ASSIGN_OR_RETURN(const std::string leader, caught_up_leader(admin, clock));
    RETURN_IF_ERROR(admin.save_snapshot(leader, backup.snapshot_file));
    const auto written = [&]() -> Status {
        ASSIGN_OR_RETURN(const auto vms, read_all(*store, "vms/"));
        ASSIGN_OR_RETURN(const auto images, read_all(*store, "images/"));
        ASSIGN_OR_RETURN(const auto volumes, read_all(*store, "volumes/"));
        BackupManifest& manifest = backup.manifest;
        manifest.cluster_id = who->cluster_id;
        manifest.created_at = to_rfc3339(clock.wall());
        manifest.node = settings.name;
        manifest.version = settings.version;
        manifest.revision = members.revision;
        manifest.lease_ttl_ms = members.meta->lease_ttl.count;
        for (const auto& [name, member] : members.members)
            manifest.members.push_back(
                {name, member.advertise, std::string(role_name(member.role)),
                 member.role == MemberRole::kVoter ? endpoint_of_url(member.etcd_client_url) : ""});
        manifest.vms = count_ending(vms, "/spec");
        manifest.images = static_cast<std::int64_t>(images.items.size());
        manifest.volumes = count_ending(volumes, "/spec");
        return write_backup(base + ".tar", backup, passphrase);
    }();
    (void)os::remove_file(backup.snapshot_file);
    if (!written) {
        (void)os::remove_file(base + ".tar");
        return fail(written.error());
    }
    log.info("backup made", {{"revision", members.revision}, {"encrypted", !passphrase.empty()}});
    return base + ".tar";
}

Status Node::Impl::check_restorable() {
    if (identity_now())
        return fail(ErrorCode::kConflict, "this host is a member of a cluster",
                    "restore on a host that stands alone: blixard cluster leave, or another host");
    RETURN_IF_ERROR(check_address());
    if (!os::path_exists(kEtcdctl))
        return fail(ErrorCode::kUnavailable, std::string(kEtcdctl) + " is not there",
                    "install it: apt-get install etcd-client");
    return check_nothing_here(*store);
}

// What would be restored, with every reason against it looked at. Leaves the snapshot in the
// cluster's directory.
Result<Backup> Node::Impl::read_restorable(const std::string& file, const std::string& passphrase) {
    RETURN_IF_ERROR(check_restorable());
    RETURN_IF_ERROR(files.clear());
    RETURN_IF_ERROR(os::make_directories(files.root(), 0700));
    ASSIGN_OR_RETURN(Backup backup, read_backup(file, passphrase, files.root()));
    const auto opened =
        open_sealed(backup.sealed_authority_key, backup.voter_key, backup.manifest.cluster_id);
    if (!opened)
        return fail(ErrorCode::kInvalid,
                    "the backup's keys do not fit together: " + opened.error().message,
                    "the file was changed; take another one");
    return backup;
}

Result<Identity> Node::Impl::restore(const Backup& backup) {
    const Identity who =
        first_identity(backup.manifest.cluster_id, Millis{backup.manifest.lease_ttl_ms});
    ASSIGN_OR_RETURN(std::string authority_key,
                     open_sealed(backup.sealed_authority_key, backup.voter_key, who.cluster_id));
    const Authority authority{backup.authority_pem, std::move(authority_key)};
    ASSIGN_OR_RETURN(const std::string certificate,
                     write_first_keys(who, authority, backup.voter_key, kHostCertificateLife));
    RETURN_IF_ERROR(check_cluster_is_gone(backup.manifest));

    // A token of its own: members of the cluster as it was can never join this etcd by mistake.
    const std::string peer_url = etcd_client_url(advertise.host, who.etcd_peer_port);
    RETURN_IF_ERROR(os::run_checked(
        {kEtcdctl, "snapshot", "restore", backup.snapshot_file, "--data-dir=" + files.etcd_data(),
         "--name=" + who.name, "--initial-cluster=" + who.name + "=" + peer_url,
         "--initial-advertise-peer-urls=" + peer_url,
         "--initial-cluster-token=" + who.cluster_id + "-" + who.uid},
        kSnapshotRestoreMax));
    RETURN_IF_ERROR(os::remove_file(backup.snapshot_file));
    RETURN_IF_ERROR(start_first_etcd(who));
    const Status taken = [&]() -> Status {
        ASSIGN_OR_RETURN(const auto info, inspect_certificate(certificate));
        ASSIGN_OR_RETURN(auto made, store::EtcdStore::connect(etcd_options(who.etcd_endpoints),
                                                              loop, clock, log));
        const std::shared_ptr<store::Store> etcd = std::move(made);
        const Status rewritten = take_over_records(*etcd, first_member(who, info));
        loop.post([etcd] {});  // its end is the loop's
        RETURN_IF_ERROR(rewritten);
        return files.save(who);
    }();
    if (!taken) {
        (void)run_on_loop([this]() -> Status {
            supervisor->stop(seconds(1), [] {});
            return {};
        });
        return fail(taken.error());
    }
    log.info("cluster restored",
             {{"cluster", who.cluster_id}, {"backup_of", backup.manifest.created_at}});
    return who;
}

// Two clusters that hold the same VMs would run them twice.
Status Node::Impl::check_cluster_is_gone(const BackupManifest& manifest) {
    for (const BackupMember& member : manifest.members) {
        if (member.etcd_endpoint.empty()) continue;
        store::EtcdOptions options = etcd_options({member.etcd_endpoint});
        options.request_timeout = kOldVoterAnswerMax;
        const auto status = store::EtcdAdmin(options).status(member.etcd_endpoint);
        if (status && status->leader != 0)
            return fail(
                ErrorCode::kConflict,
                "the cluster that this is a backup of is alive: \"" + member.name + "\" at " +
                    member.etcd_endpoint + " has a leader",
                "two clusters with the same VMs would run them twice; stop the old one first, "
                "or join it: blixard cluster join TOKEN");
    }
    return {};
}

// The members of before are none any more, and neither their certificates nor open tokens count.
Status Node::Impl::take_over_records(store::Store& etcd, const Member& me) {
    ASSIGN_OR_RETURN(const Membership members, read_membership(etcd));
    if (!members.meta)
        return fail(ErrorCode::kInvalid, "the snapshot in the backup holds no cluster's records");
    for (const auto& [name, member] : members.members) {
        auto change = departure(members, member, "of before a restore", clock.wall(), false);
        if (name == me.name) {
            change.deletes.clear();
            change.puts.push_back({member_key(name), write_record(me)});
        }
        ASSIGN_OR_RETURN(const auto done, commit_now(etcd, std::move(change)));
        if (!done.succeeded) return fail(ErrorCode::kInternal, "somebody else writes to this etcd");
    }
    if (members.find(me.name) == nullptr) {
        store::Transaction put;
        put.compares = {{member_key(me.name), 0}};
        put.puts = {{member_key(me.name), write_record(me)}};
        RETURN_IF_ERROR(commit_now(etcd, std::move(put)));
    }
    ASSIGN_OR_RETURN(const auto tokens, read_all(etcd, std::string(kTokensPrefix)));
    store::Transaction gone;
    for (const auto& token : tokens.items) {
        gone.deletes.push_back(token.key);
        if (gone.deletes.size() < store::kMaxOperations) continue;
        RETURN_IF_ERROR(commit_now(etcd, std::exchange(gone, {})));
    }
    if (!gone.empty()) RETURN_IF_ERROR(commit_now(etcd, std::move(gone)));
    return {};
}

}  // namespace blixard::cluster
