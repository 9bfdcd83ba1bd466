// What every operation works with, and the ways in which most of them end. Executor thread.
#pragma once

#include <string>

#include "api/call.h"
#include "api/crossing.h"
#include "api/events.h"
#include "api/lists.h"
#include "api/ports.h"
#include "api/pulse.h"
#include "api/waits.h"
#include "api/writes.h"

namespace blixard::api {

struct Core {
    Core(const Deps& the_deps, const Settings& the_settings)
        : deps(the_deps),
          settings(the_settings),
          crossing(deps.executor, deps.view_executor, deps.view),
          writes(deps, crossing),
          waits(crossing, deps.view),
          events(deps.store, crossing, deps.view, settings.events_kept),
          pulse(deps.store, crossing, deps.clock) {}

    const Deps deps;
    const Settings settings;
    Crossing crossing;
    Writes writes;
    Waits waits;
    Events events;
    Pulse pulse;
    ListCache list_cache;
    bool started = false;  // the state is there, and what every cluster has
    std::string openapi;   // made when it is first asked for

    view::SnapshotPtr state() const { return deps.view.current(); }
    std::string now() const { return to_rfc3339(deps.clock.wall()); }
    std::string new_id() const { return make_id(deps.random); }
};

// Carries out a write and answers with its subject's document and `status`; waits first where the
// client asks for it (VMs). 201 comes with a Location. A subject that is gone afterwards is
// answered with what is left to say.
void write_and_answer(Core& core, const CallPtr& call, int status, Decide decide);

// What only one host can answer: true where this is the one. Else the call is handed to that host,
// or refused; `what` is on it.
bool is_for_here(Core& core, const CallPtr& call, const std::string& host, std::string_view what);

// Answers with what the port says; 501 where there is no such port.
void refuse_unsupported(Call& call, std::string_view what, std::string_view help);

}  // namespace blixard::api
