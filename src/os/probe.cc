#include "os/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "os/system_error.h"

namespace blixard::os {
namespace {

constexpr Millis kHold{250};  // how long an open connection must stay open to count

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Result<SocketAddress> socket_address(const ProbeTarget& target) {
    SocketAddress result;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    if (::inet_pton(AF_INET, target.address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(target.port);
        result.size = sizeof *v4;
        return result;
    }
    if (::inet_pton(AF_INET6, target.address.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(target.port);
        result.size = sizeof *v6;
        return result;
    }
    return fail(ErrorCode::kInvalid, "\"" + target.address + "\" is not an IP address");
}

std::string name_of(const ProbeTarget& target) {
    return target.address + " port " + std::to_string(target.port);
}

// One attempt. Keeps itself alive through the loop's callbacks until it is done.
class Probe : public std::enable_shared_from_this<Probe> {
 public:
    Probe(EventLoop& loop, ProbeTarget target, std::string request, Callback<bool> done)
        : loop_(loop),
          target_(std::move(target)),
          request_(std::move(request)),
          done_(std::move(done)) {}

    void start(Millis timeout) {
        const auto address = socket_address(target_);
        if (!address) return finish_later(fail(address.error()));
        fd_.reset(
            ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd_) return finish_later(fail_errno("make a socket"));
        const int failed = ::connect(
            fd_.get(), reinterpret_cast<const sockaddr*>(&address->storage), address->size);
        if (failed != 0 && errno != EINPROGRESS) {
            return finish_later(fail_errno("connect to " + name_of(target_)));
        }
        loop_.watch_fd(fd_.get(), EPOLLOUT,
                       [self = shared_from_this()](std::uint32_t) { self->connected(); });
        timer_ = loop_.after(timeout, [self = shared_from_this(), timeout] {
            self->timer_ = 0;
            self->finish(fail(ErrorCode::kTimeout, name_of(self->target_) +
                                                       " did not answer within " +
                                                       std::to_string(timeout.count) + " ms"));
        });
    }

 private:
    void connected() {
        int number = 0;
        socklen_t size = sizeof number;
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &number, &size);
        if (number != 0) {
            return finish(
                tl::unexpected<Error>(system_error("connect to " + name_of(target_), number)));
        }
        if (!request_.empty()) {
            const auto put = ::send(fd_.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
            if (put != static_cast<ssize_t>(request_.size())) {
                return finish(fail(ErrorCode::kUnavailable, name_of(target_) + " took no request"));
            }
        } else {
            hold_ = loop_.after(kHold, [self = shared_from_this()] {
                self->hold_ = 0;
                self->finish(true);
            });
        }
        loop_.watch_fd(fd_.get(), EPOLLIN,
                       [self = shared_from_this()](std::uint32_t) { self->readable(); });
    }

    void readable() {
        char block[512];
        const ssize_t got = ::recv(fd_.get(), block, sizeof block, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            return finish(fail(ErrorCode::kUnavailable,
                               name_of(target_) + " closed the connection without an answer"));
        }
        if (request_.empty()) return finish(true);  // it spoke first: somebody is there
        answer_.append(block, static_cast<std::size_t>(got));
        if (answer_.find('\n') != std::string::npos || answer_.size() > 256) judge_answer();
    }

    // RFC 9112, section 4: HTTP-version SP 3DIGIT SP ...
    void judge_answer() {
        const std::string line = answer_.substr(0, answer_.find_first_of("\r\n"));
        int status = 0;
        const std::size_t blank = line.find(' ');
        if (line.starts_with("HTTP/") && blank != std::string::npos) {
            std::from_chars(line.data() + blank + 1, line.data() + line.size(), status);
        }
        if (status >= 200 && status < 400) return finish(true);
        finish(fail(ErrorCode::kUnavailable,
                    name_of(target_) + " answered \"" + line.substr(0, 80) + "\""));
    }

    void finish(Result<bool> result) {
        if (!done_) return;
        const auto self = shared_from_this();
        loop_.cancel(timer_);
        loop_.cancel(hold_);
        if (fd_) loop_.unwatch_fd(fd_.get());
        fd_.reset();
        std::exchange(done_, nullptr)(std::move(result));
    }

    void finish_later(Result<bool> result) {
        loop_.post(
            [self = shared_from_this(), result = std::move(result)] { self->finish(result); });
    }

    EventLoop& loop_;
    ProbeTarget target_;
    std::string request_, answer_;
    Callback<bool> done_;
    UniqueFd fd_;
    TimerId timer_ = 0, hold_ = 0;
};

}  // namespace

Result<ProbeTarget> parse_probe_target(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    ProbeTarget target;
    if (colon != std::string_view::npos) {
        const std::string_view port = text.substr(colon + 1);
        const auto [end, error] =
            std::from_chars(port.data(), port.data() + port.size(), target.port);
        std::string_view address = text.substr(0, colon);
        if (address.starts_with('[') && address.ends_with(']')) {
            address = address.substr(1, address.size() - 2);
        }
        target.address = address;
        if (error == std::errc() && end == port.data() + port.size() && socket_address(target)) {
            return target;
        }
    }
    return fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is not an address with a port",
                "write it as 127.0.0.1:80 or [::1]:80");
}

void probe_tcp(EventLoop& loop, const ProbeTarget& target, Millis timeout, Callback<bool> done) {
    std::make_shared<Probe>(loop, target, std::string(), std::move(done))->start(timeout);
}

void probe_http(EventLoop& loop, const ProbeTarget& target, const std::string& path, Millis timeout,
                Callback<bool> done) {
    if (path.empty() || path.front() != '/' || path.find_first_of(" \r\n") != std::string::npos) {
        return loop.post([path, done = std::move(done)] {
            done(fail(ErrorCode::kInvalid, "\"" + path + "\" is not an HTTP path",
                      "it begins with /"));
        });
    }
    const bool v6 = target.address.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + target.address + "]" : target.address;
    const std::string request =
        "GET " + path + " HTTP/1.1\r\nHost: " + host + ":" + std::to_string(target.port) +
        "\r\nUser-Agent: blixard\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    std::make_shared<Probe>(loop, target, request, std::move(done))->start(timeout);
}

}  // namespace blixard::os
