#include "api/subject.h"

#include <fmt/format.h>

#include "model/keys.h"
#include "model/requests.h"

namespace blixard::api {
namespace {

constexpr std::string_view kKindNames[] = {"vm",      "node",      "image",   "volume",
                                           "project", "operation", "failover"};

template <class Entry>
Found found(const Entry& entry, std::string uid) {
    return {std::make_shared<const std::string>(view::document(entry)), entry.revision,
            std::move(uid)};
}

// "blixard list", "blixard image list", "blixard volume list -p shop"
std::string list_command(const Subject& subject) {
    const std::string command = subject.kind == Kind::kVm
                                    ? "blixard list"
                                    : fmt::format("blixard {} list", kind_name(subject.kind));
    if (subject.project.empty() || subject.project == model::kDefaultProject) return command;
    return fmt::format("{} -p {}", command, subject.project);
}

}  // namespace

std::string_view kind_name(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<Kind> kind_of(std::string_view name) {
    for (std::size_t i = 0; i < std::size(kKindNames); ++i)
        if (kKindNames[i] == name) return static_cast<Kind>(i);
    return std::nullopt;
}

bool lies_in_project(Kind kind) { return kind == Kind::kVm || kind == Kind::kVolume; }

std::string Subject::key() const {
    return lies_in_project(kind) ? fmt::format("{}/{}", project, name) : name;
}

std::string Subject::text() const {
    if (project.empty() || project == model::kDefaultProject)
        return fmt::format("{} \"{}\"", kind_name(kind), name);
    return fmt::format("{} \"{}\" of project \"{}\"", kind_name(kind), name, project);
}

std::optional<Found> find(const view::Snapshot& state, const Subject& subject) {
    const std::string key = subject.key();
    switch (subject.kind) {
        case Kind::kVm: {
            std::shared_ptr<const view::VmEntry> vm = state.vms.find_shared(key);
            if (!vm || !vm->record) return std::nullopt;
            const std::string* document = &vm->document;
            Found result{nullptr, vm->revision, vm->record->value.uid.str()};
            result.document = SharedText(std::move(vm), document);
            return result;
        }
        case Kind::kNode: {
            const view::NodeEntry* node = state.nodes.find(key);
            if (!node) return std::nullopt;
            return Found{std::make_shared<const std::string>(view::document(*node, state)),
                         node->revision, node->spec ? node->spec->value.uid : ""};
        }
        case Kind::kVolume: {
            const view::VolumeEntry* volume = state.volumes.find(key);
            if (!volume || !volume->record) return std::nullopt;
            return found(*volume, volume->record->value.uid);
        }
        case Kind::kImage:
            if (const auto* image = state.images.find(key))
                return found(*image, image->record->value.uid);
            return std::nullopt;
        case Kind::kProject:
            if (const auto* project = state.projects.find(key))
                return found(*project, project->record->value.uid);
            return std::nullopt;
        case Kind::kOperation:
            if (const auto* operation = state.operations.find(key)) return found(*operation, "");
            return std::nullopt;
        case Kind::kFailover:
            if (const auto* failover = state.failovers.find(key)) return found(*failover, "");
            return std::nullopt;
    }
    return std::nullopt;
}

Error not_found(const Subject& subject) {
    const std::string where = lies_in_project(subject.kind)
                                  ? fmt::format("in project \"{}\"", subject.project)
                                  : std::string("here");
    return {ErrorCode::kNotFound,
            fmt::format("there is no {} \"{}\" {}", kind_name(subject.kind), subject.name, where),
            {},
            fmt::format("see: {}", list_command(subject))};
}

Error not_understood(const Subject& subject) {
    return {ErrorCode::kConflict,
            fmt::format(
                "{} was written by a newer version of Blixard, which this host does not understand",
                subject.text()),
            {},
            "ask a host of that version, or upgrade this one"};
}

Error not_there(const view::Snapshot& state, const Subject& subject) {
    const view::VmEntry* vm = subject.kind == Kind::kVm ? state.vms.find(subject.key()) : nullptr;
    if (vm && vm->not_understood != 0) return not_understood(subject);
    if (subject.kind == Kind::kVolume &&
        state.unread.find(model::volume_key(subject.project, subject.name, "spec")))
        return not_understood(subject);
    if (lies_in_project(subject.kind) && !has_project(state, subject.project))
        return not_found({Kind::kProject, {}, subject.project});
    return not_found(subject);
}

bool has_project(const view::Snapshot& state, const std::string& name) {
    return name == model::kDefaultProject || state.projects.find(name);
}

}  // namespace blixard::api
