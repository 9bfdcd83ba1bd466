// Whether KVM really runs a guest here. The device file and even KVM_CREATE_VM prove nothing: there
// are machines where both are there and a guest never executes an instruction. So: the CPU flag,
// and a guest of three instructions, in a child that is killed after a second. Blocking; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace blixard::hypervisor {

struct Accelerator {
    bool kvm = false;
    std::string reason;  // for people: why it is TCG, or how KVM was found to run

    std::string name() const { return kvm ? "kvm" : "tcg"; }
};

// Remembered in `file` for this boot (`boot_id`); an empty `file` asks anew.
Accelerator probe_accelerator(const std::vector<std::string>& cpu_flags, const std::string& boot_id,
                              const std::string& file);

// The guest alone: empty where it ran, else what happened.
std::string run_kvm_guest(Millis limit, const std::string& device = "/dev/kvm");

}  // namespace blixard::hypervisor
