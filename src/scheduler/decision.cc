#include "scheduler/decision.h"

#include <fmt/format.h>

#include <array>

#include "base/counted.h"

namespace blixard::scheduler {
namespace {

constexpr std::array<std::string_view, kReasons> kNames = {
    "cordoned", "draining",    "lost",          "excluded", "node",      "volume",
    "zone",     "accelerator", "feature",       "label",    "gpu-model", "quota",
    "cpu",      "memory",      "disk",          "numa",     "device",    "gpu",
    "cost",     "affinity",    "anti-affinity", "reserved",
};

std::string refusals_text(const Decision& decision) {
    std::string text;
    for (const auto& one : decision.refusals)
        text +=
            fmt::format("{}{} x {}", text.empty() ? "" : ", ", one.hosts, reason_name(one.reason));
    return text.empty() ? "no hosts" : text;
}

}  // namespace

std::string_view reason_name(Reason reason) { return kNames[static_cast<std::size_t>(reason)]; }

std::string_view remedy_name(Remedy::Kind kind) {
    switch (kind) {
        case Remedy::Kind::kShrink: return "shrink";
        case Remedy::Kind::kUncordon: return "uncordon";
        case Remedy::Kind::kEvict: return "evict";
        case Remedy::Kind::kDropRule: return "drop-rule";
        case Remedy::Kind::kAddHost: return "add-host";
        case Remedy::Kind::kRaiseQuota: return "raise-quota";
        case Remedy::Kind::kHostBack: return "host-back";
    }
    return "";
}

std::string summary(const Decision& decision) {
    switch (decision.outcome) {
        case Outcome::kPlaced: {
            auto text = fmt::format("{} ({}, score {:.2f}", decision.host,
                                    strategy_name(decision.strategy), decision.score);
            if (!decision.runners_up.empty())
                text += fmt::format("; next {} {:.2f}", decision.runners_up.front().host,
                                    decision.runners_up.front().score);
            return text + ")";
        }
        case Outcome::kPreempts:
            return fmt::format("{} after evicting {}", decision.host,
                               fmt::join(decision.evictions, ", "));
        case Outcome::kPending: {
            auto text =
                fmt::format("fits on none of {}: {}", counted(decision.hosts_considered, "host"),
                            refusals_text(decision));
            if (!decision.unknown_host.empty())
                text += fmt::format("; it asks for host {}, which is not known here",
                                    decision.unknown_host);
            if (!decision.would_fit_if.empty())
                text += fmt::format("; would fit if: {}", decision.would_fit_if.front().text);
            return text;
        }
        case Outcome::kRefused: return describe(decision.error);
    }
    return {};
}

}  // namespace blixard::scheduler
