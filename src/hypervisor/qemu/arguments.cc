#include "hypervisor/qemu/arguments.h"

#include <algorithm>

#include "base/assert.h"
#include "hypervisor/qemu/ceph_image.h"

namespace blixard::hypervisor {
namespace {

using model::Machine;
using Arguments = std::vector<std::string>;

constexpr std::size_t kSerialMax = 20;  // VIRTIO_BLK_ID_BYTES
constexpr std::int64_t kCpusMaxMicrovm = 255;

// QEMU's option syntax: a comma inside a value is written twice.
std::string escaped(const std::string& value) {
    std::string out;
    for (const char c : value) out += c == ',' ? std::string(",,") : std::string(1, c);
    return out;
}

std::string number(std::int64_t value) { return std::to_string(value); }

tl::unexpected<Error> unsupported(const Launch& launch, const std::string& what, std::string help) {
    return fail(ErrorCode::kUnsupported, "VM " + launch.id.vm + ": " + what, std::move(help));
}

// The translation cache in MiB: enough for a small guest's kernel and user space, more for those
// with room to run more code.
std::int64_t tcg_cache_mib(std::int64_t memory_mib) {
    return memory_mib <= 1024 ? 32 : memory_mib <= 4096 ? 64 : 128;
}

// All that the emulator can, but not "enhanced rep movsb/stosb": a kernel that sees it copies and
// clears memory a byte at a time, which is one step each for an emulator. Without it a guest writes
// to its disk twice as fast.
constexpr const char* kEmulatedCpu = "max,erms=off,fsrm=off";

// What differs between the machine types.
struct Dialect {
    std::string machine;
    std::string suffix;        // of virtio devices: on PCI, or memory-mapped
    std::string no_boot_rom;   // network cards here never boot: iPXE would wait for seconds
    std::string kernel_needs;  // on its command line
};

// An emulated guest on a busy host gets its timer ticks late: its kernel's check of the timer fails
// by chance, and calibrating the time stamp counter by the timer goes wrong, for seconds or for
// ever. So it is told. (A microvm has nothing to calibrate by at all.) Under KVM the kernel knows
// from the hypervisor.
std::string emulated_kernel_needs(Machine machine, const QemuHost& host) {
    constexpr std::int64_t kAnyRate = 2'000'000;
    const std::int64_t khz =
        host.tsc_khz != 0 || machine == Machine::kQ35 ? host.tsc_khz : kAnyRate;
    return khz == 0 ? "no_timer_check" : "no_timer_check tsc_early_khz=" + number(khz);
}

Dialect dialect_of(Machine machine, const QemuHost& host) {
    const std::string needs = host.kvm ? "" : emulated_kernel_needs(machine, host);
    if (machine == Machine::kQ35) {
        return {"q35,vmport=off,i8042=off,graphics=off,sata=off", "-pci", ",romfile=", needs};
    }
    return {host.kvm ? "microvm,acpi=on,rtc=on" : "microvm,acpi=on,pit=on,pic=on,rtc=on", "-device",
            "", needs};
}

void add_base(Arguments& out, const Launch& launch, const QemuHost& host, const Dialect& dialect) {
    const model::VmSpec& spec = launch.spec;
    out.insert(out.end(),
               {host.program, "-name", "guest=" + escaped(launch.id.vm) + ",debug-threads=on",
                "-nodefaults", "-no-user-config", "-display", "none", "-sandbox",
                "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-msg",
                "timestamp=on", "-machine", dialect.machine});
    out.insert(
        out.end(),
        {"-accel", host.kvm ? "kvm" : "tcg,tb-size=" + number(tcg_cache_mib(spec.memory_mib)),
         "-cpu", host.kvm ? "host" : kEmulatedCpu, "-smp", "cpus=" + number(spec.cpus), "-m",
         "size=" + number(spec.memory_mib) + "M", "-rtc", "base=utc"});
}

// For guests that guard something outside by it (a fencing token): in Linux
// /sys/firmware/qemu_fw_cfg/by_name/opt/blixard/epoch/raw. Also tells those who look at processes.
void add_epoch(Arguments& out, const Launch& launch) {
    out.insert(out.end(),
               {"-fw_cfg", "name=opt/blixard/epoch,string=" + std::to_string(launch.id.epoch)});
}

void add_channels(Arguments& out, const QemuFiles& files) {
    const auto chardev = [](const std::string& id, int fd) {
        return "socket,id=" + id + ",fd=" + number(fd) + ",server=on,wait=off";
    };
    out.insert(out.end(), {"-chardev", chardev("monitor", files.monitor_fd), "-mon",
                           "chardev=monitor,mode=control", "-chardev",
                           chardev("console", files.console_fd) +
                               ",logfile=" + escaped(files.console_log) + ",logappend=on",
                           "-serial", "chardev:console"});
}

void add_firmware(Arguments& out, const QemuHost& host, const QemuFiles& files) {
    out.insert(out.end(),
               {"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + escaped(host.uefi_code),
                "-drive", "if=pflash,unit=1,format=raw,file=" + escaped(files.uefi_variables)});
}

void add_kernel(Arguments& out, const Launch& launch, const Dialect& dialect) {
    std::string line = launch.command_line;
    for (const std::string& more : {launch.spec.command_line, dialect.kernel_needs}) {
        if (!more.empty()) line += (line.empty() ? "" : " ") + more;
    }
    out.insert(out.end(), {"-kernel", launch.kernel});
    if (!launch.initrd.empty()) out.insert(out.end(), {"-initrd", launch.initrd});
    if (!line.empty()) out.insert(out.end(), {"-append", line});
}

// Where the image lies on this host: an overlay in a shared pool names the place of the host that
// made it.
std::string backing_options(const DiskFile& disk) {
    if (!disk.shared || disk.backing_path.empty() || disk.format != model::DiskFormat::kQcow2)
        return {};
    return std::string(",backing.driver=") + format_name(disk.backing_format) +
           ",backing.read-only=on,backing.file.driver=file,backing.file.filename=" +
           escaped(disk.backing_path);
}

void add_file(Arguments& out, const DiskFile& disk, const std::string& id) {
    out.insert(out.end(),
               {"-blockdev", "node-name=" + id + ",read-only=" + (disk.read_only ? "on" : "off") +
                                 ",discard=unmap," + file_options(disk)});
}

// Only the older option takes what librbd has to be told (ceph_disk.h).
Status add_ceph_image(Arguments& out, const DiskFile& disk, const std::string& id) {
    ASSIGN_OR_RETURN(const CephImage image, parse_ceph_image(disk.path));
    out.insert(
        out.end(),
        {"-drive", "if=none,id=" + id + ",format=raw,readonly=" + (disk.read_only ? "on" : "off") +
                       ",discard=unmap,file=" + escaped(machine_disk_name(image))});
    return {};
}

Status add_disks(Arguments& out, const Launch& launch, const Dialect& dialect) {
    for (std::size_t i = 0; i < launch.disks.size(); ++i) {
        const DiskFile& disk = launch.disks[i];
        const std::string node = disk_id(i);
        if (is_ceph(disk.path)) {
            RETURN_IF_ERROR(add_ceph_image(out, disk, node));
        } else {
            add_file(out, disk, node);
        }
        std::string device = "virtio-blk" + dialect.suffix + ",drive=" + node;
        if (!disk.name.empty()) device += ",serial=" + escaped(disk.name.substr(0, kSerialMax));
        if (i == 0 && launch.kernel.empty()) device += ",bootindex=1";
        out.insert(out.end(), {"-device", device});
    }
    return {};
}

void add_seed(Arguments& out, const QemuFiles& files, const Dialect& dialect) {
    out.insert(out.end(),
               {"-blockdev",
                "driver=raw,node-name=seed,read-only=on,file.driver=file,file.filename=" +
                    escaped(files.seed),
                "-device", "virtio-blk" + dialect.suffix + ",drive=seed,serial=cidata"});
}

Status add_networks(Arguments& out, const Launch& launch, const Dialect& dialect) {
    for (std::size_t i = 0; i < launch.spec.nics.size(); ++i) {
        const model::Nic& nic = launch.spec.nics[i];
        if (!nic.network.empty() && nic.network != "user") {
            return unsupported(launch,
                               "network card \"" + nic.name + "\" asks for network \"" +
                                   nic.network +
                                   "\", and this hypervisor has user-mode networks only",
                               "use the network \"user\" with port forwards");
        }
        const std::string id = "net" + std::to_string(i);
        std::string netdev = "user,id=" + id;
        for (const model::PortForward& forward : nic.forwards) {
            ASSERT(forward.host_port > 0);
            netdev += std::string(",hostfwd=") +
                      (forward.protocol == model::Protocol::kUdp ? "udp" : "tcp") + ":" +
                      (forward.host_address.empty() ? "127.0.0.1" : forward.host_address) + ":" +
                      number(forward.host_port) + "-:" + number(forward.guest_port);
        }
        const std::string mac = nic.mac.empty() ? derived_mac(launch.id.uid, i) : nic.mac;
        out.insert(out.end(), {"-netdev", netdev, "-device",
                               "virtio-net" + dialect.suffix + ",netdev=" + id + ",mac=" + mac +
                                   dialect.no_boot_rom});
    }
    return {};
}

void add_devices(Arguments& out, Machine machine, const Dialect& dialect) {
    out.insert(out.end(), {"-device", "virtio-rng" + dialect.suffix, "-device",
                           "virtio-balloon" + dialect.suffix + ",deflate-on-oom=on"});
    if (machine == Machine::kQ35) out.insert(out.end(), {"-device", "pvpanic-pci"});
}

// Each behind a port of its own, as a card in a slot: drivers of GPUs look for one. The functions
// of a card keep together.
void add_host_devices(Arguments& out, const std::vector<os::PciDevice>& devices) {
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const os::PciDevice& device = devices[i];
        const std::string slot = "slot" + std::to_string(i);
        const std::string at = ",bus=" + slot + ",addr=0x0";
        out.insert(out.end(),
                   {"-device", "pcie-root-port,id=" + slot + ",chassis=" + std::to_string(i + 1)});
        if (device.functions.empty()) {
            out.insert(out.end(), {"-device", "vfio-pci,sysfsdev=/sys/bus/mdev/devices/" +
                                                  escaped(device.address) + at});
        }
        for (std::size_t f = 0; f < device.functions.size(); ++f) {
            std::string option = "vfio-pci,host=" + device.functions[f] + at;
            if (device.functions.size() > 1) option += "." + std::to_string(f);
            if (f == 0 && device.functions.size() > 1) option += ",multifunction=on";
            out.insert(out.end(), {"-device", option});
        }
    }
}

}  // namespace

