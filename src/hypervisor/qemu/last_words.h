// What QEMU said before it ended, in the words of who asked for the VM. Pure.
#pragma once

#include <string>
#include <string_view>

namespace blixard::hypervisor {

// Why a VM has not come up. `how` is how QEMU ended ("exit status 1"), `words` its standard error.
// What people can mend is said as that: a host port that somebody else has. Anything else comes as
// it was said, on one line, without QEMU's own time stamps and name.
std::string why_not_started(std::string_view vm, std::string_view how, std::string_view words);

}  // namespace blixard::hypervisor
