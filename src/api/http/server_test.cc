// Requests and answers over real sockets. What hostile clients get is in hostile_test.cc, endless
// answers in stream_test.cc.
#include "api/http/server.h"

#include <brotli/decode.h>
#include <sys/stat.h>
#include <zlib.h>

#include <fstream>

#include "api/http/test_client.h"

namespace blixard::api::http {
namespace {

std::string gunzip(const std::string& bytes) {
    std::string out(4'000'000, '\0');
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

TEST_F(ServerTest, answers_over_a_unix_socket_and_over_loopback_tcp) {
    serve();
    EXPECT_EQ(body_of(client().get("/hello")), "hello");
    EXPECT_EQ(body_of(TestClient::to_tcp(port_).get("/hello")), "hello");
    EXPECT_EQ(body_of(TestClient::to_tcp(port_).get("/who")), "local admin");
}

TEST_F(ServerTest, knows_who_is_on_the_other_side_of_a_unix_socket) {
    serve();
    EXPECT_EQ(body_of(client().get("/who")),
              ::getuid() == 0 ? "root admin" : "uid:" + std::to_string(::getuid()) + " admin");
}

TEST_F(ServerTest, keeps_a_connection_for_many_requests) {
    serve();
    auto client = this->client();
    for (int i = 0; i < 100; ++i) ASSERT_EQ(body_of(client.get("/hello")), "hello");
    const std::string last = client.get("/hello", "Connection: close\r\n");
    EXPECT_NE(last.find("Connection: close"), std::string::npos);
    EXPECT_EQ(client.hear_all(), "");
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
    serve();
    auto client = this->client();
    client.say(
        "GET /hello HTTP/1.1\r\nHost: h\r\n\r\nPOST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: "
        "3\r\n\r\nabc"
        "GET /query?a=b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(body_of(client.hear_answer()), "hello");
    EXPECT_EQ(body_of(client.hear_answer()), "POST:abc");
    EXPECT_EQ(body_of(client.hear_answer()), "a=b;");
}

TEST_F(ServerTest, takes_chunked_bodies) {
    serve();
    EXPECT_EQ(
        body_of(client().ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n5;note=x\r\ndefgh\r\n0\r\n\r\n")),
        "POST:abcdefgh");
}

TEST_F(ServerTest, takes_a_request_that_comes_byte_by_byte) {
    serve();
    auto client = this->client();
    for (const char byte :
         std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"))
        client.say({&byte, 1});
    EXPECT_EQ(body_of(client.hear_answer()), "POST:abc");
}

TEST_F(ServerTest, says_continue_to_a_client_that_waits_for_it) {
    serve();
    auto client = this->client();
    client.say(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(body_of(client.ask("abc")), "POST:abc");
}

TEST_F(ServerTest, answers_head_without_a_body) {
    serve();
    auto client = this->client();
    client.say("HEAD /1k HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string head = client.hear_until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: 15"), std::string::npos) << head;
    EXPECT_EQ(body_of(client.get("/hello")), "hello");
}

TEST_F(ServerTest, answers_204_without_a_body_or_a_length) {
    serve();
    auto client = this->client();
    client.say("GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.hear_until("\r\n\r\n").find("Content-Length"), std::string::npos);
    EXPECT_EQ(body_of(client.get("/hello")), "hello");
}

TEST_F(ServerTest, speaks_to_http_1_0_clients) {
    serve();
    auto client = this->client();
    client.say("GET /hello HTTP/1.0\r\n\r\n");
    const std::string answer = client.hear_all();
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_EQ(body_of(answer), "hello");
}

TEST_F(ServerTest, answers_a_client_that_has_closed_its_sending_side) {
    serve();
    auto client = this->client();
    client.say("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    client.end_sending();
    EXPECT_EQ(body_of(client.hear_all()), "hello");
}

TEST_F(ServerTest, compresses_where_asked_to_and_worth_it) {
    serve();
    auto client = this->client();
    const std::string plain = body_of(client.get("/list"));
    EXPECT_GT(plain.size(), 1'400'000u);
    for (int round = 0; round < 2; ++round) {
        const std::string answer = client.get("/list", "Accept-Encoding: gzip, br\r\n");
        EXPECT_NE(answer.find("Content-Encoding: gzip"), std::string::npos);
        EXPECT_TRUE(gunzip(body_of(answer)) == plain);
    }
    const std::string small = client.get("/1k", "Accept-Encoding: br\r\n");
    EXPECT_NE(small.find("Content-Encoding: br"), std::string::npos);
    std::string unpacked(10'000, '\0');
    std::size_t size = unpacked.size();
    const std::string packed = body_of(small);
    EXPECT_EQ(
        BrotliDecoderDecompress(packed.size(), reinterpret_cast<const uint8_t*>(packed.data()),
                                &size, reinterpret_cast<uint8_t*>(unpacked.data())),
        BROTLI_DECODER_RESULT_SUCCESS);
    EXPECT_EQ(unpacked.substr(0, size), body_of(client.get("/1k")));
    EXPECT_EQ(client.get("/hello", "Accept-Encoding: gzip\r\n").find("Content-Encoding"),
              std::string::npos);
}

TEST_F(ServerTest, sends_a_part_of_a_file) {
    serve();
    std::string content(700'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i)
        content[i] = static_cast<char>(i * 31 + i / 997);
    const std::string path = directory_ + "/file";
    std::ofstream(path, std::ios::binary) << content;
    on_loop([&] { return service_->file_path = path, 0; });
    auto client = this->client();
    EXPECT_TRUE(body_of(client.get("/file")) == content.substr(3, 600'000));
    EXPECT_EQ(body_of(client.get("/hello")), "hello");
}

TEST_F(ServerTest, ends_the_connection_where_a_file_turns_out_shorter) {
    serve();
    const std::string path = directory_ + "/file";
    std::ofstream(path) << "short";
    on_loop([&] { return service_->file_path = path, 0; });
    auto client = this->client();
    EXPECT_EQ(body_of(client.get("/file")), "");
    EXPECT_EQ(status_of(this->client().get("/hello")), 200);
    on_loop([&] { return service_->file_path = "/does/not/exist", 0; });
    EXPECT_EQ(status_of(this->client().get("/file")), 500);
}

TEST_F(ServerTest, streams_an_upload_of_any_size_to_its_reader) {
    serve();
    auto client = this->client();
    const std::string megabyte(1 << 20, 'x');
    client.say("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 20971520\r\n\r\n");
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.say(megabyte));
    EXPECT_EQ(body_of(client.hear_answer()), "20971520");
    EXPECT_EQ(body_of(client.ask("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")),
              "0");
    EXPECT_EQ(body_of(client.ask("POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")),
              "3");
    EXPECT_EQ(body_of(client.get("/hello")), "hello");
}

TEST_F(ServerTest, waits_for_a_reader_that_is_slow) {
    serve();
    auto client = this->client();
    client.say("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhold");
    ASSERT_TRUE(becomes_true([&] { return service_->held_next != nullptr; }));
    client.say("more");
    on_loop([&] { return service_->held_next({}), 0; });
    EXPECT_EQ(body_of(client.hear_answer()), "8");
}

TEST_F(ServerTest, hands_a_refusal_of_an_upload_to_the_client) {
    serve();
    auto client = this->client();
    client.say("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\nfull");
    const std::string answer = client.hear_all();
    EXPECT_EQ(status_of(answer), 507) << answer;
    auto other = this->client();
    other.say("POST /refused-upload HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(status_of(other.hear_all()), 403);
}

TEST_F(ServerTest, tells_the_reader_of_an_upload_whose_client_goes_away) {
    serve();
    auto client = this->client();
    client.say("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
    client.close();
    EXPECT_TRUE(becomes_true([&] { return service_->uploads_aborted == 1; }));
}

TEST_F(ServerTest, answers_a_long_poll_later_and_knows_when_its_client_has_gone) {
    serve();
    auto client = this->client();
    client.say("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(becomes_true([&] { return service_->waiting.size() == 1; }));
    EXPECT_FALSE(on_loop([&] { return service_->waiting[0]->gone(); }));
    on_loop([&] {
        Response response;
        response.body = "{}";
        service_->waiting[0]->send(std::move(response));
        service_->waiting.clear();
        return 0;
    });
    EXPECT_EQ(body_of(client.hear_answer()), "{}");

    client.say("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    client.close();
    EXPECT_TRUE(becomes_true(
        [&] { return service_->waiting.size() == 1 && service_->waiting[0]->gone(); }));
}

TEST_F(ServerTest, answers_500_for_a_service_that_drops_a_request_or_throws) {
    serve();
    auto client = this->client();
    EXPECT_EQ(status_of(client.get("/drop")), 500);
    EXPECT_EQ(status_of(client.get("/throw")), 500);
    EXPECT_EQ(body_of(client.get("/hello")), "hello");
}

TEST_F(ServerTest, keeps_the_request_id_of_the_client_and_makes_one_where_there_is_none) {
    serve();
    auto client = this->client();
    EXPECT_NE(client.get("/hello", "X-Request-Id: trace-17\r\n").find("X-Request-Id: trace-17\r\n"),
              std::string::npos);
    EXPECT_EQ(client.get("/hello", "X-Request-Id: a b\r\n").find("X-Request-Id: a b"),
              std::string::npos);
    EXPECT_NE(client.get("/hello").find("X-Request-Id: "), std::string::npos);
}

TEST_F(ServerTest, tells_its_observer_of_every_exchange) {
    serve();
    client().get("/hello?a=b");
    client().ask("rubbish\r\n\r\n");
    EXPECT_TRUE(becomes_true([&] {
        return observer_.lines == std::vector<std::string>{"GET /hello 200", "  400"} &&
               observer_.open == 0;
    }));
}

TEST_F(ServerTest, replaces_a_stale_socket_but_not_a_living_one) {
    {
        const auto abandoned = Server::create({});
        ASSERT_TRUE((*abandoned)->listen_unix(socket_path_, 0600, ""));
        const auto second = Server::create({});
        const auto status = (*second)->listen_unix(socket_path_, 0600, "");
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::kExists);
    }
    std::ofstream(directory_ + "/plain") << "x";
    EXPECT_FALSE((*Server::create({}))->listen_unix(directory_ + "/plain", 0600, ""));
    EXPECT_FALSE((*Server::create({}))->listen_unix("/" + std::string(200, 'a'), 0600, ""));
    serve();
    struct stat facts{};
    ASSERT_EQ(::stat(socket_path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0660u);
}

TEST_F(ServerTest, refuses_to_listen_where_anybody_could_come_without_tls) {
    const auto server = *Server::create({});
    for (const char* address : {"0.0.0.0", "::", "192.0.2.1"}) {
        const auto port = server->listen_tcp(address, 0);
        ASSERT_FALSE(port);
        EXPECT_EQ(port.error().code, ErrorCode::kDenied);
        EXPECT_NE(port.error().help.find("ssh"), std::string::npos);
    }
    EXPECT_FALSE(server->listen_tcp("not-an-address", 0));
}

TEST_F(ServerTest, runs_tasks_and_timers_in_order_and_not_after_a_cancel) {
    serve();
    std::promise<std::string> done;
    std::string trace;
    server_->post([&] {
        const TimerId never = server_->after(Millis{1}, [&] { trace += "never"; });
        server_->after(Millis{10}, [&] {
            trace += "c";
            done.set_value(trace);
        });
        server_->cancel(never);
        server_->cancel(0);
        server_->post([&] { trace += "b"; });
        trace += "a";
    });
    EXPECT_EQ(done.get_future().get(), "abc");
}

TEST_F(ServerTest, stops_while_clients_wait) {
    serve();
    auto waiting = client(), silent = client(), streaming = client();
    waiting.say("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    streaming.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(
        becomes_true([&] { return service_->waiting.size() + service_->streams.size() == 2; }));
    server_->stop();
    EXPECT_EQ(waiting.hear_all(), "");
    EXPECT_EQ(service_->streams_closed, 1);
    EXPECT_TRUE(service_->waiting[0]->gone());
    EXPECT_FALSE(std::filesystem::exists(socket_path_));
}

}  // namespace
}  // namespace blixard::api::http
