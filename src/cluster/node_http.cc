// /v1/cluster: the operations above as requests and answers. Translation only.
#include <unistd.h>

#include "cluster/json_fields.h"
#include "cluster/node_impl.h"
#include "os/files.h"

namespace blixard::cluster {
namespace {

constexpr std::string_view kMembersPath = "/v1/cluster/members";
constexpr std::size_t kPassphraseBytesMax = 1024;

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
    // The file goes with the answer: whoever sends it has opened it when send() returns.
    void send_file(const std::string& path) const {
        executor.post([problem = problem, responder = responder, path] {
            const auto size = os::file_size(path);
            if (!size) return responder->send(problem(size.error()));
            api::Response response{.content_type = "application/octet-stream"};
            response.file = api::Response::File{path, 0, *size};
            responder->send(std::move(response));
            ::unlink(path.c_str());
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

std::string cluster_text(const Identity& who) {
    return JsonObject()
        .add("kind", "cluster")
        .add("cluster_id", who.cluster_id)
        .add("node", who.name)
        .add("advertise", who.advertise)
        .add("lease_ttl_ms", who.lease_ttl_ms)
        .add("consequence", lease_consequence(Millis{who.lease_ttl_ms}))
        .text();
}

std::string backup_text(const BackupManifest& manifest, const std::string& here) {
    std::vector<std::string> hosts;
    for (const BackupMember& member : manifest.members) hosts.push_back(member.name);
    return JsonObject()
        .add("kind", "backup")
        .add("cluster_id", manifest.cluster_id)
        .add("created_at", manifest.created_at)
        .add("node", manifest.node)
        .add("version", manifest.version)
        .add("revision", manifest.revision)
        .add("lease_ttl_ms", manifest.lease_ttl_ms)
        .add("members", hosts)
        .add("vms", manifest.vms)
        .add("images", manifest.images)
        .add("volumes", manifest.volumes)
        .add("restored_on", here)
        .text();
}

// What a request says in its body; anything else in it is refused.
Result<JsonFields> body_of(const api::Request& request, std::initializer_list<const char*> known) {
    ASSIGN_OR_RETURN(auto look, JsonFields::parse(request.body.empty() ? "{}" : request.body));
    ASSIGN_OR_RETURN(auto body, JsonFields::parse(request.body.empty() ? "{}" : request.body));
    for (const auto& [name, json] : look.rest().members)
        if (std::none_of(known.begin(), known.end(), [&](const char* one) { return name == one; }))
            return fail_field(name, "there is no \"" + name + "\" in this request",
                              "see GET /v1/openapi.json");
    return body;
}

Result<std::string> passphrase_of(JsonFields& body) {
    std::string passphrase = body.take_text("passphrase");
    if (passphrase.size() <= kPassphraseBytesMax) return passphrase;
    return fail_field("passphrase",
                      "the passphrase has " + std::to_string(passphrase.size()) + " bytes",
                      "at most " + std::to_string(kPassphraseBytesMax) + " are taken");
}

}  // namespace

std::string Node::Impl::members_text() const {
    const auto members = members_now();
    std::string list;
    for (const auto& [name, member] : members->members)
        list += (list.empty() ? "" : ",") + member_text(member, is_alive(name));
    return R"({"items":[)" + list + R"(],"revision":)" + std::to_string(members->revision) + "}";
}

void Node::handle(api::Request request, std::shared_ptr<api::Responder> responder) {
    Impl& node = *impl_;
    const Answer answer{*node.hooks.service_executor, node.hooks.problem, responder};
    const auto run = [&](os::WorkerPool& pool, std::function<void()> work) {
        if (const Status accepted = pool.submit(std::move(work)); !accepted)
            answer.send(fail(accepted.error()));
    };
    const std::string key = request.method + " " + request.path;
    const auto restart = node.hooks.restart;

    if (key == "GET /v1/cluster")
        return run(node.desk, [&node, answer] { answer.send(node.status_text()); });
    if (key == "GET /v1/cluster/members")
        return run(node.desk, [&node, answer] { answer.send(node.members_text()); });
    if (key == "POST /v1/cluster/init") {
        auto body = body_of(request, {"voters", "lease_ttl_ms", "certificate_life_ms"});
        if (!body) return answer.send(fail(body.error()));
        Impl::Founding founding;
        if (const auto voters = body->take_number("voters"); voters != 0) founding.voters = voters;
        if (const auto ttl = body->take_number("lease_ttl_ms"); ttl != 0)
            founding.lease_ttl = {ttl};
        if (const auto life = body->take_number("certificate_life_ms"); life != 0)
            founding.certificate_life = {life};
        return run(node.worker, [&node, answer, founding, restart] {
            const auto who = node.found(founding);
            if (!who) return answer.send(fail(who.error()));
            answer.send(cluster_text(*who), 200, restart);
        });
    }
    if (key == "POST /v1/cluster/token") {
        auto body = body_of(request, {"ttl_s"});
        if (!body) return answer.send(fail(body.error()));
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
        auto body = body_of(request, {"token"});
        if (!body) return answer.send(fail(body.error()));
        return run(node.worker, [&node, answer, token = body->take_text("token"), restart] {
            const Status joined = node.join(token);
            if (!joined) return answer.send(fail(joined.error()));
            const auto who = node.files.load();
            if (!who) return answer.send(fail(who.error()));
            answer.send(cluster_text(*who), 200, restart);
        });
    }
    if (key == "POST /v1/cluster/leave") {
        auto body = body_of(request, {"abandon"});
        if (!body) return answer.send(fail(body.error()));
        return run(node.worker, [&node, answer, abandon = body->take_bool("abandon"), restart] {
            const Status left = abandon ? node.abandon() : node.leave();
            if (!left) return answer.send(fail(left.error()));
            answer.send(JsonObject()
                            .add("kind", "cluster")
                            .add("mode", "single")
                            .add("node", node.settings.name)
                            .text(),
                        200, restart);
        });
    }
    if (key == "POST /v1/cluster/backup") {
        auto body = body_of(request, {"passphrase"});
        if (!body) return answer.send(fail(body.error()));
        auto passphrase = passphrase_of(*body);
        if (!passphrase) return answer.send(fail(passphrase.error()));
        // Only voters hold the key that opens the authority's.
        if (const auto voter = node.voter_to_ask(); !voter.empty()) {
            node.forwarder->forward(voter, request, false, std::move(responder));
            return;
        }
        return run(node.desk, [&node, answer, passphrase = std::move(*passphrase)] {
            const auto path = node.make_backup(passphrase);
            if (!path) return answer.send(fail(path.error()));
            answer.send_file(*path);
        });
    }
    if (key == "POST /v1/cluster/restore") {
        auto body = body_of(request, {"sha256", "passphrase", "dry_run"});
        if (!body) return answer.send(fail(body.error()));
        auto passphrase = passphrase_of(*body);
        if (!passphrase) return answer.send(fail(passphrase.error()));
        const std::string sha256 = body->take_text("sha256");
        const bool dry_run = body->take_bool("dry_run");
        return run(node.worker, [&node, answer, sha256, passphrase = std::move(*passphrase),
                                 dry_run, restart] {
            const auto file = node.hooks.blob_file(sha256);
            if (!file)
                return answer.send(fail_field("sha256", file.error().message,
                                              "upload the backup first: POST /v1/blobs"));
            const auto backup = node.read_restorable(*file, passphrase);
            // It may hold the cluster's keys in the clear. What is no backup is an image's, and stays.
            if (backup) (void)os::remove_file(*file);
            if (!backup) return answer.send(fail(backup.error()));
            const std::string text = backup_text(backup->manifest, node.settings.name);
            if (dry_run) {
                (void)node.files.clear();
                return answer.send(text);
            }
            const auto who = node.restore(*backup);
            if (!who) {
                (void)node.files.clear();
                return answer.send(fail(who.error()));
            }
            answer.send(cluster_text(*who), 200, restart);
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
