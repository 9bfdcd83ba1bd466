#include "api/http/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <ctime>
#include <random>
#include <thread>
#include <unordered_map>

#include "api/http/connection.h"
#include "api/http/headers.h"
#include "api/http/listener.h"
#include "api/http/streams.h"
#include "api/http/tls.h"
#include "base/assert.h"

namespace blixard::api::http {
namespace {

using boost::system::error_code;

// Written without a connection of ours.
std::string too_many_connections() {
    const Response response = problem(Error{ErrorCode::kUnavailable,
                                            "too many connections are open",
                                            {},
                                            "close some, or ask again in a moment"});
    return fmt::format(
        "HTTP/1.1 503 {}\r\nContent-Type: {}\r\nRetry-After: 1\r\nConnection: "
        "close\r\nContent-Length: {}\r\n\r\n{}",
        reason_phrase(503), response.content_type, response.body.size(), response.body);
}

// Where the process has no descriptor left, accepting again at once would spin.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// For the store, QMP connections, logs and files on their way.
constexpr std::uint64_t kFilesKept = 1024;
// Connections taken per wake-up, so that requests are not starved by a burst of new clients.
constexpr int kAcceptsAtOnce = 64;

std::int64_t mono_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

struct Listener {
    Listener(asio::io_context& io, Descriptor fd, Connection::Way connection_way)
        : socket(io, fd.release()), pause(io), way(connection_way) {}

    asio::posix::stream_descriptor socket;
    asio::steady_timer pause;
    Connection::Way way;
    std::string unix_path;
    std::unique_ptr<asio::ssl::context> tls;
};

class ServerImpl final : public Server, public ConnectionHost {
 public:
    explicit ServerImpl(ServerOptions options) : options_(std::move(options)), sweep_(io_) {
        request_id_prefix_ = fmt::format("{:08x}", std::random_device{}());
        admin_group_ = find_group(options_.admin_group);
    }

    ~ServerImpl() override { stop(); }

    Status listen_unix(const std::string& path, unsigned mode, const std::string& group) override {
        ASSIGN_OR_RETURN(Descriptor fd, open_unix_listener(path, mode, group));
        add_listener(std::move(fd), Connection::Way::kUnix).unix_path = path;
        return {};
    }

    Result<std::uint16_t> listen_tcp(const std::string& address, std::uint16_t port) override {
        if (!is_loopback_address(address))
            return fail(
                ErrorCode::kDenied,
                fmt::format(
                    "{} is no loopback address, and without TLS anybody there could do anything",
                    address),
                "listen on 127.0.0.1 or ::1; from elsewhere it is reached through ssh -L");
        ASSIGN_OR_RETURN(Descriptor fd, open_tcp_listener(address, port));
        const auto bound = bound_port(fd);
        add_listener(std::move(fd), Connection::Way::kLocal);
        return bound;
    }

    Result<std::uint16_t> listen_tls(const std::string& address, std::uint16_t port,
                                     const TlsFiles& files) override {
        auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
        RETURN_IF_ERROR(set_up_tls(context->native_handle(), files));
        ASSIGN_OR_RETURN(Descriptor fd, open_tcp_listener(address, port));
        const auto bound = bound_port(fd);
        add_listener(std::move(fd), Connection::Way::kTls).tls = std::move(context);
        return bound;
    }

    void start(Service& service) override {
        ASSERT(!thread_.joinable());
        service_ = &service;
        for (const auto& listener : listeners_) wait_for_clients(*listener);
        thread_ = std::thread([this] { run(); });
    }

    void stop() override {
        if (stopped_) return;
        stopped_ = true;
        if (thread_.joinable()) {
            asio::post(io_, [this] { close_all(); });
            thread_.join();
        }
        helper_.join();
        for (const auto& listener : listeners_)
            if (!listener->unix_path.empty()) ::unlink(listener->unix_path.c_str());
        listeners_.clear();
    }

    // Executor.
    void post(std::function<void()> task) override { asio::post(io_, std::move(task)); }

    TimerId after(Millis delay, std::function<void()> task) override {
        const TimerId id = ++last_timer_;
        auto& timer = timers_.try_emplace(id, io_).first->second;
        timer.expires_after(std::chrono::milliseconds(delay.count));
        timer.async_wait([this, id, task = std::move(task)](error_code error) {
            if (error || timers_.erase(id) == 0) return;
            task();
        });
        return id;
    }

    void cancel(TimerId timer) override { timers_.erase(timer); }

    // ConnectionHost.
    Service& service() override { return *service_; }
    const Limits& limits() const override { return options_.limits; }
    Observer& observer() override { return options_.observer ? *options_.observer : no_observer_; }
    Log& log() override { return options_.log ? *options_.log : no_log_; }
    std::int64_t now_us() const override { return mono_us(); }
    CompressedBodies& compressed_bodies() override { return compressed_bodies_; }

    const std::string& date() override {
        const std::time_t now = ::time(nullptr);
        if (now != date_second_) date_ = http_date(now);
        date_second_ = now;
        return date_;
    }

    std::string next_request_id() override {
        return fmt::format("{}-{:x}", request_id_prefix_, ++request_count_);
    }

    void offload(std::function<void()> work, std::function<void()> done) override {
        asio::post(helper_, [this, work = std::move(work), done = std::move(done)]() mutable {
            work();
            asio::post(io_, std::move(done));
        });
    }

