// The Responder of one request, and the Stream it may become. They outlive their connection without
// harm.
#pragma once

#include <functional>
#include <memory>

#include "api/exchange.h"
#include "api/http/connection.h"

namespace blixard::api::http {

// One that is dropped without an answer answers 500: no request is left hanging.
class Exchange final : public Responder {
 public:
    explicit Exchange(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {}
    ~Exchange() override;

    void send(Response response) override;
    std::shared_ptr<Stream> start_stream(Response head) override;
    std::shared_ptr<Socket> accept_socket() override;
    bool gone() const override;

    bool answered() const { return answered_; }
    void disown() { answered_ = true; }  // the connection answered by itself, or is closed

 private:
    std::weak_ptr<Connection> connection_;
    bool answered_ = false;
};

class EventStream final : public Stream {
 public:
    explicit EventStream(std::weak_ptr<Connection> connection)
        : connection_(std::move(connection)) {}

    bool write(std::string_view bytes) override;
    void close() override;
    void on_closed(std::function<void()> closed) override;

    void ended();  // by the connection: calls the closed function, once

 private:
    std::weak_ptr<Connection> connection_;
    std::function<void()> closed_;
    bool ended_ = false;
};

}  // namespace blixard::api::http
