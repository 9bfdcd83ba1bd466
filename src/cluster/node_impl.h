// The inside of Node, shared by node_*.cc. Each of those is one part of its life and runs on the
// thread that its declaration here names.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "cluster/backup.h"
#include "cluster/blocking_store.h"
#include "cluster/ca.h"
#include "cluster/etcd_supervisor.h"
#include "cluster/following_store.h"
#include "cluster/membership.h"
#include "cluster/node.h"
#include "cluster/peer_server.h"
#include "cluster/prefix_mirror.h"
#include "os/clock.h"
#include "os/worker_pool.h"
#include "store/etcd/etcd_admin.h"

namespace blixard::cluster {

inline constexpr Millis kTickInterval{1000};

// What a look at etcd found, for `cluster status`.
struct EtcdReport {
    std::vector<store::EtcdMember> members;
    std::map<std::string, store::EtcdMemberStatus>
        statuses;  // by member name; absent: did not answer
    std::vector<store::EtcdAlarm> alarms;
    std::string warning;
};

// How far another host's clock is ahead of ours, and how sure that is; and what it runs.
struct ClockReading {
    Millis ahead{};
    Millis uncertainty{};
    std::string version;
};

// What an operator should know and do something about, one sentence each. Pure.
std::vector<std::string> status_warnings(const Membership& members, const EtcdReport& report,
                                         const std::map<std::string, ClockReading>& clocks,
                                         const std::set<std::string>& alive, WallTime now);

struct Node::Impl {
    Impl(NodeSettings given, NodePorts lent);
    ~Impl();

    // --- Constant after open().
    NodeSettings settings;
    os::EventLoop& loop;
    Random& random;
    Log& log;
    os::SystemClock clock;
    IdentityFiles files;
    HostPort advertise;  // port filled in; host empty: none was given

    // --- Set by start(), constant after.
    NodeHooks hooks;
    store::Store* store = nullptr;
    WriteGate* gate = nullptr;
    bool started = false;
    MonoTime started_at{};
    std::atomic<bool> open = false;  // start() has ended

    // --- Loop.
    std::unique_ptr<EtcdSupervisor> supervisor;
    FollowingStore* following = nullptr;  // the caller owns it
    std::unique_ptr<PrefixMirror> cluster_mirror, nodes_mirror;
    std::unique_ptr<PeerServer> server;
    std::unique_ptr<PeerClient> client;
    std::unique_ptr<PeerClient> forwarder;  // its methods on hooks.service_executor
    TimerId tick_timer = 0;

    // --- Any thread, under mutex.
    mutable std::mutex mutex;
    std::optional<Identity> identity;
    std::shared_ptr<const Membership> membership = std::make_shared<Membership>();
    std::map<std::string, MonoTime> lost_since;  // members whose lease is gone
    std::set<std::string> alive;
    bool mirrors_loaded = false;
    std::string upkeep_said;  // by etcd's upkeep on this host; empty: all is well
    EtcdStatus etcd_status;
    std::optional<Error> removal;  // this host was removed from its cluster
    std::optional<Error> trouble;  // why this host cannot do its part

    // --- The worker's (one thread: operations and ticks in turn).
    std::vector<std::string> revoked_written;  // serials in crl.pem
    bool revocations_written = false;
    std::set<std::string> to_cut;  // addresses of hosts whose certificates were revoked just now
    MonoTime cut_at{};             // when; 0: nothing to cut
    std::unique_ptr<store::EtcdAdmin> admin;  // kept: a TLS handshake a second is too much
    std::vector<std::string> admin_endpoints;
    MonoTime voters_asked_at{};  // whether they still take this host for a member...
    Status voters_said;          // ...and what it came to
    MonoTime upkeep_at{}, compacted_at{}, renewal_at{};
    struct Leading {
        std::uint64_t term = 0;  // 0: this host's etcd does not lead
        MonoTime since{};
    } leading;
    std::map<std::string, MonoTime> defragmented_at;  // by this host's order, by member
    std::int64_t compacted = 0;
    RevisionHistory history;
    std::atomic<bool> tick_queued = false;
    std::atomic<bool> stopping = false;

    os::WorkerPool desk{2, 64};  // answers to other hosts, and questions that only read
    os::WorkerPool worker{1, 64};

    // --- Small things.
    std::shared_ptr<const Membership> members_now() const;  // as last seen
    std::optional<Identity> identity_now() const;
    void set_identity(std::optional<Identity> changed);
    Status save_identity(Identity changed);
    bool is_alive(const std::string& name) const;
    std::vector<VoterFact> voter_facts(const Membership& members,
                                       const std::vector<store::EtcdMember>& etcd) const;
    store::EtcdOptions etcd_options(const std::vector<std::string>& endpoints) const;
    std::vector<std::string> endpoints_own_first() const;
    EtcdConfig etcd_config(const Identity& who) const;
    Status run_on_loop(std::function<Status()> task);  // waits; not on the loop
    void start_ticking();

