// How etcd is run and kept up: its arguments, when it is restarted, compacted, defragmented. Pure.
//
// Source: https://etcd.io/docs/v3.4/op-guide/ (configuration, maintenance, runtime
// reconfiguration), etcd 3.4.23.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace blixard::cluster {

struct EtcdPeer {
    std::string name;
    std::string peer_url;  // https://ADDR:PORT

    bool operator==(const EtcdPeer&) const = default;
};

struct EtcdConfig {
    std::string program = "/usr/bin/etcd";
    std::string name;
    std::string cluster_id;      // etcd's cluster token: members of another cluster are refused
    std::string data_directory;  // etcd's alone
    std::string listen_host;     // address that peers and clients reach; "::1" without brackets
    int client_port = 0;
    int peer_port = 0;
    std::string authority_file, certificate_file, key_file, revocation_file;
    std::vector<EtcdPeer> initial_cluster;  // counts only while the data directory is empty
    bool joins_existing = false;
    // 50/500 ms: a dead leader is replaced in about half a second to one; ten times a LAN's round
    // trip and more.
    Millis heartbeat{50};
    Millis election{500};
    std::uint64_t quota_bytes = std::uint64_t{2} << 30;
    // Raft log entries kept between snapshots; a bound on memory.
    std::uint64_t snapshot_count = 20000;
    // Writes before etcd's database file is committed (else every 100 ms). etcd 3.4 copies the
    // table of those that wait for it with every transaction and every lease renewal: at its
    // default of 10,000, after one burst, half a megabyte each time.
    std::uint32_t batch_limit = 1000;
};

// https://ADDR:PORT, IPv6 in brackets.
std::string etcd_client_url(const std::string& host, int port);

// The argument vector, program first.
std::vector<std::string> etcd_arguments(const EtcdConfig& config);

// How long to wait before the n-th restart in a row (n = 1, 2, ...): 0.2 s doubling to 10 s.
Millis restart_delay(int attempt);
// A run of this length ends the row.
inline constexpr Millis kSteadyRun = seconds(60);

// Which revision was the newest at which time, so that history can be kept by time. At most
// kRevisionMarks marks.
class RevisionHistory {
 public:
    void note(MonoTime now, std::int64_t revision);
    // The newest revision that is at least `age` old; 0: none known.
    std::int64_t revision_before(MonoTime now, Millis age) const;

 private:
    static constexpr std::size_t kRevisionMarks = 240;
    std::deque<std::pair<MonoTime, std::int64_t>> marks_;
};

inline constexpr Millis kHistoryKept = seconds(600);  // a watcher may be away this long
inline constexpr Millis kCompactionInterval = seconds(60);
// A member answers nobody while it is defragmented, so one at a time is, by the leader's host.
inline constexpr Millis kDefragmentInterval = seconds(3600);
// Why two hosts that both take themselves for the leader's do not have a member each defragmented:
// an order is given at most kDefragmentOrderMost after most members were heard to follow its
// giver's etcd in one term, and not before the giver's etcd has led for kDefragmentAfter. So a
// successor's first order comes when its predecessor's last has long been given, and then a member
// that is at it still does not answer reads, or is done.
inline constexpr Millis kDefragmentAfter = seconds(20);
inline constexpr Millis kDefragmentOrderMost = seconds(5);
inline constexpr std::uint64_t kDefragmentBytesMin = 64u << 20;
inline constexpr std::uint64_t kQuotaWarningPercent = 80;

// One that answers its status.
struct EtcdMemberFacts {
    std::string name;
    bool leads = false;
    bool follows =
        true;           // it names this host's etcd as its leader, in the term in which that leads
    bool reads = true;  // it answers reads too; one that is being defragmented does not
    std::uint64_t database_bytes = 0;
    std::uint64_t database_bytes_in_use = 0;
    MonoTime defragmented_at{};  // by this daemon's order; 0: never
};

struct EtcdFacts {
    bool leader = false;   // this host's etcd leads...
    Millis leading_for{};  // ...for so long, without a break
    bool all_members_healthy = false;
    std::size_t members_in_all = 0;  // of etcd, those included that do not answer
    std::vector<EtcdMemberFacts> members;
    std::uint64_t database_bytes = 0;  // of this host's
    std::uint64_t database_bytes_in_use = 0;
    std::uint64_t quota_bytes = 0;
    bool no_space_alarm = false;
    bool corrupt_alarm = false;
    std::int64_t revision = 0;
    std::int64_t history_revision = 0;  // RevisionHistory::revision_before(now, kHistoryKept)
    std::int64_t compacted = 0;         // what was compacted last; 0: not known
    MonoTime compacted_at{};            // by this daemon; 0: never
};

// What is to be done now.
struct EtcdUpkeep {
    std::int64_t compact_to = 0;  // 0: nothing
    std::string defragment;       // this member; empty: none
    bool disarm_no_space = false;
    std::string warning;  // for people; empty: all is well

    bool operator==(const EtcdUpkeep&) const = default;
};
EtcdUpkeep plan_upkeep(const EtcdFacts& facts, MonoTime now);

// Facts that began to be gathered at `asked` may still be followed by an order to defragment.
bool may_order(MonoTime asked, MonoTime now);

}  // namespace blixard::cluster
