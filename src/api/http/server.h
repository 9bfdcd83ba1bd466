// The HTTP server: sockets in, requests to a Service, answers out. HTTP/1.1 with keep-alive and
// pipelining, server-sent events, WebSocket, TLS.
//
// Threads: one loop thread (and one that compresses and reads files). The server is the Executor of
// everything that stands behind it: Service, Responder, Stream and Socket are used on its loop
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace blixard::api::http {

// Every bound of the server, with its reason. Tests take smaller ones.
struct Limits {
    std::size_t connections = 12'000;  // 5,000 event streams and as many idle clients, with room
    std::size_t body_bytes = 1024 * 1024;  // a document; uploads are streamed and not bound by this
    std::size_t stream_bytes =
        256 * 1024;  // what waits for a slow reader of events or a console: some 500 events
    std::size_t socket_message_bytes = 64 * 1024;  // typed into a console
    Millis idle = seconds(60);                     // between two requests
    Millis head = seconds(10);  // from its first byte (or the connection) to the end of a head
    Millis body_progress = seconds(30);   // between two pieces of a body
    Millis write_progress = seconds(30);  // between two pieces that the client takes
    Millis linger = seconds(2);  // reading what a refused client still sends, so that it sees why
};

// One finished exchange, as the access log and the metrics want it. The views live as long as the
// call.
struct Exchanged {
    std::string_view method;
    std::string_view path;
    std::string_view route;  // as the service named it; empty: answered by the transport
    std::string_view principal;
    std::string_view request_id;
    int status = 0;
    std::uint64_t body_bytes = 0;
    std::int64_t micros =
        0;  // from the whole head to the last byte given to the kernel (streams: to their head)
};

class Observer {
 public:
    virtual ~Observer() = default;
    virtual void exchanged(const Exchanged&) {}
    virtual void connections_open(std::size_t) {}
    virtual void connection_refused() {}  // over the limit
    virtual void stream_cut_off() {}      // read too slowly
};

struct TlsFiles {
    std::string certificate;  // PEM, the chain
    std::string key;          // PEM
    std::string client_ca;  // PEM; empty: clients need no certificate (and are nobody until a token
                            // says more)
};

struct ServerOptions {
    Log* log = nullptr;            // may be null; outlives the server
    Observer* observer = nullptr;  // may be null; outlives the server
    Limits limits;
    std::string admin_group = "blixard";  // members are admins over the unix socket
};

class Server : public Executor {
 public:
    // Also raises the soft limit of open files to the hard one, which 10,000 connections need;
    // where that is too low, fewer connections are taken.
    static Result<std::unique_ptr<Server>> create(ServerOptions options);
    ~Server() override = default;  // stops

    // Before start(). A socket file that nobody listens on is replaced. `group` empty or unknown:
    // stays the process's own.
    virtual Status listen_unix(const std::string& path, unsigned mode,
                               const std::string& group) = 0;
    // Plain TCP: loopback addresses only, and whoever reaches it is "local", an admin. Port 0: any;
    // returns the port.
    virtual Result<std::uint16_t> listen_tcp(const std::string& address, std::uint16_t port) = 0;
    virtual Result<std::uint16_t> listen_tls(const std::string& address, std::uint16_t port,
                                             const TlsFiles& files) = 0;

    // Runs the loop in a thread of its own. `service` outlives stop(). Once.
    virtual void start(Service& service) = 0;
    // Ends every connection (on_closed and on_abort are called) and the loop; waits for it. Tasks
    // and timers that have not run are dropped. Not on the loop.
    virtual void stop() = 0;
};

}  // namespace blixard::api::http
