// What a member does once a second: become a voter or stop being one as its record says, keep etcd
// up, replace voters that are lost, and renew its certificate. Each step looks at the whole present
// state and does the next right thing; one that fails is tried again at the next tick.
#include "cluster/node_impl.h"
#include "os/files.h"
#include "os/tcp_table.h"
#include "store/etcd/etcd_store.h"

namespace blixard::cluster {
namespace {

constexpr Millis kStoreAnswersWithin = seconds(5);  // of a start; later it is worth a word
constexpr Millis kUpkeepInterval = seconds(10);
constexpr Millis kRenewalInterval = seconds(3600);
constexpr Millis kEtcdStopGrace = seconds(5);
constexpr Millis kCutInterval = seconds(8);  // five voters have all done it within a minute

const store::EtcdMember* find_by_url(const std::vector<store::EtcdMember>& members,
                                     const std::string& peer_url) {
    for (const auto& member : members)
        if (!member.peer_urls.empty() && member.peer_urls.front() == peer_url) return &member;
    return nullptr;
}

std::string endpoint_of_url(const std::string& url) {
    static constexpr std::string_view kScheme = "https://";
    return url.starts_with(kScheme) ? url.substr(kScheme.size()) : std::string();
}
std::string endpoint_of(const Member& member) { return endpoint_of_url(member.etcd_client_url); }
std::string endpoint_of(const store::EtcdMember& member) {
    return member.client_urls.empty() ? std::string() : endpoint_of_url(member.client_urls.front());
}

std::uint64_t bytes_of(std::int64_t count) { return static_cast<std::uint64_t>(count); }

}  // namespace

void Node::Impl::tick() {
    const auto who = identity_now();
    if (!who || !started) return;
    const auto members = members_now();
    if (!members->meta && clock.mono() - started_at < kStoreAnswersWithin) return;
    Status member = check_still_member(who->name, who->uid, *members);
    Status duty;
    if (member) duty = members->meta ? do_duty(*who, *members) : Status(fail(store_silent(*who)));
    if (member) member = check_with_voters(*who, duty.has_value());
    note_standing(member, duty);
}

// One look at what a member has to do, and the next step of it.
Status Node::Impl::do_duty(const Identity& who, const Membership& members) {
    const Member& me = *members.find(who.name);
    RETURN_IF_ERROR(follow_endpoints(members));
    RETURN_IF_ERROR(note_version(members));
    if (me.role == MemberRole::kVoter && me.state != MemberState::kLeaving) {
        bool supervised = false;
        RETURN_IF_ERROR(run_on_loop([&]() -> Status {
            supervised = supervisor != nullptr;
            return {};
        }));
        if (!who.runs_etcd || !supervised) RETURN_IF_ERROR(become_voter(members));
    }
    if (identity_now()->runs_etcd) RETURN_IF_ERROR(tend_etcd(me, members));
    return renew_certificate(members);
}

Status Node::Impl::tend_etcd(const Member& me, const Membership& members) {
    store::EtcdAdmin& admin = etcd_admin();
    ASSIGN_OR_RETURN(const auto etcd, admin.members());
    const auto* own = find_by_url(etcd, me.etcd_peer_url);
    if (own == nullptr && me.role == MemberRole::kWorker) return retire_etcd();
    if (own != nullptr && own->learner && !own->name.empty()) {
        const Status promoted = admin.promote(own->id);
        if (promoted) log.info("etcd member promoted", {{"node", me.name}});
    }
    RETURN_IF_ERROR(write_revocations(members));
    const auto status = admin.status(endpoint_of(me));
    const bool leader = status && status->leader == status->id;
    if (!leader) leading = {};
    if (leader && leading.term != status->raft_term) leading = {status->raft_term, clock.mono()};
    if (leader) RETURN_IF_ERROR(lead(etcd));
    RETURN_IF_ERROR(cut_off_revoked(etcd, leader, endpoint_of(me)));
    return keep_up(etcd);
}

store::EtcdAdmin& Node::Impl::etcd_admin() {
    auto endpoints = endpoints_own_first();
    if (admin && endpoints == admin_endpoints) return *admin;
    admin = std::make_unique<store::EtcdAdmin>(etcd_options(endpoints));
    admin_endpoints = std::move(endpoints);
    return *admin;
}

// An upgraded daemon says so in its member's record.
Status Node::Impl::note_version(const Membership& members) {
    Member changed = *members.find(settings.name);
    if (changed.version == settings.version) return {};
    changed.version = settings.version;
    store::Transaction put;
    put.compares = {{member_key(changed.name), members.revision_of(member_key(changed.name))}};
    put.puts = {{member_key(changed.name), write_record(changed)}};
    RETURN_IF_ERROR(commit_now(*store, std::move(put)));
    return {};
}

// The store is asked at the voters of now.
Status Node::Impl::follow_endpoints(const Membership& members) {
    const Identity before = *identity_now();
    Identity who = before;
    const auto endpoints = etcd_endpoints(members);
    if (endpoints.empty()) return {};
    who.etcd_endpoints = endpoints;
    who.voter_addresses = voter_addresses(members);
    if (who == before) return {};
    RETURN_IF_ERROR(save_identity(who));
    if (endpoints == before.etcd_endpoints) return {};
    return run_on_loop([this]() -> Status {
        if (following == nullptr) return {};
        ASSIGN_OR_RETURN(auto next, store::EtcdStore::connect(etcd_options(endpoints_own_first()),
                                                              loop, clock, log));
        following->replace(std::move(next));
        return {};
    });
}

// Learner first: it copies the data while it does not count; tick() promotes it when it has caught
// up.
Status Node::Impl::become_voter(const Membership& members) {
    Identity who = *identity_now();
    const Member& me = *members.find(who.name);
    RETURN_IF_ERROR(fetch_voter_key(members));
    RETURN_IF_ERROR(write_revocations(members));
    std::vector<std::string> others;
    for (const auto& endpoint : etcd_endpoints(members))
        if (endpoint != endpoint_of(me)) others.push_back(endpoint);
    if (others.empty()) return fail(ErrorCode::kUnavailable, "no other voter to join etcd through");
    store::EtcdAdmin admin(etcd_options(others));
    ASSIGN_OR_RETURN(auto etcd, admin.members());
    const auto* own = find_by_url(etcd, me.etcd_peer_url);
    // A member that ran before and has no data must not come back under its old id: it may have
    // voted.
    const bool ran_before = own != nullptr && !own->name.empty();
    if (ran_before) RETURN_IF_ERROR(admin.remove(own->id));
    if (own == nullptr || ran_before) {
        ASSIGN_OR_RETURN(const auto added, admin.add_learner(me.etcd_peer_url));
        log.info("etcd learner added", {{"node", who.name}, {"member", added.id}});
        ASSIGN_OR_RETURN(etcd, admin.members());
    }
    RETURN_IF_ERROR(os::remove_tree(files.etcd_data()));
    EtcdConfig config = etcd_config(who);
    config.joins_existing = true;
    for (const auto& member : etcd)
        if (!member.peer_urls.empty())
            config.initial_cluster.push_back(
                {member.peer_urls.front() == me.etcd_peer_url ? who.name : member.name,
                 member.peer_urls.front()});
    who.runs_etcd = true;
    RETURN_IF_ERROR(save_identity(who));
    return run_on_loop([this, config]() -> Status {
        start_supervisor(config);
        return {};
    });
}

Status Node::Impl::fetch_voter_key(const Membership& members) {
    if (os::path_exists(files.voter_key())) return {};
    Error last{ErrorCode::kUnavailable, "no voter to ask for the voter key", {}, {}};
    for (const auto& [name, member] : members.members) {
        if (member.role != MemberRole::kVoter || name == settings.name) continue;
        const auto key = await<std::string>([&, to = name](Callback<std::string> done) {
            loop.post([this, to, done] { client->voter_key(to, done); });
        });
        if (key) return os::write_file_atomically(files.voter_key(), *key);
        last = key.error();
    }
    return fail(std::move(last));
}

Status Node::Impl::retire_etcd() {
    auto stopped = await<bool>([&](Callback<bool> done) {
        loop.post([this, done] {
            if (!supervisor) return done(true);
            supervisor->stop(kEtcdStopGrace, [done] { done(true); });
        });
    });
    if (!stopped) return fail(stopped.error());
    RETURN_IF_ERROR(run_on_loop([this]() -> Status {
        supervisor.reset();
        return {};
    }));
    Identity who = *identity_now();
    who.runs_etcd = false;
    RETURN_IF_ERROR(save_identity(who));
    RETURN_IF_ERROR(os::remove_file(files.voter_key()));
    RETURN_IF_ERROR(os::remove_tree(files.etcd_data()));
    log.info("etcd stopped: this host does not vote any more", {{"node", who.name}});
    return {};
}

// etcd reads the list at each new connection; those that stand are cut a little later, by one voter
// after the other.
Status Node::Impl::write_revocations(const Membership& members) {
    std::vector<std::string> serials;
    for (const auto& [serial, revoked] : members.revoked) serials.push_back(serial);
    if (revocations_written && serials == revoked_written) return {};
    for (const auto& [serial, revoked] : members.revoked) {
        const bool known = std::find(revoked_written.begin(), revoked_written.end(), serial) !=
                           revoked_written.end();
        if (!revocations_written || known || revoked.address.empty()) continue;
        std::int64_t before_us = 0;
        for (const auto& [name, member] : members.members)
            before_us += member.role == MemberRole::kVoter && name < settings.name ? 1 : 0;
        to_cut.insert(revoked.address);
        cut_at = clock.mono() + kCutInterval * (before_us + 1);
    }
    ASSIGN_OR_RETURN(const Authority authority, open_authority(members));
    ASSIGN_OR_RETURN(const std::string list,
                     issue_revocation_list(authority, serials, clock.wall(), kAuthorityLife));
    RETURN_IF_ERROR(os::write_file_atomically(files.revocations(), list));
    revoked_written = std::move(serials);
    revocations_written = true;
    return {};
}

// etcd judges a certificate only when a connection begins, so who was removed with a connection
// open would keep it. It ends with etcd; the others serve meanwhile.
Status Node::Impl::cut_off_revoked(const std::vector<store::EtcdMember>& etcd, bool leader,
                                   const std::string& own_endpoint) {
    if (cut_at.ms == 0 || clock.mono() < cut_at) return {};
    const auto who = identity_now();
    ASSIGN_OR_RETURN(const bool connected,
                     os::is_connected(to_cut, {who->etcd_client_port, who->etcd_peer_port}));
    if (connected) {
        if (leader)
            for (const auto& other : etcd) {
                if (other.learner || other.name.empty() || other.name == settings.name) continue;
                if (etcd_admin().move_leader(own_endpoint, other.id)) break;
            }
        log.info("etcd starts anew: a host that was removed is still connected to it",
                 {{"node", settings.name}});
        RETURN_IF_ERROR(run_on_loop([this]() -> Status {
            if (supervisor) supervisor->restart();
            return {};
        }));
    }
    to_cut.clear();
    cut_at = {};
    return {};
}

// The voter whose etcd leads decides who votes. Whoever else thinks it leads loses at the compare.
Status Node::Impl::lead(const std::vector<store::EtcdMember>& etcd) {
    // After etcd's list: a member of etcd was added only after its record said "voter".
    ASSIGN_OR_RETURN(const Membership members, read_membership(*store));
    if (!members.meta) return {};
    const auto change_role = [&](const std::string& name, MemberRole role) -> Status {
        Member changed = *members.find(name);
        changed.role = role;
        store::Transaction put;
        put.compares = {{member_key(name), members.revision_of(member_key(name))}};
        put.puts = {{member_key(name), write_record(changed)}};
        RETURN_IF_ERROR(commit_now(*store, std::move(put)));
        log.info("voter changed", {{"node", name}, {"role", role_name(role)}});
        return {};
    };
    const VoterPlan plan = plan_voters(voter_facts(members, etcd), members.meta->voters_wanted,
                                       kVoterLostAfterDefault);
    for (const auto& name : plan.promote) RETURN_IF_ERROR(change_role(name, MemberRole::kVoter));
    for (const auto& name : plan.demote) RETURN_IF_ERROR(change_role(name, MemberRole::kWorker));
    store::EtcdAdmin& admin = etcd_admin();
    for (const auto& one : etcd) {
        const bool wanted =
            std::any_of(members.members.begin(), members.members.end(), [&](const auto& entry) {
                return entry.second.role == MemberRole::kVoter && !one.peer_urls.empty() &&
                       entry.second.etcd_peer_url == one.peer_urls.front();
            });
        if (wanted) continue;
        RETURN_IF_ERROR(admin.remove(one.id));
        log.info("etcd member removed", {{"member", one.id}, {"node", one.name}});
    }
    return {};
}

std::vector<EtcdMemberFacts> Node::Impl::member_facts(const EtcdReport& found) {
    std::vector<EtcdMemberFacts> facts;
    const auto own = found.statuses.find(settings.name);
    const store::EtcdMemberId own_id = own == found.statuses.end() ? 0 : own->second.id;
    for (const auto& member : found.members) {
        const auto status = found.statuses.find(member.name);
        if (status == found.statuses.end()) continue;
        facts.push_back({.name = member.name,
                         .leads = status->second.leader == member.id,
                         .follows = own_id != 0 && status->second.leader == own_id &&
                                    status->second.raft_term == leading.term,
                         .reads = etcd_admin().answers_reads(endpoint_of(member)),
                         .database_bytes = bytes_of(status->second.database_bytes),
                         .database_bytes_in_use = bytes_of(status->second.database_bytes_in_use),
                         .defragmented_at = defragmented_at[member.name]});
    }
    return facts;
}

EtcdFacts Node::Impl::etcd_facts(const EtcdReport& found, std::size_t members, MonoTime now) {
    EtcdFacts facts;
    facts.leader = leading.term != 0;
    if (facts.leader) {
        facts.leading_for = now - leading.since;
        facts.members = member_facts(found);
    }
    facts.all_members_healthy = found.statuses.size() == members;
    facts.members_in_all = members;
    facts.quota_bytes = etcd_config(*identity_now()).quota_bytes;
    if (const auto own = found.statuses.find(settings.name); own != found.statuses.end()) {
        facts.database_bytes = bytes_of(own->second.database_bytes);
        facts.database_bytes_in_use = bytes_of(own->second.database_bytes_in_use);
    }
    for (const auto& alarm : found.alarms) {
        facts.no_space_alarm |= alarm.kind == store::EtcdAlarmKind::kNoSpace;
        facts.corrupt_alarm |= alarm.kind == store::EtcdAlarmKind::kCorrupt;
    }
    if (const auto revision =
            await<store::Revision>([&](auto done) { store->current_revision(std::move(done)); })) {
        facts.revision = *revision;
        history.note(now, *revision);
    }
    facts.history_revision = history.revision_before(now, kHistoryKept);
    facts.compacted = compacted;
    facts.compacted_at = compacted_at;
    return facts;
}

// What was found before is as old as this thread was slow: it is asked and decided again, and acted
// on at once (kDefragmentOrderMost says why).
Status Node::Impl::defragment(std::size_t members) {
    const MonoTime asked = clock.mono();
    const EtcdReport found = ask_etcd();
    const std::string name = plan_upkeep(etcd_facts(found, members, asked), asked).defragment;
    for (const auto& member : found.members) {
        if (name.empty() || member.name != name) continue;
        if (!may_order(asked, clock.mono())) return {};
        defragmented_at[name] = clock.mono();
        RETURN_IF_ERROR(etcd_admin().defragment(endpoint_of(member)));
        log.info("etcd defragmented",
                 {{"node", name}, {"bytes", found.statuses.at(name).database_bytes}});
    }
    return {};
}

Status Node::Impl::keep_up(const std::vector<store::EtcdMember>& etcd) {
    const MonoTime now = clock.mono();
    if (upkeep_at.ms != 0 && now - upkeep_at < kUpkeepInterval) return {};
    upkeep_at = now;
    store::EtcdAdmin& admin = etcd_admin();
    const EtcdReport found = ask_etcd();
    const EtcdUpkeep upkeep = plan_upkeep(etcd_facts(found, etcd.size(), now), now);
    {
        const std::lock_guard lock(mutex);
        if (upkeep_said != upkeep.warning && !upkeep.warning.empty())
            log.warn("etcd upkeep", {{"node", settings.name}, {"warning", upkeep.warning}});
        upkeep_said = upkeep.warning;
    }
    if (upkeep.compact_to != 0) {
        compacted_at = now;
        const auto done = await<store::Revision>(
            [&](auto call) { store->compact(upkeep.compact_to, std::move(call)); });
        if (!done && done.error().code != ErrorCode::kCompacted) return fail(done.error());
        compacted = upkeep.compact_to;
    }
    if (!upkeep.defragment.empty()) RETURN_IF_ERROR(defragment(etcd.size()));
    if (upkeep.disarm_no_space)
        for (const auto& alarm : found.alarms)
            if (alarm.kind == store::EtcdAlarmKind::kNoSpace) RETURN_IF_ERROR(admin.disarm(alarm));
    return {};
}

Status Node::Impl::renew_certificate(const Membership& members) {
    const MonoTime now = clock.mono();
    // A twentieth of a short life: the last third has room for many attempts.
    const Millis interval = std::min(kRenewalInterval, members.meta->certificate_life / 20);
    if (renewal_at.ms != 0 && now - renewal_at < interval) return {};
    ASSIGN_OR_RETURN(const std::string pem, os::read_file(files.certificate()));
    ASSIGN_OR_RETURN(const auto info, inspect_certificate(pem));
    if (judge_renewal(info.not_before, info.not_after, clock.wall()) == Renewal::kNone) {
        renewal_at = now;
        return {};
    }
    ASSIGN_OR_RETURN(const auto keys, make_certificate_request(settings.name));
    Result<std::string> renewed =
        fail(ErrorCode::kUnavailable, "no voter to renew this host's certificate");
    if (os::path_exists(files.voter_key())) renewed = renew(settings.name, keys.request_pem);
    for (const auto& [name, member] : members.members) {
        if (renewed || member.role != MemberRole::kVoter || name == settings.name) continue;
        renewed = await<std::string>([&, to = name](Callback<std::string> done) {
            loop.post([this, to, pem = keys.request_pem, done] { client->renew(to, pem, done); });
        });
    }
    if (!renewed) return fail(renewed.error());
    RETURN_IF_ERROR(files.replace_pair(keys.key_pem, *renewed, members.meta->authority_pem));
    renewal_at = now;
    log.info("certificate renewed; the daemon restarts to use it", {{"node", settings.name}});
    hooks.restart();
    return {};
}

}  // namespace blixard::cluster
