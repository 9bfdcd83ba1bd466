#include "hypervisor/qemu/console.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/unix_socket.h"

namespace blixard::hypervisor {
namespace {

constexpr std::size_t kInputMax = 64u << 10;  // a paste; a guest that reads nothing gets no more
constexpr std::size_t kReadersMax = 32;
constexpr Millis kIdle = seconds(10);

}  // namespace

Console::~Console() {
    loop_.cancel(idle_);
    if (socket_) loop_.unwatch_fd(socket_.get());
}

Status Console::connect() {
    if (socket_) return {};
    ASSIGN_OR_RETURN(socket_, os::connect_unix(path_, os::SocketKind::kStream));
    loop_.watch_fd(socket_.get(), EPOLLIN, [this](std::uint32_t events) { ready(events); });
    return {};
}

Status Console::open(ConsoleId id, ConsoleReader& reader) {
    if (readers_.size() >= kReadersMax) {
        return fail(ErrorCode::kExhausted,
                    std::to_string(kReadersMax) + " readers have this console open already",
                    "close one of them");
    }
    RETURN_IF_ERROR(connect());
    readers_[id] = &reader;
    loop_.cancel(std::exchange(idle_, 0));
    return {};
}

void Console::close(ConsoleId id) {
    readers_.erase(id);
    rest();
}

// Nobody reads. It stays open for a moment: QEMU drops what was typed and is not read yet when the
// connection ends.
void Console::rest() {
    loop_.cancel(std::exchange(idle_, 0));
    if (!readers_.empty() || !socket_) return;
    idle_ = loop_.after(kIdle, [this] {
        idle_ = 0;
        loop_.unwatch_fd(socket_.get());
        socket_.reset();
        input_.clear();
    });
}

Status Console::write(std::string_view bytes) {
    if (input_.size() + bytes.size() > kInputMax) {
        return fail(ErrorCode::kExhausted,
                    "the guest does not read its console: " + std::to_string(input_.size()) +
                        " bytes wait already",
                    "wait, or look whether the guest hangs");
    }
    RETURN_IF_ERROR(connect());
    input_ += bytes;
    flush();
    rest();
    return {};
}

void Console::flush() {
    while (!input_.empty()) {
        const ssize_t put =
            ::send(socket_.get(), input_.data(), input_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) break;
        input_.erase(0, static_cast<std::size_t>(put));
    }
    loop_.change_fd(socket_.get(), EPOLLIN | (input_.empty() ? 0u : std::uint32_t{EPOLLOUT}));
}

void Console::ready(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) flush();
    char block[16384];
    const ssize_t got = ::recv(socket_.get(), block, sizeof block, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return end("the VM closed its console");
    const auto readers = readers_;  // a reader may close itself or another
    for (const auto& [id, reader] : readers) {
        if (readers_.contains(id)) reader->on_output({block, static_cast<std::size_t>(got)});
    }
}

void Console::end(std::string_view reason) {
    if (socket_) loop_.unwatch_fd(socket_.get());
    socket_.reset();
    input_.clear();
    loop_.cancel(std::exchange(idle_, 0));
    for (const auto& [id, reader] : std::exchange(readers_, {})) reader->on_end(reason);
}

}  // namespace blixard::hypervisor
