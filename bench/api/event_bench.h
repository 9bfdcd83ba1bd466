// How long after a write its event is with those who listen.
#pragma once

#include "bench/api/daemon_under_test.h"
#include "bench/api/report.h"

namespace blixard::bench {

// `vm` exists and is changed `writes` times for each number of listeners and each way to them.
Status measure_events(Report& report, DaemonUnderTest& daemon, const std::string& vm, int writes);

}  // namespace blixard::bench
