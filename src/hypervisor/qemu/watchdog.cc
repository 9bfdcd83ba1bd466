#include "hypervisor/qemu/watchdog.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"
#include "hypervisor/qemu/records.h"
#include "os/cgroup.h"
#include "os/event_loop.h"
#include "os/files.h"
#include "os/host_facts.h"
#include "os/process.h"
#include "os/system_error.h"
#include "os/unix_socket.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kLonely = seconds(10);  // without VM and daemon it ends after this
constexpr std::size_t kMachinesMax = 4096;
constexpr Millis kExitWriting =
    seconds(2);  // for exit.json; a hung disk does not hide an exit for longer

struct Machine {
    os::Child child;
    std::string directory;
    bool fenced = false;
    bool starting = true;     // its program does not run yet
    bool by_fencing = false;  // we killed it
    std::int64_t request = 0;
    int asked_by = -1;  // the connection that waits for its start
};

void raise_priority() {
    ::mlockall(MCL_CURRENT | MCL_FUTURE);
    sched_param priority{};
    priority.sched_priority = 1;
    if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) != 0) {
        priority.sched_priority = 0;
        ::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &priority);
        ::setpriority(PRIO_PROCESS, 0, -20);
    }
    if (const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); fd >= 0) {
        [[maybe_unused]] const auto put = ::write(fd, "-1000", 5);
        ::close(fd);
    }
}

// In the child: an ordinary victim again.
Status write_line(const std::string& path, const std::string& text) {
    const os::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return os::fail_errno("open " + path);
    return os::write_all(fd.get(), text, "write " + path);
}

