#include "store/etcd/renewals.h"

#include <atomic>

#include "store/etcd/unary.h"

namespace blixard::store {
namespace {

constexpr std::size_t kIdleMost = 8;  // a host renews one lease at a time

// The leader's time before the member in use is asked instead: far less than a lease has left after
// a renewal that was late.
constexpr Millis kLeaderPatience{500};

// All that is under way is looked at together for what takes too long: a timer for each would cost
// more than the renewal, which is answered within milliseconds.
constexpr Millis kLookEvery{100};

}  // namespace

// Belongs to itself while it carries a question, to `idle_` between two.
class Renewals::Stream final : public Completion, public Cancellable {
 public:
    Stream(Renewals& renewals, std::size_t endpoint)
        : renewals_(renewals), connection_(renewals.connection_), endpoint_(endpoint) {
        context_.AddMetadata("hasleader", "true");  // ends when its member has lost the leader
    }
    ~Stream() override { connection_.remove(*this); }

    void open(Endpoint& endpoint, const QuestionPtr& question) {
        take(question);
        operate(Step::kOpen, [&] {
            connection_.add(*this);
            stream_ = endpoint.lease->AsyncLeaseKeepAlive(&context_, &connection_.queue(), this);
        });
    }
    // Of an idle one.
    void carry(const QuestionPtr& question) {
        is_first_ = false;
        take(question);
        write();
    }

    void complete(bool ok) override {
        if (step_ != Step::kFinish && !ok)
            return operate(Step::kFinish, [this] { stream_->Finish(&status_, this); });
        switch (step_) {
            case Step::kOpen: return write();
            case Step::kWrite:
                return operate(Step::kRead, [this] { stream_->Read(&response_, this); });
            case Step::kRead: return answered();
            case Step::kFinish: return finished();
        }
    }
    void cancel() override {
        is_cancelled_ = true;
        context_.TryCancel();
    }
    std::size_t endpoint() const override { return endpoint_; }
    // A follower hands renewals to the leader, and waits for one that hangs until long after the
    // lease: with a new leader it is asked anew.
    bool asked_before(Steady::time_point time) const override { return asked_at_.load() < time; }
    bool is_cancelled() const { return is_cancelled_; }

 private:
    enum class Step { kOpen, kWrite, kRead, kFinish };

    void take(const QuestionPtr& question) {
        question_ = question;
        asked_at_ = Steady::now();
        std::lock_guard lock(renewals_.mutex_);
        renewals_.under_way_[question.get()] = this;
    }
    QuestionPtr leave() {
        asked_at_ = Steady::time_point::max();
        std::lock_guard lock(renewals_.mutex_);
        renewals_.under_way_.erase(question_.get());
        return std::move(question_);
    }

    void write() {
        request_.set_id(question_->lease);
        operate(Step::kWrite, [this] { stream_->Write(request_, this); });
    }
    void operate(Step step, const std::function<void()>& operation) {
        step_ = step;
        if (connection_.begin(operation)) return;
        const QuestionPtr question = leave();
        delete this;
        question->done(fail(ErrorCode::kUnavailable, "the store is closed"));
    }

    void answered() {
        Renewals& renewals = renewals_;
        const QuestionPtr question = leave();
        pb::LeaseKeepAliveResponse response = std::move(response_);
        const bool is_old = connection_.is_behind(response.header().raft_term());
        {
            std::unique_ptr<Stream> self(this);
            std::lock_guard lock(renewals.mutex_);
            if (!is_cancelled_ && renewals.idle_.size() < kIdleMost)
                renewals.idle_.push_back(std::move(self));
        }
        if (!is_old) return question->done(std::move(response));
        question->may_ask_leader = false;
        renewals.attempt_later(question, {ErrorCode::kUnavailable,
                                          "etcd: this member has not heard of the new leader"});
    }

