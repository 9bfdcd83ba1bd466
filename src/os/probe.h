// Health checks from the host: one connection, one answer, in time. On the event loop.
//
// A connection to a forwarded port of QEMU's user-mode network is accepted by QEMU itself, whether
// or not the guest listens; a guest that refuses closes it at once. So a TCP probe holds the
// connection for a moment and counts an early close as a failure.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/event_loop.h"

namespace blixard::os {

struct ProbeTarget {
    std::string address;  // IPv4 or IPv6 in digits; no name look-up
    std::uint16_t port = 0;
};

// "127.0.0.1:80", "[::1]:80".
Result<ProbeTarget> parse_probe_target(std::string_view text);

// `done` gets true, or an error that says what was found. Called exactly once, on the loop, never
// from within the call.
void probe_tcp(EventLoop& loop, const ProbeTarget& target, Millis timeout, Callback<bool> done);

// GET with HTTP/1.1; success is a status of 200 to 399.
void probe_http(EventLoop& loop, const ProbeTarget& target, const std::string& path, Millis timeout,
                Callback<bool> done);

}  // namespace blixard::os
