#include "api/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/call.h"
#include "api/cursor.h"
#include "base/mutant.h"
#include "model/merge_patch.h"

namespace blixard::api {
namespace {

using Labels = std::map<std::string, std::string>;

bool matches(const ListQuery& query, const Labels& labels) {
    return std::all_of(query.labels.begin(), query.labels.end(), [&](const auto& wanted) {
        const auto found = labels.find(wanted.first);
        return found != labels.end() && found->second == wanted.second;
    });
}

const Labels kNoLabels;

// One list being made: takes what is found in order, until it is full.
class ListBody {
 public:
    ListBody(const view::Snapshot& state, const ListQuery& query) : state_(state), query_(query) {}

    // False: the page is full, and there is more. `vm` stays where it is until take().
    bool add(const view::VmEntry& vm) {
        if (!vm.record || (query_.phase && vm.phase != *query_.phase)) return true;
        if (!matches(query_, vm.record->value.spec.labels)) return true;
        if (full()) {
            if (mutant(MutantId::kPageSkipsOne)) last_ = vm.key;
            return false;
        }
        vms_.push_back(&vm);
        take_key(vm);
        return true;
    }
    bool add(const view::NodeEntry& node) {
        if (!matches(query_, node.spec ? node.spec->value.labels : kNoLabels)) return true;
        return append(node, [&] { return view::document(node, state_); });
    }
    bool add(const view::VolumeEntry& volume) {
        if (!volume.record || !matches(query_, volume.record->value.labels)) return true;
        return append(volume, [&] { return view::document(volume); });
    }
    bool add(const view::OperationEntry& operation) { return add_unlabelled(operation); }
    bool add(const view::FailoverEntry& failover) { return add_unlabelled(failover); }
    template <class T>
    bool add(const view::SingleEntry<T>& entry) {
        if (!matches(query_, entry.record->value.labels)) return true;
        return append(entry, [&] { return view::document(entry); });
    }

    std::string take() {
        std::string body = R"({"items":[)";
        join_vms(body);
        body += items_;
        fmt::format_to(std::back_inserter(body), R"(],"revision":{})", state_.revision);
        if (more_)
            fmt::format_to(std::back_inserter(body), R"(,"next":"{}")",
                           encode_cursor(query_.kind, last_));
        body += '}';
        return body;
    }

 private:
    static constexpr std::size_t kFrameBytes = 256;  // what stands around the items

    bool full() {
        more_ = count_ == query_.limit;
        return more_;
    }
    template <class Entry>
    void take_key(const Entry& entry) {
        ++count_;
        last_ = entry.key;
    }
    template <class Entry>
    bool add_unlabelled(const Entry& entry) {
        return !query_.labels.empty() || append(entry, [&] { return view::document(entry); });
    }
    template <class Entry, class Document>
    bool append(const Entry& entry, const Document& document) {
        if (full()) return false;
        append_item(items_, document());
        take_key(entry);
        return true;
    }
    void append_item(std::string& body, const std::string& document) const {
        if (!body.empty() && body.back() == '}') body += ',';
        if (query_.fields.empty())
            body += document;
        else
            body += model::select_fields(document, query_.fields);
    }

    // A VM's document is kept as the bytes that go out. Of many VMs, none of them is in the caches:
    // those of the next ones are asked for while one is copied.
    void join_vms(std::string& body) const {
        if (query_.fields.empty()) {
            std::size_t bytes = kFrameBytes;
            for (const view::VmEntry* vm : vms_) bytes += vm->document.size() + 1;
            body.reserve(bytes);
        }
        for (std::size_t i = 0; i < vms_.size(); ++i) {
            constexpr std::size_t kAhead = 4;
            if (i + kAhead < vms_.size()) fetch(vms_[i + kAhead]->document);
            append_item(body, vms_[i]->document);
        }
    }
    static void fetch(const std::string& document) {
        constexpr std::size_t kLine = 64;
        for (std::size_t at = 0; at < document.size(); at += kLine)
            __builtin_prefetch(document.data() + at);
    }

