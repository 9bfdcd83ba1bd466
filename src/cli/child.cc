#include "cli/child.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "os/files.h"
#include "os/process.h"

namespace blixard::cli {
namespace {

// SIGINT and SIGQUIT are the child's business while it has the terminal (as in system(3)).
class SignalsAside {
 public:
    SignalsAside() {
        struct sigaction ignore{};
        ignore.sa_handler = SIG_IGN;
        ::sigaction(SIGINT, &ignore, &interrupt_);
        ::sigaction(SIGQUIT, &ignore, &quit_);
    }
    ~SignalsAside() { restore(); }
    void restore() const {
        ::sigaction(SIGINT, &interrupt_, nullptr);
        ::sigaction(SIGQUIT, &quit_, nullptr);
    }

 private:
    struct sigaction interrupt_{};
    struct sigaction quit_{};
};

}  // namespace

Status run_child(const std::vector<std::string>& arguments, ChildOutput output) {
    SignalsAside signals;
    os::SpawnOptions options;
    options.arguments = arguments;
    options.input_fd = 0;
    options.output_fd = output == ChildOutput::kTerminal ? 1 : 2;
    options.error_fd = 2;
    options.before_exec = [&signals](os::ProcessId) -> Status {
        signals.restore();
        return {};
    };
    ASSIGN_OR_RETURN(os::Child child, os::spawn(options));
    os::ExitStatus exit = os::wait_for(child.pidfd.get());
    if (exit.status == 0) return {};
    return fail(ErrorCode::kInternal,
                fmt::format("{} ended with {}", arguments.front(), os::describe(exit)));
}

Result<TemporaryDirectory> TemporaryDirectory::make() {
    const char* parent = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/blixard-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!::mkdtemp(path.data()))
        return fail(ErrorCode::kInternal,
                    fmt::format("no directory can be made as {}: {}", path, std::strerror(errno)),
                    "look at TMPDIR");
    return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
    // What cannot be removed stays in the system's temporary directory, which is emptied by others.
    if (!path_.empty()) [[maybe_unused]]
        Status removed = os::remove_tree(path_);
}

}  // namespace blixard::cli
