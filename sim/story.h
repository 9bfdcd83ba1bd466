// A failure as something to read: the shortest list of acts that still fails, and what happened on
// each host, as text and as one HTML page that needs nothing else.
#pragma once

#include <string>
#include <string_view>

#include "sim/schedule.h"
#include "sim/world.h"

namespace blixard::sim {

struct Shrunk {
    Plan plan;
    Outcome outcome;  // with lines
    int runs = 0;
};

// Delta debugging (Zeller and Hildebrandt 2002) over the acts of a plan that fails; at most
// `runs_most` runs.
Shrunk shrink(const Plan& plan, const Outcome& failed, int runs_most);

// Text as it stands in a page.
std::string escaped(std::string_view text);

std::string story_text(const Plan& plan, const Outcome& outcome, const std::string& commit);
std::string story_html(const Plan& plan, const Outcome& outcome, const std::string& commit);

}  // namespace blixard::sim
