// What the people of the simulation ask for: VMs of all kinds, the same for the same seed.
#include <fmt/format.h>

#include "model/documents.h"
#include "sim/operators.h"

namespace blixard::sim {

model::VmCreate Operators::new_vm(int subject) const {
    SeededRandom random(plan_.seed * 31 + static_cast<std::uint64_t>(subject));
    model::VmCreate create;
    create.name = vm_name(subject);
    create.project = project_of(subject);
    model::VmSpec& spec = create.spec;
    spec.image = "demo";
    spec.cpus = 1 + static_cast<std::int64_t>(random.below(2));
    spec.memory_mib = 128 + 64 * static_cast<std::int64_t>(random.below(10));
    spec.ha = random.chance(65) ? model::Ha::kRestart : model::Ha::kNone;
    spec.stop_timeout_s = 2 + static_cast<std::int64_t>(random.below(10));
    const std::uint64_t restart = random.below(10);
    spec.restart = restart == 0  ? model::Restart::kNever
                   : restart < 3 ? model::Restart::kAlways
                                 : model::Restart::kOnFailure;
    spec.priority = static_cast<std::int64_t>(random.below(10)) * 100;
    spec.preemptible = random.chance(30);
    static constexpr const char* kStrategies[] = {"priority",      "priority",    "spread",
                                                  "locality",      "round-robin", "least-available",
                                                  "most-available"};
    if (random.chance(40)) spec.strategy = kStrategies[random.below(std::size(kStrategies))];
    if (random.chance(50))
        spec.disks.push_back({.name = "data",
                              .size_mib = 100,
                              .pool = spec.ha == model::Ha::kRestart ? "shared" : ""});
    if (random.chance(15)) {
        spec.labels["group"] = "g";
        spec.affinity.push_back(
            {.anti = true, .hard = true, .labels = {{"group", "g"}}, .max_per_node = 2});
    } else if (random.chance(8)) {
        spec.labels["group"] = "g";  // whom the rule speaks of, without a rule of its own
    }
    if (random.chance(8)) {
        spec.labels["zonal"] = "yes";
        spec.affinity.push_back({.anti = true,
                                 .hard = true,
                                 .labels = {{"zonal", "yes"}},
                                 .max_per_node = 2,
                                 .domain = "zone"});
    }
    if (random.chance(6)) {
        spec.labels["pair"] = fmt::format("p{}", subject % 4);
        spec.affinity.push_back({.hard = true, .labels = {{"pair", spec.labels["pair"]}}});
    }
    if (random.chance(10)) spec.constraints.features = {"ssd"};
    if (random.chance(10)) spec.constraints.zones_excluded = {fmt::format("z{}", random.below(3))};
    if (random.chance(5))
        spec.constraints.node_labels = {{"rack", fmt::format("r{}", random.below(4))}};
    if (random.chance(3))
        spec.constraints.node =
            fmt::format("h{}", 1 + random.below(static_cast<std::uint64_t>(plan_.hosts)));
    // Volumes that stand alone: two VMs that name one may not both run. The first disk of a VM
    // stays.
    if (project_of(subject) == "default" && random.chance(20)) {
        if (spec.disks.empty())
            spec.disks.push_back({.name = "boot", .size_mib = 100, .pool = "shared"});
        spec.disks.push_back(
            {.name = "common", .volume = fmt::format("vol-{}", subject % kVolumes)});
    }
    // Rules of one group that differ: who lets fewer in, and who minds another domain. A stream of
    // its own: the rest stays as it was.
    SeededRandom more(plan_.seed * 57 + static_cast<std::uint64_t>(subject));
    for (model::AffinityRule& rule : spec.affinity) {
        if (!rule.anti) continue;
        rule.max_per_node = 1 + static_cast<std::int64_t>(more.below(3));
        if (rule.domain.empty() && more.chance(25)) rule.domain = "rack";
    }
    if (!spec.constraints.features.empty() && more.chance(40))
        spec.constraints.features.emplace_back("nvme");
    if (!spec.labels.contains("pair") && more.chance(5)) {
        spec.labels["pair"] = fmt::format("p{}", subject % 4);
        spec.affinity.push_back({.hard = true, .labels = {{"pair", spec.labels["pair"]}}});
    }
    if (SeededRandom(plan_.seed * 91 + static_cast<std::uint64_t>(subject)).chance(25))
        spec.health = model::HealthCheck{.kind = model::HealthKind::kSerial,
                                         .pattern = "login:",
                                         .interval_s = 5,
                                         .failures = 2,
                                         .start_period_s = 10};
    if (spec.health && subject % 2 == 0) {
        spec.health->kind = subject % 4 == 0 ? model::HealthKind::kTcp : model::HealthKind::kHttp;
        spec.health->pattern.clear();
        spec.health->port = 80;
        spec.health->timeout_s = subject % 3 == 0 ? 5 : 2;
        spec.nics = {{.name = "web", .forwards = {{.guest_port = 80}}}};
    }
    // A secret that must come out nowhere: kSecret.
    if (subject % 4 == 0)
        spec.cloud_init.user_data = fmt::format("#cloud-config\npassword: {}\n", kSecret);
    if (random.chance(12)) spec.image = fmt::format("img-{}", subject % kImages);
    if (plan_.world > 1) make_crowd(subject, spec);
    return create;
}

// Those whom others must be near, without a rule of their own; one that wants most of one host, and
// waits for it; and, where hosts are crowded, more who make way and more who make others do so.
void Operators::make_crowd(int subject, model::VmSpec& spec) const {
    SeededRandom random(plan_.seed * 113 + static_cast<std::uint64_t>(subject));
    if (random.chance(15) && !spec.labels.contains("pair"))
        spec.labels["pair"] = fmt::format("p{}", subject % 4);
    const std::int64_t memory_mib = memory_mib_of_host(plan_);
    if (subject % 50 == 41) {
        spec.memory_mib = memory_mib * 5 / 8;
        spec.priority = 950;
        spec.preemptible = false;
        spec.strategy.clear();
        spec.affinity.clear();
        spec.constraints = {.node = fmt::format("h{}", 1 + (plan_.seed + 1) % hosts_.size())};
        return;
    }
    if (!plan_.crowded()) return;
    if (random.chance(30)) spec.strategy = "priority";
    if (random.chance(50)) spec.preemptible = true;
    // Small ones come and go beside it.
    if (random.chance(12)) spec.memory_mib = memory_mib * 3 / 8;
}

// Its own disk, larger or not; one more, or not; and the volume that it was made with, another, or
// none.
std::string Operators::new_disks(const Act& act) const {
    const bool in_default = project_of(act.subject) == "default";
    std::string disks;
    const auto add = [&](const std::string& disk) { disks += (disks.empty() ? "" : ",") + disk; };
    for (const model::Disk& disk : new_vm(act.subject).spec.disks) {
        if (disk.volume.empty())
            add(fmt::format(R"({{"name":"{}","size_mib":{},"pool":"{}"}})", disk.name,
                            disk.size_mib + act.at_ms / 600'000, disk.pool));
        if (!disk.volume.empty() && act.dice / 4 % 4 == 0)
            add(fmt::format(R"({{"name":"{}","volume":"{}"}})", disk.name, disk.volume));
    }
    if (act.dice % 4 == 0) add(R"({"name":"more","size_mib":10,"pool":"shared"})");
    if (in_default && act.dice / 4 % 4 > 1)
        add(fmt::format(R"({{"name":"taken","volume":"vol-{}","read_only":{}}})",
                        act.dice / 16 % kVolumes, act.dice / 64 % 6 == 0));
    return fmt::format(R"({{"spec":{{"disks":[{}]}}}})", disks);
}

}  // namespace blixard::sim
