// blixard-bench writes: how many writes a second one host of a running cluster takes. Several at
// once, one a host, make the load of a whole cluster: bench/cluster.py does.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "bench/api/load.h"
#include "bench/options.h"

namespace blixard::bench {
namespace {

constexpr std::int64_t kConnections = 21, kRequests = 3000;

// Each request makes a project: one transaction, answered when this host's view shows it.
Status run_writes(const Options& options) {
    const std::string name = fmt::format("w{}", ::getpid());
    const auto request = [&](std::uint64_t n) {
        const std::string body =
            fmt::format(R"({{"name":"{}-{}","description":"{:0>200}"}})", name, n, n);
        return request_text("POST", "/v1/projects", body);
    };
    ASSIGN_OR_RETURN(
        const Figures figures,
        run({.endpoint = {options.text("socket", "/run/blixard/blixard.sock")},
             .connections = static_cast<int>(options.number("connections", kConnections)),
             .requests = static_cast<std::uint64_t>(options.number("requests", kRequests)),
             .request = request,
             .status = 201}));
    std::printf("%.0f writes/s, p50 %.1f ms, p99 %.1f ms\n", figures.per_second,
                figures.p50_us / 1000, figures.p99_us / 1000);
    return {};
}

}  // namespace

int writes(Arguments arguments) {
    const auto options = parse_options(arguments, {"socket", "connections", "requests"});
    const Status done = options ? run_writes(*options) : Status(fail(options.error()));
    if (!done) std::fprintf(stderr, "%s\n", describe(done.error()).c_str());
    return done ? 0 : 1;
}

}  // namespace blixard::bench
