// volume: disks that stand for themselves.
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/removal.h"
#include "cli/units.h"
#include "cli/vm_view.h"

namespace blixard::cli {
namespace {

View volume_view(WallTime now, bool with_project) {
    View view;
    view.nothing = "no volumes here yet; make one with: blixard volume create NAME --size 10G";
    if (with_project) view.columns.push_back({"PROJECT"});
    for (Column column : std::vector<Column>{{"NAME"},
                                             {"SIZE", true},
                                             {"FORMAT"},
                                             {"STATE"},
                                             {"NODE"},
                                             {"IMAGE"},
                                             {"VM"},
                                             {"AGE", true},
                                             {"POOL", false, true},
                                             {"LABELS", false, true},
                                             {"MESSAGE", false, true}})
        view.columns.push_back(std::move(column));
    view.row = [=](const Value& volume) {
        std::vector<Cell> row;
        if (with_project) row.emplace_back(volume.text("project"));
        std::string state = volume.text("status.state");
        row.insert(row.end(), {volume.text("name"),
                               mib_text(volume.number("size_mib")),
                               volume.text("format"),
                               {state, phase_tint(state)},
                               volume.text("status.node"),
                               volume.text("image"),
                               volume.text("vm"),
                               age_text(volume.text("created_at"), now),
                               volume.text("pool"),
                               labels_text(volume.at("labels")),
                               volume.text("status.message")});
        return row;
    };
    return view;
}

std::string volume_details(const Value& volume, WallTime now, const Colours& colours) {
    Facts facts;
    facts.add("Name", volume.text("name"));
    facts.add("Project", volume.text("project"));
    facts.add("Size", mib_text(volume.number("size_mib")));
    facts.add("Format", volume.text("format"));
    facts.add("Image", volume.text("image"));
    facts.add("Pool", volume.text("pool").empty() ? "local" : volume.text("pool"));
    facts.add("VM", volume.text("vm"));
    facts.add("State", volume.text("status.state"), phase_tint(volume.text("status.state")));
    facts.add("Node", volume.text("status.node"));
    facts.add("Message", volume.text("status.message"));
    facts.add("Labels", labels_text(volume.at("labels")));
    facts.add("Created", age_text(volume.text("created_at"), now) + " ago");
    facts.add("Revision", std::to_string(volume.number("revision")));
    return facts.render(colours);
}

Outcome list(Context& context, const Args& args) {
    bool everywhere = args.has("all-projects");
    ASSIGN_OR_RETURN(
        Value::Array volumes,
        context.remote().list("/v1/volumes", {{"project", everywhere ? "*" : context.project}}));
    print_list(context, volumes, volume_view(context.now(), everywhere));
    return {};
}

Outcome show(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(Value volume, context.remote().get(resource("/v1/volumes", args.get("name")),
                                                        context.in_project()));
    print_one(context, volume,
              [&] { return volume_details(volume, context.now(), context.screen.out_colours); });
    return {};
}

Outcome create(Context& context, const Args& args) {
    std::string name = args.get("name");
    Value body = Value::object({{"name", name}, {"project", context.project}});
    if (args.has("size")) {
        auto size = parse_size_mib(args.get("size"));
        if (!size) return usage_of("--size", size.error());
        body.set("size_mib", *size);
    } else if (!args.has("image")) {
        return usage(
            "--size is missing",
            "a blank volume needs a size: --size 10G; one made on an --image may take the image's");
    }
    for (std::string_view member : {"format", "image", "pool"})
        if (args.has(member)) body.set(member, args.get(member));
    Value labels;
    for (const std::string& text : args.all("label")) {
        auto label = parse_label(text);
        if (!label) return usage_of("--label", label.error());
        labels.set(label->first, label->second);
    }
    if (!labels.is_null()) body.set("labels", std::move(labels));
    ASSIGN_OR_RETURN(Value volume, context.remote().post("/v1/volumes", {}, body));
    print_one(context, volume, [&] {
        return fmt::format("volume {}: created ({})\n", name, mib_text(volume.number("size_mib")));
    });
    return {};
}

Outcome resize(Context& context, const Args& args) {
    auto size = parse_size_mib(args.get("size"));
    if (!size) return usage_of("SIZE", size.error());
    std::string name = args.get("name");
    ASSIGN_OR_RETURN(Value volume,
                     context.remote().patch(resource("/v1/volumes", name), context.in_project(),
                                            Value::object({{"size_mib", *size}})));
    print_one(context, volume, [&] {
        return fmt::format("volume {}: {}\n", name, mib_text(volume.number("size_mib")));
    });
    return {};
}

Outcome remove(Context& context, const Args& args) {
    return remove_each(context, "volume", "/v1/volumes", args.all("name"), context.in_project());
}

}  // namespace

std::vector<Command> volume_commands() {
    std::vector<Command> commands;
    Positional one{"NAME", "the volume", true, false, Offer::kVolume};
    commands.push_back(
        {"volume create",
         "Create a volume, blank or on an image",
         "",
         {"blixard volume create data --size 20G",
          "blixard volume create root-2 --image debian-13"},
         {{"NAME", "the new volume"}},
         joined({{"--size", "SIZE", "20G; with --image the image's size is the least"},
                 {"--format", "FORMAT", "qcow2 (default) or raw", false, {"qcow2", "raw"}},
                 {"--image",
                  "IMAGE",
                  "made as an overlay on this image's disk",
                  false,
                  {},
                  Offer::kImage},
                 {"--pool", "POOL", "the storage pool (default: the host's own)"},
                 {"-l,--label", "KEY=VALUE", "a label; may be repeated", true}},
                project_options()),
         create});
    commands.push_back({"volume list",
                        "List volumes",
                        "",
                        {"blixard volume list"},
                        {},
                        joined({{"-A,--all-projects", "", "of all projects"}}, project_options()),
                        list});
    commands.push_back({"volume show",
                        "Show a volume",
                        "",
                        {"blixard volume show data"},
                        {one},
                        project_options(),
                        show});
    commands.push_back({"volume resize",
                        "Make a volume larger",
                        "It never shrinks.",
                        {"blixard volume resize data 40G"},
                        {one, {"SIZE", "the new size: 40G"}},
                        project_options(),
                        resize});
    commands.push_back({"volume delete",
                        "Delete volumes",
                        "Refused while a VM uses one.",
                        {"blixard volume delete data"},
                        {{"NAME", "the volume, or several", true, true, Offer::kVolume}},
                        project_options(),
                        remove});
    return commands;
}

}  // namespace blixard::cli
