#include "sim/story.h"

#include <fmt/format.h>

#include <algorithm>

namespace blixard::sim {
namespace {

constexpr std::size_t kLinesMost = 400;  // the end of the story is what matters

std::string seconds_text(std::int64_t ms) { return fmt::format("{}.{:03}", ms / 1000, ms % 1000); }

std::vector<TraceLine> last_lines(const Outcome& outcome) {
    const std::size_t skip = outcome.lines.size() - std::min(outcome.lines.size(), kLinesMost);
    return {outcome.lines.begin() + static_cast<std::ptrdiff_t>(skip), outcome.lines.end()};
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '&') out += "&amp;";
        else out += c;
    }
    return out;
}

// The acts without one of `pieces` parts.
std::vector<Act> without(const std::vector<Act>& acts, std::size_t piece, std::size_t pieces) {
    const std::size_t from = acts.size() * piece / pieces, to = acts.size() * (piece + 1) / pieces;
    std::vector<Act> rest(acts.begin(), acts.begin() + static_cast<std::ptrdiff_t>(from));
    rest.insert(rest.end(), acts.begin() + static_cast<std::ptrdiff_t>(to), acts.end());
    return rest;
}

}  // namespace

Shrunk shrink(const Plan& plan, const Outcome& failed, int runs_most) {
    Shrunk best{plan, failed, 0};
    const auto fails = [&](Plan candidate) {
        if (best.runs >= runs_most) return false;
        ++best.runs;
        const Outcome outcome = run_plan(candidate, false);
        if (!outcome.failure) return false;
        // What lies behind the failure has no part in it.
        std::erase_if(candidate.acts, [&](const Act& act) { return act.at_ms > outcome.failed_at_ms; });
        best.plan = std::move(candidate);
        best.outcome = outcome;
        return true;
    };
    Plan cut = plan;
    std::erase_if(cut.acts, [&](const Act& act) { return act.at_ms > failed.failed_at_ms; });
    fails(cut);
    for (std::size_t pieces = 2; best.runs < runs_most && !best.plan.acts.empty();) {
        bool shorter = false;
        for (std::size_t piece = 0; piece < pieces && !shorter; ++piece) {
            Plan candidate = best.plan;
            candidate.acts = without(best.plan.acts, piece, pieces);
            shorter = fails(candidate);
        }
        if (shorter) {
            pieces = std::max<std::size_t>(2, pieces - 1);
        } else if (pieces >= best.plan.acts.size()) {
            break;
        } else {
            pieces = std::min(best.plan.acts.size(), pieces * 2);
        }
    }
    for (const int vms : {1, 2, 5, 10, 25}) {
        Plan candidate = best.plan;
        candidate.vms = vms;
        if (vms < best.plan.vms && fails(candidate)) break;
    }
    best.outcome = run_plan(best.plan, true);
    return best;
}

std::string story_text(const Plan& plan, const Outcome& outcome, const std::string& commit) {
    std::string text = fmt::format("# commit {}\n# {}\n{}\n", commit, outcome.failure.value_or("nothing is broken"), to_text(plan));
    text += "# what happened, at the end\n";
    for (const TraceLine& line : last_lines(outcome)) text += fmt::format("# {:>10} {:<4} {}\n", seconds_text(line.at_ms), line.host, line.text);
    return text;
}

std::string story_html(const Plan& plan, const Outcome& outcome, const std::string& commit) {
    std::vector<std::string> hosts = {""};
    for (int i = 1; i <= plan.hosts; ++i) hosts.push_back(fmt::format("h{}", i));
    std::string html = fmt::format(
        "<!doctype html><meta charset=utf-8><title>seed {}</title><style>body{{font:13px sans-serif}}table{{border-collapse:collapse}}"
        "td,th{{border:1px solid #ddd;padding:2px 6px;vertical-align:top;text-align:left}}th{{position:sticky;top:0;background:#eee}}"
        ".f{{background:#fdd}}.b{{background:#c00;color:#fff}}</style><h1>seed {}, commit {}</h1><p class=b>{}</p><pre>{}</pre>"
        "<table><tr><th>s<th>world",
        plan.seed, plan.seed, commit, escaped(outcome.failure.value_or("nothing is broken")), escaped(to_text(plan)));
    for (int i = 1; i <= plan.hosts; ++i) html += fmt::format("<th>h{}", i);
    for (const TraceLine& line : last_lines(outcome)) {
        html += fmt::format("<tr><td>{}", seconds_text(line.at_ms));
        const char* mark = line.text.starts_with("FAULT") ? " class=f" : line.text.starts_with("BROKEN") ? " class=b" : "";
        for (const std::string& host : hosts) html += host == line.host ? fmt::format("<td{}>{}", mark, escaped(line.text)) : "<td>";
    }
    return html + "</table>\n";
}

}  // namespace blixard::sim
