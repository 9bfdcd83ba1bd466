#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/peer_client.h"
#include "cluster/peer_server.h"
#include "cluster/test_cluster_files.h"
#include "os/event_loop.h"

namespace blixard::cluster {
namespace {

using testing::HasSubstr;

constexpr Millis kPatience = seconds(20);

// Answers: /echo with the body, /stream with three pieces, /file with a file, /socket by saying
// everything twice.
class EchoService final : public api::Service {
 public:
    std::string file;

    void handle(api::Request request, std::shared_ptr<api::Responder> responder) override {
        api::Response response{.status = 200,
                               .content_type = "text/plain",
                               .body = request.body + request.principal.name};
        if (request.path == "/stream") {
            const auto stream = responder->start_stream(response);
            for (const char* piece : {"one ", "two ", "three"}) stream->write(piece);
            stream->close();
        } else if (request.path == "/file") {
            response.file = api::Response::File{file, 1, 5};
            responder->send(response);
        } else if (request.path == "/endless") {
            endless = responder->start_stream(response);
            endless->on_closed([this] { closed = true; });
            endless->write("begin");
        } else if (request.path == "/socket") {
            socket = responder->accept_socket();
            socket->on_message([this](std::string_view bytes) {
                socket->send(std::string(bytes) + std::string(bytes));
            });
            socket->on_closed([this] { closed = true; });
        } else {
            responder->send(response);
        }
    }
    std::shared_ptr<api::BodyReader> open_upload(const api::Request&,
                                                 std::shared_ptr<api::Responder>) override {
        return nullptr;
    }

    std::shared_ptr<api::Stream> endless;
    std::shared_ptr<api::Socket> socket;
    bool closed = false;
};

// What the browser's side of a forwarded request saw.
struct Seen : api::Stream, api::Socket {
    std::string bytes;
    bool ended = false;
    std::function<void()> go_away;
    std::function<void(std::string_view)> say;

    bool write(std::string_view piece) override {
        bytes += piece;
        return true;
    }
    bool send(std::string_view piece) override { return write(piece); }
    void close() override { ended = true; }
    void close(std::string_view) override { ended = true; }
    void on_closed(std::function<void()> closed) override { go_away = std::move(closed); }
    void on_message(std::function<void(std::string_view)> message) override {
        say = std::move(message);
    }
};

class SeenResponder final : public api::Responder {
 public:
    std::optional<api::Response> response;
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();

    void send(api::Response answer) override { response = std::move(answer); }
    std::shared_ptr<api::Stream> start_stream(api::Response head) override {
        response = std::move(head);
        return seen;
    }
    std::shared_ptr<api::Socket> accept_socket() override { return seen; }
    bool gone() const override { return false; }
};

class PeerTest : public testing::Test {
 protected:
    PeerTest() {
        write_host_files(directory_, authority_, "host-1", "11");
        const std::string certificate = *os::read_file(directory_ / "host.pem");
        EXPECT_TRUE(os::write_file_atomically(directory_ / "host.pem",
                                              certificate + authority_.certificate_pem));
        PeerHandlers handlers;
        handlers.authorize = [this](const CertificateInfo& caller) -> Status {
            if (caller.serial == revoked_)
                return fail(ErrorCode::kDenied, "\"" + caller.name + "\" was removed");
            return {};
        };
        handlers.hello = [] { return Hello{"c1", "host-1", "1.2", {42}}; };
        handlers.blob_file = [this](const std::string& sha) -> Result<std::string> {
            if (sha == "abc") return directory_ / "blob";
            return fail(ErrorCode::kNotFound, "no such blob");
        };
        handlers.join = [](JoinRequest request, Callback<JoinReply> done) {
            if (request.secret != "secret")
                return done(
                    fail(ErrorCode::kUnauthenticated, "the join token is wrong", "make a new one"));
            done(JoinReply{
                "certificate of " + request.name, "authority", {"10.0.0.1:7421"}, seconds(4)});
        };
        handlers.renew = [](std::string caller, std::string pem, Callback<std::string> done) {
            done("renewed " + caller + pem);
        };
        handlers.voter_key = [](std::string, Callback<std::string>) {};  // never answers
        handlers.service = &service_;
        auto server = PeerServer::start(
            "127.0.0.1:0",
            {directory_ / "ca.pem", directory_ / "host.pem", directory_ / "host.key"},
            std::move(handlers), loop_);
        EXPECT_TRUE(server) << (server ? "" : describe(server.error()));
        server_ = std::move(*server);
        address_ = "127.0.0.1:" + std::to_string(server_->port());
    }