const char* format_name(model::DiskFormat format) {
    return format == model::DiskFormat::kRaw ? "raw" : "qcow2";
}

std::string file_options(const DiskFile& disk) {
    return std::string("driver=") + format_name(disk.format) +
           ",file.driver=file,file.filename=" + escaped(disk.path) + ",file.locking=on" +
           backing_options(disk);
}

std::string disk_id(std::size_t index) { return "disk" + std::to_string(index); }

bool is_held(const Launch& launch) {
    return std::any_of(launch.disks.begin(), launch.disks.end(),
                       [](const DiskFile& disk) { return is_ceph(disk.path) && !disk.read_only; });
}

Result<Machine> choose_machine(const Launch& launch, const QemuHost& host) {
    const model::VmSpec& spec = launch.spec;
    for (const model::DeviceRequest& device : spec.constraints.devices) {
        if (device.share_percent != 100)
            return unsupported(launch, "QEMU cannot be given a part of a GPU",
                               "make mediated devices of it and ask for one by its type");
    }
    if (launch.kernel.empty() && launch.disks.empty()) {
        return fail(ErrorCode::kInvalid,
                    "VM " + launch.id.vm + " has neither a kernel nor a disk to boot from",
                    "use an image with a kernel or a disk");
    }
    const bool uefi = spec.firmware == model::Firmware::kUefi;
    const bool devices = !spec.constraints.devices.empty();
    if (spec.machine == Machine::kQ35) return Machine::kQ35;
    if (spec.machine == Machine::kAuto) {
        const bool fits =
            host.kvm && !launch.kernel.empty() && !uefi && !devices && spec.cpus <= kCpusMaxMicrovm;
        return fits ? Machine::kMicrovm : Machine::kQ35;
    }
    if (devices)
        return unsupported(launch, "microvm has no PCI bus for the host's devices",
                           "use machine q35");
    if (uefi) return unsupported(launch, "microvm has no UEFI firmware here", "use machine q35");
    if (launch.kernel.empty()) {
        return unsupported(launch, "microvm boots a kernel directly, and the image has none",
                           "use machine q35");
    }
    return Machine::kMicrovm;
}

