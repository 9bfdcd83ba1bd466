// apply: documents of files become true, created or replaced; with --dry-run only the difference is
// shown.
#include "cli/apply.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/context.h"
#include "cli/diff.h"
#include "cli/print.h"
#include "cli/units.h"
#include "cli/vm_view.h"
#include "cli/wait.h"
#include "cli/yaml.h"
#include "os/files.h"

namespace blixard::cli {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 20;
constexpr Millis kApplyTimeout = seconds(180);

enum class Deed : std::uint8_t { kCreate, kReplace, kNothing };

// A manifest beside what is there.
struct Step {
    Manifest manifest;
    Deed deed = Deed::kCreate;
    std::int64_t revision = 0;  // of what is there
    Value present;              // what is there
    std::string before, after;  // as YAML, normalised
};

std::string collection(const Manifest& manifest) { return "/v1/" + manifest.kind + "s"; }

Query scope(const Manifest& manifest) {
    bool in_project = manifest.kind == "vm" || manifest.kind == "volume";
    return in_project ? Query{{"project", manifest.project}} : Query{};
}

Result<std::string> read_input(const std::string& path) {
    if (path != "-") return os::read_file(path, kFileBytesMax);
    std::string text;
    char buffer[64 * 1024];
    for (ssize_t count; (count = ::read(0, buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.size() > kFileBytesMax)
            return fail(ErrorCode::kTooLarge, "more than 64 MiB on the standard input");
    }
    return text;
}

tl::expected<std::vector<Manifest>, Failure> read_files(Context& context,
                                                        const std::vector<std::string>& files) {
    std::vector<Manifest> all;
    for (const std::string& file : files) {
        std::string name = file == "-" ? "standard input" : file;
        auto text = read_input(file);
        if (!text) return usage_of("--file", text.error());
        auto documents = parse_yaml(*text);
        if (!documents)
            return usage(fmt::format("{}: {}", name, documents.error().message),
                         documents.error().help);
        ASSIGN_OR_RETURN(std::vector<Manifest> manifests,
                         read_manifests(*documents, name, context.project));
        for (Manifest& manifest : manifests) all.push_back(std::move(manifest));
    }
    if (all.empty()) return usage("the files hold no documents");
    // What others need comes first: projects, images, volumes, VMs.
    auto rank = [](const Manifest& m) {
        return m.kind == "project"  ? 0
               : m.kind == "image"  ? 1
               : m.kind == "volume" ? 2
               : m.kind == "node"   ? 3
                                    : 4;
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const Manifest& a, const Manifest& b) { return rank(a) < rank(b); });
    return all;
}

Result<Step> look_at(Context& context, Manifest manifest) {
    Step step;
    step.after = to_yaml(normalised(manifest.kind, manifest.wanted));
    auto present =
        context.remote().get(resource(collection(manifest), manifest.name), scope(manifest));
    if (present) {
        step.revision = present->number("revision");
        step.before = to_yaml(normalised(manifest.kind, *present));
        step.deed = step.before == step.after ? Deed::kNothing : Deed::kReplace;
        step.present = std::move(*present);
    } else if (present.error().code != ErrorCode::kNotFound) {
        return fail(present.error());
    } else if (manifest.kind == "node") {
        return fail(ErrorCode::kNotFound,
                    fmt::format("{}: there is no node \"{}\"; a host becomes one by joining",
                                manifest.where, manifest.name));
    }
    step.manifest = std::move(manifest);
    return step;
}

// Refusals name the file they come from.
Result<Value> blamed(Result<Value> answer, const Manifest& manifest) {
    if (answer) return answer;
    Error error = sentence(std::move(answer.error()));
    error.message = fmt::format("{}: {} \"{}\": {}", manifest.where, manifest.kind, manifest.name,
                                error.message);
    return fail(std::move(error));
}

Value creation_body(const Manifest& manifest) {
    Value body = Value::object({{"name", manifest.name}});
    if (manifest.kind == "vm" || manifest.kind == "volume") body.set("project", manifest.project);
    for (const Member& member : *manifest.wanted.as_object()) body.set(member.name, member.value);
    return body;
}

// A merge patch keeps what it does not name, at every depth; so what is there and no longer wanted
// is named with null.
Value patch_to(Value wanted, const Value& present) {
    for (const Member& member : *present.as_object()) {
        Value* kept = wanted.find(member.name);
        if (!kept)
            wanted.set(member.name, nullptr);
        else if (kept->as_object() && member.value.as_object())
            *kept = patch_to(*kept, member.value);
    }
    return wanted;
}

Value patch_body(const Manifest& manifest, const Value& present) {
    Value body = patch_to(manifest.wanted, present);
    if (manifest.kind != "volume") return body;
    for (std::string_view fixed : {"format", "image", "pool"})
        body.erase(fixed);  // of a volume only size and labels change
    return body;
}

Result<Value> act(Context& context, const Step& step) {
    const Manifest& manifest = step.manifest;
    std::string path = resource(collection(manifest), manifest.name);
    if (step.deed == Deed::kCreate)
        return blamed(
            context.remote().post(collection(manifest), scope(manifest), creation_body(manifest)),
            manifest);
    if (manifest.kind == "vm")
        return blamed(context.remote().put(path, scope(manifest), manifest.wanted, step.revision),
                      manifest);
    if (manifest.kind == "image")
        return fail(
            ErrorCode::kConflict,
            fmt::format("{}: image \"{}\" is there already and differs; images do not change",
                        manifest.where, manifest.name),
            "give the new one another name, or delete the old one first");
    ASSIGN_OR_RETURN(std::vector<Value> before, parse_yaml(step.before));
    Value present = before.empty() ? Value::object() : before.front();
    return blamed(context.remote().patch(path, scope(manifest), patch_body(manifest, present)),
                  manifest);
}

std::string title(const Step& step) {
    const Manifest& manifest = step.manifest;
    std::string project =
        manifest.kind == "vm" || manifest.kind == "volume" ? manifest.project + "/" : "";
    return fmt::format("{} {}{}", manifest.kind, project, manifest.name);
}

void show(Context& context, const Step& step) {
    const Colours& colours = context.screen.out_colours;
    switch (step.deed) {
        case Deed::kNothing: return context.out(fmt::format("{}: unchanged\n", title(step)));
        case Deed::kCreate:
            context.out(colours.bold(title(step) + ": would be created") + "\n");
            break;
        case Deed::kReplace:
            context.out(colours.bold(title(step) + ": would be changed") + "\n");
            break;
    }
    context.out(render_diff(diff_lines(step.before, step.after), colours));
}

void say(Context& context, const Step& step, const Value& document) {
    if (context.format == Format::kName) return context.out(step.manifest.name + "\n");
    if (!context.for_people()) return print_one(context, document, {});
    bool same = step.deed == Deed::kReplace && document.number("revision") == step.revision;
    std::string_view deed = step.deed == Deed::kCreate            ? "created"
                            : step.deed == Deed::kNothing || same ? "unchanged"
                                                                  : "changed";
    context.out(fmt::format("{}: {}\n", title(step), deed));
    if (step.manifest.kind == "vm" && step.deed == Deed::kReplace)
        note_next_start(context, step.manifest.project, step.present, document);
}

Outcome wait_for_vms(Context& context, const std::vector<Step>& steps) {
    MonoTime end = context.clock.mono() + context.timeout.value_or(kApplyTimeout);
    std::string project = context.project;
    Outcome result;
    for (const Step& step : steps) {
        if (step.manifest.kind != "vm" || step.deed == Deed::kNothing) continue;
        std::string run = step.manifest.wanted.text("spec.run");
        context.project = step.manifest.project;
        Millis left = std::max(end - context.clock.mono(), Millis{1});
        auto vm = wait_for_vm(context, step.manifest.name, run.empty() ? "running" : run, left);
        if (!vm) {
            result = tl::unexpected(vm.error());
            break;
        }
    }
    context.project = project;
    return result;
}

Outcome apply(Context& context, const Args& args) {
    bool dry_run = args.has("dry-run");
    if (dry_run && !context.for_people())
        return usage("--dry-run shows the difference as text", "leave out -o");
    auto manifests = read_files(context, args.all("file"));
    if (!manifests) return tl::unexpected(manifests.error());
    std::vector<Step> steps;
    for (Manifest& manifest : *manifests) {
        ASSIGN_OR_RETURN(Step step, look_at(context, std::move(manifest)));
        if (dry_run) {
            show(context, step);
            continue;
        }
        Value document;
        if (step.deed != Deed::kNothing) {
            ASSIGN_OR_RETURN(document, act(context, step));
        }
        say(context, step, document);
        steps.push_back(std::move(step));
    }
    return args.has("wait") ? wait_for_vms(context, steps) : Outcome{};
}

}  // namespace

