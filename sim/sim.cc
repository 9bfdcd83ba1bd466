#include "sim/sim.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/mutant.h"
#include "base/result.h"
#include "sim/replay.h"
#include "sim/story.h"
#include "sim/world.h"

#ifndef BLIXARD_COMMIT
#define BLIXARD_COMMIT "unknown"
#endif

namespace blixard::sim {
namespace {

constexpr int kShrinkRuns = 300;

constexpr std::string_view kHelp =
    "blixard sim [--seed N] [--count N] [--hosts N] [--vms N] [--hours H] [--faults LIST] "
    "[--corpus DIR]\n"
    "            [--record DIR] [--replay FILE] [--story FILE] [--html FILE] [--no-shrink] "
    "[--once] [--first] [--mutant NAME] [--log]\n"
    "Runs a cluster in simulation, breaks what --faults names "
    "(host,store,clock,disk,network,qemu,operator; all; none),\n"
    "heals it, and says whether all promises were kept. Each seed is run twice, and must give the "
    "same.\n"
    "--record DIR: keeps what each host's flight recorder has, as DIR/seed-N-HOST.record.\n"
    "blixard sim --recorded FILE|DIR [--html FILE] [--mutant NAME]\n"
    "Plays a record (blixard debug record, or --record) to this build's agent and controller, and "
    "shows where they\n"
    "decide otherwise than the daemon that made it. 0: nowhere; 1: somewhere; 2: the record cannot "
    "be read.\n"
    "--corpus DIR: runs every *.story in DIR. --once: one run a seed. --first: ends with the first "
    "seed that fails. --log: prints all that happens.\n";

struct Options {
    std::uint64_t seed = 1;
    int count = 1, hosts = 5, vms = 50;
    double hours = 1;
    FaultSet faults;
    std::string corpus, replay, story, html, mutant, record, recorded;
    bool shrink = true, twice = true, log = false, first = false, help = false;
};

template <class T>
Status parse_number(const std::string& name, const std::string& text, T least, T& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (error == std::errc{} && end == text.data() + text.size() && into >= least) return {};
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: \"{}\" is no number of {} or more", name, text, least));
}

Status parse_option(const std::string& name, const std::string& value, Options& options) {
    if (name == "--seed") return parse_number<std::uint64_t>(name, value, 0, options.seed);
    if (name == "--count") return parse_number(name, value, 1, options.count);
    if (name == "--hosts") return parse_number(name, value, 1, options.hosts);
    if (name == "--vms") return parse_number(name, value, 1, options.vms);
    if (name == "--hours") return parse_number(name, value, 0.01, options.hours);
    if (name == "--faults") {
        ASSIGN_OR_RETURN(options.faults, parse_faults(value));
        return {};
    }
    std::string* const text = name == "--corpus"     ? &options.corpus
                              : name == "--replay"   ? &options.replay
                              : name == "--story"    ? &options.story
                              : name == "--html"     ? &options.html
                              : name == "--mutant"   ? &options.mutant
                              : name == "--record"   ? &options.record
                              : name == "--recorded" ? &options.recorded
                                                     : nullptr;
    if (!text)
        return fail(ErrorCode::kInvalid, fmt::format("unknown option {}", name),
                    "see: blixard sim --help");
    *text = value;
    return {};
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string name = arguments[i];
        if (name == "--help")
            options.help = true;
        else if (name == "--no-shrink")
            options.shrink = false;
        else if (name == "--once")
            options.twice = false;
        else if (name == "--log")
            options.log = true;
        else if (name == "--first")
            options.first = true;
        else if (const std::size_t equals = name.find('='); equals != std::string::npos) {
            RETURN_IF_ERROR(parse_option(name.substr(0, equals), name.substr(equals + 1), options));
        } else {
            if (++i == arguments.size())
                return fail(ErrorCode::kInvalid, fmt::format("{} needs a value", name),
                            "see: blixard sim --help");
            RETURN_IF_ERROR(parse_option(name, arguments[i], options));
        }
    }
    return options;
}

Result<Plan> read_story(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::kNotFound, fmt::format("cannot read the story {}", path));
    std::string text, line;  // a story opens with comments
    while (std::getline(file, line))
        if (!text.empty() || !line.starts_with('#')) text += line + "\n";
    return parse_plan(text);
}

