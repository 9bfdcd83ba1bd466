// The API: every operation a person can ask for, behind whatever transport brings the requests.
// The daemon runs it on the HTTP server's loop, the simulation on its own.
//
// Threads: everything on deps.executor. Requests that wait are dropped unanswered when it is
// destroyed.
#pragma once

#include <functional>
#include <memory>

#include "api/exchange.h"
#include "api/ports.h"

namespace blixard::api {

class Api final : public Service {
 public:
    // `deps` and what they refer to outlive the API.
    Api(const Deps& deps, const Settings& settings);
    ~Api() override;

    // The view must be ready. Follows it from now on, and writes what always exists (the project
    // "default"), as often as it takes. `ready`: done; until then most requests are answered 503.
    void start(std::function<void()> ready);

    void handle(Request request, std::shared_ptr<Responder> responder) override;
    std::shared_ptr<BodyReader> open_upload(const Request& head,
                                            std::shared_ptr<Responder> responder) override;

    // For metrics.
    std::size_t event_streams() const;
    std::size_t waiting_requests() const;

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace blixard::api
