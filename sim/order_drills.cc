// Drills of what people ask for: writes at once, waits, volumes, room, those who make way.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "controller/election.h"
#include "model/documents.h"
#include "model/merge_patch.h"
#include "sim/drills.h"
#include "sim/kept_room.h"
#include "sim/rules.h"

namespace blixard::sim {
namespace {

using model::Phase;

constexpr Millis kAtOnce = seconds(1);  // where nothing disturbs, or little
constexpr Millis kMoment{50};

bool shall_run(const view::VmEntry& vm) {
    return vm.record && vm.record->value.spec.run == model::Run::kRunning &&
           vm.phase == Phase::kRunning;
}

const model::Disk* volume_disk_of(const view::VmEntry& vm) {
    for (const model::Disk& disk : vm.record->value.spec.disks)
        if (!disk.volume.empty()) return &disk;
    return nullptr;
}

}  // namespace

int Drills::first(const std::function<bool(const view::VmEntry&)>& wanted) const {
    for (int i = 0; i < plan_.vms; ++i) {
        const int subject = static_cast<int>((plan_.seed + static_cast<std::uint64_t>(i)) %
                                             static_cast<std::uint64_t>(plan_.vms));
        const view::VmEntry* vm = operators_.vm_of(subject);
        if (vm && shall_run(*vm) && wanted(*vm)) return subject;
    }
    return -1;
}

namespace {

// What is asked for stands in the answer as it was asked for; of what is made, as far as nothing is
// added to it.
std::string members_asked_for(const api::Request& request) {
    const auto has = [&](std::string_view text) {
        return request.body.find(text) != std::string::npos;
    };
    if (request.method == "PATCH" && !has("[") && !has("null")) return request.body;
    const bool plain = request.method == "POST" &&
                       (request.path == "/v1/volumes" || request.path == "/v1/projects" ||
                        request.path == "/v1/images");
    return plain ? model::merge_patch(request.body, R"({"files":null})").value_or("{}") : "{}";
}
bool stands_in(const std::string& answer, const std::string& members) {
    const auto as_is = model::merge_patch(answer, "{}"),
               asked = model::merge_patch(answer, members);
    return !as_is || !asked || *as_is == *asked;
}

}  // namespace

// Asks all at once, at one host. False: something is broken; or one of them has not been answered
// well (`good`), or refused, in time.
bool Drills::asked_at_once(int host, std::vector<api::Request> requests, bool good) {
    const auto open = std::make_shared<std::size_t>(requests.size());
    for (api::Request& request : requests) {
        checker_.counted();
        const std::string what = fmt::format("{} {}", request.method, request.path);
        std::string members = members_asked_for(request);
        ask(*hosts_[static_cast<std::size_t>(host)], std::move(request),
            [this, open, what, good, host,
             members = std::move(members)](const api::Response& response) {
                --*open;
                if (good && is_good(response) && !stands_in(body_of(response), members))
                    checker_.broken(fmt::format("{} answers to {} of {}: {}",
                                                hosts_[static_cast<std::size_t>(host)]->name(),
                                                what, members, body_of(response)));
                if (is_good(response) != good)
                    checker_.broken(fmt::format(
                        "{} answers {} to {}: {}", hosts_[static_cast<std::size_t>(host)]->name(),
                        response.status, what, text_at(response, "detail")));
            });
    }
    for (Millis waited{0}; waited < kAtOnce && *open > 0; waited = waited + kMoment)
        if (!run_for_(kMoment)) return false;
    if (*open > 0)
        checker_.broken(fmt::format("{} has not answered {} of what it was asked a second ago",
                                    hosts_[static_cast<std::size_t>(host)]->name(), *open));
    return *open == 0;
}

namespace {

api::Request new_vm_at_rest(int n, std::string_view more = {}) {
    return make_request(
        "POST", "/v1/vms", "lab",
        fmt::format(R"({{"name":"at-rest-{}","spec":{{"image":"demo","run":"stopped"{}}}}})", n,
                    more));
}
api::Request of_vm_at_rest(std::string method, int n, std::string_view more = {},
                           std::string body = {}) {
    return make_request(std::move(method), fmt::format("/v1/vms/at-rest-{}{}", n, more), "lab",
                        std::move(body));
}

}  // namespace

// Writes against one quota, from host to host, and some at once.
bool Drills::writes() {
    trace_.add("", "drill: writes");
    constexpr std::string_view kAmple =
        R"("vms":9999,"cpus":9999,"memory_mib":99999999,"disk_mib":99999999)";
    if (!asked_at_once(index(0), {new_quota(kAmple)})) return false;
    int made = 0;
    for (const std::uint64_t host : {0, 1, 0})
        if (!asked_at_once(index(host), {new_vm_at_rest(made++)}) || !listed(index(0), made))
            return false;
    std::vector<api::Request> some;
    for (int n = 0; n < 4; ++n) some.push_back(new_vm_at_rest(made++));
    if (!asked_at_once(index(1), std::move(some)) || !to_the_last_of_a_quota() ||
        !asked_at_once(index(0), {new_quota(kAmple)}) || !keys_of_requests() || !what_is_in_use())
        return false;
    std::vector<api::Request> deletions;
    for (int n = 0; n < made; ++n) {
        checker_.delete_asked(fmt::format("lab/at-rest-{}", n));
        deletions.push_back(of_vm_at_rest("DELETE", n));
    }
    return asked_at_once(index(2), std::move(deletions));
}

// Lists are of now, whatever was listed before.
bool Drills::listed(int host, int vms_at_rest) {
    api::Request list = make_request("GET", "/v1/vms", "lab");
    list.query.emplace_back("prefix", "at-rest");
    int count = 0;
    ask(*hosts_[static_cast<std::size_t>(host)], std::move(list),
        [&count](const api::Response& response) {
            const std::string body = body_of(response);
            for (std::size_t at = body.find("\"name\":\"at-rest"); at != std::string::npos;
                 at = body.find("\"name\":\"at-rest", at + 1))
                ++count;
        });
    if (count != vms_at_rest)
        checker_.broken(fmt::format("{} lists {} VMs of {}",
                                    hosts_[static_cast<std::size_t>(host)]->name(), count,
                                    vms_at_rest));
    return count == vms_at_rest;
}

api::Request Drills::new_quota(std::string_view limits) const {
    return make_request("PATCH", "/v1/projects/lab", {},
                        fmt::format(R"({{"quota":{{{}}}}})", limits));
}

// What a quota leaves can be had, and no more: of disks, be they a VM's own or volumes.
bool Drills::to_the_last_of_a_quota() {
    const view::Snapshot& state = checker_.state();
    std::int64_t cpus = 0, disk_mib = 0;
    state.vms.scan_prefix("lab/", [&](const std::shared_ptr<const view::VmEntry>& vm) {
        cpus += vm->record->value.spec.cpus;
        for (const model::Disk& disk : vm->record->value.spec.disks)
            if (disk.volume.empty()) disk_mib += disk.size_mib;
        return true;
    });
    state.volumes.scan_prefix("lab/", [&](const std::shared_ptr<const view::VolumeEntry>& volume) {
        if (volume->record->value.vm.empty()) disk_mib += volume->record->value.size_mib;
        return true;
    });
    const auto volume = [](const char* name) {
        return make_request("POST", "/v1/volumes", "lab",
                            fmt::format(R"({{"name":"{}","size_mib":50,"pool":"shared"}})", name));
    };
    const auto more_cpus = [](int n) {
        return of_vm_at_rest("PATCH", 0, {}, fmt::format(R"({{"spec":{{"cpus":{}}}}})", n));
    };
    const auto with_disks = [](int mib) {
        return of_vm_at_rest(
            "PATCH", 1, {},
            fmt::format(
                R"({{"spec":{{"disks":[{{"name":"own","size_mib":{},"pool":"shared"}},{{"name":"taken","volume":"last"}}]}}}})",
                mib));
    };
    // At another host each time: what one has been told, the others know.
    const int first = index(0), then = index(1);
    return asked_at_once(
               first,
               {new_quota(fmt::format(R"("cpus":{},"disk_mib":{})", cpus + 1, disk_mib + 60))}) &&
           asked_at_once(then, {more_cpus(3)}, false) && asked_at_once(first, {more_cpus(2)}) &&
           asked_at_once(then, {volume("last")}) &&
           asked_at_once(first, {volume("one-more")}, false) &&
           asked_at_once(then,
                         {make_request("PATCH", "/v1/volumes/last", "lab", R"({"size_mib":61})")},
                         false) &&
           asked_at_once(first, {with_disks(11)}, false) && asked_at_once(then, {with_disks(10)}) &&
           asked_at_once(first, {make_request("DELETE", "/v1/volumes/last", "lab")}, false) &&
           asked_at_once(then, {of_vm_at_rest("PATCH", 1, {}, R"({"spec":{"disks":null}})")},
                         false) &&
           patience_is_kept(then);
}

// Who says how long a guest may take to stop is heard.
bool Drills::patience_is_kept(int host) {
    api::Request stop = of_vm_at_rest("POST", 2, "/stop");
    stop.query.emplace_back("timeout_s", "77");
    if (!asked_at_once(host, {std::move(stop)})) return false;
    const view::VmEntry* vm = checker_.state().vms.find("lab/at-rest-2");
    if (vm && vm->record->value.spec.stop_timeout_s == 77) return true;
    checker_.broken("a VM was to have 77 s to stop, and has not");
    return false;
}

// What is used stays; what is not goes, and its name is free at once.
bool Drills::what_is_in_use() {
    const auto create = [](std::string path, std::string_view members, std::string project = {}) {
        return make_request("POST", std::move(path), std::move(project),
                            fmt::format(R"({{"name":"spare"{}}})", members));
    };
    const auto remove = [](std::string path, std::string project = {}) {
        return make_request("DELETE", std::move(path) + "/spare", std::move(project));
    };
    const std::string image =
        fmt::format(R"(,"files":[{{"role":"disk","sha256":"{}"}}])", std::string(64, 'b'));
    const int here = index(0), there = index(1);
    return asked_at_once(here, {create("/v1/images", image), create("/v1/projects", "")}) &&
           asked_at_once(
               there,
               {create("/v1/volumes", R"(,"image":"spare","labels":{"made":"here"})", "spare")}) &&
           asked_at_once(here, {remove("/v1/images"), remove("/v1/projects")}, false) &&
           members_are_changed(here) && asked_at_once(there, {remove("/v1/volumes", "spare")}) &&
           taken_while_it_goes(here, there) &&
           asked_at_once(here, {remove("/v1/images"), remove("/v1/projects")}) &&
           asked_at_once(there, {create("/v1/images", image), create("/v1/projects", "")}) &&
           asked_at_once(here, {remove("/v1/images"), remove("/v1/projects")});
}

// An image that is taken into use after it was found to be unused stays.
bool Drills::taken_while_it_goes(int host, int slow) {
    SimHost& behind = *hosts_[static_cast<std::size_t>(slow)];
    const auto slow_by = [&behind](int by) {
        behind.change_ways([by](SimHost::Ways& ways) {
            ways.slow += by;
            ways.slow_ms = 200;
        });
    };
    slow_by(+1);
    ask(behind, make_request("DELETE", "/v1/images/spare"), nullptr);
    if (!run_for_(kMoment) ||
        !asked_at_once(host, {make_request("POST", "/v1/volumes", "spare",
                                           R"({"name":"spare-2","image":"spare"})")}) ||
        !run_for_(seconds(2)))
        return false;
    slow_by(-1);
    if (!checker_.state().images.find("spare"))
        checker_.broken("image spare is gone, and a volume was made of it");
    return asked_at_once(host, {make_request("DELETE", "/v1/volumes/spare-2", "spare")});
}

// Each member that may be changed is.
bool Drills::members_are_changed(int host) {
    const std::string node = "/v1/nodes/" + hosts_[static_cast<std::size_t>(index(2))]->name();
    return asked_at_once(
               host,
               {make_request("PATCH", "/v1/projects/spare", {},
                             R"({"description":"for now","strategy":"spread","labels":{"a":"b"}})"),
                make_request("PATCH", "/v1/volumes/spare", "spare", R"({"labels":{"a":"b"}})"),
                make_request("PATCH", node, {},
                             R"({"spec":{"cost_per_hour":1.5,"labels":{"a":"b"}}})")}) &&
           asked_at_once(host,
                         {make_request("PATCH", node, {},
                                       R"({"spec":{"cost_per_hour":0,"labels":{"a":null}}})")});
}

// A key stands for one request of one client, at whatever host it is sent again. Who is behind, in
// what he sees, answers as if he were not.
bool Drills::keys_of_requests() {
    const auto with_key = [](api::Request request, const char* key, const char* who) {
        request.idempotency_key = key;
        request.principal.name = who;
        return request;
    };
    const int here = index(0), there = index(1);
    const auto label = [](const char* to, int vm = 0) {
        return of_vm_at_rest("PATCH", vm, {},
                             fmt::format(R"({{"spec":{{"labels":{{"colour":"{}"}}}}}})", to));
    };
    if (!asked_at_once(here, {with_key(of_vm_at_rest("POST", 0, "/stop"), "drill", "operator")}) ||
        !asked_at_once(there, {with_key(of_vm_at_rest("POST", 1, "/stop"), "drill", "operator")},
                       false) ||
        !asked_at_once(there, {with_key(of_vm_at_rest("POST", 2, "/stop"), "drill", "other")}))
        return false;
    // What an hour's keys hang on may end; keys are taken all the same.
    const auto kept = backend_.history().read({.prefix = "idempotency/"});
    std::set<store::LeaseId> leases;
    for (const store::KeyValue& item : kept->items) leases.insert(item.lease);
    for (const store::LeaseId lease : leases) (void)backend_.revoke_lease(lease);
    if (!asked_at_once(here, {with_key(of_vm_at_rest("POST", 3, "/stop"), "next", "operator")}))
        return false;
    SimHost& behind = *hosts_[static_cast<std::size_t>(there)];
    const auto lag = [&behind](int by) {
        behind.change_ways([by](SimHost::Ways& ways) {
            ways.watch_slow += by;
            ways.watch_ms = 350;
        });
    };
    lag(+1);
    const auto made = std::make_shared<std::set<std::string>>();
    const auto create = [&](int host) {
        ask(*hosts_[static_cast<std::size_t>(host)],
            with_key(new_vm_at_rest(99), "made", "operator"),
            [made](const api::Response& response) {
                made->insert(fmt::format("{} {}", response.status, text_at(response, "uid")));
            });
    };
    create(here);
    if (!run_for_(Millis{20})) return false;
    create(there);
    if (!asked_at_once(there, {of_vm_at_rest("POST", 99, "/stop")})) return false;
    if (made->size() != 1 || !made->begin()->starts_with("201 "))
        checker_.broken(fmt::format("one request with one key is answered with {}",
                                    fmt::join(*made, ", and with ")));
    ask(*hosts_[static_cast<std::size_t>(here)], label("red"), nullptr);
    if (!run_for_(Millis{20}) || !asked_at_once(there, {label("green")}) ||
        !asked_at_once(there, {label("red", 3), label("red", 4)}))
        return false;
    // Who does not learn whether it was made does not make it again: others have undone it.
    behind.lose_answer_about("vms/default/undone/spec");
    checker_.delete_asked("default/undone");
    ask(behind,
        make_request("POST", "/v1/vms", {},
                     R"({"name":"undone","spec":{"image":"demo","run":"stopped"}})"),
        nullptr);
    const auto is_there = [this] { return checker_.state().vms.find("default/undone") != nullptr; };
    for (int looks = 0; looks < 10 && !is_there(); ++looks)
        if (!run_for_(Millis{20})) return false;
    if (!asked_at_once(here, {make_request("DELETE", "/v1/vms/undone")}) || !run_for_(seconds(2)))
        return false;
    if (is_there()) checker_.broken("vm default/undone was deleted, and is there again");
    // It goes and is made anew, and who is behind hears of both in one moment.
    checker_.delete_asked("lab/at-rest-99");
    const auto told = std::make_shared<bool>(false);
    api::Request wait = of_vm_at_rest("GET", 99);
    wait.query.emplace_back("wait", "deleted");
    ask(behind, std::move(wait),
        [told](const api::Response& response) { *told = is_good(response); });
    if (!run_for_(kMoment)) return false;
    behind.change_ways([](SimHost::Ways& ways) { ways.replies_cut += 1; });
    ask(*hosts_[static_cast<std::size_t>(here)], of_vm_at_rest("DELETE", 99), nullptr);
    if (!run_for_(kMoment) || !asked_at_once(here, {new_vm_at_rest(99)})) return false;
    behind.change_ways([](SimHost::Ways& ways) { ways.replies_cut -= 1; });
    if (!run_for_(seconds(1))) return false;
    lag(-1);
    if (!*told) checker_.broken("who waits until a VM is gone is not told");
    checker_.delete_asked("lab/at-rest-99");
    return asked_at_once(here, {of_vm_at_rest("DELETE", 99)});
}

// Who starts what has ended by itself, and waits, is not told of that end.
bool Drills::start_after_an_end() {
    const int subject = first([](const view::VmEntry& vm) {
        const model::VmSpec& spec = vm.record->value.spec;
        return spec.restart != model::Restart::kAlways && !spec.health;  // an ill one fails
    });
    if (subject < 0) return true;
    trace_.add("", fmt::format("drill: {} ends, and is started", operators_.vm_name(subject)));
    const view::VmEntry* vm = operators_.vm_of(subject);
    host_of(*vm).machines().end(vm->key, hypervisor::Exit{.status = 0, .guest_shutdown = true},
                                "guest powers off");
    const bool ended = comes_true("after its guest powered itself off", [&] {
        const view::VmEntry* now = operators_.vm_of(subject);
        return now && now->phase == Phase::kStopped ? "" : "a VM is not said to be stopped";
    });
    if (!ended) return false;
    api::Request wait = make_request("GET", "/v1/vms/" + operators_.vm_name(subject),
                                     operators_.project_of(subject));
    wait.query.emplace_back("wait", "running");
    if (!asked_at_once(index(1), {std::move(wait)}, false)) return false;  // it never will
    const auto told = std::make_shared<bool>(false);
    operators_.order_and_wait(index(1), subject, "start", "running", [told] { *told = true; });
    return comes_true("after an order to start",
                      [told] { return *told ? "" : "who waits for a VM is not told"; });
}

// One that is never restarted and did not come up starts when people ask for it.
bool Drills::start_that_failed() {
    const std::shared_ptr<const view::NodeEntry> node = emptiest();
    if (memory_free_mib(checker_.state(), *node) < 128) return true;
    trace_.add("", fmt::format("drill: a start that fails on {}", node->key));
    for (const auto& each : hosts_)
        if (each->name() == node->key) each->machines().fail_next_start();
    operators_.create_named(
        index(0), "once",
        fmt::format(R"("memory_mib":64,"restart":"never","constraints":{{"node":"{}"}})",
                    node->key));
    if (!run_for_(seconds(5))) return false;
    const auto phase = [this] {
        const view::VmEntry* vm = checker_.state().vms.find("default/once");
        return vm ? vm->phase : Phase::kPending;
    };
    if (phase() == Phase::kFailed) {
        checker_.restart_asked("default/once");
        if (!asked_at_once(index(1), {make_request("POST", "/v1/vms/once/start")}) ||
            !run_for_(seconds(6)))
            return false;
        if (phase() == Phase::kFailed)
            checker_.broken("vm default/once was to start anew, and nobody has tried to");
    }
    operators_.delete_named(index(0), "once");
    return run_for_(seconds(1));
}

// Who does not pass his health checks is ended, and starts anew.
bool Drills::illness() {
    std::int64_t fewest = 1'000'000;
    const auto restarts = [](const view::VmEntry& vm) { return vm.status->value.restarts; };
    const auto may_fall_ill = [&](const view::VmEntry& vm) {
        return vm.record->value.spec.health && vm.status &&
               vm.record->value.spec.restart != model::Restart::kNever;
    };
    (void)first([&](const view::VmEntry& vm) {
        if (may_fall_ill(vm)) fewest = std::min(fewest, restarts(vm));
        return false;
    });
    const int subject =
        first([&](const view::VmEntry& vm) { return may_fall_ill(vm) && restarts(vm) == fewest; });
    if (subject < 0) return true;
    const view::VmEntry* vm = operators_.vm_of(subject);
    trace_.add("", fmt::format("drill: {} falls ill", vm->key));
    const std::int64_t pid = vm->status->value.pid;
    host_of(*vm).machines().fall_ill(vm->key, Millis{0});
    return comes_true("after a guest fell ill", [&] {
        const view::VmEntry* now = operators_.vm_of(subject);
        return now && now->status && now->status->value.pid != pid ? "" : "its VM runs on as it is";
    });
}

// A volume does not grow under a guest that is paused.
bool Drills::volume_of_a_paused_vm() {
    const int subject = first([](const view::VmEntry& vm) {
        return vm.project() == "default" && volume_disk_of(vm) != nullptr;
    });
    if (subject < 0) return true;
    const view::VmEntry* vm = operators_.vm_of(subject);
    const std::string volume = volume_disk_of(*vm)->volume;
    trace_.add("", fmt::format("drill: volume {} of {}", volume, vm->key));
    operators_.carry_out({.kind = ActKind::kVmPause, .host = index(1), .subject = subject});
    const bool paused = comes_true("after an order to pause", [&] {
        const view::VmEntry* now = operators_.vm_of(subject);
        return now && now->phase == Phase::kPaused ? "" : "a VM is not said to be paused";
    });
    if (!paused) return false;
    const view::VolumeEntry* known = checker_.state().volumes.find("default/" + volume);
    const bool refused = asked_at_once(
        index(0),
        {make_request("PATCH", "/v1/volumes/" + volume, {},
                      fmt::format(R"({{"size_mib":{}}})", known->record->value.size_mib + 10))},
        false);
    operators_.carry_out({.kind = ActKind::kVmResume, .host = index(1), .subject = subject});
    if (!refused || !run_for_(seconds(1))) return false;
    // Nor is it another's before the guest has ended.
    operators_.carry_out(
        {.kind = ActKind::kVmStop, .host = index(1), .subject = subject, .dice = 1});
    if (!run_for_(Millis{10})) return false;
    ask(*hosts_[static_cast<std::size_t>(index(1))],
        make_request(
            "POST", "/v1/vms", {},
            fmt::format(
                R"({{"name":"taker","spec":{{"image":"demo","disks":[{{"name":"own","size_mib":10,"pool":"shared"}},{{"name":"taken","volume":"{}"}}]}}}})",
                volume)),
        nullptr);
    if (!run_for_(seconds(1))) return false;
    operators_.delete_named(index(1), "taker");  // it had ended by then
    if (!run_for_(seconds(1))) return false;
    operators_.carry_out(
        {.kind = ActKind::kVmStart, .host = index(1), .subject = subject, .dice = 6});
    return run_for_(seconds(1));
}

// What could not be deleted is tried again.
bool Drills::disk_that_stays_for_now() {
    const std::shared_ptr<const view::NodeEntry> node = emptiest();
    SimHost* host = nullptr;
    for (const auto& each : hosts_)
        if (each->name() == node->key) host = each.get();
    trace_.add("", fmt::format("drill: a disk stays for now on {}", node->key));
    operators_.create_named(
        index(0), "scratch",
        fmt::format(
            R"("memory_mib":64,"disks":[{{"name":"own","size_mib":5}}],"constraints":{{"node":"{}"}})",
            node->key));
    if (!run_for_(seconds(4))) return false;
    const view::VmEntry* vm = checker_.state().vms.find("default/scratch");
    const bool ran = vm && vm->phase == Phase::kRunning;  // else there is no room
    if (ran && !asked_at_once(index(1), {make_request("POST", "/v1/vms/scratch/stop")}))
        return false;
    if (!run_for_(seconds(2))) return false;
    host->machines().fail_next_removal();
    operators_.delete_named(index(0), "scratch");
    if (!run_for_(Millis{300})) return false;
    // What goes is nobody's any more.
    if (ran &&
        !asked_at_once(
            index(1),
            {make_request(
                "POST", "/v1/vms", {},
                R"({"name":"late-taker","spec":{"image":"demo","run":"stopped","disks":[{"name":"own","size_mib":5,"pool":"shared"},{"name":"taken","volume":"scratch-own"}]}})")},
            false))
        return false;
    if (!run_for_(seconds(8))) return false;
    const view::VolumeEntry* volume = checker_.state().volumes.find("default/scratch-own");
    if (volume && ran) checker_.broken(fmt::format("volume {} is not deleted yet", volume->key));
    return true;
}

// The host that has most memory left.
std::shared_ptr<const view::NodeEntry> Drills::emptiest() const {
    std::shared_ptr<const view::NodeEntry> best;
    const view::Snapshot& state = checker_.state();
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        if (!best || memory_free_mib(state, *node) > memory_free_mib(state, *best)) best = node;
    });
    return best;
}

