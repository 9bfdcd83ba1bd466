#include "sim/host.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/questions.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::sim {
namespace {
// Many checkpoints in an hour: they are to be right.
constexpr std::size_t kRecordSegmentBytes = 64 << 10;
constexpr Millis kNever = seconds(1'000'000);
// Few: who comes again reads on in the store's history, mostly.
constexpr std::size_t kEventsKept = 60;
// By then a daemon knows what has become of all that it had asked of the store.
constexpr Millis kAnsweredBy = seconds(60);
}  // namespace

// Image files are there, or come from another host, or cannot be had for now.
class SimHost::PathBlobs final : public agent::Blobs {
 public:
    PathBlobs(Executor& executor, const SimMachines& machines, SeededRandom& random)
        : executor_(executor), machines_(machines), random_(random) {}
    void ensure(const std::string& sha256, Callback<std::string> done) override {
        const std::uint64_t dice = machines_.troubled() ? random_.below(100) : 100;
        if (dice >= 12) return executor_.post([sha256, done] { done("/blobs/" + sha256); });
        const Millis wait{static_cast<std::int64_t>(random_.below(dice < 4 ? 15'000 : 500))};
        executor_.after(wait, [sha256, done, comes = dice < 7] {
            if (comes) return done("/blobs/" + sha256);
            done(fail(ErrorCode::kUnavailable, "no host that has file " + sha256 + " answers"));
        });
    }

 private:
    Executor& executor_;
    const SimMachines& machines_;
    SeededRandom& random_;
};

// A guest that is well answers in time, at times late; one that is not refuses, or says nothing;
// and what has ended since it was asked answers for nobody else.
class SimHost::Probe final : public agent::HealthProbe {
 public:
    Probe(Executor& executor, SimMachines& machines, std::uint64_t seed)
        : executor_(executor), machines_(machines), random_(seed) {}
    void probe(const model::HealthCheck& check, const std::string& address,
               Callback<bool> healthy) override {
        const Machine* const machine = at(address);
        const Millis timeout = seconds(check.timeout_s);
        const bool silent =
            machine && machine->instance.state != hypervisor::InstanceState::kRunning;
        const bool well = machine && !silent && machine->sick == 0;
        Millis wait{1 + static_cast<std::int64_t>(random_.below(20))};
        if (well && random_.chance(15))
            wait = Millis{static_cast<std::int64_t>(
                random_.below(static_cast<std::uint64_t>(timeout.count)))};
        if (silent || (machine && !well && random_.chance(50))) wait = timeout;
        executor_.after(wait, [this, well, healthy, vm = machine ? machine->instance.id.vm : "",
                               birth = machine ? machine->birth : 0] {
            Machine* const machine = machines_.find(vm);
            if (machine && machine->birth == birth) machines_.checked(*machine, well);
            healthy(well);
        });
    }

 private:
    const Machine* at(const std::string& address) const {
        for (const auto& [vm, machine] : machines_.machines())
            for (const model::Address& each : machine.instance.addresses)
                if (machine.alive && machine.ran && each.address == address) return &machine;
        return nullptr;
    }
    Executor& executor_;
    SimMachines& machines_;
    SeededRandom random_;
};

// Whatever image people name has its files.
class SimHost::Files final : public api::BlobPort {
 public:
    explicit Files(Executor& executor) : executor_(executor) {}
    Result<std::shared_ptr<api::BlobUpload>> open_upload(std::optional<std::uint64_t>,
                                                         std::string) override {
        return fail(ErrorCode::kUnsupported, "nothing is uploaded in a simulation");
    }
    void find(std::string, Callback<api::Blob> done) override {
        executor_.post([done = std::move(done)] {
            done(fail(ErrorCode::kNotFound, "there are no files in a simulation"));
        });
    }
    void inspect(std::string sha256, model::FileRole role,
                 Callback<model::ImageFile> done) override {
        executor_.post([sha256 = std::move(sha256), role, done = std::move(done)] {
            model::ImageFile file{.role = role, .sha256 = sha256};
            if (role == model::FileRole::kDisk) {
                file.format = model::DiskFormat::kQcow2;
                file.virtual_size_mib = 40;
            }
            done(std::move(file));
        });
    }

 private:
    Executor& executor_;
};

class SimHost::Planner final : public api::PlanPort {
 public:
    Planner(const view::View& view, Executor& executor) : view_(view), executor_(executor) {}
    void ask(model::Question question, Callback<std::string> json) override {
        executor_.post([answer = controller::answer(question, *view_.current(), {}),
                        json = std::move(json)] { json(answer); });
    }

 private:
    const view::View& view_;
    Executor& executor_;
};

class SimHost::AgentLease final : public controller::LeaseSource {
 public:
    explicit AgentLease(const agent::Agent& agent) : agent_(agent) {}
    store::LeaseId lease() const override { return agent_.lease().id(); }
    store::Revision lease_key_revision() const override { return agent_.lease().key_revision(); }

 private:
    const agent::Agent& agent_;
};

model::NodeSpec spec_of_host(int index) {
    model::NodeSpec spec;
    spec.uid = fmt::format("h{}", index + 1);
    spec.zone = fmt::format("z{}", index % 3);
    spec.labels["rack"] = fmt::format("r{}", index % 4);
    const model::Overcommit promises[] = {
        model::Overcommit::kNone, model::Overcommit::kConservative, model::Overcommit::kModerate};
    spec.overcommit = promises[index % 3];
    return spec;
}

std::vector<std::string> features_of_host(int index) {
    if (index % 4 == 0) return {"ssd", "nvme"};
    if (index % 2 == 0) return {"ssd"};
    return {};
}

SimHost::SimHost(Deps deps, int index, std::uint64_t seed, std::int64_t clock_ppm)
    : deps_(std::move(deps)),
      index_(index),
      name_(fmt::format("h{}", index + 1)),
      ppm_(clock_ppm),
      log_(deps_.trace, name_),
      ids_(seed + 2),
      network_(seed + 3),
      files_(seed + 5),
      clock_(deps_.timeline, ppm_,
             Millis{static_cast<std::int64_t>(SeededRandom(seed + 1).below(1'000'000'000))}),
      machines_({deps_.timeline, clock_, deps_.shared, deps_.checker}, name_, seed + 4) {}

SimHost::~SimHost() { kill_daemon(); }

store::Link SimHost::link() const {
    return {.requests_cut = ways_.requests_cut > 0,
            .replies_cut = ways_.replies_cut > 0,
            .delay = Millis{ways_.slow > 0 ? ways_.slow_ms : 1},
            .watch_lag = Millis{ways_.watch_slow > 0 ? ways_.watch_ms : 0}};
}

void SimHost::change_ways(const std::function<void(Ways&)>& change) {
    change(ways_);
    disturb();
    if (daemon_) daemon_->link->set_link(link());
}

bool SimHost::is_undisturbed() const {
    const bool now = trouble_ <= 0 && doubled_ <= 0 && ways_.requests_cut <= 0 &&
                     ways_.replies_cut <= 0 && ways_.slow <= 0 && ways_.watch_slow <= 0;
    return now && deps_.timeline.mono() - disturbed_at_ > kAnsweredBy;
}

store::CommitFault SimHost::on_commit(const store::Transaction& transaction) {
    deps_.checker.on_send(name_, transaction);
    if (daemon_ && daemon_->controller) {
        const auto wrong = daemon_->decisions->what_is_wrong_with(
            transaction, *daemon_->view->current(), deps_.timeline.mono(), is_undisturbed(),
            deps_.checker.without_place());
        if (wrong) deps_.checker.decided_wrongly(name_, *wrong);
    }
    look_at_lease_key(transaction);
    store::CommitFault fault = fault_of_commit();
    const bool is_meant = std::ranges::any_of(
        transaction.puts, [this](const store::Put& put) { return put.key == lost_about_; });
    if (is_meant) {
        lost_about_.clear();
        fault.outcome = store::CommitOutcome::kUnknownApplied;
    }
    const bool unknown = fault.outcome == store::CommitOutcome::kUnknownApplied ||
                         fault.outcome == store::CommitOutcome::kUnknownNotApplied ||
                         fault.outcome == store::CommitOutcome::kUnknownLate;
    const bool goes_out = ways_.requests_cut <= 0 && deps_.backend->running();
    if (unknown && goes_out && daemon_ && daemon_->decisions)
        daemon_->decisions->outcome_unknown(transaction);
    return fault;
}

namespace {

// It was decided under another lease, perhaps, while the files of its image were fetched: all that
// it counts on is compared.
bool announces_a_start(const store::Transaction& transaction) {
    return std::ranges::any_of(transaction.puts, [](const store::Put& put) {
        if (model::parse_key(put.key).kind != model::RecordKind::kVmStatus) return false;
        const auto status = model::parse_vm_status(put.value, model::Mode::kLenient);
        return status && status->phase == model::Phase::kStarting;
    });
}

}  // namespace

// Who counts on its lease has come to it, in what it sees: what it saw before may be older than a
// failover.
void SimHost::look_at_lease_key(const store::Transaction& transaction) {
    if (!daemon_ || !daemon_->view || announces_a_start(transaction)) return;
    const std::string key = model::node_key(name_, "lease");
    for (const store::Compare& compare : transaction.compares)
        if (compare.key == key && compare.mod_revision > daemon_->view->current()->revision)
            deps_.checker.broken(fmt::format(
                "host {} counts on its lease of revision {}, and sees what was at revision {}",
                name_, compare.mod_revision, daemon_->view->current()->revision));
}

store::CommitFault SimHost::fault_of_commit() {
    store::CommitFault fault{.delay = Millis{static_cast<std::int64_t>(network_.below(4))}};
    if (doubled_ > 0 && network_.chance(30))
        fault.again = Millis{1 + static_cast<std::int64_t>(network_.below(5000))};
    if (doubled_ > 0 && network_.chance(20))
        fault.delay = Millis{static_cast<std::int64_t>(network_.below(3000))};
    if (trouble_ <= 0) return fault;
    const std::uint64_t dice = network_.below(100);
    if (dice < 15)
        fault.outcome = store::CommitOutcome::kUnknownApplied;
    else if (dice < 25)
        fault.outcome = store::CommitOutcome::kUnknownNotApplied;
    else if (dice < 30)
        fault = {.outcome = store::CommitOutcome::kUnknownLate,
                 .again = Millis{1000 + static_cast<std::int64_t>(network_.below(4000))}};
    else if (dice < 40)
        fault.outcome = store::CommitOutcome::kUnavailable;
    else if (dice < 60)
        fault.delay = Millis{static_cast<std::int64_t>(network_.below(900))};
    return fault;
}

SimHost::ClientFate SimHost::client_fate() {
    if (clients_trouble_ <= 0) return ClientFate::kGood;
    const std::uint64_t dice = network_.below(100);
    return dice < 20   ? ClientFate::kRequestLost
           : dice < 55 ? ClientFate::kAnswerLost
                       : ClientFate::kGood;
}

void SimHost::start_daemon() {
    if (daemon_ || !powered) return;
    deps_.trace.add(name_, "daemon starts");
    ++run_;
    lanes_.push_back(std::make_unique<Lane>(deps_.timeline, clock_));
    daemon_ = std::make_unique<Daemon>();
    Daemon& daemon = *daemon_;
    daemon.lane = lanes_.back().get();
    daemon.link = std::make_unique<store::MemoryStore>(
        deps_.backend, *daemon.lane, store::MemoryOptions{.faults = this, .link = link()});
    daemon.store = daemon.link.get();
    if (next_version_) {
        daemon.next_version = std::make_unique<NextVersionStore>(*daemon.link);
        daemon.store = daemon.next_version.get();
    }
    if (deps_.record) {
        daemon.recording = std::make_unique<recorder::Recording>(
            *deps_.record, kRecordSegmentBytes, *daemon.store, *daemon.lane, *daemon.lane, ids_);
        recorder::Recording& ports = *daemon.recording;
        daemon.view = std::make_unique<view::View>(ports.store, ports.executor, ports.clock, log_,
                                                   &deps_.steps);
    } else {
        daemon.view = std::make_unique<view::View>(*daemon.store, *daemon.lane, *daemon.lane, log_,
                                                   &deps_.steps);
    }
    daemon.view->start([this, run = run_](Status ready) {
        if (!daemon_ || run != run_) return;
        if (!ready) return start_again();
        assemble(*daemon_);
    });
}

// As the service manager does.
void SimHost::start_again() {
    deps_.timeline.post([this, run = run_] {
        if (run == run_) kill_daemon();
    });
    deps_.timeline.after(seconds(1), [this] { start_daemon(); });
}

// As daemon/daemon.cc does: what people may change of this host, made once.
void SimHost::put_node_spec(Daemon& daemon) {
    const view::NodeEntry* node = daemon.view->current()->nodes.find(name_);
    if (node && node->spec) return;
    store::Transaction put;
    put.compares.push_back({model::node_key(name_, "spec"), 0});
    put.puts.push_back(
        {.key = model::node_key(name_, "spec"), .value = model::to_json(spec_of_host(index_))});
    daemon.store->commit(std::move(put), [](const Result<store::Committed>&) {});
}

void SimHost::assemble(Daemon& daemon) {
    Lane& lane = *daemon.lane;
    put_node_spec(daemon);
    daemon.hypervisor = std::make_unique<SimHypervisor>(machines_, lane);
    daemon.hypervisor->on_order = [this, view = daemon.view.get()](const MachineOrder& order,
                                                                   const Machine& machine) {
        deps_.checker.counted();
        if (auto wrong = what_is_wrong_with(order, name_, machine, *view->current()))
            deps_.checker.broken(std::move(*wrong));
    };
    daemon.blobs = std::make_unique<PathBlobs>(lane, machines_, files_);
    daemon.probe = std::make_unique<Probe>(lane, machines_, files_.next());
    agent::AgentSettings settings{.node = name_};
    settings.facts.uid = name_;
    settings.facts.cpus = kHostCpus * deps_.size;
    settings.facts.memory_mib = deps_.memory_mib * deps_.size;
    settings.facts.disk_mib = kHostDiskMib[index_ % 3] * deps_.size;
    settings.facts.accelerator = "tcg";
    settings.facts.pools = {"shared"};
    settings.facts.features = features_of_host(index_);
    settings.storage.data_dir = "/data";
    settings.storage.pools["shared"] = "/shared";
    settings.run_uid = make_id(ids_);
    controller::ControllerSettings control{.node = name_, .run_uid = make_id(ids_)};
    control.policy.reserve_after = deps_.reserve_after;
    daemon.decisions = std::make_unique<DecisionChecks>(deps_.reserve_after);
    if (!deps_.safety_nets) settings.look_at_all_every = control.look_every = kNever;
    if (recorder::Recording* const ports = daemon.recording.get()) {
        ports->hypervisor =
            std::make_unique<recorder::RecordedHypervisor>(ports->recorder, *daemon.hypervisor);
        ports->blobs = std::make_unique<recorder::RecordedBlobs>(ports->recorder, *daemon.blobs);
        ports->probe = std::make_unique<recorder::RecordedProbe>(ports->recorder, *daemon.probe);
        ports->begin("sim", settings, control, *daemon.view);
        make_loops(daemon, settings, control, ports->store, *ports->hypervisor, *ports->blobs,
                   *ports->probe, ports->executor, ports->clock, ports->random);
    } else {
        make_loops(daemon, settings, control, *daemon.store, *daemon.hypervisor, *daemon.blobs,
                   *daemon.probe, lane, lane, ids_);
    }
    daemon.files = std::make_unique<Files>(lane);
    daemon.planner = std::make_unique<Planner>(*daemon.view, lane);
    daemon.api = std::make_unique<api::Api>(api::Deps{.store = *daemon.store,
                                                      .view = *daemon.view,
                                                      .executor = lane,
                                                      .view_executor = lane,
                                                      .clock = lane,
                                                      .random = ids_,
                                                      .log = log_,
                                                      .blobs = daemon.files.get(),
                                                      .plan = daemon.planner.get()},
                                            api::Settings{.node = name_,
                                                          .version = "sim",
                                                          .commit = "sim",
                                                          .store = "memory",
                                                          .events_kept = kEventsKept});
    const auto ready = [this, run = run_](Status found) {
        if (!daemon_ || run != run_) return;
        if (!found) return start_again();
        recovered(*daemon_);
    };
    if (daemon.recording)
        daemon.recording->start(*daemon.agent, ready);
    else
        daemon.agent->start(ready);
}

void SimHost::make_loops(Daemon& daemon, const agent::AgentSettings& settings,
                         const controller::ControllerSettings& control, store::Store& store,
                         hypervisor::Hypervisor& hypervisor, agent::Blobs& blobs,
                         agent::HealthProbe& probe, Executor& executor, const Clock& clock,
                         Random& random) {
    daemon.agent =
        std::make_unique<agent::Agent>(agent::Agent::Deps{store, *daemon.view, hypervisor, blobs,
                                                          &probe, executor, clock, random, log_},
                                       settings);
    daemon.lease = std::make_unique<AgentLease>(*daemon.agent);
    daemon.controller = std::make_unique<controller::Controller>(
        controller::Controller::Deps{store, *daemon.view, executor, clock, random, log_,
                                     *daemon.lease},
        control);
}

// What an earlier daemon left has been found.
void SimHost::recovered(Daemon& daemon) {
    deps_.checker.on_watching(name_);
    daemon.view->subscribe([this](const std::shared_ptr<const view::Update>& update) {
        if (update->reloaded) deps_.checker.on_watching(name_);
    });
    if (daemon.recording)
        daemon.recording->start(*daemon.controller, *daemon.agent, *daemon.view);
    else
        daemon.controller->start();
    daemon.api->start([this, run = run_] {
        if (daemon_ && run == run_) daemon_->serving = true;
    });
}

void SimHost::kill_daemon() {
    if (!daemon_) return;
    deps_.trace.add(name_, "daemon ends");
    ++run_;
    daemon_->lane->end();
    daemon_->link->crash();
    daemon_->api.reset();
    daemon_->controller.reset();
    daemon_->lease.reset();
    daemon_->agent.reset();
    daemon_->hypervisor.reset();
    daemon_->view.reset();
    daemon_->recording.reset();
    daemon_->link.reset();
    daemon_.reset();
    deps_.checker.on_daemon_gone(name_);
    if (on_daemon_gone) on_daemon_gone();
}

void SimHost::kill_daemon_after(std::uint64_t tasks, Millis span) {
    if (!daemon_) return;
    auto left = std::make_shared<std::uint64_t>(tasks);
    daemon_->lane->after_task = [this, left, span](std::uint64_t) {
        if ((*left)-- != 0) return;
        kill_daemon();
        deps_.timeline.after(span, [this] { start_daemon(); });
    };
}

void SimHost::pause_daemon(Millis span) {
    if (!daemon_ || daemon_->lane->paused()) return;
    daemon_->lane->pause();
    deps_.timeline.after(span, [this, run = run_] {
        if (daemon_ && run == run_) daemon_->lane->resume();
    });
}

void SimHost::cut_power() {
    kill_daemon();
    machines_.cut_power();
}

void SimHost::wipe() { machines_.wipe(); }

void SimHost::heal() {
    trouble_ = doubled_ = clients_trouble_ = 0;
    restore_clock();
    change_ways([](Ways& ways) { ways = {}; });
    if (daemon_ && daemon_->lane->paused()) daemon_->lane->resume();
    machines_.set_disk_full(false);
    machines_.set_troubled(false);
    powered = true;
    start_daemon();
}

}  // namespace blixard::sim
