// One watch: a stream from the member in use, begun anew at the next revision whenever it breaks.
// Includes gRPC: for this folder's sources only.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/time.h"
#include "store/etcd/connection.h"
#include "store/store.h"

namespace blixard::store {

class EtcdWatch final : public Completion,
                        public Cancellable,
                        public std::enable_shared_from_this<EtcdWatch> {
 public:
    EtcdWatch(std::shared_ptr<Connection> connection, Executor& executor, std::string prefix,
              Revision from, WatchHandler& handler);

    void start();
    // Nothing more is delivered after this returns, if called on the executor's thread. Any thread.
    void stop();
    // Executor: the store is being closed.
    void end(Error error);

    void complete(bool ok) override;
    void cancel() override { context_->TryCancel(); }
    std::size_t endpoint() const override { return endpoint_; }

 private:
    using Stream = grpc::ClientAsyncReaderWriter<pb::WatchRequest, pb::WatchResponse>;
    enum class State { kOpening, kCreating, kReading, kFinishing };

    void open();
    void open_later();
    void read();
    void finish();
    void write_create();
    void take(pb::WatchResponse& response);
    void collect(pb::WatchResponse& response);
    void deliver(WatchBatch batch);
    void ended(Error error);
    bool operate(const std::function<void()>& operation);

    const std::shared_ptr<Connection> connection_;
    Executor& executor_;
    const std::string prefix_;
    WatchHandler* const handler_;
    std::atomic<bool> active_{true};

    // Queue's thread, one operation at a time.
    State state_ = State::kOpening;
    std::size_t endpoint_ = 0;
    std::unique_ptr<grpc::ClientContext> context_;
    std::unique_ptr<Stream> stream_;
    pb::WatchResponse response_;
    grpc::Status status_;
    Revision next_;                    // all before has been handed to the executor
    WatchBatch fragments_;             // of a response that etcd sends in parts
    bool over_ = false;                // compacted: not to be opened again
    std::shared_ptr<EtcdWatch> self_;  // while an operation is under way

    // Batches that wait for the executor; at the bound, reading pauses and etcd keeps the rest.
    std::mutex flow_mutex_;  // guards the two below
    int queued_ = 0;
    bool paused_ = false;
};

}  // namespace blixard::store
