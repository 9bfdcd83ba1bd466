#include "os/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"
#include "os/files.h"
#include "os/system_error.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace blixard::os {
namespace {

constexpr int kSignals = 65;

// What the child could not do, sent through a pipe that exec closes.
struct StartFailure {
    int number = 0;  // errno; 0: `text` holds the reason
    char text[512] = {};
};

UniqueFd pidfd_of(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

[[noreturn]] void report_and_end(int pipe, const char* text, int number) {
    StartFailure failure;
    failure.number = number;
    std::strncpy(failure.text, text, sizeof failure.text - 1);
    [[maybe_unused]] const auto put = ::write(pipe, &failure, sizeof failure);
    ::_exit(127);
}

void reset_signals() {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < kSignals; ++signal) ::sigaction(signal, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Everything the child needs, made before fork: after it only async-signal-safe calls (but for
// before_exec).
struct Plan {
    const SpawnOptions& options;
    std::string program;
    std::vector<char*> arguments;
    std::vector<std::pair<int, int>> moves;  // all descriptors, {ours, child's}
    int pipe = -1;
    pid_t parent = 0;
    std::string join = {};  // the file of a control group that the child was not born in
};

// Like fork(), into options.cgroup. Where the kernel has no such call, or may not be asked for it
// (a container's filter), the child has to join by itself.
pid_t fork_into_group(Plan& plan) {
    const std::string& group = plan.options.cgroup;
    if (group.empty()) return ::fork();
    const UniqueFd directory(::open(group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return -1;  // and errno says why
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<std::uint64_t>(directory.get());
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid >= 0) return static_cast<pid_t>(pid);
    plan.join = group + "/cgroup.procs";
    return ::fork();
}

// First away from the numbers that are targets, then onto them.
bool move_descriptors(Plan& plan) {
    int highest = 2;
    for (const auto& [from, to] : plan.moves) highest = std::max(highest, to);
    plan.pipe = ::fcntl(plan.pipe, F_DUPFD_CLOEXEC, highest + 1);
    if (plan.pipe < 0) return false;
    for (auto& [from, to] : plan.moves) {
        from = ::fcntl(from, F_DUPFD_CLOEXEC, highest + 1);
        if (from < 0) return false;
    }
    for (const auto& [from, to] : plan.moves) {
        if (::dup2(from, to) < 0) return false;
    }
    return true;
}

void close_others(const Plan& plan) {
    int highest = 2;
    for (const auto& [from, to] : plan.moves) highest = std::max(highest, to);
    if (plan.pipe > highest + 1) ::syscall(SYS_close_range, highest + 1, plan.pipe - 1, 0);
    ::syscall(SYS_close_range, plan.pipe + 1, ~0u, 0);
    for (int fd = 3; fd <= highest; ++fd) {
        const bool wanted = std::any_of(plan.moves.begin(), plan.moves.end(),
                                        [fd](const auto& move) { return move.second == fd; });
        if (!wanted) ::close(fd);
    }
}

[[noreturn]] void run_child(Plan& plan) {
    const SpawnOptions& options = plan.options;
    if (options.parent_death_signal != 0) {
        ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal);
        if (::getppid() != plan.parent) ::_exit(127);  // it died before we asked
    }
    reset_signals();
    if (options.new_session) ::setsid();
    if (!move_descriptors(plan)) report_and_end(plan.pipe, "pass file descriptors", errno);
    close_others(plan);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) {
        report_and_end(plan.pipe, "change to its directory", errno);
    }
    if (!plan.join.empty()) {
        const int group = ::open(plan.join.c_str(), O_WRONLY | O_CLOEXEC);
        if (group < 0 || ::write(group, "0", 1) != 1)
            report_and_end(plan.pipe, "join its control group", errno);
        ::close(group);
    }
    if (options.before_exec) {
        const auto self = process_stat(::getpid());
        const Status ready = options.before_exec({::getpid(), self ? self->start : 0});
        if (!ready) report_and_end(plan.pipe, blixard::describe(ready.error()).c_str(), 0);
    }
    ::execv(plan.program.c_str(), plan.arguments.data());
    report_and_end(plan.pipe, "execute", errno);
}

Result<Plan> plan_of(const SpawnOptions& options, int null_fd) {
    ASSERT(!options.arguments.empty());
    Plan plan{options};
    ASSIGN_OR_RETURN(plan.program, find_program(options.arguments.front()));
    for (const std::string& argument : options.arguments) {
        plan.arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    plan.arguments.push_back(nullptr);
    const auto or_null = [null_fd](int fd) { return fd < 0 ? null_fd : fd; };
    plan.moves = {{or_null(options.input_fd), 0},
                  {or_null(options.output_fd), 1},
                  {or_null(options.error_fd), 2}};
    plan.moves.insert(plan.moves.end(), options.passed_fds.begin(), options.passed_fds.end());
    return plan;
}

template <class T>
bool take_number(std::string_view& fields, T& number) {
    const std::size_t begin = fields.find_first_not_of(' ');
    if (begin == std::string_view::npos) return false;
    fields.remove_prefix(begin);
    const auto [end, error] = std::from_chars(fields.data(), fields.data() + fields.size(), number);
    if (error != std::errc()) return false;
    fields.remove_prefix(static_cast<std::size_t>(end - fields.data()));
    return true;
}

std::string package_of(const std::string& program) {
    if (program.starts_with("qemu-system-x86")) return "qemu-system-x86";
    if (program == "qemu-img") return "qemu-utils";
    if (program == "etcd") return "etcd-server";
    return {};
}

}  // namespace

// proc(5): pid (comm) state ppid ...; comm may hold blanks and parentheses, so fields are counted
// after the last ')'.
std::optional<ProcessStat> parse_process_stat(std::string_view line) {
    const std::size_t end = line.rfind(')');
    if (end == std::string_view::npos || end + 3 > line.size()) return std::nullopt;
    ProcessStat stat;
    stat.state = line[end + 2];
    std::string_view fields = line.substr(end + 3);
    std::int64_t number[22] = {};  // fields 4 to 25
    for (int i = 0; i < 21; ++i) {
        if (!take_number(fields, number[i])) return std::nullopt;
    }
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    stat.parent = static_cast<pid_t>(number[0]);
    stat.cpu_seconds = static_cast<double>(number[10] + number[11]) / ticks;  // fields 14, 15
    stat.start = static_cast<std::uint64_t>(number[18]);                      // field 22
    stat.resident_bytes = static_cast<std::uint64_t>(number[20]) *
                          static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return stat;
}

std::optional<ProcessStat> process_stat(pid_t pid) {
    const auto line = read_file("/proc/" + std::to_string(pid) + "/stat", 8192);
    return line ? parse_process_stat(*line) : std::nullopt;
}

Result<UniqueFd> open_process(ProcessId id) {
    UniqueFd pidfd = pidfd_of(id.pid);
    const auto stat = process_stat(
        id.pid);  // after the pidfd: what it says is about that very process, or it is gone
    if (!pidfd || !stat || stat->start != id.start || stat->state == 'Z' || stat->state == 'X') {
        return fail(ErrorCode::kNotFound, "process " + std::to_string(id.pid) +
                                              " started at tick " + std::to_string(id.start) +
                                              " is gone");
    }
    return pidfd;
}

bool process_lives(ProcessId id) { return open_process(id).has_value(); }

Status send_signal(int pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) != 0 && errno != ESRCH) {
        return fail_errno("send signal " + std::to_string(signal));
    }
    return {};
}

Result<Child> start_spawn(const SpawnOptions& options) {
    UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_fd) return fail_errno("open /dev/null");
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("make a pipe");
    UniqueFd reader(ends[0]), writer(ends[1]);
    ASSIGN_OR_RETURN(Plan plan, plan_of(options, null_fd.get()));
    plan.pipe = writer.get();
    plan.parent = ::getpid();

