#include "sim/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/counted.h"

namespace blixard::sim {
namespace {

constexpr std::size_t kLinesMost = 400;  // the end of the story is what matters

std::string seconds_text(std::int64_t ms) { return fmt::format("{}.{:03}", ms / 1000, ms % 1000); }

std::vector<TraceLine> last_lines(const Outcome& outcome) {
    const std::size_t skip = outcome.lines.size() - std::min(outcome.lines.size(), kLinesMost);
    return {outcome.lines.begin() + static_cast<std::ptrdiff_t>(skip), outcome.lines.end()};
}

// The acts without one of `pieces` parts.
std::vector<Act> without(const std::vector<Act>& acts, std::size_t piece, std::size_t pieces) {
    const std::size_t from = acts.size() * piece / pieces, to = acts.size() * (piece + 1) / pieces;
    std::vector<Act> rest(acts.begin(), acts.begin() + static_cast<std::ptrdiff_t>(from));
    rest.insert(rest.end(), acts.begin() + static_cast<std::ptrdiff_t>(to), acts.end());
    return rest;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

Shrunk shrink(const Plan& plan, const Outcome& failed, int runs_most) {
    Shrunk best{plan, failed, 0};
    const auto fails = [&](const Plan& candidate) {
        if (best.runs >= runs_most) return false;
        ++best.runs;
        Outcome outcome = run_plan(candidate, false);
        if (!outcome.failure) return false;
        best.plan = candidate;
        // What comes after the failure has no part in it.
        std::erase_if(best.plan.acts,
                      [&](const Act& act) { return act.at_ms > outcome.failed_at_ms; });
        best.outcome = std::move(outcome);
        return true;
    };
    const auto fewer_acts = [&] {
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
    };
    Plan cut = plan;
    std::erase_if(cut.acts, [&](const Act& act) { return act.at_ms > failed.failed_at_ms; });
    fails(cut);
    fewer_acts();
    // A shorter time, where it is found only after the healing; then fewer VMs, without those that
    // are never named.
    Plan candidate = best.plan;
    const std::int64_t last_ms = candidate.acts.empty() ? 0 : candidate.acts.back().at_ms;
    candidate.hours = std::max(0.01, static_cast<double>(last_ms + 60'000) / 3'600'000);
    if (candidate.hours < best.plan.hours) fails(candidate);
    for (const int vms : {1, 2, 5, 10, 25}) {
        candidate = best.plan;
        candidate.vms = vms;
        if (vms >= best.plan.vms || fails(candidate)) break;
    }
    fewer_acts();
    best.outcome = run_plan(best.plan, true);
    return best;
}

std::string story_text(const Plan& plan, const Outcome& outcome, const std::string& commit) {
    std::string text =
        fmt::format("# commit {}\n# {}\n", commit, outcome.failure.value_or("nothing is broken"));
    Plan head = plan;
    head.acts.clear();
    text += to_text(head);
    for (const Act& act : plan.acts)
        text += fmt::format("{}   # {}\n", to_text(act), in_words(act));
    text += "# what happened, at the end\n";
    for (const TraceLine& line : last_lines(outcome))
        text += fmt::format("# {:>10} {:<4} {}\n", seconds_text(line.at_ms), line.host, line.text);
    return text;
}

namespace {

// The colour of a line: what kind of thing it is.
std::string_view mark_of(const TraceLine& line) {
    const std::string_view text = line.text;
    if (text.starts_with("BROKEN")) return "broken";
    if (text.starts_with("FAULT") || text.starts_with("daemon ends")) return "fault";
    if (text.starts_with("process starts") || text.starts_with("daemon starts")) return "up";
    if (text.starts_with("process ends")) return "down";
    if (text.starts_with("operator") || text.find(" answers ") != std::string_view::npos)
        return "people";
    if (line.host.empty() && text.starts_with("r")) return "store";
    return "";
}

constexpr std::string_view kPageHead =
    R"(<meta charset=utf-8><meta name=viewport content="width=device-width">
<style>
:root{color-scheme:light dark;--line:#8884;--head:Canvas;--soft:#8882}
body{font:13px/1.45 system-ui,sans-serif;margin:1.5rem;max-width:none}
h1{font-size:1.25rem;margin:0 0 .5rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}
.verdict{background:#b3261e;color:#fff;padding:.6rem .8rem;border-radius:6px;max-width:90ch}
.good{background:#1b6e3a}
ol{margin:.3rem 0;padding-left:2.2rem}ol code{color:GrayText}
table{border-collapse:separate;border-spacing:0;table-layout:fixed;width:100%}
th{position:sticky;top:0;background:var(--head);text-align:left;border-bottom:2px solid var(--line);padding:.3rem .4rem}
td{border-bottom:1px solid var(--line);border-left:1px solid var(--soft);padding:.15rem .4rem;vertical-align:top;overflow-wrap:anywhere}
td:first-child{border-left:0;color:GrayText;font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}
.fault{background:#e5393530}.broken{background:#b3261e;color:#fff;font-weight:600}.up{background:#43a04730}.down{background:#fb8c0030}
.people{background:#1e88e528}.store{color:GrayText}
</style>
)";

std::string list_of_acts(const Plan& plan) {
    std::string html = "<ol>";
    for (const Act& act : plan.acts)
        html +=
            fmt::format("<li>{} <code>{}</code>\n", escaped(in_words(act)), escaped(to_text(act)));
    return html + "</ol>";
}

// What happens at one moment stands in one row, as long as it reads from left to right.
std::string rows_of(const Outcome& outcome, int hosts) {
    std::string html;
    int column = hosts + 1;  // the next one of the row that is open
    std::int64_t at_ms = -1;
    const auto fill_up_to = [&](int end) {
        for (; column < end; ++column) html += "<td>";
    };
    for (const TraceLine& line : last_lines(outcome)) {
        const int place =
            line.host.empty() ? 0 : std::clamp(std::stoi(line.host.substr(1)), 1, hosts);
        if (line.at_ms != at_ms || place < column) {
            fill_up_to(hosts + 1);
            html +=
                fmt::format("\n<tr><td>{}", line.at_ms == at_ms ? "" : seconds_text(line.at_ms));
            column = 0;
        }
        fill_up_to(place);
        const std::string_view mark = mark_of(line);
        html += mark.empty() ? fmt::format("<td>{}", escaped(line.text))
                             : fmt::format("<td class={}>{}", mark, escaped(line.text));
        ++column;
        at_ms = line.at_ms;
    }
    fill_up_to(hosts + 1);
    return html;
}

}  // namespace

std::string story_html(const Plan& plan, const Outcome& outcome, const std::string& commit) {
    Plan head = plan;
    head.acts.clear();
    std::string html =
        fmt::format("<!doctype html><html lang=en><title>seed {}</title>{}", plan.seed, kPageHead);
    html += fmt::format(
        "<h1>Seed {} at commit {}</h1><p class=\"verdict{}\">{}</p><p>{}, {}, {:.1f} minutes. "
        "Replay with <code>blixard sim --replay FILE</code>.</p>",
        plan.seed, commit, outcome.failure ? "" : " good",
        escaped(outcome.failure.value_or("nothing is broken")),
        counted(std::int64_t{plan.hosts}, "host"), counted(std::int64_t{plan.vms}, "VM"),
        plan.hours * 60);
    html += plan.acts.empty() ? "<h2>Nothing was done: it fails by itself</h2>"
                              : fmt::format("<h2>What was done: {}</h2>{}",
                                            counted(plan.acts.size(), "act"), list_of_acts(plan));
    html +=
        "<h2>What happened, at the end</h2><table><colgroup><col "
        "style=\"width:5.5rem\"></colgroup><thead><tr><th>s<th>store and people";
    for (int i = 1; i <= plan.hosts; ++i) html += fmt::format("<th>h{}", i);
    html += "</thead><tbody>";
    html += rows_of(outcome, plan.hosts);
    return html + "</tbody></table></html>\n";
}

}  // namespace blixard::sim
