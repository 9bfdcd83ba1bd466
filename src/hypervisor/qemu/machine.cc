#include "hypervisor/qemu/machine.h"

#include <signal.h>
#include <sys/epoll.h>

#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"
#include "hypervisor/qemu/last_words.h"
#include "hypervisor/qemu/preparation.h"
#include "os/files.h"
#include "os/unix_socket.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kGreeting =
    seconds(60);  // of a QEMU that starts on a busy host; 24-35 ms on an idle one
constexpr Millis kAnswer = seconds(10);
constexpr Millis kPollEvery = seconds(10);
constexpr Millis kReconnect = seconds(1);
constexpr Millis kSoon{20};
constexpr Millis kButtonEvery =
    seconds(3);  // pressed again: a guest that still boots does not see the first
constexpr Millis kQuitGrace = seconds(5);  // quit takes 5-8 ms unless a disk hangs
constexpr Millis kExitTold = seconds(4);   // the watchdog waits up to 2 s for its own record
constexpr std::size_t kErrorTail = 4096;

}  // namespace

Machine::Machine(World world, std::string directory, const LaunchRecord& record)
    : world_(std::move(world)),
      directory_(std::move(directory)),
      record_(record),
      console_(world_.loop, directory_ + "/" + kConsoleSocket),
      console_log_(directory_) {
    instance_.id = record.id;
    instance_.fenced = record.fenced;
    instance_.started = record.started;
    instance_.generation = record.generation;
    instance_.restart_generation = record.restart_generation;
    instance_.machine = record.machine;
    instance_.accelerator = record.accelerator;
    instance_.addresses = record.addresses;
    instance_.devices = record.devices;
}

Machine::~Machine() {
    for (const TimerId timer :
         {poll_, reconnect_, exit_timer_, up_timer_, grace_timer_, button_timer_})
        world_.loop.cancel(timer);
    if (pidfd_) world_.loop.unwatch_fd(pidfd_.get());
    if (monitor_) monitor_->close();
}

void Machine::attach(os::ProcessId process, bool adopted, Callback<bool> up) {
    instance_.pid = process.pid;
    instance_.pid_start = process.start;
    adopted_ = adopted;
    up_ = std::move(up);
    if (adopted) {
        instance_.state = InstanceState::kUnknown;
        instance_.message = "found again; its monitor is being connected";
    }
    arm_up_timer();
    auto pidfd = os::open_process(process);
    if (!pidfd) return process_gone();
    pidfd_ = std::move(*pidfd);
    world_.loop.watch_fd(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { process_gone(); });
    open_monitor();
}

void Machine::arm_up_timer() {
    world_.loop.cancel(up_timer_);
    up_timer_ = world_.loop.after(kGreeting, [this] {
        up_timer_ = 0;
        answer_up(fail(ErrorCode::kTimeout,
                       "the monitor of VM " + instance_.id.vm + " did not answer in time"));
    });
}

void Machine::open_monitor() {
    auto socket = os::connect_unix(directory_ + "/" + kMonitorSocket, os::SocketKind::kStream);
    if (!socket) return monitor_lost(socket.error());
    monitor_ = std::make_shared<QmpConnection>(world_.loop, std::move(*socket));
    monitor_->open(
        kGreeting, [this](const QmpMessage& message) { event(message); },
        [this](const Error& error) { monitor_lost(error); },
        [this](Result<bool> ready) { monitor_ready(ready); });
}

void Machine::monitor_ready(const Result<bool>& ready) {
    if (ready) ask_status();  // else monitor_lost() follows
}

void Machine::monitor_lost(const Error& error) {
    const auto self = shared_from_this();
    if (monitor_) std::exchange(monitor_, nullptr)->close();
    world_.loop.cancel(std::exchange(poll_, 0));
    if (!pidfd_ || exited()) return;
    if (instance_.state != InstanceState::kStarting &&
        instance_.state != InstanceState::kStopping) {
        instance_.message = "the monitor does not answer: " + error.message;
        set_state(InstanceState::kUnknown);
    }
    reconnect_ = world_.loop.after(kReconnect, [this] {
        reconnect_ = 0;
        if (pidfd_) open_monitor();
    });
}

void Machine::ask_status() {
    world_.loop.cancel(std::exchange(poll_, 0));
    if (!monitor_) return;
    monitor_->execute("query-status", "", kAnswer,
                      [weak = weak_from_this()](Result<std::string> status) {
                          if (const auto self = weak.lock()) self->took_status(status);
                      });
}

