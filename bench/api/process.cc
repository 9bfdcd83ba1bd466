#include "bench/api/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <utility>

namespace blixard::bench {
namespace {

[[noreturn]] void execute(const std::vector<std::string>& arguments, const std::string& log_path) {
    const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
        pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
}

}  // namespace

Result<ServerProcess> ServerProcess::spawn(const std::vector<std::string>& arguments,
                                           const std::string& log_path) {
    if (::access(arguments[0].c_str(), X_OK) != 0)
        return fail(ErrorCode::kNotFound, arguments[0] + " is no program that can be run",
                    "build it: ninja -C build blixard");
    return fork([&] { execute(arguments, log_path); });
}

Result<ServerProcess> ServerProcess::fork(const std::function<void()>& body) {
    const pid_t pid = ::fork();
    if (pid < 0) return fail(ErrorCode::kUnavailable, "fork failed");
    if (pid > 0) return ServerProcess(pid);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(0);
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)) {}

ServerProcess::~ServerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 500; ++i) {
        if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
        ::poll(nullptr, 0, 10);
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool ServerProcess::alive() const {
    return ::kill(pid_, 0) == 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0;
}

std::uint64_t ServerProcess::resident_kib() const {
    std::ifstream status(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::strtoull(line.c_str() + 6, nullptr, 10);
    return 0;
}

double cpu_seconds_of(pid_t process) {
    std::ifstream stat(fmt::format("/proc/{}/stat", process));
    std::string text;
    std::getline(stat, text);
    // Fields 14 and 15, counted behind the name, which may hold spaces (proc(5)).
    std::size_t at = text.rfind(')');
    if (at == text.npos) return 0;
    for (int i = 2; i < 14; ++i) at = text.find(' ', at + 1);
    char* end = nullptr;
    const double user = std::strtod(text.c_str() + at, &end);
    const double system = std::strtod(end, nullptr);
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

int run_command(const std::vector<std::string>& arguments, const std::string& log_path) {
    const pid_t pid = ::fork();
    if (pid == 0) execute(arguments, log_path);
    int status = 0;
    if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace blixard::bench
