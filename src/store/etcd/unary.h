// One question and its answer, asked again at another member where that is safe. Includes gRPC: for
// this folder's sources only.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "store/etcd/connection.h"

namespace blixard::store {

inline constexpr Millis kRetryDelay{20};

// Asks until there is a definite answer, or the request's time is over; a question that was sent is
// given `answer_time` at least. `done` is called once, on the queue's thread (or on the caller's,
// if the store is being closed). Keeps itself alive.
template <class Request, class Response>
class Unary final : public Completion, public Cancellable {
 public:
    using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>>;
    using Method = Reader (*)(Endpoint&, grpc::ClientContext*, const Request&,
                              grpc::CompletionQueue*);
    using Done = std::function<void(Result<Response>)>;

    static void ask(Connection& connection, Method method, Request request, Again again,
                    Millis answer_time, Done done) {
        auto* call =
            new Unary(connection, method, std::move(request), again, answer_time, std::move(done));
        call->attempt();
    }

    void complete(bool) override {
        connection_.remove(*this);
        switch (verdict_of(status_)) {
            case Verdict::kDone: return finish(std::move(response_));
            case Verdict::kRefused: return finish(fail(error_of(status_)));
            case Verdict::kNotHappened:
                connection_.leave(endpoint_, status_.error_message());
                return attempt_later(error_of(status_));
            case Verdict::kUnknown: return unknown();
        }
    }

    void cancel() override { context_->TryCancel(); }
    std::size_t endpoint() const override { return endpoint_; }
    bool asked_before(std::chrono::steady_clock::time_point time) const override {
        return asked_at_ < time;
    }

 private:
    Unary(Connection& connection, Method method, Request request, Again again, Millis answer_time,
          Done done)
        : connection_(connection),
          method_(method),
          request_(std::move(request)),
          again_(again),
          deadline_(Steady::now() +
                    std::chrono::milliseconds(connection.options().request_timeout.count)),
          answer_time_(answer_time),
          done_(std::move(done)) {}

    void attempt() {
        Endpoint* endpoint = connection_.ready();
        if (!endpoint) {
            return attempt_later(
                {ErrorCode::kUnavailable,
                 "no etcd member can be reached",
                 {},
                 "see whether etcd runs, a majority of its members can reach each other, and this "
                 "host "
                 "is still a member (the certificate of a removed one is refused)"});
        }
        endpoint_ = endpoint->index;
        asked_at_ = std::chrono::steady_clock::now();
        reader_.reset();  // lives in the call that the context owns
        context_ = std::make_unique<grpc::ClientContext>();
        context_->set_deadline(deadline_in(std::max(until(deadline_), answer_time_)));
        context_->AddMetadata("hasleader", "true");  // a member without a leader says so at once
        const bool begun = connection_.begin([&] {
            connection_.add(*this);
            reader_ = method_(*endpoint, context_.get(), request_, &connection_.queue());
            reader_->Finish(&response_, &status_, this);
        });
        if (!begun) finish(fail(ErrorCode::kUnavailable, "the store is closed"));
    }

    void attempt_later(Error error) {
        if (until(deadline_) <= kRetryDelay) {
            return finish(fail(std::move(error)));
        }
        if (!connection_.after(kRetryDelay, [this] { attempt(); })) finish(fail(std::move(error)));
    }

    void unknown() {
        const bool said_by_etcd = status_.error_message().starts_with("etcdserver: ");
        if (status_.error_code() == grpc::StatusCode::UNAVAILABLE && !said_by_etcd) {
            connection_.leave(endpoint_, status_.error_message());
        }
        if (again_ == Again::kSafe) return attempt_later(error_of(status_));
        finish(fail(ErrorCode::kUnknownOutcome,
                    "etcd: " + status_.error_message() + "; the write may have happened"));
    }

    void finish(Result<Response> result) {
        auto done = std::move(done_);
        delete this;
        done(std::move(result));
    }

    Connection& connection_;
    const Method method_;
    const Request request_;
    const Again again_;
    const Steady::time_point deadline_;  // no new attempt after it
    const Millis answer_time_;
    Done done_;
    std::size_t endpoint_ = 0;
    std::chrono::steady_clock::time_point asked_at_{};
    std::unique_ptr<grpc::ClientContext> context_;
    Reader reader_;
    Response response_;
    grpc::Status status_;
};

}  // namespace blixard::store