// What a daemon did not hear of, because it was cut off, it has read: its agent and its controller
// go on from there.
bool Drills::reads_anew() {
    const std::string elected = controller::elected_node(checker_.state().election.value);
    const bool of_controller = plan_.seed % 2 == 0;
    SimHost* host = nullptr;
    for (const auto& each : hosts_)
        if ((each->name() == elected) == of_controller) host = each.get();
    const int subject =
        first([&](const view::VmEntry& vm) { return host && vm.node() == host->name(); });
    if (subject < 0) return true;
    trace_.add("", fmt::format("drill: {} reads the state anew", host->name()));
    int other = 0;
    while (hosts_[static_cast<std::size_t>(other)].get() == host) ++other;
    host->change_ways([](SimHost::Ways& ways) { ways.replies_cut += 1; });
    operators_.carry_out({.kind = ActKind::kVmStop, .host = other, .subject = subject, .dice = 3});
    operators_.create_named(other, "unseen", R"("memory_mib":64)");
    if (!run_for_(seconds(1))) return false;
    (void)backend_.compact(backend_.history().revision());
    checker_.compacted_by_others();
    host->change_ways([](SimHost::Ways& ways) { ways.replies_cut -= 1; });
    if (!run_for_(seconds(4))) return false;
    const view::VmEntry* unseen = checker_.state().vms.find("default/unseen");
    if (unseen && !unseen->placement)
        checker_.broken("nobody has looked at a VM that was made while the controller was cut off");
    const view::VmEntry* stopped = operators_.vm_of(subject);
    if (stopped && stopped->phase == Phase::kRunning)
        checker_.broken(fmt::format("nobody has stopped vm {}, as was asked while {} was cut off",
                                    stopped->key, host->name()));
    operators_.delete_named(other, "unseen");
    operators_.carry_out({.kind = ActKind::kVmStart, .host = other, .subject = subject, .dice = 6});
    if (!run_for_(seconds(1))) return false;
    const view::VmEntry* started = operators_.vm_of(subject);
    if (started && started->record && started->record->value.force &&
        started->record->value.spec.run == model::Run::kRunning)
        checker_.broken(
            fmt::format("vm {} was told to start, and is to be ended by force", started->key));
    return run_for_(seconds(1));
}

