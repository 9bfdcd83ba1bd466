#include "daemon/daemon.h"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "agent/agent.h"
#include "api/api.h"
#include "api/http/server.h"
#include "api/local_node.h"
#include "base/counted.h"
#include "cluster/node.h"
#include "cluster/write_gate.h"
#include "controller/controller.h"
#include "controller/questions.h"
#include "daemon/blobs.h"
#include "daemon/cluster_ports.h"
#include "daemon/daemon_metrics.h"
#include "daemon/facts.h"
#include "daemon/health_probe.h"
#include "daemon/image_collector.h"
#include "daemon/image_fetch.h"
#include "daemon/log.h"
#include "daemon/record_files.h"
#include "daemon/record_ports.h"
#include "daemon/stray_disks.h"
#include "hypervisor/qemu/qemu_hypervisor.h"
#include "model/documents.h"
#include "model/keys.h"
#include "os/event_loop.h"
#include "os/files.h"
#include "recorder/recording.h"
#include "store/etcd/etcd_store.h"
#include "store/sqlite/sqlite_store.h"

namespace blixard::daemon {
namespace {

constexpr Millis kFiguresEvery = seconds(1);
constexpr Millis kUsageEvery = seconds(15);  // one QMP question per running VM
constexpr Millis kStartMost =
    seconds(60);  // reading the state and finding what an earlier daemon left
constexpr Millis kRestartAfter{300};
constexpr unsigned kSocketMode = 0660;  // root and group blixard

class AgentLease final : public controller::LeaseSource {
 public:
    explicit AgentLease(const agent::Agent& agent) : agent_(agent) {}
    store::LeaseId lease() const override { return agent_.lease().id(); }
    store::Revision lease_key_revision() const override { return agent_.lease().key_revision(); }

 private:
    const agent::Agent& agent_;
};

// Answers questions on a worker, from the view's present state.
class Planner final : public api::PlanPort {
 public:
    Planner(const view::View& view, os::WorkerPool& workers, Executor& executor,
            scheduler::Policy policy)
        : view_(view), workers_(workers), executor_(executor), policy_(std::move(policy)) {}
    void ask(model::Question question, Callback<std::string> json) override {
        workers_.run<std::string>(
            executor_,
            [question = std::move(question), state = view_.current(), policy = policy_] {
                return controller::answer(question, *state, policy);
            },
            std::move(json));
    }

 private:
    const view::View& view_;
    os::WorkerPool& workers_;
    Executor& executor_;
    const scheduler::Policy policy_;
};

scheduler::Policy policy_of(const Config& config) {
    scheduler::Policy policy;
    if (config.strategy.empty()) return policy;
    if (const Result<scheduler::Strategy> strategy = scheduler::parse_strategy(config.strategy))
        policy.strategy = *strategy;
    return policy;
}

class Daemon {
 public:
    Daemon(const Config& config, std::string program)
        : config_(config),
          program_(std::move(program)),
          log_(parse_log_level(config.log_level), config.log_format == "json", clock_) {}

    ~Daemon() { stop(); }

    Status start();
    void run() { loop_.run(); }
    bool wants_restart() const { return restart_; }

 private:
    Status open_data();
    Status open_store();
    Status read_state();
    Status check_name() const;
    Status check_store() const;
    Status make_host();
    Status make_control();
    Status open_record();
    std::string record_directory() const { return config_.data_dir + "/record"; }
    Status make_api();
    Status be_asked();
    Status join_in();
    void fetch_from_others();
    void collect_images();
    api::Service& service() { return noted_ ? static_cast<api::Service&>(*noted_) : *api_; }
    void restart_soon();
    void end() {
        ending_ = true;
        loop_.stop();
    }
    void listen_for_signals();
    void put_node_spec();
    void tell_figures();
    void measure_usage();
    void stop();

    // Runs the loop until `done`, for the blocking steps of the start. kCancelled: told to stop.
    Status wait(const char* what, const std::function<bool()>& done) {
        (void)loop_.run_until([&] { return done() || ending_; }, kStartMost);
        if (done()) return {};
        if (ending_) return fail(ErrorCode::kCancelled, fmt::format("told to stop while {}", what));
        return fail(ErrorCode::kTimeout,
                    fmt::format("{} took longer than {} s", what, kStartMost.count / 1000));
    }

