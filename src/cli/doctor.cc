// doctor: looks at this host; needs no daemon.
#include "cli/doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/strays.h"
#include "cli/units.h"
#include "os/cgroup.h"
#include "os/command.h"
#include "os/files.h"
#include "os/host_facts.h"
#include "os/pci_devices.h"
#include "os/unique_fd.h"

namespace blixard::cli {
namespace {

constexpr std::string_view kDefaultDataDir = "/var/lib/blixard";
constexpr Millis kVersionTimeout = seconds(5);

Finding look_at_kvm(const os::HostFacts& host) {
    KvmFacts facts;
    for (std::string_view flag : {"vmx", "svm"})
        facts.cpu_flag |= std::binary_search(host.features.begin(), host.features.end(), flag);
    facts.device = os::path_exists("/dev/kvm");
    facts.device_opens = static_cast<bool>(os::UniqueFd(::open("/dev/kvm", O_RDWR | O_CLOEXEC)));
    return judge_kvm(facts);
}

struct Program {
    std::string name;
    std::string package;
    std::string version_option;
    bool needed;
    std::string what_for;
};

Finding look_at_program(const Program& program) {
    auto path = os::find_program(program.name);
    std::string version;
    if (path && !program.version_option.empty()) {
        auto output = os::run_command({*path, program.version_option}, kVersionTimeout);
        if (output && output->exit.status == 0)
            version = output->output.substr(0, output->output.find('\n'));
    }
    return judge_program(program.name, program.package, path ? *path : "", version, program.needed,
                         program.what_for);
}

Finding look_at_memory(const os::HostFacts& host) {
    auto text = os::read_file("/proc/meminfo");
    return judge_memory(host.memory_mib, text ? os::parse_meminfo_mib(*text, "MemAvailable") : 0);
}

Finding look_at_disk(std::string path) {
    while (path.size() > 1 && !os::path_exists(path)) path = os::parent_directory(path);
    auto room = os::disk_room(path);
    if (!room) return {"disk", Health::kWarning, room.error().message, ""};
    return judge_disk(path, room->size_mib, room->free_mib);
}

Finding look_at_cgroups() {
    os::Cgroups groups = os::Cgroups::detect("blixard");
    bool enforced = groups.version() != os::Cgroups::Version::kNone;
    return {"cgroups", enforced ? Health::kOk : Health::kWarning, groups.describe(),
            enforced
                ? ""
                : "mount cgroup v2, or v1 with cpu and memory; VMs run without limits until then"};
}

Finding look_at_devices() {
    const os::PciScan scan = os::scan_pci_devices();
    std::vector<std::string> offered;
    for (const os::PciDevice& device : scan.offered)
        offered.push_back(fmt::format("{} {} at {}", device.kind, device.model, device.address));
    return judge_devices(offered, scan.refused);
}

Finding look_at_port(std::int64_t port) {
    std::string check = fmt::format("port {}", port);
    os::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
        return {check, Health::kOk, "free on 127.0.0.1", ""};
    return {check, Health::kWarning, fmt::format("taken on 127.0.0.1: {}", std::strerror(errno)),
            fmt::format("see who has it: ss -ltnp sport = :{}", port)};
}

Finding look_at_clock() {
    timex time{};
    int state = ::adjtimex(&time);
    return judge_clock(state >= 0, (time.status & STA_UNSYNC) == 0, time.maxerror);
}

Finding look_at_group() {
    const group* entry = ::getgrnam("blixard");
    if (!entry) return judge_group(false, ::geteuid() == 0, false);
    gid_t wanted = entry->gr_gid;
    std::vector<gid_t> groups(65536);
    int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    bool member = ::getegid() == wanted ||
                  std::find(groups.begin(), groups.begin() + std::max(count, 0), wanted) !=
                      groups.begin() + std::max(count, 0);
    return judge_group(true, ::geteuid() == 0, member);
}

void look_at_daemon(Context& context, std::vector<Finding>& findings) {
    std::string where = context.remote().client().endpoint().text();
    auto version = context.remote().get("/v1/version", {}, seconds(5));
    if (!version) {
        findings.push_back(
            {"daemon", Health::kWarning, version.error().message, version.error().help});
        return;
    }
    findings.push_back({"daemon", Health::kOk,
                        fmt::format("version {} answers at {}", version->text("version"), where),
                        ""});
    if (std::string line = strays_line(context, version->text("node")); !line.empty())
        findings.push_back(judge_strays(line));
}

std::string_view health_name(Health health) {
    return health == Health::kOk ? "ok" : health == Health::kWarning ? "warning" : "failed";
}

std::string findings_text(const std::vector<Finding>& findings, const Colours& colours) {
    std::size_t width = 0;
    for (const Finding& finding : findings) width = std::max(width, finding.check.size());
    std::string text;
    for (const Finding& finding : findings) {
        Tint tint = finding.health == Health::kOk        ? Tint::kGood
                    : finding.health == Health::kWarning ? Tint::kBusy
                                                         : Tint::kBad;
        std::string mark = finding.health == Health::kOk        ? "ok  "
                           : finding.health == Health::kWarning ? "warn"
                                                                : "FAIL";
        text += fmt::format("{}  {:{}}  {}\n", tinted(mark, tint, colours), finding.check, width,
                            printable(finding.found));
        if (!finding.mend.empty())
            text += fmt::format("{:{}}{} {}\n", "", width + 8, colours.cyan("mend:"),
                                printable(finding.mend));
    }
    return text;
}

tl::expected<std::vector<std::int64_t>, Failure> ports_of(const Args& args) {
    std::vector<std::int64_t> ports;
    for (const std::string& text : args.all("port")) {
        auto port = parse_integer(text, 1, 65535);
        if (!port) return usage_of("--port", port.error());
        ports.push_back(*port);
    }
    return ports;
}

std::vector<Finding> examine(Context& context, const os::HostFacts& host, const Args& args,
                             const std::vector<std::int64_t>& ports) {
    std::vector<Finding> findings{look_at_kvm(host)};
    for (const Program& program : std::vector<Program>{
             {"qemu-system-x86_64", "qemu-system-x86", "--version", true, "running VMs"},
             {"qemu-img", "qemu-utils", "--version", true, "disks and images"},
             {"etcd", "etcd-server", "--version", false, "clusters of several hosts"},
         })
        findings.push_back(look_at_program(program));
    findings.push_back(look_at_memory(host));
    findings.push_back(look_at_disk(args.get("data-dir", kDefaultDataDir)));
    findings.push_back(look_at_cgroups());
    findings.push_back(look_at_devices());
    for (std::int64_t port : ports) findings.push_back(look_at_port(port));
    findings.push_back(look_at_group());
    findings.push_back(look_at_clock());
    look_at_daemon(context, findings);
    return findings;
}

Outcome doctor(Context& context, const Args& args) {
    auto ports = ports_of(args);
    if (!ports) return tl::unexpected(ports.error());
    ASSIGN_OR_RETURN(os::HostFacts host, os::read_host_facts());
    std::vector<Finding> findings = examine(context, host, args, *ports);
    Value document = Value::object(
        {{"host", host.host_name}, {"kernel", host.kernel_version}, {"cpus", host.cpus}});
    Value list;
    int failed = 0;
    for (const Finding& finding : findings) {
        failed += finding.health == Health::kFailed ? 1 : 0;
        list.push(Value::object({{"check", finding.check},
                                 {"health", health_name(finding.health)},
                                 {"found", finding.found},
                                 {"mend", finding.mend}}));
    }
    document.set("findings", std::move(list));
    print_one(
        context, document,
        [&] {
            return fmt::format("{}: Linux {}, {} CPUs, {}\n\n{}", host.host_name,
                               host.kernel_version, host.cpus, mib_text(host.memory_mib),
                               findings_text(findings, context.screen.out_colours));
        },
        "host");
    if (failed > 0)
        return other_failure(fmt::format("this host cannot run VMs yet: {} {} failed", failed,
                                         failed == 1 ? "check" : "checks"),
                             "do what the mends say");
    return {};
}

}  // namespace

std::vector<Command> doctor_commands() {
    return {
        {"doctor",
         "Say what this host can and cannot do, with the mend",
         "Needs no daemon. Fails (exit code 1) where something is missing without which no VM can "
         "run.",
         {"blixard doctor", "blixard doctor --data-dir /srv/blixard --port 8480 -o json"},
         {},
         {{"--data-dir",
           "DIR",
           "where the daemon shall keep its data (default /var/lib/blixard)",
           false,
           {},
           Offer::kFile},
          {"--port", "PORT",
           "a port that shall be free: the daemon's, or one to forward; may be repeated", true}},
         doctor}};
}

}  // namespace blixard::cli
