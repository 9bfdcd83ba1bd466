#include "sim/operators.h"

#include <fmt/format.h>

#include <charconv>

#include "model/documents.h"
#include "model/merge_patch.h"
#include "model/requests.h"

namespace blixard::sim {
namespace {

class Answer final : public api::Responder {
   public:
    explicit Answer(std::function<void(const api::Response&)> answered) : answered_(std::move(answered)) {}
    void send(api::Response response) override {
        if (answered_) std::exchange(answered_, nullptr)(response);
    }
    std::shared_ptr<api::Stream> start_stream(api::Response) override { return nullptr; }
    std::shared_ptr<api::Socket> accept_socket() override { return nullptr; }
    bool gone() const override { return false; }

   private:
    std::function<void(const api::Response&)> answered_;
};

std::string body_of(const api::Response& response) { return response.shared_body ? *response.shared_body : response.body; }

std::string text_at(const api::Response& response, std::string_view path) {
    const Result<std::string> value = model::select_member(body_of(response), path);
    if (!value || value->size() < 2) return {};
    return value->substr(1, value->size() - 2);
}

bool good(const api::Response& response) { return response.status >= 200 && response.status < 300; }

}  // namespace

api::Request make_request(std::string method, std::string path, std::string project, std::string body) {
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

std::string Operators::vm_name(int subject) const { return fmt::format("vm-{}", subject); }
std::string Operators::project_of(int subject) const { return subject % 5 == 4 ? "lab" : "default"; }

std::string Operators::new_vm(int subject) const {
    SeededRandom random(plan_.seed * 31 + static_cast<std::uint64_t>(subject));
    model::VmCreate create;
    create.name = vm_name(subject);
    create.project = project_of(subject);
    model::VmSpec& spec = create.spec;
    spec.image = "demo";
    spec.cpus = 1 + static_cast<std::int64_t>(random.below(2));
    spec.memory_mib = 128 + 64 * static_cast<std::int64_t>(random.below(10));
    spec.ha = random.chance(65) ? model::Ha::kRestart : model::Ha::kNone;
    spec.stop_timeout_s = 2 + static_cast<std::int64_t>(random.below(10));
    const std::uint64_t restart = random.below(10);
    spec.restart = restart == 0 ? model::Restart::kNever : restart < 3 ? model::Restart::kAlways : model::Restart::kOnFailure;
    spec.priority = static_cast<std::int64_t>(random.below(10)) * 100;
    spec.preemptible = random.chance(10);
    if (random.chance(10)) spec.strategy = "priority";
    if (random.chance(50)) spec.disks.push_back({.name = "data", .size_mib = 100, .pool = spec.ha == model::Ha::kRestart ? "shared" : ""});
    if (random.chance(15)) {
        spec.labels["group"] = "g";
        spec.affinity.push_back({.anti = true, .hard = true, .labels = {{"group", "g"}}, .max_per_node = 2});
    }
    std::string body;
    model::write(create, body);
    return body;
}

void Operators::create(int subject, int host, int tries) {
    const std::string vm = fmt::format("{}/{}", project_of(subject), vm_name(subject));
    api::Request request = make_request("POST", "/v1/vms", {}, new_vm(subject));
    request.idempotency_key = fmt::format("create-{}-{}", subject, created_[subject]);
    SimHost& at = *hosts_[static_cast<std::size_t>(host)];
    const auto again = [this, subject, host, tries] {
        if (tries <= 1) return;
        timeline_.after(seconds(5), [this, subject, host, tries] { create(subject, (host + 1) % plan_.hosts, tries - 1); });
    };
    const bool sent = ask(at, std::move(request), [this, vm, subject, again, name = at.name()](const api::Response& response) {
        trace_.add("", fmt::format("{} answers {} to creating {}", name, response.status, vm));
        if (response.status == 201) {
            ++created_[subject];
            checker_.create_acknowledged(vm, text_at(response, "uid"));
        } else if (response.status >= 500) {
            again();
        } else {
            ++created_[subject];
        }
    });
    if (!sent) again();
}

void Operators::order(const Act& act, std::string method, std::string path, std::string body,
                      std::function<void(const api::Response&)> answered) {
    SimHost& at = *hosts_[static_cast<std::size_t>(act.host)];
    const bool of_vm = path.starts_with("/v1/vms");
    api::Request request = make_request(method, path, of_vm ? project_of(act.subject) : "", std::move(body));
    const bool may_force = act.kind == ActKind::kVmDelete || act.kind == ActKind::kVmStop || act.kind == ActKind::kVmRestart;
    if (may_force && act.dice % 3 == 0) request.query.emplace_back("force", "true");
    const bool sent = ask(at, std::move(request), [this, answered, name = at.name(), method, path](const api::Response& response) {
        trace_.add("", fmt::format("{} answers {} to {} {}{}", name, response.status, method, path,
                                   response.status >= 400 ? ": " + text_at(response, "detail") : ""));
        if (answered) answered(response);
    });
    trace_.add("", fmt::format("operator at {}: {} {}{}", at.name(), method, path, sent ? "" : " (nobody listens)"));
}

void Operators::carry_out(const Act& act) {
    const std::string vm = vm_name(act.subject);
    const std::string path = "/v1/vms/" + vm;
    const std::string node = "/v1/nodes/" + hosts_[static_cast<std::size_t>(act.subject % plan_.hosts)]->name();
    switch (act.kind) {
        case ActKind::kVmCreate: return create(act.subject, act.host, 3);
        case ActKind::kVmDelete:
            checker_.delete_asked(fmt::format("{}/{}", project_of(act.subject), vm));
            return order(act, "DELETE", path, "");
        case ActKind::kVmStop: return order(act, "POST", path + "/stop", "");
        case ActKind::kVmStart: return order(act, "POST", path + "/start", "");
        case ActKind::kVmRestart: return order(act, "POST", path + "/restart", "");
        case ActKind::kVmPause: return order(act, "POST", path + "/pause", "");
        case ActKind::kVmResume: return order(act, "POST", path + "/resume", "");
        case ActKind::kVmResize:
            return order(act, "PATCH", path, fmt::format(R"({{"spec":{{"memory_mib":{}}}}})", 128 + 64 * (act.dice % 14)));
        case ActKind::kVmLabel: {
            const std::string label = fmt::format("op{}", ++labels_);
            return order(act, "PATCH", path, fmt::format(R"({{"spec":{{"labels":{{"{}":"x"}}}}}})", label),
                         [this, label, key = fmt::format("{}/{}", project_of(act.subject), vm)](const api::Response& response) {
                             if (response.status == 200) checker_.label_acknowledged(key, text_at(response, "uid"), label);
                         });
        }
        case ActKind::kNodeCordon: return order(act, "POST", node + "/cordon", "");
        case ActKind::kNodeUncordon: return order(act, "POST", node + "/uncordon", "");
        case ActKind::kNodeDrain: return order(act, "POST", node + "/drain", "");
        default: return;
    }
}

void Operators::uncordon(int host, int tries) {
    SimHost& at = *hosts_[static_cast<std::size_t>((host + tries) % plan_.hosts)];
    const auto again = [this, host, tries] {
        if (tries > 0) timeline_.after(seconds(3), [this, host, tries] { uncordon(host, tries - 1); });
    };
    const std::string path = "/v1/nodes/" + hosts_[static_cast<std::size_t>(host)]->name() + "/uncordon";
    if (!ask(at, make_request("POST", path), [again](const api::Response& response) {
            if (!good(response)) again();
        }))
        again();
}

// ---- the follower of events

class EventFollower::Client final : public api::Responder, public api::Stream, public std::enable_shared_from_this<Client> {
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
        request.query.emplace_back("project", "*");
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
    for (std::size_t end = rest_.find("\n\n"); end != std::string::npos && run == run_; end = rest_.find("\n\n")) {
        take_block(rest_.substr(0, end));
        rest_.erase(0, end + 2);
    }
}

void EventFollower::take_block(std::string_view block) {
    std::string id, type;
    while (!block.empty()) {
        const std::string_view line = block.substr(0, block.find('\n'));
        block.remove_prefix(std::min(block.size(), line.size() + 1));
        if (line.starts_with("id: ")) id = line.substr(4);
        if (line.starts_with("event: ")) type = line.substr(7);
    }
    if (id.empty()) return;
    last_id_ = id;
    if (type.empty()) return;
    store::Revision revision = 0;
    std::from_chars(id.data(), id.data() + id.size(), revision);
    checker_.on_event(revision);
}

}  // namespace blixard::sim
