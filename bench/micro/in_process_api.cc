#include "bench/micro/in_process_api.h"

#include "base/assert.h"
#include "bench/allocations.h"
#include "bench/micro/state.h"

namespace blixard::bench {
namespace {

class Answer final : public api::Responder {
 public:
    void send(api::Response response) override { status = response.status; }
    std::shared_ptr<api::Stream> start_stream(api::Response) override { return nullptr; }
    std::shared_ptr<api::Socket> accept_socket() override { return nullptr; }
    bool gone() const override { return false; }

    int status = 0;
};

}  // namespace

InProcessApi::InProcessApi(std::int64_t vms)
    : memory_(loop_, loop_), store_(memory_), view_(store_, loop_, loop_, log_) {
    commit(common_items());
    for (std::int64_t i = 0; i < vms; ++i) commit(vm_items(i, 0));
    bool ready = false;
    view_.start([&](Status) {
        api_ =
            std::make_unique<api::Api>(api::Deps{store_, view_, loop_, loop_, loop_, random_, log_},
                                       api::Settings{.node = "host-00", .version = "1.0"});
        api_->start([&] { ready = true; });
    });
    ASSERT(loop_.run_until([&] { return ready; }));
}

InProcessApi::~InProcessApi() { loop_.run_for(Millis{5}); }

void InProcessApi::commit(std::vector<store::KeyValue> items) {
    store::Transaction transaction;
    for (store::KeyValue& item : items)
        transaction.puts.push_back({std::move(item.key), std::move(item.value)});
    bool done = false;
    store_.commit(std::move(transaction), [&](const Result<store::Committed>&) { done = true; });
    ASSERT(loop_.run_until([&] { return done; }));
}

int InProcessApi::ask(api::Request request) {
    auto answer = std::make_shared<Answer>();
    const std::uint64_t before = allocations();
    store_.on_commit = [&](const store::Transaction&) { to_transaction_ = allocations() - before; };
    api_->handle(std::move(request), answer);
    ASSERT(loop_.run_until([&] { return answer->status != 0; }));
    store_.on_commit = nullptr;
    return answer->status;
}

api::Request request(std::string method, std::string path, std::string body) {
    api::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = std::move(body);
    request.principal = {"root", true};
    return request;
}

}  // namespace blixard::bench
