// How a VM looks to people.
#pragma once

#include <set>
#include <string>

#include "cli/print.h"

namespace blixard::cli {

// Hosts that do not report: what is shown of their VMs is what they last said.
using SilentHosts = std::set<std::string>;

// `with_project`: the list spans projects. `with_message`: some VM has something to say.
View vm_view(WallTime now, bool with_project, bool with_message, SilentHosts silent = {});
// Whether the list should have a message column: a VM that is pending or failed says why.
bool any_message(const Value::Array& vms);
Facts vm_details(const Value& vm, WallTime now, const SilentHosts& silent = {});

// After a change of a VM that is up: what it gets only when it is started again, and how.
void note_next_start(Context& context, const std::string& project, const Value& before,
                     const Value& after);

// "web-1: running on host-a"
std::string vm_line(const Value& vm, const Colours& colours);

std::string labels_text(const Value* labels);  // "role=web, tier=1"
std::string addresses_text(const Value& vm);   // "127.0.0.1:8080->80"

}  // namespace blixard::cli
