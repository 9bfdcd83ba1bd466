// The sub-commands of blixard-bench. Each gets the arguments after its name and returns the exit
// code.
#pragma once

#include <span>
#include <string>

namespace blixard::bench {

using Arguments = std::span<const std::string>;

int trace(Arguments arguments);    // real request streams: quality beside published values
int sched(Arguments arguments);    // decisions per second and heap allocations by number of hosts
int api(Arguments arguments);      // a real daemon: what its clients wait for
int vms(Arguments arguments);      // starting and stopping: the driver beside bare QEMU
int micro(Arguments arguments);    // the product's code in process: Google Benchmark
int curves(Arguments arguments);   // what things cost as the number of VMs grows
int lxd(Arguments arguments);      // a real daemon beside LXD's, by turns
int http(Arguments arguments);     // the HTTP server alone
int control(Arguments arguments);  // simulated hosts and a real etcd: placements per second
int writes(Arguments arguments);   // one host of a running cluster under writes

}  // namespace blixard::bench
