#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "cli/http.h"
#include "cli/test_server.h"
#include "cli/value.h"

namespace blixard::cli {
namespace {

std::size_t content_length(const std::string& head) {
    std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

std::string answer(int status, const std::string& body, const std::string& content_type) {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", status,
                       content_type, body.size(), body);
}

std::string problem(int status, const std::string& code, const std::string& detail,
                    const std::string& field, const std::string& help) {
    Value body = Value::object(
        {{"status", status}, {"code", code}, {"detail", detail}, {"field", field}, {"help", help}});
    return answer(status, to_json(body), "application/problem+json");
}

TestServer::TestServer(Handler handler) : handler_(std::move(handler)) {
    char name[] = "/tmp/blixard-cli-test-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/s";
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0 || ::pipe(stop_pipe_) != 0)
        std::abort();
    thread_ = std::thread([this] { serve(); });
}

TestServer::~TestServer() {
    ::close(stop_pipe_[1]);
    thread_.join();
    ::close(stop_pipe_[0]);
    ::close(listener_);
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
}

std::vector<SeenRequest> TestServer::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}

SeenRequest TestServer::request(std::size_t index) const {
    std::lock_guard lock(mutex_);
    return index < requests_.size() ? requests_[index] : SeenRequest{};
}

int TestServer::connections() const {
    std::lock_guard lock(mutex_);
    return connections_;
}

void TestServer::serve() {
    while (true) {
        pollfd ready[2]{{listener_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}};
        ::poll(ready, 2, -1);
        if (ready[1].revents) return;
        int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        {
            std::lock_guard lock(mutex_);
            ++connections_;
        }
        serve_connection(fd);
        ::close(fd);
    }
}

void TestServer::serve_connection(int fd) {
    std::string buffer;
    bool upgraded = false;
    while (true) {
        pollfd ready[3]{{fd, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
        ::poll(ready, 3, -1);
        if (ready[1].revents) return;
        if (!ready[0].revents) return;  // another connection waits: this one is idle
        char bytes[65536];
        ssize_t count = ::recv(fd, bytes, sizeof bytes, 0);
        if (count <= 0) return;
        buffer.append(bytes, static_cast<std::size_t>(count));
        if (upgraded) {
            std::string reply = on_upgraded ? on_upgraded(std::exchange(buffer, {})) : "";
            ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
            continue;
        }
        std::size_t end = buffer.find("\r\n\r\n");
        if (end == std::string::npos ||
            buffer.size() < end + 4 + content_length(buffer.substr(0, end)))
            continue;
        SeenRequest request;
        request.head = buffer.substr(0, end + 2);
        request.method = request.head.substr(0, request.head.find(' '));
        std::size_t target = request.method.size() + 1;
        request.target = request.head.substr(target, request.head.find(' ', target) - target);
        request.body = buffer.substr(end + 4);
        buffer.clear();
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(request);
        }
        std::string reply = handler_(request);
        ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
        upgraded = reply.starts_with("HTTP/1.1 101");
        if (reply.empty() || close_after_each) return;
    }
}

}  // namespace blixard::cli
