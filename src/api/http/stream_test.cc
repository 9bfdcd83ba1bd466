// Endless answers: events and WebSockets.
#include "api/http/server.h"
#include "api/http/test_client.h"

namespace blixard::api::http {
namespace {

// A client's frame (RFC 6455 section 5.2), masked with zeros; payloads below 126 bytes.
std::string frame(int opcode, std::string_view payload) {
    std::string bytes;
    bytes += static_cast<char>(0x80 | opcode);
    bytes += static_cast<char>(0x80 | payload.size());
    bytes.append(4, '\0');
    return bytes += payload;
}

constexpr std::string_view kUpgrade =
    "GET /console HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

class StreamTest : public ServerTest {
 protected:
    bool write(const std::string& bytes) {
        return on_loop([&] { return service_->streams.back()->write(bytes); });
    }
};

TEST_F(StreamTest, events_arrive_as_they_are_written) {
    serve();
    auto client = this->client();
    client.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string head = client.hear_until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Type: text/event-stream"), std::string::npos);
    EXPECT_NE(head.find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_EQ(client.hear_until("first\n\n\r\n"), "d\r\ndata: first\n\n\r\n");
    EXPECT_TRUE(write("data: 2\n\n"));
    EXPECT_EQ(client.hear_until("2\n\n\r\n"), "9\r\ndata: 2\n\n\r\n");
    on_loop([&] { return service_->streams.back()->close(), 0; });
    EXPECT_EQ(client.hear_all(), "0\r\n\r\n");
    EXPECT_FALSE(write("data: 3\n\n"));
    EXPECT_EQ(on_loop([&] { return service_->streams_closed; }), 0);
}

TEST_F(StreamTest, the_service_hears_of_a_client_that_leaves) {
    serve();
    auto client = this->client();
    client.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    client.hear_until("first");
    client.close();
    EXPECT_TRUE(becomes_true([&] { return service_->streams_closed == 1; }));
    EXPECT_FALSE(write("data: 2\n\n"));
}

TEST_F(StreamTest, a_slow_reader_is_cut_off_with_a_reason) {
    serve();
    auto client = this->client();
    client.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    client.hear_until("first\n\n\r\n");
    const std::string event = "data: " + std::string(1000, 'x') + "\n\n";
    int written = 0;
    while (write(event)) ASSERT_LT(++written, 100'000);
    EXPECT_TRUE(
        becomes_true([&] { return service_->streams_closed == 1 && observer_.cut_off == 1; }));
    const std::string heard = client.hear_all();
    EXPECT_NE(heard.find("event: error\ndata: {\"code\":\"exhausted\""), std::string::npos);
    EXPECT_TRUE(heard.ends_with("\r\n0\r\n\r\n"));
    EXPECT_LT(heard.size(), static_cast<std::size_t>(written) *
                                1020);  // what waited was dropped, and nothing cut in two
    EXPECT_EQ(heard.find("xdata"), std::string::npos);
}

TEST_F(StreamTest, a_reader_that_takes_nothing_at_all_is_left) {
    Limits limits;
    limits.write_progress = limits.linger = Millis{60};
    serve(limits);
    auto client = this->client();
    client.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    client.hear_until("first\n\n\r\n");
    while (write(std::string(1000, 'x'))) {
    }
    EXPECT_TRUE(becomes_true([&] { return observer_.open == 0; }));
}

TEST_F(StreamTest, an_idle_stream_stays_open_past_every_time_out) {
    Limits limits;
    limits.idle = limits.head = limits.body_progress = limits.write_progress = Millis{40};
    serve(limits);
    auto client = this->client();
    client.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    client.hear_until("first\n\n\r\n");
    std::promise<void> later;
    server_->post([&] { server_->after(Millis{200}, [&] { later.set_value(); }); });
    later.get_future().get();
    EXPECT_TRUE(write("data: 2\n\n"));
    EXPECT_EQ(client.hear_until("2\n\n\r\n"), "9\r\ndata: 2\n\n\r\n");
}

TEST_F(StreamTest, an_http_1_0_client_gets_the_bare_bytes) {
    serve();
    auto client = this->client();
    client.say("GET /events HTTP/1.0\r\n\r\n");
    client.hear_until("\r\n\r\n");
    EXPECT_EQ(client.hear_until("first\n\n"), "data: first\n\n");
    on_loop([&] { return service_->streams.back()->close(), 0; });
    EXPECT_EQ(client.hear_all(), "");
}

TEST_F(StreamTest, a_websocket_speaks_both_ways_and_closes_politely) {
    serve();
    auto client = this->client();
    client.say(kUpgrade);
    const std::string head = client.hear_until("\r\n\r\n");
    EXPECT_EQ(status_of(head), 101);
    EXPECT_NE(head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
              std::string::npos);  // RFC 6455 section 1.3
    EXPECT_EQ(client.hear(9), "\x82\x07welcome");
    client.say(frame(2, "ls"));
    EXPECT_EQ(client.hear(9),
              "\x82\x07"
              "echo:ls");
    client.say(frame(9, "?"));
    EXPECT_EQ(client.hear(3), "\x8a\x01?");
    client.say(frame(1, "bye"));
    EXPECT_EQ(client.hear(12), std::string("\x88\x0a\x03\xe8"
                                           "as asked"));
    client.say(frame(8, "\x03\xe8"));
    EXPECT_EQ(client.hear_all(), "");
    client.close();
    EXPECT_TRUE(becomes_true([&] { return service_->sockets_closed == 1 && observer_.open == 0; }));
}

TEST_F(StreamTest, a_websocket_whose_client_breaks_the_rules_is_closed) {
    serve();
    auto client = this->client();
    client.say(kUpgrade);
    client.hear_until("welcome");
    client.say("\x82\x02no");  // unmasked
    client.hear_all();
    client.close();
    EXPECT_TRUE(becomes_true([&] { return service_->sockets_closed == 1; }));
    auto large = this->client();
    large.say(kUpgrade);
    large.hear_until("welcome");
    large.say(
        std::string("\x82\xff\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00", 14));  // 64 GiB
    large.hear_all();
    large.close();
    EXPECT_TRUE(becomes_true([&] { return service_->sockets_closed == 2; }));
}

TEST_F(StreamTest, a_plain_request_for_a_websocket_is_told_so) {
    serve();
    EXPECT_EQ(status_of(client().get("/console")), 400);
}

TEST_F(StreamTest, open_websockets_and_streams_do_not_keep_the_server_from_stopping) {
    serve();
    auto console = client(), events = client();
    console.say(kUpgrade);
    console.hear_until("welcome");
    events.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    events.hear_until("first");
    server_->stop();
    EXPECT_EQ(service_->streams_closed, 1);
    server_.reset();
    EXPECT_FALSE(service_->streams[0]->write("late"));
}

}  // namespace
}  // namespace blixard::api::http
