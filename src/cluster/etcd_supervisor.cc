#include "cluster/etcd_supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>

#include <charconv>

#include "os/files.h"

namespace blixard::cluster {
namespace {

constexpr Millis kLogCheckInterval = seconds(30);
constexpr std::size_t kLogTailBytes = 2048;

// The last line that says something; etcd's zap lines are JSON, shown as they are.
std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    const auto at = text.rfind('\n');
    return std::string(at == std::string_view::npos ? text : text.substr(at + 1));
}

// The pid file may be older than the machine's last start: the command line must be etcd's with our
// directory.
bool is_our_etcd(os::ProcessId id, const EtcdConfig& config) {
    const auto line = os::read_file("/proc/" + std::to_string(id.pid) + "/cmdline", 1u << 16);
    return line && line->find("--data-dir=" + config.data_directory) != std::string::npos;
}

}  // namespace

std::optional<os::ProcessId> parse_pid_file(std::string_view text) {
    os::ProcessId id;
    const char* end = text.data() + text.size();
    const auto pid = std::from_chars(text.data(), end, id.pid);
    if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != ' ') return std::nullopt;
    const auto start = std::from_chars(pid.ptr + 1, end, id.start);
    if (start.ec != std::errc() || id.pid <= 1) return std::nullopt;
    return id;
}

EtcdSupervisor::EtcdSupervisor(os::EventLoop& loop, Log& log, std::string directory,
                               EtcdConfig config)
    : loop_(loop), log_(log), directory_(std::move(directory)), config_(std::move(config)) {}

EtcdSupervisor::~EtcdSupervisor() {
    loop_.cancel(restart_timer_);
    loop_.cancel(kill_timer_);
    loop_.cancel(log_timer_);
    if (pidfd_) loop_.unwatch_fd(pidfd_.get());
}

Status EtcdSupervisor::start() {
    stopping_ = false;
    if (status_.running) return {};
    if (log_timer_ == 0) bound_log();
    if (adopt()) return {};
    return spawn();
}

bool EtcdSupervisor::adopt() {
    const auto text = os::read_file(pid_file(), 64);
    if (!text) return false;
    const auto id = parse_pid_file(*text);
    if (!id || !is_our_etcd(*id, config_)) return false;
    auto pidfd = os::open_process(*id);
    if (!pidfd) return false;
    status_.process = *id;
    watch(std::move(*pidfd));
    log_.info("etcd adopted", {{"pid", id->pid}});
    return true;
}

Status EtcdSupervisor::spawn() {
    os::UniqueFd output(
        ::open(log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!output) return fail(ErrorCode::kInternal, "cannot write etcd's log " + log_file());
    os::SpawnOptions options;
    options.arguments = etcd_arguments(config_);
    options.directory = directory_;
    options.output_fd = output.get();
    options.error_fd = output.get();
    options.new_session = true;
    auto child = os::spawn(options);
    if (!child) return fail(child.error());
    status_.process = child->id;
    const std::string id = std::to_string(child->id.pid) + " " + std::to_string(child->id.start);
    if (auto written = os::write_file_atomically(pid_file(), id); !written)
        log_.warn("etcd's pid could not be kept", {{"error", describe(written.error())}});
    watch(std::move(child->pidfd));
    log_.info("etcd started", {{"pid", child->id.pid}});
    return {};
}

void EtcdSupervisor::watch(os::UniqueFd pidfd) {
    pidfd_ = std::move(pidfd);
    started_at_ = loop_.mono();
    status_.running = true;
    loop_.watch_fd(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_exit(); });
    if (changed_) changed_(status_);
}

void EtcdSupervisor::on_exit() {
    loop_.unwatch_fd(pidfd_.get());
    const auto exit = os::reap(pidfd_.get());
    pidfd_.reset();
    status_.running = false;
    const auto tail = os::read_file_tail(log_file(), kLogTailBytes);
    status_.last_exit =
        (exit ? describe(*exit) : "ended") + (tail ? ": " + last_line(*tail) : std::string());
    if (stopping_) {
        ended();
        return;
    }
    failures_in_a_row_ = loop_.mono() - started_at_ >= kSteadyRun ? 1 : failures_in_a_row_ + 1;
    log_.error("etcd ended", {{"pid", status_.process.pid}, {"how", status_.last_exit}});
    if (changed_) changed_(status_);
    schedule_restart();
}

void EtcdSupervisor::schedule_restart() {
    restart_timer_ = loop_.after(restart_delay(failures_in_a_row_), [this] {
        restart_timer_ = 0;
        ++status_.restarts;
        if (auto started = spawn(); !started) {
            status_.last_exit = describe(started.error());
            log_.error("etcd could not be started", {{"error", status_.last_exit}});
            ++failures_in_a_row_;
            schedule_restart();
        }
    });
}

void EtcdSupervisor::stop(Millis grace, std::function<void()> stopped) {
    stopping_ = true;
    loop_.cancel(restart_timer_);
    restart_timer_ = 0;
    stopped_.push_back(std::move(stopped));
    if (!status_.running && !adopt()) {
        ended();
        return;
    }
    (void)os::send_signal(pidfd_.get(), SIGTERM);
    loop_.cancel(kill_timer_);
    kill_timer_ = loop_.after(grace, [this] {
        kill_timer_ = 0;
        if (pidfd_) (void)os::send_signal(pidfd_.get(), SIGKILL);
    });
}

void EtcdSupervisor::restart() {
    if (status_.running) (void)os::send_signal(pidfd_.get(), SIGTERM);
}

void EtcdSupervisor::ended() {
    loop_.cancel(kill_timer_);
    kill_timer_ = 0;
    (void)os::remove_file(pid_file());
    if (changed_) changed_(status_);
    for (auto& stopped : std::exchange(stopped_, {})) stopped();
}

// etcd appends, so cutting the file is enough: its next line lands at the new end.
void EtcdSupervisor::bound_log() {
    log_timer_ = loop_.after(kLogCheckInterval, [this] { bound_log(); });
    const auto size = os::file_size(log_file());
    if (!size || *size < kEtcdLogBytesMax) return;
    if (const auto tail = os::read_file_tail(log_file(), kEtcdLogBytesMax))
        (void)os::replace_file(log_file() + ".1", *tail);
    if (::truncate(log_file().c_str(), 0) != 0)
        log_.warn("etcd's log could not be cut", {{"file", log_file()}});
}

}  // namespace blixard::cluster
