#include <fmt/format.h>

#include "cli/launch.h"
#include "cli/units.h"
#include "model/validate.h"
#include "os/files.h"

namespace blixard::cli {
namespace {

tl::expected<std::string, Failure> file_text(std::string_view option, const std::string& path) {
    auto text = os::read_file(path, model::kCloudInitBytesMax);
    if (!text) return usage_of(option, text.error());
    return std::move(*text);
}

Outcome set_integer(Value& spec, std::string_view member, const Args& args, std::string_view key,
                    std::int64_t least, std::int64_t most) {
    if (!args.has(key)) return {};
    auto number = parse_integer(args.get(key), least, most);
    if (!number) return usage_of(fmt::format("--{}", key), number.error());
    spec.set(member, *number);
    return {};
}

void set_text(Value& spec, std::string_view member, const Args& args, std::string_view key) {
    if (args.has(key)) spec.set(member, args.get(key));
}

tl::expected<Value, Failure> labels_from(const Args& args, std::string_view key) {
    Value labels;
    for (const std::string& text : args.all(key)) {
        auto label = parse_label(text);
        if (!label) return usage_of(fmt::format("--{}", key), label.error());
        labels.set(label->first, label->second);
    }
    return labels;
}

Outcome set_disks(Value& spec, const Args& args) {
    Value disks;
    for (const std::string& text : args.all("disk")) {
        auto disk = disk_from(text, disks.as_array() ? disks.as_array()->size() : 0);
        if (!disk) return usage_of("--disk", disk.error());
        disks.push(std::move(*disk));
    }
    for (const std::string& name : args.all("volume"))
        disks.push(Value::object({{"name", name}, {"volume", name}}));
    if (!disks.is_null()) spec.set("disks", std::move(disks));
    return {};
}

Outcome set_nic(Value& spec, const Args& args) {
    Value forwards;
    for (const std::string& text : args.all("port")) {
        auto port = parse_port(text);
        if (!port) return usage_of("--port", port.error());
        Value forward = Value::object(
            {{"host_port", port->host}, {"guest_port", port->guest}, {"protocol", port->protocol}});
        if (!port->address.empty()) forward.set("host_address", port->address);
        forwards.push(std::move(forward));
    }
    if (forwards.is_null()) return {};
    Value nic = Value::object({{"name", "net0"}});
    nic.set("forwards", std::move(forwards));
    spec.set("nics", Value(Value::Array{std::move(nic)}));
    return {};
}

Outcome set_cloud_init(Value& spec, const Args& args) {
    Value cloud_init;
    for (auto [option, member] :
         {std::pair{"cloud-init", "user_data"}, std::pair{"network-config", "network_config"}}) {
        if (!args.has(option)) continue;
        auto text = file_text(fmt::format("--{}", option), args.get(option));
        if (!text) return tl::unexpected(text.error());
        cloud_init.set(member, std::move(*text));
    }
    if (!cloud_init.is_null()) spec.set("cloud_init", std::move(cloud_init));
    return {};
}

// KIND[=MODEL[,MODEL...]][*COUNT]
Result<Value> parse_device(std::string_view text) {
    constexpr auto kHelp = "write it as gpu, gpu=MODEL, gpu=MODEL,MODEL*2 or pci=VENDOR:DEVICE";
    const std::size_t star = std::min(text.rfind('*'), text.size());
    const std::string_view what = text.substr(0, star);
    const std::size_t equals = std::min(what.find('='), what.size());
    Value device = Value::object({{"kind", what.substr(0, equals)}});
    if (equals < what.size()) {
        Value models = Value::array();
        for (std::size_t at = equals; at < what.size();) {
            const std::size_t comma = std::min(what.find(',', at + 1), what.size());
            const std::string_view model = what.substr(at + 1, comma - at - 1);
            if (model.empty())
                return fail(ErrorCode::kInvalid, fmt::format("\"{}\" names no model", text), kHelp);
            models.push(model);
            at = comma;
        }
        device.set("models", std::move(models));
    }
    if (star < text.size()) {
        auto count = parse_integer(text.substr(star + 1), 1, 64);
        if (!count)
            return fail(ErrorCode::kInvalid,
                        fmt::format("\"{}\" is no device: {}", text, count.error().message), kHelp);
        device.set("count", *count);
    }
    return device;
}

Outcome set_rules(Value& spec, const Args& args) {
    Value rules;
    for (auto [key, anti] : {std::pair{"affinity", false}, std::pair{"anti-affinity", true}}) {
        for (const std::string& text : args.all(key)) {
            auto label = parse_label(text);
            if (!label) return usage_of(fmt::format("--{}", key), label.error());
            Value labels = Value::object({{label->first, Value(label->second)}});
            rules.push(
                Value::object({{"anti", anti}, {"hard", true}, {"labels", std::move(labels)}}));
        }
    }
    if (!rules.is_null()) spec.set("affinity", std::move(rules));
    Value constraints;
    if (args.has("node")) constraints.set("node", args.get("node"));
    for (const std::string& feature : args.all("feature")) {
        if (!constraints.find("features")) constraints.set("features", Value::array());
        constraints.find("features")->push(feature);
    }
    auto node_labels = labels_from(args, "node-label");
    if (!node_labels) return tl::unexpected(node_labels.error());
    if (!node_labels->is_null()) constraints.set("node_labels", std::move(*node_labels));
    for (const std::string& text : args.all("device")) {
        auto device = parse_device(text);
        if (!device) return usage_of("--device", device.error());
        if (!constraints.find("devices")) constraints.set("devices", Value::array());
        constraints.find("devices")->push(std::move(*device));
    }
    if (!constraints.is_null()) spec.set("constraints", std::move(constraints));
    return {};
}

Outcome set_machine(Value& spec, const Args& args) {
    if (Outcome cpus = set_integer(spec, "cpus", args, "cpus", 1, model::kCpusMax); !cpus)
        return cpus;
    if (args.has("memory")) {
        auto memory = parse_size_mib(args.get("memory"));
        if (!memory) return usage_of("--memory", memory.error());
        spec.set("memory_mib", *memory);
    }
    set_text(spec, "machine", args, "machine");
    set_text(spec, "firmware", args, "firmware");
    set_text(spec, "command_line", args, "command-line");
    set_text(spec, "ha", args, "ha");
    set_text(spec, "strategy", args, "strategy");
    set_text(spec, "restart", args, "restart");
    if (args.has("preemptible")) spec.set("preemptible", true);
    if (args.has("health")) {
        auto health = health_from(args.get("health"));
        if (!health) return usage_of("--health", health.error());
        spec.set("health", std::move(*health));
    }
    if (args.has("stop-timeout")) {
        auto span = parse_duration(args.get("stop-timeout"));
        if (!span) return usage_of("--stop-timeout", span.error());
        spec.set("stop_timeout_s", (span->count + 999) / 1000);
    }
    return set_integer(spec, "priority", args, "priority", 0, model::kPriorityMax);
}

}  // namespace

Result<Value> disk_from(std::string_view text, std::size_t index) {
    std::size_t colon = text.find(':');
    std::string name = colon == std::string_view::npos
                           ? (index == 0 ? "root" : fmt::format("disk{}", index))
                           : std::string(text.substr(0, colon));
    auto size = parse_size_mib(colon == std::string_view::npos ? text : text.substr(colon + 1));
    if (!size)
        return fail(ErrorCode::kInvalid, size.error().message,
                    "write it as 10G, or with a name as data:10G; a bare number is MiB");
    return Value::object({{"name", std::move(name)}, {"size_mib", *size}});
}

Result<Value> health_from(std::string_view text) {
    constexpr auto kHelp = "write it as serial:TEXT, tcp:PORT, http:PORT/PATH or process";
    std::string_view kind = text.substr(0, text.find(':'));
    std::string_view rest =
        kind.size() < text.size() ? text.substr(kind.size() + 1) : std::string_view{};
    Value health = Value::object({{"kind", kind}});
    if (kind == "process" && rest.empty()) return health;
    if (kind == "serial" && !rest.empty()) {
        health.set("pattern", rest);
        return health;
    }
    if (kind != "tcp" && kind != "http")
        return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no health check", text), kHelp);
    std::string_view port = rest.substr(0, rest.find('/'));
    auto number = parse_integer(port, 1, 65535);
    if (!number)
        return fail(ErrorCode::kInvalid,
                    fmt::format("\"{}\" is no health check: {}", text, number.error().message),
                    kHelp);
    health.set("port", *number);
    if (kind == "http" && port.size() < rest.size()) health.set("path", rest.substr(port.size()));
    return health;
}

std::vector<Option> spec_options() {
    return {
        {"-c,--cpus", "N", "virtual CPUs (default 1)"},
        {"-m,--memory", "SIZE", "memory: 512M, 2G, 1.5G (default 256M)"},
        {"--disk", "[NAME:]SIZE",
         "a disk of its own: 10G is the root disk's size, data:20G one more; may be repeated",
         true},
        {"--volume",
         "VOLUME",
         "attach a volume of the project; may be repeated",
         true,
         {},
         Offer::kVolume},
        {"--port", "HOST:GUEST",
         "forward a host port: 8080:80, 0.0.0.0:8080:80, 5353:53/udp, 80 (a free one); may be "
         "repeated",
         true},
        {"--machine", "TYPE", "auto, microvm or q35", false, {"auto", "microvm", "q35"}},
        {"--firmware", "KIND", "bios or uefi", false, {"bios", "uefi"}},
        {"--command-line", "TEXT", "appended to the image's kernel command line"},
        {"--cloud-init", "FILE", "cloud-init user-data", false, {}, Offer::kFile},
        {"--network-config", "FILE", "cloud-init network-config", false, {}, Offer::kFile},
        {"--health", "CHECK", "serial:TEXT, tcp:PORT, http:PORT/PATH or process"},
        {"--restart",
         "POLICY",
         "never, on-failure or always",
         false,
         {"never", "on-failure", "always"}},
        {"--stop-timeout", "SPAN", "how long the guest may take to power off (default 30s)"},
        {"--ha",
         "MODE",
         "restart: brought back on another host when its host is lost; none",
         false,
         {"none", "restart"}},
        {"--priority", "N", "0 to 1000 (default 100)"},
        {"--preemptible", "", "may be evicted for a VM of higher priority"},
        {"--strategy",
         "NAME",
         "how its place is chosen",
         false,
         {"most-available", "least-available", "round-robin", "manual", "priority", "locality",
          "spread", "cost", "fragmentation"}},
        {"--node", "NODE", "this host and no other", false, {}, Offer::kNode},
        {"--feature", "NAME", "the host must have it (kvm, avx512f, ...); may be repeated", true},
        {"--device", "KIND[=MODEL][*N]",
         "a device of the host for this VM alone: gpu, gpu=10de:20b0*2, pci=8086:1572; may be "
         "repeated",
         true},
        {"--node-label", "KEY=VALUE", "the host must carry it; may be repeated", true},
        {"--affinity", "KEY=VALUE", "on a host with VMs that carry this label; may be repeated",
         true},
        {"--anti-affinity", "KEY=VALUE",
         "on a host without VMs that carry this label; may be repeated", true},
        {"-l,--label", "KEY=VALUE", "a label of the VM; may be repeated", true},
    };
}

tl::expected<Value, Failure> spec_from(const Args& args) {
    Value spec = Value::object();
    if (args.has("image")) spec.set("image", args.get("image"));
    for (auto step : {set_machine, set_disks, set_nic, set_cloud_init, set_rules})
        if (Outcome done = step(spec, args); !done) return tl::unexpected(done.error());
    auto labels = labels_from(args, "label");
    if (!labels) return tl::unexpected(labels.error());
    if (!labels->is_null()) spec.set("labels", std::move(*labels));
    return spec;
}

}  // namespace blixard::cli