Result<std::vector<Plan>> plans_of(const Options& options) {
    std::vector<Plan> plans;
    if (!options.replay.empty()) {
        ASSIGN_OR_RETURN(Plan plan, read_story(options.replay));
        plans.push_back(std::move(plan));
        return plans;
    }
    if (!options.corpus.empty()) {
        std::error_code error;
        std::vector<std::string> paths;
        for (const auto& entry : std::filesystem::directory_iterator(options.corpus, error))
            if (entry.path().extension() == ".story") paths.push_back(entry.path());
        if (error)
            return fail(ErrorCode::kNotFound, fmt::format("cannot read the corpus {}: {}",
                                                          options.corpus, error.message()));
        std::ranges::sort(paths);
        for (const std::string& path : paths) {
            ASSIGN_OR_RETURN(Plan plan, read_story(path));
            plans.push_back(std::move(plan));
        }
        return plans;
    }
    for (int i = 0; i < options.count; ++i)
        plans.push_back(make_plan(options.seed + static_cast<std::uint64_t>(i), options.hosts,
                                  options.vms, options.hours, options.faults));
    return plans;
}

std::string last_line(const Plan& plan, const Outcome& outcome) {
    return fmt::format("seed={} commit={} hash={:016x} virtual_hours={:.2f} faults={} checks={} {}",
                       plan.seed, BLIXARD_COMMIT, outcome.hash,
                       static_cast<double>(outcome.virtual_ms) / 3'600'000.0, outcome.faults,
                       outcome.checks, outcome.failure ? "FAIL" : "PASS");
}

// Of many: their numbers together, and a hash of their hashes.
std::string last_line(const std::vector<Plan>& plans,
                      const std::vector<std::optional<Outcome>>& outcomes) {
    Outcome all;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const auto& outcome : outcomes) {
        if (!outcome) continue;
        hash = (hash ^ outcome->hash) * 0x100000001b3;
        all.virtual_ms += outcome->virtual_ms;
        all.faults += outcome->faults;
        all.checks += outcome->checks;
        if (outcome->failure) all.failure = outcome->failure;
    }
    return fmt::format(
        "seed={}..{} commit={} hash={:016x} virtual_hours={:.2f} faults={} checks={} {}",
        plans.front().seed, plans.back().seed, BLIXARD_COMMIT, hash,
        static_cast<double>(all.virtual_ms) / 3'600'000.0, all.faults, all.checks,
        all.failure ? "FAIL" : "PASS");
}

void write_records(const Plan& plan, const Records& records, const std::string& directory) {
    std::filesystem::create_directories(directory);
    for (const auto& [host, bytes] : records)
        std::ofstream(fmt::format("{}/seed-{}-{}.record", directory, plan.seed, host),
                      std::ios::binary)
            << bytes;
}

Outcome run_checked(const Plan& plan, const Options& options) {
    Records records;
    Outcome outcome = run_plan(plan, options.log, options.record.empty() ? nullptr : &records);
    if (!options.record.empty()) {
        write_records(plan, records, options.record);
        return outcome;  // what is kept changes when the controller counts anew: nothing to compare
                         // a second run with
    }
    if (!options.twice) return outcome;
    const Outcome again = run_plan(plan, false);
    if (again.hash != outcome.hash)
        outcome.failure = fmt::format("two runs of one seed differ: {:016x} and {:016x}",
                                      outcome.hash, again.hash);
    return outcome;
}

void tell_failure(const Plan& plan, const Outcome& failed, const Options& options) {
    fmt::print("seed {}: {}\n", plan.seed, *failed.failure);
    const bool deterministic = run_plan(plan, false).failure == failed.failure;
    Shrunk shrunk{plan, failed, 0};
    if (deterministic && options.shrink)
        shrunk = shrink(plan, failed, kShrinkRuns);
    else
        shrunk.outcome = run_plan(plan, true);
    const std::string story = story_text(shrunk.plan, shrunk.outcome, BLIXARD_COMMIT);
    fmt::print("{}", story);
    if (!options.story.empty()) std::ofstream(options.story) << story;
    if (!options.html.empty())
        std::ofstream(options.html) << story_html(shrunk.plan, shrunk.outcome, BLIXARD_COMMIT);
}

std::string read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A file that was fetched from a daemon, or the directory in which a daemon keeps it.
Result<std::string> read_record(const std::string& path) {
    if (!std::filesystem::is_directory(path)) {
        if (!std::ifstream(path))
            return fail(ErrorCode::kNotFound, fmt::format("cannot read the record {}", path),
                        "make one with: blixard debug record FILE");
        return read_bytes(path);
    }
    std::set<std::filesystem::path> logs;
    for (const auto& entry : std::filesystem::directory_iterator(path))
        if (entry.path().extension() == ".log") logs.insert(entry.path());
    std::string record;
    for (std::filesystem::path log : logs) {
        const std::string entries = read_bytes(log);
        record += recorder::joined_segment(entries, read_bytes(log.replace_extension(".state")));
    }
    return record;
}

