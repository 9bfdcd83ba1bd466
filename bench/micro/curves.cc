// blixard-bench curves: what each thing costs as the number of VMs grows, in process: without
// sockets, disks or guests, which cost the same however many VMs there are. Times are this thread's
// on the CPU, so that a busy machine does not bend the curves.
#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <fstream>

#include "api/cursor.h"
#include "api/event_text.h"
#include "api/lists.h"
#include "bench/api/load.h"
#include "bench/commands.h"
#include "bench/micro/cluster_state.h"
#include "bench/micro/in_process_api.h"
#include "bench/micro/state.h"
#include "bench/options.h"
#include "model/keys.h"

namespace blixard::bench {
namespace {

constexpr std::int64_t kVmsMost = 100'000;
constexpr double kSpanUs = 200'000;  // of one measurement

double cpu_us() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// The median of as many calls as fit, in microseconds.
template <class Call>
double median_us(Call call) {
    std::vector<double> micros;
    const double end = cpu_us() + kSpanUs;
    do {
        const double begin = cpu_us();
        call(static_cast<std::int64_t>(micros.size()));
        micros.push_back(cpu_us() - begin);
    } while (cpu_us() < end || micros.size() < 3);
    return percentile(micros, 0.5);
}

double heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

struct Point {
    std::int64_t vms;
    double list_us, get_us, create_us, decision_us, event_us, catch_up_ms, memory_kib;
};

void check(int status, int wanted) {
    if (status == wanted) return;
    fmt::print(stderr, "blixard-bench curves: answered {} where {} was expected\n", status, wanted);
    std::abort();
}

// A status that changed: into the state, and out as an event.
double measure_event(std::int64_t vms) {
    NullLog log;
    view::Snapshot state = *make_state(vms);
    std::vector<store::KeyValue> statuses;
    for (std::int64_t i = 0; i < 64; ++i) statuses.push_back(vm_items(i * 7919 % vms, 0)[2]);
    return median_us([&](std::int64_t n) {
        store::KeyValue item = statuses[static_cast<std::size_t>(n) % statuses.size()];
        item.mod_revision = vms + 2 + n;
        const view::Snapshot published = state;  // as readers hold the one before
        view::apply_change(state, item, false, log);
        std::vector<view::Changed> changes;
        changes.push_back(view::describe_change({false, std::move(item)}));
        if (api::make_events(changes, state).empty()) std::abort();
    });
}

void measure_catch_up(Point& point) {
    NullLog log;
    std::vector<store::KeyValue> items;
    for (std::int64_t i = 0; i < point.vms; ++i)
        for (store::KeyValue& one : vm_items(i, i + 2)) items.push_back(std::move(one));
    const double before = heap_bytes(), begin = cpu_us();
    view::Snapshot state;
    for (const store::KeyValue& one : items) view::apply_change(state, one, false, log);
    point.catch_up_ms = (cpu_us() - begin) / 1000;
    point.memory_kib = (heap_bytes() - before) / 1024 / static_cast<double>(point.vms);
}

double measure_decision(std::int64_t vms) {
    const scheduler::Policy policy;
    const scheduler::Cluster cluster =
        make_cluster(std::max<std::int64_t>(1, vms / 10), 10, policy);
    scheduler::Request request;
    request.vm = "default/new";
    request.need = {2000, 8 * 1024, 0};
    return median_us([&](std::int64_t) {
        if (scheduler::place(cluster, request, policy).outcome != scheduler::Outcome::kPlaced)
            std::abort();
    });
}

// All VMs, as a client gets them: by pages of the most that the API gives at once.
void list_all(const view::Snapshot& state) {
    api::ListQuery page;
    page.project = kProject;
    page.limit = api::kListLimitMax;
    for (;;) {
        const std::string body = api::list_body(state, page);
        constexpr std::string_view kNext = R"("next":")";
        std::string_view end = body;
        end.remove_prefix(end.size() - std::min<std::size_t>(end.size(), 512));
        const std::size_t at = end.rfind(kNext);
        if (at == std::string_view::npos) return;
        end.remove_prefix(at + kNext.size());
        const auto after = api::decode_cursor(api::Kind::kVm, end.substr(0, end.find('"')));
        if (!after) std::abort();
        page.after = *after;
    }
}

void measure_requests(Point& point) {
    InProcessApi api(point.vms);
    point.get_us = median_us([&](std::int64_t n) {
        check(api.ask(request("GET", "/v1/vms/" + vm_name(n * 7919 % point.vms))), 200);
    });
    const view::SnapshotPtr state = api.view().current();
    point.list_us = median_us([&](std::int64_t) { list_all(*state); });
    point.create_us = median_us([&](std::int64_t n) {
        check(api.ask(request("POST", "/v1/vms", create_body(kVmsMost + n))), 201);
    });
}

Point measure(std::int64_t vms) {
    Point point{.vms = vms};
    measure_catch_up(point);
    point.event_us = measure_event(vms);
    point.decision_us = measure_decision(vms);
    measure_requests(point);
    return point;
}

std::string json_of(const Point& point) {
    return fmt::format(
        R"({{"name":"curve","vms":{},"list_us":{:.2f},"get_us":{:.3f},"create_us":{:.3f},"decision_us":{:.3f},)"
        R"("event_us":{:.3f},"catch_up_ms":{:.3f},"memory_per_vm_kib":{:.3f}}})",
        point.vms, point.list_us, point.get_us, point.create_us, point.decision_us, point.event_us,
        point.catch_up_ms, point.memory_kib);
}

}  // namespace

int curves(Arguments arguments) {
    const auto options = parse_options(arguments, {"vms", "json"});
    if (!options) {
        fmt::print(stderr, "blixard-bench curves: {}\n", describe(options.error()));
        return 2;
    }
    const std::int64_t most = options->number("vms", kVmsMost);
    fmt::print("{:>8} {:>12} {:>9} {:>9} {:>12} {:>9} {:>12} {:>12}\n", "VMs", "list all us",
               "get us", "create us", "decision us", "event us", "catch-up ms", "KiB a VM");
    std::string rows;
    for (std::int64_t vms = 10; vms <= most; vms *= 10) {
        const Point point = measure(vms);
        fmt::print("{:>8} {:>12.1f} {:>9.2f} {:>9.2f} {:>12.2f} {:>9.2f} {:>12.2f} {:>12.2f}\n",
                   vms, point.list_us, point.get_us, point.create_us, point.decision_us,
                   point.event_us, point.catch_up_ms, point.memory_kib);
        std::fflush(stdout);
        rows += (rows.empty() ? "" : ",\n") + json_of(point);
    }
    const std::string path = options->text("json");
    if (path.empty()) return 0;
    std::ofstream out(path);
    out << "{\"rows\":[\n" << rows << "\n]}\n";
    return out.flush() ? 0 : 1;
}

}  // namespace blixard::bench
