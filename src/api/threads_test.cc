// The API on one thread, the view and the store on another, as in the daemon.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "api/test_api.h"
#include "os/event_loop.h"

namespace blixard::api {
namespace {

// A thread with a loop.
class LoopThread {
 public:
    LoopThread() : thread_([this] { loop.run(); }) {}
    ~LoopThread() {
        loop.stop();
        thread_.join();
    }
    // Runs `task` on the loop and waits for it.
    void run(const std::function<void()>& task) {
        std::promise<void> done;
        loop.post([&] {
            task();
            done.set_value();
        });
        done.get_future().wait();
    }
    os::EventLoop loop;

 private:
    std::thread thread_;
};

// Counts answers; belongs to the API's thread, and must die there.
class Counting final : public Responder {
 public:
    Counting(std::thread::id home, std::function<void(Response)> answered)
        : home_(home), answered_(std::move(answered)) {}
    ~Counting() override { EXPECT_EQ(std::this_thread::get_id(), home_); }

    void send(Response response) override {
        EXPECT_EQ(std::this_thread::get_id(), home_);
        answered_(std::move(response));
    }
    std::shared_ptr<Stream> start_stream(Response) override {
        return std::make_shared<TestClient::Events>();
    }
    std::shared_ptr<Socket> accept_socket() override { return nullptr; }
    bool gone() const override { return false; }

 private:
    const std::thread::id home_;
    const std::function<void(Response)> answered_;
};

TEST(Threads, many_requests_are_answered_and_let_go_on_the_apis_own_thread) {
    constexpr int kVms = 200;
    NullLog log;
    SeededRandom random(3);
    LoopThread state, front;
    std::unique_ptr<store::MemoryStore> store;
    std::unique_ptr<view::View> view;
    std::unique_ptr<Api> api;
    std::promise<void> loaded, ready, over;
    state.run([&] {
        store = std::make_unique<store::MemoryStore>(state.loop, state.loop);
        view = std::make_unique<view::View>(*store, state.loop, state.loop, log);
        store->commit({.puts = {{.key = "images/demo", .value = R"({"uid":"i"})"}}},
                      [&](const Result<store::Committed>&) {
                          view->start([&](Status) { loaded.set_value(); });
                      });
    });
    loaded.get_future().wait();

    std::thread::id home;
    int made = 0, answered = 0;
    const auto ask = [&](Request request) {
        api->handle(std::move(request),
                    std::make_shared<Counting>(home, [&](const Response& response) {
                        made += response.status == 201;
                        if (++answered == 2 * kVms) over.set_value();
                    }));
    };
    front.run([&] {
        home = std::this_thread::get_id();
        api = std::make_unique<Api>(
            Deps{*store, *view, front.loop, state.loop, front.loop, random, log},
            Settings{.node = "n1"});
        api->start([&] { ready.set_value(); });
    });
    ready.get_future().wait();
    front.run([&] {
        ask(TestApi::request("GET", "/v1/events?from=1"));
        for (int i = 0; i < kVms; ++i) {
            Request create = TestApi::request(
                "POST", "/v1/vms",
                R"({"name":"vm-)" + std::to_string(i) + R"(","spec":{"image":"demo"}})");
            if (i % 2 == 0) create.idempotency_key = std::to_string(i);
            ask(std::move(create));
            ask(TestApi::request("GET", i % 3 == 0 ? "/v1/vms?consistent=true" : "/v1/vms"));
        }
    });
    over.get_future().wait();
    front.run([&] { api.reset(); });
    state.run([&] {
        view.reset();
        store.reset();
    });
    EXPECT_EQ(made, kVms);
}

}  // namespace
}  // namespace blixard::api
