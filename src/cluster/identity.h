// Who this host is in its cluster, on disk: DIR/identity.json beside ca.pem, host.pem, host.key,
// crl.pem and, on voters, voter.key. The identity file comes last and goes first: without it the
// rest means nothing and is swept away.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/etcd_plan.h"
#include "cluster/peer.h"
#include "model/schema.h"

namespace blixard::cluster {

struct Identity {
    std::string cluster_id;
    std::string name;
    std::string uid;
    std::string advertise;  // ADDR:PORT
    int etcd_client_port = 0;
    int etcd_peer_port = 0;
    bool runs_etcd = false;  // this host's etcd is, or is becoming, a member of the quorum
    std::vector<std::string> etcd_endpoints;   // HOST:PORT, as last known
    std::vector<std::string> voter_addresses;  // of the voters' peer services; likewise
    std::int64_t lease_ttl_ms = 0;
    model::json::Extras extras;

    bool operator==(const Identity&) const = default;
};

std::string write_identity(const Identity& identity);
Result<Identity> parse_identity(std::string_view json);

// The files in the directory `root` (DATA/cluster).
class IdentityFiles {
 public:
    explicit IdentityFiles(std::string root) : root_(std::move(root)) {}

    const std::string& root() const { return root_; }
    std::string authority() const { return root_ + "/ca.pem"; }
    std::string certificate() const { return root_ + "/host.pem"; }  // and the authority's after it
    std::string key() const { return root_ + "/host.key"; }
    std::string revocations() const { return root_ + "/crl.pem"; }
    std::string voter_key() const { return root_ + "/voter.key"; }
    std::string identity() const { return root_ + "/identity.json"; }
    std::string etcd_data() const { return root_ + "/etcd"; }
    PeerFiles peer_files() const { return {authority(), certificate(), key()}; }

    bool present() const;
    Result<Identity> load() const;
    Status save(const Identity& identity) const;

    Status save_certificate(const std::string& certificate_pem,
                            const std::string& authority_pem) const;

    // Key and certificate change together: the pair is staged as one file, which a later open()
    // finishes with.
    Status replace_pair(const std::string& key_pem, const std::string& certificate_pem,
                        const std::string& authority_pem) const;
    Status finish_pair() const;  // nothing where no pair is staged

    // Removes everything; the identity first.
    Status clear() const;

    // How etcd is run on this host.
    EtcdConfig etcd_config(const Identity& identity) const;

 private:
    const std::string root_;
};

}  // namespace blixard::cluster
