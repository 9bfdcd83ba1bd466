#include "api/event_text.h"

#include <fmt/format.h>

#include <charconv>

#include "api/call.h"
#include "api/subject.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/json_writer.h"

namespace blixard::api {
namespace {

using model::RecordKind;
using view::Changed;

// Whether a change is an event: decided by the change alone, so that places are the same whenever
// it is read. A thing that goes takes its placement and status along, silently.
bool is_event(const Changed& change) {
    switch (change.kind) {
        case RecordKind::kVmPlacement:
        case RecordKind::kVmStatus:
        case RecordKind::kVolumeStatus:
        case RecordKind::kNodeStatus: return !change.deleted;
        case RecordKind::kElection:
        case RecordKind::kOther: return false;
        default: return true;
    }
}

Kind kind_of_record(RecordKind kind) {
    switch (kind) {
        case RecordKind::kNodeSpec:
        case RecordKind::kNodeStatus:
        case RecordKind::kNodeLease: return Kind::kNode;
        case RecordKind::kVolumeSpec:
        case RecordKind::kVolumeStatus: return Kind::kVolume;
        case RecordKind::kImage: return Kind::kImage;
        case RecordKind::kProject: return Kind::kProject;
        case RecordKind::kOperation: return Kind::kOperation;
        case RecordKind::kFailover: return Kind::kFailover;
        default: return Kind::kVm;
    }
}

std::string_view what_happened(const Changed& change) {
    switch (change.kind) {
        case RecordKind::kVmPlacement: return "placement";
        case RecordKind::kVmStatus:
        case RecordKind::kVolumeStatus:
        case RecordKind::kNodeStatus: return "status";
        case RecordKind::kNodeLease: return change.deleted ? "lost" : "lease";
        default: break;
    }
    if (change.deleted) return "deleted";
    if (change.created && !mutant(MutantId::kNewSaidChanged)) return "created";
    const Kind kind = kind_of_record(change.kind);
    return kind == Kind::kVm || kind == Kind::kNode || kind == Kind::kVolume ? "spec" : "changed";
}

// The VM's phase and why, as this very change says; of changes that say nothing of it, as they are.
void write_phase(const Changed& change, const view::Snapshot& state, const Subject& subject,
                 model::json::Writer& writer) {
    if (subject.kind != Kind::kVm || change.deleted) return;
    if (change.kind == RecordKind::kVmStatus) {
        const auto status = model::parse_vm_status(change.value, model::Mode::kLenient);
        if (!status) return;
        writer.member("phase", model::phase_name(status->phase));
        if (!status->message.empty()) writer.member("message", std::string_view(status->message));
        return;
    }
    if (const view::VmEntry* vm = state.vms.find(subject.key()))
        writer.member("phase", model::phase_name(vm->phase));
    if (change.kind != RecordKind::kVmPlacement) return;
    const auto placement = model::parse_placement(change.value, model::Mode::kLenient);
    if (placement && !placement->reason.empty())
        writer.member("message", std::string_view(placement->reason));
}

EventPtr make_event(const Changed& change, EventPlace place, const view::Snapshot& state) {
    const Kind kind = kind_of_record(change.kind);
    auto event = std::make_shared<Event>();
    event->place = place;
    event->type = fmt::format("{}.{}", kind_name(kind), what_happened(change));
    event->project = change.project;
    event->name = change.name;
    const Subject subject{kind, change.project, change.name};
    event->text = fmt::format("id: {}\nevent: {}\ndata: ", to_text(place), event->type);
    model::json::Writer writer(event->text);
    writer.begin_object()
        .member("revision", change.revision)
        .member("type", std::string_view(event->type));
    if (!change.project.empty()) writer.member("project", std::string_view(change.project));
    writer.member("name", std::string_view(change.name));
    write_phase(change, state, subject, writer);
    if (const auto found = find(state, subject)) writer.member("document").raw(*found->document);
    writer.end_object();
    event->text += "\n\n";
    return event;
}

// A stream of a type that no event has would be silent for ever, as if nothing happened.
Status check_type(std::string_view prefix) {
    std::string kinds;
    for (const Kind kind : {Kind::kVm, Kind::kNode, Kind::kImage, Kind::kVolume, Kind::kProject,
                            Kind::kOperation, Kind::kFailover}) {
        for (const std::string_view what :
             {"created", "spec", "changed", "deleted", "placement", "status", "lease", "lost"})
            if (fmt::format("{}.{}", kind_name(kind), what).starts_with(prefix)) return {};
        fmt::format_to(std::back_inserter(kinds), "{}{}", kinds.empty() ? "" : ", ",
                       kind_name(kind));
    }
    return fail_field("type", fmt::format("no event has a type that begins with \"{}\"", prefix),
                      fmt::format("types are KIND.WHAT, as vm.status; kinds: {}", kinds));
}

}  // namespace

std::string to_text(EventPlace place) {
    if (place.within == EventPlace::kWhole) return fmt::format("{}", place.revision);
    return fmt::format("{}-{}", place.revision, place.within);
}

std::optional<EventPlace> parse_event_place(std::string_view text) {
    EventPlace place;
    const char* const end = text.data() + text.size();
    const auto revision = std::from_chars(text.data(), end, place.revision);
    if (revision.ec != std::errc{} || place.revision < 0) return std::nullopt;
    if (revision.ptr == end) return place;
    if (*revision.ptr != '-') return std::nullopt;
    const auto within = std::from_chars(revision.ptr + 1, end, place.within);
    if (within.ec != std::errc{} || within.ptr != end || place.within < 0) return std::nullopt;
    return place;
}

Result<EventFilter> parse_event_filter(const Request& request) {
    EventFilter filter;
    if (const std::string* project = request.find_query("project"); project && *project != "*") {
        ASSIGN_OR_RETURN(filter.project, project_of(request));
    }
    if (const std::string* type = request.find_query("type")) filter.type = *type;
    RETURN_IF_ERROR(check_type(filter.type));
    if (const std::string* name = request.find_query("name")) filter.name = *name;
    return filter;
}

bool passes(const EventFilter& filter, const Event& event) {
    if (mutant(MutantId::kNameBegins) && event.name.starts_with(filter.name)) return true;
    return (filter.project.empty() || filter.project == event.project) &&
           (filter.name.empty() || filter.name == event.name) &&
           event.type.starts_with(filter.type);
}

std::vector<EventPtr> make_events(const std::vector<Changed>& changes,
                                  const view::Snapshot& state) {
    std::vector<EventPtr> events;
    events.reserve(changes.size());
    for (std::size_t first = 0; first < changes.size();) {
        std::size_t end = first;
        std::size_t last = changes.size();  // the last event of this revision
        for (; end < changes.size() && changes[end].revision == changes[first].revision; ++end)
            if (is_event(changes[end])) last = end;
        for (std::size_t i = first; i < end; ++i) {
            if (!is_event(changes[i])) continue;
            const int within = i == last ? EventPlace::kWhole : static_cast<int>(i - first);
            events.push_back(make_event(changes[i], {changes[i].revision, within}, state));
        }
        first = end;
    }
    return events;
}

std::string error_event(const Error& error) {
    const Response response = problem(error);
    return fmt::format("event: error\ndata: {}\n\n", response.body);
}

}  // namespace blixard::api
