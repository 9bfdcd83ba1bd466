// A service for the tests and measurements of the server: each path does one thing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/exchange.h"
#include "base/time.h"

namespace blixard::api::http {

class TestService final : public Service {
 public:
    explicit TestService(Executor& executor) : executor_(executor) {
        bodies_["/1k"] = std::make_shared<const std::string>(make_json(1'500));
        bodies_["/list"] = std::make_shared<const std::string>(make_json(1'500'000));
    }

    // Loop thread only.
    std::vector<std::shared_ptr<Stream>> streams;
    std::vector<std::shared_ptr<Responder>> waiting;
    int streams_closed = 0, sockets_closed = 0, uploads_aborted = 0, handled = 0;
    std::string file_path;
    std::function<void(Status)> held_next;

    void handle(Request request, std::shared_ptr<Responder> responder) override {
        ++handled;
        if (const auto body = bodies_.find(request.path); body != bodies_.end()) {
            Response response;
            response.shared_body = body->second;
            response.headers.emplace_back("ETag", "\"7\"");
            return responder->send(std::move(response));
        }
        if (request.path == "/hello") return answer(*responder, "hello");
        if (request.path == "/echo") return answer(*responder, request.method + ":" + request.body);
        if (request.path == "/who")
            return answer(*responder,
                          request.principal.name + (request.principal.admin ? " admin" : ""));
        if (request.path == "/gone")
            return answer(*responder,
                          std::to_string(streams_closed) + std::to_string(uploads_aborted));
        if (request.path == "/query") return answer(*responder, query_text(request));
        if (request.path == "/wait") return waiting.push_back(std::move(responder));
        if (request.path == "/drop") return;
        if (request.path == "/throw") throw std::runtime_error("thrown");
        if (request.path == "/none") return send_status(*responder, 204);
        if (request.path == "/split") return send_split(*responder);
        if (request.path == "/file") return send_file(*responder);
        if (request.path == "/events") return send_events(*responder);
        if (request.path == "/console") return open_console(std::move(responder));
        responder->send(problem(Error{ErrorCode::kNotFound, "no " + request.path, {}, {}}));
    }

    std::shared_ptr<BodyReader> open_upload(const Request& head,
                                            std::shared_ptr<Responder> responder) override {
        if (head.path == "/refused-upload")
            responder->send(problem(Error{ErrorCode::kDenied, "no uploads", {}, {}}));
        if (head.path != "/upload") return nullptr;
        return std::make_shared<Upload>(*this, std::move(responder));
    }

 private:
    class Upload final : public BodyReader {
     public:
        Upload(TestService& service, std::shared_ptr<Responder> responder)
            : service_(service), responder_(std::move(responder)) {}

        // "full" stands for a disk that is; "hold" for one that is slow.
        void on_chunk(std::string_view bytes, std::function<void(Status)> next) override {
            size_ += bytes.size();
            if (bytes.starts_with("full"))
                return next(fail(ErrorCode::kExhausted, "the disk is full"));
            if (bytes.starts_with("hold")) {
                service_.held_next = std::move(next);
                return;
            }
            service_.executor_.post([next = std::move(next)] { next({}); });
        }
        void on_complete() override { service_.answer(*responder_, std::to_string(size_)); }
        void on_abort() override { ++service_.uploads_aborted; }

     private:
        TestService& service_;
        std::shared_ptr<Responder> responder_;
        std::uint64_t size_ = 0;
    };

    static std::string make_json(std::size_t size) {
        std::string text = "{\"items\":[";
        for (int i = 0; text.size() < size; ++i)
            text += "{\"kind\":\"vm\",\"name\":\"web-" + std::to_string(i) + "\",\"uid\":\"" +
                    std::to_string(i * 2654435761u) + "\"},";
        text.back() = ']';
        return text + "}";
    }

    static std::string query_text(const Request& request) {
        std::string text;
        for (const auto& [name, value] : request.query) text += name + "=" + value + ";";
        return text;
    }

    void answer(Responder& responder, std::string text) {
        Response response;
        response.content_type = "text/plain";
        response.body = std::move(text);
        response.route = "/test";
        responder.send(std::move(response));
    }

    void send_status(Responder& responder, int status) {
        Response response;
        response.status = status;
        responder.send(std::move(response));
    }

    void send_split(Responder& responder) {
        Response response;
        response.headers.emplace_back("Location", "/x\r\nSet-Cookie: stolen=1");
        responder.send(std::move(response));
    }

    void send_file(Responder& responder) {
        Response response;
        response.content_type = "application/octet-stream";
        response.file = Response::File{file_path, 3, 600'000};
        responder.send(std::move(response));
    }

    void send_events(Responder& responder) {
        Response head;
        head.content_type = "text/event-stream";
        auto stream = responder.start_stream(std::move(head));
        stream->on_closed([this] { ++streams_closed; });
        stream->write("data: first\n\n");
        streams.push_back(std::move(stream));
    }

    void open_console(std::shared_ptr<Responder> responder) {
        const auto socket = responder->accept_socket();
        if (!socket)
            return responder->send(
                problem(Error{ErrorCode::kInvalid, "a WebSocket is needed", {}, {}}));
        socket->on_message([socket_weak = std::weak_ptr(socket)](std::string_view text) {
            const auto open = socket_weak.lock();
            if (open && text == "bye")
                open->close("as asked");
            else if (open)
                open->send("echo:" + std::string(text));
        });
        socket->on_closed([this] { ++sockets_closed; });
        socket->send("welcome");
        sockets_.push_back(socket);
    }

    Executor& executor_;
    std::map<std::string, std::shared_ptr<const std::string>> bodies_;
    std::vector<std::shared_ptr<Socket>> sockets_;
};

}  // namespace blixard::api::http
