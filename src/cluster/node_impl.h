// The inside of Node, shared by node_*.cc. Each of those is one part of its life and runs on the
// thread that its declaration here names.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

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

// What the last look at etcd found, for `cluster status`.
struct EtcdReport {
    std::vector<store::EtcdMember> members;
    std::map<std::string, store::EtcdMemberStatus>
        statuses;  // by member name; absent: did not answer
    std::string warning;
};

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
    EtcdReport report;
    EtcdStatus etcd_status;
    std::string trouble;  // why this host cannot do its part; empty: it does

    // --- The worker's (one thread: operations and ticks in turn).
    std::vector<std::string> revoked_written;  // serials in crl.pem
    bool revocations_written = false;
    MonoTime upkeep_at{}, compacted_at{}, defragmented_at{}, renewal_at{};
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
    };
    Result<Identity> found(const Founding& founding);
    Status start_first_etcd(const Identity& who);
    Status move_contents(store::Store& from, store::Store& to);

    // --- node_join.cc; worker.
    Status join(const std::string& token_text);
    Result<JoinReply> ask_to_join(const JoinToken& token, const std::string& address,
                                  const KeyAndRequest& keys, const std::string& uid);

    // --- node_admit.cc; desk.
    Result<JoinToken> make_token(Millis life);
    Result<JoinReply> admit(const JoinRequest& request);
    Result<std::string> renew(const std::string& caller, const std::string& request_pem);
    Result<std::string> give_voter_key(const std::string& caller);

    // --- node_voter.cc; worker.
    void tick();
    Status follow_endpoints(const Membership& members);
    Status become_voter(const Membership& members);
    Status retire_etcd();
    Status write_revocations(const Membership& members);
    Status lead(const std::vector<store::EtcdMember>& etcd);
    Status keep_up(const std::vector<store::EtcdMember>& etcd, bool leader,
                   const std::string& own_endpoint);
    Status renew_certificate(const Membership& members);
    Status fetch_voter_key(const Membership& members);

    // --- node_leave.cc; worker.
    Status leave();
    Status remove(const std::string& name);
    Result<std::vector<std::string>> vms_on(const std::string& name);

    // --- node_http.cc; worker or desk.
    Result<std::string> status_text();
    std::string members_text() const;
};

}  // namespace blixard::cluster