    std::unique_ptr<PeerClient> client(const Authority* issuer, const std::string& serial = "22") {
        PeerClient::Identity identity{
            .name = "host-2", .cluster_id = "c1", .authority_pem = authority_.certificate_pem};
        if (issuer != nullptr) {
            const auto request = make_certificate_request("host-2");
            identity.key_pem = request->key_pem;
            identity.certificate_pem = *issue_certificate(
                *issuer, request->request_pem, {"c1", "host-2", {"127.0.0.1"}, serial, now_});
        }
        return std::make_unique<PeerClient>(
            identity,
            [this](const std::string& name) -> std::optional<std::string> {
                if (name == "nobody") return std::nullopt;
                return address_;
            },
            [](const Error& error) {
                return api::Response{.status = error.code == ErrorCode::kDenied ? 403 : 503,
                                     .body = error.message};
            },
            loop_);
    }

    template <class T, class Ask>
    Result<T> await(Ask ask) {
        std::optional<Result<T>> answer;
        ask([&](Result<T> result) { answer = std::move(result); });
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, kPatience));
        return answer ? *answer : Result<T>(fail(ErrorCode::kTimeout, "no answer"));
    }

    std::shared_ptr<SeenResponder> forward(PeerClient& client, const std::string& path,
                                           bool socket = false) {
        auto responder = std::make_shared<SeenResponder>();
        api::Request request{.method = "POST", .path = path, .body = "hello "};
        request.principal = {"root", true};
        client.forward("host-1", request, socket, responder);
        return responder;
    }
    bool wait(const std::function<bool()>& done) { return loop_.run_until(done, kPatience); }

    const WallTime now_ = os::SystemClock().wall();
    const Authority authority_ = *create_authority("c1", "1", now_);
    TestDirectory directory_;
    os::EventLoop loop_;
    EchoService service_;
    std::string revoked_;
    std::unique_ptr<PeerServer> server_;
    std::string address_;
};

TEST_F(PeerTest, a_host_without_a_certificate_can_say_hello_and_join_and_nothing_more) {
    const auto stranger = client(nullptr);
    const auto hello = await<Hello>([&](auto done) { stranger->hello_at(address_, done); });
    ASSERT_TRUE(hello) << describe(hello.error());
    EXPECT_EQ(hello->wall, WallTime{42});
    const auto joined = await<JoinReply>([&](auto done) {
        stranger->join_at(address_, {.secret = "secret", .name = "host-2"}, done);
    });
    ASSERT_TRUE(joined) << describe(joined.error());
    EXPECT_EQ(joined->certificate_pem, "certificate of host-2");
    const auto wrong = await<JoinReply>(
        [&](auto done) { stranger->join_at(address_, {.secret = "guess"}, done); });
    EXPECT_EQ(wrong.error(), (Error{ErrorCode::kUnauthenticated, "the join token is wrong", "",
                                    "make a new one"}));
    const auto renewed =
        await<std::string>([&](auto done) { stranger->renew("host-1", "csr", done); });
    EXPECT_EQ(renewed.error().code, ErrorCode::kUnauthenticated);
    const auto part = await<BlobPart>(
        [&](auto done) { stranger->fetch_blob_part("host-1", "abc", 0, 10, done); });
    EXPECT_EQ(part.error().code, ErrorCode::kUnauthenticated);
}

TEST_F(PeerTest, a_certificate_of_another_cluster_gets_nothing) {
    const Authority other = *create_authority("c1", "1", now_);
    const auto foreign = client(&other);
    const auto hello = await<Hello>([&](auto done) { foreign->hello("host-1", done); });
    ASSERT_FALSE(hello);
}

TEST_F(PeerTest, a_revoked_certificate_is_refused_at_its_next_call_on_the_same_connection) {
    const auto member = client(&authority_);
    EXPECT_EQ(*await<std::string>([&](auto done) { member->renew("host-1", " csr", done); }),
              "renewed host-2 csr");
    revoked_ = "22";
    const auto refused =
        await<std::string>([&](auto done) { member->renew("host-1", " csr", done); });
    EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
    // So it learns that it was removed, though the store does not speak to it any more.
    const auto hello = await<Hello>([&](auto done) { member->hello_at(address_, done); });
    EXPECT_EQ(hello.error(), (Error{ErrorCode::kDenied, "\"host-2\" was removed", "", ""}));
    const auto responder = forward(*member, "/echo");
    EXPECT_TRUE(wait([&] { return responder->response.has_value(); }));
    EXPECT_EQ(responder->response->status, 403);
}

