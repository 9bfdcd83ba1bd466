// image: what VMs boot from.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/child.h"
#include "cli/context.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/removal.h"
#include "cli/units.h"
#include "cli/vm_view.h"
#include "model/validate.h"
#include "os/files.h"
#include "os/unique_fd.h"

namespace blixard::cli {
namespace {

// Reboots on a panic; the clock rate spares a guest without KVM a calibration that it cannot
// finish.
constexpr std::string_view kDemoCommandLine = "console=ttyS0 panic=-1 tsc_early_khz=2000000";

struct ImagePart {
    std::string role;
    std::string path;
};

std::string size_of(const Value& image) {
    std::int64_t bytes = 0;
    for (const Value& file : image.items("files")) bytes += file.number("size_bytes");
    return bytes_text(bytes);
}

std::string kind_of(const Value& image) {
    std::string kind;
    for (const Value& file : image.items("files")) {
        std::string role = file.text("role");
        kind += (kind.empty() ? "" : "+") + (role == "disk" ? file.text("format") + " disk" : role);
    }
    return kind;
}

View image_view(WallTime now) {
    View view;
    view.nothing =
        "no images here yet; import one with: blixard image import FILE, or make one: blixard "
        "image build-demo";
    view.columns = {{"NAME"},
                    {"FILES"},
                    {"SIZE", true},
                    {"AGE", true},
                    {"DESCRIPTION"},
                    {"LABELS", false, true},
                    {"SHA256", false, true}};
    view.row = [now](const Value& image) -> std::vector<Cell> {
        std::string sha256 =
            image.items("files").empty() ? "" : image.items("files").front().text("sha256");
        return {image.text("name"),
                kind_of(image),
                size_of(image),
                age_text(image.text("created_at"), now),
                image.text("description"),
                labels_text(image.at("labels")),
                sha256.substr(0, 16)};
    };
    return view;
}

std::string image_details(const Value& image, WallTime now, const Colours& colours) {
    Facts facts;
    facts.add("Name", image.text("name"));
    facts.add("Description", image.text("description"));
    bool first = true;
    for (const Value& file : image.items("files")) {
        std::string text = fmt::format("{} {} sha256 {}", file.text("role"),
                                       bytes_text(file.number("size_bytes")), file.text("sha256"));
        if (std::int64_t size = file.number("virtual_size_mib"); size > 0)
            text += fmt::format(", {} of {}", file.text("format"), mib_text(size));
        facts.add(std::exchange(first, false) ? "Files" : "", text);
    }
    facts.add("Command line", image.text("command_line"));
    facts.add("Labels", labels_text(image.at("labels")));
    facts.add("Created", age_text(image.text("created_at"), now) + " ago");
    facts.add("Revision", std::to_string(image.number("revision")));
    return facts.render(colours);
}

Outcome list(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value::Array images, context.remote().list("/v1/images", {}));
    print_list(context, images, image_view(context.now()));
    return {};
}

Outcome show(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(Value image, context.remote().get(resource("/v1/images", args.get("name"))));
    print_one(context, image,
              [&] { return image_details(image, context.now(), context.screen.out_colours); });
    return {};
}

Outcome remove(Context& context, const Args& args) {
    return remove_each(context, "image", "/v1/images", args.all("name"), {});
}

// The sha256 that the daemon found.
tl::expected<std::string, Failure> upload(Context& context, const std::string& path) {
    // A pipe without a writer would keep open() waiting.
    os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0)
        return usage(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
    if (!S_ISREG(status.st_mode)) return usage(fmt::format("{} is no regular file", path));
    auto size = static_cast<std::uint64_t>(status.st_size);
    if (size == 0) return usage(fmt::format("{} is empty", path));
    Progress progress(context.screen, context.clock, path.substr(path.rfind('/') + 1), size);
    auto blob = context.remote().upload("/v1/blobs", {}, file.get(), size,
                                        [&](std::uint64_t done) { progress.update(done); });
    if (!blob) return tl::unexpected(Failure(blob.error()));
    progress.finish();
    return blob->text("sha256");
}

// What the daemon would say once all is uploaded.
Outcome check_name_is_free(Context& context, const std::string& name) {
    if (const Status valid = model::validate_name(name, "name"); !valid)
        return tl::unexpected(Failure(valid.error()));
    auto present = context.remote().get(resource("/v1/images", name));
    if (present)
        return tl::unexpected(Failure(Error{
            ErrorCode::kExists, fmt::format("image \"{}\" is there already", name), "name",
            fmt::format("take another name, or delete it first: blixard image delete {}", name)}));
    if (present.error().code != ErrorCode::kNotFound)
        return tl::unexpected(Failure(present.error()));
    return {};
}

Outcome create(Context& context, const std::string& name, const std::vector<ImagePart>& parts,
               Value body) {
    body.set("name", name);
    Value files;
    for (const ImagePart& part : parts) {
        auto sha256 = upload(context, part.path);
        if (!sha256) return tl::unexpected(sha256.error());
        files.push(Value::object({{"role", part.role}, {"sha256", *sha256}}));
    }
    body.set("files", std::move(files));
    ASSIGN_OR_RETURN(Value image, context.remote().post("/v1/images", {}, body));
    print_one(context, image, [&] {
        return fmt::format("image {}: imported ({}, {})\n", name, kind_of(image), size_of(image));
    });
    return {};
}

// "Debian 13.qcow2" -> "debian-13"
std::string name_from(const std::string& path) {
    std::string base = path.substr(path.rfind('/') + 1);
    for (std::string_view ending : {".qcow2", ".raw", ".img", ".bin"})
        if (base.size() > ending.size() && base.ends_with(ending))
            base = base.substr(0, base.size() - ending.size());
    std::string name;
    for (char c : base) {
        char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        bool legal = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');
        if (legal)
            name += small;
        else if (!name.empty() && name.back() != '-')
            name += '-';
    }
    name.resize(std::min(name.size(), model::kNameLengthMax));
    while (name.ends_with('-')) name.pop_back();
    return name;
}

Outcome import(Context& context, const Args& args) {
    std::vector<std::string> words = args.all("file");
    if (args.has("name")) words.push_back(args.get("name"));
    bool has_kernel = args.has("kernel");
    if (args.has("initrd") && !has_kernel) return usage("--initrd needs --kernel");
    // A kernel needs no disk: then a single word is the name.
    std::string name = words.empty() || (words.size() == 1 && !has_kernel) ? "" : words.back();
    std::string disk = words.empty() || (words.size() == 1 && has_kernel) ? "" : words.front();
    if (disk.empty() && !has_kernel)
        return usage("nothing to import",
                     "blixard image import FILE [NAME], or --kernel FILE [--initrd FILE] NAME");
    if (name.empty()) name = name_from(disk.empty() ? args.get("kernel") : disk);
    if (name.empty())
        return usage("no name can be made of the file's name", "blixard image import FILE NAME");
    std::vector<ImagePart> parts;
    if (!disk.empty()) parts.push_back({"disk", disk});
    if (has_kernel) parts.push_back({"kernel", args.get("kernel")});
    if (args.has("initrd")) parts.push_back({"initrd", args.get("initrd")});
    for (const ImagePart& part : parts)
        if (::access(part.path.c_str(), R_OK) != 0)
            return usage(fmt::format("{} cannot be read: {}", part.path, std::strerror(errno)));
    Value body = Value::object();
    if (args.has("description")) body.set("description", args.get("description"));
    if (args.has("command-line")) body.set("command_line", args.get("command-line"));
    Value labels;
    for (const std::string& text : args.all("label")) {
        auto label = parse_label(text);
        if (!label) return usage_of("--label", label.error());
        labels.set(label->first, label->second);
    }
    if (!labels.is_null()) body.set("labels", std::move(labels));
    if (Outcome free = check_name_is_free(context, name); !free) return free;
    return create(context, name, parts, std::move(body));
}

// Beside the binary in a build tree or an installation.
Result<std::string> find_guest_builder(const Context& context) {
    std::vector<std::string> places;
    if (std::string tools = context.env("BLIXARD_TOOLS"); !tools.empty()) places.push_back(tools);
    char self[4096];
    ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
    if (length > 0) {
        std::string directory =
            os::parent_directory(std::string(self, static_cast<std::size_t>(length)));
        for (std::string_view place : {"/../tools", "/../share/blixard", "/../share/blixard/tools"})
            places.push_back(directory + std::string(place));
    }
    for (const std::string& place : places)
        if (::access((place + "/make_guest.sh").c_str(), X_OK) == 0)
            return place + "/make_guest.sh";
    return fail(ErrorCode::kInternal,
                fmt::format("make_guest.sh is not in {}", fmt::join(places, ", ")),
                "name its directory in BLIXARD_TOOLS");
}

Outcome build_demo(Context& context, const Args& args) {
    std::string name = args.get("name", "demo");
    auto present = context.remote().get(resource("/v1/images", name));
    if (present) {
        print_one(context, *present, [&] {
            return fmt::format("image {}: is here already ({})\n", name, size_of(*present));
        });
        return {};
    }
    if (present.error().code != ErrorCode::kNotFound)
        return tl::unexpected(Failure(present.error()));
    auto script = find_guest_builder(context);
    if (!script) return other_failure(script.error().message, script.error().help);
    ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::make());
    std::vector<std::string> words{*script, directory.path()};
    if (args.has("kernel")) words.push_back(args.get("kernel"));
    if (Status built = run_child(words, ChildOutput::kStderr); !built)
        return other_failure(
            fmt::format("the demo guest cannot be built: {}", built.error().message),
            "its own words are above");
    Value body = Value::object({{"description", "demo guest: Debian's cloud kernel and busybox"},
                                {"command_line", args.get("command-line", kDemoCommandLine)}});
    return create(
        context, name,
        {{"kernel", directory.path() + "/vmlinuz"}, {"initrd", directory.path() + "/initrd"}},
        std::move(body));
}

}  // namespace

