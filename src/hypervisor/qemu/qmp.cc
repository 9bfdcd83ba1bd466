#include "hypervisor/qemu/qmp.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/system_error.h"

namespace blixard::hypervisor {
namespace {

constexpr std::size_t kPendingMax = 64;  // commands on their way; a monitor answers one at a time

}  // namespace

QmpConnection::~QmpConnection() {
    if (socket_) loop_.unwatch_fd(socket_.get());
    loop_.cancel(greeting_timer_);
    for (auto& [id, command] : pending_) loop_.cancel(command.timer);
}

void QmpConnection::open(Millis timeout, OnEvent on_event, OnClosed on_closed,
                         Callback<bool> ready) {
    on_event_ = std::move(on_event);
    on_closed_ = std::move(on_closed);
    greeted_ = std::move(ready);
    std::weak_ptr<QmpConnection> weak = weak_from_this();
    greeting_timer_ = loop_.after(timeout, [weak, timeout] {
        if (const auto self = weak.lock()) {
            self->broken(
                Error{ErrorCode::kTimeout,
                      "the monitor did not greet within " + std::to_string(timeout.count) + " ms",
                      {},
                      {}});
        }
    });
    loop_.watch_fd(socket_.get(), EPOLLIN, [weak](std::uint32_t events) {
        if (const auto self = weak.lock()) self->ready(events);
    });
}

void QmpConnection::execute(std::string_view command, std::string_view arguments, Millis timeout,
                            Callback<std::string> done) {
    if (!socket_ || pending_.size() >= kPendingMax) {
        const Error error =
            socket_
                ? Error{ErrorCode::kExhausted, "the monitor has too many commands waiting", {}, {}}
                : Error{ErrorCode::kUnavailable, "the monitor is not connected", {}, {}};
        return loop_.post([done = std::move(done), error] { done(fail(error)); });
    }
    const std::uint64_t id = ++last_id_;
    Command& entry = pending_[id];
    entry.name = command;
    entry.done = std::move(done);
    entry.timer = loop_.after(timeout, [weak = weak_from_this(), id, timeout] {
        const auto self = weak.lock();
        if (!self) return;
        self->finish(id, fail(ErrorCode::kTimeout, "the monitor did not answer " +
                                                       self->pending_.at(id).name + " within " +
                                                       std::to_string(timeout.count) + " ms"));
    });
    output_ += qmp_command(id, command, arguments);
    flush();
}

void QmpConnection::flush() {
    while (!output_.empty()) {
        const ssize_t put =
            ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) break;  // full: EPOLLOUT tells; gone: reading tells
        output_.erase(0, static_cast<std::size_t>(put));
    }
    loop_.change_fd(socket_.get(), EPOLLIN | (output_.empty() ? 0u : std::uint32_t{EPOLLOUT}));
}

void QmpConnection::ready(std::uint32_t events) {
    const auto self = shared_from_this();
    if ((events & EPOLLOUT) != 0) flush();
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) pump();
}

void QmpConnection::pump() {
    const auto self = shared_from_this();
    while (socket_) {
        char block[16384];
        const ssize_t got = ::recv(socket_.get(), block, sizeof block, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) return broken(os::system_error("read the monitor", errno));
        if (got == 0)
            return broken(
                Error{ErrorCode::kUnavailable, "the monitor closed the connection", {}, {}});
        const auto messages = reader_.feed(std::string_view(block, static_cast<std::size_t>(got)));
        if (!messages) return broken(messages.error());
        for (const QmpMessage& message : *messages) take(message);
    }
}

void QmpConnection::take(const QmpMessage& message) {
    switch (message.kind) {
        case QmpMessage::Kind::kEvent:
            if (on_event_) on_event_(message);
            return;
        case QmpMessage::Kind::kReturn: return finish(message.id, message.json);
        case QmpMessage::Kind::kError:
            return finish(message.id,
                          fail(ErrorCode::kUnavailable, "the monitor refused: " + message.text));
        case QmpMessage::Kind::kGreeting: break;
    }
    if (!greeted_) return;
    execute("qmp_capabilities", "", seconds(30),
            [weak = weak_from_this()](Result<std::string> result) {
                const auto self = weak.lock();
                if (!self || !self->greeted_) return;
                self->loop_.cancel(std::exchange(self->greeting_timer_, 0));
                auto ready = std::exchange(self->greeted_, nullptr);
                if (result) return ready(true);
                ready(fail(result.error()));
            });
}

void QmpConnection::finish(std::uint64_t id, Result<std::string> result) {
    auto found = pending_.extract(id);
    if (found.empty()) return;  // it has timed out
    loop_.cancel(found.mapped().timer);
    found.mapped().done(std::move(result));
}

void QmpConnection::broken(const Error& error) {
    const auto closed = std::exchange(on_closed_, nullptr);
    end(error);
    if (closed) closed(error);
}

void QmpConnection::close() {
    on_closed_ = nullptr;
    on_event_ = nullptr;
    greeted_ = nullptr;
    end(Error{ErrorCode::kCancelled, "the VM's monitor is closed", {}, {}});
}

void QmpConnection::end(const Error& error) {
    const auto self = shared_from_this();
    if (socket_) loop_.unwatch_fd(socket_.get());
    socket_.reset();
    loop_.cancel(std::exchange(greeting_timer_, 0));
    if (const auto ready = std::exchange(greeted_, nullptr)) ready(fail(error));
    for (auto& [id, command] : std::exchange(pending_, {})) {
        loop_.cancel(command.timer);
        command.done(fail(error));
    }
}

}  // namespace blixard::hypervisor
