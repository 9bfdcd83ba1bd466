// /v1/cluster: the operations above as requests and answers. Translation only.
#include "cluster/json_fields.h"
#include "cluster/node_impl.h"

namespace blixard::cluster {
namespace {

constexpr std::string_view kMembersPath = "/v1/cluster/members";

// Carries one answer from a worker to the executor that the responder belongs to.
struct Answer {
    Executor& executor;
    PeerClient::Problem problem;
    std::shared_ptr<api::Responder> responder;

    void send(Result<std::string> json, int status = 200, std::function<void()> after = {}) const {
        executor.post(
            [problem = problem, responder = responder, json = std::move(json), status, after] {
                if (!json) return responder->send(problem(json.error()));
                responder->send({.status = status, .body = *json});
                if (after) after();
            });
    }
};

std::string member_text(const Member& member, bool alive) {
    return JsonObject()
        .add("kind", "member")
        .add("name", member.name)
        .add("advertise", member.advertise)
        .add("role", role_name(member.role))
        .add("state", member.state == MemberState::kReady ? (alive ? "ready" : "lost")
                                                          : state_name(member.state))
        .add("version", member.version)
        .add("joined_at", member.joined_at)
        .add("certificate_serial", member.certificate_serial)
        .add("certificate_until", to_rfc3339(member.certificate_until))
        .text();
}

std::string etcd_text(const EtcdReport& report) {
    std::string list;
    for (const auto& member : report.members) {
        JsonObject object;
        object.add("name", member.name).add_bool("learner", member.learner);
        const auto status = report.statuses.find(member.name);
        object.add_bool("healthy", status != report.statuses.end());
        if (status != report.statuses.end())
            object.add_bool("leader", status->second.leader == member.id)
                .add("version", status->second.version)
                .add("database_bytes", status->second.database_bytes)
                .add("database_bytes_in_use", status->second.database_bytes_in_use);
        list += (list.empty() ? "" : ",") + object.text();
    }
    return "[" + list + "]";
}

}  // namespace

std::string Node::Impl::members_text() const {
    const auto members = members_now();
    std::string list;
    for (const auto& [name, member] : members->members)
        list += (list.empty() ? "" : ",") + member_text(member, is_alive(name));
    return R"({"items":[)" + list + R"(],"revision":)" + std::to_string(members->revision) + "}";
}

Result<std::string> Node::Impl::status_text() {
    const auto who = identity_now();
    JsonObject status;
    status.add("kind", "cluster").add("node", settings.name);
    if (!who) return status.add("mode", "single").add("store", "sqlite").text();
    const auto members = members_now();
    status.add("mode", "member").add("store", "etcd").add("cluster_id", who->cluster_id);
    if (members->meta)
        status.add("voters_wanted", members->meta->voters_wanted)
            .add("lease_ttl_ms", members->meta->lease_ttl.count)
            .add("created_at", members->meta->created_at);
    status.add("members", static_cast<std::int64_t>(members->members.size()));
    std::int64_t alive_count = 0, voters = 0;
    for (const auto& [name, member] : members->members) {
        alive_count += is_alive(name) ? 1 : 0;
        voters += member.role == MemberRole::kVoter ? 1 : 0;
    }
    const std::lock_guard lock(mutex);
    status.add("members_alive", alive_count)
        .add("voters", voters)
        .add("revision", members->revision)
        .add_json("etcd", etcd_text(report));
    if (who->runs_etcd)
        status.add_json("etcd_here",
                        JsonObject()
                            .add_bool("running", etcd_status.running)
                            .add("pid", static_cast<std::int64_t>(etcd_status.process.pid))
                            .add("restarts", static_cast<std::int64_t>(etcd_status.restarts))
                            .add("last_exit", etcd_status.last_exit)
                            .text());
    status.add("warning", report.warning).add("trouble", trouble);
    return status.text();
}

void Node::handle(api::Request request, std::shared_ptr<api::Responder> responder) {
    Impl& node = *impl_;
    const Answer answer{*node.hooks.service_executor, node.hooks.problem, std::move(responder)};
    const auto run = [&](os::WorkerPool& pool, std::function<void()> work) {
        if (const Status accepted = pool.submit(std::move(work)); !accepted)
            answer.send(fail(accepted.error()));
    };
    const std::string key = request.method + " " + request.path;
    auto body = JsonFields::parse(request.body.empty() ? "{}" : request.body);
    if (!body) return answer.send(fail(body.error()));
    const auto restart = node.hooks.restart;

    if (key == "GET /v1/cluster")
        return run(node.desk, [&node, answer] { answer.send(node.status_text()); });
    if (key == "GET /v1/cluster/members")
        return run(node.desk, [&node, answer] { answer.send(node.members_text()); });
    if (key == "POST /v1/cluster/init") {
        Impl::Founding founding;
        if (const auto voters = body->take_number("voters"); voters != 0) founding.voters = voters;
        if (const auto ttl = body->take_number("lease_ttl_ms"); ttl != 0)
            founding.lease_ttl = {ttl};
        return run(node.worker, [&node, answer, founding, restart] {
            const auto who = node.found(founding);
            if (!who) return answer.send(fail(who.error()));
            const Millis ttl = founding.lease_ttl;
            answer.send(
                JsonObject()
                    .add("kind", "cluster")
                    .add("cluster_id", who->cluster_id)
                    .add("node", who->name)
                    .add("advertise", who->advertise)
                    .add("lease_ttl_ms", ttl.count)
                    .add("consequence", "a host that is silent for " + std::to_string(ttl.count) +
                                            " ms is lost: its HA VMs start elsewhere after that, "
                                            "and a host that cannot reach "
                                            "the store stops its own HA VMs before")
                    .text(),
                200, restart);
        });
    }
    if (key == "POST /v1/cluster/token") {
        const auto life = body->take_number("ttl_s");
        return run(node.desk, [&node, answer, life] {
            const auto token = node.make_token(life == 0 ? kTokenLifeDefault : seconds(life));
            if (!token) return answer.send(fail(token.error()));
            answer.send(JsonObject()
                            .add("token", write_join_token(*token))
                            .add("expires_at", to_rfc3339(token->expires_at))
                            .add("authority_fingerprint", token->authority_fingerprint)
                            .text());
        });
    }
    if (key == "POST /v1/cluster/join") {
        return run(node.worker, [&node, answer, token = body->take_text("token"), restart] {
            const Status joined = node.join(token);
            if (!joined) return answer.send(fail(joined.error()));
            const auto who = node.files.load();
            answer.send(JsonObject()
                            .add("kind", "cluster")
                            .add("cluster_id", who ? who->cluster_id : std::string())
                            .add("node", node.settings.name)
                            .text(),
                        200, restart);
        });
    }
    if (key == "POST /v1/cluster/leave") {
        return run(node.worker, [&node, answer, restart] {
            const Status left = node.leave();
            if (!left) return answer.send(fail(left.error()));
            answer.send(JsonObject()
                            .add("kind", "cluster")
                            .add("mode", "single")
                            .add("node", node.settings.name)
                            .text(),
                        200, restart);
        });
    }
    if (request.method == "DELETE" && request.path.starts_with(std::string(kMembersPath) + "/")) {
        const std::string name = request.path.substr(kMembersPath.size() + 1);
        return run(node.worker, [&node, answer, name] {
            const Status removed = node.remove(name);
            if (!removed) return answer.send(fail(removed.error()));
            answer.send(std::string("{}"));
        });
    }
    answer.send(fail(ErrorCode::kNotFound, "\"" + key + "\" is no operation of the cluster"));
}

}  // namespace blixard::cluster
