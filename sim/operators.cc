#include "sim/operators.h"

#include <fmt/format.h>

#include <charconv>

#include "model/documents.h"
#include "model/merge_patch.h"

namespace blixard::sim {
namespace {

class Answer final : public api::Responder {
 public:
    explicit Answer(std::function<void(const api::Response&)> answered)
        : answered_(std::move(answered)) {}
    void send(api::Response response) override {
        if (answered_) std::exchange(answered_, nullptr)(response);
    }
    std::shared_ptr<api::Stream> start_stream(api::Response) override { return nullptr; }
    std::shared_ptr<api::Socket> accept_socket() override { return nullptr; }
    bool gone() const override { return false; }

 private:
    std::function<void(const api::Response&)> answered_;
};

const std::string kKernel(64, 'a');  // its sha256

// What an order tells a VM to do.
std::string run_of(ActKind kind) {
    switch (kind) {
        case ActKind::kVmStop: return "stopped";
        case ActKind::kVmStart:
        case ActKind::kVmRestart:
        case ActKind::kVmResume: return "running";
        case ActKind::kVmPause: return "paused";
        default: return {};
    }
}

constexpr Millis kClientPatience = seconds(3);  // then it asks again, where it may
// Longer than the API waits for anything: the store, the view, the turn of a write.
constexpr Millis kAnsweredWithin = seconds(60);

}  // namespace

api::Request make_request(std::string method, std::string path, std::string project,
                          std::string body) {
    api::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    if (!project.empty()) request.query.emplace_back("project", std::move(project));
    request.body = std::move(body);
    request.principal = {"operator", true};
    return request;
}

bool ask(SimHost& host, api::Request request, std::function<void(const api::Response&)> answered) {
    api::Api* const api = host.api();
    if (!api) return false;
    api->handle(std::move(request), std::make_shared<Answer>(std::move(answered)));
    return true;
}

// Whatever becomes of the answer on its way: that there was one is kept.
bool Operators::ask(SimHost& host, api::Request request, Answered answered) {
    const std::uint64_t id = ++asked_;
    const bool waits = request.find_query("wait") != nullptr;
    if (!waits)
        open_[id] = {&host, host.run(), timeline_.mono(),
                     fmt::format("{} {}", request.method, request.path)};
    const bool sent =
        sim::ask(host, std::move(request),
                 [this, id, answered = std::move(answered)](const api::Response& response) {
                     open_.erase(id);
                     if (answered) answered(response);
                 });
    if (!sent) open_.erase(id);
    return sent;
}

std::string Operators::unanswered() const {
    for (const auto& [id, open] : open_)
        if (open.host->run() == open.run && timeline_.mono() - open.since > kAnsweredWithin)
            return fmt::format("{} was asked {} and never answers", open.host->name(), open.what);
    return {};
}

std::string Operators::vm_name(int subject) const { return fmt::format("vm-{}", subject); }
// "lab" has a quota; "brief" comes and goes.
std::string Operators::project_of(int subject) const {
    return subject % 5 == 4 ? "lab" : subject % 25 == 13 ? "brief" : "default";
}

std::string Operators::vm_key(int subject) const {
    return fmt::format("{}/{}", project_of(subject), vm_name(subject));
}

// As a client on a network that loses things: `answered`, or `lost`, or (where nobody listens)
// false.
bool Operators::ask_as_client(int host, api::Request request, Answered answered,
                              std::function<void()> lost) {
    SimHost& at = host_at(host);
    const SimHost::ClientFate fate = at.client_fate();
    if (fate == SimHost::ClientFate::kRequestLost) {
        timeline_.after(kClientPatience, std::move(lost));
        return true;
    }
    if (fate == SimHost::ClientFate::kAnswerLost) {
        const bool sent = ask(at, std::move(request), nullptr);
        if (sent) timeline_.after(kClientPatience, std::move(lost));
        return sent;
    }
    const api::Request asked = request;
    return ask(at, std::move(request),
               [this, asked, host, answered = std::move(answered)](const api::Response& response) {
                   look_at_answer(asked, host, response);
                   answered(response);
               });
}

void Operators::create(int subject, int host, int tries) {
    const std::string vm = vm_key(subject);
    (void)touch(subject);
    const std::string key = fmt::format("create-{}-{}", subject, created_[subject]);
    if (!creating_.contains(subject))
        creating_[subject].call = history_.called(vm, {VmModel::Kind::kCreate});
    ++creating_[subject].under_way;
    std::string body;
    model::write(new_vm(subject), body);
    api::Request request = make_request("POST", "/v1/vms", {}, std::move(body));
    request.idempotency_key = key;
    const auto again = [this, subject, host, tries, key] {
        // Answered meanwhile.
        if (key != fmt::format("create-{}-{}", subject, created_[subject])) return;
        --creating_[subject].under_way;
        if (tries > 1) {
            timeline_.after(seconds(2), [this, subject, host, tries] {
                create(subject, (host + 1) % plan_.hosts, tries - 1);
            });
            return;
        }
        ++created_[subject];  // nobody knows; the next one is another request
        creating_.erase(subject);
    };
    const bool sent = ask_as_client(
        host, std::move(request),
        [this, vm, key, subject, again, host](const api::Response& response) {
            trace_.add("", fmt::format("{} answers {} to creating {}", host_at(host).name(),
                                       response.status, vm));
            if (response.status == 201)
                checker_.create_acknowledged(vm, key, text_at(response, "uid"));
            const auto call = creating_.find(subject);
            const bool mine = call != creating_.end() &&
                              key == fmt::format("create-{}-{}", subject, created_[subject]);
            if (response.status >= 500) return again();
            if (!mine) return;
            // Another copy of it may find what this one did not: the name free.
            if (--call->second.under_way > 0 && response.status != 201) return;
            const auto output = output_of(response, VmModel::Kind::kCreate);
            if (output) history_.answered(vm, call->second.call, *output);
            creating_.erase(call);
            ++created_[subject];
            if (response.status == 201) use_key_again(host + 1, subject, key);
            if (response.status == 201)
                read_own_write(host, "/v1/vms/" + vm_name(subject), subject, revision_of(response));
        },
        again);
    if (!sent) again();
}

void Operators::order_vm(const Act& act, VmModel::Kind kind, std::string method, std::string action,
                         std::string body) {
    Order order{
        .input = {kind}, .subject = act.subject, .host = act.host, .method = std::move(method)};
    order.input.run = run_of(act.kind);
    order.dice = act.dice;
    order.path = "/v1/vms/" + vm_name(act.subject) + action;
    order.body = std::move(body);
    const bool may_force = act.kind == ActKind::kVmDelete || act.kind == ActKind::kVmStop ||
                           act.kind == ActKind::kVmRestart;
    order.force = may_force && act.dice % 3 == 0 && order.body.empty();
    const view::VmEntry* now = vm_of(act.subject);
    order.was_stopped = now && now->record && now->record->value.spec.run == model::Run::kStopped;
    order.had_ended =
        now && (now->phase == model::Phase::kStopped || now->phase == model::Phase::kFailed);
    if (goes_on(order) && plan_.faults.network) lag(act.host + 1);
    if (order.method == "POST") {
        order.key = fmt::format("order-{}", ++keys_);
        order.tries = 3;
    }
    if (act.kind == ActKind::kVmStart || act.kind == ActKind::kVmRestart)
        checker_.restart_asked(vm_key(act.subject));
    trace_.add("", fmt::format("operator at {}: {} {}{}", host_at(act.host).name(), order.method,
                               order.path, order.force ? " force" : ""));
    const std::size_t call = history_.called(vm_key(act.subject), order.input);
    send(std::move(order), call, 1);
}

void Operators::send(Order order, std::size_t call, int tried) {
    order.sent = timeline_.mono();
    const bool reads_or_marks = order.input.kind == VmModel::Kind::kRead || order.input.mark != 0;
    if (!reads_or_marks) order.alone = touch(order.subject);
    api::Request request =
        make_request(order.method, order.path, project_of(order.subject), order.body);
    request.idempotency_key = order.key;
    request.if_match = order.if_match;
    if (order.force) request.query.emplace_back("force", "true");
    if (order.input.kind == VmModel::Kind::kRead) request.query.emplace_back("consistent", "true");
    const auto again = [this, order, call, tried] {
        if (tried >= order.tries) return;
        Order next = order;
        ++next.host;
        timeline_.after(seconds(2), [this, next, call, tried] { send(next, call, tried + 1); });
    };
    const bool sent = ask_as_client(
        order.host, std::move(request),
        [this, order, call, tried, again](const api::Response& response) {
            trace_.add(
                "", fmt::format("{} answers {} to {} {}{}", host_at(order.host).name(),
                                response.status, order.method, order.path,
                                response.status >= 400 ? ": " + text_at(response, "detail") : ""));
            if (response.status >= 500 && tried < order.tries) return again();
            settle(order, call, tried, response);
        },
        again);
    if (!sent) again();
}

void Operators::settle(const Order& order, std::size_t call, int tried,
                       const api::Response& response) {
    const std::string vm = vm_key(order.subject);
    auto output = output_of(response, order.input.kind);
    // Of what was asked more than once, a refusal does not say that the first did not happen; and
    // the answer shows what has become of it since.
    if (tried > 1 && !is_good(response)) output.reset();
    const bool has_gone = response.body.find("\"deleted\":true") != std::string::npos;
    if (output && (!order.key.empty() || has_gone)) output->shown.reset();
    if (output) history_.answered(vm, call, *output);
    if (!is_good(response) || order.input.kind == VmModel::Kind::kRead) return;
    if (tried == 1 && !has_gone && order.input.kind == VmModel::Kind::kDelete)
        look_at_force(order, response);
    if (order.input.kind == VmModel::Kind::kDelete) return go_on_elsewhere(order);
    if (goes_on(order)) start_elsewhere(order);
    if (tried == 1) look_at_start(order, response);
    if (tried == 1 && !has_gone) look_at_force(order, response);
    if (!order.label.empty()) {
        checker_.label_acknowledged(vm, text_at(response, "uid"), order.label);
        if (!has_gone && text_at(response, "spec.labels." + order.label).empty())
            checker_.broken(fmt::format("{} acknowledged label {} of vm {}, and shows it without",
                                        host_at(order.host).name(), order.label, vm));
    }
    read_own_write(order.host, "/v1/vms/" + vm_name(order.subject), order.subject,
                   revision_of(response));
}

// Who has been told that a VM goes or is gone acts on it, at a host that may not have heard of it.
void Operators::go_on_elsewhere(const Order& order) {
    if (order.dice / 16 % 2 == 0) return;
    if (order.dice / 32 % 2 == 0) return create(order.subject, (order.host + 1) % plan_.hosts, 3);
    start_elsewhere(order);
}

void Operators::start_elsewhere(const Order& order) {
    // Some say what shall be, instead of what shall be done.
    const std::uint64_t dice = plan_.world > 2 && order.dice / 64 % 2 == 0 ? 6 : 0;
    carry_out({.kind = ActKind::kVmStart,
               .host = order.host + 1,
               .subject = order.subject,
               .dice = dice});
}

// A stop that is followed by a start elsewhere, as soon as it is acknowledged.
bool Operators::goes_on(const Order& order) const {
    return order.input.run == "stopped" && order.dice / 16 % 3 == 1;
}

// Its view comes to what others have written later than they are answered.
void Operators::lag(int host) {
    SimHost& behind = host_at(host);
    behind.change_ways([](SimHost::Ways& ways) {
        ways.watch_slow += 1;
        ways.watch_ms = 1500;
    });
    timeline_.after(seconds(4), [&behind] {
        behind.change_ways([](SimHost::Ways& ways) {
            if (ways.watch_slow > 0) ways.watch_slow -= 1;  // else it has been healed meanwhile
        });
    });
}

void Operators::mark(const Act& act) {
    const int mark = ++marks_;
    Order order{.input = {VmModel::Kind::kMark, mark},
                .subject = act.subject,
                .host = act.host,
                .method = "PATCH"};
    order.path = "/v1/vms/" + vm_name(act.subject);
    order.label = fmt::format("op{}", mark % 25);
    order.body =
        fmt::format(R"({{"spec":{{"labels":{{"{}":"x","mark":"{}"}}}}}})", order.label, mark);
    trace_.add("", fmt::format("operator at {}: mark {} of {}", host_at(act.host).name(), mark,
                               vm_key(act.subject)));
    const std::size_t call = history_.called(vm_key(act.subject), order.input);
    send(std::move(order), call, 1);
}

// Reads, thinks for a while, and changes it only as it was.
void Operators::if_unchanged(const Act& act, std::function<void(Order)> then) {
    api::Request request =
        make_request("GET", "/v1/vms/" + vm_name(act.subject), project_of(act.subject));
    ask(host_at(act.host), std::move(request), [this, act, then](const api::Response& response) {
        if (response.status != 200) return;
        Order order{.subject = act.subject, .host = act.host + 1, .dice = act.dice};
        order.input.seen_generation = number_at(response, "generation");
        order.input.seen_restart_generation = number_at(response, "restart_generation");
        order.path = "/v1/vms/" + vm_name(act.subject);
        order.if_match = fmt::format("\"{}\"", number_at(response, "revision"));
        timeline_.after(Millis{static_cast<std::int64_t>(act.dice % 3000)},
                        [order, then] { then(order); });
    });
}

void Operators::mark_if_unchanged(const Act& act) {
    if_unchanged(act, [this](Order order) {
        const int mark = ++marks_;
        order.input.kind = VmModel::Kind::kMark;
        order.input.mark = mark;
        order.method = "PATCH";
        order.body = fmt::format(R"({{"spec":{{"labels":{{"mark":"{}"}}}}}})", mark);
        trace_.add(
            "", fmt::format("operator at {}: mark {} of {} if {}", host_at(order.host).name(), mark,
                            vm_key(order.subject), order.if_match));
        const std::size_t call = history_.called(vm_key(order.subject), order.input);
        send(order, call, 1);
    });
}

void Operators::delete_if_unchanged(const Act& act) {
    if_unchanged(act, [this](Order order) {
        checker_.delete_asked(vm_key(order.subject));
        order.input.kind = VmModel::Kind::kDelete;
        order.method = "DELETE";
        order.force = true;
        trace_.add("", fmt::format("operator at {}: delete {} if {}", host_at(order.host).name(),
                                   vm_key(order.subject), order.if_match));
        const std::size_t call = history_.called(vm_key(order.subject), order.input);
        send(order, call, 1);
    });
}

void Operators::read(const Act& act) {
    Order order{
        .input = {VmModel::Kind::kRead}, .subject = act.subject, .host = act.host, .method = "GET"};
    order.path = "/v1/vms/" + vm_name(act.subject);
    const std::size_t call = history_.called(vm_key(act.subject), order.input);
    send(std::move(order), call, 1);
}

int Operators::a_running_vm(const std::string& elsewhere) const {
    for (int subject = 0; subject < plan_.vms; ++subject) {
        const view::VmEntry* vm = vm_of(subject);
        const bool good = vm && vm->record && vm->node() != elsewhere &&
                          vm->phase == model::Phase::kRunning &&
                          vm->record->value.spec.run == model::Run::kRunning;
        if (good) return subject;
    }
    return -1;
}

void Operators::wait_for(int host, int subject, const std::string& until,
                         std::function<void()> told) {
    api::Request request = make_request("GET", "/v1/vms/" + vm_name(subject), project_of(subject));
    request.query.emplace_back("wait", until);
    request.query.emplace_back("timeout", "3600");
    ask(host_at(host), std::move(request), when_it_is(host, until, std::move(told)));
}

void Operators::order_and_wait(int host, int subject, const std::string& action,
                               const std::string& until, std::function<void()> told) {
    checker_.restart_asked(vm_key(subject));
    (void)touch(subject);
    trace_.add("", fmt::format("operator at {}: {} of {}, and waits", host_at(host).name(), action,
                               vm_key(subject)));
    api::Request request = make_request(
        "POST", fmt::format("/v1/vms/{}/{}", vm_name(subject), action), project_of(subject));
    request.query.emplace_back("wait", until);
    request.query.emplace_back("timeout", "3600");
    const std::size_t call = history_.called(vm_key(subject), {VmModel::Kind::kChange});
    ask(host_at(host), std::move(request),
        [this, subject, call,
         told = when_it_is(host, until, std::move(told))](const api::Response& response) {
            if (is_good(response))
                history_.answered(vm_key(subject), call, {VmModel::Answer::kDone, {}, {}});
            told(response);
        });
}

// What is said to who waits until the VM is so.
Operators::Answered Operators::when_it_is(int host, const std::string& until,
                                          std::function<void()> told) {
    return [this, host, until, told = std::move(told)](const api::Response& response) {
        const bool is_old = until == "running" && number_at(response, "status.restart_generation") <
                                                      number_at(response, "restart_generation");
        if (!is_good(response) || text_at(response, "phase") != until || is_old)
            checker_.broken(fmt::format("{} was asked to wait until {} is {}, and answers {}: {}",
                                        host_at(host).name(), text_at(response, "name"), until,
                                        response.status, text_at(response, "detail")));
        told();
    };
}

void Operators::order_other(const Act& act, std::string method, std::string path, std::string body,
                            std::string project) {
    const auto call = call_of_other(act.kind, project + path, body);
    api::Request request = make_request(method, path, std::move(project), std::move(body));
    const bool sent = ask_as_client(
        act.host, std::move(request),
        [this, host = act.host, method, path, call](const api::Response& response) {
            settle_other(call, response);
            trace_.add(
                "", fmt::format("{} answers {} to {} {}{}", host_at(host).name(), response.status,
                                method, path,
                                response.status >= 400 ? ": " + text_at(response, "detail") : ""));
        },
        [] {});
    trace_.add("", fmt::format("operator at {}: {} {}{}", host_at(act.host).name(), method, path,
                               sent ? "" : " (nobody listens)"));
}

// What comes and goes by name has a history like a VM's, but that its documents show no
// generations.
std::optional<Operators::OtherCall> Operators::call_of_other(ActKind kind, const std::string& path,
                                                             const std::string& body) {
    using Kind = VmModel::Kind;
    const bool creates = kind == ActKind::kVolumeCreate || kind == ActKind::kImageCreate ||
                         kind == ActKind::kProjectCreate;
    const bool deletes = kind == ActKind::kVolumeDelete || kind == ActKind::kImageDelete ||
                         kind == ActKind::kProjectDelete;
    if (!creates && !deletes) return {};
    OtherCall call{path, {creates ? Kind::kCreate : Kind::kDelete}, 0};
    if (creates) call.name += "/" + model::select_member(body, "name").value_or("").substr(1);
    if (call.name.ends_with('"')) call.name.pop_back();
    call.at = history_.called(call.name, call.input);
    return call;
}

void Operators::settle_other(const std::optional<OtherCall>& call, const api::Response& response) {
    if (!call) return;
    auto output = output_of(response, call->input.kind);
    if (output) history_.answered(call->name, call->at, *output);
}

// Most that stand alone are of the project whose VMs take them.
std::string Operators::volumes_project(const Act& act) {
    return act.dice / 8 % 4 == 3 ? "lab" : act.dice / 8 % 16 == 1 ? "brief" : "";
}

// A VM that needs it is made at that very moment, at another host.
void Operators::use_while_it_goes(const Act& act) {
    if (act.dice / 4 % 2 == 0) return;
    for (int subject = 0; subject < plan_.vms; ++subject) {
        const bool uses =
            act.kind == ActKind::kProjectDelete
                ? project_of(subject) == "brief"
                : new_vm(subject).spec.image == fmt::format("img-{}", act.subject % kImages);
        if (!uses || vm_of(subject)) continue;
        timeline_.after(
            Millis{static_cast<std::int64_t>(act.dice / 8 % 12)},
            [this, subject, host = act.host] { create(subject, (host + 1) % plan_.hosts, 3); });
        return;
    }
}

void Operators::cancel_an_operation(const Act& act) {
    std::vector<std::string> running;
    checker_.state().operations.for_each([&](const auto& operation) {
        if (operation->record->value.state == model::OperationState::kRunning)
            running.push_back(operation->key);
    });
    if (!running.empty())
        order_other(act, "DELETE", "/v1/operations/" + running[act.dice % running.size()], "");
}

void Operators::carry_out(const Act& act) {
    using Kind = VmModel::Kind;
    const std::string node = "/v1/nodes/" + host_at(act.subject).name();
    switch (act.kind) {
        case ActKind::kVmCreate:
            // Two at one moment that want something of one quota.
            if (project_of(act.subject) == "lab")
                create((act.subject + 5) % plan_.vms, act.host, 3);
            return create(act.subject, act.host, 3);
        case ActKind::kVmDelete:
            checker_.delete_asked(vm_key(act.subject));
            if (act.dice / 3 % 4 == 0) return delete_if_unchanged(act);
            return order_vm(act, Kind::kDelete, "DELETE", "");
        case ActKind::kVmStop:
        case ActKind::kVmStart: {
            const std::string run = run_of(act.kind);
            if (act.dice % 7 == 6)  // the same, said as what shall be
                return order_vm(act, Kind::kChange, "PATCH", "",
                                fmt::format(R"({{"spec":{{"run":"{}"}}}})", run));
            return order_vm(act, Kind::kChange, "POST", run == "stopped" ? "/stop" : "/start");
        }
        case ActKind::kVmRestart: return order_vm(act, Kind::kChange, "POST", "/restart");
        case ActKind::kVmPause: return order_vm(act, Kind::kChange, "POST", "/pause");
        case ActKind::kVmResume: return order_vm(act, Kind::kChange, "POST", "/resume");
        case ActKind::kVmResize:
            return order_vm(
                act, Kind::kChange, "PATCH", "",
                fmt::format(R"({{"spec":{{"memory_mib":{}}}}})", 128 + 64 * (act.dice % 14)));
        case ActKind::kVmLabel: return mark(act);
        case ActKind::kVmLabelIf: return mark_if_unchanged(act);
        case ActKind::kVmRead: return read(act);
        case ActKind::kVolumeCreate:
            return order_other(
                act, "POST", "/v1/volumes",
                fmt::format(
                    R"({{"name":"vol-{}","size_mib":{},"pool":"{}"{}}})", act.subject % kVolumes,
                    50, act.subject % 2 ? "shared" : "",
                    plan_.world > 2 && act.subject % kVolumes == 2 ? R"(,"image":"img-1")" : ""),
                volumes_project(act));
        case ActKind::kVolumeDelete:
            return order_other(act, "DELETE",
                               fmt::format("/v1/volumes/vol-{}", act.subject % kVolumes), "",
                               volumes_project(act));
        case ActKind::kQuotaChange:
            if (act.dice / 1000 % 2 == 0)
                return order_other(act, "PATCH", "/v1/projects/lab",
                                   fmt::format(R"({{"quota":{{"disk_mib":{}}}}})",
                                               plan_.vms * (8 + static_cast<int>(act.dice % 9))));
            return order_other(act, "PATCH", "/v1/projects/lab",
                               fmt::format(R"({{"quota":{{"vms":{},"memory_mib":{},"cpus":{}}}}})",
                                           plan_.vms / 8 + 1 + static_cast<int>(act.dice % 7),
                                           plan_.vms * (50 + static_cast<int>(act.dice / 7 % 60)),
                                           act.dice % 3 ? 0 : plan_.vms / 5 + 2));
        case ActKind::kNodeCordon: return order_other(act, "POST", node + "/cordon", "");
        case ActKind::kNodeUncordon: return order_other(act, "POST", node + "/uncordon", "");
        case ActKind::kNodeDrain: return order_other(act, "POST", node + "/drain", "");
        case ActKind::kVmDisks: return order_vm(act, Kind::kChange, "PATCH", "", new_disks(act));
        case ActKind::kVolumeChange:
            return order_other(
                act, "PATCH", fmt::format("/v1/volumes/vol-{}", act.subject % kVolumes),
                act.dice % 2 ? fmt::format(R"({{"labels":{{"colour":"c{}"}}}})", act.dice % 7)
                             : fmt::format(R"({{"size_mib":{}}})", 51 + act.at_ms / 60'000),
                volumes_project(act));
        case ActKind::kImageCreate:
            return order_other(
                act, "POST", "/v1/images",
                fmt::format(R"({{"name":"img-{}","files":[{{"role":"{}","sha256":"{}"}}]}})",
                            act.subject % kImages,
                            plan_.world > 2 && act.subject % kImages == 1 ? "disk" : "kernel",
                            kKernel));
        case ActKind::kImageDelete:
            use_while_it_goes(act);
            return order_other(act, "DELETE",
                               fmt::format("/v1/images/img-{}", act.subject % kImages), "");
        case ActKind::kProjectCreate:
            return order_other(act, "POST", "/v1/projects", R"({"name":"brief"})");
        case ActKind::kProjectDelete:
            use_while_it_goes(act);
            return order_other(act, "DELETE", "/v1/projects/brief", "");
        case ActKind::kNodeChange:
            if (plan_.world > 2 && act.dice / 8 % 4 == 0)
                return order_other(act, "PATCH", node, R"({"spec":{"labels":{"rack":null}}})");
            return order_other(
                act, "PATCH", node,
                fmt::format(R"({{"spec":{{"labels":{{"rack":"r{}"}},"overcommit":"{}"}}}})",
                            act.dice % 4, act.dice / 4 % 2 ? "none" : "moderate"));
        case ActKind::kRebalance:
            return order_other(act, "POST", "/v1/rebalance", R"({"restart_vms":true})");
        case ActKind::kOperationCancel: return cancel_an_operation(act);
        default: return;
    }
}

void Operators::uncordon(int host, int tries) {
    const auto again = [this, host, tries] {
        if (tries > 0)
            timeline_.after(seconds(3), [this, host, tries] { uncordon(host, tries - 1); });
    };
    const std::string path = "/v1/nodes/" + host_at(host).name() + "/uncordon";
    if (!ask(host_at(host + tries), make_request("POST", path),
             [again](const api::Response& response) {
                 if (!is_good(response)) again();
             }))
        again();
}

void Operators::create_named(int host, const std::string& name, const std::string& spec) {
    ask(host_at(host),
        make_request("POST", "/v1/vms", {},
                     fmt::format(R"({{"name":"{}","spec":{{"image":"demo",{}}}}})", name, spec)),
        [this, name](const api::Response& response) {
            trace_.add("", fmt::format("{} is made: {}", name, response.status));
        });
}

void Operators::delete_named(int host, const std::string& name) {
    checker_.delete_asked("default/" + name);
    api::Request request = make_request("DELETE", "/v1/vms/" + name);
    request.query.emplace_back("force", "true");
    ask(host_at(host), std::move(request), [this, name](const api::Response& response) {
        trace_.add("", fmt::format("{} is deleted: {}", name, response.status));
    });
}

void Operators::vouch(int host) {
    ask(host_at(host + 1), make_request("POST", "/v1/nodes/" + host_at(host).name() + "/lost"),
        [this, host](const api::Response& response) {
            trace_.add("",
                       fmt::format("{} is vouched for: {}", host_at(host).name(), response.status));
        });
}

void Operators::vouch_for_the_living(SimHost& host) {
    ask(host, make_request("POST", "/v1/nodes/" + host.name() + "/lost"),
        [this, &host](const api::Response& response) {
            checker_.counted();
            if (is_good(response))
                checker_.broken(fmt::format("{} lives, and may be said to be lost", host.name()));
        });
}

void Operators::remove_node(int host, int tries, std::function<void()> gone) {
    if (tries == 0 || host_at(host).powered) return;
    const std::string path = "/v1/nodes/" + host_at(host).name();
    const int at = host + 1 + tries % std::max(1, plan_.hosts - 1);
    ask(host_at(at), make_request("POST", path + "/lost"),
        [this, host](const api::Response& response) {
            trace_.add("",
                       fmt::format("{} is vouched for: {}", host_at(host).name(), response.status));
        });
    timeline_.after(seconds(10), [this, host, tries, gone, path, at] {
        if (host_at(host).powered) return;
        const bool sent = ask(
            host_at(at), make_request("DELETE", path),
            [this, host, tries, gone](const api::Response& response) {
                trace_.add(
                    "", fmt::format("removing host {}: {}{}", host_at(host).name(), response.status,
                                    is_good(response) ? "" : " " + text_at(response, "detail")));
                if (is_good(response)) return gone();
                remove_node(host, tries - 1, gone);
            });
        if (!sent) remove_node(host, tries - 1, gone);
    });
}

// ---- the follower of events

class EventFollower::Client final : public api::Responder,
                                    public api::Stream,
                                    public std::enable_shared_from_this<Client> {
 public:
    Client(EventFollower& owner, std::uint64_t run) : owner_(&owner), run_(run) {}
    void send(api::Response response) override {
        if (!owner_) return;
        // 410: what it asks for is no longer kept. It has to read the lists anew, and so do we.
        if (response.status == 410 && owner_->run_ == run_) {
            owner_->ledger_.owed.clear();
            owner_->last_id_ = std::to_string(owner_->backend_.history().revision());
        }
        if (owner_->run_ == run_) owner_->again();
    }
    std::shared_ptr<api::Stream> start_stream(api::Response) override { return shared_from_this(); }
    std::shared_ptr<api::Socket> accept_socket() override { return nullptr; }
    bool gone() const override { return !owner_; }
    bool write(std::string_view bytes) override {
        if (owner_ && owner_->run_ == run_) owner_->take(run_, bytes);
        return owner_ != nullptr;
    }
    void close() override {
        if (owner_ && owner_->run_ == run_) owner_->again();
    }
    void on_closed(std::function<void()>) override {}
    void leave() { owner_ = nullptr; }

 private:
    EventFollower* owner_;
    const std::uint64_t run_;
};

void EventFollower::start() {
    checker_.follow(&ledger_);
    last_id_ = std::to_string(backend_.history().revision());
    connect();
}

void EventFollower::connect() {
    waiting_ = false;
    for (std::size_t tries = 0; tries < hosts_.size(); ++tries) {
        host_ = (host_ + 1) % hosts_.size();
        api::Api* const api = hosts_[host_]->api();
        if (!api) continue;
        api::Request request = make_request("GET", "/v1/events");
        const bool of_one = !ledger_.project.empty();
        request.query.emplace_back("project", of_one ? ledger_.project : "*");
        if (!ledger_.type.empty()) request.query.emplace_back("type", ledger_.type);
        if (!ledger_.name.empty()) request.query.emplace_back("name", ledger_.name);
        request.last_event_id = last_id_;
        if (client_) client_->leave();
        client_ = std::make_shared<Client>(*this, ++run_);
        rest_.clear();
        trace_.add(hosts_[host_]->name(), "event stream", {{"from", last_id_}});
        return api->handle(std::move(request), client_);
    }
    again();
}

void EventFollower::again() {
    ++run_;
    ++resumed_;
    if (client_) client_->leave();
    if (std::exchange(waiting_, true)) return;
    timeline_.after(Millis{700}, [this] { connect(); });
}

void EventFollower::host_gone(std::size_t host) {
    if (host == host_) again();
}

void EventFollower::take(std::uint64_t run, std::string_view bytes) {
    rest_ += bytes;
    for (std::size_t end = rest_.find("\n\n"); end != std::string::npos && run == run_;
         end = rest_.find("\n\n")) {
        take_block(rest_.substr(0, end));
        rest_.erase(0, end + 2);
    }
}

void EventFollower::take_block(std::string_view block) {
    std::string id, type, data;
    while (!block.empty()) {
        const std::string_view line = block.substr(0, block.find('\n'));
        block.remove_prefix(std::min(block.size(), line.size() + 1));
        if (line.starts_with("id: ")) id = line.substr(4);
        if (line.starts_with("event: ")) type = line.substr(7);
        if (line.starts_with("data: ")) data = line.substr(6);
    }
    if (id.empty()) return;
    last_id_ = id;
    store::Revision revision = 0;
    std::from_chars(id.data(), id.data() + id.size(), revision);
    // A keep-alive's id says: you have all up to here.
    if (type.empty()) return checker_.on_event_mark(ledger_, revision);
    const auto text_of = [&data](std::string_view member) {
        const auto text = model::select_member(data, member);
        return text && text->size() > 2 ? text->substr(1, text->size() - 2) : std::string{};
    };
    checker_.on_event(ledger_, revision, {type, text_of("project"), text_of("name")});
    // It has a part of what one transaction did, and comes again for the rest.
    if (id.find('-') != std::string::npos && random_.chance(10)) again();
}

}  // namespace blixard::sim
