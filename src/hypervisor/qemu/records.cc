#include "hypervisor/qemu/records.h"

#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"

namespace blixard::hypervisor {
namespace {

std::string addresses_json(const std::vector<model::Address>& addresses) {
    std::string out = "[";
    for (const model::Address& address : addresses) {
        if (out.size() > 1) out += ',';
        out += JsonObject()
                   .add("nic", address.nic)
                   .add("address", address.address)
                   .add("guest_port", address.guest_port)
                   .text();
    }
    return out + "]";
}

InstanceId id_of(const JsonFields& fields) {
    return {fields.text("vm"), fields.text("uid"),
            static_cast<std::uint64_t>(fields.number("epoch"))};
}

os::ProcessId process_of(const JsonFields& fields) {
    return {static_cast<pid_t>(fields.number("pid")),
            static_cast<std::uint64_t>(fields.number("start"))};
}

}  // namespace

std::string to_json(const InstanceId& id) {
    return JsonObject().add("vm", id.vm).add("uid", id.uid).add("epoch", id.epoch).text();
}

std::string to_json(const LaunchRecord& launch) {
    return JsonObject()
        .add("vm", launch.id.vm)
        .add("uid", launch.id.uid)
        .add("epoch", launch.id.epoch)
        .add("fenced", launch.fenced)
        .add("held", launch.held)
        .add("generation", launch.generation)
        .add("restart_generation", launch.restart_generation)
        .add("machine", launch.machine)
        .add("accelerator", launch.accelerator)
        .add("control_group", launch.control_group)
        .add("started_ms", launch.started.ms)
        .add_json("addresses", addresses_json(launch.addresses))
        .add_json("disks", json_strings(launch.disks))
        .add_json("devices", json_strings(launch.devices))
        .text();
}

std::string run_record_json(os::ProcessId process, std::string_view boot_id,
                            std::string_view launch_json) {
    const std::string named = JsonObject()
                                  .add("pid", process.pid)
                                  .add("start", process.start)
                                  .add("boot_id", boot_id)
                                  .text();
    return JsonObject().add_json("process", named).add_json("launch", launch_json).text();
}

std::string to_json(const ExitRecord& exit) {
    JsonObject object;
    object.add("pid", exit.process.pid).add("start", exit.process.start);
    if (exit.exit.status) object.add("status", *exit.exit.status);
    if (exit.exit.signal) object.add("signal", *exit.exit.signal);
    return object.add("by_fencing", exit.by_fencing).add("at_ms", exit.at.ms).text();
}

Result<RunRecord> parse_run_record(std::string_view text) {
    ASSIGN_OR_RETURN(const JsonFields root, JsonFields::parse(text));
    ASSIGN_OR_RETURN(const JsonFields process, JsonFields::parse(root.json("process")));
    ASSIGN_OR_RETURN(const JsonFields launch, JsonFields::parse(root.json("launch")));
    RunRecord record;
    record.process = process_of(process);
    record.boot_id = process.text("boot_id");
    record.launch.id = id_of(launch);
    record.launch.fenced = launch.flag("fenced");
    record.launch.held = launch.flag("held");
    record.launch.generation = launch.number("generation");
    record.launch.restart_generation = launch.number("restart_generation");
    record.launch.machine = launch.text("machine");
    record.launch.accelerator = launch.text("accelerator");
    record.launch.control_group = launch.text("control_group");
    record.launch.started = {launch.number("started_ms")};
    record.launch.disks = launch.texts("disks");
    record.launch.devices = launch.texts("devices");  // absent in an older daemon's
    for (const std::string& text : launch.objects("addresses")) {
        ASSIGN_OR_RETURN(const JsonFields address, JsonFields::parse(text));
        record.launch.addresses.push_back(
            {address.text("nic"), address.text("address"), address.number("guest_port"), {}});
    }
    if (record.process.pid <= 0 || record.launch.id.vm.empty() || record.launch.id.uid.empty()) {
        return fail(ErrorCode::kInvalid, "a run record without a process or a VM");
    }
    return record;
}

Result<ExitRecord> parse_exit_record(std::string_view text) {
    ASSIGN_OR_RETURN(const JsonFields root, JsonFields::parse(text));
    ExitRecord record;
    record.process = process_of(root);
    if (const auto status = root.optional_number("status"))
        record.exit.status = static_cast<int>(*status);
    if (const auto signal = root.optional_number("signal"))
        record.exit.signal = static_cast<int>(*signal);
    record.by_fencing = root.flag("by_fencing");
    record.at = {root.number("at_ms")};
    return record;
}

Result<InstanceId> parse_instance_id(std::string_view text) {
    ASSIGN_OR_RETURN(const JsonFields root, JsonFields::parse(text));
    InstanceId id = id_of(root);
    if (id.vm.empty() || id.uid.empty())
        return fail(ErrorCode::kInvalid, "a record that names no VM");
    return id;
}

}  // namespace blixard::hypervisor
