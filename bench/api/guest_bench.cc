#include "bench/api/guest_bench.h"

#include <fmt/format.h>
#include <poll.h>

namespace blixard::bench {
namespace {

constexpr double kPatienceUs = 120e6;
constexpr int kSettleMs = 1000;

struct Round {
    double running_us, console_us, ready_us, stopped_us;
};

// The end of the demo guest's boot line: its user space is up, and soon listens for the power
// button.
constexpr std::string_view kReady = " ready";
// Not the first line of all: the firmware speaks on the console, too.
constexpr const char* kKernelLine = "Linux version";

// Until the console log holds `text`.
Status wait_for_console(DaemonUnderTest& daemon, const std::string& path, std::string_view text) {
    const double begin = now_us();
    while (now_us() - begin < kPatienceUs) {
        const auto log = daemon.ask("GET", path + "/log?bytes=4096");
        if (log && log->body.find(text) != log->body.npos) return {};
        ::poll(nullptr, 0, 2);
    }
    return fail(ErrorCode::kTimeout,
                fmt::format("the guest did not say \"{}\" in two minutes", text));
}

Result<Round> one_round(DaemonUnderTest& daemon, const std::string& image, int number) {
    const std::string name = fmt::format("guest-{}", number);
    const std::string path = "/v1/vms/" + name;
    Round round{};
    const double begin = now_us();
    RETURN_IF_ERROR(daemon.ask(
        "POST", "/v1/vms?wait=running&timeout=120",
        fmt::format(R"({{"name":"{}","spec":{{"image":"{}","cpus":1,"memory_mib":96}}}})", name,
                    image)));
    round.running_us = now_us() - begin;
    RETURN_IF_ERROR(wait_for_console(daemon, path, kKernelLine));
    round.console_us = now_us() - begin;
    RETURN_IF_ERROR(wait_for_console(daemon, path, kReady));
    round.ready_us = now_us() - begin;
    ::poll(nullptr, 0, kSettleMs);
    const double stop = now_us();
    RETURN_IF_ERROR(daemon.ask("POST", path + "/stop?wait=stopped&timeout=60"));
    round.stopped_us = now_us() - stop;
    RETURN_IF_ERROR(daemon.ask("DELETE", path + "?wait=deleted&timeout=30"));
    return round;
}

}  // namespace

Status measure_guests(Report& report, DaemonUnderTest& daemon, const std::string& image,
                      int rounds) {
    std::vector<double> running, console, ready, stopped;
    for (int i = 0; i < rounds; ++i) {
        ASSIGN_OR_RETURN(const Round round, one_round(daemon, image, i));
        running.push_back(round.running_us / 1000);
        console.push_back(round.console_us / 1000);
        ready.push_back(round.ready_us / 1000);
        stopped.push_back(round.stopped_us / 1000);
    }
    report.add("guest: create to running, median", percentile(running, 0.5), "ms");
    report.add("guest: create to its kernel's first line, median", percentile(console, 0.5), "ms");
    report.add("guest: create to user space ready, median", percentile(ready, 0.5), "ms");
    report.add("guest: graceful stop, median", percentile(stopped, 0.5), "ms");
    return {};
}

}  // namespace blixard::bench
