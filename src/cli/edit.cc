// edit: the spec of a VM in the user's editor, until the daemon takes it or the user gives up.
#include <fmt/format.h>

#include "cli/child.h"
#include "cli/context.h"
#include "cli/vm_view.h"
#include "cli/yaml.h"
#include "os/files.h"

namespace blixard::cli {
namespace {

constexpr int kTriesMax = 50;

std::vector<std::string> editor_words(const Context& context) {
    std::string editor = context.env("VISUAL");
    if (editor.empty()) editor = context.env("EDITOR");
    if (editor.empty()) editor = "vi";
    std::vector<std::string> words;
    for (std::size_t at = 0; at < editor.size();) {
        std::size_t end = std::min(editor.find(' ', at), editor.size());
        if (end > at) words.push_back(editor.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

std::string commented(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        out.append("# ").append(text.substr(0, end)).append("\n");
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string page_of(const std::string& name, const std::string& body, const Error* refusal) {
    std::string page =
        commented(fmt::format("The spec of VM {}. Save and leave to change it; empty the file, or "
                              "leave it as it is, to change nothing.",
                              name));
    if (refusal) page += "#\n" + commented("Refused:\n" + render_error(*refusal, Colours(false)));
    return page + body;
}

// What stands in the file without the comment lines at its top.
std::string body_of(std::string_view page) {
    while (page.starts_with('#')) {
        std::size_t end = page.find('\n');
        page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
    }
    return std::string(page);
}

Result<Value> spec_of(const std::string& body) {
    ASSIGN_OR_RETURN(std::vector<Value> documents, parse_yaml(body));
    if (documents.size() != 1 || !documents.front().find("spec"))
        return fail(ErrorCode::kInvalid,
                    "the file must hold one document with \"spec:\" at its top");
    return Value::object({{"spec", *documents.front().find("spec")}});
}

Outcome edit(Context& context, const Args& args) {
    std::string name = args.get("name");
    ASSIGN_OR_RETURN(Value vm,
                     context.remote().get(resource("/v1/vms", name), context.in_project()));
    std::int64_t revision = vm.number("revision");
    const std::string original =
        to_yaml(Value::object({{"spec", vm.find("spec") ? *vm.find("spec") : Value::object()}}));
    ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::make());
    const std::string path = directory.path() + "/" + "vm.yaml";
    std::string body = original;
    std::optional<Error> refusal;
    for (int tries = 0; tries < kTriesMax; ++tries) {
        RETURN_IF_ERROR(os::replace_file(path, page_of(name, body, refusal ? &*refusal : nullptr)));
        std::vector<std::string> words = editor_words(context);
        words.push_back(path);
        if (Status edited = run_child(words, ChildOutput::kTerminal); !edited)
            return other_failure(edited.error().message, "name an editor in EDITOR");
        ASSIGN_OR_RETURN(std::string page, os::read_file(path));
        std::string before = std::exchange(body, body_of(page));
        bool given_up =
            body.find_first_not_of(" \t\r\n") == std::string::npos || (refusal && body == before);
        if (given_up && refusal) return tl::unexpected(Failure(*refusal));
        if (given_up || body == original) {
            context.note(fmt::format("{}: nothing changed\n", name));
            return {};
        }
        auto change = spec_of(body);
        auto answer = change ? context.remote().put(resource("/v1/vms", name), context.in_project(),
                                                    *change, revision)
                             : change;
        if (answer) {
            print_one(context, *answer, [&] { return fmt::format("{}: changed\n", name); });
            note_next_start(context, context.project, vm, *answer);
            return {};
        }
        refusal = answer.error();
        if (refusal->code == ErrorCode::kConflict) {
            // Somebody else was quicker: the next save is meant to go over it, and the page says
            // so.
            ASSIGN_OR_RETURN(Value present,
                             context.remote().get(resource("/v1/vms", name), context.in_project()));
            revision = present.number("revision");
            refusal->help =
                "it was changed meanwhile; change anything here and save again to go over that";
        }
    }
    return other_failure(fmt::format("refused {} times", kTriesMax));
}

}  // namespace

std::vector<Command> edit_commands() {
    return {{"edit",
             "Edit the spec of a VM in $EDITOR",
             "The editor opens again with the reason where the daemon refuses the change; leaving "
             "it unchanged then gives up. What a VM that runs gets only when it is started again "
             "(CPUs, memory, disks, networks ...) is said.",
             {"blixard edit web-1", "EDITOR=nano blixard edit web-1"},
             {{"NAME", "the VM", true, false, Offer::kVm}},
             project_options(),
             edit}};
}

}  // namespace blixard::cli
