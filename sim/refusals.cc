#include "sim/refusals.h"

#include <fmt/format.h>

#include <vector>

#include "model/merge_patch.h"
#include "model/requests.h"
#include "sim/operators.h"
#include "view/volume_file.h"

namespace blixard::sim {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

class Refusals {
 public:
    explicit Refusals(const view::Snapshot& state) : state_(state) {}

    std::vector<api::Request> run() {
        of_new_vms();
        of_vms();
        of_volumes();
        of_hosts_and_projects();
        of_reads();
        of_strangers();
        return std::move(all_);
    }

 private:
    api::Request& add(std::string method, std::string path, std::string body = {},
                      Query query = {}) {
        all_.push_back(make_request(std::move(method), std::move(path), {}, std::move(body)));
        all_.back().query = std::move(query);
        return all_.back();
    }

    void of_new_vms() {
        const auto create = [this](std::string_view spec) {
            add("POST", "/v1/vms", fmt::format(R"({{"name":"wrong","spec":{{{}}}}})", spec));
        };
        add("POST", "/v1/vms", "{");
        add("POST", "/v1/vms", R"({"spec":{"image":"demo"}})");
        add("POST", "/v1/vms", R"({"name":"No Name!","spec":{"image":"demo"}})");
        add("POST", "/v1/vms", R"({"name":"wrong","colour":"red","spec":{"image":"demo"}})");
        add("POST", "/v1/vms", R"({"name":"wrong","spec":{"image":"demo"}})",
            {{"project", "nowhere"}});
        create(R"("image":"nowhere")");
        create(R"("image":"demo","cpus":-1)");
        create(R"("image":"demo","cpus":100000)");
        create(R"("image":"demo","memory_mib":-1)");
        create(R"("image":"demo","memory_mib":"much")");
        create(R"("image":"demo","priority":-5)");
        create(R"("image":"demo","stop_timeout_s":-1)");
        create(R"("image":"demo","restart":"sometimes")");
        create(R"("image":"demo","ha":"perhaps")");
        create(R"("image":"demo","strategy":"luck")");
        create(R"("image":"demo","disks":[{"name":"a","size_mib":-5}])");
        create(R"("image":"demo","disks":[{"name":"a","size_mib":9},{"name":"a","size_mib":9}])");
        create(R"("image":"demo","disks":[{"name":"a","volume":"nowhere"}])");
        create(R"("image":"demo","affinity":[{"anti":true}])");
        create(R"("image":"demo","health":{"kind":"serial","failures":0})");
    }