// A daemon that has read anew, and cannot read a VM: it lets nobody have what that VM may use.
bool Drills::what_nobody_can_read() {
    const int subject = first([](const view::VmEntry& vm) {
        return vm.project() == "default" && volume_disk_of(vm) != nullptr;
    });
    if (subject < 0 || hosts_.size() < 2) return true;
    const view::VmEntry* vm = operators_.vm_of(subject);
    const std::string volume = volume_disk_of(*vm)->volume;
    SimHost& reader = *hosts_[static_cast<std::size_t>(index(1))];
    trace_.add("", fmt::format("drill: {} cannot read who uses volume {}", reader.name(), volume));
    reader.change_ways([](SimHost::Ways& ways) { ways.replies_cut += 1; });
    newer_.write({.span_ms = 6000, .dice = 0}, vm);
    if (!run_for_(seconds(1))) return false;
    (void)backend_.compact(backend_.history().revision());
    checker_.compacted_by_others();
    reader.change_ways([](SimHost::Ways& ways) { ways.replies_cut -= 1; });
    if (!run_for_(seconds(3))) return false;
    const std::string with_it = fmt::format(
        R"({{"name":"thief","spec":{{"image":"demo","disks":[{{"name":"d","volume":"{}"}}]}}}})",
        volume);
    const bool refused =
        asked_at_once(index(1),
                      {make_request("DELETE", fmt::format("/v1/volumes/{}", volume), "default"),
                       make_request("POST", "/v1/vms", "default", with_it)},
                      false);
    return refused && run_for_(seconds(4)) && all_is_well("after what nobody could read");
}

