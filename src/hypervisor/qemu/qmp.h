// A persistent QMP connection to one QEMU. Every command has a time-out and its callback is called
// exactly once.
//
// Threads: the loop's. Held by shared_ptr: callbacks may drop their owner.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hypervisor/qemu/qmp_reader.h"
#include "os/event_loop.h"
#include "os/unique_fd.h"

namespace blixard::hypervisor {

class QmpConnection : public std::enable_shared_from_this<QmpConnection> {
 public:
    using OnEvent = std::function<void(const QmpMessage&)>;
    using OnClosed = std::function<void(const Error&)>;

    // A connected stream socket.
    QmpConnection(os::EventLoop& loop, os::UniqueFd socket)
        : loop_(loop), socket_(std::move(socket)) {}
    ~QmpConnection();

    // Waits for the greeting and leaves negotiation mode. `on_closed` is called once when the
    // connection ends by itself.
    void open(Millis timeout, OnEvent on_event, OnClosed on_closed, Callback<bool> ready);

    // `done` gets the value returned, as JSON. `arguments` is a JSON object or empty.
    void execute(std::string_view command, std::string_view arguments, Millis timeout,
                 Callback<std::string> done);

    // Takes in what has already arrived: the last words of a QEMU that has ended.
    void pump();

    // Ends it: commands on their way fail (kCancelled), no callback of open() is called any more.
    void close();

 private:
    struct Command {
        std::string name;
        TimerId timer = 0;
        Callback<std::string> done;
    };

    void ready(std::uint32_t events);
    void flush();
    void take(const QmpMessage& message);
    void finish(std::uint64_t id, Result<std::string> result);
    void broken(const Error& error);
    void end(const Error& error);

    os::EventLoop& loop_;
    os::UniqueFd socket_;
    QmpReader reader_;
    std::string output_;
    std::map<std::uint64_t, Command> pending_;
    std::uint64_t last_id_ = 0;
    OnEvent on_event_;
    OnClosed on_closed_;
    std::function<void(Result<bool>)> greeted_;
    TimerId greeting_timer_ = 0;
};

}  // namespace blixard::hypervisor
