#include "cluster/node.h"

#include <arpa/inet.h>

#include "base/assert.h"
#include "cluster/node_impl.h"
#include "cluster/seal.h"
#include "os/files.h"
#include "store/etcd/etcd_store.h"

namespace blixard::cluster {
namespace {

constexpr Millis kLoopAnswerMax = seconds(15);

bool is_ip(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// "ADDR", "ADDR:PORT", "[V6]:PORT", "V6".
Result<HostPort> parse_advertise(const std::string& text) {
    if (text.empty()) return HostPort{};
    if (auto whole = parse_host_port(text)) return *whole;
    const bool bare_six =
        text.find(':') != std::string::npos && text.find(']') == std::string::npos;
    HostPort address{text, kPeerPortDefault};
    unsigned char bytes[sizeof(in6_addr)];
    if (bare_six && inet_pton(AF_INET6, text.c_str(), bytes) == 1) return address;
    // A port alone, or half of an address, would be looked up as a name.
    const bool digits_only = text.find_first_not_of("0123456789.") == std::string::npos;
    if (digits_only ? is_ip(text) : text.find_first_of(":[]/ ") == std::string::npos)
        return address;
    return fail_field("advertise", "\"" + text + "\" is no address",
                      "write ADDR or ADDR:PORT, for example 10.0.0.1:7420");
}

}  // namespace

Node::Impl::Impl(NodeSettings given, NodePorts lent)
    : settings(std::move(given)),
      loop(lent.loop),
      random(lent.random),
      log(lent.log),
      files(settings.data_dir + "/cluster") {}

Node::Impl::~Impl() = default;

std::shared_ptr<const Membership> Node::Impl::members_now() const {
    const std::lock_guard lock(mutex);
    return membership;
}

std::optional<Identity> Node::Impl::identity_now() const {
    const std::lock_guard lock(mutex);
    return identity;
}

void Node::Impl::set_identity(std::optional<Identity> changed) {
    const std::lock_guard lock(mutex);
    identity = std::move(changed);
}

Status Node::Impl::save_identity(Identity changed) {
    RETURN_IF_ERROR(files.save(changed));
    set_identity(std::move(changed));
    return {};
}

bool Node::Impl::is_alive(const std::string& name) const {
    const std::lock_guard lock(mutex);
    return alive.contains(name);
}

std::vector<VoterFact> Node::Impl::voter_facts(const Membership& members,
                                               const std::vector<store::EtcdMember>& etcd) const {
    std::vector<VoterFact> facts;
    const std::lock_guard lock(mutex);
    for (const auto& [name, member] : members.members) {
        VoterFact fact{name, member.joined_at, member.role, member.state, false, {}};
        for (const auto& one : etcd)
            if (!one.learner && !one.name.empty() && !one.peer_urls.empty() &&
                one.peer_urls.front() == member.etcd_peer_url)
                fact.quorum_member = true;
        if (const auto lost = lost_since.find(name); lost != lost_since.end())
            fact.lost_for = std::max(Millis{1}, clock.mono() - lost->second);
        facts.push_back(std::move(fact));
    }
    return facts;
}

store::EtcdOptions Node::Impl::etcd_options(const std::vector<std::string>& endpoints) const {
    store::EtcdOptions options;
    options.endpoints = endpoints;
    store::EtcdTls tls;
    if (auto pem = os::read_file(files.authority())) tls.ca = std::move(*pem);
    if (auto pem = os::read_file(files.certificate())) tls.certificate = std::move(*pem);
    if (auto pem = os::read_file(files.key())) tls.key = std::move(*pem);
    options.tls = std::move(tls);
    return options;
}

std::vector<std::string> Node::Impl::endpoints_own_first() const {
    const auto who = identity_now();
    std::vector<std::string> endpoints;
    if (!who) return endpoints;
    const auto address = parse_host_port(who->advertise);
    const std::string own =
        address ? write_host_port({address->host, who->etcd_client_port}) : std::string();
    if (who->runs_etcd) endpoints.push_back(own);
    for (const auto& endpoint : who->etcd_endpoints)
        if (endpoint != own) endpoints.push_back(endpoint);
    return endpoints;
}

EtcdConfig Node::Impl::etcd_config(const Identity& who) const {
    EtcdConfig config = files.etcd_config(who);
    config.quota_bytes = settings.etcd_quota_bytes;
    return config;
}

Status Node::Impl::run_on_loop(std::function<Status()> task) {
    auto answer = await<bool>(
        [&](Callback<bool> done) {
            loop.post([task, done] {
                const Status status = task();
                done(status ? Result<bool>(true) : Result<bool>(fail(status.error())));
            });
        },
        kLoopAnswerMax);
    if (!answer) return fail(answer.error());
    return {};
}

Result<std::unique_ptr<Node>> Node::open(NodeSettings settings, NodePorts ports) {
    auto impl = std::make_shared<Impl>(std::move(settings), ports);
    ASSIGN_OR_RETURN(impl->advertise, parse_advertise(impl->settings.advertise));
    if (!impl->files.present()) return std::unique_ptr<Node>(new Node(impl));
    ASSIGN_OR_RETURN(auto who, impl->files.load());
    RETURN_IF_ERROR(impl->files.finish_pair());
    if (who.name != impl->settings.name)
        return fail(ErrorCode::kInvalid,
                    "this host is member \"" + who.name + "\" of a cluster, and is started as \"" +
                        impl->settings.name + "\"",
                    "start it with --name " + who.name);
    if (impl->advertise.host.empty()) {
        ASSIGN_OR_RETURN(impl->advertise, parse_host_port(who.advertise));
    } else if (write_host_port(impl->advertise) != who.advertise) {
        return fail(
            ErrorCode::kInvalid,
            "this host is a member at " + who.advertise + ", and is started with --advertise " +
                write_host_port(impl->advertise),
            "start it with --advertise " + who.advertise + ", or leave the cluster and join anew");
    }
    impl->set_identity(std::move(who));
    return std::unique_ptr<Node>(new Node(impl));
}

Node::Node(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Node::~Node() {
    Impl& node = *impl_;
    node.stopping = true;
    node.loop.cancel(node.tick_timer);
    // What is under way may need the loop to end.
    for (os::WorkerPool* pool : {&node.worker, &node.desk}) {
        std::atomic<bool> idle = false;
        if (pool->submit([&] { node.loop.post([&] { idle = true; }); }))
            while (!node.loop.run_until([&] { return idle.load(); }, seconds(60)))
                node.log.warn("cluster work does not end", {});
    }
    node.server.reset();
    node.client.reset();
    node.forwarder.reset();
    node.cluster_mirror.reset();
    node.nodes_mirror.reset();
    node.supervisor.reset();
}

bool Node::is_member() const { return impl_->identity_now().has_value(); }

std::string Node::cluster_id() const {
    const auto who = impl_->identity_now();
    return who ? who->cluster_id : std::string();
}

Millis Node::lease_ttl() const {
    const auto who = impl_->identity_now();
    return who && who->lease_ttl_ms > 0 ? Millis{who->lease_ttl_ms} : kLeaseTtlDefault;
}

std::vector<std::string> Node::others_alive() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<std::string> others(impl_->alive.begin(), impl_->alive.end());
    std::erase(others, impl_->settings.name);
    return others;
}

PeerClient* Node::peers() { return impl_->client.get(); }

void Node::Impl::start_supervisor(EtcdConfig config) {
    supervisor = std::make_unique<EtcdSupervisor>(loop, log, files.root(), std::move(config));
    supervisor->on_change([this](const EtcdStatus& status) {
        const std::lock_guard lock(mutex);
        etcd_status = status;
    });
    if (const Status begun = supervisor->start(); !begun)
        log.error("etcd could not be started", {{"error", describe(begun.error())}});
}

Result<std::unique_ptr<store::Store>> Node::open_store() {
    Impl& node = *impl_;
    const auto who = node.identity_now();
    ASSERT(who.has_value());
    // Without data it is not known how to start: the tick asks the others.
    if (who->runs_etcd && os::path_exists(node.files.etcd_data() + "/member")) {
        EtcdConfig config = node.etcd_config(*who);
        config.initial_cluster = {
            {who->name, etcd_client_url(node.advertise.host, who->etcd_peer_port)}};
        config.joins_existing = true;
        node.start_supervisor(std::move(config));
    }
    ASSIGN_OR_RETURN(auto connected,
                     store::EtcdStore::connect(node.etcd_options(node.endpoints_own_first()),
                                               node.loop, node.clock, node.log));
    auto following = std::make_unique<FollowingStore>(std::move(connected), node.loop);
    node.following = following.get();
    return following;
}

Status Node::start(NodeHooks hooks, store::Store& store, WriteGate* gate) {
    impl_->hooks = std::move(hooks);
    impl_->store = &store;
    impl_->gate = gate;
    impl_->started_at = impl_->clock.mono();
    impl_->started = true;
    if (is_member()) RETURN_IF_ERROR(impl_->start_member());
    impl_->open = true;
    return {};
}

bool Node::is_open() const { return impl_->open; }

Status Node::Impl::start_member() {
    const auto who = identity_now();
    ASSIGN_OR_RETURN(const std::string authority_pem, os::read_file(files.authority()));
    ASSIGN_OR_RETURN(const std::string certificate_pem, os::read_file(files.certificate()));
    ASSIGN_OR_RETURN(const std::string key_pem, os::read_file(files.key()));
    const PeerClient::Identity me{who->name, who->cluster_id, authority_pem, certificate_pem,
                                  key_pem};
    const auto resolve = [this](const std::string& name) -> std::optional<std::string> {
        const auto members = members_now();
        const Member* member = members->find(name);
        return member != nullptr ? std::optional(member->advertise) : std::nullopt;
    };
    client = std::make_unique<PeerClient>(me, resolve, hooks.problem, loop);
    forwarder = std::make_unique<PeerClient>(me, resolve, hooks.problem, *hooks.service_executor);

    PeerHandlers handlers;
    handlers.authorize = [this](const CertificateInfo& caller) -> Status {
        const auto members = members_now();
        if (!members->meta)
            return fail(ErrorCode::kUnavailable, "this host has only just started; ask again");
        return judge_certificate(caller, *members);
    };
    handlers.hello = [this, id = who->cluster_id] {
        return Hello{id, settings.name, settings.version, clock.wall()};
    };
    handlers.blob_file = hooks.blob_file;
    handlers.join = [this](JoinRequest request, Callback<JoinReply> done) {
        desk.run<JoinReply>(
            loop, [this, request = std::move(request)] { return admit(request); }, std::move(done));
    };
    handlers.renew = [this](std::string caller, std::string pem, Callback<std::string> done) {
        desk.run<std::string>(
            loop, [this, caller, pem] { return renew(caller, pem); }, std::move(done));
    };
    handlers.voter_key = [this](std::string caller, Callback<std::string> done) {
        desk.run<std::string>(
            loop, [this, caller] { return give_voter_key(caller); }, std::move(done));
    };
    handlers.service = hooks.service;
    handlers.service_executor = hooks.service_executor;
    const std::string listen_host = is_ip(advertise.host) ? advertise.host : "0.0.0.0";
    ASSIGN_OR_RETURN(server, PeerServer::start(write_host_port({listen_host, advertise.port}),
                                               files.peer_files(), std::move(handlers), loop));

    cluster_mirror = std::make_unique<PrefixMirror>(
        *store, loop, std::string(kClusterPrefix), [this](const PrefixMirror&) { take_mirrors(); });
    nodes_mirror = std::make_unique<PrefixMirror>(*store, loop, "nodes/",
                                                  [this](const PrefixMirror&) { take_mirrors(); });
    cluster_mirror->start();
    nodes_mirror->start();
    sweep_backups();
    start_ticking();
    return {};
}

// What the store says becomes what we know.
void Node::Impl::take_mirrors() {
    if (!cluster_mirror || !nodes_mirror || !cluster_mirror->loaded()) return;
    auto seen = std::make_shared<Membership>(
        membership_of(cluster_mirror->items(), cluster_mirror->revision()));
    const std::lock_guard lock(mutex);
    membership = seen;
    if (!nodes_mirror->loaded()) return;
    mirrors_loaded = true;
    for (const auto& [name, member] : seen->members) {
        const bool lives = nodes_mirror->items().contains("nodes/" + name + "/lease");
        if (lives) {
            alive.insert(name);
            lost_since.erase(name);
        } else {
            alive.erase(name);
            lost_since.emplace(name, loop.mono());
        }
    }
    std::erase_if(lost_since,
                  [&](const auto& entry) { return seen->find(entry.first) == nullptr; });
    std::erase_if(alive, [&](const std::string& name) { return seen->find(name) == nullptr; });
}

void Node::Impl::start_ticking() {
    tick_timer = loop.after(kTickInterval, [this] { start_ticking(); });
    if (stopping || tick_queued.exchange(true)) return;
    const Status accepted = worker.submit([this] {
        tick();
        tick_queued = false;
    });
    if (!accepted) tick_queued = false;
}

Result<Membership> Node::Impl::read_membership(store::Store& from) {
    ASSIGN_OR_RETURN(auto all, read_all(from, std::string(kClusterPrefix)));
    std::map<std::string, store::KeyValue> items;
    for (auto& item : all.items) items.emplace(item.key, item);
    return membership_of(items, all.revision);
}

Result<Authority> Node::Impl::open_authority(const Membership& members) {
    if (!members.meta)
        return fail(ErrorCode::kUnavailable, "the cluster's records are not there yet");
    const auto voter_key = os::read_file(files.voter_key(), 64);
    if (!voter_key)
        return fail(ErrorCode::kUnavailable,
                    "this host holds no voter key, so it cannot sign certificates",
                    "ask a voter (blixard cluster members)");
    ASSIGN_OR_RETURN(auto key_pem, open_sealed(members.meta->sealed_authority_key, *voter_key,
                                               members.meta->cluster_id));
    return Authority{members.meta->authority_pem, std::move(key_pem)};
}

bool Node::forward(const std::string& name, const api::Request& request,
                   std::shared_ptr<api::Responder> responder) {
    if (!is_open() || !is_member() || impl_->members_now()->find(name) == nullptr) return false;
    impl_->forwarder->forward(name, request, true, std::move(responder));
    return true;
}

}  // namespace blixard::cluster