    const pid_t pid = fork_into_group(plan);
    if (pid < 0) return fail_errno("fork for " + options.arguments.front());
    if (pid == 0) run_child(plan);

    Child child;
    child.id.pid = pid;
    child.pidfd = pidfd_of(pid);  // not reaped yet, so the pid is still its own
    if (const auto stat = process_stat(pid)) child.id.start = stat->start;
    child.started_fd = std::move(reader);
    ASSERT(child.pidfd);
    return child;
}

Status finish_spawn(Child& child, const std::string& program) {
    StartFailure failure;
    ssize_t got = 0;
    do got = ::read(child.started_fd.get(), &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    child.started_fd.reset();
    if (got == 0) return {};
    wait_for(child.pidfd.get());
    if (got < static_cast<ssize_t>(sizeof failure)) {
        return fail(ErrorCode::kInternal, "start " + program + ": the child ended without a word");
    }
    failure.text[sizeof failure.text - 1] = '\0';
    const std::string what = "start " + program + ": " + failure.text;
    if (failure.number != 0) return tl::unexpected<Error>(system_error(what, failure.number));
    return fail(ErrorCode::kInternal, what);
}

Result<Child> spawn(const SpawnOptions& options) {
    ASSIGN_OR_RETURN(Child child, start_spawn(options));
    RETURN_IF_ERROR(finish_spawn(child, options.arguments.front()));
    return child;
}

std::string describe(const ExitStatus& exit) {
    if (exit.signal) {
        return "signal " + std::to_string(*exit.signal) + " (" + ::strsignal(*exit.signal) + ")";
    }
    if (exit.status) return "exit status " + std::to_string(*exit.status);
    return "an end that nobody saw";
}

std::optional<ExitStatus> reap(int pidfd) {
    siginfo_t info{};
    if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info,
                 WEXITED | WNOHANG) != 0 ||
        info.si_pid == 0) {
        return std::nullopt;
    }
    ExitStatus exit;
    (info.si_code == CLD_EXITED ? exit.status : exit.signal) = info.si_status;
    return exit;
}

ExitStatus wait_for(int pidfd) {
    for (;;) {
        pollfd ready{pidfd, POLLIN, 0};
        if (::poll(&ready, 1, -1) < 0 && errno == EINTR) continue;
        return reap(pidfd).value_or(ExitStatus{});
    }
}

Result<std::string> find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const char* const path = std::getenv("PATH");
    std::string_view rest =
        path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    while (!rest.empty()) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        const std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    const std::string package = package_of(name);
    return fail(ErrorCode::kNotFound,
                "the program " + name + " is not installed (not found in PATH)",
                package.empty() ? "" : "install the package " + package);
}

}  // namespace blixard::os