    const Config config_;
    const std::string program_;
    os::SystemClock clock_;
    StderrLog log_;
    os::KernelRandom random_;
    Metrics metrics_;
    ControlFigures figures_;
    UsageTable usage_;
    os::UniqueFd data_lock_;
    os::UniqueFd signals_;
    os::EventLoop loop_;
    HttpObserver observer_{metrics_};
    std::unique_ptr<api::http::Server> server_;
    std::unique_ptr<images::BlobStore> blob_store_;
    os::WorkerPool workers_{2, 1024};  // ends before what its work refers to
    std::unique_ptr<AgentBlobs> agent_blobs_;
    std::unique_ptr<ApiBlobs> api_blobs_;
    Found found_;
    std::unique_ptr<cluster::Node> node_;
    std::unique_ptr<store::Store> bare_store_;
    cluster::WriteGate* gate_ = nullptr;  // bare_store_, where it is the embedded one
    std::string store_name_;
    std::unique_ptr<TimedStore> store_;
    std::unique_ptr<RecordFiles> record_files_;
    std::unique_ptr<recorder::Recording> recording_;  // none: switched off
    std::unique_ptr<view::View> view_;
    std::unique_ptr<hypervisor::QemuHypervisor> hypervisor_;
    std::unique_ptr<NetworkProbe> probe_;
    std::unique_ptr<agent::Agent> agent_;
    std::unique_ptr<AgentLease> lease_;
    std::unique_ptr<controller::Controller> controller_;
    std::unique_ptr<api::LocalNode> local_node_;
    std::unique_ptr<DaemonMetrics> daemon_metrics_;
    std::unique_ptr<Planner> planner_;
    std::unique_ptr<ClusterOperations> cluster_operations_;
    std::unique_ptr<OtherHosts> other_hosts_;
    std::unique_ptr<RecordExport> record_export_;
    std::unique_ptr<StrayDiskSearch> stray_disks_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<ImageFetch> image_fetch_;  // of a member of a cluster
    std::unique_ptr<ImageCollector> image_collector_;
    std::unique_ptr<NotedService> noted_;
    bool state_read_ = false;
    bool ending_ = false;  // the loop ends, or does not begin
    bool stopped_ = false;
    bool restart_ = false;
};

Status Daemon::start() {
    RETURN_IF_ERROR(open_data());
    listen_for_signals();
    RETURN_IF_ERROR(open_store());
    RETURN_IF_ERROR(make_host());
    // A member can be asked how it stands, and told to leave, while its store is silent.
    const bool member = node_->is_member();
    if (member) RETURN_IF_ERROR(be_asked());
    RETURN_IF_ERROR(read_state());
    if (ending_) return {};
    RETURN_IF_ERROR(check_name());
    RETURN_IF_ERROR(check_store());
    if (image_fetch_) image_fetch_->tidy();
    RETURN_IF_ERROR(make_control());
    if (!member) RETURN_IF_ERROR(be_asked());
    server_->post([this] { api_->start([] {}); });
    collect_images();
    log_.info("ready", {{"node", config_.name},
                        {"socket", config_.socket},
                        {"data_dir", config_.data_dir},
                        {"accelerator", found_.accelerator.name()},
                        {"reason", found_.accelerator.reason}});
    tell_figures();
    measure_usage();
    return {};
}

Status Daemon::open_data() {
    for (const char* part : {"", "/volumes", "/vms", "/blobs"})
        RETURN_IF_ERROR(os::make_directories(config_.data_dir + part, 0700));
    Result<os::UniqueFd> lock = os::lock_file(config_.data_dir + "/lock");
    if (!lock)
        return fail(
            ErrorCode::kUnavailable,
            fmt::format("the data directory {} is in use by another daemon", config_.data_dir),
            "stop that one, or give this one its own --data-dir");
    data_lock_ = std::move(*lock);
    RETURN_IF_ERROR(os::make_directories(os::parent_directory(config_.socket), 0755));
    ASSIGN_OR_RETURN(blob_store_, images::BlobStore::open(config_.data_dir));
    for (const auto& [pool, directory] : missing_pools(config_))
        log_.warn("a pool's directory is not there: no VM with a disk in it starts here; mount it",
                  {{"pool", pool}, {"directory", directory}});
    return {};
}

void Daemon::listen_for_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    signals_ = os::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    loop_.watch_fd(signals_.get(), 1 /* EPOLLIN */, [this](std::uint32_t) {
        signalfd_siginfo info{};
        if (read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
        log_.info("stopping; VMs go on", {{"signal", info.ssi_signo}});
        end();
    });
}

Status Daemon::open_store() {
    ASSIGN_OR_RETURN(node_,
                     cluster::Node::open(
                         {config_.data_dir, config_.name, config_.advertise, std::string(kVersion),
                          static_cast<std::uint64_t>(config_.etcd_quota_mib) << 20},
                         {loop_, random_, log_}));
    store_name_ = "etcd";
    if (!config_.store.empty()) {
        if (node_->is_member())
            return fail_field("store",
                              "this host is a member of a cluster, whose store is its own etcd",
                              "start it without --store");
        ASSIGN_OR_RETURN(const std::vector<std::string> endpoints,
                         parse_store_address(config_.store));
        store::EtcdOptions options{.endpoints = endpoints};
        if (!config_.store_ca.empty()) {
            options.tls.emplace();
            ASSIGN_OR_RETURN(options.tls->ca, os::read_file(config_.store_ca));
            ASSIGN_OR_RETURN(options.tls->certificate, os::read_file(config_.store_cert));
            ASSIGN_OR_RETURN(options.tls->key, os::read_file(config_.store_key));
        }
        ASSIGN_OR_RETURN(bare_store_,
                         store::EtcdStore::connect(std::move(options), loop_, clock_, log_));
    } else if (node_->is_member()) {
        ASSIGN_OR_RETURN(bare_store_, node_->open_store());
    } else {
        ASSIGN_OR_RETURN(auto sqlite,
                         store::SqliteStore::open(config_.data_dir + "/store.db", loop_, clock_));
        auto gate = std::make_unique<cluster::WriteGate>(std::move(sqlite));
        gate_ = gate.get();
        bare_store_ = std::move(gate);
        store_name_ = "sqlite";
    }
    store_ = std::make_unique<TimedStore>(*bare_store_, clock_, metrics_);
    RETURN_IF_ERROR(open_record());
    // From here on the view reads; read_state() waits for it.
    view_ = recording_ ? std::make_unique<view::View>(recording_->store, recording_->executor,
                                                      recording_->clock, log_)
                       : std::make_unique<view::View>(*store_, loop_, clock_, log_);
    view_->start([this](const Status&) { state_read_ = true; });
    return {};
}

// The store of a member may be away for as long as its majority is.
Status Daemon::read_state() {
    if (!node_->is_member()) return wait("reading the state", [this] { return state_read_; });
    while (!state_read_ && !ending_)
        (void)loop_.run_until([this] { return state_read_ || ending_; }, kStartMost);
    return {};
}

// A machine that was renamed, and takes its name from there, would be another host to its own
// store: none of its VMs would be wanted here, and those that run would be ended.
Status Daemon::check_name() const {
    const auto state = view_->current();
    const bool of_this_host_alone = !node_->is_member() && config_.store.empty();
    if (!of_this_host_alone || state->vms.empty() || state->nodes.empty() ||
        state->nodes.find(config_.name))
        return {};
    std::string known;
    state->nodes.for_each([&](const auto& node) { known = node->key; });
    return fail_field("name",
                      fmt::format("the data directory {} is of host \"{}\", and the daemon is "
                                  "started as \"{}\"",
                                  config_.data_dir, known, config_.name),
                      fmt::format("start it with --name {}; a host keeps its name", known));
}

// A store that was lost (its file removed, or emptied) beside the files of VMs: they would be
// nobody's, and what is nobody's is ended and deleted, with its disks.
Status Daemon::check_store() const {
    const std::string mark = config_.data_dir + "/" + cluster::kLeftClusterFile;
    const auto state = view_->current();
    if (node_->is_member() || !config_.store.empty()) return {};
    if (!state->vms.empty() || !state->nodes.empty()) return os::remove_file(mark);
    std::error_code none;
    std::int64_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(config_.data_dir + "/vms", none))
        found += entry.is_directory(none) ? 1 : 0;
    if (found == 0 || std::filesystem::exists(mark, none)) return {};
    return fail(ErrorCode::kConflict,
                fmt::format("the store {}/store.db is empty, and there are files of {} in {}/vms: "
                            "they would be deleted as nobody's",
                            config_.data_dir, counted(found, "VM"), config_.data_dir),
                "put store.db back from a copy; or, to begin anew, move the directory vms away");
}

// A host whose inputs cannot be recorded runs VMs all the same.
Status Daemon::open_record() {
    if (config_.record_mib == 0) return {};
    const auto bytes = static_cast<std::uint64_t>(config_.record_mib) << 20;
    Result<std::unique_ptr<RecordFiles>> files =
        RecordFiles::open(record_directory(), bytes, workers_, loop_, log_);
    if (!files) {
        log_.warn("inputs are not recorded", {{"error", describe(files.error())}});
        return {};
    }
    record_files_ = std::move(*files);
    recording_ = std::make_unique<recorder::Recording>(
        *record_files_, RecordFiles::segment_bytes(bytes), *store_, loop_, clock_, random_);
    return {};
}

Status Daemon::make_host() {
    ASSIGN_OR_RETURN(found_, find_facts(config_, config_.data_dir + "/accelerator", clock_.wall()));
    hypervisor::QemuConfig qemu;
    qemu.directory = config_.data_dir + "/vms";
    qemu.watchdog_command = {program_, "watchdog", "--dir", qemu.directory};
    qemu.node = config_.name;
    qemu.host.kvm = found_.accelerator.kvm;
    hypervisor_ = std::make_unique<hypervisor::QemuHypervisor>(loop_, log_, qemu);
    agent_blobs_ = std::make_unique<AgentBlobs>(*blob_store_, workers_, loop_);
    probe_ = std::make_unique<NetworkProbe>(loop_);
    return {};
}

// What people may change of this host; made once.
void Daemon::put_node_spec() {
    if (view_->current()->nodes.find(config_.name) &&
        view_->current()->nodes.find(config_.name)->spec)
        return;
    model::NodeSpec spec;
    spec.uid = make_id(random_);
    spec.created_at = to_rfc3339(clock_.wall());
    spec.zone = config_.zone;
    spec.labels = config_.labels;
    store::Transaction put;
    put.compares.push_back({model::node_key(config_.name, "spec"), 0});
    put.puts.push_back(
        {.key = model::node_key(config_.name, "spec"), .value = model::to_json(spec)});
    store_->commit(std::move(put), [](const Result<store::Committed>&) {});
}

Status Daemon::make_control() {
    put_node_spec();
    agent::AgentSettings settings;
    settings.node = config_.name;
    settings.facts = found_.facts;
    settings.storage = {.data_dir = config_.data_dir, .pools = config_.pools};
    settings.lease.ttl = node_->is_member() ? node_->lease_ttl() : seconds(config_.lease_ttl_s);
    settings.run_uid = make_id(random_);
    const controller::ControllerSettings control{.node = config_.name,
                                                 .run_uid = make_id(random_),
                                                 .lease_ttl = settings.lease.ttl,
                                                 .policy = policy_of(config_)};
    const auto make_loops = [&](store::Store& store, hypervisor::Hypervisor& hypervisor,
                                agent::Blobs& blobs, agent::HealthProbe& probe, Executor& executor,
                                const Clock& clock, Random& random) {
        agent_ = std::make_unique<agent::Agent>(
            agent::Agent::Deps{store, *view_, hypervisor, blobs, &probe, executor, clock, random,
                               log_},
            settings);
        lease_ = std::make_unique<AgentLease>(*agent_);
        controller_ = std::make_unique<controller::Controller>(
            controller::Controller::Deps{store, *view_, executor, clock, random, log_, *lease_},
            control);
    };
    std::optional<Status> recovered;
    const auto ready = [&recovered](Status status) { recovered = std::move(status); };
    if (recording_) {
        recording_->hypervisor =
            std::make_unique<recorder::RecordedHypervisor>(recording_->recorder, *hypervisor_);
        recording_->blobs =
            std::make_unique<recorder::RecordedBlobs>(recording_->recorder, *agent_blobs_);
        recording_->probe =
            std::make_unique<recorder::RecordedProbe>(recording_->recorder, *probe_);
        recording_->begin(fmt::format("{} {}", kVersion, BLIXARD_COMMIT), settings, control,
                          *view_);
        make_loops(recording_->store, *recording_->hypervisor, *recording_->blobs,
                   *recording_->probe, recording_->executor, recording_->clock, recording_->random);
        recording_->start(*agent_, ready);
    } else {
        make_loops(*store_, *hypervisor_, *agent_blobs_, *probe_, loop_, clock_, random_);
        agent_->start(ready);
    }
    RETURN_IF_ERROR(wait("finding the VMs of an earlier daemon",
                         [&recovered] { return recovered.has_value(); }));
    if (!*recovered) return *recovered;
    if (recording_)
        recording_->start(*controller_, *agent_, *view_);
    else
        controller_->start();
    return {};
}

Status Daemon::make_api() {
    api::http::ServerOptions options;
    options.log = &log_;
    options.observer = &observer_;
    ASSIGN_OR_RETURN(server_, api::http::Server::create(options));
    RETURN_IF_ERROR(server_->listen_unix(config_.socket, kSocketMode, "blixard"));
    if (!config_.listen.empty()) {
        ASSIGN_OR_RETURN(const ListenAddress address, parse_listen(config_.listen));
        ASSIGN_OR_RETURN(const std::uint16_t bound,
                         server_->listen_tcp(address.host, address.port));
        log_.info("plain TCP on a loopback address only: there is no TLS and no token yet",
                  {{"port", bound}});
    }
    api_blobs_ = std::make_unique<ApiBlobs>(*blob_store_, workers_, *server_);
    local_node_ = std::make_unique<api::LocalNode>(*hypervisor_, loop_, *server_);
    daemon_metrics_ = std::make_unique<DaemonMetrics>(*view_, metrics_, observer_, figures_, usage_,
                                                      config_.name);
    planner_ = std::make_unique<Planner>(*view_, workers_, *server_, policy_of(config_));
    cluster_operations_ = std::make_unique<ClusterOperations>(*node_);
    other_hosts_ = std::make_unique<OtherHosts>(*node_);
    record_export_ = std::make_unique<RecordExport>(record_directory(), workers_, *server_);
    stray_disks_ =
        std::make_unique<StrayDiskSearch>(StrayDiskSearch::Deps{workers_, *store_, loop_, *server_},
                                          config_.data_dir + "/volumes", config_.pools);
    const api::Deps deps{.store = *store_,
                         .view = *view_,
                         .executor = *server_,
                         .view_executor = loop_,
                         .clock = clock_,
                         .random = random_,
                         .log = log_,
                         .blobs = api_blobs_.get(),
                         .node = local_node_.get(),
                         .forwarder = other_hosts_.get(),
                         .metrics = daemon_metrics_.get(),
                         .plan = planner_.get(),
                         .cluster = cluster_operations_.get(),
                         .debug = record_export_.get(),
                         .disks = stray_disks_.get()};
    api_ = std::make_unique<api::Api>(deps, api::Settings{.node = config_.name,
                                                          .version = std::string(kVersion),
                                                          .commit = BLIXARD_COMMIT,
                                                          .store = store_name_,
                                                          .cluster_id = node_->cluster_id()});
    if (recording_) noted_ = std::make_unique<NotedService>(*api_, recording_->recorder, loop_);
    server_->start(service());
    return {};
}

Status Daemon::be_asked() {
    RETURN_IF_ERROR(make_api());
    return join_in();
}

// From here on this host does its part in its cluster, or can become part of one.
Status Daemon::join_in() {
    cluster::NodeHooks hooks;
    hooks.service = &service();
    hooks.service_executor = server_.get();
    hooks.problem = [](const Error& error) { return api::problem(error); };
    hooks.blob_file = [this](const std::string& sha256) -> Result<std::string> {
        if (!images::is_sha256(sha256)) return fail(ErrorCode::kInvalid, "that is no SHA-256");
        ASSIGN_OR_RETURN(const images::Blob blob, blob_store_->use(sha256));
        return blob_store_->path_of(blob.sha256);
    };
    hooks.restart = [this] { loop_.post([this] { restart_soon(); }); };
    RETURN_IF_ERROR(node_->start(std::move(hooks), *store_, gate_));
    if (node_->is_member()) fetch_from_others();
    return {};
}

void Daemon::fetch_from_others() {
    image_fetch_ =
        std::make_unique<ImageFetch>(ImageFetch::Deps{*node_, *blob_store_, workers_, *store_,
                                                      *view_, loop_, clock_, random_, log_},
                                     config_.name);
    agent_blobs_->set_fetch([this](const std::string& sha256, Callback<std::string> path) {
        if (!image_fetch_) return path(fail(ErrorCode::kUnavailable, "this daemon is stopping"));
        image_fetch_->fetch(sha256, std::move(path));
    });
    server_->post([this] {
        api_blobs_->set_fetch([this](const std::string& sha256, Callback<std::string> path) {
            loop_.post([this, sha256, path = std::move(path)] {
                if (!image_fetch_) return;  // stopping: nobody waits for answers any more
                image_fetch_->fetch(sha256, [this, path](Result<std::string> found) {
                    server_->post(
                        [path, found = std::move(found)]() mutable { path(std::move(found)); });
                });
            });
        });
    });
}

void Daemon::collect_images() {
    image_collector_ = std::make_unique<ImageCollector>(
        ImageCollector::Deps{*blob_store_, workers_, *store_, *view_, loop_, clock_, random_, log_,
                             metrics_},
        ImageCollector::Settings{
            config_.name, config_.data_dir, {.grace = seconds(config_.image_grace_s)}},
        [this] { return image_fetch_ ? image_fetch_->under_way() : std::set<std::string>{}; });
    image_collector_->start();
}

// The answer that announces it goes out first.
void Daemon::restart_soon() {
    loop_.after(kRestartAfter, [this] {
        log_.info("restarting; VMs go on", {});
        restart_ = true;
        end();
    });
}

void Daemon::tell_figures() {
    const controller::ControllerCounters& c = controller_->counters();
    const agent::AgentCounters& a = agent_->counters();
    const auto set = [](std::atomic<std::uint64_t>& figure, std::uint64_t value) {
        figure.store(value, std::memory_order_relaxed);
    };
    set(figures_.elected, controller_->elected());
    set(figures_.pending, controller_->pending());
    set(figures_.placed, c.placed);
    set(figures_.failovers, c.failovers);
    set(figures_.evictions, c.evictions);
    set(figures_.refused_commits, c.refused_commits);
    set(figures_.starts, a.starts);
    set(figures_.start_failures, a.start_failures);
    set(figures_.stops, a.stops);
    set(figures_.exits, a.exits);
    set(figures_.restarts, a.restarts);
    set(figures_.status_writes, a.status_writes);
    loop_.after(kFiguresEvery, [this] { tell_figures(); });
}

void Daemon::measure_usage() {
    std::vector<std::string> vms;
    for (const hypervisor::Instance& instance : hypervisor_->instances()) {
        if (instance.state != hypervisor::InstanceState::kRunning &&
            instance.state != hypervisor::InstanceState::kPaused)
            continue;
        vms.push_back(instance.id.vm);
        hypervisor_->usage(instance.id,
                           [this, vm = instance.id.vm](const Result<hypervisor::Usage>& usage) {
                               if (usage) usage_.set(vm, *usage);
                           });
    }
    usage_.keep_only(vms);
    loop_.after(kUsageEvery, [this] { measure_usage(); });
}

void Daemon::stop() {
    if (stopped_) return;
    stopped_ = true;
    if (server_) server_->stop();  // no request is under way after this
    image_collector_.reset();
    image_fetch_.reset();
    node_.reset();  // it runs the loop until its own work has ended
    api_.reset();
    controller_.reset();
    agent_.reset();
    hypervisor_.reset();
    view_.reset();
    recording_.reset();
    record_files_.reset();
    store_.reset();
    bare_store_.reset();
}

// This very process becomes a new daemon: its children (etcd, the watchdog) stay its children.
int start_again(const std::string& program) {
    const Result<std::string> line = os::read_file("/proc/self/cmdline", 1u << 20);
    std::vector<std::string> arguments;
    for (std::size_t at = 0; line && at < line->size(); at += arguments.back().size() + 1)
        arguments.emplace_back(line->c_str() + at);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(program.c_str(), pointers.data());
    std::perror("error: the daemon cannot start again");
    return 1;
}

}  // namespace

int run_daemon(const Config& config, const std::string& program) {
    auto running = std::make_unique<Daemon>(config, program);
    Daemon& daemon = *running;
    if (const Status started = daemon.start(); !started) {
        if (started.error().code == ErrorCode::kCancelled) return 0;
        std::fprintf(stderr, "error: the daemon did not start: %s\n",
                     started.error().message.c_str());
        if (!started.error().field.empty())
            std::fprintf(stderr, "  field: %s\n", started.error().field.c_str());
        if (!started.error().help.empty())
            std::fprintf(stderr, "  help: %s\n", started.error().help.c_str());
        return 1;
    }
    daemon.run();
    const bool again = daemon.wants_restart();
    running.reset();
    return again ? start_again(program) : 0;
}

}  // namespace blixard::daemon
