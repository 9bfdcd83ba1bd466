#include "api/quota.h"

#include <fmt/format.h>

#include "base/mutant.h"

namespace blixard::api {

Use use_of(const model::VmSpec& spec) {
    Use use{.vms = 1, .cpus = spec.cpus, .memory_mib = spec.memory_mib};
    for (const model::Disk& disk : spec.disks)
        if (disk.volume.empty()) use.disk_mib += disk.size_mib;
    return use;
}

namespace {

struct QuotaLine {
    std::string_view field;
    std::string_view unit;
    std::int64_t limit, used, more;
};

std::int64_t volumes_mib(const view::Snapshot& state, const std::string& project) {
    std::int64_t sum = 0;
    state.volumes.scan_prefix(project + "/",
                              [&](const std::shared_ptr<const view::VolumeEntry>& volume) {
                                  if (volume->record && volume->record->value.vm.empty())
                                      sum += volume->record->value.size_mib;
                                  return true;
                              });
    return sum;
}

}  // namespace

Status check_quota(const view::Snapshot& state, const std::string& project, const Use& more,
                   Draft& draft) {
    const view::ProjectEntry* entry = state.projects.find(project);
    if (!entry) return {};
    const model::Quota& quota = entry->record->value.quota;
    const bool limited =
        quota.vms > 0 || quota.cpus > 0 || quota.memory_mib > 0 || quota.disk_mib > 0;
    if (!limited) return {};
    const view::ProjectUse* found = state.project_use.find(project);
    const view::ProjectUse used = found ? *found : view::ProjectUse{};
    const std::int64_t disk_used =
        quota.disk_mib > 0 ? used.disk_mib + volumes_mib(state, project) : 0;
    const QuotaLine lines[] = {
        {"vms", "VMs", quota.vms, used.vms, more.vms},
        {"cpus", "CPUs", quota.cpus, used.cpus, more.cpus},
        {"memory_mib", "MiB of memory", quota.memory_mib, used.memory_mib, more.memory_mib},
        {"disk_mib", "MiB of disk", quota.disk_mib, disk_used, more.disk_mib}};
    const std::int64_t beyond = mutant(MutantId::kQuotaOneMore) ? 1 : 0;
    for (const QuotaLine& line : lines) {
        if (line.limit == 0 || line.more <= 0 || line.used + line.more <= line.limit + beyond)
            continue;
        return fail(
            Error{ErrorCode::kExhausted,
                  fmt::format("project \"{}\" may use {} {}, uses {}, and this needs {} more",
                              project, line.limit, line.unit, line.used, line.more),
                  fmt::format("quota.{}", line.field),
                  "delete something of the project, or have its quota raised"});
    }
    draft.quota_project = project;
    return {};
}

Allowance allowance_of(const view::Snapshot& state, const std::string& project, const Use& each,
                       std::int64_t count) {
    const auto check = [&](std::int64_t so_many) {
        Draft unwritten;
        return check_quota(state, project,
                           {.vms = each.vms * so_many,
                            .cpus = each.cpus * so_many,
                            .memory_mib = each.memory_mib * so_many,
                            .disk_mib = each.disk_mib * so_many},
                           unwritten);
    };
    Allowance allowance{count, check(count)};
    if (allowance.beyond) return allowance;
    std::int64_t refused = count;
    for (allowance.count = 0; allowance.count + 1 < refused;) {
        const std::int64_t middle = allowance.count + (refused - allowance.count) / 2;
        (check(middle) ? allowance.count : refused) = middle;
    }
    allowance.beyond = check(refused);
    return allowance;
}

}  // namespace blixard::api
