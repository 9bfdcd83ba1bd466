#include "api/api.h"

#include <fmt/format.h>

#include "api/routes.h"
#include "base/mutant.h"

namespace blixard::api {
namespace {

// A read that must be current waits this long for the view.
constexpr Millis kConsistentPatience = seconds(10);

// Adds to each answer what only the way out knows: how old the state may be, and which it is.
class AgeingResponder final : public Responder {
 public:
    AgeingResponder(std::shared_ptr<Responder> next, Millis age, store::Revision revision)
        : next_(std::move(next)), age_(age), revision_(revision) {}

    void send(Response response) override {
        mark(response);
        next_->send(std::move(response));
    }
    std::shared_ptr<Stream> start_stream(Response head) override {
        mark(head);
        return next_->start_stream(std::move(head));
    }
    std::shared_ptr<Socket> accept_socket() override { return next_->accept_socket(); }
    bool gone() const override { return next_->gone(); }

 private:
    void mark(Response& response) const {
        response.headers.emplace_back("X-Blixard-Age-Ms", std::to_string(age_.count));
        response.headers.emplace_back("X-Blixard-Revision", std::to_string(revision_));
    }

    std::shared_ptr<Responder> next_;
    Millis age_;
    store::Revision revision_;
};

void refuse_route(const CallPtr& call, const Match& match) {
    if (match.allow.empty())
        return call->refuse({ErrorCode::kNotFound,
                             fmt::format("there is nothing at {}", call->request.path),
                             {},
                             "see GET /v1/openapi.json for what there is"});
    Response response = problem(
        {ErrorCode::kUnsupported,
         fmt::format("{} cannot be asked with {}", call->request.path, call->request.method),
         {},
         "allowed: " + match.allow},
        405);
    response.headers.emplace_back("Allow", match.allow);
    call->send(std::move(response));
}

}  // namespace

struct Api::State {
    State(const Deps& deps, const Settings& settings) : core(deps, settings) {}

    Core core;
};

Api::Api(const Deps& deps, const Settings& settings)
    : state_(std::make_shared<State>(deps, settings)) {}

Api::~Api() = default;

void Api::start(std::function<void()> ready) {
    Core& core = state_->core;
    const auto took_up = [this, ready = std::move(ready)](store::Revision revision) {
        state_->core.events.start(revision);
        state_->core.pulse.start();
        ensure_default_project(state_->core, [this, ready] {
            state_->core.started = true;
            if (ready) ready();
        });
    };
    // On the view's executor no update can slip in between the subscription and the revision.
    Executor& here = core.deps.executor;
    view::View& view = core.deps.view;
    std::weak_ptr<State> weak = state_;
    core.deps.view_executor.post([&here, &view, weak, took_up] {
        view.subscribe([&here, weak](const std::shared_ptr<const view::Update>& update) {
            here.post([weak, update] {
                const auto state = weak.lock();
                if (!state) return;
                state->core.events.on_update(*update);
                state->core.waits.on_update(*update);
            });
        });
        here.post([weak, took_up, revision = view.current()->revision] {
            if (!weak.expired()) took_up(revision);
        });
    });
}

namespace {

// Null where the request was refused; it is answered then.
const Route* admit(const Core& core, const CallPtr& call) {
    const Match match = match_route(call->request.method, call->request.path);
    if (!match.route) {
        refuse_route(call, match);
        return nullptr;
    }
    call->route = match.route->pattern;
    call->name = match.name;
    Status admitted = check_access(call->request.principal, match.route->right);
    if (admitted && !match.route->any_query) admitted = check_query_names(call->request);
    if (admitted && !match.route->always && core.deps.cluster)
        admitted = core.deps.cluster->standing();
    if (admitted && !core.started && !match.route->always)
        admitted =
            fail(ErrorCode::kUnavailable, "this daemon is starting: it does not know the state yet",
                 "ask again in a moment; GET /readyz says when");
    if (admitted) return match.route;
    call->refuse(admitted.error());
    return nullptr;
}

// A write would only wait for a store that is known to be away. Questions and files are none.
bool needs_store(const Route& route) {
    if (route.method == "GET" || route.always) return false;
    return !route.pattern.starts_with("/v1/plan/") && !route.pattern.starts_with("/v1/blobs") &&
           !route.pattern.starts_with("/v1/rebalance");
}

}  // namespace

void Api::handle(Request request, std::shared_ptr<Responder> responder) {
    Core& core = state_->core;
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    call->responder = core.pulse.stale() && core.started
                          ? std::make_shared<AgeingResponder>(
                                std::move(responder), core.pulse.age(), core.state()->revision)
                          : std::move(responder);
    const Route* route = admit(core, call);
    if (!route) return;
    if (core.started && core.pulse.stale() && needs_store(*route))
        return call->refuse(
            {ErrorCode::kUnavailable,
             fmt::format("the store has not been reached for {} s, so nothing can be written; "
                         "nothing was done",
                         core.pulse.age().count / 1000),
             {},
             "reads go on; what is the matter: blixard cluster status"});
    const auto consistent = flag_of(call->request, "consistent");
    if (!consistent) return call->refuse(consistent.error());
    if (!*consistent || route->method != "GET") return route->operation(core, call);
    core.deps.store.current_revision(
        core.crossing.back<store::Revision>([&core, call, route](Result<store::Revision> newest) {
            if (!newest) return call->refuse(newest.error());
            core.crossing.when_at(mutant(MutantId::kReadTooEarly) ? 0 : *newest,
                                  kConsistentPatience, [&core, call, route](Status reached) {
                                      if (!reached) return call->refuse(reached.error());
                                      route->operation(core, call);
                                  });
        }));
}

std::shared_ptr<BodyReader> Api::open_upload(const Request& head,
                                             std::shared_ptr<Responder> responder) {
    if (head.method != "POST" || head.path != "/v1/blobs") return nullptr;
    auto call = std::make_shared<Call>();
    call->request = head;
    call->responder = std::move(responder);
    return open_blob_upload(state_->core, call);
}

std::size_t Api::event_streams() const { return state_->core.events.streams(); }
std::size_t Api::waiting_requests() const { return state_->core.waits.size(); }

}  // namespace blixard::api
