// blixard-bench trace: runs the protocols and prints the results beside the published values.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "bench/commands.h"
#include "bench/options.h"
#include "bench/trace/chooser.h"
#include "bench/trace/huawei.h"
#include "bench/trace/openb.h"

namespace blixard::bench {
namespace {

struct WaitReference {
    double first_fit, balance_fit, frag_gradient;
};
// Trimmed mean of total wait, seconds, on the 150 published episodes.
const std::map<std::int64_t, WaitReference> kWaits = {
    {2, {129873.63, 117749.00, 116979.54}}, {3, {217497.33, 153415.67, 159205.95}},
    {4, {298008.03, 266429.07, 203072.73}}, {5, {267139.97, 204081.37, 168783.22}},
    {6, {247189.31, 227914.97, 197265.65}}, {7, {447097.84, 417739.70, 285141.14}},
    {8, {486979.89, 459333.64, 349592.20}}, {9, {364663.69, 291426.42, 170280.35}},
};

std::string published(std::int64_t hosts) {
    auto found = kWaits.find(hosts);
    if (found == kWaits.end()) return fmt::format("{:>12} {:>12} {:>14}", "-", "-", "-");
    return fmt::format("{:>12.2f} {:>12.2f} {:>14.2f}", found->second.first_fit,
                       found->second.balance_fit, found->second.frag_gradient);
}

struct ShareReference {
    double random, dot_product, clustering, packing, best_fit, fgd;
};
// Allocated GPU share, percent, when demand reaches capacity (USENIX ATC 2023).
const std::map<std::string, ShareReference> kShares = {
    {"default", {86.30, 90.62, 91.65, 91.78, 92.86, 95.23}},
    {"cpu100", {87.44, 91.73, 92.42, 92.50, 93.26, 95.21}},
    {"gpushare40", {84.86, 89.30, 89.76, 89.77, 91.44, 93.96}},
    {"multigpu20", {86.92, 91.85, 93.34, 93.50, 93.73, 95.53}},
};

int complain(const Error& error) {
    std::fprintf(stderr, "blixard-bench trace: %s\n", describe(error).c_str());
    return 1;
}

int write_rows(const std::string& path, const std::string& rows) {
    if (path.empty()) return 0;
    std::ofstream file(path);
    file << "{\"rows\": [" << rows << "]}\n";
    if (file.flush()) return 0;
    return complain({ErrorCode::kUnavailable, fmt::format("cannot write {}", path), {}, {}});
}

void append(std::string& rows, const std::string& row) {
    rows += (rows.empty() ? "" : ",\n  ") + row;
}

Status check_files(const Options& options, const std::vector<std::string>& needed) {
    for (const auto& name : needed)
        if (options.text(name).empty())
            return fail(ErrorCode::kInvalid, fmt::format("no --{} FILE given", name));
    return {};
}

// A trace names no hosts, so `manual` has nowhere to go.
Status check_strategy(const std::string& strategy) {
    RETURN_IF_ERROR(Chooser::make(strategy, 1));
    if (strategy != "manual") return {};
    return fail(ErrorCode::kInvalid, "strategy manual: no VM of a trace names its host",
                "use any other strategy, first-fit, best-fit or random");
}

int huawei(Arguments arguments) {
    auto options = parse_options(arguments, {"vms", "starts", "hosts", "strategy", "json"});
    if (!options) return complain(options.error());
    auto strategy = options->text("strategy", "fragmentation");
    auto sizes = options->counts("hosts", {2, 3, 4, 5, 6, 7, 8, 9});
    if (!sizes) return complain(sizes.error());
    for (const auto& checked : {check_files(*options, {"vms", "starts"}), check_strategy(strategy)})
        if (!checked) return complain(checked.error());
    auto trace = load_huawei(options->text("vms"), options->text("starts"));
    if (!trace) return complain(trace.error());
    fmt::print("total wait, s, trimmed mean of {} episodes (lower is better)\n",
               trace->starts.size());
    fmt::print("{:>5} {:>14} | {:>12} {:>12} {:>14} | {:>9}\n", "hosts", strategy, "first-fit",
               "balance-fit", "frag-gradient", "decisions");
    std::string rows;
    for (auto hosts : *sizes) {
        auto result = run_huawei(*trace, hosts, strategy);
        if (!result) return complain(result.error());
        fmt::print("{:>5} {:>14.2f} | {} | {:>9}\n", hosts, result->wait_s_trimmed_mean,
                   published(hosts), result->decisions);
        std::fflush(stdout);
        append(
            rows,
            fmt::format(
                R"({{"hosts": {}, "strategy": "{}", "episodes": {}, "wait_s_trimmed_mean": {:.2f}}})",
                hosts, strategy, result->episodes, result->wait_s_trimmed_mean));
    }
    return write_rows(options->text("json"), rows);
}

int openb(Arguments arguments) {
    auto options = parse_options(arguments, {"nodes", "pods", "seeds", "strategy", "json"});
    if (!options) return complain(options.error());
    auto strategy = options->text("strategy", "fragmentation");
    auto seeds = options->number("seeds", 10);
    if (!options->values.contains("pods"))
        return complain({ErrorCode::kInvalid, "no --pods FILE given", {}, {}});
    fmt::print("allocated GPU share, %, mean of {} seeds (higher is better)\n", seeds);
    fmt::print("{:>12} {:>14} | {:>7} {:>7} {:>10} {:>7} {:>7} {:>7} | {:>11}\n", "trace", strategy,
               "Random", "DotProd", "Clustering", "Packing", "BestFit", "FGD", "decisions/s");
    std::string rows;
    for (const auto& pods : options->values["pods"]) {
        auto trace = load_openb(options->text("nodes"), pods);
        if (!trace) return complain(trace.error());
        double sum = 0.0;
        double seconds = 0.0;
        std::int64_t decisions = 0;
        for (std::int64_t seed = 1; seed <= seeds; ++seed) {
            auto result = run_openb(*trace, strategy, static_cast<std::uint64_t>(seed));
            if (!result) return complain(result.error());
            sum += result->allocated_percent_at_100;
            seconds += result->seconds;
            decisions += result->decisions;
            append(
                rows,
                fmt::format(
                    R"({{"trace": "{}", "strategy": "{}", "seed": {}, "allocated_percent_at_100": {:.4f}}})",
                    trace->name, strategy, seed, result->allocated_percent_at_100));
        }
        auto found = kShares.find(trace->name);
        auto known = found == kShares.end() ? ShareReference{} : found->second;
        fmt::print(
            "{:>12} {:>14.2f} | {:>7.2f} {:>7.2f} {:>10.2f} {:>7.2f} {:>7.2f} {:>7.2f} | "
            "{:>11.0f}\n",
            trace->name, sum / static_cast<double>(std::max<std::int64_t>(1, seeds)), known.random,
            known.dot_product, known.clustering, known.packing, known.best_fit, known.fgd,
            seconds > 0 ? static_cast<double>(decisions) / seconds : 0.0);
        std::fflush(stdout);
    }
    return write_rows(options->text("json"), rows);
}

}  // namespace

int trace(Arguments arguments) {
    if (!arguments.empty() && arguments[0] == "huawei") return huawei(arguments.subspan(1));
    if (!arguments.empty() && arguments[0] == "openb") return openb(arguments.subspan(1));
    return complain(
        {ErrorCode::kInvalid, "which trace?", {}, "use: trace huawei ... or trace openb ..."});
}

}  // namespace blixard::bench
