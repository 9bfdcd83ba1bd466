// store-bench: commits a second and their latency, one writer and 64 at once, on each durable
// store, beside what the disk itself can do. Starts its own etcd, with fsync, in a temporary
// directory. Usage: store-bench [seconds]; store-bench etcd [seconds]: three members only;
// store-bench failover.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "store/etcd/etcd_admin.h"
#include "store/etcd/etcd_cluster.h"
#include "store/etcd/etcd_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_loop.h"

namespace blixard::store {
namespace {

using Time = std::chrono::steady_clock;

double micros_since(Time::time_point start) {
    return std::chrono::duration<double, std::micro>(Time::now() - start).count();
}

void print(const char* what, int writers, std::vector<double>& micros, double elapsed_s) {
    if (micros.empty()) {
        std::printf("%-14s %3d writers: nothing was committed\n", what, writers);
        return;
    }
    std::ranges::sort(micros);
    std::printf("%-14s %3d writers: %8.0f commits/s   p50 %7.2f ms   p99 %7.2f ms\n", what, writers,
                static_cast<double>(micros.size()) / elapsed_s, micros[micros.size() / 2] / 1000,
                micros[micros.size() * 99 / 100] / 1000);
    std::fflush(stdout);
}

// Each writer puts a 300-byte value under a key of its own, and again when it is acknowledged.
void measure(const char* what, Store& store, TestLoop& loop, int writers, Millis span) {
    std::vector<double> micros;
    bool stop = false;
    int writing = writers;
    std::function<void(int)> write = [&](int writer) {
        const auto start = Time::now();
        Put put{"bench/" + std::to_string(writer), std::string(300, 'v')};
        store.commit({.puts = {std::move(put)}}, [&, writer, start](Result<Committed> result) {
            if (result) micros.push_back(micros_since(start));
            stop ? void(--writing) : write(writer);
        });
    };
    const auto start = Time::now();
    for (int i = 0; i < writers; ++i) write(i);
    loop.run_for(span);
    print(what, writers, micros, micros_since(start) / 1e6);
    stop = true;
    loop.run_until([&] { return writing == 0; });
}

void measure_both(const char* what, Store& store, TestLoop& loop, Millis span) {
    measure(what, store, loop, 1, span);
    measure(what, store, loop, 64, span);
}

void measure_disk(Millis span) {
    TempDir dir;
    const int file = ::open(dir.file("x").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string page(4096, 'x');
    std::vector<double> micros;
    const auto start = Time::now();
    while (micros_since(start) < static_cast<double>(span.count) * 1000) {
        const auto one = Time::now();
        if (::write(file, page.data(), page.size()) < 0 || ::fdatasync(file) != 0) break;
        micros.push_back(micros_since(one));
    }
    print("4 KiB + fsync", 1, micros, micros_since(start) / 1e6);
    ::close(file);
}

void measure_sqlite(Millis span) {
    TempDir dir;
    TestLoop loop(TestTime::kReal);
    auto store = SqliteStore::open(dir.file("store.db"), loop, loop);
    if (!store) return;
    measure_both("sqlite", **store, loop, span);
    store->reset();
    loop.run_for(Millis{0});
}

void measure_etcd(const char* what, int members, Millis span) {
    EtcdCluster cluster(members, true);
    TestLoop loop(TestTime::kReal);
    NullLog log;
    auto store = EtcdStore::connect({.endpoints = cluster.endpoints()}, loop, loop, log);
    if (!store) return;
    bool served = false;
    for (int i = 0; i < 20 && !served; ++i) {
        std::optional<Result<Committed>> answer;
        (*store)->commit({.puts = {{"bench", "v"}}},
                         [&](Result<Committed> result) { answer = std::move(result); });
        loop.run_until([&] { return answer.has_value(); });
        served = answer && *answer;
    }
    if (served) measure_both(what, **store, loop, span);
    store->reset();
    loop.run_for(Millis{0});
}

int leader_of(const EtcdCluster& cluster, EtcdAdmin& admin) {
    for (int i = 0; i < cluster.size(); ++i) {
        auto status = admin.status(cluster.endpoint(i));
        if (status && status->id == status->leader) return i;
    }
    return -1;
}

// One writer that writes on; 1 s later `signal` hits the leader. The writer uses the leader, or a
// follower.
void measure_failover(const char* what, int signal, bool uses_leader,
                      std::vector<std::string> flags) {
    EtcdCluster cluster(3, true, std::move(flags));
    EtcdAdmin admin({.endpoints = cluster.endpoints(), .request_timeout = Millis{500}});
    TestLoop loop(TestTime::kReal);
    NullLog log;
    int leader = -1;
    loop.run_until([&] { return (leader = leader_of(cluster, admin)) >= 0; });
    if (leader < 0) return;
    auto endpoints = cluster.endpoints();
    std::rotate(endpoints.begin(), endpoints.begin() + (leader + (uses_leader ? 0 : 1)) % 3,
                endpoints.end());
    auto store = EtcdStore::connect({.endpoints = endpoints}, loop, loop, log);
    if (!store) return;
    auto last = Time::now();
    double longest = 0;
    int unknown = 0;
    bool counting = false, stop = false, writing = true;
    std::function<void()> write = [&] {
        (*store)->commit({.puts = {{"bench", "v"}}}, [&](Result<Committed> result) {
            if (result && counting) longest = std::max(longest, micros_since(last));
            if (result) last = Time::now();
            if (!result && counting) unknown += result.error().code == ErrorCode::kUnknownOutcome;
            stop ? void(writing = false) : write();
        });
    };
    write();
    loop.run_for(seconds(1));
    counting = true;
    cluster.signal(leader, signal);
    loop.run_for(seconds(6));
    std::printf("%-44s stood still for %7.0f ms, %d unknown outcomes\n", what, longest / 1000,
                unknown);
    std::fflush(stdout);
    stop = true;
    loop.run_until([&] { return !writing; });
    cluster.signal(leader, SIGCONT);
    store->reset();
    loop.run_for(Millis{0});
}

void measure_failovers() {
    const std::vector<std::string> quick = {"--heartbeat-interval", "15", "--election-timeout",
                                            "150"};
    measure_failover("etcd's defaults, leader in use killed", SIGKILL, true, {});
    measure_failover("etcd's defaults, leader killed, follower used", SIGKILL, false, {});
    measure_failover("15/150 ms, leader in use killed", SIGKILL, true, quick);
    measure_failover("15/150 ms, leader killed, follower used", SIGKILL, false, quick);
    measure_failover("15/150 ms, leader in use hangs", SIGSTOP, true, quick);
    measure_failover("15/150 ms, leader hangs, follower used", SIGSTOP, false, quick);
}

}  // namespace
}  // namespace blixard::store

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "failover") {
        blixard::store::measure_failovers();
        return 0;
    }
    const bool only_etcd = argc > 1 && std::string_view(argv[1]) == "etcd";
    if (only_etcd) --argc, ++argv;
    const blixard::Millis span = blixard::seconds(argc > 1 ? std::max(1, std::atoi(argv[1])) : 5);
    if (only_etcd) {
        blixard::store::measure_etcd("etcd, 3", 3, span);
        return 0;
    }
    blixard::store::measure_disk(span);
    blixard::store::measure_sqlite(span);
    blixard::store::measure_etcd("etcd, 1 member", 1, span);
    blixard::store::measure_etcd("etcd, 3", 3, span);
    return 0;
}
