// list, show and the actions on VMs that exist.
#include <fmt/format.h>

#include <algorithm>

#include "cli/context.h"
#include "cli/units.h"
#include "cli/vm_view.h"
#include "cli/wait.h"

namespace blixard::cli {
namespace {

// One action: what is asked, and the phase it leads to.
struct Action {
    std::string_view verb;      // the path's last part; empty: DELETE
    std::string_view target;    // what is waited for
    Millis timeout;             // unless --timeout says otherwise
    std::string_view accepted;  // said with --no-wait
};

// Of a list without VMs: not that there are none, where only none matches.
std::string no_vms(const Context& context, const Args& args) {
    for (const char* filter : {"label", "phase", "node"})
        if (args.has(filter)) return "no VM matches; all of them: blixard list -A";
    if (args.has("all-projects") || context.project == "*" || context.project == "default")
        return "no VMs here yet; launch one with: blixard launch IMAGE NAME";
    return fmt::format("no VMs in project \"{}\"; those of all projects: blixard list -A",
                       printable(context.project));
}

// For people, who take "running" for what is so now. Who may not see hosts sees the VMs all the
// same.
SilentHosts silent_hosts(Context& context, const Value::Array& vms) {
    SilentHosts silent;
    const auto placed = [](const Value& vm) { return !vm.text("placement.node").empty(); };
    if (!context.for_people() || std::ranges::none_of(vms, placed)) return silent;
    const auto nodes = context.remote().list("/v1/nodes", {});
    if (!nodes) return silent;
    for (const Value& node : *nodes)
        if (!node.flag("ready", true)) silent.insert(node.text("name"));
    return silent;
}

Outcome list(Context& context, const Args& args) {
    bool everywhere = args.has("all-projects") || context.project == "*";
    Query query{{"project", everywhere ? "*" : context.project}};
    for (const std::string& label : args.all("label")) {
        if (auto pair = parse_label(label); !pair) return usage_of("--label", pair.error());
        query.emplace_back("label", label);
    }
    if (args.has("phase")) query.emplace_back("phase", args.get("phase"));
    if (args.has("node")) query.emplace_back("node", args.get("node"));
    ASSIGN_OR_RETURN(Value::Array vms, context.remote().list("/v1/vms", query));
    View view = vm_view(context.now(), everywhere, any_message(vms), silent_hosts(context, vms));
    view.nothing = no_vms(context, args);
    print_list(context, vms, view);
    return {};
}

// What the VM uses now, as its host measures it; nothing where that is not known.
void add_usage(Context& context, const std::string& name, const Value& vm, Facts& facts) {
    if (vm.text("phase") != "running") return;
    auto usage = context.remote().get(resource("/v1/vms", name) + "/usage", context.in_project());
    if (!usage) return;
    if (usage->find("cpu_seconds"))
        facts.add("CPU time used", fmt::format("{:.1f} s", usage->real("cpu_seconds")));
    for (auto [title, member] :
         {std::pair{"Memory used", "memory_bytes"}, std::pair{"Disk read", "disk_read_bytes"},
          std::pair{"Disk written", "disk_written_bytes"},
          std::pair{"Received", "network_received_bytes"}, std::pair{"Sent", "network_sent_bytes"}})
        if (usage->find(member)) facts.add(title, bytes_text(usage->number(member)));
}

Outcome show(Context& context, const Args& args) {
    for (const std::string& name : args.all("name")) {
        ASSIGN_OR_RETURN(Value vm,
                         context.remote().get(resource("/v1/vms", name), context.in_project()));
        if (&name != &args.all("name").front())
            context.out(context.format == Format::kYaml ? "---\n"
                        : context.for_people()          ? "\n"
                                                        : "");
        print_one(context, vm, [&] {
            Facts facts = vm_details(vm, context.now(), silent_hosts(context, {vm}));
            add_usage(context, name, vm, facts);
            return facts.render(context.screen.out_colours);
        });
    }
    return {};
}

Result<Value> ask(Context& context, const Action& action, const std::string& name,
                  const Args& args) {
    Query query = context.in_project();
    if (args.has("force")) query.emplace_back("force", "true");
    if (action.verb.empty()) return context.remote().remove(resource("/v1/vms", name), query);
    if (args.has("grace")) {
        auto grace = parse_duration(args.get("grace"));
        if (!grace) return fail(grace.error());
        query.emplace_back("timeout_s", std::to_string((grace->count + 999) / 1000));
    }
    return context.remote().post(fmt::format("{}/{}", resource("/v1/vms", name), action.verb),
                                 query, {});
}

void say_done(Context& context, const Action& action, const std::string& name, const Value& vm,
              bool waited, Millis took) {
    if (context.format == Format::kName) return context.out(name + "\n");
    if (!context.for_people()) {
        if (!vm.is_null()) print_one(context, vm, {});
        return;
    }
    const Colours& colours = context.screen.out_colours;
    if (!waited)
        context.out(fmt::format("{}: {}\n", name, action.accepted));
    else if (vm.is_null() || action.verb.empty())
        context.out(fmt::format("{}: deleted ({})\n", name, duration_text(took)));
    else
        context.out(fmt::format("{} ({})\n", vm_line(vm, colours), duration_text(took)));
}

Outcome finish(Context& context, const Action& action, const std::string& name, Value answer,
               MonoTime begun) {
    if (context.wait) {
        auto vm = wait_for_vm(context, name, std::string(action.target),
                              context.timeout.value_or(action.timeout));
        if (!vm) return tl::unexpected(vm.error());
        answer = std::move(*vm);
    }
    say_done(context, action, name, answer, context.wait, context.clock.mono() - begun);
    return {};
}

// Asks for all, then waits for all, so that they stop or start side by side. The first failure
// gives the exit code; the others are told.
Outcome act(Context& context, const Args& args, const Action& action) {
    if (args.has("grace"))
        if (auto grace = parse_duration(args.get("grace")); !grace)
            return usage_of("--grace", grace.error());
    MonoTime begun = context.clock.mono();
    Outcome result;
    auto keep = [&](Failure failure) {
        if (!result)
            context.screen.err(render_error(failure.error, context.screen.err_colours));
        else
            result = tl::unexpected(std::move(failure));
    };
    std::vector<std::pair<std::string, Value>> accepted;
    for (const std::string& name : args.all("name")) {
        auto answer = ask(context, action, name, args);
        if (answer)
            accepted.emplace_back(name, std::move(*answer));
        else
            keep(answer.error());
    }
    for (auto& [name, answer] : accepted)
        if (Outcome done = finish(context, action, name, std::move(answer), begun); !done)
            keep(done.error());
    return result;
}

// "90s", "2m": as it would be typed.
std::string span_text(Millis span) {
    std::int64_t s = span.count / 1000;
    return s % 60 == 0 ? fmt::format("{}m", s / 60) : fmt::format("{}s", s);
}

Command action_command(std::string path, std::string summary, std::string details,
                       std::vector<std::string> examples, std::vector<Option> own,
                       const Action& action) {
    Command command;
    command.path = std::move(path);
    command.summary = std::move(summary);
    command.details = std::move(details);
    command.examples = std::move(examples);
    command.positionals = {{"NAME", "the VM, or several", true, true, Offer::kVm}};
    command.options =
        joined(joined(std::move(own), wait_options(span_text(action.timeout))), project_options());
    command.run = [action](Context& context, const Args& args) {
        return act(context, args, action);
    };
    return command;
}

Option force_option(std::string help) { return {"--force", "", std::move(help)}; }
Option grace_option() {
    return {"--grace", "SPAN",
            "how long the guest may take before QEMU is ended (default: its stop_timeout_s)"};
}

}  // namespace

std::vector<Command> vm_commands() {
    std::vector<Command> commands;
    commands.push_back(
        {"list",
         "List VMs",
         "A VM that is pending or failed says why in the last column.",
         {"blixard list", "blixard list -o wide --label role=web",
          "blixard list --phase failed --all-projects",
          "blixard list -o name | xargs blixard stop"},
         {},
         joined({{"-A,--all-projects", "", "of all projects"},
                 {"-l,--label", "KEY=VALUE", "only those that carry this label; may be repeated",
                  true},
                 {"--phase",
                  "PHASE",
                  "only those in this phase",
                  false,
                  {"pending", "scheduled", "starting", "running", "paused", "stopping", "stopped",
                   "failed"}},
                 {"--node", "NODE", "only those placed on this host", false, {}, Offer::kNode}},
                project_options()),
         list});
    commands.push_back({"show",
                        "Show a VM: what is wanted, where it is and what is true of it",
                        "",
                        {"blixard show web-1", "blixard show web-1 -o yaml"},
                        {{"NAME", "the VM, or several", true, true, Offer::kVm}},
                        project_options(),
                        show});
    commands.push_back(action_command(
        "start", "Start VMs", "", {"blixard start web-1", "blixard start web-1 web-2 --no-wait"},
        {}, {"start", "running", seconds(120), "starting"}));
    commands.push_back(action_command(
        "stop", "Stop VMs",
        "Asks the guest to power off, waits, then ends QEMU, and says which it took: \"guest\", "
        "\"quit\" or \"killed\".",
        {"blixard stop web-1", "blixard stop web-1 --grace 5s", "blixard stop web-1 --force"},
        {force_option("do not ask the guest"), grace_option()},
        {"stop", "stopped", seconds(90), "stopping"}));
    commands.push_back(action_command("restart", "Stop VMs and start them again", "",
                                      {"blixard restart web-1"},
                                      {force_option("do not ask the guest"), grace_option()},
                                      {"restart", "running", seconds(180), "restarting"}));
    commands.push_back(action_command("pause", "Stop the virtual CPUs of VMs; memory stays", "",
                                      {"blixard pause web-1"}, {},
                                      {"pause", "paused", seconds(30), "pausing"}));
    commands.push_back(action_command("resume", "Let paused VMs run on", "",
                                      {"blixard resume web-1"}, {},
                                      {"resume", "running", seconds(30), "resuming"}));
    commands.push_back(action_command(
        "delete", "Delete VMs with the disks of their own",
        "A running VM is refused without --force. Volumes that were attached by name stay.",
        {"blixard delete web-1", "blixard delete web-1 web-2 --force"},
        {force_option("also a running one")}, {"", "deleted", seconds(90), "deleting"}));
    return commands;
}

}  // namespace blixard::cli
