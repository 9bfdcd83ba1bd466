// What bad clients get: a clear answer, or the end of their connection; and the next client is
// served.
#include "api/http/server.h"
#include "api/http/test_client.h"

namespace blixard::api::http {
namespace {

class HostileTest : public ServerTest {
 protected:
    // What a raw request is answered with, and that the server lives on.
    std::string answer_to(const std::string& bytes) {
        auto one = client();
        one.say(bytes);
        const std::string answer = one.hear_answer();
        EXPECT_EQ(body_of(client().get("/hello")), "hello");
        return answer;
    }
    static Limits hasty() {
        Limits limits;
        limits.head = limits.body_progress = limits.write_progress = limits.linger = limits.idle =
            Millis{60};
        return limits;
    }
};

TEST_F(HostileTest, rubbish_is_a_bad_request) {
    serve();
    for (const char* bytes :
         {"rubbish\r\n\r\n",
          "\r\n\r\n\r\n",
          "GET\r\n\r\n",
          "GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
          "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
          "G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\nIf-Match: \xff\xfe\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x10\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
          "chunked\r\n\r\n0\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
          "5\r\n\r\n0\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
          "chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n",
          "CONNECT evil.example:80 HTTP/1.1\r\nHost: h\r\n\r\n",
          "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"}) {
        const std::string answer = answer_to(bytes);
        EXPECT_EQ(status_of(answer), 400) << bytes << "\n" << answer;
        EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << bytes;
    }
    EXPECT_EQ(on_loop([&] { return service_->handled; }), 21);  // only the /hello in between
}

TEST_F(HostileTest, what_is_not_spoken_here_is_said) {
    serve();
    EXPECT_EQ(status_of(answer_to("GET / HTTP/2.0\r\nHost: h\r\n\r\n")), 505);
    EXPECT_EQ(status_of(answer_to("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n")),
              501);
    EXPECT_EQ(status_of(answer_to(
                  "POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\na")),
              417);
    EXPECT_EQ(status_of(answer_to("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), 505);
}

TEST_F(HostileTest, a_path_that_leads_elsewhere_is_refused) {
    serve();
    for (const char* path : {"/v1/../../etc/passwd", "/v1/%2e%2e/%2e%2e/etc/passwd", "/v1//vms",
                             "/v1/vms%00", "/%zz", "/%ff", "/a%2f..%2fb"})
        EXPECT_EQ(status_of(client().get(path)), 400) << path;
}

TEST_F(HostileTest, large_headers_are_refused) {
    serve();
    EXPECT_EQ(status_of(answer_to("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') +
                                  "\r\n\r\n")),
              431);
    EXPECT_EQ(
        status_of(answer_to("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n")),
        431);
    std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 5000; ++i) many += "a: b\r\n";
    EXPECT_EQ(status_of(answer_to(many + "\r\n")), 431);
    EXPECT_EQ(status_of(answer_to("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(15'000, 'x') +
                                  "\r\n\r\n")),
              404);
}

TEST_F(HostileTest, a_ten_megabyte_document_is_refused_and_the_client_hears_it) {
    serve();
    const std::string body(10'000'000, 'x');
    auto declared = client();
    declared.say("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n" + body);
    EXPECT_EQ(status_of(declared.hear_answer()), 413);

    auto expecting = client();
    expecting.say(
        "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
        "10000000\r\n\r\n");
    EXPECT_EQ(status_of(expecting.hear_answer()), 413);

    auto chunked = client();
    chunked.say("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n" +
                body + "\r\n0\r\n\r\n");
    EXPECT_EQ(status_of(chunked.hear_answer()), 413);
    EXPECT_EQ(body_of(client().get("/hello")), "hello");
}

TEST_F(HostileTest, half_a_head_and_silence_times_out) {
    serve(hasty());
    auto half = client();
    half.say("GET /hello HTTP/1.1\r\nHo");
    EXPECT_EQ(status_of(half.hear_all()), 408);
    auto silent = client();
    EXPECT_EQ(silent.hear_all(), "");
}

TEST_F(HostileTest, a_lying_content_length_times_out_or_ends) {
    serve(hasty());
    auto waiting = client();
    waiting.say("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
    EXPECT_EQ(status_of(waiting.hear_all()), 408);
    auto ending = client();
    ending.say("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
    ending.end_sending();
    EXPECT_EQ(status_of(ending.hear_all()), 400);
    auto upload = client();
    upload.say("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
    EXPECT_EQ(status_of(upload.hear_all()), 408);
    EXPECT_EQ(on_loop([&] { return service_->uploads_aborted; }), 1);
    EXPECT_EQ(on_loop([&] { return service_->handled; }), 0);
}

TEST_F(HostileTest, half_a_head_and_the_end_is_a_bad_request) {
    serve();
    auto half = client();
    half.say("GET /hello HTTP/1.1\r\nHo");
    half.end_sending();
    EXPECT_EQ(status_of(half.hear_all()), 400);
}

TEST_F(HostileTest, an_idle_connection_ends_after_its_time) {
    serve(hasty());
    auto idle = client();
    EXPECT_EQ(body_of(idle.get("/hello")), "hello");
    EXPECT_EQ(idle.hear_all(), "");
}

TEST_F(HostileTest, a_client_that_does_not_take_its_answer_is_left) {
    serve(hasty());
    auto deaf = client();
    for (int i = 0; i < 20; ++i) deaf.say("GET /list HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(becomes_true([&] { return observer_.open == 0; }));
}

TEST_F(HostileTest, connections_over_the_limit_are_told_so) {
    Limits limits;
    limits.connections = 3;
    serve(limits);
    auto a = client(), b = client(), c = client();
    for (auto* one : {&a, &b, &c}) EXPECT_EQ(body_of(one->get("/hello")), "hello");
    EXPECT_EQ(status_of(client().hear_answer()), 503);
    a.close();
    EXPECT_TRUE(becomes_true([&] { return observer_.open == 2; }));
    EXPECT_EQ(body_of(client().get("/hello")), "hello");
    EXPECT_EQ(on_loop([&] { return observer_.refused; }), 1);
}

TEST_F(HostileTest, thousands_of_silent_connections_hurt_nobody) {
    serve();
    std::vector<TestClient> silent;
    for (int i = 0; i < 3000; ++i) silent.push_back(client());
    EXPECT_EQ(body_of(client().get("/hello")), "hello");
    EXPECT_TRUE(becomes_true([&] { return observer_.open >= 3000; }));
    silent.clear();
    EXPECT_TRUE(becomes_true([&] { return observer_.open == 0; }));
}

TEST_F(HostileTest, a_page_of_a_stranger_cannot_use_the_browser_of_this_machine) {
    serve();
    const auto ask = [&](const std::string& headers) {
        return status_of(TestClient::to_tcp(port_).ask(
            "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n" + headers + "\r\na"));
    };
    EXPECT_EQ(ask("Host: localhost:80\r\n"), 200);
    EXPECT_EQ(ask("Host: localhost:80\r\nOrigin: http://localhost:80\r\n"), 200);
    EXPECT_EQ(ask("Host: localhost:80\r\nOrigin: https://evil.example\r\n"), 403);
    EXPECT_EQ(ask("Host: localhost:80\r\nOrigin: null\r\n"), 403);
    EXPECT_EQ(ask("Host: evil.example\r\n"), 403);
}

TEST_F(HostileTest, a_line_break_in_an_answer_stays_in_its_header) {
    serve();
    EXPECT_EQ(client().get("/split").find("\r\nSet-Cookie"), std::string::npos);
}

}  // namespace
}  // namespace blixard::api::http
