// What only a VM's host can answer: its console and what it uses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/local_node.h"
#include "api/test_api.h"
#include "hypervisor/fake/fake_hypervisor.h"

namespace blixard::api {
namespace {

using testing::HasSubstr;

class TestSocket final : public Socket {
 public:
    bool send(std::string_view bytes) override {
        received += bytes;
        return !slow;
    }
    void close(std::string_view why) override { closed = why; }
    void on_message(std::function<void(std::string_view)> message) override {
        type = std::move(message);
    }
    void on_closed(std::function<void()> on) override { left = std::move(on); }

    std::string received, closed;
    bool slow = false;
    std::function<void(std::string_view)> type;
    std::function<void()> left;
};

class SocketClient final : public Responder {
 public:
    void send(Response response) override { answer = std::move(response); }
    std::shared_ptr<Stream> start_stream(Response) override { return nullptr; }
    std::shared_ptr<Socket> accept_socket() override { return socket; }
    bool gone() const override { return false; }

    std::optional<Response> answer;
    std::shared_ptr<TestSocket> socket = std::make_shared<TestSocket>();
};

class TestForwarder final : public Forwarder {
 public:
    bool forward(const std::string& node, const Request& request,
                 std::shared_ptr<Responder> responder) override {
        if (node != "n2") return false;
        Response response;
        response.body = "from n2: " + request.path;
        responder->send(std::move(response));
        return true;
    }
};

class VmHostTest : public testing::Test {
 protected:
    VmHostTest() {
        Deps deps{t.store, t.view, t.loop, t.loop, t.loop, t.random, t.log};
        deps.node = &node;
        deps.forwarder = &forwarder;
        t.api = std::make_unique<Api>(deps, Settings{.node = "n1"});
        t.api->start({});
        t.settle();
        t.add_image("demo");
        t.ask("POST", "/v1/vms", R"({"name":"web","spec":{"image":"demo"}})");
    }
    ~VmHostTest() override {
        t.api.reset();
        t.settle();
    }
    void start() {
        t.run("web");
        hypervisor.recover([](const Result<std::vector<hypervisor::Instance>>&) {});
        t.settle();
        hypervisor::Launch launch;
        launch.id = {"default/web", t.record("web").uid.str(), 1};
        hypervisor.start(launch, [](const Result<hypervisor::Instance>&) {});
        t.loop.run_for(seconds(1));
    }

    TestApi t;
    hypervisor::FakeHost host{t.loop, t.loop};
    hypervisor::FakeHypervisor hypervisor{host};
    LocalNode node{hypervisor, t.loop, t.loop};
    TestForwarder forwarder;
};

TEST_F(VmHostTest, the_log_is_what_the_guest_printed) {
    start();
    const Answer log = t.ask("GET", "/v1/vms/web/log");
    EXPECT_EQ(log.status, 200);
    EXPECT_EQ(log.body, "fake guest ready\n");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/log?bytes=6").body, "ready\n");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/log?bytes=0").status, 400);
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/usage").status, 200);
}

TEST_F(VmHostTest, a_vm_that_was_nowhere_has_no_console) {
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/log").status, 409);
    EXPECT_EQ(t.ask("GET", "/v1/vms/none/log").status, 404);
}

TEST_F(VmHostTest, the_request_goes_to_the_host_that_has_the_vm) {
    t.run("web", "n2");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/log").body, "from n2: /v1/vms/web/log");
    t.place("web", "n3");
    const Answer cut = t.ask("GET", "/v1/vms/web/log");
    EXPECT_EQ(cut.status, 503);
    EXPECT_THAT(cut.body, HasSubstr("n3"));
}

TEST_F(VmHostTest, a_console_goes_both_ways_until_one_side_leaves) {
    start();
    const auto client = std::make_shared<SocketClient>();
    t.api->handle(TestApi::request("GET", "/v1/vms/web/console"), client);
    client->socket->type("ls");  // before the console is open
    t.settle();
    client->socket->type(" -l\n");
    host.print("default/web", "total 0\n");
    t.settle();
    EXPECT_EQ(host.input("default/web"), "ls -l\n");
    EXPECT_THAT(client->socket->received, HasSubstr("total 0\n"));
    client->socket->left();
    t.settle();
    const std::string before = client->socket->received;
    host.print("default/web", "unheard\n");
    t.settle();
    EXPECT_EQ(client->socket->received, before);
}

TEST_F(VmHostTest, a_console_that_cannot_be_opened_says_why) {
    t.run("web");
    const auto client = std::make_shared<SocketClient>();
    t.api->handle(TestApi::request("GET", "/v1/vms/web/console"), client);
    t.settle();
    EXPECT_NE(client->socket->closed, "");
    EXPECT_EQ(t.ask("GET", "/v1/vms/web/console").status, 426);
}

}  // namespace
}  // namespace blixard::api
