// `cluster leave` (this host) and `cluster remove NAME` (a host that is gone).
#include "base/counted.h"
#include "cluster/json_fields.h"
#include "cluster/node_impl.h"
#include "os/files.h"
#include "store/etcd/etcd_store.h"

namespace blixard::cluster {
namespace {

constexpr const char* kLeft = "left the cluster";
constexpr Millis kSuccessionMax = seconds(60);  // for another voter to take over
constexpr Millis kSuccessionPoll{500};
constexpr Millis kRemovalMax = seconds(20);

Error in_no_cluster() {
    return {ErrorCode::kConflict,
            "this host stands alone: it is in no cluster",
            {},
            "found one: blixard cluster init; or join one: blixard cluster join TOKEN"};
}

// etcd says so while it elects a leader, or has just changed its members.
bool is_passing(const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kUnknownOutcome ||
           error.code == ErrorCode::kTimeout;
}

void add_revocations(const Member& member, const std::string& reason, WallTime now,
                     store::Transaction& out) {
    // A host that left has ended its connections by itself.
    const auto address = parse_host_port(reason == kLeft ? "" : member.advertise);
    for (const std::string& serial : {member.certificate_serial, member.previous_serial}) {
        if (serial.empty()) continue;
        const Revoked revoked{.serial = serial,
                              .name = member.name,
                              .revoked_at = to_rfc3339(now),
                              .reason = reason,
                              .address = address ? address->host : std::string(),
                              .certificate_until = member.certificate_until};
        out.puts.push_back({revoked_key(serial), write_record(revoked)});
    }
}

const store::EtcdMember* find_by_url(const std::vector<store::EtcdMember>& members,
                                     const std::string& peer_url) {
    for (const auto& member : members)
        if (!member.peer_urls.empty() && member.peer_urls.front() == peer_url) return &member;
    return nullptr;
}

}  // namespace

// The member goes, and with it what the cluster knows of the host; its lease's key goes by itself.
store::Transaction Node::Impl::departure(const Membership& members, const Member& member,
                                         const std::string& reason, WallTime now,
                                         bool with_node_records) {
    store::Transaction change;
    change.compares = {{member_key(member.name), members.revision_of(member_key(member.name))}};
    change.deletes = {member_key(member.name)};
    if (with_node_records) {
        change.deletes.push_back("nodes/" + member.name + "/spec");
        change.deletes.push_back("nodes/" + member.name + "/status");
    }
    add_revocations(member, reason, now, change);
    return change;
}

Result<std::vector<std::string>> Node::Impl::vms_on(const std::string& name) {
    ASSIGN_OR_RETURN(const auto all, read_all(*store, "vms/"));
    std::vector<std::string> vms;
    for (const auto& item : all.items) {
        if (!item.key.ends_with("/placement")) continue;
        auto placement = JsonFields::parse(item.value);
        if (placement && placement->take_text("node") == name)
            vms.push_back(
                item.key.substr(4, item.key.size() - 4 - std::string_view("/placement").size()));
    }
    return vms;
}

// For a cluster that is gone: it is asked nothing and told nothing.
Status Node::Impl::abandon() {
    const auto who = identity_now();
    if (!who) return fail(in_no_cluster());
    if (const auto members = read_membership(*store);
        members && members->meta && members->find(who->name) != nullptr)
        return fail(ErrorCode::kConflict, "the cluster answers, and this host is a member of it",
                    "leave it properly: blixard cluster leave");
    return forget_cluster(*who);
}

Status Node::Impl::forget_cluster(const Identity& who) {
    if (who.runs_etcd) RETURN_IF_ERROR(retire_etcd());
    RETURN_IF_ERROR(files.clear());
    for (const char* file : {"/store.db", "/store.db-wal", "/store.db-shm"})
        RETURN_IF_ERROR(os::remove_file(settings.data_dir + file));
    RETURN_IF_ERROR(
        os::write_file_atomically(settings.data_dir + "/" + kLeftClusterFile, who.name + "\n"));
    log.info("cluster left", {{"node", who.name}});
    return {};
}

Status Node::Impl::leave() {
    const auto who = identity_now();
    if (!who) return fail(in_no_cluster());
    const Status standing = check_standing();
    const bool was_removed = !standing && standing.error().code == ErrorCode::kDenied;
    if (!was_removed) RETURN_IF_ERROR(give_notice(*who));
    return forget_cluster(*who);
}

// The others know that this host leaves, and go on without it.
Status Node::Impl::give_notice(const Identity& who) {
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    if (members.find(who.name) == nullptr)
        return fail(ErrorCode::kUnavailable, "this host's record is not in the store; ask again");
    if (members.members.size() == 1)
        return fail(ErrorCode::kConflict,
                    "this host is the cluster's last: its store would be lost",
                    "it can go on as a cluster of one; to end it, stop the daemon and remove its "
                    "data directory");
    ASSIGN_OR_RETURN(const auto vms, vms_on(who.name));
    if (!vms.empty())
        return fail(
            ErrorCode::kConflict,
            counted(vms.size(), "VM") + " on this host, for example \"" + vms.front() + "\"",
            "drain it first: blixard node drain " + who.name);
    RETURN_IF_ERROR(set_member_state(who.name, MemberState::kLeaving));
    const Status gone = step_down(who);
    if (!gone) (void)set_member_state(who.name, MemberState::kReady);
    return gone;
}

Status Node::Impl::set_member_state(const std::string& name, MemberState state) {
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    if (members.find(name) == nullptr)
        return fail(ErrorCode::kConflict, "this host was removed meanwhile");
    Member changed = *members.find(name);
    changed.state = state;
    store::Transaction put;
    put.compares = {{member_key(name), members.revision_of(member_key(name))}};
    put.puts = {{member_key(name), write_record(changed)}};
    RETURN_IF_ERROR(commit_now(*store, std::move(put)));
    return {};
}

Status Node::Impl::step_down(const Identity& who) {
    Membership members;
    std::vector<std::string> others;
    // Until another host votes in its place, and etcd agrees: it refuses a change before its
    // members have been connected for some seconds.
    const MonoTime deadline = clock.mono() + kSuccessionMax;
    while (true) {
        const Status out_of_quorum = [&]() -> Status {
            ASSIGN_OR_RETURN(const auto etcd, etcd_admin().members());
            ASSIGN_OR_RETURN(members, read_membership(*store));
            const Member* me = members.find(who.name);
            if (me == nullptr) return fail(ErrorCode::kConflict, "this host was removed meanwhile");
            others.clear();
            for (const auto& endpoint : etcd_endpoints(members))
                if (me->etcd_client_url != "https://" + endpoint) others.push_back(endpoint);
            RETURN_IF_ERROR(check_voter_may_go(who.name, voter_facts(members, etcd)));
            const auto* own = find_by_url(etcd, me->etcd_peer_url);
            return own != nullptr ? store::EtcdAdmin(etcd_options(others)).remove(own->id)
                                  : Status{};
        }();
        if (out_of_quorum) break;
        if (clock.mono() >= deadline) return out_of_quorum;
        tick();  // this host may be the one that has to promote its successor
        std::this_thread::sleep_for(std::chrono::milliseconds(kSuccessionPoll.count));
    }
    ASSIGN_OR_RETURN(auto made, store::EtcdStore::connect(etcd_options(others), loop, clock, log));
    const std::shared_ptr<store::Store> elsewhere = std::move(made);
    auto change = departure(members, *members.find(who.name), kLeft, clock.wall(), true);
    change.compares.clear();
    // Where this host's etcd led, another is being elected just now. Nothing is compared: the same
    // write twice is one.
    const MonoTime written_by = clock.mono() + kRemovalMax;
    auto committed = commit_now(*elsewhere, change);
    while (!committed && is_passing(committed.error()) && clock.mono() < written_by) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kSuccessionPoll.count));
        committed = commit_now(*elsewhere, change);
    }
    loop.post([elsewhere] {});  // its end is the loop's
    if (!committed) return fail(committed.error());
    return {};
}