    void of_vms() {
        for (const char* action : {"", "/start", "/stop", "/restart", "/pause", "/resume"}) {
            const bool deletes = std::string_view(action).empty();
            add(deletes ? "DELETE" : "POST", fmt::format("/v1/vms/nobody{}", action));
        }
        add("PATCH", "/v1/vms/nobody", R"({"spec":{"cpus":1}})");
        const view::VmEntry* runs = nullptr;
        const view::VmEntry* rests = nullptr;
        state_.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
            if (!vm->record || vm->project() != "default") return;
            if (vm->phase == model::Phase::kRunning) runs = vm.get();
            if (vm->record->value.spec.run == model::Run::kStopped && vm->node().empty())
                rests = vm.get();
        });
        if (runs) of_a_running_one(*runs);
        if (!rests) return;
        for (const char* action : {"pause", "resume"})
            add("POST", fmt::format("/v1/vms/{}/{}", rests->name(), action));
    }

    void of_a_running_one(const view::VmEntry& vm) {
        const std::string path = fmt::format("/v1/vms/{}", vm.name());
        add("DELETE", path);
        add("POST", "/v1/vms",
            fmt::format(R"({{"name":"{}","spec":{{"image":"demo"}}}})", vm.name()));
        add("PATCH", path, R"({"spec":{"memory_mib":-1}})");
        add("PATCH", path, R"({"spec":{"image":"nowhere"}})");
        add("PATCH", path, R"({"spec":{"run":"sideways"}})");
        add("PATCH", path, R"({"spec":{"colour":"red"}})");
        add("PATCH", path, R"({"uid":"another"})");
        add("PATCH", path, R"({"spec":{"labels":{"x":"y"}}})").if_match = "\"1\"";
        add("DELETE", path, {}, {{"force", "true"}}).if_match = "\"1\"";
        add("DELETE", path, {}, {{"force", "perhaps"}});
        add("POST", path + "/stop").if_match = "\"1\"";
        add("POST", path + "/stop", {}, {{"timeout_s", "-3"}});
        const model::VmSpec& spec = vm.record->value.spec;
        if (!spec.disks.empty() && spec.disks.front().name != "root")  // which an image has anyway
            add("PATCH", path, R"({"spec":{"disks":[]}})");
        if (!spec.disks.empty() && spec.disks.front().volume.empty())
            add("PATCH", path,
                fmt::format(R"({{"spec":{{"disks":[{{"name":"{}","size_mib":1,"pool":"{}"}}]}}}})",
                            spec.disks.front().name, spec.disks.front().pool));
        add("DELETE", fmt::format("/v1/images/{}", spec.image));
        of_its_disks(vm);
        if (!spec.disks.empty() && spec.disks.front().volume.empty())
            add("DELETE", fmt::format("/v1/volumes/{}-{}", vm.name(), spec.disks.front().name));
    }

    // Not while it runs; what is another VM's own; and not where its file is elsewhere.
    void of_its_disks(const view::VmEntry& vm) {
        const std::string path = fmt::format("/v1/vms/{}", vm.name());
        const auto with = [&](const std::vector<model::Disk>& disks) {
            model::VmChange change{vm.record->value.spec, {}};
            change.spec.disks = disks;
            add("PATCH", path,
                fmt::format(R"({{"spec":{{"disks":{}}}}})",
                            *model::select_member(model::to_json(change), "spec.disks")));
        };
        std::vector<model::Disk> disks = vm.record->value.spec.disks;
        for (model::Disk& disk : disks) {
            disk.read_only = !disk.read_only;
            with(disks);
            disk.read_only = !disk.read_only;
            if (disk.volume.empty())
                add("POST", "/v1/vms",
                    fmt::format(
                        R"({{"name":"wrong","spec":{{"image":"demo","disks":[{{"name":"a","volume":"{}-{}"}}]}}}})",
                        vm.name(), disk.name));
        }
        state_.volumes.scan_prefix(
            "default/", [&](const std::shared_ptr<const view::VolumeEntry>& volume) {
                const std::string_view there = view::host_of_file(*volume);
                if (!volume->record->value.vm.empty() || there.empty() || there == vm.node())
                    return true;
                std::vector<model::Disk> more = disks;
                more.push_back({.name = "elsewhere", .volume = std::string(volume->name())});
                with(more);
                return true;
            });
    }

    void of_volumes() {
        add("POST", "/v1/volumes", R"({"name":"wrong","size_mib":0})");
        add("POST", "/v1/volumes", R"({"name":"wrong","size_mib":-1})");
        add("POST", "/v1/volumes", R"({"name":"Wrong Name","size_mib":5})");
        add("DELETE", "/v1/volumes/nowhere");
        state_.volumes.for_each([&](const std::shared_ptr<const view::VolumeEntry>& volume) {
            if (!volume->record || volume->project() != "default") return;
            if (!volume->record->value.deleted_at.empty()) return;
            const std::string path = fmt::format("/v1/volumes/{}", volume->name());
            if (volume->record->value.vm.empty()) {
                add("POST", "/v1/volumes",
                    fmt::format(R"({{"name":"{}","size_mib":5}})", volume->name()));
                add("PATCH", path, R"({"size_mib":1})");
                add("PATCH", path, R"({"size_mib":9999})").if_match = "\"1\"";
            }
            bool used = false;
            state_.for_each_vm_using(view::volume_use("default", volume->name()),
                                     [&](const view::VmEntry&) { used = true; });
            if (used) add("DELETE", path);
        });
    }

    void of_hosts_and_projects() {
        add("PATCH", "/v1/nodes/nowhere", R"({"spec":{"zone":"z"}})");
        add("PATCH", "/v1/nodes/h1", R"({"spec":{"overcommit":"boundless"}})");
        add("POST", "/v1/nodes/nowhere/drain");
        add("POST", "/v1/nodes/nowhere/cordon");
        add("DELETE", "/v1/nodes/h1");
        add("POST", "/v1/projects", R"({"name":"lab"})");
        add("POST", "/v1/projects", R"({"name":"No Name"})");
        add("PATCH", "/v1/projects/lab", R"({"quota":{"vms":-1}})");
        add("PATCH", "/v1/projects/nowhere", R"({"quota":{"vms":1}})");
        for (const char* project : {"default", "lab"}) {
            bool used = false;
            state_.vms.scan_prefix(fmt::format("{}/", project), [&](const auto&) {
                used = true;
                return false;
            });
            if (used) add("DELETE", fmt::format("/v1/projects/{}", project));
        }
        add("POST", "/v1/images", R"({"name":"wrong","files":[]})");
        add("POST", "/v1/images", R"({"name":"demo","files":[{"role":"kernel","sha256":"a"}]})");
        add("DELETE", "/v1/images/nowhere");
        add("DELETE", "/v1/operations/nowhere");
        std::string ended;
        state_.operations.for_each([&](const auto& operation) {
            if (operation->record->value.state != model::OperationState::kRunning)
                ended = operation->key;
        });
        if (!ended.empty()) add("DELETE", "/v1/operations/" + ended);
    }

    void of_reads() {
        for (const char* kind : {"vms", "nodes", "images", "volumes", "projects", "operations"}) {
            const std::string path = fmt::format("/v1/{}", kind);
            add("GET", path + "/nowhere");
            add("GET", path, {}, {{"limit", "many"}});
            add("GET", path, {}, {{"limit", "-1"}});
            add("GET", path, {}, {{"after", "not a cursor"}});
            add("GET", path, {}, {{"colour", "red"}});
            add("DELETE", path);
        }
        add("GET", "/v1/vms", {}, {{"phase", "flying"}});
        add("GET", "/v1/events", {}, {{"from", "yesterday"}});
        add("GET", "/v1/events", {}, {{"from", "999999999"}});
        add("GET", "/v1/nothing");
        add("POST", "/v1/plan/nothing", "{}");
        add("POST", "/v1/plan/drain", R"({"node":"nowhere"})");
    }

    // Who is no administrator may look, and may not touch hosts, images' files and the cluster.
    void of_strangers() {
        const auto stranger = [](api::Request& request) {
            request.principal = {"stranger", false};
        };
        stranger(add("POST", "/v1/vms", R"({"name":"wrong","spec":{"image":"demo"}})"));
        stranger(add("POST", "/v1/nodes/h1/drain"));
        stranger(add("POST", "/v1/nodes/h1/lost"));
        stranger(add("DELETE", "/v1/nodes/h1"));
        stranger(add("GET", "/v1/debug/record"));
        stranger(add("POST", "/v1/cluster/token", "{}"));
    }

    const view::Snapshot& state_;
    std::vector<api::Request> all_;
};

}  // namespace

std::vector<api::Request> what_must_be_refused(const view::Snapshot& state) {
    return Refusals(state).run();
}

}  // namespace blixard::sim
