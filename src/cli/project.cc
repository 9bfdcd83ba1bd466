// project: who shares what, and how much of it.
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/units.h"
#include "cli/vm_view.h"

namespace blixard::cli {
namespace {

std::string limit(std::int64_t number) { return number == 0 ? "" : std::to_string(number); }
std::string limit_mib(std::int64_t mib) { return mib == 0 ? "" : mib_text(mib); }

View project_view(WallTime now) {
    View view;
    view.columns = {{"NAME"},         {"VMS", true},   {"CPUS", true},
                    {"MEMORY", true}, {"DISK", true},  {"STRATEGY"},
                    {"AGE", true},    {"DESCRIPTION"}, {"LABELS", false, true}};
    view.row = [now](const Value& project) -> std::vector<Cell> {
        return {project.text("name"),
                limit(project.number("quota.vms")),
                limit(project.number("quota.cpus")),
                limit_mib(project.number("quota.memory_mib")),
                limit_mib(project.number("quota.disk_mib")),
                project.text("strategy"),
                age_text(project.text("created_at"), now),
                project.text("description"),
                labels_text(project.at("labels"))};
    };
    return view;
}

std::string or_no_limit(const std::string& text) { return text.empty() ? "no limit" : text; }

std::string project_details(const Value& project, WallTime now, const Colours& colours) {
    Facts facts;
    facts.add("Name", project.text("name"));
    facts.add("Description", project.text("description"));
    facts.add("VMs", or_no_limit(limit(project.number("quota.vms"))));
    facts.add("CPUs", or_no_limit(limit(project.number("quota.cpus"))));
    facts.add("Memory", or_no_limit(limit_mib(project.number("quota.memory_mib"))));
    facts.add("Disk", or_no_limit(limit_mib(project.number("quota.disk_mib"))));
    facts.add("Strategy", project.text("strategy"));
    facts.add("Labels", labels_text(project.at("labels")));
    facts.add("Created", age_text(project.text("created_at"), now) + " ago");
    facts.add("Revision", std::to_string(project.number("revision")));
    return facts.render(colours);
}

tl::expected<Value, Failure> settings_from(const Args& args) {
    Value settings = Value::object();
    for (std::string_view member : {"description", "strategy"})
        if (args.has(member)) settings.set(member, args.get(member));
    Value quota;
    for (auto [key, member] : {std::pair{"vms", "vms"}, std::pair{"cpus", "cpus"}}) {
        if (!args.has(key)) continue;
        auto number = parse_integer(args.get(key), 0, 1'000'000'000);
        if (!number) return usage_of(fmt::format("--{}", key), number.error());
        quota.set(member, *number);
    }
    for (auto [key, member] : {std::pair{"memory", "memory_mib"}, std::pair{"disk", "disk_mib"}}) {
        if (!args.has(key)) continue;
        auto size = args.get(key) == "0" ? Result<std::int64_t>(0) : parse_size_mib(args.get(key));
        if (!size) return usage_of(fmt::format("--{}", key), size.error());
        quota.set(member, *size);
    }
    if (!quota.is_null()) settings.set("quota", std::move(quota));
    Value labels;
    for (const std::string& text : args.all("label")) {
        auto label = parse_label(text);
        if (!label) return usage_of("--label", label.error());
        labels.set(label->first, label->second);
    }
    if (!labels.is_null()) settings.set("labels", std::move(labels));
    return settings;
}

std::vector<Option> settings_options() {
    return {{"--description", "TEXT", "for people"},
            {"--strategy", "NAME", "how places are chosen for its VMs"},
            {"--vms", "N", "at most so many VMs; 0: no limit"},
            {"--cpus", "N", "at most so many CPUs; 0: no limit"},
            {"--memory", "SIZE", "at most so much memory; 0: no limit"},
            {"--disk", "SIZE", "at most so much disk; 0: no limit"},
            {"-l,--label", "KEY=VALUE", "a label; may be repeated", true}};
}

Outcome list(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value::Array projects, context.remote().list("/v1/projects", {}));
    print_list(context, projects, project_view(context.now()));
    return {};
}

Outcome show(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(Value project,
                     context.remote().get(resource("/v1/projects", args.get("name"))));
    print_one(context, project,
              [&] { return project_details(project, context.now(), context.screen.out_colours); });
    return {};
}

Outcome create(Context& context, const Args& args) {
    auto body = settings_from(args);
    if (!body) return tl::unexpected(body.error());
    body->set("name", args.get("name"));
    ASSIGN_OR_RETURN(Value project, context.remote().post("/v1/projects", {}, *body));
    print_one(context, project,
              [&] { return fmt::format("project {}: created\n", args.get("name")); });
    return {};
}

Outcome set(Context& context, const Args& args) {
    auto body = settings_from(args);
    if (!body) return tl::unexpected(body.error());
    if (body->as_object()->empty())
        return usage("nothing to set", "see: blixard project set --help");
    ASSIGN_OR_RETURN(Value project,
                     context.remote().patch(resource("/v1/projects", args.get("name")), {}, *body));
    print_one(context, project,
              [&] { return fmt::format("project {}: changed\n", args.get("name")); });
    return {};
}

Outcome remove(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(Value gone,
                     context.remote().remove(resource("/v1/projects", args.get("name")), {}));
    if (context.for_people()) context.out(fmt::format("project {}: deleted\n", args.get("name")));
    return {};
}

}  // namespace

std::vector<Command> project_commands() {
    std::vector<Positional> one{{"NAME", "the project", true, false, Offer::kProject}};
    return {
        {"project list",
         "List projects with their quotas",
         "",
         {"blixard project list"},
         {},
         {},
         list},
        {"project show", "Show a project", "", {"blixard project show shop"}, one, {}, show},
        {"project create",
         "Create a project",
         "",
         {"blixard project create shop --vms 50 --cpus 100 --memory 200G"},
         {{"NAME", "the new project"}},
         settings_options(),
         create},
        {"project set",
         "Change quotas and defaults of a project",
         "",
         {"blixard project set shop --memory 400G"},
         one,
         settings_options(),
         set},
        {"project delete",
         "Delete an empty project",
         "",
         {"blixard project delete shop"},
         one,
         {},
         remove},
    };
}

}  // namespace blixard::cli
