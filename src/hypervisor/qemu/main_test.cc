// The test program is also the watchdog that it starts, and a daemon that is made to be killed.
#include <gtest/gtest.h>

#include <cstring>

#include "hypervisor/qemu/test_guest.h"
#include "hypervisor/qemu/watchdog.h"

namespace {

using namespace blixard;
using namespace blixard::hypervisor;

int start_one(const std::string& directory, const std::string& vm) {
    os::EventLoop loop;
    NullLog log;
    QemuHypervisor driver(loop, log, test_config(directory));
    driver.recover([&](auto) { driver.start(test_launch(*test_guest(), vm), [](auto) {}); });
    loop.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "watchdog") == 0) return run_watchdog(argv[2]);
    if (argc == 4 && std::strcmp(argv[1], "start-one") == 0) return start_one(argv[2], argv[3]);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