class Watchdog {
 public:
    Watchdog(std::string directory, std::string boot_id, os::UniqueFd listener)
        : directory_(std::move(directory)),
          boot_id_(std::move(boot_id)),
          listener_(std::move(listener)) {
        loop_.watch_fd(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
        look_for_company();
    }

    void run() { loop_.run(); }

 private:
    void accept() {
        auto connection = os::accept_unix(listener_.get());
        if (!connection) return;
        const auto peer = os::peer_of(connection->get());
        if (!peer || (peer->uid != 0 && peer->uid != ::geteuid())) return;
        const int fd = connection->get();
        connections_[fd] = std::move(*connection);
        loop_.watch_fd(fd, EPOLLIN, [this, fd](std::uint32_t) { receive(fd); });
        loop_.cancel(std::exchange(lonely_, 0));
    }

    void drop(int fd) {
        loop_.unwatch_fd(fd);
        connections_.erase(fd);
        waiting_for_welcome_.erase(fd);
        look_for_company();
    }

    void look_for_company() {
        if (!connections_.empty() || !machines_.empty() || lonely_ != 0) return;
        lonely_ = loop_.after(kLonely, [this] { loop_.stop(); });
    }

    void receive(int fd) {
        auto message = os::receive_message(fd);
        if (!message || message->closed) return drop(fd);
        const auto fields = JsonFields::parse(message->bytes);
        if (!fields) return drop(fd);
        const std::string type = fields->text("type");
        if (type == "hello") return hello(fd);
        if (type == "feed") return feed({fields->number("deadline_ms")});
        if (type == "spawn") return spawn(fd, *fields, std::move(message->fds));
        if (type == "quit" && machines_.empty()) loop_.stop();
    }

    void send(int fd, const std::string& text) {
        if (connections_.contains(fd) && !os::send_message(fd, text)) {
            loop_.post([this, fd] { drop(fd); });  // it does not read: it will come again and ask
        }
    }

    void send_all(const std::string& text) {
        for (const auto& [fd, connection] : connections_) send(fd, text);
    }

    // A new daemon takes over: what an older one had asked for and was not read yet is not done any
    // more. The welcome waits for children that are still writing their record.
    void hello(int fd) {
        std::vector<int> older;
        for (const auto& [other, connection] : connections_) {
            if (other != fd) older.push_back(other);
        }
        for (const int other : older) drop(other);
        waiting_for_welcome_.insert(fd);
        welcome_if_settled();
    }

    void welcome_if_settled() {
        for (const auto& [pidfd, machine] : machines_) {
            if (machine.starting) return;
        }
        for (const auto& [pidfd, writer] : writers_) {
            if (writer.timer != 0) return;  // an exit that is about to be told
        }
        for (const int fd : std::exchange(waiting_for_welcome_, {})) send(fd, welcome());
    }

    std::string welcome() const {
        std::string list = "[";
        for (const auto& [pidfd, machine] : machines_) {
            if (list.size() > 1) list += ',';
            list += JsonObject()
                        .add("directory", machine.directory)
                        .add("pid", machine.child.id.pid)
                        .add("start", machine.child.id.start)
                        .text();
        }
        return JsonObject()
            .add("type", "welcome")
            .add("pid", ::getpid())
            .add("deadline_ms", deadline_.ms)
            .add("fenced_at_ms", fenced_at_.ms)
            .add_json("machines", list + "]")
            .text();
    }

    void feed(MonoTime deadline) {
        deadline_ = deadline;
        loop_.cancel(std::exchange(fence_timer_, 0));
        if (may_run_fenced()) {
            fence_timer_ = loop_.after(deadline_ - loop_.mono(), [this] {
                fence_timer_ = 0;
                fence();
            });
        } else {
            fence();
        }
    }

    bool may_run_fenced() const { return loop_.mono() < deadline_; }

    void fence() {
        fenced_at_ = loop_.mono();
        for (auto& [pidfd, machine] : machines_) {
            if (!machine.fenced) continue;
            (void)os::send_signal(pidfd, SIGKILL);
            machine.by_fencing = true;
        }
        send_all(JsonObject().add("type", "fenced").add("at_ms", fenced_at_.ms).text());
    }

    void refuse(int fd, std::int64_t request, const Error& error) {
        send(fd, JsonObject()
                     .add("type", "refused")
                     .add("request", request)
                     .add("code", static_cast<int>(error.code))
                     .add("message", error.message)
                     .add("help", error.help)
                     .text());
    }

    void spawn(int fd, const JsonFields& fields, std::vector<os::UniqueFd> fds) {
        const std::int64_t request = fields.number("request");
        auto machine = try_spawn(fields, std::move(fds));
        if (!machine) return refuse(fd, request, machine.error());
        machine->request = request;
        machine->asked_by = fd;
        const int pidfd = machine->child.pidfd.get();
        const int started = machine->child.started_fd.get();
        machines_.emplace(pidfd, std::move(*machine));
        loop_.watch_fd(started, EPOLLIN | EPOLLHUP,
                       [this, pidfd](std::uint32_t) { settled(pidfd); });
    }

    Result<Machine> try_spawn(const JsonFields& fields, std::vector<os::UniqueFd> fds) {
        Machine machine;
        machine.directory = fields.text("directory");
        machine.fenced = fields.flag("fenced");
        if (fds.size() != 3)
            return fail(ErrorCode::kInternal, "a spawn message without its three descriptors");
        if (machines_.size() >= kMachinesMax) {
            return fail(ErrorCode::kExhausted,
                        std::to_string(kMachinesMax) + " VMs run on this host already");
        }
        if (machine.fenced && !may_run_fenced()) {
            return fail(ErrorCode::kUnavailable,
                        "a fenced VM may not start: this host's lease is not known to be valid",
                        "it starts when the host has renewed its lease");
        }
        for (const auto& [pidfd, other] : machines_) {
            if (other.directory == machine.directory) {
                return fail(ErrorCode::kExists, "a QEMU runs in " + machine.directory + " already");
            }
        }
        os::SpawnOptions options;
        options.arguments = fields.texts("arguments");
        options.directory = machine.directory;
        options.error_fd = fds[2].get();
        options.output_fd = fds[2].get();
        options.passed_fds = {{fds[0].get(), 3}, {fds[1].get(), 4}};
        options.new_session = true;
        options.parent_death_signal = SIGKILL;
        const bool fenced = machine.fenced;
        std::vector<std::string> members;  // groups that are joined by writing to them
        for (std::string& file : fields.texts("members")) {
            std::string group = file.substr(0, file.rfind('/'));
            if (os::is_cgroup2(group))
                options.cgroup = std::move(group);
            else
                members.push_back(std::move(file));
        }
        const std::string launch = fields.json("launch"),
                          run_file = machine.directory + "/" + kRunFile;
        // The parent-death signal is given up only when the record is durable: should we die
        // meanwhile, either nothing runs or the next daemon finds it.
        options.before_exec = [this, members, launch, run_file,
                               fenced](os::ProcessId self) -> Status {
            (void)write_line("/proc/self/oom_score_adj", "0");
            for (const std::string& file : members) {
                RETURN_IF_ERROR(write_line(file, std::to_string(self.pid)));
            }
            RETURN_IF_ERROR(
                os::write_file_atomically(run_file, run_record_json(self, boot_id_, launch)));
            if (!fenced) ::prctl(PR_SET_PDEATHSIG, 0);
            return {};
        };
        if (options.arguments.empty())
            return fail(ErrorCode::kInternal, "a spawn message without arguments");
        ASSIGN_OR_RETURN(machine.child, os::start_spawn(options));
        return machine;
    }

    // Its record is durable and its program runs, or it could not.
    void settled(int pidfd) {
        Machine& machine = machines_.at(pidfd);
        loop_.unwatch_fd(machine.child.started_fd.get());
        const Status started = os::finish_spawn(machine.child, "QEMU");
        machine.starting = false;
        if (!started) {
            refuse(machine.asked_by, machine.request, started.error());
            machines_.erase(pidfd);
            look_for_company();
        } else {
            send(machine.asked_by, JsonObject()
                                       .add("type", "spawned")
                                       .add("request", machine.request)
                                       .add("pid", machine.child.id.pid)
                                       .add("start", machine.child.id.start)
                                       .text());
            loop_.watch_fd(pidfd, EPOLLIN, [this, pidfd](std::uint32_t) { exited(pidfd); });
        }
        welcome_if_settled();
    }

    void exited(int pidfd) {
        const auto exit = os::reap(pidfd);
        if (!exit) return;
        loop_.unwatch_fd(pidfd);
        Machine machine = std::move(machines_.at(pidfd));
        machines_.erase(pidfd);
        ExitRecord record{machine.child.id, *exit, machine.by_fencing, loop_.wall()};
        write_exit(machine.directory, record);
        look_for_company();
    }

    // A child writes exit.json; the daemon is told when it is there, or has taken too long.
    void write_exit(const std::string& directory, const ExitRecord& record) {
        const auto tell = [this, directory, record] {
            JsonObject message;
            message.add("type", "exited")
                .add("directory", directory)
                .add_json("exit", to_json(record));
            send_all(message.text());
            welcome_if_settled();
        };
        os::SpawnOptions options;
        options.arguments = {"/bin/true"};
        options.before_exec = [directory, record](os::ProcessId) -> Status {
            (void)os::write_file_atomically(directory + "/" + kExitFile, to_json(record));
            ::_exit(0);
        };
        auto writer = os::start_spawn(options);
        if (!writer) return tell();
        const int pidfd = writer->pidfd.get();
        const TimerId late = loop_.after(kExitWriting, [this, pidfd, tell] {
            writers_.at(pidfd).timer = 0;
            tell();
        });
        writers_.emplace(pidfd, Writer{std::move(*writer), late});
        loop_.watch_fd(pidfd, EPOLLIN, [this, pidfd, tell](std::uint32_t) {
            (void)os::reap(pidfd);
            loop_.unwatch_fd(pidfd);
            const TimerId timer = writers_.at(pidfd).timer;
            writers_.erase(pidfd);
            if (timer == 0) return;  // told already
            loop_.cancel(timer);
            tell();
        });
    }

    struct Writer {
        os::Child child;
        TimerId timer;
    };

    const std::string directory_, boot_id_;
    os::EventLoop loop_;
    os::UniqueFd listener_;
    std::map<int, os::UniqueFd> connections_;
    std::set<int> waiting_for_welcome_;
    std::map<int, Machine> machines_;  // by pidfd
    std::map<int, Writer> writers_;    // by pidfd
    MonoTime deadline_{}, fenced_at_{};
    TimerId fence_timer_ = 0, lonely_ = 0;
};

int complain(const Error& error) {
    std::fprintf(stderr, "blixard watchdog: %s\n", describe(error).c_str());
    return 1;
}

}  // namespace

int run_watchdog(const std::string& directory) {
    ::prctl(PR_SET_NAME, "blixard-watchd");
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    const auto lock = os::lock_file(directory + "/" + kWatchdogLock);
    if (!lock) return lock.error().code == ErrorCode::kUnavailable ? 0 : complain(lock.error());
    auto boot_id = os::read_boot_id();
    if (!boot_id) return complain(boot_id.error());
    auto listener = os::listen_unix(directory + "/" + kWatchdogSocket, os::SocketKind::kMessages);
    if (!listener) return complain(listener.error());
    raise_priority();
    Watchdog(directory, std::move(*boot_id), std::move(*listener)).run();
    return 0;
}

}  // namespace blixard::hypervisor
