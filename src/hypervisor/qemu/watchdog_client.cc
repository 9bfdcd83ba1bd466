#include "hypervisor/qemu/watchdog_client.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"
#include "hypervisor/qemu/watchdog.h"
#include "os/files.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kRetry{10};
constexpr int kAttemptsBeforeStart = 100;   // a second: then another one is started
constexpr std::size_t kSaidMost = 1 << 10;  // of its last words
constexpr std::size_t kLogMost = 64 << 10;  // begun anew beyond

// The last line that it wrote.
std::string last_words(const std::string& log) {
    std::string said = os::read_file_tail(log, kSaidMost).value_or("");
    while (!said.empty() && said.back() == '\n') said.pop_back();
    const std::size_t newline = said.rfind('\n');
    return newline == std::string::npos ? said : said.substr(newline + 1);
}

}  // namespace

WatchdogClient::WatchdogClient(os::EventLoop& loop, Log& log, std::string directory,
                               std::vector<std::string> command, Handler handler)
    : loop_(loop),
      log_(log),
      directory_(std::move(directory)),
      command_(std::move(command)),
      handler_(std::move(handler)) {}

WatchdogClient::~WatchdogClient() {
    loop_.cancel(retry_);
    if (socket_) loop_.unwatch_fd(socket_.get());
    if (process_.pidfd) loop_.unwatch_fd(process_.pidfd.get());
}

void WatchdogClient::connect() {
    attempts_ = 0;
    try_connect();
}

void WatchdogClient::try_connect() {
    auto socket = os::connect_unix(directory_ + "/" + kWatchdogSocket, os::SocketKind::kMessages);
    if (!socket) {
        if (attempts_++ % kAttemptsBeforeStart == 0) start_watchdog();
        retry_ = loop_.after(kRetry, [this] { try_connect(); });
        return;
    }
    socket_ = std::move(*socket);
    loop_.watch_fd(socket_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
    if (!os::send_message(socket_.get(), JsonObject().add("type", "hello").text())) return lost();
    if (deadline_.ms != 0) feed(deadline_);
}

void WatchdogClient::start_watchdog() {
    const std::string errors = directory_ + "/watchdog.log";
    const int anew = os::file_size(errors).value_or(0) > kLogMost ? O_TRUNC : 0;
    const os::UniqueFd log(::open(
        errors.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | anew, 0600));
    os::SpawnOptions options;
    options.arguments = command_;
    options.error_fd = log.get();
    options.new_session = true;
    options.directory = "/";
    auto child = os::spawn(options);
    if (!child) {
        log_.error("the fencing watchdog cannot be started", {{"reason", describe(child.error())}});
        return;
    }
    if (process_.pidfd) loop_.unwatch_fd(process_.pidfd.get());
    process_ = std::move(*child);
    loop_.watch_fd(process_.pidfd.get(), EPOLLIN, [this, errors](std::uint32_t) {
        const os::ExitStatus exit = os::reap(process_.pidfd.get()).value_or(os::ExitStatus{});
        loop_.unwatch_fd(process_.pidfd.get());
        process_.pidfd.reset();
        if (exit.status == 0) return log_.info("the fencing watchdog ended");
        log_.error("the fencing watchdog ended, and no VM can be started without it",
                   {{"how", os::describe(exit)}, {"said", last_words(errors)}, {"log", errors}});
    });
}

void WatchdogClient::receive() {
    const auto message = os::receive_message(socket_.get());
    if (!message || message->closed) return lost();
    const auto fields = JsonFields::parse(message->bytes);
    if (!fields) return lost();
    const std::string type = fields->text("type");
    const std::int64_t request = fields->number("request");
    if (type == "welcome") return welcome(*fields);
    if (type == "spawned") {
        return answered(request,
                        os::ProcessId{static_cast<pid_t>(fields->number("pid")),
                                      static_cast<std::uint64_t>(fields->number("start"))});
    }
    if (type == "refused") {
        return answered(request, fail(static_cast<ErrorCode>(fields->number("code")),
                                      fields->text("message"), fields->text("help")));
    }
    if (type == "fenced") return handler_.on_fenced({fields->number("at_ms")});
    if (type == "exited") {
        const auto exit = parse_exit_record(fields->json("exit"));
        if (exit) handler_.on_exited(fields->text("directory"), *exit);
    }
}

void WatchdogClient::welcome(const JsonFields& fields) {
    std::map<std::string, os::ProcessId> machines;
    for (const std::string& text : fields.objects("machines")) {
        const auto machine = JsonFields::parse(text);
        if (!machine) continue;
        machines[machine->text("directory")] = {
            static_cast<pid_t>(machine->number("pid")),
            static_cast<std::uint64_t>(machine->number("start"))};
    }
    log_.info("connected to the fencing watchdog",
              {{"pid", fields.number("pid")}, {"machines", machines.size()}});
    handler_.on_welcome(machines);
}

void WatchdogClient::lost() {
    loop_.unwatch_fd(socket_.get());
    socket_.reset();
    log_.warn("the fencing watchdog was lost; connecting again");
    for (auto& [request, done] : std::exchange(pending_, {})) {
        done(fail(ErrorCode::kUnknownOutcome,
                  "the fencing watchdog was lost while it started a VM"));
    }
    loop_.cancel(retry_);
    connect();
}

void WatchdogClient::answered(std::int64_t request, Result<os::ProcessId> result) {
    auto found = pending_.extract(request);
    if (!found.empty()) found.mapped()(std::move(result));
}

void WatchdogClient::spawn(const Spawn& request, Callback<os::ProcessId> done) {
    if (!socket_) {
        return loop_.post([done = std::move(done)] {
            done(fail(ErrorCode::kUnavailable, "the fencing watchdog does not run yet",
                      "ask again in a moment"));
        });
    }
    const std::int64_t number = ++last_request_;
    const std::string text = JsonObject()
                                 .add("type", "spawn")
                                 .add("request", number)
                                 .add("directory", request.directory)
                                 .add_json("arguments", json_strings(request.arguments))
                                 .add_json("members", json_strings(request.members))
                                 .add("fenced", request.fenced)
                                 .add_json("launch", request.launch)
                                 .text();
    const Status sent = os::send_message(
        socket_.get(), text, {request.monitor_fd, request.console_fd, request.error_fd});
    if (!sent) {
        return loop_.post([done = std::move(done), error = sent.error()] { done(fail(error)); });
    }
    pending_.emplace(number, std::move(done));
}

void WatchdogClient::feed(MonoTime deadline) {
    deadline_ = deadline;
    if (!socket_) return;
    (void)os::send_message(socket_.get(),
                           JsonObject().add("type", "feed").add("deadline_ms", deadline.ms).text());
}

void WatchdogClient::quit() {
    if (socket_) (void)os::send_message(socket_.get(), JsonObject().add("type", "quit").text());
}

}  // namespace blixard::hypervisor
