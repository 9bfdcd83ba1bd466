// node: the hosts.
#include <fmt/format.h>

#include "base/counted.h"
#include "cli/context.h"
#include "cli/print.h"
#include "cli/strays.h"
#include "cli/units.h"
#include "cli/vm_view.h"
#include "cli/wait.h"

namespace blixard::cli {
namespace {

constexpr Millis kDrainTimeout = seconds(600);

std::string state_of(const Value& node) {
    if (!node.text("spec.lost_at").empty()) return "lost";
    std::string state = node.flag("ready") ? "ready" : "not-ready";
    if (node.flag("spec.draining")) return state + ",draining";
    if (!node.flag("spec.schedulable", true)) return state + ",cordoned";
    return state;
}

Tint state_tint(std::string_view state) {
    if (state == "ready") return Tint::kGood;
    return state.starts_with("ready") ? Tint::kBusy : Tint::kBad;
}

std::string of_total(std::string used, std::string total) { return used + "/" + total; }

View node_view(WallTime now) {
    View view;
    view.nothing = "no hosts have reported yet";
    view.columns = {{"NAME"},
                    {"STATE"},
                    {"ZONE"},
                    {"CPUS", true},
                    {"MEMORY", true},
                    {"VMS", true},
                    {"ACCEL"},
                    {"AGE", true},
                    {"ADDRESS", false, true},
                    {"VERSION", false, true},
                    {"QEMU", false, true},
                    {"KERNEL", false, true},
                    {"OVERCOMMIT", false, true},
                    {"LABELS", false, true}};
    view.row = [now](const Value& node) -> std::vector<Cell> {
        std::string state = state_of(node);
        return {node.text("name"),
                {state, state_tint(state)},
                node.text("spec.zone"),
                of_total(std::to_string(node.number("allocated.cpus")),
                         std::to_string(node.number("status.cpus"))),
                of_total(mib_text(node.number("allocated.memory_mib")),
                         mib_text(node.number("status.memory_mib"))),
                std::to_string(node.number("allocated.vms")),
                {node.text("status.accelerator"),
                 node.text("status.accelerator") == "tcg" ? Tint::kBusy : Tint::kNone},
                age_text(node.text("spec.created_at"), now),
                node.text("status.advertise"),
                node.text("status.version"),
                node.text("status.qemu_version"),
                node.text("status.kernel_version"),
                node.text("spec.overcommit"),
                labels_text(node.at("spec.labels"))};
    };
    return view;
}

std::string words(const Value::Array& items) {
    std::string text;
    for (const Value& item : items) text += (text.empty() ? "" : ", ") + item.plain();
    return text;
}

// A TCG host looks like any other and is ten times slower: said loudly.
void add_accelerator(Facts& facts, const Value& node) {
    std::string accelerator = node.text("status.accelerator");
    std::string reason = node.text("status.accelerator_reason");
    bool slow = accelerator == "tcg";
    facts.add("Accelerator", slow ? "TCG: VMS ARE EMULATED AND SLOW HERE" : accelerator,
              slow ? Tint::kBad : Tint::kGood);
    facts.add(slow ? "Why no KVM" : "Found", reason);
}

std::string node_details(const Value& node, const std::string& strays, WallTime now,
                         const Colours& colours) {
    Facts facts;
    std::string state = state_of(node);
    facts.add("Name", node.text("name"));
    facts.add("State", state, state_tint(state));
    facts.add("Zone", node.text("spec.zone"));
    facts.add("Address", node.text("status.advertise"));
    add_accelerator(facts, node);
    facts.add("CPUs", fmt::format("{} of {} allocated", node.number("allocated.cpus"),
                                  node.number("status.cpus")));
    facts.add("Memory",
              fmt::format("{} of {} allocated", mib_text(node.number("allocated.memory_mib")),
                          mib_text(node.number("status.memory_mib"))));
    facts.add("Disk", mib_text(node.number("status.disk_mib")));
    facts.add("VMs", std::to_string(node.number("allocated.vms")));
    if (node.items("status.numa").size() > 1)
        facts.add("NUMA nodes", std::to_string(node.items("status.numa").size()));
    for (const Value& device : node.items("status.devices"))
        facts.add("Device", fmt::format("{} {} {}", device.text("kind"), device.text("model"),
                                        device.text("address")));
    facts.add("Pools", words(node.items("status.pools")));
    facts.add("Stray disks", strays, Tint::kBusy);
    facts.add("Overcommit", node.text("spec.overcommit"));
    if (double cost = node.real("spec.cost_per_hour"); cost > 0)
        facts.add("Cost per hour", fmt::format("{}", cost));
    facts.add("Labels", labels_text(node.at("spec.labels")));
    facts.add("Daemon", fmt::format("{}, up {}", node.text("status.version"),
                                    age_text(node.text("status.started_at"), now)));
    facts.add("QEMU", node.text("status.qemu_version"));
    facts.add("Kernel", node.text("status.kernel_version"));
    facts.add("Revision", std::to_string(node.number("revision")));
    return facts.render(colours);
}

Outcome list(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value::Array nodes, context.remote().list("/v1/nodes", {}));
    print_list(context, nodes, node_view(context.now()));
    return {};
}

Outcome show(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(Value node, context.remote().get(resource("/v1/nodes", args.get("name"))));
    print_one(context, node, [&] {
        return node_details(node, strays_line(context, args.get("name")), context.now(),
                            context.screen.out_colours);
    });
    return {};
}

Outcome order(Context& context, const std::string& name, const std::string& verb, const Value& body,
              std::string_view said) {
    ASSIGN_OR_RETURN(
        Value answer,
        context.remote().post(fmt::format("{}/{}", resource("/v1/nodes", name), verb), {}, body));
    print_one(context, answer, [&] { return fmt::format("node {}: {}\n", name, said); });
    return {};
}

bool nothing_moves(const Value& drain) {
    const std::int64_t left = drain.number("total") - drain.number("done");
    return left > 0 && drain.number("blocked") == left;
}

Failure not_drained(const std::string& node, const Value& drain) {
    const std::int64_t count = drain.number("blocked");
    return Failure(
        Error{ErrorCode::kConflict,
              fmt::format("node {} is cordoned, and {} {} on it: {}", node, counted(count, "VM"),
                          count == 1 ? "stays" : "stay", printable(drain.text("message"))),
              {},
              fmt::format("each goes as soon as it can; stop or delete it, make room elsewhere, or "
                          "end the drain with: blixard node uncordon {}",
                          node)});
}

Outcome drain(Context& context, const Args& args) {
    std::string name = args.get("name");
    ASSIGN_OR_RETURN(Value answer,
                     context.remote().post(resource("/v1/nodes", name) + "/drain", {}, {}));
    std::string id = answer.text("kind") == "operation" || answer.find("id")
                         ? answer.text("id")
                         : answer.text("operation");
    if (!context.wait || id.empty()) {
        print_one(context, answer, [&] {
            return fmt::format("node {}: draining{}\n", name,
                               id.empty() ? "" : "; see: blixard operation show " + id);
        });
        return {};
    }
    auto done =
        wait_for_operation(context, id, context.timeout.value_or(kDrainTimeout), nothing_moves);
    if (!done) return tl::unexpected(done.error());
    if (done->text("state") == "running") return tl::unexpected(not_drained(name, *done));
    print_one(context, *done, [&] {
        return fmt::format(
            "node {}: drained\n{}", name,
            done->text("message").empty() ? "" : "  " + printable(done->text("message")) + "\n");
    });
    return {};
}

Outcome lost(Context& context, const Args& args) {
    std::string name = args.get("name");
    if (!args.has("i-have-cut-its-power"))
        return usage(fmt::format("declaring {} lost starts its VMs elsewhere at once; if it still "
                                 "runs, they run twice",
                                 name),
                     "cut its power first, then say so: --i-have-cut-its-power");
    return order(context, name, "lost", Value::object({{"i_have_cut_its_power", true}}),
                 "declared lost; its VMs are placed anew");
}

Outcome set(Context& context, const Args& args) {
    Value spec = Value::object();
    if (args.has("zone")) spec.set("zone", args.get("zone"));
    if (args.has("overcommit")) spec.set("overcommit", args.get("overcommit"));
    if (args.has("cost")) {
        auto cost = parse_real(args.get("cost"), 0);
        if (!cost) return usage_of("--cost", cost.error());
        spec.set("cost_per_hour", *cost);
    }
    Value labels;
    for (const std::string& text : args.all("label")) {
        auto label = parse_label(text);
        if (!label) return usage_of("--label", label.error());
        // An empty value takes the label away (a merge patch's null).
        labels.set(label->first, label->second.empty() ? Value{} : Value(label->second));
    }
    if (!labels.is_null()) spec.set("labels", std::move(labels));
    if (spec.as_object()->empty()) return usage("nothing to set", "see: blixard node set --help");
    std::string name = args.get("name");
    ASSIGN_OR_RETURN(Value node,
                     context.remote().patch(resource("/v1/nodes", name), {},
                                            Value::object({{"spec", std::move(spec)}})));
    print_one(context, node, [&] { return fmt::format("node {}: changed\n", name); });
    return {};
}

}  // namespace

