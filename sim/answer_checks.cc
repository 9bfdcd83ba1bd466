// What must hold of what a daemon answers to people.
#include <fmt/format.h>

#include "model/documents.h"
#include "sim/operators.h"

namespace blixard::sim {
namespace {

// Before an agent can have begun and failed.
constexpr Millis kAnsweredAtOnce{15};
// What was asked before has come to its end by then: nothing of it is on its way any more.
constexpr Millis kUndisturbed = seconds(90);

}  // namespace

// All that is asked here is well-formed.
void Operators::look_at_answer(const api::Request& request, int host,
                               const api::Response& response) {
    checker_.counted();
    const std::string* project = request.find_query("project");
    const bool names_others =
        (project && *project == "brief") || request.body.find("\"volume\"") != std::string::npos ||
        request.body.find("\"image\":\"img-") != std::string::npos ||
        request.body.find("\"brief\"") != std::string::npos;  // which may not be there
    const bool of_disks = request.method == "PATCH" &&
                          (request.body.find("\"size_mib\"") != std::string::npos ||
                           request.body.find("\"disks\"") !=
                               std::string::npos);  // which may not shrink, and the first stays
    if ((response.status == 400 || response.status == 422) && !names_others && !of_disks)
        checker_.broken(fmt::format("{} refuses {} {}: {}", host_at(host).name(), request.method,
                                    request.path, text_at(response, "detail")));
    if (response.status == 500)
        checker_.broken(fmt::format("{} fails at {} {}: {}", host_at(host).name(), request.method,
                                    request.path, text_at(response, "detail")));
}

// A key that was taken for another request, by mistake: it must be said.
void Operators::use_key_again(int host, int subject, const std::string& key) {
    if (subject % 7 != 0) return;
    std::string body;
    model::VmCreate other = new_vm(subject);
    other.spec.labels["other"] = "yes";
    model::write(other, body);
    api::Request request = make_request("POST", "/v1/vms", {}, std::move(body));
    request.idempotency_key = key;
    ask(host_at(host), std::move(request), [this, host, key](const api::Response& response) {
        checker_.counted();
        if (is_good(response))
            checker_.broken(fmt::format("{} answers {} to another request with the key {}",
                                        host_at(host).name(), response.status, key));
    });
}

// What a host has acknowledged, it shows.
void Operators::read_own_write(int host, const std::string& path, int subject,
                               std::int64_t revision) {
    const std::uint64_t run = host_at(host).run();
    ask(host_at(host), make_request("GET", path, project_of(subject)),
        [this, host, path, revision, run](const api::Response& response) {
            checker_.counted();
            if (response.status != 200 || host_at(host).run() != run) return;
            if (revision_of(response) < revision)
                checker_.broken(fmt::format(
                    "{} acknowledged a write at revision {}, and then showed {} as of revision {}",
                    host_at(host).name(), revision, path, revision_of(response)));
        });
}

// A VM that had ended and is told to start is asked for a run that its agent has not spoken of yet.
// One that makes way has not ended: it was running when it was asked for, and starts where it is
// placed.
void Operators::look_at_start(const Order& order, const api::Response& response) {
    const bool starts =
        order.path.ends_with("/start") || (order.was_stopped && order.input.run == "running");
    if (!starts || !order.had_ended || timeline_.mono() - order.sent > kAnsweredAtOnce) return;
    checker_.counted();
    const std::string phase = text_at(response, "phase");
    const bool makes_way = body_of(response).find("\"release\":true") != std::string::npos;
    if (!makes_way && (phase == "failed" || phase == "stopped") &&
        text_at(response, "spec.run") == "running" &&
        number_at(response, "status.restart_generation") >=
            number_at(response, "restart_generation"))
        checker_.broken(fmt::format("{} acknowledged a start of vm {}, which stays {}",
                                    host_at(order.host).name(), vm_key(order.subject), phase));
}

// An order of its own: true where nobody has asked for anything about this VM for a while.
bool Operators::touch(int subject) {
    const auto [last, is_first] = touched_.try_emplace(subject, timeline_.mono());
    const MonoTime before = std::exchange(last->second, timeline_.mono());
    return is_first || timeline_.mono() - before > kUndisturbed;
}

// Who is told to end at once is not asked first; who is started, or restarted as usual, is asked
// the next time.
void Operators::look_at_force(const Order& order, const api::Response& response) {
    const bool undisturbed = order.alone && touched_[order.subject] == order.sent;
    const bool forced = body_of(response).find("\"force\":true") != std::string::npos;
    checker_.counted();
    if (order.input.kind == VmModel::Kind::kDelete && order.force && !forced)
        checker_.broken(fmt::format("{} acknowledged {} {} by force, and shows it without",
                                    host_at(order.host).name(), order.method, order.path));
    if (!undisturbed || order.input.kind != VmModel::Kind::kChange) return;
    const bool restarts = order.path.ends_with("/restart");
    const bool starts = order.was_stopped && order.input.run == "running";
    if (order.force && !forced)
        checker_.broken(fmt::format("{} acknowledged {} {} by force, and shows it without",
                                    host_at(order.host).name(), order.method, order.path));
    if (!order.force && forced && (restarts || starts))
        checker_.broken(fmt::format("{} acknowledged {} {}, and shows it by force",
                                    host_at(order.host).name(), order.method, order.path));
}

}  // namespace blixard::sim
