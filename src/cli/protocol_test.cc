// HTTP, server-sent events and WebSockets, as bytes and over a socket.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/remote.h"
#include "cli/sse.h"
#include "cli/test_server.h"
#include "cli/websocket.h"

namespace blixard::cli {
namespace {

Endpoint endpoint_of(const TestServer& server) { return Endpoint{server.socket_path(), {}, {}}; }

TEST(ResponseParser, reads_a_body_of_known_length_and_stops_behind_it) {
    ResponseParser parser(false);
    std::string bytes = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-A:  b \r\n\r\nhelloREST";
    EXPECT_EQ(parser.feed(bytes).value(), bytes.size() - 4);
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(parser.response().body, "hello");
    EXPECT_EQ(parser.response().header("x-a"), "b");
    EXPECT_TRUE(parser.keeps_alive());
}

TEST(ResponseParser, reads_chunks_in_any_pieces) {
    std::string bytes =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n "
        "\r\n5\r\nworld\r\n0\r\nTrailer: t\r\n\r\n";
    rc::check([&] {
        ResponseParser parser(false);
        std::size_t at = 0;
        while (at < bytes.size()) {
            std::size_t count =
                std::min<std::size_t>(*rc::gen::inRange<std::size_t>(1, 20), bytes.size() - at);
            RC_ASSERT(parser.feed(std::string_view(bytes).substr(at, count)).value() == count);
            at += count;
        }
        RC_ASSERT(parser.done());
        RC_ASSERT(parser.response().body == "hello world");
    });
}

TEST(ResponseParser, skips_interim_answers_and_knows_bodiless_ones) {
    ResponseParser parser(false);
    ASSERT_TRUE(parser.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(parser.response().status, 204);
    ResponseParser head(true);
    ASSERT_TRUE(head.feed("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
    EXPECT_TRUE(head.done());
}

TEST(ResponseParser, a_body_may_last_until_the_end_of_the_connection) {
    ResponseParser parser(false);
    ASSERT_TRUE(parser.feed("HTTP/1.0 200 OK\r\n\r\nabc"));
    EXPECT_FALSE(parser.done());
    EXPECT_TRUE(parser.end());
    EXPECT_EQ(parser.response().body, "abc");
    EXPECT_FALSE(parser.keeps_alive());
}

TEST(ResponseParser, refuses_what_is_not_http) {
    for (std::string_view bad :
         {"SSH-2.0-OpenSSH\r\n\r\n", "\r\n", "HTTP/1.1 abc\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 200 OK\nX: y\n\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"}) {
        ResponseParser parser(false);
        EXPECT_FALSE(parser.feed(bad)) << bad;
    }
    ResponseParser endless(false);
    EXPECT_FALSE(endless.feed("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n"));
    ResponseParser cut(false);
    ASSERT_TRUE(cut.feed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
    EXPECT_EQ(cut.end().error().code, ErrorCode::kUnknownOutcome);
}

TEST(Targets, are_percent_encoded) {
    EXPECT_EQ(with_query("/v1/vms", {{"project", "a b"}, {"label", "x=y&z"}}),
              "/v1/vms?project=a%20b&label=x%3Dy%26z");
    EXPECT_EQ(resource("/v1/vms", "../nodes"), "/v1/vms/..%2Fnodes");
}

TEST(EventReader, reads_events_in_any_pieces) {
    std::string bytes =
        ": keep-alive\n\nid: 7\nevent: vm.status\ndata: {\"a\":\ndata: 1}\n\ndata:x\r\n\r\nid: "
        "9\r\rdata: y\r\r";
    rc::check([&] {
        EventReader reader;
        std::vector<ServerEvent> events;
        std::size_t at = 0;
        while (at < bytes.size()) {
            std::size_t count =
                std::min<std::size_t>(*rc::gen::inRange<std::size_t>(1, 9), bytes.size() - at);
            RC_ASSERT(reader.feed(std::string_view(bytes).substr(at, count), events).has_value());
            at += count;
        }
        RC_ASSERT((events == std::vector<ServerEvent>{{"7", "vm.status", "{\"a\":\n1}"},
                                                      {"7", "message", "x"},
                                                      {"9", "message", "y"}}));
        RC_ASSERT(reader.comments() == 1u);
    });
}

TEST(WebSocketFrames, are_masked_and_read_back) {
    rc::check([](const std::string& payload, std::uint32_t mask) {
        FrameReader reader;
        reader.feed(encode_frame(Opcode::kBinary, payload, mask));
        RC_ASSERT(reader.next().value() == (Frame{Opcode::kBinary, true, payload}));
        RC_ASSERT(!reader.next().value().has_value());
    });
    for (std::size_t size : {125u, 126u, 65535u, 65536u}) {
        FrameReader reader;
        reader.feed(encode_frame(Opcode::kText, std::string(size, 'x'), 0x01020304));
        EXPECT_EQ(reader.next().value()->payload.size(), size);
    }
}

TEST(WebSocketFrames, of_monstrous_size_are_refused) {
    FrameReader reader;
    reader.feed(std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10));
    EXPECT_FALSE(reader.next());
}

TEST(WebSocketHandshake, answers_the_example_of_the_rfc) {
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Client, keeps_its_connection) {
    TestServer server([](const SeenRequest& request) { return answer(200, request.target); });
    Client client(endpoint_of(server));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.send({"GET", "/x", {}, {}}).value().body, "/x");
    EXPECT_EQ(server.connections(), 1);
}

TEST(Client, asks_again_where_a_kept_connection_has_died) {
    TestServer server([](const SeenRequest&) { return answer(200, "{}"); });
    server.close_after_each = true;
    Client client(endpoint_of(server));
    EXPECT_TRUE(client.send({"GET", "/", {}, {}}));
    EXPECT_TRUE(client.send({"GET", "/", {}, {}}));
    EXPECT_EQ(server.connections(), 2);
}

TEST(Client, says_that_a_write_may_have_happened_where_the_answer_is_lost) {
    TestServer server([](const SeenRequest&) { return std::string(); });
    Client client(endpoint_of(server));
    auto lost = client.send({"POST", "/v1/vms", {}, "{}"});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::kUnknownOutcome);
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Client, says_what_to_do_where_no_daemon_is) {
    Client client(Endpoint{"/nonexistent/blixard.sock", {}, {}});
    auto response = client.send({"GET", "/", {}, {}});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(response.error().message,
              "no daemon runs at /nonexistent/blixard.sock: there is no such socket");
    EXPECT_NE(response.error().help.find("blixard daemon"), std::string::npos);
}

TEST(Client, gives_up_in_time) {
    TestServer server([](const SeenRequest&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    });
    Client client(endpoint_of(server));
    auto response = client.send({"GET", "/", {}, {}}, Millis{50});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kTimeout);
}

TEST(Client, uploads_a_file_and_tells_its_progress) {
    TestServer server([](const SeenRequest& request) {
        return answer(201, std::to_string(request.body.size()));
    });
    Client client(endpoint_of(server));
    char name[] = "/tmp/blixard-cli-upload-XXXXXX";
    int fd = ::mkstemp(name);
    std::string bytes(700'000, 'z');
    ASSERT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::lseek(fd, 0, SEEK_SET);
    std::vector<std::uint64_t> progress;
    auto response = client.upload({"POST", "/v1/blobs", {}, {}}, fd, bytes.size(),
                                  [&](std::uint64_t done) { progress.push_back(done); });
    ::close(fd);
    ::unlink(name);
    EXPECT_EQ(response.value().body, "700000");
    EXPECT_EQ(progress.back(), 700'000u);
}

TEST(Client, streams_until_the_consumer_has_enough) {
    TestServer server([](const SeenRequest&) {
        return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    });
    Client client(endpoint_of(server));
    std::string got;
    auto response =
        client.stream({"GET", "/v1/events", {}, {}}, seconds(5), [&](std::string_view bytes) {
            got += bytes;
            return got.size() < 3;
        });
    EXPECT_TRUE(response);
    EXPECT_EQ(got, "abc");
}

TEST(Client, talks_over_a_web_socket) {
    TestServer server([](const SeenRequest& request) {
        std::size_t at = request.head.find("Sec-WebSocket-Key: ") + 19;
        std::string key = request.head.substr(at, request.head.find("\r\n", at) - at);
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
               "Upgrade\r\nSec-WebSocket-Accept: " +
               websocket_accept(key) + "\r\n\r\n" + std::string("\x82\x05login", 7);
    });
    server.on_upgraded = [](std::string_view bytes) {
        FrameReader reader;
        reader.feed(bytes);
        std::string payload = reader.next().value()->payload;
        return "\x82" + std::string(1, static_cast<char>(payload.size())) + payload;
    };
    Client client(endpoint_of(server));
    HttpResponse refusal;
    auto socket = client.open_socket("/v1/vms/a/console", &refusal).value();
    ASSERT_TRUE(socket);
    std::string got;
    ASSERT_TRUE(socket->drain(got).value());
    while (got != "login") ASSERT_TRUE(socket->receive(got, deadline_in(seconds(5))).value());
    ASSERT_TRUE(socket->send("root\n"));
    got.clear();
    ASSERT_TRUE(socket->receive(got, deadline_in(seconds(5))).value());
    EXPECT_EQ(got, "root\n");
}

TEST(Client, hands_back_why_a_console_is_refused) {
    TestServer server(
        [](const SeenRequest&) { return problem(409, "conflict", "vm \"a\" is stopped"); });
    Client client(endpoint_of(server));
    HttpResponse refusal;
    EXPECT_FALSE(client.open_socket("/v1/vms/a/console", &refusal).value());
    EXPECT_EQ(problem_of(refusal).message, "vm \"a\" is stopped");
}

TEST(Remote, a_question_that_nobody_answers_is_not_one_that_goes_on) {
    TestServer server([](const SeenRequest&) { return std::string("HTTP/1.1 200 OK\r\n"); });
    Remote remote(endpoint_of(server));
    EXPECT_EQ(remote.get("/v1/vms", {}, Millis{50}).error().code, ErrorCode::kUnavailable);
    Remote other(endpoint_of(server));
    EXPECT_EQ(other.post("/v1/vms", {}, Value::object(), Millis{50}).error().code,
              ErrorCode::kTimeout);
}

TEST(Remote, reads_problem_documents) {
    TestServer server([](const SeenRequest&) {
        return problem(400, "invalid", "0 CPUs asked", "spec.cpus", "at least 1");
    });
    Remote remote(endpoint_of(server));
    auto refused = remote.post("/v1/vms", {}, Value::object());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(),
              (Error{ErrorCode::kInvalid, "0 CPUs asked", "spec.cpus", "at least 1"}));
    EXPECT_NE(server.request(0).head.find("Idempotency-Key: "), std::string::npos);
}

TEST(Remote, follows_a_list_to_its_end) {
    TestServer server([](const SeenRequest& request) {
        bool second = request.target.find("after=c1") != std::string::npos;
        return answer(200, second ? R"({"items":[{"name":"b"}],"revision":9})"
                                  : R"({"items":[{"name":"a"}],"revision":8,"next":"c1"})");
    });
    Remote remote(endpoint_of(server));
    std::int64_t revision = 0;
    auto items = remote.list("/v1/vms", {{"project", "default"}}, &revision).value();
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(revision, 9);
    EXPECT_EQ(server.request(1).target, "/v1/vms?project=default&limit=1000&after=c1");
}

TEST(Remote, a_web_server_is_not_taken_for_a_daemon) {
    TestServer server(
        [](const SeenRequest&) { return answer(200, "<html>hello</html>", "text/html"); });
    Remote remote(endpoint_of(server));
    const Error error = remote.get("/v1/vms").error();
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    EXPECT_EQ(error.message,
              "what answers there is no Blixard daemon: it said 200: <html>hello</html>");
}

TEST(Remote, knows_every_error_code_and_falls_back_on_the_status) {
    EXPECT_EQ(error_code_of("unknown-outcome", 503), ErrorCode::kUnknownOutcome);
    EXPECT_EQ(error_code_of("from-the-future", 403), ErrorCode::kDenied);
    EXPECT_EQ(error_code_of("", 502), ErrorCode::kUnavailable);
    EXPECT_EQ(error_code_of("", 418), ErrorCode::kInvalid);
    HttpResponse html{500, {}, "<html>oops</html>"};
    EXPECT_EQ(problem_of(html).message,
              "what answers there is no Blixard daemon: it said 500: <html>oops</html>");
    EXPECT_EQ(problem_of({404, {}, ""}).code, ErrorCode::kUnavailable)
        << "that nothing is found by a stranger says nothing about the VM";
}

}  // namespace
}  // namespace blixard::cli