// Who wants less, or minds others less, makes room for those who wait; and nobody else does.
bool Drills::room_that_is_given_up() {
    const std::shared_ptr<const view::NodeEntry> node = emptiest();
    const std::int64_t free_mib = memory_free_mib(checker_.state(), *node);
    const bool shrinks = plan_.seed % 2 == 0;
    const bool others_wait = anyone_waits();  // the host may be kept free for one of them
    if (free_mib < 512) return true;
    trace_.add("", fmt::format("drill: room is given up on {}", node->key));
    const auto create = [&](const char* name, std::int64_t memory_mib, std::string_view more) {
        operators_.create_named(index(0), name,
                                fmt::format(R"("memory_mib":{},"constraints":{{"node":"{}"}},{})",
                                            memory_mib, node->key, more));
    };
    create("filler", shrinks ? free_mib - 64 : 64, R"("labels":{"fills":"yes"})");
    if (!run_for_(seconds(4))) return false;
    for (const char* guest : {"guest-1", "guest-2"})
        create(guest, shrinks ? 128 : 64,
               shrinks ? R"("labels":{})"
                       : R"("affinity":[{"anti":true,"hard":true,"labels":{"fills":"yes"}}])");
    if (!run_for_(seconds(2))) return false;
    const view::VmEntry* filler = checker_.state().vms.find("default/filler");
    // Else other things are short there.
    const bool good =
        !others_wait && filler && filler->node() == node->key && waits_on("default/guest-1");
    if (good) {
        const std::string less =
            shrinks ? R"({"spec":{"memory_mib":64}})" : R"({"spec":{"labels":{"fills":null}}})";
        if (!asked_at_once(index(1), {make_request("PATCH", "/v1/vms/filler", {}, less)}))
            return false;
        if (!run_for_(seconds(2))) return false;
        for (const char* name : {"default/guest-1", "default/guest-2"}) {
            const view::VmEntry* guest = checker_.state().vms.find(name);
            if (!guest || !waits(*guest) || !could_go_elsewhere(checker_.state(), *guest)) continue;
            checker_.broken(fmt::format("vm {} waits, though {} has room for it", name, node->key));
            return false;
        }
    }
    operators_.delete_named(index(0), "filler");
    for (const char* guest : {"guest-1", "guest-2"}) operators_.delete_named(index(1), guest);
    return all_is_well("after the drill of room that is given up");
}

