// launch: one VM from nothing to running.
#include "cli/launch.h"

#include <fmt/format.h>

#include <thread>

#include "cli/units.h"
#include "cli/vm_view.h"
#include "cli/wait.h"

namespace blixard::cli {
namespace {

constexpr Millis kLaunchTimeout = seconds(180);  // a guest without KVM takes its time
constexpr Millis kConsolePoll = Millis{300};
constexpr auto kConsoleBytes = "262144";  // of the console's end, looked at for the pattern

// The first disk is the root disk where the image has one: an attached volume must not become it.
Outcome keep_root_first(Context& context, Value& spec, const Args& args) {
    if (!args.has("volume") || args.has("disk")) return {};
    ASSIGN_OR_RETURN(Value image, context.remote().get(resource("/v1/images", spec.text("image"))));
    bool has_disk = false;
    for (const Value& file : image.items("files")) has_disk |= file.text("role") == "disk";
    if (!has_disk) return {};
    Value::Array* disks = spec.find("disks")->as_array();
    disks->insert(disks->begin(), Value::object({{"name", "root"}, {"size_mib", 0}}));
    return {};
}

Outcome wait_for_console(Context& context, const std::string& name, const std::string& pattern,
                         MonoTime end) {
    while (true) {
        Query query = context.in_project();
        query.emplace_back("bytes", kConsoleBytes);
        ASSIGN_OR_RETURN(std::string log,
                         context.remote().get_text(resource("/v1/vms", name) + "/log", query));
        if (log.find(pattern) != std::string::npos) return {};
        if (context.clock.mono() >= end)
            return tl::unexpected(Failure(
                Error{ErrorCode::kTimeout,
                      fmt::format("the console of {} has not shown \"{}\" in time", name, pattern),
                      {},
                      fmt::format("the VM goes on; see: blixard logs {}", name)}));
        std::this_thread::sleep_for(std::chrono::milliseconds(kConsolePoll.count));
    }
}

void say_launched(Context& context, const Value& vm, Millis took) {
    print_one(context, vm, [&] {
        std::string text =
            fmt::format("{} ({})\n", vm_line(vm, context.screen.out_colours), duration_text(took));
        if (std::string addresses = addresses_text(vm); !addresses.empty())
            text += fmt::format("  addresses: {}\n", printable(addresses));
        return text;
    });
    if (vm.text("spec.run") == "stopped")
        return context.note(fmt::format("  start: blixard start {}\n", vm.text("name")));
    if (vm.text("phase") == "pending")
        return context.note(
            fmt::format("  why: blixard why {0}    stop: blixard stop {0}\n", vm.text("name")));
    context.note(fmt::format(
        "  console: blixard console {0}    logs: blixard logs {0}    stop: blixard stop {0}\n",
        vm.text("name")));
}

Outcome launch(Context& context, const Args& args) {
    if (args.has("console-pattern") && (args.has("no-wait") || args.has("stopped")))
        return usage(
            fmt::format("--console-pattern waits for a VM that runs; with --{} "
                        "there is no waiting",
                        args.has("stopped") ? "stopped" : "no-wait"));
    auto spec = spec_from(args);
    if (!spec) return tl::unexpected(spec.error());
    if (args.has("stopped")) spec->set("run", "stopped");
    if (Outcome rooted = keep_root_first(context, *spec, args); !rooted) return rooted;
    std::string name = args.get("name");
    MonoTime begun = context.clock.mono();
    Value body =
        Value::object({{"name", name}, {"project", context.project}, {"spec", std::move(*spec)}});
    ASSIGN_OR_RETURN(Value vm, context.remote().post("/v1/vms", {}, body));
    if (context.wait && !args.has("stopped")) {
        Millis timeout = context.timeout.value_or(kLaunchTimeout);
        auto running = wait_for_vm(context, name, "running", timeout);
        if (!running) return tl::unexpected(running.error());
        vm = std::move(*running);
        if (args.has("console-pattern"))
            if (Outcome shown =
                    wait_for_console(context, name, args.get("console-pattern"), begun + timeout);
                !shown)
                return shown;
    }
    say_launched(context, vm, context.clock.mono() - begun);
    return {};
}

}  // namespace

std::vector<Command> launch_commands() {
    Command command;
    command.path = "launch";
    command.summary = "Create a VM from an image and wait until it runs";
    command.details =
        "What is left out gets the daemon's defaults; everything that a VM can have is in `blixard "
        "apply`.\n"
        "With --console-pattern it also waits until the serial console has shown that text.";
    command.examples = {
        "blixard launch demo web-1",
        "blixard launch debian-13 db-1 --cpus 4 --memory 8G --disk 40G --cloud-init user-data.yaml",
        "blixard launch demo web-1 --port 8080:80 --label role=web --health http:80/",
        "blixard launch demo web-1 --console-pattern \"ready\" --timeout 2m"};
    command.positionals = {
        {"IMAGE", "an image of `blixard image list`", true, false, Offer::kImage},
        {"NAME", "the new VM: a-z, 0-9 and -, at most 63 long"}};
    command.options = joined(
        joined(joined(spec_options(),
                      {{"--console-pattern", "TEXT", "also wait until the console shows this text"},
                       {"--stopped", "", "define it, do not start it"}}),
               wait_options("3m")),
        project_options());
    command.run = launch;
    return {command};
}

}  // namespace blixard::cli