Status Node::Impl::remove(const std::string& name) {
    if (!identity_now()) return fail(in_no_cluster());
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    const Member* gone = members.find(name);
    if (gone == nullptr)
        return fail(ErrorCode::kNotFound, "\"" + name + "\" is no member of this cluster",
                    "see: blixard cluster members");
    if (name == settings.name)
        return fail(ErrorCode::kConflict, "\"" + name + "\" is this very host",
                    "take it out with: blixard cluster leave");
    if (is_alive(name))
        return fail(ErrorCode::kConflict, "\"" + name + "\" is alive: it holds its lease",
                    "run `blixard cluster leave` there; remove is for a host that is gone");
    store::EtcdAdmin admin(etcd_options(endpoints_own_first()));
    ASSIGN_OR_RETURN(const auto etcd, admin.members());
    const auto* own = find_by_url(etcd, gone->etcd_peer_url);
    if (own != nullptr) {
        RETURN_IF_ERROR(check_voter_may_go(name, voter_facts(members, etcd)));
        // Right after another change, or a loss, etcd wants some seconds.
        const MonoTime deadline = clock.mono() + kRemovalMax;
        for (Status gone = admin.remove(own->id); !gone; gone = admin.remove(own->id)) {
            if (gone.error().code == ErrorCode::kNotFound) break;
            if (!is_passing(gone.error()) || clock.mono() >= deadline) return gone;
            std::this_thread::sleep_for(std::chrono::milliseconds(kSuccessionPoll.count));
        }
    }
    ASSIGN_OR_RETURN(const auto vms, vms_on(name));
    ASSIGN_OR_RETURN(const auto committed,
                     commit_now(*store, departure(members, *gone, "removed by an operator",
                                                  clock.wall(), vms.empty())));
    if (!committed.succeeded)
        return fail(ErrorCode::kConflict, "\"" + name + "\" changed meanwhile; ask again");
    log.info("member removed", {{"node", name}, {"serial", gone->certificate_serial}});
    return {};
}

}  // namespace blixard::cluster
