#include "sim/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/random.h"

namespace blixard::sim {
namespace {

// 1: as it was before there were crowded hosts; 2: ... before guests that take their time to be
// well
constexpr int kWorld = 3;

struct KindOf {
    std::string_view name;
    bool FaultSet::* group;
    double per_hour;  // for a cluster of 5 hosts and 50 VMs
    std::int64_t span_least_ms, span_most_ms;
    bool order = false;
};

constexpr KindOf kKinds[] = {
    {"host-crash", &FaultSet::host, 5, 5'000, 180'000},
    {"daemon-kill", &FaultSet::host, 14, 10, 30'000},
    {"daemon-pause", &FaultSet::host, 14, 200, 60'000},
    {"watchdog-pause", &FaultSet::host, 8, 50, 400},
    {"watchdog-kill", &FaultSet::host, 1, 0, 0},
    {"upgrade", &FaultSet::host, 6, 100, 20'000},
    {"cut", &FaultSet::network, 8, 300, 40'000},
    {"cut-requests", &FaultSet::network, 6, 300, 20'000},
    {"cut-replies", &FaultSet::network, 6, 300, 20'000},
    {"slow-link", &FaultSet::network, 10, 1'000, 30'000},
    {"doubled", &FaultSet::network, 8, 1'000, 60'000},
    {"client-trouble", &FaultSet::network, 8, 5'000, 90'000},
    {"store-leader", &FaultSet::store, 4, 0, 0},
    {"store-down", &FaultSet::store, 3, 200, 15'000},
    {"store-trouble", &FaultSet::store, 14, 1'000, 30'000},
    {"store-full", &FaultSet::store, 1, 1'000, 20'000},
    {"compact", &FaultSet::store, 4, 1'000, 20'000},
    {"lease-lost", &FaultSet::store, 4, 0, 0},
    {"clock-wrong", &FaultSet::clock, 0.25, 5'000, 60'000},
    {"disk-full", &FaultSet::disk, 3, 1'000, 120'000},
    {"torn-crash", &FaultSet::disk, 2, 5'000, 90'000},
    {"vm-dies", &FaultSet::qemu, 14, 0, 0},
    {"vm-hangs", &FaultSet::qemu, 8, 0, 90'000},
    {"vm-powers-off", &FaultSet::qemu, 6, 0, 0},
    {"vm-create", &FaultSet::oper, 60, 0, 0, true},
    {"vm-delete", &FaultSet::oper, 30, 0, 0, true},
    {"vm-stop", &FaultSet::oper, 40, 0, 0, true},
    {"vm-start", &FaultSet::oper, 60, 0, 0, true},
    {"vm-restart", &FaultSet::oper, 20, 0, 0, true},
    {"vm-pause", &FaultSet::oper, 15, 0, 0, true},
    {"vm-resume", &FaultSet::oper, 25, 0, 0, true},
    {"vm-label", &FaultSet::oper, 60, 0, 0, true},
    {"vm-label-if", &FaultSet::oper, 40, 0, 0, true},
    {"vm-read", &FaultSet::oper, 80, 0, 0, true},
    {"vm-resize", &FaultSet::oper, 20, 0, 0, true},
    {"volume-create", &FaultSet::oper, 12, 0, 0, true},
    {"volume-delete", &FaultSet::oper, 6, 0, 0, true},
    {"quota-change", &FaultSet::oper, 6, 0, 0, true},
    {"node-cordon", &FaultSet::oper, 4, 0, 0, true},
    {"node-uncordon", &FaultSet::oper, 12, 0, 0, true},
    {"node-drain", &FaultSet::oper, 4, 0, 0, true},
    {"node-remove", &FaultSet::oper, 1.5, 40'000, 400'000},
    {"vm-disks", &FaultSet::oper, 30, 0, 0, true},
    {"volume-change", &FaultSet::oper, 8, 0, 0, true},
    {"image-create", &FaultSet::oper, 6, 0, 0, true},
    {"image-delete", &FaultSet::oper, 6, 0, 0, true},
    {"project-create", &FaultSet::oper, 5, 0, 0, true},
    {"project-delete", &FaultSet::oper, 5, 0, 0, true},
    {"node-change", &FaultSet::oper, 3, 0, 0, true},
    {"rebalance", &FaultSet::oper, 6, 0, 0, true},
    {"operation-cancel", &FaultSet::oper, 2, 0, 0, true},
    {"slow-watch", &FaultSet::network, 8, 1'000, 40'000},
    {"vouched-wrongly", &FaultSet::oper, 0.4, 25'000, 200'000},
    {"vm-sick", &FaultSet::qemu, 16, 1'000, 60'000},
    {"newer-record", &FaultSet::oper, 8, 2'000, 90'000},
};
static_assert(std::size(kKinds) == static_cast<std::size_t>(ActKind::kCount));

struct GroupName {
    std::string_view name;
    bool FaultSet::* member;
};
constexpr GroupName kGroups[] = {
    {"host", &FaultSet::host},     {"store", &FaultSet::store},     {"clock", &FaultSet::clock},
    {"disk", &FaultSet::disk},     {"network", &FaultSet::network}, {"qemu", &FaultSet::qemu},
    {"operator", &FaultSet::oper},
};

const KindOf& kind_of(ActKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

}  // namespace

Result<FaultSet> parse_faults(std::string_view names) {
    FaultSet faults{false, false, false, false, false, false, false};
    while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find(','));
        names.remove_prefix(std::min(names.size(), name.size() + 1));
        if (name == "all") return FaultSet{};
        if (name == "none") continue;
        const auto group = std::ranges::find(kGroups, name, &GroupName::name);
        if (group == std::end(kGroups))
            return fail(ErrorCode::kInvalid,
                        fmt::format("--faults: \"{}\" is no kind of fault", name),
                        "host, store, clock, disk, network, qemu, operator, all or none, with "
                        "commas between them");
        faults.*(group->member) = true;
    }
    return faults;
}

std::string to_text(const FaultSet& faults) {
    std::string text;
    for (const GroupName& group : kGroups)
        if (faults.*(group.member))
            text += fmt::format("{}{}", text.empty() ? "" : ",", group.name);
    return text.empty() ? "none" : text;
}

std::string_view act_name(ActKind kind) { return kind_of(kind).name; }
bool is_order(ActKind kind) { return kind_of(kind).order; }

namespace {

// Faults come together, as they do: half of all acts fall into storms of some seconds that strike
// one host, or one VM, above all.
struct Storm {
    std::int64_t at_ms = 0;
    int host = 0, subject = 0;
};
constexpr double kStormsPerHour = 30;
constexpr std::int64_t kStormMs = 7'000;

std::vector<Storm> make_storms(std::uint64_t seed, const Plan& plan) {
    SeededRandom random(seed * 1000 + 999);
    const auto scale = std::max(1.0, plan.hosts / 5.0);
    std::vector<Storm> storms(static_cast<std::size_t>(1 + kStormsPerHour * plan.hours * scale));
    for (Storm& storm : storms) {
        storm.at_ms = 10'000 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(
                                   std::max<std::int64_t>(1, plan.span().count - 10'000))));
        storm.host = static_cast<int>(random.below(static_cast<std::uint64_t>(plan.hosts)));
        storm.subject =
            static_cast<int>(random.below(static_cast<std::uint64_t>(std::max(1, plan.vms))));
    }
    return storms;
}

void move_into_storm(Act& act, const std::vector<Storm>& storms, SeededRandom& random) {
    const Storm& storm = storms[random.below(storms.size())];
    act.at_ms = storm.at_ms + static_cast<std::int64_t>(random.below(kStormMs));
    if (random.chance(75)) act.host = storm.host;
    if (random.chance(60)) act.subject = storm.subject;
}

}  // namespace

Plan make_plan(std::uint64_t seed, int hosts, int vms, double hours, FaultSet faults) {
    Plan plan{seed, hosts, vms, hours, faults, kWorld, {}};
    const std::int64_t span = plan.span().count;
    const std::vector<Storm> storms = make_storms(seed, plan);
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
        const KindOf& kind = kKinds[i];
        if (!(faults.*(kind.group))) continue;
        SeededRandom random(seed * 1000 +
                            i);  // a stream per kind: switching one off moves no other
        const double scale = kind.order ? std::max(1.0, vms / 50.0) : std::max(1.0, hosts / 5.0);
        const double wanted = kind.per_hour * hours * scale;
        auto count = static_cast<std::int64_t>(wanted);
        if (random.chance((wanted - static_cast<double>(count)) * 100)) ++count;
        for (std::int64_t n = 0; n < count; ++n) {
            Act act;
            act.kind = static_cast<ActKind>(i);
            act.at_ms = 10'000 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(
                                     std::max<std::int64_t>(1, span - 10'000))));
            act.host = static_cast<int>(random.below(static_cast<std::uint64_t>(hosts)));
            act.subject =
                static_cast<int>(random.below(static_cast<std::uint64_t>(std::max(1, vms))));
            // Short spans are as likely as long ones.
            const std::uint64_t most =
                static_cast<std::uint64_t>(kind.span_most_ms - kind.span_least_ms) + 1;
            act.span_ms = kind.span_least_ms +
                          static_cast<std::int64_t>(random.below(1 + random.below(most)));
            act.dice = random.next();
            if (random.chance(50)) move_into_storm(act, storms, random);
            plan.acts.push_back(act);
        }
    }
    std::ranges::stable_sort(plan.acts, {}, &Act::at_ms);
    return plan;
}

std::string to_text(const Act& act) {
    return fmt::format("{} {} {} {} {} {}", act.at_ms, act_name(act.kind), act.host, act.subject,
                       act.span_ms, act.dice);
}

std::string in_words(const Act& act) {
    const std::string at = fmt::format("{}.{:01} s: ", act.at_ms / 1000, act.at_ms % 1000 / 100);
    const std::string host = fmt::format("h{}", act.host + 1);
    const std::string span = act.span_ms > 0 ? fmt::format(" for {}.{:01} s", act.span_ms / 1000,
                                                           act.span_ms % 1000 / 100)
                                             : "";
    if (!is_order(act.kind)) return fmt::format("{}{} on {}{}", at, act_name(act.kind), host, span);
    const bool of_node = act_name(act.kind).starts_with("node-");
    const bool of_vm = act_name(act.kind).starts_with("vm-");
    if (of_vm)
        return fmt::format("{}{} vm-{}, asked at {}", at, act_name(act.kind), act.subject, host);
    return fmt::format("{}{}{}, asked at {}{}", at, act_name(act.kind),
                       of_node ? fmt::format(" (host number {})", act.subject + 1) : "", host,
                       span);
}

std::string to_text(const Plan& plan) {
    std::string text =
        fmt::format("blixard-sim 1\nseed={} hosts={} vms={} hours={} faults={} world={}\n",
                    plan.seed, plan.hosts, plan.vms, plan.hours, to_text(plan.faults), plan.world);
    for (const Act& act : plan.acts) text += to_text(act) + "\n";
    return text;
}

Result<Plan> parse_plan(std::string_view text) {
    std::istringstream in{std::string(text)};
    std::string line;
    if (!std::getline(in, line) || line != "blixard-sim 1")
        return fail(ErrorCode::kInvalid, "not a story: the first line is not \"blixard-sim 1\"",
                    "write one with: blixard sim --seed N");
    Plan plan;
    if (!std::getline(in, line))
        return fail(ErrorCode::kInvalid, "a story needs its second line: seed=... hosts=...");
    std::istringstream head(line);
    for (std::string word; head >> word;) {
        const std::string value = word.substr(std::min(word.size(), word.find('=') + 1));
        std::istringstream number(value);
        if (word.starts_with("seed="))
            number >> plan.seed;
        else if (word.starts_with("hosts="))
            number >> plan.hosts;
        else if (word.starts_with("vms="))
            number >> plan.vms;
        else if (word.starts_with("hours="))
            number >> plan.hours;
        else if (word.starts_with("world="))
            number >> plan.world;
        else if (word.starts_with("faults=")) {
            ASSIGN_OR_RETURN(plan.faults, parse_faults(value));
        }
        if (number.fail())
            return fail(ErrorCode::kInvalid, fmt::format("story: \"{}\" is no number", word));
    }
    if (plan.hosts < 1 || plan.vms < 1)
        return fail(ErrorCode::kInvalid, "a story needs a host and a VM");
    for (int at = 3; std::getline(in, line); ++at) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream words(line);
        Act act;
        std::string name;
        words >> act.at_ms >> name >> act.host >> act.subject >> act.span_ms >> act.dice;
        const auto kind = std::ranges::find(kKinds, std::string_view(name), &KindOf::name);
        if (words.fail() || kind == std::end(kKinds) || act.host < 0 || act.host >= plan.hosts ||
            act.subject < 0)
            return fail(ErrorCode::kInvalid, fmt::format("line {}: \"{}\" is no act", at, line));
        act.kind = static_cast<ActKind>(kind - kKinds);
        plan.acts.push_back(act);
    }
    return plan;
}

}  // namespace blixard::sim
