#include "bench/api/guest_bench.h"

#include <fmt/format.h>
#include <poll.h>

namespace blixard::bench {
namespace {

constexpr double kPatienceUs = 120e6;

struct Round {
    double running_us, console_us, stopped_us;
};

Status wait_for_console(DaemonUnderTest& daemon, const std::string& path) {
    const double begin = now_us();
    while (now_us() - begin < kPatienceUs) {
        const auto log = daemon.ask("GET", path + "/log?bytes=4096");
        if (log && log->body.find('\n') != log->body.npos) return {};
        ::poll(nullptr, 0, 2);
    }
    return fail(ErrorCode::kTimeout, "no console line came in two minutes");
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
    RETURN_IF_ERROR(wait_for_console(daemon, path));
    round.console_us = now_us() - begin;
    // Until its user space listens for the power button.
    ::poll(nullptr, 0, 10'000);
    const double stop = now_us();
    RETURN_IF_ERROR(daemon.ask("POST", path + "/stop?wait=stopped&timeout=60"));
    round.stopped_us = now_us() - stop;
    RETURN_IF_ERROR(daemon.ask("DELETE", path + "?wait=deleted&timeout=30"));
    return round;
}

}  // namespace

Status measure_guests(Report& report, DaemonUnderTest& daemon, const std::string& image,
                      int rounds) {
    std::vector<double> running, console, stopped;
    for (int i = 0; i < rounds; ++i) {
        ASSIGN_OR_RETURN(const Round round, one_round(daemon, image, i));
        running.push_back(round.running_us / 1000);
        console.push_back(round.console_us / 1000);
        stopped.push_back(round.stopped_us / 1000);
    }
    report.add("guest: create to running, median", percentile(running, 0.5), "ms");
    report.add("guest: create to first console line, median", percentile(console, 0.5), "ms");
    report.add("guest: graceful stop, median", percentile(stopped, 0.5), "ms");
    return {};
}

}  // namespace blixard::bench