std::vector<Command> apply_commands() {
    Command command;
    command.path = "apply";
    command.summary = "Make documents of YAML or JSON files true: create or replace";
    command.details =
        "A file holds one or more documents with kind (vm, volume, image, project, node), name "
        "and, where wanted, project. A VM's\n"
        "spec is replaced as a whole: what a file leaves out gets its default. What `-o yaml` "
        "prints can be applied again. All files\n"
        "are read before anything is done; then it goes document by document and stops at the "
        "first refusal. What a VM that runs gets only when it is started again (CPUs, memory, "
        "disks, networks ...) is said.";
    command.examples = {"blixard apply -f web.yaml", "blixard apply -f web.yaml --dry-run",
                        "blixard list -o yaml > all.yaml; blixard apply -f all.yaml",
                        "blixard apply -f project.yaml -f vms.yaml --wait --timeout 5m"};
    command.options = joined({{"-f,--file",
                               "FILE",
                               "a YAML or JSON file, or - for the standard input; may be repeated",
                               true,
                               {},
                               Offer::kFile},
                              {"--dry-run", "", "show what would change, change nothing"},
                              {"--wait", "", "wait until the VMs are as they are wanted"},
                              {"--no-wait", "", "return as soon as all is accepted (the default)"},
                              {"--timeout", "SPAN", "how long --wait waits (default 3m)"}},
                             project_options());
    command.run = [](Context& context, const Args& args) -> Outcome {
        if (!args.has("file")) return usage("no file is named", "blixard apply -f FILE");
        return apply(context, args);
    };
    return {command};
}

}  // namespace blixard::cli
