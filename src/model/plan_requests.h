// What people ask without changing anything: the bodies of POST /v1/plan/QUESTION; and of POST
// /v1/rebalance. Parsed strictly and checked against their bounds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/schema.h"
#include "model/vm.h"

namespace blixard::model {

struct PlanDrain {
    std::string node;
    json::Extras extras;
};

struct PlanLose {
    std::vector<std::string> nodes;  // all at once
    json::Extras extras;
};

// Hosts that the cluster hasn't got.
struct PlanAdd {
    std::string name;
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 1'000'000;
    std::string zone;
    std::int64_t count = 1;
    json::Extras extras;
};

struct PlanLaunch {
    std::string project;  // empty: the request's ?project=, else "default"
    VmSpec spec;
    std::int64_t count = 1;
    json::Extras extras;
};

struct PlanUpgrade {
    json::Extras extras;
};

struct PlanSurvive {
    std::int64_t hosts = 1;  // any so many, lost at once
    json::Extras extras;
};

struct RebalanceRequest {
    std::int64_t max_moves = 1'000;
    bool restart_vms = false;
    json::Extras extras;
};

// Any of them, and why a VM is where it is: as the API hands them on.
struct Question {
    std::string what;      // why, why-not, drain, lose, add, launch, upgrade, survive, rebalance
    std::string vm;        // why, why-not: "<project>/<name>"
    std::string node;      // why-not
    std::string body;      // of the others: JSON, as above
    bool dry_run = false;  // rebalance
    std::int64_t allowed = -1;  // launch: so many by the project's quota; -1: all
    std::string beyond;         // and what is said of the others
};

// kInvalid names the member. No text at all is a question with all its defaults. Any thread.
template <class Question>
Result<Question> parse_question(std::string_view text);

void write(const PlanLaunch& value, std::string& out);

}  // namespace blixard::model
