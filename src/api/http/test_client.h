// A client that says exactly the bytes a test wants said, and a server to say them to.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <string>

#include "api/http/server.h"
#include "api/http/test_service.h"

namespace blixard::api::http {

// Fails a test rather than hang it.
constexpr int kPatienceMs = 20'000;

class TestClient {
 public:
    static TestClient to_unix(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        return TestClient(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    static TestClient to_tcp(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return TestClient(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    TestClient(TestClient&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), left_(std::move(other.left_)) {}
    ~TestClient() { close(); }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void end_sending() { ::shutdown(fd_, SHUT_WR); }
    int fd() const { return fd_; }

    // False: the server has closed.
    bool say(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }

    // What comes until `end` stands in it, or the connection ends.
    std::string hear_until(std::string_view end) {
        std::size_t at;
        while ((at = left_.find(end)) == std::string::npos)
            if (!more()) return std::exchange(left_, {});
        const std::string heard = left_.substr(0, at + end.size());
        left_.erase(0, at + end.size());
        return heard;
    }
    std::string hear(std::size_t count) {
        while (left_.size() < count)
            if (!more()) break;
        const std::string heard = left_.substr(0, count);
        left_.erase(0, count);
        return heard;
    }
    std::string hear_all() {
        while (more()) {
        }
        return std::exchange(left_, {});
    }

    // Head and body by Content-Length.
    std::string hear_answer() {
        std::string head = hear_until("\r\n\r\n");
        const std::size_t at = head.find("Content-Length: ");
        if (at == std::string::npos) return head;
        return head + hear(std::strtoull(head.c_str() + at + 16, nullptr, 10));
    }
    std::string ask(std::string_view request) {
        say(request);
        return hear_answer();
    }
    std::string get(const std::string& path, const std::string& headers = {}) {
        return ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    }

 private:
    TestClient(int family, const sockaddr* address, socklen_t size)
        : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (::connect(fd_, address, size) != 0) ADD_FAILURE() << "connect: " << strerror(errno);
    }

    bool more() {
        pollfd wait{fd_, POLLIN, 0};
        if (::poll(&wait, 1, kPatienceMs) <= 0) {
            ADD_FAILURE() << "nothing came";
            return false;
        }
        char bytes[65536];
        const ssize_t count = ::recv(fd_, bytes, sizeof bytes, 0);
        if (count <= 0) return false;
        left_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }

    int fd_;
    std::string left_;
};

inline int status_of(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::atoi(answer.c_str() + 9) : 0;
}
inline std::string body_of(const std::string& answer) {
    const std::size_t at = answer.find("\r\n\r\n");
    return at == std::string::npos ? "" : answer.substr(at + 4);
}

class CountingObserver final : public Observer {
 public:
    void exchanged(const Exchanged& one) override {
        lines.push_back(std::string(one.method) + " " + std::string(one.path) + " " +
                        std::to_string(one.status));
    }
    void connections_open(std::size_t count) override { open = count; }
    void connection_refused() override { ++refused; }
    void stream_cut_off() override { ++cut_off; }

    std::vector<std::string> lines;
    std::size_t open = 0;
    int refused = 0, cut_off = 0;
};

class ServerTest : public testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/blixard-http-XXXXXX";
        directory_ = ::mkdtemp(name);
        socket_path_ = directory_ + "/socket";
    }
    void TearDown() override {
        if (server_) server_->stop();
        std::filesystem::remove_all(directory_);
    }

    void serve(Limits limits = {}) {
        ServerOptions options;
        options.limits = limits;
        options.observer = &observer_;
        server_ = std::move(*Server::create(options));
        service_ = std::make_unique<TestService>(*server_);
        ASSERT_TRUE(server_->listen_unix(socket_path_, 0660, ""));
        const auto port = server_->listen_tcp("127.0.0.1", 0);
        ASSERT_TRUE(port);
        port_ = *port;
        server_->start(*service_);
    }
    TestClient client() { return TestClient::to_unix(socket_path_); }

    // Runs on the loop, and waits for it.
    template <class Function>
    auto on_loop(Function function) {
        std::promise<decltype(function())> promise;
        server_->post([&] { promise.set_value(function()); });
        return promise.get_future().get();
    }
    // Looks again until it holds; each look is a turn of the server's loop.
    template <class Condition>
    bool becomes_true(Condition condition) {
        for (int i = 0; i < 4000; ++i) {
            if (on_loop(condition)) return true;
            ::poll(nullptr, 0, 5);
        }
        return false;
    }

    std::string directory_, socket_path_;
    std::uint16_t port_ = 0;
    CountingObserver observer_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<TestService> service_;
};

}  // namespace blixard::api::http
