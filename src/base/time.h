// Time as values, and the two ports through which the world's time comes in.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace blixard {

// A span, in milliseconds. Negative spans are legal values (they are "in the past").
struct Millis {
    std::int64_t count = 0;

    constexpr auto operator<=>(const Millis&) const = default;
    constexpr Millis operator+(Millis other) const { return {count + other.count}; }
    constexpr Millis operator-(Millis other) const { return {count - other.count}; }
    constexpr Millis operator*(std::int64_t factor) const { return {count * factor}; }
    constexpr Millis operator/(std::int64_t divisor) const { return {count / divisor}; }
};
constexpr Millis seconds(std::int64_t n) { return {n * 1000}; }

// A point on one host's monotonic clock (CLOCK_BOOTTIME: it goes on while the host sleeps). Never
// leaves the host.
struct MonoTime {
    std::int64_t ms = 0;

    constexpr auto operator<=>(const MonoTime&) const = default;
    constexpr MonoTime operator+(Millis span) const { return {ms + span.count}; }
    constexpr MonoTime operator-(Millis span) const { return {ms - span.count}; }
    constexpr Millis operator-(MonoTime other) const { return {ms - other.ms}; }
};

// Wall-clock time: milliseconds since 1970 UTC. For people and records, never for deciding who may
// act.
struct WallTime {
    std::int64_t ms = 0;

    constexpr auto operator<=>(const WallTime&) const = default;
    constexpr WallTime operator+(Millis span) const { return {ms + span.count}; }
    constexpr Millis operator-(WallTime other) const { return {ms - other.ms}; }
};

// RFC 3339 with milliseconds, UTC: "2026-11-21T03:40:00.123Z".
std::string to_rfc3339(WallTime time);

class Clock {
 public:
    virtual ~Clock() = default;
    virtual MonoTime mono() const = 0;  // any thread
    virtual WallTime wall() const = 0;  // any thread
};

using TimerId = std::uint64_t;  // 0 names no timer

// A loop that runs functions to completion, one at a time, in the order they were posted. The real
// one is os::EventLoop (one thread); the simulation's runs on virtual time. Everything in agent,
// controller, view and api runs on an executor and needs no lock of its own.
class Executor {
 public:
    virtual ~Executor() = default;

    // Runs `task` later on the loop. Any thread.
    virtual void post(std::function<void()> task) = 0;

    // Runs `task` once, `delay` from now or later. Loop thread only.
    virtual TimerId after(Millis delay, std::function<void()> task) = 0;

    // The task will not run any more. Cancelling 0 or a timer that has run is nothing. Loop thread
    // only.
    virtual void cancel(TimerId timer) = 0;
};

}  // namespace blixard
