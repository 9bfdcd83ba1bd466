// The demo guest for tests, made once under build/guest by tools/make_guest.sh, and how tests run
// it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "hypervisor/qemu/qemu_hypervisor.h"
#include "os/command.h"
#include "os/files.h"

namespace blixard::hypervisor {

struct TestGuest {
    std::string kernel, initrd;
};

// Where it cannot be made (no network and no package at hand), the error says why.
inline Result<TestGuest> test_guest() {
    // The test program lies somewhere below the checkout.
    std::string root = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    while (!os::path_exists(root + "/tools/make_guest.sh") && root != "/")
        root = os::parent_directory(root);
    const char* const named = std::getenv("BLIXARD_GUEST");
    const std::string directory = named ? named : root + "/build/guest";
    const TestGuest guest{directory + "/vmlinuz", directory + "/initrd"};
    if (!os::path_exists(guest.kernel) || !os::path_exists(guest.initrd)) {
        RETURN_IF_ERROR(os::run_checked({root + "/tools/make_guest.sh", directory}, seconds(300)));
    }
    RETURN_IF_ERROR(os::find_program("qemu-system-x86_64"));
    return guest;
}

inline QemuConfig test_config(const std::string& directory) {
    QemuConfig config;
    config.directory = directory;
    config.watchdog_command = {"/proc/self/exe", "watchdog", directory};
    config.node = "host-1";
    config.control_group = "blixard-test";
    return config;
}

inline Launch test_launch(const TestGuest& guest, const std::string& vm) {
    Launch launch;
    launch.id = {vm, "uid-of-" + vm.substr(vm.find('/') + 1), 1};
    launch.spec.memory_mib = 96;
    launch.kernel = guest.kernel;
    launch.initrd = guest.initrd;
    launch.command_line = "console=ttyS0 quiet blixard.name=" + vm.substr(vm.find('/') + 1);
    return launch;
}

}  // namespace blixard::hypervisor