    void finished() {
        Renewals& renewals = renewals_;
        const QuestionPtr question = leave();
        const grpc::Status status = std::move(status_);
        // That a kept one had ended says nothing about its member now.
        if (is_first_ && status.error_code() == grpc::StatusCode::UNAVAILABLE)
            connection_.leave(endpoint_, status.error_message());
        delete this;
        if (question->is_at_leader) question->may_ask_leader = false;
        if (verdict_of(status) == Verdict::kRefused) return question->done(fail(error_of(status)));
        const bool is_late = until(question->deadline) <= Millis{0};
        renewals.attempt_later(
            question, is_late       ? Error{ErrorCode::kUnavailable, "etcd did not answer in time"}
                      : status.ok() ? Error{ErrorCode::kUnavailable, "etcd ended the renewal"}
                                    : error_of(status));
    }

    Renewals& renewals_;
    Connection& connection_;
    const std::size_t endpoint_;
    grpc::ClientContext context_;
    // Lives in the call that the context owns.
    std::unique_ptr<
        grpc::ClientAsyncReaderWriter<pb::LeaseKeepAliveRequest, pb::LeaseKeepAliveResponse>>
        stream_;
    Step step_ = Step::kOpen;
    bool is_first_ = true;
    std::atomic<bool> is_cancelled_{false};
    QuestionPtr question_;
    std::atomic<Steady::time_point> asked_at_{Steady::time_point::max()};
    pb::LeaseKeepAliveRequest request_;
    pb::LeaseKeepAliveResponse response_;
    grpc::Status status_;
};

Renewals::Renewals(Connection& connection) : connection_(connection) {}
Renewals::~Renewals() = default;

void Renewals::ask(LeaseId lease, Done done) {
    auto question = std::make_shared<Question>();
    question->lease = lease;
    question->deadline =
        Steady::now() + std::chrono::milliseconds(connection_.options().request_timeout.count);
    question->done = std::move(done);
    attempt(question);
}

void Renewals::attempt(const QuestionPtr& question) {
    Endpoint* endpoint = connection_.ready();
    if (!endpoint)
        return attempt_later(question, {ErrorCode::kUnavailable, "no etcd member can be reached"});
    Endpoint* leader = question->may_ask_leader ? connection_.ready_leader() : nullptr;
    question->is_at_leader = leader && leader != endpoint;
    if (question->is_at_leader) {
        endpoint = leader;
        question->leader_deadline =
            Steady::now() + std::chrono::milliseconds(kLeaderPatience.count);
    }
    // Each deletes itself, or goes back to the idle ones.
    if (std::unique_ptr<Stream> kept = take_idle(endpoint->index))
        kept.release()->carry(question);
    else
        (new Stream(*this, endpoint->index))->open(*endpoint, question);
    watch_over();
}

void Renewals::attempt_later(const QuestionPtr& question, Error error) {
    if (until(question->deadline) <= kRetryDelay ||
        !connection_.after(kRetryDelay, [this, question] { attempt(question); }))
        question->done(fail(std::move(error)));
}

void Renewals::watch_over() {
    {
        std::lock_guard lock(mutex_);
        if (is_watching_ || under_way_.empty()) return;
        is_watching_ = true;
    }
    connection_.after(kLookEvery, [this] { look(); });
}

void Renewals::look() {
    bool leader_is_silent = false;
    {
        std::lock_guard lock(mutex_);
        is_watching_ = false;
        const Steady::time_point now = Steady::now();
        for (const auto& [question, stream] : under_way_) {
            const bool leader_is_late = question->is_at_leader && question->leader_deadline <= now;
            if (leader_is_late || question->deadline <= now) stream->cancel();
            leader_is_silent = leader_is_silent || leader_is_late;
        }
    }
    if (leader_is_silent) connection_.leader_is_silent();
    watch_over();
}

std::unique_ptr<Renewals::Stream> Renewals::take_idle(std::size_t endpoint) {
    std::vector<std::unique_ptr<Stream>> ended;
    std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
        std::unique_ptr<Stream> last = std::move(idle_.back());
        idle_.pop_back();
        if (last->endpoint() == endpoint && !last->is_cancelled()) return last;
        ended.push_back(std::move(last));
    }
    return nullptr;
}

}  // namespace blixard::store
