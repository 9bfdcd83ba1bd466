#include "cluster/etcd_plan.h"

#include <arpa/inet.h>

#include <algorithm>

namespace blixard::cluster {
namespace {

bool is_address(const std::string& text) {
    unsigned char bytes[sizeof(in6_addr)];
    return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

std::string initial_cluster_text(const std::vector<EtcdPeer>& peers) {
    std::string text;
    for (const EtcdPeer& peer : peers)
        text += (text.empty() ? "" : ",") + peer.name + "=" + peer.peer_url;
    return text;
}

std::string mib(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

constexpr Millis kDefragmentFullInterval = seconds(60);

bool due(MonoTime last, Millis interval, MonoTime now) {
    return last.ms == 0 || now - last >= interval;
}

// Half of the file or more is air, and the file is large enough to care.
bool is_hollow(const EtcdMemberFacts& member) {
    return member.database_bytes >= kDefragmentBytesMin &&
           member.database_bytes_in_use * 2 <= member.database_bytes;
}
bool is_full(const EtcdMemberFacts& member, std::uint64_t quota_bytes) {
    return member.database_bytes * 100 >= quota_bytes * kQuotaWarningPercent;
}
std::uint64_t air(const EtcdMemberFacts& member) {
    return member.database_bytes - member.database_bytes_in_use;
}

// A leader that was cut off, or whose host slept, takes itself for one still.
bool is_followed_by_most(const EtcdFacts& facts) {
    const auto follows = [](const EtcdMemberFacts& member) { return member.follows; };
    const auto following = std::count_if(facts.members.begin(), facts.members.end(), follows);
    return static_cast<std::size_t>(following) * 2 > facts.members_in_all;
}

// The one with the most to gain, the leader last. Only the leader's host gives the order, waits for
// its end, and gives none while a member seems to be at it still.
std::string whom_to_defragment(const EtcdFacts& facts, MonoTime now) {
    if (!facts.leader || facts.leading_for < kDefragmentAfter) return {};
    if (!is_followed_by_most(facts)) return {};
    if (!facts.no_space_alarm && !facts.all_members_healthy) return {};
    const Millis interval = facts.no_space_alarm ? kDefragmentFullInterval : kDefragmentInterval;
    const EtcdMemberFacts* chosen = nullptr;
    for (const EtcdMemberFacts& member : facts.members) {
        if (!member.reads) return {};
        const bool wants =
            facts.no_space_alarm ? is_full(member, facts.quota_bytes) : is_hollow(member);
        if (!wants || !due(member.defragmented_at, interval, now)) continue;
        const auto rank = [](const EtcdMemberFacts& one) {
            return std::pair(!one.leads, air(one));
        };
        if (chosen == nullptr || rank(member) > rank(*chosen)) chosen = &member;
    }
    return chosen == nullptr ? std::string() : chosen->name;
}

// A leader that sees room everywhere.
bool may_disarm(const EtcdFacts& facts) {
    return facts.leader &&
           std::all_of(facts.members.begin(), facts.members.end(),
                       [&](const auto& member) { return !is_full(member, facts.quota_bytes); });
}

}  // namespace

std::string etcd_client_url(const std::string& host, int port) {
    const bool six = host.find(':') != std::string::npos;
    return "https://" + (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::vector<std::string> etcd_arguments(const EtcdConfig& config) {
    const std::string listen_host = is_address(config.listen_host) ? config.listen_host : "0.0.0.0";
    const std::string peer_url = etcd_client_url(config.listen_host, config.peer_port);
    const std::string client_url = etcd_client_url(config.listen_host, config.client_port);
    return {
        config.program,
        "--name=" + config.name,
        "--data-dir=" + config.data_directory,
        "--listen-peer-urls=" + etcd_client_url(listen_host, config.peer_port),
        "--listen-client-urls=" + etcd_client_url(listen_host, config.client_port),
        "--initial-advertise-peer-urls=" + peer_url,
        "--advertise-client-urls=" + client_url,
        "--initial-cluster=" + initial_cluster_text(config.initial_cluster),
        "--initial-cluster-state=" + std::string(config.joins_existing ? "existing" : "new"),
        "--initial-cluster-token=" + config.cluster_id,
        "--heartbeat-interval=" + std::to_string(config.heartbeat.count),
        "--election-timeout=" + std::to_string(config.election.count),
        "--pre-vote=true",
        "--quota-backend-bytes=" + std::to_string(config.quota_bytes),
        "--snapshot-count=" + std::to_string(config.snapshot_count),
        "--backend-batch-limit=" + std::to_string(config.batch_limit),
        "--auto-compaction-retention=0",
        "--client-cert-auth",
        "--trusted-ca-file=" + config.authority_file,
        "--cert-file=" + config.certificate_file,
        "--key-file=" + config.key_file,
        "--client-crl-file=" + config.revocation_file,
        "--peer-client-cert-auth",
        "--peer-trusted-ca-file=" + config.authority_file,
        "--peer-cert-file=" + config.certificate_file,
        "--peer-key-file=" + config.key_file,
        "--peer-crl-file=" + config.revocation_file,
        "--logger=zap",
        "--log-outputs=stderr",
        "--log-level=warn",
    };
}

Millis restart_delay(int attempt) {
    const int doublings = std::clamp(attempt - 1, 0, 6);
    return std::min(Millis{std::int64_t{200} << doublings}, seconds(10));
}

void RevisionHistory::note(MonoTime now, std::int64_t revision) {
    if (!marks_.empty() && marks_.back().second == revision) return;
    marks_.emplace_back(now, revision);
    if (marks_.size() > kRevisionMarks) marks_.pop_front();
}

std::int64_t RevisionHistory::revision_before(MonoTime now, Millis age) const {
    std::int64_t revision = 0;
    for (const auto& [time, marked] : marks_)
        if (now - time >= age) revision = marked;
    return revision;
}

EtcdUpkeep plan_upkeep(const EtcdFacts& facts, MonoTime now) {
    EtcdUpkeep upkeep;
    if (facts.corrupt_alarm) {
        upkeep.warning =
            "etcd found one member's data to differ from the others'; restore that member: blixard "
            "cluster "
            "remove it and let it join anew";
        return upkeep;
    }
    if (facts.no_space_alarm) {
        // Everything but the present goes; etcd takes writes again only after the alarm is
        // disarmed.
        if (facts.leader && facts.compacted < facts.revision) upkeep.compact_to = facts.revision;
        upkeep.defragment = whom_to_defragment(facts, now);
        upkeep.disarm_no_space = may_disarm(facts);
        upkeep.warning = "etcd's quota is used up: " + mib(facts.database_bytes) + " of " +
                         mib(facts.quota_bytes) + "; writes are refused until space is freed";
        return upkeep;
    }
    if (facts.leader && due(facts.compacted_at, kCompactionInterval, now) &&
        facts.history_revision > facts.compacted)
        upkeep.compact_to = facts.history_revision;
    upkeep.defragment = whom_to_defragment(facts, now);
    if (facts.quota_bytes > 0 &&
        facts.database_bytes_in_use * 100 >= facts.quota_bytes * kQuotaWarningPercent)
        upkeep.warning = "etcd uses " + mib(facts.database_bytes_in_use) + " of its quota of " +
                         mib(facts.quota_bytes);
    return upkeep;
}

bool may_order(MonoTime asked, MonoTime now) { return now - asked <= kDefragmentOrderMost; }

}  // namespace blixard::cluster
