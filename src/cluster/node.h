// One host's part in a cluster: found one, join, leave, remove others, and what a member does all
// the time (vote, keep etcd up, admit hosts, renew its certificate).
//
// A host stands alone (its store is the embedded one) or is a member (its store is the cluster's
// etcd). Going from one to the other ends with a restart of the daemon (NodePorts::restart), which
// VMs do not notice.
//
// Threads: made, started and destroyed on the loop's thread. handle() is called on any executor,
// and answers on the answer executor. Steps that wait run on threads of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/exchange.h"
#include "base/log.h"
#include "base/random.h"
#include "cluster/identity.h"
#include "cluster/peer_client.h"
#include "cluster/write_gate.h"
#include "os/event_loop.h"
#include "store/store.h"

namespace blixard::cluster {

inline constexpr int kPeerPortDefault = 7420;  // etcd's client and peer ports are the next two
// In the data directory of a host that has left its cluster, until its own new store holds
// something: that this one is empty is as it should be, and what VMs have left behind may go.
inline constexpr const char* kLeftClusterFile = "left-cluster";

struct NodeSettings {
    std::string data_dir;  // the cluster's files are in data_dir/cluster
    std::string name;
    std::string advertise;  // ADDR[:PORT]; empty: this host can found and join no cluster
    std::string version;
    std::uint64_t etcd_quota_bytes = std::uint64_t{2} << 30;
};

struct NodePorts {
    os::EventLoop& loop;
    Random& random;  // any thread
    Log& log;
};

// What the started daemon lends to the node.
struct NodeHooks {
    api::Service* service = nullptr;       // answers forwarded requests...
    Executor* service_executor = nullptr;  // ...here; handle() answers here too
    PeerClient::Problem problem;           // api::problem
    std::function<Result<std::string>(const std::string& sha256)> blob_file;  // any thread
    std::function<void()> restart;  // any thread: end the daemon and start it again, soon
};

class Node {
 public:
    // Reads who this host is. kInvalid: a damaged identity, or another --name than the one it
    // joined with.
    static Result<std::unique_ptr<Node>> open(NodeSettings settings, NodePorts ports);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    bool is_member() const;
    std::string cluster_id() const;  // "" where it is none
    Millis lease_ttl() const;        // of a member: the cluster's

    // A member's store; its own etcd is started first where this host votes. The caller owns it and
    // destroys it after the node.
    Result<std::unique_ptr<store::Store>> open_store();

    // From now on the node does its part. `gate`: the embedded store, of a host that stands alone;
    // null for a member.
    Status start(NodeHooks hooks, store::Store& store, WriteGate* gate);

    // start() has ended: handle() and forward() may be called. Any thread.
    bool is_open() const;

    // Whether this host can answer for its cluster. kDenied: it was removed from it. kUnavailable:
    // the store has not answered since this daemon started. Any thread.
    Status standing() const;

    // Answers what is under /v1/cluster. After is_open().
    void handle(api::Request request, std::shared_ptr<api::Responder> responder);

    // Lets another host answer. False: this host stands alone, or knows no such member. On the
    // service's executor.
    bool forward(const std::string& name, const api::Request& request,
                 std::shared_ptr<api::Responder> responder);

    // The other members that hold their lease. Any thread.
    std::vector<std::string> others_alive() const;

    // For fetching blobs; null where this host stands alone. Its methods on the loop.
    PeerClient* peers();

    struct Impl;

 private:
    explicit Node(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace blixard::cluster
