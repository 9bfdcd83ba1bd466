// blixard-bench http: the HTTP server alone, with a service that returns fixed bytes. What the API
// costs beyond this is its own.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "api/http/server.h"
#include "api/http/test_service.h"
#include "bench/api/api.h"
#include "bench/api/load.h"
#include "bench/api/process.h"
#include "bench/api/report.h"

namespace blixard::bench {
namespace {

constexpr int kStreams = 5000;
constexpr std::uint64_t kMany = 40'000, kFew = 1'000, kQuickDivisor = 100;

void serve(const std::string& socket, int port_out) {
    auto server = std::move(*api::http::Server::create({}));
    api::http::TestService service(*server);
    if (!server->listen_unix(socket, 0600, "")) return;
    const auto port = server->listen_tcp("127.0.0.1", 0);
    if (!port) return;
    server->start(service);
    [[maybe_unused]] const ssize_t sent = ::write(port_out, &*port, sizeof *port);
    for (;;) ::pause();
}

Status measure_requests(Report& report, const std::vector<Endpoint>& ways, std::uint64_t divisor) {
    struct Row {
        const char* name;
        const char* target;
        const char* headers;
        std::uint64_t requests;
    };
    const Row rows[] = {{"5 bytes", "/hello", "", kMany / divisor},
                        {"one document, 1.5 kB", "/1k", "", kMany / divisor},
                        {"list of 1.5 MB", "/list", "", kFew / divisor},
                        {"list of 1.5 MB, gzip (same bytes again)", "/list",
                         "Accept-Encoding: gzip\r\n", kFew / divisor}};
    for (const Row& row : rows)
        for (const Endpoint& way : ways)
            for (const int connections : {1, 64}) {
                const std::string text = request_text("GET", row.target, {}, row.headers);
                ASSIGN_OR_RETURN(const Figures figures, run({way, connections, row.requests,
                                                             [&](std::uint64_t) { return text; }}));
                report.add(row.name, way.is_unix() ? "unix" : "tcp", connections, figures);
            }
    return {};
}

Status measure_streams(Report& report, const Endpoint& way, const ServerProcess& server) {
    const std::uint64_t before = server.resident_kib();
    std::vector<HttpClient> streams;
    for (int i = 0; i < kStreams; ++i) {
        ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(way));
        RETURN_IF_ERROR(client.send(request_text("GET", "/events")));
        RETURN_IF_ERROR(client.receive());
        streams.push_back(std::move(client));
    }
    report.add("memory of an idle event stream",
               static_cast<double>(server.resident_kib() - before) / kStreams, "KiB");
    const std::string text = request_text("GET", "/1k");
    ASSIGN_OR_RETURN(const Figures figures,
                     run({way, 1, 40'000, [&](std::uint64_t) { return text; }}));
    report.add("one document beside 5,000 idle streams", "unix", 1, figures);
    return {};
}

Status measure_idle(Report& report, const ServerProcess& server) {
    constexpr int kSeconds = 5;
    const double before = server.cpu_seconds();
    ::sleep(kSeconds);
    report.add("idle server", (server.cpu_seconds() - before) * 100 / kSeconds, "% of a core");
    report.add("idle server", static_cast<double>(server.resident_kib()) / 1024, "MiB");
    return {};
}

}  // namespace

Status run_http(const ApiOptions& options) {
    raise_file_limit();
    char name[] = "/tmp/blixard-bench-XXXXXX";
    const std::string directory = ::mkdtemp(name);
    int port_pipe[2];
    if (::pipe(port_pipe) != 0) return fail(ErrorCode::kUnavailable, "pipe");
    const std::string socket = directory + "/socket";
    Status status;
    {
        ASSIGN_OR_RETURN(const ServerProcess server,
                         ServerProcess::fork([&] { serve(socket, port_pipe[1]); }));
        std::uint16_t port = 0;
        if (::read(port_pipe[0], &port, sizeof port) != sizeof port)
            return fail(ErrorCode::kInternal, "the server did not start");
        const std::vector<Endpoint> ways{{socket}, {fmt::format("127.0.0.1:{}", port)}};
        Report report;
        report.heading("HTTP server alone, fixed bytes");
        status = measure_idle(report, server);
        if (status) status = measure_requests(report, ways, options.quick ? kQuickDivisor : 1);
        if (status) status = measure_streams(report, ways[0], server);
        if (status && !options.json_path.empty()) status = report.write_json(options.json_path);
    }
    std::filesystem::remove_all(directory);
    return status;
}

}  // namespace blixard::bench
