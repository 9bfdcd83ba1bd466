// blixard-bench api and blixard-bench http: what a client of the daemon has to wait for.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace blixard::bench {

struct ApiOptions {
    std::string blixard = "build/blixard";  // the daemon's program
    std::string json_path;                  // empty: the table only
    std::string
        image;  // an image of the daemon's that boots; empty: it is asked to build the demo one
    int vms_most = 10'000;   // lists of 10, 100, ... up to here
    bool quick = false;      // that it works, not how fast
    bool guests = true;      // rows that start real VMs
    std::string lxd_socket;  // of an LXD that runs, for blixard-bench lxd
};

// [--blixard PROGRAM] [--json FILE] [--vms N] [--quick] [--no-guests] [--lxd SOCKET]
Result<ApiOptions> parse_api_options(const std::vector<std::string>& arguments);

Status run_http(const ApiOptions& options);
Status run_api(const ApiOptions& options);
Status run_lxd(const ApiOptions& options);

void raise_file_limit();

}  // namespace blixard::bench
