// What the daemon is told: a TOML file and flags, flags winning. Unknown keys are refused with
// their line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::daemon {

struct Config {
    std::string data_dir = "/var/lib/blixard";
    std::string socket = "/run/blixard/blixard.sock";
    std::string listen;  // "ADDR:PORT" of the plain TCP API; empty: none; loopback only
    std::string
        store;  // "" : sqlite, or the cluster's etcd once there is one; "etcd://host:port,..."
    std::string store_ca;  // PEM files for that etcd; empty: plain text
    std::string store_cert;
    std::string store_key;
    std::int64_t etcd_quota_mib = 2048;  // of the supervised etcd's database; the same on all hosts
    std::string name;                    // of this host; empty: its host name
    std::string advertise;               // "ADDR[:PORT]" where other hosts reach this one
    std::string zone;
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> pools;  // shared storage: name -> directory or "rbd:..."
    std::int64_t lease_ttl_s = 4;      // of a host that stands alone; a cluster has its own for all
    std::string log_level = "info";    // debug | info | warning | error
    std::string log_format = "text";   // text | json
    std::string accelerator;           // "" : by probe; "tcg" or "kvm": as told
    std::int64_t record_mib = 32;      // room on disk for the record of inputs; 0: none is kept
    std::int64_t image_grace_s = 600;  // how long the files of a deleted image stay
    std::string strategy;  // the cluster's default placement strategy; empty: fragmentation
};

// `arguments`: those after "daemon". Prints nothing; --help gives kCancelled with the text.
Result<Config> parse_arguments(const std::vector<std::string>& arguments);

// Reads `text` (of the file `path`, for messages) over `config`.
Status parse_toml(std::string_view text, const std::string& path, Config& config);

Status validate(const Config& config);

// The pools whose directory is not there now: name -> directory. Those in Ceph have none.
std::map<std::string, std::string> missing_pools(const Config& config);

// `listen` taken apart: "127.0.0.1:8080", "[::1]:8080"; port 0 is a free one.
struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
};
Result<ListenAddress> parse_listen(std::string_view text);

}  // namespace blixard::daemon
