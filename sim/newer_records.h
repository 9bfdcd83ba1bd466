// Records of VMs as a version writes them that is newer by more than one: nobody here understands
// them. Who finds one leaves the VM alone, until that version has taken its word back.
//
// Threads: one.
#pragma once

#include <map>
#include <string>

#include "sim/schedule.h"
#include "sim/timeline.h"
#include "sim/trace.h"
#include "store/memory/memory_backend.h"
#include "view/snapshot.h"

namespace blixard::sim {

class NewerRecords {
 public:
    NewerRecords(Timeline& timeline, Trace& trace, store::MemoryBackend& backend)
        : timeline_(timeline), trace_(trace), backend_(backend) {}

    // One of the VM's three records, for `act.span_ms`. Null: there is no such VM.
    void write(const Act& act, const view::VmEntry* vm);
    void take_all_back();

 private:
    bool replace(const std::string& key, const std::string& before, const std::string& after);
    void take_back(const std::string& key);

    Timeline& timeline_;
    Trace& trace_;
    store::MemoryBackend& backend_;
    std::map<std::string, std::string> before_;  // by key: what we understand
};

}  // namespace blixard::sim