// One that would make way by all rules, and may not: another must be near it, or a newer version
// has written something of it.
bool Drills::who_makes_no_way() {
    const std::shared_ptr<const view::NodeEntry> node = emptiest();
    if (memory_free_mib(checker_.state(), *node) < 256) return true;
    trace_.add("", fmt::format("drill: who makes no way on {}", node->key));
    const auto create = [&](const char* name, std::int64_t memory_mib, std::string_view more) {
        operators_.create_named(index(0), name,
                                fmt::format(R"("memory_mib":{},"constraints":{{"node":"{}"}},{})",
                                            memory_mib, node->key, more));
    };
    create("shadow", 64, R"("priority":1000,"affinity":[{"hard":true,"labels":{"beside":"me"}}])");
    if (!run_for_(seconds(1))) return false;
    create("anchor", 192, R"("priority":0,"preemptible":true,"labels":{"beside":"me"})");
    if (!run_for_(seconds(4))) return false;
    const view::VmEntry* shadow = checker_.state().vms.find("default/shadow");
    if (shadow && waits(*shadow) && could_go_elsewhere(checker_.state(), *shadow)) {
        checker_.broken("vm default/shadow waits, though whom it must be with has come");
        return false;
    }
    const bool is_newer = plan_.seed % 2 == 0;
    const view::VmEntry* anchor = checker_.state().vms.find("default/anchor");
    if (anchor && is_newer) newer_.write({.span_ms = 4000, .dice = 2}, anchor);
    create(
        "follower", memory_free_mib(checker_.state(), *node) + 64,
        is_newer
            ? R"("priority":1,"strategy":"priority")"
            : R"("priority":1,"strategy":"priority","affinity":[{"hard":true,"labels":{"beside":"me"}}])");
    if (!run_for_(seconds(3))) return false;
    operators_.delete_named(index(0), "follower");
    operators_.delete_named(index(0), "shadow");
    if (!run_for_(seconds(3))) return false;
    operators_.delete_named(index(1), "anchor");
    return all_is_well("after the drill of who makes no way");
}

}  // namespace blixard::sim
