#include "cli/vm_view.h"

#include <fmt/format.h>

#include "cli/apply.h"
#include "cli/units.h"

namespace blixard::cli {
namespace {

std::string message_of(const Value& vm) {
    std::string message = vm.text("status.message");
    // A VM without a place has no status of its own yet: the controller's reason is the news.
    if (message.empty() && vm.text("phase") == "pending") message = vm.text("placement.reason");
    return message;
}

bool says_why(const Value& vm) {
    std::string phase = vm.text("phase");
    return (phase == "pending" || phase == "failed") && !message_of(vm).empty();
}

std::string phase_text(const Value& vm) {
    std::string phase = vm.text("phase");
    return vm.text("deleted_at").empty() ? phase : "deleting";
}

std::string disk_text(const Value& disk) {
    std::string text = disk.text("name");
    if (std::int64_t size = disk.number("size_mib"); size > 0) text += " " + mib_text(size);
    if (std::string volume = disk.text("volume"); !volume.empty())
        text += fmt::format(" (volume {})", volume);
    if (std::string pool = disk.text("pool"); !pool.empty())
        text += fmt::format(" in pool {}", pool);
    if (disk.flag("read_only")) text += ", read-only";
    return text;
}

std::string nic_text(const Value& nic) {
    std::string network = nic.text("network");
    std::string text =
        fmt::format("{} on {}", nic.text("name"), network.empty() ? "user" : network);
    if (std::string mac = nic.text("mac"); !mac.empty()) text += " " + mac;
    return text;
}

std::string machine_text(const Value& vm) {
    std::string used = vm.text("status.machine");
    std::string text = used.empty() ? vm.text("spec.machine") : used;
    if (std::string accelerator = vm.text("status.accelerator"); !accelerator.empty())
        text += " with " + accelerator;
    return text;
}

std::string since_text(const Value& vm, WallTime now) {
    std::string since = vm.text("status.since");
    return since.empty() ? "" : fmt::format(" for {}", age_text(since, now));
}

// "h2 (not ready)"
Cell node_cell(const Value& vm, const SilentHosts& silent) {
    std::string node = vm.text("placement.node");
    if (!silent.contains(node)) return node;
    return {node + " (not ready)", Tint::kBad};
}

}  // namespace

std::string labels_text(const Value* labels) {
    std::string text;
    if (labels && labels->as_object())
        for (const Member& label : *labels->as_object())
            text +=
                fmt::format("{}{}={}", text.empty() ? "" : ", ", label.name, label.value.plain());
    return text;
}

std::string addresses_text(const Value& vm) {
    std::string text;
    for (const Value& address : vm.items("status.addresses")) {
        text += (text.empty() ? "" : ", ") + address.text("address");
        if (std::int64_t port = address.number("guest_port"); port > 0)
            text += fmt::format("->{}", port);
    }
    return text;
}

bool any_message(const Value::Array& vms) { return std::any_of(vms.begin(), vms.end(), says_why); }

View vm_view(WallTime now, bool with_project, bool with_message, SilentHosts silent) {
    View view;
    if (with_project) view.columns.push_back({"PROJECT"});
    for (Column column : std::vector<Column>{{"NAME"},
                                             {"PHASE"},
                                             {"NODE"},
                                             {"IMAGE"},
                                             {"CPUS", true},
                                             {"MEMORY", true},
                                             {"ADDRESSES"},
                                             {"AGE", true},
                                             {"MACHINE", false, true},
                                             {"HA", false, true},
                                             {"PRIORITY", true, true},
                                             {"RESTARTS", true, true},
                                             {"EPOCH", true, true},
                                             {"LABELS", false, true},
                                             {"REVISION", true, true}})
        view.columns.push_back(std::move(column));
    if (with_message) view.columns.push_back({"MESSAGE"});
    view.row = [=, silent = std::move(silent)](const Value& vm) {
        std::vector<Cell> row;
        if (with_project) row.emplace_back(vm.text("project"));
        std::string phase = phase_text(vm);
        row.insert(row.end(), {vm.text("name"),
                               {phase, phase_tint(phase)},
                               node_cell(vm, silent),
                               vm.text("spec.image"),
                               std::to_string(vm.number("spec.cpus")),
                               mib_text(vm.number("spec.memory_mib")),
                               addresses_text(vm),
                               age_text(vm.text("created_at"), now),
                               machine_text(vm),
                               vm.text("spec.ha"),
                               std::to_string(vm.number("spec.priority")),
                               std::to_string(vm.number("status.restarts")),
                               std::to_string(vm.number("placement.epoch")),
                               labels_text(vm.at("spec.labels")),
                               std::to_string(vm.number("revision"))});
        if (with_message) row.emplace_back(says_why(vm) ? message_of(vm) : "");
        return row;
    };
    return view;
}

Facts vm_details(const Value& vm, WallTime now, const SilentHosts& silent) {
    Facts facts;
    std::string phase = phase_text(vm);
    facts.add("Name", vm.text("name"));
    facts.add("Project", vm.text("project"));
    facts.add("Phase", phase + since_text(vm, now), phase_tint(phase));
    facts.add("Message", message_of(vm));
    facts.add("Wanted", vm.text("spec.run"));
    const Cell node = node_cell(vm, silent);
    facts.add("Node", node.text, node.tint);
    facts.add("Placed", vm.text("placement.reason"));
    facts.add("Image", vm.text("spec.image"));
    facts.add("CPUs", std::to_string(vm.number("spec.cpus")));
    facts.add("Memory", mib_text(vm.number("spec.memory_mib")));
    facts.add("Machine", machine_text(vm));
    bool first = true;
    for (const Value& disk : vm.items("spec.disks"))
        facts.add(std::exchange(first, false) ? "Disks" : "", disk_text(disk));
    first = true;
    for (const Value& nic : vm.items("spec.nics"))
        facts.add(std::exchange(first, false) ? "Networks" : "", nic_text(nic));
    facts.add("Addresses", addresses_text(vm));
    first = true;
    for (const Value& device : vm.items("status.devices"))
        facts.add(std::exchange(first, false) ? "Devices" : "", device.plain());
    facts.add("Health", vm.text("status.health"),
              vm.text("status.health") == "unhealthy" ? Tint::kBad : Tint::kGood);
    facts.add("Restart",
              fmt::format("{}, {} so far", vm.text("spec.restart"), vm.number("status.restarts")));
    facts.add("High availability", vm.text("spec.ha"));
    facts.add("Priority", std::to_string(vm.number("spec.priority")));
    facts.add("Strategy", vm.text("spec.strategy"));
    facts.add("Labels", labels_text(vm.at("spec.labels")));
    facts.add("Stopped by", vm.text("status.stopped_by"));
    if (std::int64_t pid = vm.number("status.pid"); pid > 0)
        facts.add("QEMU", fmt::format("pid {}", pid));
    facts.add("Created", fmt::format("{} ago, {}", age_text(vm.text("created_at"), now),
                                     vm.text("created_at")));
    facts.add("Revision", fmt::format("{}, generation {}, epoch {}", vm.number("revision"),
                                      vm.number("generation"), vm.number("placement.epoch")));
    facts.add("Uid", vm.text("uid"));
    return facts;
}

void note_next_start(Context& context, const std::string& project, const Value& before,
                     const Value& after) {
    const std::string members = at_next_start(before, after);
    if (members.empty()) return;
    const std::string elsewhere = project == "default" ? "" : " -p " + project;
    context.note(fmt::format("  {} from its next start on; now: blixard restart {}{}\n", members,
                             after.text("name"), elsewhere));
}

std::string vm_line(const Value& vm, const Colours& colours) {
    std::string phase = phase_text(vm);
    std::string line =
        fmt::format("{}: {}", vm.text("name"), tinted(phase, phase_tint(phase), colours));
    std::string node = vm.text("placement.node");
    std::string stopped_by = vm.text("status.stopped_by");
    if (phase == "stopped" && !stopped_by.empty())
        line += stopped_by == "guest" ? " by guest" : fmt::format(" ({})", printable(stopped_by));
    else if (!node.empty() && phase != "stopped")
        line += fmt::format(" on {}", printable(node));
    return line;
}

}  // namespace blixard::cli
