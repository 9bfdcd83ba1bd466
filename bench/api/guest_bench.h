// The rows that start real VMs.
#pragma once

#include "bench/api/daemon_under_test.h"
#include "bench/api/report.h"

namespace blixard::bench {

// `image` boots and answers a graceful stop. One VM at a time, `rounds` of them.
Status measure_guests(Report& report, DaemonUnderTest& daemon, const std::string& image,
                      int rounds);

}  // namespace blixard::bench
