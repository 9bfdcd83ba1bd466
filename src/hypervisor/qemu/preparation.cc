#include "hypervisor/qemu/preparation.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "hypervisor/qemu/console_log.h"
#include "hypervisor/qemu/disks.h"
#include "hypervisor/qemu/seed.h"
#include "os/files.h"
#include "os/process.h"
#include "os/system_error.h"
#include "os/unix_socket.h"

namespace blixard::hypervisor {
namespace {

constexpr double kEmulatorCpus = 0.25;  // QEMU's own threads beside the guest's processors

Status make_directory(const PreparationInput& input, Traces& traces) {
    traces.directory = input.directory;
    traces.made_directory = !os::path_exists(input.directory);
    RETURN_IF_ERROR(os::make_directories(input.directory, 0700));
    RETURN_IF_ERROR(
        os::write_file_atomically(input.directory + "/" + kInstanceFile, to_json(input.launch.id)));
    RETURN_IF_ERROR(os::remove_file(input.directory + "/" + kRunFile));
    RETURN_IF_ERROR(os::remove_file(input.directory + "/" + kExitFile));
    return ConsoleLog(input.directory).begin();
}

Status claim_disks(const PreparationInput& input) {
    for (const DiskFile& disk : input.launch.disks)
        RETURN_IF_ERROR(claim_disk(disk, input.launch.id.epoch, input.node));
    return {};
}

Status make_disks(const PreparationInput& input, Traces& traces) {
    RETURN_IF_ERROR(claim_disks(input));
    for (const DiskFile& disk : input.launch.disks) {
        if (disk.read_only && disk.backing_path.empty() && disk.size_mib == 0)
            continue;  // there, or QEMU says so
        auto made = make_disk(disk, input.launch.id.epoch, input.node);
        if (!made) {
            Error error = made.error();
            error.message =
                "disk \"" + disk.name + "\" of VM " + input.launch.id.vm + ": " + error.message;
            return fail(std::move(error));
        }
        // One that others can open stays: it may be another host's by the time that this start
        // fails.
        if (*made && !disk.shared) traces.made_disks.push_back(disk.path);
    }
    return {};
}

// Making them takes its time: others may have claimed them meanwhile. Of those in Ceph this is
// asked again when QEMU has their locks.
Status guard_disks(const PreparationInput& input, Prepared& prepared) {
    const Launch& launch = input.launch;
    for (std::size_t i = 0; i < launch.disks.size(); ++i) {
        const DiskFile& disk = launch.disks[i];
        if (disk.read_only) continue;
        if (!is_ceph(disk.path)) {
            RETURN_IF_ERROR(claim_disk(disk, launch.id.epoch, input.node));
            continue;
        }
        ASSIGN_OR_RETURN(const CephImage image, parse_ceph_image(disk.path));
        const Claim ours{disk.volume_epoch, launch.id.epoch, input.node};
        ASSIGN_OR_RETURN(const std::set<CephClient> before, take_over(image, ours));
        prepared.held.push_back({disk_id(i), image, ours, before});
    }
    return {};
}

Status make_files(const PreparationInput& input, QemuFiles& files) {
    const model::VmSpec& spec = input.launch.spec;
    RETURN_IF_ERROR(os::remove_file(input.directory + "/" + kSeedFile));
    if (wants_seed(spec.cloud_init)) {
        ASSIGN_OR_RETURN(const std::string seed, make_seed(spec.cloud_init, input.launch.id));
        RETURN_IF_ERROR(os::replace_file(input.directory + "/" + kSeedFile, seed));
        files.seed = kSeedFile;
    }
    if (spec.firmware == model::Firmware::kUefi) {
        files.uefi_variables = kUefiVariables;
        const std::string path = input.directory + "/" + kUefiVariables;
        if (!os::path_exists(path)) {
            auto variables = os::read_file(input.host.uefi_variables);
            if (!variables) {
                return fail(ErrorCode::kNotFound, "UEFI firmware: " + variables.error().message,
                            "install the package ovmf");
            }
            RETURN_IF_ERROR(os::write_file_atomically(path, *variables));
        }
    }
    return {};
}

Status open_channels(const PreparationInput& input, Prepared& prepared) {
    const auto listen = [&](const char* name) {
        return os::listen_unix(input.directory + "/" + name, os::SocketKind::kStream);
    };
    ASSIGN_OR_RETURN(prepared.monitor, listen(kMonitorSocket));
    ASSIGN_OR_RETURN(prepared.console, listen(kConsoleSocket));
    const std::string errors = input.directory + "/" + kErrorLog;
    RETURN_IF_ERROR(os::remove_file(errors));
    prepared.errors.reset(
        ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!prepared.errors) return os::fail_errno("create " + errors);
    // QEMU writes here from its first line on; made now so that it can be watched.
    const std::string log = input.directory + "/" + kConsoleLog;
    const os::UniqueFd made(
        ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!made) return os::fail_errno("create " + log);
    return {};
}

Status limit(const PreparationInput& input, Prepared& prepared) {
    if (input.cgroups->version() == os::Cgroups::Version::kNone) return {};
    const model::VmSpec& spec = input.launch.spec;
    const std::string name = input.launch.id.uid;
    os::CgroupLimits limits;
    limits.cpus = static_cast<double>(spec.cpus) + kEmulatorCpus;
    limits.memory_bytes =
        static_cast<std::uint64_t>(spec.memory_mib + overhead_mib(input.launch, input.host)) << 20;
    RETURN_IF_ERROR(input.cgroups->set(name, limits));
    prepared.members = input.cgroups->member_files(name);
    prepared.record.control_group = name;
    prepared.traces.control_group = name;
    return {};
}

Status prepare_into(PreparationInput input, Prepared& prepared) {
    Launch& launch = input.launch;
    ASSIGN_OR_RETURN(const model::Machine machine,
                     choose_machine(launch, input.host));  // refuse before making anything
    RETURN_IF_ERROR(os::find_program(input.host.program));
    RETURN_IF_ERROR(make_directory(input, prepared.traces));
    RETURN_IF_ERROR(make_disks(input, prepared.traces));
    QemuFiles files;
    files.devices = input.devices;
    RETURN_IF_ERROR(make_files(input, files));
    ASSIGN_OR_RETURN(launch.spec.nics,
                     choose_ports(launch.spec.nics, [&](const auto& address, auto protocol) {
                         prepared.chose_ports = true;
                         return find_free_port(address, protocol);
                     }));
    ASSIGN_OR_RETURN(prepared.arguments, qemu_arguments(launch, input.host, files));
    RETURN_IF_ERROR(open_channels(input, prepared));

    LaunchRecord& record = prepared.record;
    record.id = launch.id;
    record.fenced = launch.fenced;
    record.generation = launch.generation;
    record.restart_generation = launch.restart_generation;
    record.machine = machine == model::Machine::kMicrovm ? "microvm" : "q35";
    record.accelerator = input.host.kvm ? "kvm" : "tcg";
    record.started = input.now;
    record.held = is_held(launch);
    record.addresses = addresses_of(launch.spec.nics);
    for (const DiskFile& disk : launch.disks) record.disks.push_back(disk.path);
    for (const os::PciDevice& device : input.devices) record.devices.push_back(device.address);
    RETURN_IF_ERROR(limit(input, prepared));
    return guard_disks(input, prepared);
}

}  // namespace

Result<Prepared> prepare(const PreparationInput& input) {
    Prepared prepared;
    if (const Status done = prepare_into(input, prepared); !done) {
        if (!prepared.traces.directory.empty()) remove_traces(prepared.traces, *input.cgroups);
        return fail(done.error());
    }
    return prepared;
}

void remove_traces(const Traces& traces, const os::Cgroups& cgroups) {
    for (const std::string& path : traces.made_disks) (void)remove_disk(path);
    if (!traces.control_group.empty()) (void)cgroups.remove(traces.control_group);
    if (traces.made_directory) {
        (void)os::remove_tree(traces.directory);
        return;
    }
    for (const char* name : {kMonitorSocket, kConsoleSocket, kSeedFile, kRunFile, kExitFile}) {
        (void)os::remove_file(traces.directory + "/" + name);
    }
}

Result<std::int64_t> find_free_port(const std::string& address, model::Protocol protocol) {
    const int type = protocol == model::Protocol::kUdp ? SOCK_DGRAM : SOCK_STREAM;
    sockaddr_in wanted{};
    wanted.sin_family = AF_INET;
    if (::inet_pton(AF_INET, address.c_str(), &wanted.sin_addr) != 1) {
        return fail(ErrorCode::kInvalid, "host address \"" + address + "\" is not an IPv4 address",
                    "use 127.0.0.1 or another address of this host");
    }
    const os::UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    socklen_t size = sizeof wanted;
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&wanted), size) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&wanted), &size) != 0) {
        return os::fail_errno("find a free port on " + address);
    }
    return ntohs(wanted.sin_port);
}

}  // namespace blixard::hypervisor
