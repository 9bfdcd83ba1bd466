// A backup of a cluster: what a new host needs to be that cluster again. One file, a tar archive of
//
//   manifest.json  what it is a backup of (BackupManifest)
//   ca.pem         the authority's certificate
//   ca.sealed      its private key, sealed with the voter key (seal.h)
//   voter.key      the voter key
//   snapshot.db    etcd's snapshot, with the SHA-256 that etcd appends
//
// plain, or under a passphrase (passphrase_file.h). It holds the authority's key: who can read it
// can make itself a member. Images, disks and memory of VMs are not in it. Blocking; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/schema.h"

namespace blixard::cluster {

struct BackupMember {
    std::string name;
    std::string advertise;
    std::string role;
    std::string etcd_endpoint;  // HOST:PORT; of voters
};

struct BackupManifest {
    std::int64_t schema = 1;
    std::string cluster_id;
    std::string created_at;
    std::string node;     // the host that wrote it
    std::string version;  // of its daemon
    std::int64_t revision = 0;
    std::int64_t lease_ttl_ms = 0;
    std::vector<BackupMember> members;
    std::int64_t vms = 0, images = 0, volumes = 0;  // records
};
std::string write_manifest(const BackupManifest& manifest);
Result<BackupManifest> parse_manifest(std::string_view json);  // kInvalid; kUnsupported: newer

struct Backup {
    BackupManifest manifest;
    std::string authority_pem;
    std::string sealed_authority_key;
    std::string voter_key;
    std::string snapshot_file;  // a path outside the archive
};

// Makes the file `path`, mode 0600. `passphrase` empty: plain.
Status write_backup(const std::string& path, const Backup& backup, const std::string& passphrase);

// Reads and checks all of it; snapshot.db is put into `directory`. kInvalid: no backup, or a
// damaged one; kDenied: the passphrase.
Result<Backup> read_backup(const std::string& path, const std::string& passphrase,
                           const std::string& directory);

}  // namespace blixard::cluster