Result<Arguments> qemu_arguments(const Launch& launch, const QemuHost& host,
                                 const QemuFiles& files) {
    ASSIGN_OR_RETURN(const Machine machine, choose_machine(launch, host));
    const Dialect dialect = dialect_of(machine, host);
    Arguments out;
    add_base(out, launch, host, dialect);
    add_epoch(out, launch);
    add_channels(out, files);
    if (launch.spec.firmware == model::Firmware::kUefi) add_firmware(out, host, files);
    if (!launch.kernel.empty()) add_kernel(out, launch, dialect);
    RETURN_IF_ERROR(add_disks(out, launch, dialect));
    if (!files.seed.empty()) add_seed(out, files, dialect);
    RETURN_IF_ERROR(add_networks(out, launch, dialect));
    add_devices(out, machine, dialect);
    add_host_devices(out, files.devices);
    if (is_held(launch)) out.push_back("-S");
    return out;
}

// FNV-1a (Fowler, Noll, Vo) over uid and index; 52:54:00 is QEMU's locally administered prefix.
std::string derived_mac(const std::string& uid, std::size_t index) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : uid + "/" + std::to_string(index)) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    hash ^= hash >> 32;
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string mac = "52:54:00";
    for (int shift = 16; shift >= 0; shift -= 8) {
        mac += ':';
        mac += kDigits[(hash >> (shift + 4)) & 15];
        mac += kDigits[(hash >> shift) & 15];
    }
    return mac;
}

