// blixard-bench lxd: the same questions to a Blixard daemon and to LXD's, by turns, by the same
// client over unix sockets, one connection each. No guest runs: LXD's instances are containers
// without an image ("source": none), ours stopped VMs.
#include <fmt/format.h>

#include "bench/api/api.h"
#include "bench/api/daemon_under_test.h"
#include "bench/api/load.h"
#include "bench/api/report.h"
#include "bench/api/vm_text.h"

namespace blixard::bench {
namespace {

constexpr int kRounds = 5;

// As much configuration as our VM has.
std::string lxd_create_text(std::uint64_t number) {
    std::string user_data = "#cloud-config\\nusers:\\n";
    for (int i = 0; i < 6; ++i)
        user_data +=
            fmt::format("  - name: user-{}\\n    groups: sudo\\n    shell: /bin/bash\\n", i);
    return request_text(
        "POST", "/1.0/instances",
        fmt::format(
            R"({{"name":"{}","type":"container","source":{{"type":"none"}},"config":{{"limits.cpu":"2",)"
            R"("limits.memory":"512MiB","user.app":"shop","user.tier":"web","user.owner":"team-{}","user.user-data":"{}"}}}})",
            stopped_vm_name(number), number % 7, user_data));
}

class LxdBench {
 public:
    LxdBench(const ApiOptions& options, DaemonUnderTest& daemon)
        : options_(options), daemon_(daemon), lxd_{options.lxd_socket} {}

    Status measure() {
        RETURN_IF_ERROR(daemon_.make_idle_image(kIdleImage));
        report_.heading(fmt::format("{} stopped VMs beside {} stopped instances of LXD",
                                    options_.vms_most, options_.vms_most));
        RETURN_IF_ERROR(measure_creates());
        RETURN_IF_ERROR(measure_reads("get one", "/v1/vms/" + stopped_vm_name(7),
                                      "/1.0/instances/" + stopped_vm_name(7), 2000, 200));
        RETURN_IF_ERROR(measure_reads("list", fmt::format("/v1/vms?limit={}", options_.vms_most),
                                      "/1.0/instances?recursion=1", 200, 4));
        if (options_.json_path.empty()) return {};
        return report_.write_json(options_.json_path);
    }

 private:
    // A tenth of them each, by turns.
    Status measure_creates() {
        const auto part = static_cast<std::uint64_t>(std::max(1, options_.vms_most / 10));
        std::vector<double> ours, theirs;
        for (std::uint64_t first = 0; first < static_cast<std::uint64_t>(options_.vms_most);
             first += part) {
            ASSIGN_OR_RETURN(
                const Figures figures,
                run({daemon_.unix_way(), 1, part,
                     [first](std::uint64_t n) { return create_text(first + n); }, 201}));
            ours.push_back(figures.p50_us);
            RETURN_IF_ERROR(create_in_lxd(first, part, theirs));
        }
        add("create", percentile(ours, 0.5), percentile(theirs, 0.5));
        return {};
    }

    // Done when LXD's operation is.
    Status create_in_lxd(std::uint64_t first, std::uint64_t count, std::vector<double>& micros) {
        ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(lxd_));
        for (std::uint64_t i = 0; i < count; ++i) {
            const double begin = now_us();
            ASSIGN_OR_RETURN(const Answer started, client.ask(lxd_create_text(first + i)));
            constexpr std::string_view kOperation = R"("operation":")";
            const std::size_t at = started.body.find(kOperation);
            if (at == started.body.npos) return fail(ErrorCode::kInternal, "LXD: " + started.body);
            const std::size_t from = at + kOperation.size();
            const std::string path = started.body.substr(from, started.body.find('"', from) - from);
            ASSIGN_OR_RETURN(const Answer ended, client.ask(request_text("GET", path + "/wait")));
            micros.push_back(now_us() - begin);
            if (ended.body.find(R"("status":"Success")") == ended.body.npos)
                return fail(ErrorCode::kInternal, "LXD: " + ended.body);
        }
        return {};
    }

    Status measure_reads(const std::string& name, const std::string& target,
                         const std::string& lxd_target, std::uint64_t requests,
                         std::uint64_t lxd_requests) {
        std::vector<double> ours, theirs;
        for (int round = 0; round < kRounds; ++round) {
            ASSIGN_OR_RETURN(const Figures mine, ask(daemon_.unix_way(), target, requests));
            ASSIGN_OR_RETURN(const Figures others, ask(lxd_, lxd_target, lxd_requests));
            ours.push_back(mine.p50_us);
            theirs.push_back(others.p50_us);
        }
        add(name, percentile(ours, 0.5), percentile(theirs, 0.5));
        return {};
    }

    static Result<Figures> ask(const Endpoint& way, const std::string& target,
                               std::uint64_t requests) {
        const std::string text = request_text("GET", target);
        return run({way, 1, requests, [&](std::uint64_t) { return text; }});
    }

    void add(const std::string& name, double ours_us, double theirs_us) {
        report_.add(name + ", Blixard, p50", ours_us, "us");
        report_.add(name + ", LXD, p50", theirs_us, "us");
        report_.add(name + ", LXD's time for one of ours", theirs_us / ours_us, "times");
    }

    const ApiOptions& options_;
    DaemonUnderTest& daemon_;
    const Endpoint lxd_;
    Report report_;
};

}  // namespace

Status run_lxd(const ApiOptions& options) {
    if (options.lxd_socket.empty())
        return fail(ErrorCode::kInvalid, "no LXD named", "--lxd SOCKET; bench/peers.sh starts one");
    ASSIGN_OR_RETURN(const auto daemon, DaemonUnderTest::start(options));
    return LxdBench(options, *daemon).measure();
}

}  // namespace blixard::bench
