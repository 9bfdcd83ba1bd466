// A live serial console: one connection to QEMU, shared by all readers, open only while it is
// used. (A guest is never held up by a daemon that does not read: QEMU throws away what nobody
// takes, and keeps the log.)
//
// Threads: the loop's. Readers are the caller's and must live until they are closed or told on_end.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hypervisor/hypervisor.h"
#include "os/event_loop.h"

namespace blixard::hypervisor {

class Console {
 public:
    // `path` is QEMU's socket.
    Console(os::EventLoop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}
    ~Console();
    Console(const Console&) = delete;

    Status open(ConsoleId id, ConsoleReader& reader);
    void close(ConsoleId id);
    Status write(std::string_view bytes);
    void end(std::string_view reason);  // the VM has gone

 private:
    Status connect();
    void ready(std::uint32_t events);
    void flush();
    void rest();

    os::EventLoop& loop_;
    const std::string path_;
    os::UniqueFd socket_;
    std::string input_;  // typed, not taken by the guest yet
    std::map<ConsoleId, ConsoleReader*> readers_;
    TimerId idle_ = 0;
};

}  // namespace blixard::hypervisor