Result<std::vector<model::Nic>> choose_ports(
    std::vector<model::Nic> nics,
    const std::function<Result<std::int64_t>(const std::string&, model::Protocol)>& find_free) {
    for (model::Nic& nic : nics) {
        for (model::PortForward& forward : nic.forwards) {
            if (forward.host_address.empty()) forward.host_address = "127.0.0.1";
            if (forward.host_port != 0) continue;
            ASSIGN_OR_RETURN(forward.host_port, find_free(forward.host_address, forward.protocol));
        }
    }
    return nics;
}

std::vector<model::Address> addresses_of(const std::vector<model::Nic>& nics) {
    std::vector<model::Address> addresses;
    for (const model::Nic& nic : nics) {
        for (const model::PortForward& forward : nic.forwards) {
            const std::string host =
                forward.host_address.empty() ? "127.0.0.1" : forward.host_address;
            addresses.push_back(
                {nic.name, host + ":" + number(forward.host_port), forward.guest_port, {}});
        }
    }
    return addresses;
}

std::int64_t overhead_mib(const Launch& launch, const QemuHost& host) {
    constexpr std::int64_t kQemuItself =
        192;  // code, device models, block caches; about 50 MiB when idle
    const std::int64_t per_cpu = 8 * launch.spec.cpus;
    const std::int64_t per_disk =
        40 * static_cast<std::int64_t>(launch.disks.size());  // qcow2 tables: 32 MiB
    return kQemuItself + per_cpu + per_disk +
           (host.kvm ? 0 : tcg_cache_mib(launch.spec.memory_mib));
}

}  // namespace blixard::hypervisor