void Machine::took_status(const Result<std::string>& status) {
    if (exited() || !monitor_) return;
    world_.loop.cancel(poll_);  // an event may have asked as well: two answers, one timer
    poll_ = world_.loop.after(kPollEvery, [this] {
        poll_ = 0;
        ask_status();
    });
    const bool stopping = instance_.state == InstanceState::kStopping;
    if (!status) {
        instance_.message = "the monitor does not answer: " + status.error().message;
        if (!stopping) set_state(InstanceState::kUnknown);
        return;
    }
    const auto fields = JsonFields::parse(*status);
    const std::string name = fields ? fields->text("status") : "";
    const bool running = name == "running";
    if (stopping) return;
    if (name == "prelaunch" && record_.held) return held();
    if (name == "prelaunch") {  // its machine is still being made
        world_.loop.cancel(poll_);
        poll_ = world_.loop.after(kSoon, [this] {
            poll_ = 0;
            ask_status();
        });
        return;
    }
    instance_.message.clear();
    if (name == "io-error") instance_.message = "paused by QEMU: a disk cannot be written";
    if (name == "internal-error") instance_.message = "paused by QEMU: the emulation failed";
    if (name == "guest-panicked") instance_.message = "the guest's kernel panicked";
    set_state(running ? InstanceState::kRunning : InstanceState::kPaused);
    answer_up(true);
}

// It stands before its first instruction. Taking its locks keeps its monitor busy: it is not asked
// meanwhile.
void Machine::held() {
    world_.loop.cancel(std::exchange(poll_, 0));
    if (adopted_) {
        instance_.message = "the daemon ended while it was started";
        return kill_now();
    }
    if (!gate_)
        return;  // asked already, or nobody lets it run: then the time for coming up ends it
    arm_up_timer();
    std::exchange(gate_, nullptr)(monitor_, [weak = weak_from_this()](Result<bool> allowed) {
        if (const auto self = weak.lock()) self->let_run(allowed);
    });
}

void Machine::let_run(const Result<bool>& allowed) {
    if (exited()) return;
    if (!allowed) return answer_up(fail(allowed.error()));
    if (!monitor_)
        return answer_up(fail(ErrorCode::kUnavailable, "the monitor of VM " + instance_.id.vm +
                                                           " was lost while it started"));
    monitor_->execute("cont", "", kAnswer, [weak = weak_from_this()](Result<std::string> done) {
        const auto self = weak.lock();
        if (!self || self->exited()) return;
        if (!done) return self->answer_up(fail(done.error()));
        self->ask_status();
    });
}

void Machine::event(const QmpMessage& message) {
    const auto data = JsonFields::parse(message.json.empty() ? "{}" : message.json);
    const auto text = [&](const char* name) { return data ? data->text(name) : std::string(); };
    if (message.name == "SHUTDOWN") {
        guest_shutdown_ = data && data->flag("guest") && text("reason") == "guest-shutdown";
    } else if (message.name == "GUEST_PANICKED") {
        guest_panicked_ = true;
        instance_.message = "the guest's kernel panicked";
        world_.log.warn("guest panicked", {{"vm", instance_.id.vm}, {"epoch", instance_.id.epoch}});
    } else if (message.name == "STOP" || message.name == "RESUME" ||
               message.name == "BLOCK_IO_ERROR") {
        ask_status();
    } else if (message.name == "RESET") {
        world_.log.info("guest reset", {{"vm", instance_.id.vm}, {"reason", text("reason")}});
    }
}

void Machine::set_state(InstanceState state) {
    if (instance_.state == state) return;
    instance_.state = state;
    world_.tell(*this, Event::Kind::kChanged);
}

void Machine::answer_up(Result<bool> result) {
    world_.loop.cancel(std::exchange(up_timer_, 0));
    if (up_) std::exchange(up_, nullptr)(std::move(result));
}

void Machine::stop(Millis grace, Callback<StopHow> done) {
    if (exited() || !pidfd_) return done(StopHow::kAlreadyGone);
    stops_.push_back(std::move(done));
    if (instance_.state == InstanceState::kStopping) return;
    const bool paused = instance_.state == InstanceState::kPaused;
    set_state(InstanceState::kStopping);
    if (paused && monitor_) monitor_->execute("cont", "", kAnswer, [](Result<std::string>) {});
    press_power_button();
    grace_timer_ = world_.loop.after(grace, [this] {
        grace_timer_ = 0;
        quit();
    });
}

void Machine::press_power_button() {
    if (monitor_) monitor_->execute("system_powerdown", "", kAnswer, [](Result<std::string>) {});
    button_timer_ = world_.loop.after(kButtonEvery, [this] { press_power_button(); });
}

void Machine::quit() {
    world_.loop.cancel(std::exchange(button_timer_, 0));
    if (!monitor_) return kill_now();
    asked_quit_ = true;
    monitor_->execute("quit", "", kAnswer, [](Result<std::string>) {});
    grace_timer_ = world_.loop.after(kQuitGrace, [this] {
        grace_timer_ = 0;
        kill_now();
    });
}

void Machine::kill(Callback<StopHow> done) {
    if (exited() || !pidfd_) return done(StopHow::kAlreadyGone);
    stops_.push_back(std::move(done));
    set_state(InstanceState::kStopping);
    kill_now();
}

void Machine::kill_now() {
    if (!pidfd_) return;
    killed_ = true;
    (void)os::send_signal(pidfd_.get(), SIGKILL);
}

