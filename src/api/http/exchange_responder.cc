#include "api/http/exchange_responder.h"

#include "base/assert.h"

namespace blixard::api::http {
namespace {

// A stream nobody can write to, for a request whose client has gone.
class EndedStream final : public Stream {
 public:
    bool write(std::string_view) override { return false; }
    void close() override {}
    void on_closed(std::function<void()> closed) override {
        if (closed) closed();
    }
};

}  // namespace

Exchange::~Exchange() {
    if (answered_) return;
    const auto connection = connection_.lock();
    if (!connection) return;
    connection->respond(problem(Error{ErrorCode::kInternal,
                                      "the request was dropped without an answer",
                                      {},
                                      "ask again; the daemon's log may say more"}));
}

void Exchange::send(Response response) {
    ASSERT(!answered_);
    answered_ = true;
    if (const auto connection = connection_.lock()) connection->respond(std::move(response));
}

std::shared_ptr<Stream> Exchange::start_stream(Response head) {
    ASSERT(!answered_);
    answered_ = true;
    if (const auto connection = connection_.lock())
        if (auto stream = connection->start_stream(std::move(head))) return stream;
    return std::make_shared<EndedStream>();
}

std::shared_ptr<Socket> Exchange::accept_socket() {
    ASSERT(!answered_);
    const auto connection = connection_.lock();
    if (!connection) return nullptr;
    auto socket = connection->accept_socket();
    answered_ = socket != nullptr;
    return socket;
}

bool Exchange::gone() const {
    const auto connection = connection_.lock();
    return !connection || connection->state_ == Connection::State::kClosed ||
           connection->peer_ended_;
}

bool EventStream::write(std::string_view bytes) {
    const auto connection = connection_.lock();
    return connection && !ended_ && connection->stream_write(bytes);
}

void EventStream::close() {
    const auto connection = connection_.lock();
    closed_ = nullptr;
    if (connection && !ended_) connection->stream_end();
    ended_ = true;
}

void EventStream::on_closed(std::function<void()> closed) {
    if (ended_) {
        if (closed) closed();
        return;
    }
    closed_ = std::move(closed);
}

void EventStream::ended() {
    if (ended_) return;
    ended_ = true;
    if (auto closed = std::exchange(closed_, nullptr)) closed();
}

}  // namespace blixard::api::http