// 1: this build decides otherwise.
Result<int> play_record(const std::string& path, const std::string& html) {
    ASSIGN_OR_RETURN(const std::string bytes, read_record(path));
    ASSIGN_OR_RETURN(const recorder::Record record, recorder::parse_record(bytes));
    ASSIGN_OR_RETURN(const Replay played, replay(record));
    if (record.torn_bytes > 0)
        fmt::print("the last {} bytes were not written to their end, and are not looked at\n",
                   record.torn_bytes);
    fmt::print("{}", replay_text(played));
    if (!html.empty()) std::ofstream(html) << replay_html(played);
    return played.divergences.empty() ? 0 : 1;
}

int run_all(const std::vector<Plan>& plans, const Options& options) {
    std::vector<std::optional<Outcome>> outcomes(plans.size());
    std::atomic<std::size_t> next{0}, end{plans.size()};
    std::mutex printing;
    const auto work = [&] {
        for (std::size_t i = next++; i < end; i = next++) {
            Outcome outcome = run_checked(plans[i], options);
            const std::lock_guard lock(printing);
            if (outcome.failure && options.first) end = std::min(end.load(), i);
            for (const TraceLine& line : outcome.lines)
                fmt::print("{}.{:03} {} {}\n", line.at_ms / 1000, line.at_ms % 1000, line.host,
                           line.text);
            if (plans.size() > 1)
                fmt::print("{}{}\n", last_line(plans[i], outcome),
                           outcome.failure ? " " + *outcome.failure : "");
            std::fflush(stdout);
            outcome.lines.clear();
            outcomes[i] = std::move(outcome);
        }
    };
    {
        std::vector<std::jthread> workers;
        const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
        for (std::size_t i = 0; i < std::min(cores, plans.size()); ++i) workers.emplace_back(work);
    }
    if (plans.size() == 1) {
        if (outcomes[0]->failure) tell_failure(plans[0], *outcomes[0], options);
        fmt::print("{}\n", last_line(plans[0], *outcomes[0]));
        return outcomes[0]->failure ? 1 : 0;
    }
    std::string failed;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        // Not run: behind the first that failed.
        if (!outcomes[i] || !outcomes[i]->failure) continue;
        if (options.first && !failed.empty()) break;
        if (failed.empty()) tell_failure(plans[i], *outcomes[i], options);
        failed += fmt::format(" {}", plans[i].seed);
    }
    if (!failed.empty()) fmt::print("failed seeds:{}\n", failed);
    fmt::print("{}\n", last_line(plans, outcomes));
    return failed.empty() ? 0 : 1;
}

// What was freed is soon wanted again: memory is got in large pieces and kept (8 % of a large
// hour).
void keep_memory() {
    constexpr int kPiece = 64 << 20, kAll = 1 << 30;
    ::mallopt(M_TOP_PAD, kPiece);
    ::mallopt(M_TRIM_THRESHOLD, kAll);
    ::mallopt(M_MMAP_THRESHOLD, kAll);
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
    const auto refuse = [](const Error& error) {
        fmt::print(stderr, "blixard sim: {}\n", describe(error));
        return 2;
    };
    const Result<Options> options = parse_options(arguments);
    if (!options) return refuse(options.error());
    if (options->help) {
        fmt::print("{}", kHelp);
        return 0;
    }
    if (!options->mutant.empty() && !set_mutant(options->mutant))
        return refuse({ErrorCode::kUnsupported,
                       fmt::format("no mutant \"{}\" in this build", options->mutant),
                       {},
                       "build the target blixard-sim-mutants; base/mutant.h names them"});
    if (!options->recorded.empty()) {
        const Result<int> replayed = play_record(options->recorded, options->html);
        return replayed ? *replayed : refuse(replayed.error());
    }
    const Result<std::vector<Plan>> plans = plans_of(*options);
    if (!plans) return refuse(plans.error());
    if (plans->empty()) return refuse({ErrorCode::kNotFound, "there is nothing to run", {}, {}});
    keep_memory();
    return run_all(*plans, *options);
}

}  // namespace blixard::sim
