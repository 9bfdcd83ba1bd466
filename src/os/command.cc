#include "os/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <cerrno>

#include "os/clock.h"
#include "os/system_error.h"

namespace blixard::os {
namespace {

struct Pipe {
    UniqueFd reader, writer;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("make a pipe");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Reads what is there; closes the reader at the end of file. What exceeds the bound is dropped.
void take(UniqueFd& reader, std::string& into) {
    char block[16384];
    const ssize_t got = ::read(reader.get(), block, sizeof block);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) return reader.reset();
    const std::size_t room = kCommandOutputMax - into.size();
    into.append(block, std::min(static_cast<std::size_t>(got), room));
}

// Both pipes to their ends. False when `limit` passed first.
bool collect(UniqueFd& output, UniqueFd& errors, CommandOutput& result, Millis limit) {
    const SystemClock clock;
    const MonoTime deadline = clock.mono() + limit;
    while (output || errors) {
        const Millis left = deadline - clock.mono();
        if (left.count <= 0) return false;
        pollfd ready[2] = {{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}};
        const int count =
            ::poll(ready, 2, static_cast<int>(std::min<std::int64_t>(left.count, 60'000)));
        if (count <= 0) continue;
        if (ready[0].revents != 0) take(output, result.output);
        if (ready[1].revents != 0) take(errors, result.errors);
    }
    return true;
}

std::string last_lines(const std::string& text) {
    constexpr std::size_t kMost = 500;
    std::string tail = text.size() > kMost ? text.substr(text.size() - kMost) : text;
    while (!tail.empty() && tail.back() == '\n') tail.pop_back();
    return tail;
}

}  // namespace

Result<CommandOutput> run_command(const std::vector<std::string>& arguments, Millis limit) {
    ASSIGN_OR_RETURN(Pipe output, make_pipe());
    ASSIGN_OR_RETURN(Pipe errors, make_pipe());
    SpawnOptions options;
    options.arguments = arguments;
    options.output_fd = output.writer.get();
    options.error_fd = errors.writer.get();
    ASSIGN_OR_RETURN(Child child, spawn(options));
    output.writer.reset();
    errors.writer.reset();

    CommandOutput result;
    const bool ended = collect(output.reader, errors.reader, result, limit);
    if (!ended) (void)send_signal(child.pidfd.get(), SIGKILL);
    result.exit = wait_for(child.pidfd.get());
    if (ended) return result;
    return fail(ErrorCode::kTimeout, arguments.front() + " did not end within " +
                                         std::to_string(limit.count / 1000) + " s and was killed");
}

Result<std::string> run_checked(const std::vector<std::string>& arguments, Millis limit) {
    ASSIGN_OR_RETURN(CommandOutput result, run_command(arguments, limit));
    if (result.exit.status == 0) return std::move(result.output);
    return fail(ErrorCode::kInternal, arguments.front() + " ended with " + describe(result.exit) +
                                          ": " + last_lines(result.errors));
}

}  // namespace blixard::os