    const view::Snapshot& state_;
    const ListQuery& query_;
    std::vector<const view::VmEntry*> vms_;
    std::string items_;      // of all other kinds, which are written when they are found
    std::string_view last_;  // a key of the state
    std::size_t count_ = 0;
    bool more_ = false;
};

// Where the keys of a list begin, and what they all begin with.
std::string key_prefix(const ListQuery& query) {
    if (!lies_in_project(query.kind)) return query.prefix;
    return query.project == "*" ? std::string{} : query.project + "/" + query.prefix;
}

bool has_prefix(const ListQuery& query, std::string_view name) {
    return query.prefix.empty() || name.starts_with(query.prefix);
}

template <class Entry>
std::string_view name_of(const Entry& entry) {
    if constexpr (requires { entry.project_size; })
        return entry.name();
    else
        return entry.key;
}

template <class Entry>
void scan(const view::PersistentMap<Entry>& table, const ListQuery& query, ListBody& body) {
    const std::string prefix = key_prefix(query);
    table.scan(std::max(prefix, query.after), [&](const std::shared_ptr<const Entry>& entry) {
        if (!entry->key.starts_with(prefix)) return false;
        if (entry->key == query.after || !has_prefix(query, name_of(*entry))) return true;
        return body.add(*entry);
    });
}

void scan_node(const view::Snapshot& state, const ListQuery& query, ListBody& body) {
    const std::string node = query.node + "/";
    const std::string prefix = node + key_prefix(query);
    const std::string after = query.after.empty() ? std::string{} : node + query.after;
    state.vms_by_node.scan(std::max(prefix, after),
                           [&](const std::shared_ptr<const view::IndexedVm>& placed) {
                               if (!placed->key.starts_with(prefix)) return false;
                               const view::VmEntry* vm = state.vms.find(placed->vm());
                               if (!vm || vm->key == query.after || !has_prefix(query, vm->name()))
                                   return true;
                               return body.add(*vm);
                           });
}

// Of a host that has been forgotten, what was placed there last is shown as long as it is there.
bool has_vms_of(const view::Snapshot& state, const std::string& node) {
    bool found = false;
    state.for_each_vm_on(node, [&](const view::VmEntry&) {
        found = true;
        return false;
    });
    return found;
}

Result<std::pair<std::string, std::string>> parse_label(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return fail_field("label", fmt::format("\"{}\" is not KEY=VALUE", text),
                          "write label=tier=web; several of them must all match");
    return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Status parse_vm_filters(const Request& request, ListQuery& query) {
    const std::string* phase = request.find_query("phase");
    const std::string* node = request.find_query("node");
    if (query.kind != Kind::kVm && (phase || node))
        return fail_field(phase ? "phase" : "node", "only VMs can be filtered by this",
                          "leave it out");
    if (node) query.node = *node;
    if (!phase) return {};
    query.phase = model::enum_value<model::Phase>(*phase);
    if (query.phase) return {};
    return fail_field(
        "phase", fmt::format("there is no phase \"{}\"", *phase),
        "phases: pending, scheduled, starting, running, paused, stopping, stopped, failed");
}

}  // namespace

Result<ListQuery> parse_list(const Request& request, Kind kind) {
    ListQuery query;
    query.kind = kind;
    if (lies_in_project(kind)) {
        ASSIGN_OR_RETURN(query.project, project_of(request, true));
    }
    ASSIGN_OR_RETURN(const std::int64_t limit,
                     number_of(request, "limit", 1, kListLimitMax, kListLimitDefault));
    query.limit = static_cast<std::size_t>(limit);
    for (const auto& [name, value] : request.query) {
        if (name != "label") continue;
        ASSIGN_OR_RETURN(auto label, parse_label(value));
        query.labels.push_back(std::move(label));
    }
    RETURN_IF_ERROR(parse_vm_filters(request, query));
    if (const std::string* prefix = request.find_query("prefix")) query.prefix = *prefix;
    if (const std::string* after = request.find_query("after"); after && !after->empty()) {
        ASSIGN_OR_RETURN(query.after, decode_cursor(kind, *after));
    }
    if (const std::string* fields = request.find_query("fields")) {
        ASSIGN_OR_RETURN(query.fields, model::parse_field_paths(*fields));
    }
    return query;
}

Status check_list(const view::Snapshot& state, const ListQuery& query) {
    if (lies_in_project(query.kind) && query.project != "*" && !has_project(state, query.project))
        return fail(not_found({Kind::kProject, {}, query.project}));
    if (!query.node.empty() && !state.nodes.find(query.node) && !has_vms_of(state, query.node))
        return fail(not_found({Kind::kNode, {}, query.node}));
    return {};
}

std::string list_body(const view::Snapshot& state, const ListQuery& query) {
    ListBody body(state, query);
    switch (query.kind) {
        case Kind::kVm:
            query.node.empty() ? scan(state.vms, query, body) : scan_node(state, query, body);
            break;
        case Kind::kNode: scan(state.nodes, query, body); break;
        case Kind::kImage: scan(state.images, query, body); break;
        case Kind::kVolume: scan(state.volumes, query, body); break;
        case Kind::kProject: scan(state.projects, query, body); break;
        case Kind::kOperation: scan(state.operations, query, body); break;
        case Kind::kFailover: scan(state.failovers, query, body); break;
    }
    return body.take();
}

SharedText ListCache::find(const std::string& query, view::Revision revision) const {
    if (revision != revision_) return nullptr;
    const auto found = bodies_.find(query);
    return found == bodies_.end() ? nullptr : found->second;
}

void ListCache::keep(const std::string& query, view::Revision revision, SharedText body) {
    if (revision != revision_ || bodies_.size() >= kEntriesMax) bodies_.clear();
    revision_ = revision;
    if (body->size() <= kBodyBytesMax) bodies_[query] = std::move(body);
}

}  // namespace blixard::api
