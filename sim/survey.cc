#include "sim/survey.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "model/merge_patch.h"
#include "sim/api_history.h"
#include "sim/operators.h"

namespace blixard::sim {
namespace {

using Names = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kPage = 7;
constexpr std::size_t kPagesMost = 1000;

// The names in a page, as they come.
Names names_in(std::string_view body) {
    constexpr std::string_view kName = "\"name\":\"";
    Names names;
    for (std::size_t at = body.find(kName); at != std::string_view::npos;
         at = body.find(kName, at)) {
        at += kName.size();
        names.emplace_back(body.substr(at, body.find('"', at) - at));
    }
    return names;
}

class Survey {
 public:
    Survey(SimHost& host, const view::Snapshot& state) : host_(host), state_(state) {}

    std::string run() {
        vms("", {}, [](const view::VmEntry&) { return true; });
        for (const char* project : {"lab", "default"})
            vms(project, {}, [&](const view::VmEntry& vm) { return vm.project() == project; });
        for (const char* phase : {"running", "pending", "stopped"})
            vms("", {{"phase", phase}}, [&](const view::VmEntry& vm) {
                return model::phase_name(view::effective_phase(vm)) == std::string_view(phase);
            });
        vms("", {{"node", host_.name()}},
            [&](const view::VmEntry& vm) { return vm.node() == host_.name(); });
        vms("", {{"label", "group=g"}}, [](const view::VmEntry& vm) {
            const auto& labels = vm.record->value.spec.labels;
            const auto found = labels.find("group");
            return found != labels.end() && found->second == "g";
        });
        vms("default", {{"prefix", "vm-1"}}, [](const view::VmEntry& vm) {
            return vm.project() == "default" && vm.name().starts_with("vm-1");
        });
        all("nodes", state_.nodes);
        all("images", state_.images);
        all("projects", state_.projects);
        Names volumes;
        state_.volumes.for_each([&](const auto& volume) {
            if (volume->record) volumes.emplace_back(volume->name());
        });
        compare("volumes", {{"project", "*"}}, volumes);
        documents();
        return wrong_;
    }

 private:
    void vms(const std::string& project, Query query,
             const std::function<bool(const view::VmEntry&)>& belongs) {
        Names names;
        state_.vms.for_each([&](const auto& vm) {
            if (vm->record && belongs(*vm)) names.emplace_back(vm->name());
        });
        query.emplace_back("project", project.empty() ? "*" : project);
        compare("vms", query, names);
    }
    template <class Table>
    void all(const std::string& kind, const Table& table) {
        Names names;
        table.for_each([&](const auto& entry) { names.push_back(entry->key); });
        compare(kind, {}, names);
    }

    // Each by itself shows what is stored, and of a host what lies there.
    void documents() {
        state_.nodes.for_each([&](const auto& node) {
            std::size_t vms = 0;
            state_.for_each_vm_on(node->key, [&](const view::VmEntry&) { return ++vms > 0; });
            document("/v1/nodes/" + node->key, {},
                     {stored(node->spec), stored(node->status), stored(node->lease),
                      fmt::format(R"("allocated":{{"vms":{},)", vms)});
        });
        state_.volumes.for_each([&](const auto& volume) {
            if (volume->record)
                document(fmt::format("/v1/volumes/{}", volume->name()), volume->project(),
                         {stored(volume->record), stored(volume->status)});
        });
        state_.images.for_each([&](const auto& image) {
            document("/v1/images/" + image->key, {}, {stored(image->record)});
        });
        state_.projects.for_each([&](const auto& project) {
            document("/v1/projects/" + project->key, {}, {stored(project->record)});
        });
        state_.operations.for_each([&](const auto& operation) {
            document("/v1/operations/" + operation->key, {}, {stored(operation->record)});
        });
    }
    template <class PartPtr>
    static std::string stored(const PartPtr& part) {
        return part ? part->bytes.substr(1, part->bytes.size() - 2) : std::string{};
    }
    void document(const std::string& path, std::string_view project, const Names& parts) {
        if (!wrong_.empty()) return;
        ask(host_, make_request("GET", path, std::string(project)),
            [&](const api::Response& response) {
                if (revision_of(response) != state_.revision) return;
                const std::string body = body_of(response);
                for (const std::string& part : parts)
                    if (response.status != 200 || body.find(part) == std::string::npos)
                        wrong_ = fmt::format("{} shows {} as {} {}, without {}", host_.name(), path,
                                             response.status, body, part);
            });
    }

    void compare(const std::string& kind, const Query& query, const Names& wanted) {
        for (const std::size_t limit : {kPage, std::size_t{1000}}) {
            if (!wrong_.empty()) return;
            const auto listed = list(kind, query, limit);
            if (!listed || *listed == wanted) continue;
            wrong_ = fmt::format("{} lists {} ({}, {} a page) as {}; there are {}", host_.name(),
                                 kind, query.empty() ? "all" : query.front().second, limit,
                                 fmt::join(*listed, " "), fmt::join(wanted, " "));
        }
    }

    // Absent: its view is not at this state.
    std::optional<Names> list(const std::string& kind, const Query& query, std::size_t limit) {
        Names names;
        std::string after;
        for (std::size_t page = 0; page < kPagesMost; ++page) {
            api::Request request = make_request("GET", "/v1/" + kind);
            request.query = query;
            request.query.emplace_back("limit", std::to_string(limit));
            request.query.emplace_back("fields", "name");
            if (!after.empty()) request.query.emplace_back("after", after);
            std::optional<api::Response> answer;
            if (!ask(host_, std::move(request), [&](const api::Response& r) { answer = r; }))
                return {};
            if (!answer || answer->status != 200) {
                wrong_ = fmt::format("{} answers {} to a list of {}", host_.name(),
                                     answer ? answer->status : 0, kind);
                return {};
            }
            if (revision_of(*answer) != state_.revision) return {};
            for (std::string& name : names_in(body_of(*answer))) names.push_back(std::move(name));
            after = text_at(*answer, "next");
            if (after.empty()) return names;
        }
        wrong_ = fmt::format("{} has no last page of {}", host_.name(), kind);
        return {};
    }

    SimHost& host_;
    const view::Snapshot& state_;
    std::string wrong_;
};

}  // namespace

std::string what_is_listed_wrongly(SimHost& host, const view::Snapshot& state) {
    return Survey(host, state).run();
}

}  // namespace blixard::sim
