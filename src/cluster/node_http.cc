// /v1/cluster: the operations above as requests and answers. Translation only.
#include <unistd.h>

#include <fstream>
#include <string_view>

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

std::string single_text(const std::string& here) {
    return JsonObject().add("kind", "cluster").add("mode", "single").add("node", here).text();
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

namespace {

// One request that is being answered.
struct Asked {
    Node::Impl& node;
    const api::Request& request;
    std::shared_ptr<api::Responder> responder;
    Answer answer;

    void run(os::WorkerPool& pool, std::function<void()> work) const {
        if (const Status accepted = pool.submit(std::move(work)); !accepted)
            refuse(accepted.error());
    }
    void refuse(const Error& error) const { answer.send(fail(error)); }
};

void ask_status(const Asked& asked) {
    asked.run(asked.node.desk,
              [&node = asked.node, answer = asked.answer] { answer.send(node.status_text()); });
}

void ask_members(const Asked& asked) {
    asked.run(asked.node.desk,
              [&node = asked.node, answer = asked.answer] { answer.send(node.members_text()); });
}

void init(const Asked& asked) {
    auto body =
        body_of(asked.request, {"voters", "lease_ttl_ms", "certificate_life_ms", "dry_run"});
    if (!body) return asked.refuse(body.error());
    Node::Impl::Founding founding;
    if (const auto voters = body->take_number("voters"); voters != 0) founding.voters = voters;
    if (const auto ttl = body->take_number("lease_ttl_ms"); ttl != 0) founding.lease_ttl = {ttl};
    if (const auto life = body->take_number("certificate_life_ms"); life != 0)
        founding.certificate_life = {life};
    const bool dry_run = body->take_bool("dry_run");
    asked.run(asked.node.worker, [&node = asked.node, answer = asked.answer, founding, dry_run] {
        if (dry_run) {
            const Status possible = node.check_found(founding);
            if (!possible) return answer.send(fail(possible.error()));
            return answer.send(single_text(node.settings.name));
        }
        const auto who = node.found(founding);
        if (!who) return answer.send(fail(who.error()));
        answer.send(cluster_text(*who), 200, node.hooks.restart);
    });
}

void make_token(const Asked& asked) {
    auto body = body_of(asked.request, {"ttl_s"});
    if (!body) return asked.refuse(body.error());
    const auto life = body->take_number("ttl_s");
    asked.run(asked.node.desk, [&node = asked.node, answer = asked.answer, life] {
        const auto token = node.make_token(life == 0 ? kTokenLifeDefault : seconds(life));
        if (!token) return answer.send(fail(token.error()));
        answer.send(JsonObject()
                        .add("token", write_join_token(*token))
                        .add("expires_at", to_rfc3339(token->expires_at))
                        .add("authority_fingerprint", token->authority_fingerprint)
                        .text());
    });
}

void join(const Asked& asked) {
    auto body = body_of(asked.request, {"token"});
    if (!body) return asked.refuse(body.error());
    asked.run(asked.node.worker,
              [&node = asked.node, answer = asked.answer, token = body->take_text("token")] {
                  const Status joined = node.join(token);
                  if (!joined) return answer.send(fail(joined.error()));
                  const auto who = node.files.load();
                  if (!who) return answer.send(fail(who.error()));
                  answer.send(cluster_text(*who), 200, node.hooks.restart);
              });
}

void leave(const Asked& asked) {
    auto body = body_of(asked.request, {"abandon"});
    if (!body) return asked.refuse(body.error());
    asked.run(asked.node.worker,
              [&node = asked.node, answer = asked.answer, abandon = body->take_bool("abandon")] {
                  const Status left = abandon ? node.abandon() : node.leave();
                  if (!left) return answer.send(fail(left.error()));
                  answer.send(single_text(node.settings.name), 200, node.hooks.restart);
              });
}

void back_up(const Asked& asked) {
    auto body = body_of(asked.request, {"passphrase"});
    if (!body) return asked.refuse(body.error());
    auto passphrase = passphrase_of(*body);
    if (!passphrase) return asked.refuse(passphrase.error());
    // Only voters hold the key that opens the authority's.
    if (const auto voter = asked.node.voter_to_ask(); !voter.empty())
        return asked.node.forwarder->forward(voter, asked.request, false, asked.responder);
    asked.run(asked.node.desk,
              [&node = asked.node, answer = asked.answer, passphrase = std::move(*passphrase)] {
                  const auto path = node.make_backup(passphrase);
                  if (!path) return answer.send(fail(path.error()));
                  answer.send_file(*path);
              });
}

struct Restoring {
    std::string sha256, passphrase;
    bool dry_run = false;
};

// A backup in the clear begins with the name of its first file, as no disk and no kernel does.
bool begins_as_backup(const std::string& path) {
    constexpr std::string_view kFirst("manifest.json\0", 14);
    std::string head(kFirst.size(), '\0');
    std::ifstream file(path, std::ios::binary);
    return file.read(head.data(), static_cast<std::streamsize>(head.size())) && head == kFirst;
}

// Worker.
Result<Backup> take_backup(Node::Impl& node, const Restoring& order) {
    const auto file = node.hooks.blob_file(order.sha256);
    if (!file)
        return fail_field("sha256", file.error().message,
                          "upload the backup first: POST /v1/blobs");
    auto backup = node.read_restorable(*file, order.passphrase);
    // It may hold the cluster's keys in the clear, also where it is refused. What is no backup is
    // an image's, and stays.
    if (backup || begins_as_backup(*file)) (void)os::remove_file(*file);
    return backup;
}

Result<std::string> restore_now(Node::Impl& node, const Restoring& order) {
    if (order.sha256.empty() && order.dry_run) {  // before a backup is uploaded
        RETURN_IF_ERROR(node.check_restorable());
        return single_text(node.settings.name);
    }
    ASSIGN_OR_RETURN(const Backup backup, take_backup(node, order));
    const auto who = order.dry_run ? Result<Identity>(Identity{}) : node.restore(backup);
    if (order.dry_run || !who) (void)node.files.clear();
    if (!who) return fail(who.error());
    return order.dry_run ? backup_text(backup.manifest, node.settings.name) : cluster_text(*who);
}

void restore(const Asked& asked) {
    auto body = body_of(asked.request, {"sha256", "passphrase", "dry_run"});
    if (!body) return asked.refuse(body.error());
    auto passphrase = passphrase_of(*body);
    if (!passphrase) return asked.refuse(passphrase.error());
    Restoring order{body->take_text("sha256"), std::move(*passphrase), body->take_bool("dry_run")};
    asked.run(asked.node.worker,
              [&node = asked.node, answer = asked.answer, order = std::move(order)] {
                  auto text = restore_now(node, order);
                  if (text && !order.dry_run)
                      return answer.send(std::move(text), 200, node.hooks.restart);
                  answer.send(std::move(text));
              });
}

void remove_member(const Asked& asked) {
    asked.run(asked.node.worker, [&node = asked.node, answer = asked.answer,
                                  name = asked.request.path.substr(kMembersPath.size() + 1)] {
        const Status removed = node.remove(name);
        if (!removed) return answer.send(fail(removed.error()));
        answer.send(std::string("{}"));
    });
}

struct Operation {
    std::string_view key;  // method and path
    void (*carry_out)(const Asked&);
};
constexpr Operation kOperations[] = {
    {"GET /v1/cluster", ask_status},      {"GET /v1/cluster/members", ask_members},
    {"POST /v1/cluster/init", init},      {"POST /v1/cluster/token", make_token},
    {"POST /v1/cluster/join", join},      {"POST /v1/cluster/leave", leave},
    {"POST /v1/cluster/backup", back_up}, {"POST /v1/cluster/restore", restore},
};

}  // namespace

void Node::handle(api::Request request, std::shared_ptr<api::Responder> responder) {
    Impl& node = *impl_;
    const Answer answer{*node.hooks.service_executor, node.hooks.problem, responder};
    const Asked asked{node, request, std::move(responder), answer};
    const std::string key = request.method + " " + request.path;
    for (const Operation& operation : kOperations)
        if (operation.key == key) return operation.carry_out(asked);
    if (request.method == "DELETE" && request.path.starts_with(std::string(kMembersPath) + "/"))
        return remove_member(asked);
    asked.refuse({ErrorCode::kNotFound, "\"" + key + "\" is no operation of the cluster", {}, {}});
}

}  // namespace blixard::cluster
