#include "hypervisor/qemu/accelerator.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"
#include "os/files.h"
#include "os/process.h"
#include "os/system_error.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kGuestLimit = seconds(1);

// mov al, 0x42; out 0x10, al; hlt
constexpr unsigned char kCode[] = {0xb0, 0x42, 0xe6, 0x10, 0xf4};
constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kAddress = 0x1000;

// What the child says through its exit status.
enum Verdict : int { kRan = 0, kNoDevice, kNoMachine, kNoProcessor, kNoMemory, kNotExecuted, kOdd };

const char* verdict_text(int verdict) {
    switch (verdict) {
        case kNoDevice: return "/dev/kvm cannot be opened";
        case kNoMachine: return "/dev/kvm makes no virtual machine";
        case kNoProcessor: return "/dev/kvm makes no virtual processor";
        case kNoMemory: return "/dev/kvm takes no guest memory";
        case kNotExecuted: return "KVM does not execute guest code here";
        default: return "KVM answers a guest's first instruction with something else than it did";
    }
}

// KVM_RUN until the guest's OUT arrives (Linux: Documentation/virt/kvm/api.rst). Only system calls:
// it runs after fork.
int execute(const char* device) {
    const int kvm = ::open(device, O_RDWR | O_CLOEXEC);
    if (kvm < 0) return kNoDevice;
    const int machine = ::ioctl(kvm, KVM_CREATE_VM, 0);
    if (machine < 0) return kNoMachine;
    void* const memory =
        ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return kNoMemory;
    std::memcpy(memory, kCode, sizeof kCode);
    kvm_userspace_memory_region region{};
    region.guest_phys_addr = kAddress;
    region.memory_size = kPage;
    region.userspace_addr = reinterpret_cast<std::uint64_t>(memory);
    if (::ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) < 0) return kNoMemory;

    const int processor = ::ioctl(machine, KVM_CREATE_VCPU, 0);
    const int run_size = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (processor < 0 || run_size < static_cast<int>(sizeof(kvm_run))) return kNoProcessor;
    void* const shared = ::mmap(nullptr, static_cast<std::size_t>(run_size), PROT_READ | PROT_WRITE,
                                MAP_SHARED, processor, 0);
    if (shared == MAP_FAILED) return kNoProcessor;
    kvm_sregs special{};
    if (::ioctl(processor, KVM_GET_SREGS, &special) < 0) return kNoProcessor;
    special.cs.base = 0;
    special.cs.selector = 0;
    if (::ioctl(processor, KVM_SET_SREGS, &special) < 0) return kNoProcessor;
    kvm_regs registers{};
    registers.rip = kAddress;
    registers.rflags = 2;
    if (::ioctl(processor, KVM_SET_REGS, &registers) < 0) return kNoProcessor;

    if (::ioctl(processor, KVM_RUN, 0) < 0) return kNotExecuted;
    const auto* const run = static_cast<const kvm_run*>(shared);
    if (run->exit_reason != KVM_EXIT_IO) return kNotExecuted;
    const auto* const value = static_cast<const unsigned char*>(shared) + run->io.data_offset;
    return run->io.port == 0x10 && *value == 0x42 ? kRan : kOdd;
}

Accelerator judge(const std::vector<std::string>& flags) {
    const auto has = [&](const char* flag) {
        return std::find(flags.begin(), flags.end(), flag) != flags.end();
    };
    if (!has("vmx") && !has("svm")) {
        return {false,
                "the CPU offers no virtualisation (no vmx or svm in /proc/cpuinfo): guests are "
                "emulated"};
    }
    const std::string trouble = run_kvm_guest(kGuestLimit);
    if (!trouble.empty()) return {false, trouble + ": guests are emulated"};
    return {true, "a probe guest executed under KVM"};
}

}  // namespace

std::string run_kvm_guest(Millis limit, const std::string& device) {
    const pid_t pid = ::fork();
    if (pid < 0) return os::system_error("fork for the KVM probe", errno).message;
    if (pid == 0) ::_exit(execute(device.c_str()));
    const os::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd ended{pidfd.get(), POLLIN, 0};
    const bool in_time = ::poll(&ended, 1, static_cast<int>(limit.count)) == 1;
    if (!in_time) (void)os::send_signal(pidfd.get(), SIGKILL);
    const os::ExitStatus exit = os::wait_for(pidfd.get());
    if (!in_time)
        return "a probe guest under KVM did not execute within " + std::to_string(limit.count) +
               " ms";
    if (exit.status == kRan) return {};
    if (exit.signal) return "the KVM probe ended with " + os::describe(exit);
    return verdict_text(exit.status.value_or(kOdd));
}

Accelerator probe_accelerator(const std::vector<std::string>& cpu_flags, const std::string& boot_id,
                              const std::string& file) {
    if (!file.empty()) {
        const auto text = os::read_file(file, 4096);
        const auto fields = text ? JsonFields::parse(*text) : fail(ErrorCode::kNotFound, "");
        if (fields && fields->text("boot_id") == boot_id && !boot_id.empty()) {
            return {fields->flag("kvm"), fields->text("reason")};
        }
    }
    const Accelerator found = judge(cpu_flags);
    if (!file.empty()) {
        const std::string text = JsonObject()
                                     .add("boot_id", boot_id)
                                     .add("kvm", found.kvm)
                                     .add("reason", found.reason)
                                     .text();
        (void)os::replace_file(file, text);  // a lost memory costs a second at the next start
    }
    return found;
}

}  // namespace blixard::hypervisor
