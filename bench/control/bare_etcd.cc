#include "bench/control/bare_etcd.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "base/log.h"
#include "etcd/etcdserver/etcdserverpb/rpc.grpc.pb.h"
#include "store/etcd/etcd_store.h"
#include "store/test_loop.h"

namespace blixard::bench {
namespace {

using Time = std::chrono::steady_clock;

double micros_since(Time::time_point start) {
    return std::chrono::duration<double, std::micro>(Time::now() - start).count();
}

}  // namespace

Figures bare_puts(const std::vector<std::string>& endpoints, int clients, Millis span) {
    store::TestLoop loop(store::TestTime::kReal);
    NullLog log;
    // A connection each: writes of one connection would be combined.
    std::vector<std::unique_ptr<store::Store>> stores;
    for (int i = 0; i < clients; ++i)
        stores.push_back(*store::EtcdStore::connect(
            {.endpoints = endpoints, .probe_interval = seconds(60)}, loop, loop, log));
    std::vector<double> micros;
    bool stop = false, counting = false;
    int writing = clients;
    std::function<void(int)> write = [&](int client) {
        const auto start = Time::now();
        store::Put put{"bench/" + std::to_string(client), std::string(300, 'v')};
        stores[static_cast<std::size_t>(client)]->commit(
            {.puts = {std::move(put)}}, [&, client, start](const Result<store::Committed>& done) {
                if (done && counting) micros.push_back(micros_since(start));
                stop ? void(--writing) : write(client);
            });
    };
    for (int i = 0; i < clients; ++i) write(i);
    loop.run_for(Millis{300});  // until all are connected
    counting = true;
    const auto start = Time::now();
    loop.run_for(span);
    const double elapsed_s = micros_since(start) / 1e6;
    stop = true;
    loop.run_until([&] { return writing == 0; });
    for (auto& store : stores) store.reset();
    loop.run_for(Millis{0});
    Figures figures;
    if (micros.empty()) return figures;
    std::ranges::sort(micros);
    figures.requests = micros.size();
    figures.p50_us = micros[micros.size() / 2];
    figures.p99_us = micros[micros.size() * 99 / 100];
    figures.per_second = static_cast<double>(micros.size()) / elapsed_s;
    figures.body_bytes = 300;
    return figures;
}

Result<BareRead> bare_read(const std::string& endpoint) {
    namespace pb = etcdserverpb;
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    const auto client = pb::KV::NewStub(
        grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments));
    pb::RangeRequest request;
    request.set_key(std::string(1, '\0'));
    request.set_range_end(std::string(1, '\0'));
    pb::RangeResponse response;
    grpc::ClientContext context;
    const auto start = Time::now();
    const grpc::Status done = client->Range(&context, request, &response);
    if (!done.ok()) return fail(ErrorCode::kUnavailable, "etcd: " + done.error_message());
    return BareRead{response.kvs_size(), micros_since(start) / 1e6};
}

}  // namespace blixard::bench