std::vector<Command> image_commands() {
    std::vector<Command> commands;
    commands.push_back({"image import",
                        "Import a disk image or a kernel",
                        "FILE is a qcow2 or raw disk. With --kernel (and --initrd) the VM boots "
                        "that kernel directly; FILE may then be left out.\n"
                        "NAME is made of the file's name where it is not given.",
                        {"blixard image import debian-13.qcow2",
                         "blixard image import disk.raw web-base --label os=debian",
                         "blixard image import --kernel vmlinuz --initrd initrd.img --command-line "
                         "\"console=ttyS0\" tiny"},
                        {{"FILE", "the disk image", false, false, Offer::kFile},
                         {"NAME", "the image's name", false}},
                        {{"--kernel", "FILE", "a Linux kernel", false, {}, Offer::kFile},
                         {"--initrd", "FILE", "its initial RAM disk", false, {}, Offer::kFile},
                         {"--command-line", "TEXT", "the kernel's command line"},
                         {"--description", "TEXT", "for people"},
                         {"-l,--label", "KEY=VALUE", "a label; may be repeated", true}},
                        import});
    commands.push_back({"image list",
                        "List images",
                        "",
                        {"blixard image list", "blixard image list -o wide"},
                        {},
                        {},
                        list});
    commands.push_back({"image show",
                        "Show an image and its files",
                        "",
                        {"blixard image show demo"},
                        {{"NAME", "the image", true, false, Offer::kImage}},
                        {},
                        show});
    commands.push_back({"image delete",
                        "Delete images",
                        "Refused while a VM or a volume uses one; the answer names them.\n"
                        "Each host deletes the files 10 minutes later (the daemon's "
                        "image_grace_s), unless another "
                        "image or a disk that is left there needs them.",
                        {"blixard image delete demo"},
                        {{"NAME", "the image, or several", true, true, Offer::kImage}},
                        {},
                        remove});
    commands.push_back(
        {"image build-demo",
         "Make a small guest out of Debian's kernel and busybox, and import it",
         "It prints a boot line, runs a shell on ttyS0, answers a graceful stop and "
         "serves a page on port 80.",
         {"blixard image build-demo", "blixard image build-demo --name tiny"},
         {},
         {{"--name", "NAME", "the image's name (default demo)"},
          {"--kernel",
           "DIR",
           "an unpacked linux-image-*-cloud-amd64 package (default: downloaded with apt-get)",
           false,
           {},
           Offer::kFile},
          {"--command-line", "TEXT", "the kernel's command line"}},
         build_demo});
    return commands;
}

}  // namespace blixard::cli