void Machine::set_paused(bool paused, Callback<bool> done) {
    if (!monitor_ || exited()) {
        return done(fail(ErrorCode::kUnavailable,
                         "the monitor of VM " + instance_.id.vm + " is not connected"));
    }
    monitor_->execute(
        paused ? "stop" : "cont", "", kAnswer,
        [weak = weak_from_this(), paused, done = std::move(done)](Result<std::string> result) {
            const auto self = weak.lock();
            if (!result) return done(fail(result.error()));
            if (self && !self->exited() && self->instance_.state != InstanceState::kStopping) {
                self->set_state(paused ? InstanceState::kPaused : InstanceState::kRunning);
            }
            done(true);
        });
}

void Machine::fence() {
    fenced_ = true;
    kill_now();
}

void Machine::usage(Callback<Usage> done) {
    const auto stat = pidfd_ ? os::process_stat(instance_.pid) : std::nullopt;
    if (!stat || stat->start != instance_.pid_start) {
        return done(
            fail(ErrorCode::kNotFound, "VM " + instance_.id.vm + " does not run on this host"));
    }
    Usage usage;
    usage.cpu_seconds = stat->cpu_seconds;
    usage.memory_bytes = stat->resident_bytes;
    if (!monitor_) return done(usage);
    monitor_->execute("query-blockstats", "", kAnswer,
                      [usage, done = std::move(done)](Result<std::string> stats) mutable {
                          if (!stats) return done(usage);  // what could not be measured is absent
                          std::uint64_t read = 0, written = 0;
                          const auto devices = json_elements(*stats);
                          for (const std::string& text : devices) {
                              const auto device = JsonFields::parse(text);
                              const auto counts = device ? JsonFields::parse(device->json("stats"))
                                                         : fail(ErrorCode::kInternal, "");
                              if (!counts) continue;
                              read += static_cast<std::uint64_t>(counts->number("rd_bytes"));
                              written += static_cast<std::uint64_t>(counts->number("wr_bytes"));
                          }
                          if (!devices.empty()) {
                              usage.disk_read_bytes = read;
                              usage.disk_written_bytes = written;
                          }
                          done(usage);
                      });
}

// The kernel says that it is gone. How it ended comes from the watchdog, its only parent.
void Machine::process_gone() {
    if (pidfd_) world_.loop.unwatch_fd(pidfd_.get());
    if (exited()) return;
    if (const auto text = os::read_file(directory_ + "/" + kExitFile, 65536)) {
        const auto record = parse_exit_record(*text);
        if (record && record->process == os::ProcessId{instance_.pid, instance_.pid_start})
            return ended(*record);
    }
    if (orphan_) return finish({}, false, world_.loop.wall());
    world_.loop.cancel(exit_timer_);
    exit_timer_ = world_.loop.after(kExitTold, [this] {
        exit_timer_ = 0;
        finish({}, false, world_.loop.wall());
    });
}

void Machine::orphaned() {
    orphan_ = true;
    if (!pidfd_ && !exited()) process_gone();
}

void Machine::ended(const ExitRecord& record) {
    if (exited() || record.process != os::ProcessId{instance_.pid, instance_.pid_start}) return;
    finish(record.exit, record.by_fencing, record.at);
}

void Machine::finish(const os::ExitStatus& exit, bool by_fencing, WallTime at) {
    const auto self = shared_from_this();
    if (monitor_) monitor_->pump();  // its last words
    if (monitor_) std::exchange(monitor_, nullptr)->close();
    for (TimerId* timer :
         {&poll_, &reconnect_, &exit_timer_, &up_timer_, &grace_timer_, &button_timer_}) {
        world_.loop.cancel(std::exchange(*timer, 0));
    }
    if (pidfd_) world_.loop.unwatch_fd(pidfd_.get());
    pidfd_.reset();
    instance_.state = InstanceState::kExited;
    instance_.exit = Exit{exit.status, exit.signal, guest_shutdown_, {}, at};
    // Nobody of ours listened when it ended: QEMU's status 0 without a quit of ours is the guest's
    // own power-off.
    if (adopted_ && !asked_quit_ && exit.status == 0 && !guest_panicked_)
        instance_.exit->guest_shutdown = true;
    instance_.exit->stderr_tail =
        os::read_file_tail(directory_ + "/" + kErrorLog, kErrorTail).value_or(std::string());
    instance_.message =
        by_fencing || fenced_
            ? "killed by the fencing watchdog: the host's lease was not renewed in time"
        : guest_panicked_ ? "the guest's kernel panicked"
                          : "QEMU ended with " + os::describe(exit);
    console_.end("the VM has ended");
    // A guest can only power itself off once it runs, and is quicker at it than an answer of QMP.
    if (guest_shutdown_)
        answer_up(true);
    else
        answer_up(fail(ErrorCode::kUnavailable, why_not_started(instance_.id.vm, os::describe(exit),
                                                                instance_.exit->stderr_tail)));
    answer_stops();
    world_.tell(*this, Event::Kind::kExited);
}

void Machine::answer_stops() {
    const bool signalled = instance_.exit->signal.has_value();
    const StopHow how = killed_ || signalled ? StopHow::kKilled
                        : asked_quit_        ? StopHow::kQuit
                                             : StopHow::kGuest;
    for (auto& done : std::exchange(stops_, {})) done(how);
}

}  // namespace blixard::hypervisor
