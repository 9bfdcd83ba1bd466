#include "store/etcd/etcd_watch.h"

#include <algorithm>

#include "store/keys.h"

namespace blixard::store {
namespace {

constexpr int kQueuedMost = 64;  // batches that wait for the executor
constexpr Millis kOpenAgain{50};

Change change_of(mvccpb::Event& event) {
    auto& kv = *event.mutable_kv();
    if (event.type() == mvccpb::Event::DELETE) {
        return {true, {.key = std::move(*kv.mutable_key()), .mod_revision = kv.mod_revision()}};
    }
    return {false,
            {std::move(*kv.mutable_key()), std::move(*kv.mutable_value()), kv.create_revision(),
             kv.mod_revision(), kv.lease()}};
}

}  // namespace

EtcdWatch::EtcdWatch(std::shared_ptr<Connection> connection, Executor& executor, std::string prefix,
                     Revision from, WatchHandler& handler)
    : connection_(std::move(connection)),
      executor_(executor),
      prefix_(std::move(prefix)),
      handler_(&handler),
      next_(std::max<Revision>(from, 1)) {}

void EtcdWatch::start() {
    if (!connection_->after(Millis{0}, [self = shared_from_this()] { self->open(); })) {
        ended({ErrorCode::kUnavailable, "the store is closed"});
    }
}

void EtcdWatch::stop() {
    active_ = false;
    connection_->cancel(*this);
}

void EtcdWatch::end(Error error) {
    if (active_.exchange(false)) handler_->on_end(std::move(error));
}

// Begins one operation, which keeps the watch alive until it completes.
bool EtcdWatch::operate(const std::function<void()>& operation) {
    return connection_->begin([&] {
        self_ = shared_from_this();
        operation();
    });
}

void EtcdWatch::open() {
    if (!active_) return;
    Endpoint* endpoint = connection_->ready();
    if (!endpoint) return open_later();
    state_ = State::kOpening;
    endpoint_ = endpoint->index;
    fragments_ = {};
    operate([&] {
        stream_.reset();  // lives in the call that the context owns
        context_ = std::make_unique<grpc::ClientContext>();
        context_->AddMetadata("hasleader", "true");  // ends when its member has lost the leader
        connection_->add(*this);
        stream_ = endpoint->watch->AsyncWatch(context_.get(), &connection_->queue(), this);
    });
}

void EtcdWatch::open_later() {
    connection_->after(kOpenAgain, [self = shared_from_this()] { self->open(); });
}

void EtcdWatch::complete(bool ok) {
    const auto self = std::move(self_);
    switch (state_) {
        case State::kOpening: return ok && active_ ? write_create() : finish();
        case State::kCreating: return ok && active_ ? read() : finish();
        case State::kReading:
            if (!ok || !active_) return finish();
            return take(response_);
        case State::kFinishing:
            connection_->remove(*this);
            if (!active_ || over_) return;
            if (status_.error_code() == grpc::StatusCode::UNAVAILABLE) {
                connection_->leave(endpoint_, status_.error_message());
            }
            return open_later();
    }
}

// Asked for one revision earlier than needed: etcd 3.4 forgets a deletion at the very revision it
// was compacted to, and so a watch from there would miss it; one from the revision before is told
// that it is compacted.
void EtcdWatch::write_create() {
    pb::WatchRequest request;
    auto* create = request.mutable_create_request();
    create->set_key(prefix_.empty() ? std::string(1, '\0') : prefix_);
    const std::string end = prefix_end(prefix_);
    create->set_range_end(end.empty() ? std::string(1, '\0') : end);
    create->set_start_revision(std::max<Revision>(next_ - 1, 1));
    create->set_progress_notify(true);
    create->set_fragment(true);
    state_ = State::kCreating;
    if (!operate([&] { stream_->Write(request, this); })) finish();
}

void EtcdWatch::read() {
    {
        std::lock_guard lock(flow_mutex_);
        if (queued_ >= kQueuedMost) {
            paused_ = true;  // what is queued keeps this alive, and goes on
            return;
        }
    }
    state_ = State::kReading;
    if (!operate([&] { stream_->Read(&response_, this); })) finish();
}

// Allowed while the connection shuts down no more: then the queue is drained, and there is nothing
// to wait for.
void EtcdWatch::finish() {
    state_ = State::kFinishing;
    if (!operate([&] { stream_->Finish(&status_, this); })) connection_->remove(*this);
}

void EtcdWatch::take(pb::WatchResponse& response) {
    if (response.canceled()) {
        if (response.compact_revision() > 0) {
            over_ = true;
            ended({ErrorCode::kCompacted, "changes from revision " + std::to_string(next_) +
                                              " are no longer kept; the oldest are from " +
                                              std::to_string(response.compact_revision() + 1)});
        }
        operate([&] { context_->TryCancel(); });
        return finish();
    }
    if (!response.created()) collect(response);
    read();
}

void EtcdWatch::collect(pb::WatchResponse& response) {
    Revision newest = 0;
    for (auto& event : *response.mutable_events()) {
        newest = std::max(newest, event.kv().mod_revision());
        if (event.kv().mod_revision() >= next_) fragments_.changes.push_back(change_of(event));
    }
    if (response.fragment()) return;
    // Without events it is a progress mark: all up to the header's revision has been sent.
    const bool progress = response.events_size() == 0 && fragments_.changes.empty();
    fragments_.revision = progress ? response.header().revision()
                          : fragments_.changes.empty()
                              ? newest
                              : fragments_.changes.back().item.mod_revision;
    WatchBatch batch = std::exchange(fragments_, {});
    if (batch.revision < next_) return;
    next_ = batch.revision + 1;
    deliver(std::move(batch));
}

void EtcdWatch::deliver(WatchBatch batch) {
    {
        std::lock_guard lock(flow_mutex_);
        ++queued_;
    }
    executor_.post([self = shared_from_this(), batch = std::move(batch)]() mutable {
        if (self->active_) self->handler_->on_batch(std::move(batch));
        bool go_on = false;
        {
            std::lock_guard lock(self->flow_mutex_);
            --self->queued_;
            if (self->paused_ && self->queued_ <= kQueuedMost / 2) {
                self->paused_ = false;
                go_on = true;
            }
        }
        if (go_on) self->connection_->after(Millis{0}, [self] { self->read(); });
    });
}

void EtcdWatch::ended(Error error) {
    executor_.post([self = shared_from_this(), error = std::move(error)] {
        if (self->active_.exchange(false)) self->handler_->on_end(error);
    });
}

}  // namespace blixard::store