std::vector<Command> node_commands() {
    std::vector<Command> commands;
    std::vector<Positional> one{{"NAME", "the host", true, false, Offer::kNode}};
    commands.push_back({"node list",
                        "List hosts with what is allocated of what they have",
                        "",
                        {"blixard node list", "blixard node list -o wide"},
                        {},
                        {},
                        list});
    commands.push_back(
        {"node show", "Show a host", "", {"blixard node show host-a"}, one, {}, show});
    commands.push_back(
        {"node strays",
         "List disk files on a host that no volume's record names",
         "They are left of `cluster leave`, or of a store that was restored from an older backup. "
         "Blixard never deletes them: look whether somebody misses one, then remove it by hand. "
         "Directories are looked into, pools in Ceph are not.",
         {"blixard node strays host-a", "blixard node strays host-a -o name"},
         one,
         {},
         list_strays});
    commands.push_back(
        {"node set",
         "Set labels, zone, overcommit or cost of a host",
         "",
         {"blixard node set host-a --zone east --label rack=r1",
          "blixard node set host-a --label rack="},
         one,
         {{"--zone", "ZONE", "its failure domain"},
          {"--overcommit",
           "PROFILE",
           "shared, none, conservative, moderate or aggressive",
           false,
           {"shared", "none", "conservative", "moderate", "aggressive"}},
          {"--cost", "PRICE", "per hour, for the strategy cost"},
          {"-l,--label", "KEY=VALUE", "set a label; KEY= takes it away; may be repeated", true}},
         set});
    commands.push_back({"node cordon",
                        "Place no new VMs on a host",
                        "",
                        {"blixard node cordon host-a"},
                        one,
                        {},
                        [](Context& context, const Args& args) {
                            return order(context, args.get("name"), "cordon", {}, "cordoned");
                        }});
    commands.push_back({"node uncordon",
                        "Place VMs on a host again; ends a drain",
                        "",
                        {"blixard node uncordon host-a"},
                        one,
                        {},
                        [](Context& context, const Args& args) {
                            return order(context, args.get("name"), "uncordon", {},
                                         "takes VMs again");
                        }});
    commands.push_back({"node drain",
                        "Move everything movable off a host",
                        "Says what cannot be moved and why. It can be asked for again. `blixard "
                        "plan drain` shows first what would happen.",
                        {"blixard node drain host-a", "blixard node drain host-a --no-wait"},
                        one,
                        wait_options("10m"),
                        drain});
    commands.push_back({"node lost",
                        "Vouch that a host has no power, so that its VMs may run elsewhere now",
                        "For people who know more than its lease does. If the host still runs, its "
                        "VMs run twice and their disks are lost.",
                        {"blixard node lost host-a --i-have-cut-its-power"},
                        one,
                        {{"--i-have-cut-its-power", "", "it is really off"}},
                        lost});
    commands.push_back(
        {"node delete",
         "Forget a host that has left",
         "",
         {"blixard node delete host-a"},
         one,
         {},
         [](Context& context, const Args& args) -> Outcome {
             ASSIGN_OR_RETURN(Value gone,
                              context.remote().remove(resource("/v1/nodes", args.get("name")), {}));
             if (context.for_people())
                 context.out(fmt::format("node {}: deleted\n", args.get("name")));
             return {};
         }});
    return commands;
}

}  // namespace blixard::cli
