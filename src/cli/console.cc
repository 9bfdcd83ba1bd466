// console: the terminal becomes the VM's serial line.
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cli/context.h"
#include "cli/websocket.h"

namespace blixard::cli {
namespace {

constexpr char kDetachKey = 0x1d;  // Ctrl-]
constexpr Millis kQuietEnd =
    seconds(2);  // behind the end of piped input: no more output for so long, and it ends

// Raw while it lives.
class RawTerminal {
 public:
    RawTerminal() {
        if (::tcgetattr(0, &saved_) != 0) return;
        termios raw = saved_;
        ::cfmakeraw(&raw);
        active_ = ::tcsetattr(0, TCSANOW, &raw) == 0;
    }
    ~RawTerminal() {
        if (active_) ::tcsetattr(0, TCSADRAIN, &saved_);
    }

 private:
    termios saved_{};
    bool active_ = false;
};

class Session {
 public:
    Session(Context& context, WebSocket& socket, bool read_only)
        : context_(context), socket_(socket), typing_(!read_only) {}

    Outcome run() {
        std::string first;
        ASSIGN_OR_RETURN(bool open, socket_.drain(first));
        context_.out(first);
        while (open) {
            pollfd ready[2]{{socket_.fd(), POLLIN, 0}, {typing_ ? 0 : -1, POLLIN, 0}};
            int count = ::poll(ready, 2, input_ended_ ? static_cast<int>(kQuietEnd.count) : -1);
            if (count < 0 && errno != EINTR) return other_failure("the terminal cannot be read");
            if (count == 0) break;
            if (ready[0].revents) {
                std::string bytes;
                ASSIGN_OR_RETURN(open, socket_.receive(bytes, deadline_in(kAnswerTimeout)));
                context_.out(bytes);
            }
            if (ready[1].revents) {
                ASSIGN_OR_RETURN(bool stays, send_input());
                if (!stays) break;
            }
        }
        return {};
    }

    const std::string& end() const { return socket_.close_reason(); }

 private:
    // False: the user detaches.
    Result<bool> send_input() {
        char buffer[4096];
        ssize_t count = ::read(0, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) return true;
        if (count <= 0) {
            typing_ = false;
            input_ended_ = true;
            return true;
        }
        std::string_view bytes(buffer, static_cast<std::size_t>(count));
        std::size_t detach = ::isatty(0) ? bytes.find(kDetachKey) : std::string_view::npos;
        if (std::string_view typed = bytes.substr(0, detach); !typed.empty())
            RETURN_IF_ERROR(socket_.send(typed));
        return detach == std::string_view::npos;
    }

    Context& context_;
    WebSocket& socket_;
    bool typing_;
    bool input_ended_ = false;
};

Outcome console(Context& context, const Args& args) {
    std::string name = args.get("name");
    std::string target = with_query(resource("/v1/vms", name) + "/console", context.in_project());
    HttpResponse refusal;
    ASSIGN_OR_RETURN(std::unique_ptr<WebSocket> socket,
                     context.remote().client().open_socket(target, &refusal));
    if (!socket) return tl::unexpected(Failure(problem_of(refusal)));
    bool typing = !args.has("read-only");
    bool on_terminal = typing && ::isatty(0);
    if (on_terminal) context.screen.err(fmt::format("connected to {}; detach with Ctrl-]\n", name));
    std::string reason;
    Outcome ended = [&] {
        std::optional<RawTerminal> raw;
        if (on_terminal) raw.emplace();
        Session session(context, *socket, !typing);
        Outcome result = session.run();
        reason = session.end();
        return result;
    }();
    socket->close();
    if (on_terminal) context.screen.err("\n");
    if (ended && !reason.empty()) context.screen.err(printable(reason) + "\n");
    return ended;
}

}  // namespace

std::vector<Command> console_commands() {
    return {{"console",
             "Open the serial console of a VM",
             "Detach with Ctrl-]. Several people may look at one console; what any of them types "
             "goes to the guest.\n"
             "Input may be a pipe: it is sent, and the command ends when the console has been "
             "quiet for 2 seconds.",
             {"blixard console web-1", "echo uptime | blixard console web-1",
              "blixard console web-1 --read-only"},
             {{"NAME", "the VM", true, false, Offer::kVm}},
             joined({{"--read-only", "", "look, do not type"}}, project_options()),
             console}};
}

}  // namespace blixard::cli
