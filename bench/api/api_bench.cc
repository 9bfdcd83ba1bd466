// blixard-bench api: a real daemon on sqlite in a process of its own, and what its clients wait
// for.
#include <fmt/format.h>
#include <poll.h>

#include "bench/api/api.h"
#include "bench/api/daemon_under_test.h"
#include "bench/api/event_bench.h"
#include "bench/api/guest_bench.h"
#include "bench/api/load.h"
#include "bench/api/report.h"
#include "bench/api/vm_text.h"

namespace blixard::bench {
namespace {

constexpr int kStreams = 5000;
constexpr int kIdleMs = 10'000;
constexpr int kEvents = 300;

class ApiBench {
 public:
    ApiBench(const ApiOptions& options, DaemonUnderTest& daemon)
        : options_(options), daemon_(daemon) {}

    Status measure() {
        RETURN_IF_ERROR(daemon_.make_idle_image(kIdleImage));
        for (int vms = 10; vms <= options_.vms_most; vms *= 10) {
            report_.heading(fmt::format("{} stopped VMs", vms));
            RETURN_IF_ERROR(create_up_to(vms));
            RETURN_IF_ERROR(measure_reads(vms));
            if (vms == 1000) RETURN_IF_ERROR(measure_once());
        }
        measure_with_guests();
        if (options_.json_path.empty()) return {};
        return report_.write_json(options_.json_path);
    }

 private:
    std::uint64_t count(std::uint64_t full) const {
        return options_.quick ? std::max<std::uint64_t>(full / 100, 20) : full;
    }

    Status create_up_to(int vms) {
        const std::uint64_t first = made_;
        const int connections = vms > 1000 ? 64 : 1;
        Load load{daemon_.unix_way(), connections, vms - made_,
                  [first](std::uint64_t n) { return create_text(first + n); }, 201};
        ASSIGN_OR_RETURN(const Figures figures, run(load));
        report_.add(fmt::format("create, {} to {} VMs", made_, vms), "unix", connections, figures);
        made_ = static_cast<std::uint64_t>(vms);
        return {};
    }

    Status row(const std::string& name, const std::string& target, const std::string& headers,
               std::uint64_t requests) {
        const std::string text = request_text("GET", target, {}, headers);
        for (const Endpoint& way : {daemon_.unix_way(), daemon_.tcp_way()})
            for (const int connections : {1, 64}) {
                ASSIGN_OR_RETURN(const Figures figures, run({way, connections, requests,
                                                             [&](std::uint64_t) { return text; }}));
                report_.add(name, way.is_unix() ? "unix" : "tcp", connections, figures);
            }
        return {};
    }

    Status measure_reads(int vms) {
        RETURN_IF_ERROR(row(fmt::format("get one of {}", vms),
                            "/v1/vms/" + stopped_vm_name(made_ / 2), "", count(20'000)));
        const std::string all = fmt::format("/v1/vms?limit={}", vms);
        const std::uint64_t lists = count(std::max(50, 400'000 / vms));
        RETURN_IF_ERROR(row(fmt::format("list {} full documents", vms), all, "", lists));
        RETURN_IF_ERROR(row(fmt::format("list {}, gzip", vms), all, "Accept-Encoding: gzip\r\n",
                            std::max<std::uint64_t>(lists / 10, 64)));
        if (vms < 100) return {};
        return row(fmt::format("page of 100 of {}", vms), "/v1/vms?limit=100", "", count(4'000));
    }

    // At 1,000 VMs.
    Status measure_once() {
        RETURN_IF_ERROR(measure_create_and_delete());
        RETURN_IF_ERROR(
            measure_events(report_, daemon_, stopped_vm_name(1), static_cast<int>(count(kEvents))));
        measure_idle();
        return measure_streams();
    }

    Status measure_create_and_delete() {
        for (const int connections : {1, 64}) {
            const std::uint64_t requests = count(2'000);
            Load create{daemon_.unix_way(), connections, requests,
                        [](std::uint64_t n) { return create_text(50'000 + n); }, 201};
            ASSIGN_OR_RETURN(const Figures created, run(create));
            report_.add("create beside 1000", "unix", connections, created);
            Load remove{daemon_.unix_way(), connections, requests,
                        [](std::uint64_t n) {
                            return request_text("DELETE", "/v1/vms/" + stopped_vm_name(50'000 + n) +
                                                              "?wait=deleted&timeout=30");
                        },
                        200};
            const auto removed = run(remove);
            if (removed)
                report_.add("delete until it is gone", "unix", connections, *removed);
            else
                report_.missing("delete until it is gone", removed.error().message);
        }
        return {};
    }

    void measure_idle() {
        const int wait_ms = options_.quick ? 500 : kIdleMs;
        ::poll(nullptr, 0, wait_ms / 5);
        const double before = daemon_.process().cpu_seconds();
        ::poll(nullptr, 0, wait_ms);
        report_.add("idle daemon, 1000 stopped VMs",
                    (daemon_.process().cpu_seconds() - before) * 1e5 / wait_ms, "% of a core");
        report_.add("idle daemon, 1000 stopped VMs",
                    static_cast<double>(daemon_.process().resident_kib()) / 1024, "MiB resident");
    }

    Status measure_streams() {
        const std::uint64_t before = daemon_.process().resident_kib();
        std::vector<HttpClient> streams;
        for (int i = 0; i < kStreams; ++i) {
            ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(daemon_.unix_way()));
            RETURN_IF_ERROR(client.send(request_text("GET", "/v1/events?name=nobody")));
            ASSIGN_OR_RETURN(const std::string head, client.receive());
            if (!head.starts_with("HTTP/1.1 200")) {
                report_.missing("idle event streams", head.substr(0, 300));
                return {};
            }
            streams.push_back(std::move(client));
        }
        const auto grown =
            static_cast<double>(daemon_.process().resident_kib()) - static_cast<double>(before);
        report_.add("memory of one of 5,000 idle event streams", grown / kStreams, "KiB");
        return row("get one beside 5,000 idle event streams", "/v1/vms/" + stopped_vm_name(1), "",
                   count(20'000));
    }

    void measure_with_guests() {
        report_.heading("guests");
        if (!options_.guests) return report_.missing("guests", "--no-guests");
        std::string image = options_.image;
        if (image.empty()) {
            const Status built = daemon_.build_demo_image();
            if (!built) return report_.missing("guests", built.error().message);
            image = "demo";
        }
        const Status status = measure_guests(report_, daemon_, image, options_.quick ? 1 : 5);
        if (!status) report_.missing("guests", status.error().message);
    }

    const ApiOptions& options_;
    DaemonUnderTest& daemon_;
    Report report_;
    std::uint64_t made_ = 0;
};

}  // namespace

Status run_api(const ApiOptions& options) {
    raise_file_limit();
    ASSIGN_OR_RETURN(const auto daemon, DaemonUnderTest::start(options));
    return ApiBench(options, *daemon).measure();
}

}  // namespace blixard::bench
