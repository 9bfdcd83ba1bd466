// blixard sim: the whole control plane in one process, on virtual time, from one seed.
#pragma once

#include <string>
#include <vector>

namespace blixard::sim {

// The command line after "sim". Prints to stdout; the last line is
// "seed=... commit=... hash=... virtual_hours=... faults=... checks=... PASS|FAIL".
// 0: all seeds passed; 1: one failed; 2: the arguments are wrong.
int run(const std::vector<std::string>& arguments);

}  // namespace blixard::sim