TEST_F(PeerTest, a_host_is_known_by_its_name_not_by_its_address) {
    const auto member = client(&authority_);
    const auto hello = await<Hello>([&](auto done) { member->hello("host-3", done); });
    EXPECT_EQ(hello.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(await<Hello>([&](auto done) { member->hello("nobody", done); }).error().code,
              ErrorCode::kNotFound);
}

TEST_F(PeerTest, the_authority_is_compared_with_the_tokens_fingerprint_before_anything_is_said) {
    const auto fingerprint = inspect_certificate(authority_.certificate_pem)->fingerprint;
    const auto found = fetch_authority(address_, fingerprint, seconds(5));
    ASSERT_TRUE(found) << describe(found.error());
    EXPECT_EQ(*found, authority_.certificate_pem);
    EXPECT_EQ(fetch_authority(address_, std::string(64, '0'), seconds(5)).error().code,
              ErrorCode::kUnauthenticated);
    EXPECT_EQ(fetch_authority("127.0.0.1:" + std::to_string(free_port()), fingerprint, seconds(5))
                  .error()
                  .code,
              ErrorCode::kUnavailable);
}

TEST_F(PeerTest, a_request_is_forwarded_with_its_principal_and_answered_whole) {
    const auto member = client(&authority_);
    const auto responder = forward(*member, "/echo");
    ASSERT_TRUE(wait([&] { return responder->response.has_value(); }));
    EXPECT_EQ(responder->response->status, 200);
    EXPECT_EQ(responder->response->body, "hello root");
}

TEST_F(PeerTest, a_stream_and_a_file_come_piece_by_piece) {
    const auto member = client(&authority_);
    const auto stream = forward(*member, "/stream");
    ASSERT_TRUE(wait([&] { return stream->seen->ended; }));
    EXPECT_EQ(stream->seen->bytes, "one two three");
    service_.file = directory_ / "blob";
    ASSERT_TRUE(os::write_file_atomically(service_.file, "0123456789"));
    const auto file = forward(*member, "/file");
    ASSERT_TRUE(wait([&] { return file->seen->ended; }));
    EXPECT_EQ(file->seen->bytes, "12345");
}

TEST_F(PeerTest, an_endless_stream_ends_on_both_sides_when_the_reader_goes_away) {
    const auto member = client(&authority_);
    const auto stream = forward(*member, "/endless");
    ASSERT_TRUE(wait([&] { return stream->seen->bytes == "begin"; }));
    stream->seen->go_away();
    EXPECT_TRUE(wait([&] { return service_.closed && stream->seen->ended; }));
    service_.endless.reset();
}

TEST_F(PeerTest, a_socket_speaks_both_ways) {
    const auto member = client(&authority_);
    const auto socket = forward(*member, "/socket", true);
    ASSERT_TRUE(wait([&] { return socket->seen->say != nullptr; }));
    socket->seen->say("ab");
    EXPECT_TRUE(wait([&] { return socket->seen->bytes == "abab"; }));
    socket->seen->go_away();
    EXPECT_TRUE(wait([&] { return service_.closed; }));
    service_.socket.reset();
}

TEST_F(PeerTest, a_blob_comes_in_parts) {
    std::string blob(1'000'000, 'x');
    blob[700'000] = 'y';
    ASSERT_TRUE(os::write_file_atomically(directory_ / "blob", blob));
    const auto member = client(&authority_);
    const auto part = await<BlobPart>(
        [&](auto done) { member->fetch_blob_part("host-1", "abc", 500'000, 400'000, done); });
    ASSERT_TRUE(part) << describe(part.error());
    EXPECT_EQ(part->bytes, blob.substr(500'000, 400'000));
    EXPECT_EQ(part->total_bytes, 1'000'000u);
    EXPECT_EQ(
        await<BlobPart>([&](auto done) { member->fetch_blob_part("host-1", "none", 0, 1, done); })
            .error()
            .code,
        ErrorCode::kNotFound);
}

TEST_F(PeerTest, calls_that_nobody_answers_end_with_the_client_or_the_server) {
    auto member = client(&authority_);
    std::optional<ErrorCode> ended;
    member->voter_key("host-1", [&](Result<std::string> result) { ended = result.error().code; });
    const auto endless = forward(*member, "/endless");
    ASSERT_TRUE(wait([&] { return endless->seen->bytes == "begin"; }));
    server_.reset();
    EXPECT_TRUE(wait([&] { return ended.has_value() && endless->seen->ended; }));
    member.reset();
    service_.endless.reset();
}

TEST_F(PeerTest, a_host_that_is_gone_becomes_a_problem_document) {
    const auto member = client(&authority_);
    server_.reset();
    const auto responder = forward(*member, "/echo");
    ASSERT_TRUE(wait([&] { return responder->response.has_value(); }));
    EXPECT_EQ(responder->response->status, 503);
    EXPECT_THAT(responder->response->body, HasSubstr("host-1"));
}

}  // namespace
}  // namespace blixard::cluster
