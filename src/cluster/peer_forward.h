// The answering end of Forward: one HTTP request that another host took, handed to our
// api::Service. Includes gRPC: for peer_*.cc alone.
//
// gRPC calls the reactor's On… methods on its own threads; the service sees the executor only.
// mutex_ guards what both touch. The call keeps itself alive until OnDone.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "cluster/peer_wire.h"
#include "os/unique_fd.h"

namespace blixard::cluster {

class ForwardCall final : public grpc::ServerBidiReactor<wire::ForwardFrame, wire::ForwardFrame>,
                          public std::enable_shared_from_this<ForwardCall> {
 public:
    // `caller`: the host that took the request. Begins at once.
    static ForwardCall* start(Executor& executor, api::Service* service, std::string caller);

    // For the responder; executor.
    void send(api::Response response);
    void send_head(const api::Response& response, wire::ResponseHead::Kind kind);
    bool send_data(std::string_view bytes);  // false: the reader is too slow or gone
    void finish(grpc::Status status);
    bool gone() const;
    bool wants_socket() const { return wants_socket_; }
    void on_closed(std::function<void()> closed);
    void on_message(std::function<void(std::string_view)> message);

    void OnReadDone(bool ok) override;
    void OnWriteDone(bool ok) override;
    void OnCancel() override;
    void OnDone() override;

 private:
    ForwardCall(Executor& executor, api::Service* service)
        : executor_(executor), service_(service) {}

    void begin(wire::RequestHead head);
    void deliver(std::string data);
    void send_file(const api::Response& response);
    void close_from_client();
    void push(wire::ForwardFrame frame);
    void write_next();  // mutex_ held
    bool refill_from_file();

    Executor& executor_;
    api::Service* const service_;
    std::string caller_;
    std::shared_ptr<ForwardCall> self_;
    bool begun_ = false, wants_socket_ = false;
    wire::ForwardFrame in_;  // gRPC's thread

    mutable std::mutex mutex_;
    std::deque<wire::ForwardFrame> out_;
    std::size_t out_bytes_ = 0;
    bool writing_ = false, gone_ = false, finishing_ = false, finished_ = false;
    grpc::Status final_status_;
    os::UniqueFd file_;
    std::uint64_t file_at_ = 0, file_end_ = 0;

    // Executor.
    std::function<void()> closed_;
    std::function<void(std::string_view)> message_;
    std::deque<std::string> early_messages_;  // that came before on_message()
    bool closed_told_ = false, client_closed_ = false;
};

}  // namespace blixard::cluster