    void forget(Connection& connection) override {
        connections_.erase(connection.id());
        observer().connections_open(connections_.size());
    }

 private:
    Listener& add_listener(Descriptor fd, Connection::Way way) {
        ASSERT(!thread_.joinable());
        return *listeners_.emplace_back(std::make_unique<Listener>(io_, std::move(fd), way));
    }

    void run() {
        for (;;) {
            try {
                io_.run();
                return;
            } catch (const std::exception& failure) {
                log().error("loop.exception", {{"what", failure.what()}});
            }
        }
    }

    void close_all() {
        for (const auto& listener : listeners_) listener->socket.cancel();
        sweep_.cancel();
        timers_.clear();
        std::vector<std::shared_ptr<Connection>> open;
        for (const auto& [id, connection] : connections_) open.push_back(connection);
        for (const auto& connection : open) connection->close();
        io_.stop();
    }

    void wait_for_clients(Listener& listener) {
        listener.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                   [this, &listener](error_code error) {
                                       if (!error) accept_clients(listener);
                                   });
    }

    void accept_clients(Listener& listener) {
        for (int i = 0; i < kAcceptsAtOnce; ++i) {
            Descriptor fd(::accept4(listener.socket.native_handle(), nullptr, nullptr,
                                    SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (fd.get() < 0) {
                if (errno == EINTR || errno == ECONNABORTED) continue;
                if (errno == EAGAIN) break;
                log().warn("http.accept", {{"error", strerror(errno)}});
                return accept_later(listener);
            }
            if (connections_.size() >= options_.limits.connections)
                refuse_client(fd);
            else
                take_client(listener, std::move(fd));
        }
        wait_for_clients(listener);
    }

    void accept_later(Listener& listener) {
        listener.pause.expires_after(kAcceptPause);
        listener.pause.async_wait([this, &listener](error_code error) {
            if (!error) wait_for_clients(listener);
        });
    }

    void refuse_client(const Descriptor& fd) {
        observer().connection_refused();
        [[maybe_unused]] const ssize_t sent =
            ::send(fd.get(), too_many_.data(), too_many_.size(), MSG_NOSIGNAL);
        ::shutdown(fd.get(), SHUT_WR);
    }

    void take_client(Listener& listener, Descriptor fd) {
        const bool is_unix = listener.way == Connection::Way::kUnix;
        const int on = 1;
        if (!is_unix) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Principal principal =
            is_unix ? unix_peer(fd.get(), admin_group_) : Principal{"local", true};
        PlainStream stream(io_);
        error_code error;
        const asio::generic::stream_protocol protocol(is_unix ? AF_UNIX : AF_INET, 0);
        stream.assign(protocol, fd.get(), error);
        if (error) return;
        fd.release();
        auto transport = listener.tls ? make_transport(std::move(stream), *listener.tls)
                                      : make_transport(std::move(stream), std::move(principal));
        const std::uint64_t id = ++last_connection_;
        const auto connection =
            std::make_shared<Connection>(*this, std::move(transport), listener.way, id);
        if (connections_.empty()) sweep_later();
        connections_.emplace(id, connection);
        observer().connections_open(connections_.size());
        connection->start();
    }

    // One timer for all connections: arming one for each request would cost more than looking at
    // each once a second.
    void sweep_later() {
        const Limits& limits = options_.limits;
        const Millis shortest = std::min(
            {limits.idle, limits.head, limits.body_progress, limits.write_progress, limits.linger});
        sweep_.expires_after(
            std::chrono::milliseconds(std::clamp<std::int64_t>(shortest.count / 4, 5, 1000)));
        sweep_.async_wait([this](error_code error) {
            if (error || connections_.empty()) return;
            std::vector<std::shared_ptr<Connection>> open;
            open.reserve(connections_.size());
            for (const auto& [id, connection] : connections_) open.push_back(connection);
            const std::int64_t now = mono_us();
            for (const auto& connection : open) connection->check_deadline(now);
            if (!connections_.empty()) sweep_later();
        });
    }

    ServerOptions options_;
    NullLog no_log_;
    Observer no_observer_;
    Service* service_ = nullptr;
    gid_t admin_group_;
    const std::string too_many_ = too_many_connections();
    std::string request_id_prefix_;
    bool stopped_ = false;

    // Everything below is the loop's, once it runs.
    std::uint64_t request_count_ = 0, last_connection_ = 0;
    TimerId last_timer_ = 0;
    std::time_t date_second_ = -1;
    std::string date_;
    CompressedBodies compressed_bodies_;

    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    asio::steady_timer sweep_;
    std::unordered_map<TimerId, asio::steady_timer> timers_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    std::thread thread_;
    asio::thread_pool helper_{1};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::create(ServerOptions options) {
    // Where few files may be open, clients must not take those that the store and the VMs need.
    const std::uint64_t files = raise_file_limit();
    const std::uint64_t for_clients = files > 2 * kFilesKept ? files - kFilesKept : files / 2;
    options.limits.connections = std::min<std::uint64_t>(options.limits.connections, for_clients);
    return std::unique_ptr<Server>(std::make_unique<ServerImpl>(std::move(options)));
}

}  // namespace blixard::api::http