    // --- node.cc; loop.
    Status start_member();
    void start_supervisor(EtcdConfig config);
    void take_mirrors();

    // --- Read freshly from the store; blocking.
    Result<Membership> read_membership(store::Store& from);
    Result<Authority> open_authority(const Membership& members);

    // --- node_found.cc; worker.
    struct Founding {
        std::int64_t voters = kVotersDefault;
        Millis lease_ttl = kLeaseTtlDefault;
        Millis certificate_life = kHostCertificateLife;
    };
    // What speaks against it before anything is done.
    Status check_found(const Founding& founding) const;
    Status check_address() const;  // has one for others
    Result<Identity> found(const Founding& founding);
    // Of the only member of a cluster that begins.
    Identity first_identity(std::string cluster_id, Millis lease_ttl);
    // Its key, certificate (the result), the voters' key and an empty list of the revoked, as
    // files.
    Result<std::string> write_first_keys(const Identity& who, const Authority& authority,
                                         const std::string& voter_key, Millis certificate_life);
    Status start_first_etcd(const Identity& who);
    Status move_contents(store::Store& from, store::Store& to);
    Member first_member(const Identity& who, const CertificateInfo& certificate) const;

    // --- node_join.cc; worker.
    static Status check_nothing_here(store::Store& store);
    Status join(const std::string& token_text);
    Result<JoinReply> ask_to_join(const JoinToken& token, const std::string& address,
                                  const KeyAndRequest& keys, const std::string& uid);

    // --- node_admit.cc; desk.
    Result<JoinToken> make_token(Millis life);
    Result<JoinReply> admit(const JoinRequest& request);
    Result<std::string> renew(const std::string& caller, const std::string& request_pem);
    Result<std::string> give_voter_key(const std::string& caller);

    // --- node_standing.cc; worker.
    Status check_standing() const;  // any thread
    Error store_silent(const Identity& who) const;
    Status check_with_voters(const Identity& who, bool does_duty);
    std::vector<Status> ask_voters(const Identity& who);
    void note_standing(const Status& member, const Status& duty);

    // --- node_voter.cc; worker.
    void tick();
    Status do_duty(const Identity& who, const Membership& members);
    Status tend_etcd(const Member& me, const Membership& members);
    store::EtcdAdmin& etcd_admin();  // until the endpoints change
    Status follow_endpoints(const Membership& members);
    Status note_version(const Membership& members);
    Status become_voter(const Membership& members);
    Status retire_etcd();
    Status write_revocations(const Membership& members);
    Status cut_off_revoked(const std::vector<store::EtcdMember>& etcd, bool leader,
                           const std::string& own_endpoint);
    Status lead(const std::vector<store::EtcdMember>& etcd);
    std::vector<EtcdMemberFacts> member_facts(const EtcdReport& found);
    EtcdFacts etcd_facts(const EtcdReport& found, std::size_t members, MonoTime now);
    Status defragment(std::size_t members);
    Status keep_up(const std::vector<store::EtcdMember>& etcd);
    Status renew_certificate(const Membership& members);
    Status fetch_voter_key(const Membership& members);

    // --- node_leave.cc; worker.
    static store::Transaction departure(const Membership& members, const Member& member,
                                        const std::string& reason, WallTime now,
                                        bool with_node_records);
    Status leave();
    Status abandon();
    Status give_notice(const Identity& who);
    Status set_member_state(const std::string& name, MemberState state);
    Status step_down(const Identity& who);
    Status forget_cluster(const Identity& who);
    Status remove(const std::string& name);
    Result<std::vector<std::string>> vms_on(const std::string& name);

    // --- node_backup.cc; desk, worker.
    Result<std::string> make_backup(const std::string& passphrase);  // the path of a new file
    std::string voter_to_ask() const;  // empty: this host does it itself
    void sweep_backups();              // what an earlier daemon left
    Status check_restorable();         // on this host, whatever the backup
    Result<Backup> read_restorable(const std::string& file, const std::string& passphrase);
    Result<Identity> restore(const Backup& backup);
    Status check_cluster_is_gone(const BackupManifest& manifest);
    Status take_over_records(store::Store& etcd, const Member& me);

    // --- node_status.cc; desk.
    Result<std::string> status_text();
    EtcdReport ask_etcd() const;
    std::map<std::string, ClockReading> read_clocks(const Membership& members);

    // --- node_http.cc; worker or desk.
    std::string members_text() const;
};

}  // namespace blixard::cluster
