#include "api/core.h"

#include <fmt/format.h>

#include "api/reply.h"

namespace blixard::api {
namespace {

void answer_done(Core& core, const CallPtr& call, int status, const std::optional<WaitFor>& wait,
                 const Done& done) {
    call->location = location_of(done.subject);
    if (wait && done.subject.kind == Kind::kVm)
        return core.waits.add(call, done.subject, done.uid, *wait, status);
    const auto found = find(*done.state, done.subject);
    const bool same = found && (done.uid.empty() || found->uid == done.uid);
    if (same) return send_document(*call, status, *found, done.state->revision);
    const Error missing = not_there(*done.state, done.subject);
    if (missing.code != ErrorCode::kNotFound)
        call->refuse({ErrorCode::kUnknownOutcome, missing.message, {}, missing.help});
    else
        send_gone(*call, done.subject, done.uid, done.state->revision);
}

}  // namespace

void write_and_answer(Core& core, const CallPtr& call, int status, Decide decide) {
    auto wait = parse_wait(call->request);
    if (!wait) return call->refuse(wait.error());
    auto idempotency = idempotency_of(call->request);
    if (!idempotency) return call->refuse(idempotency.error());
    core.writes.run(std::move(decide), std::move(*idempotency),
                    [&core, call, status, wait = *wait](Result<Done> done) {
                        if (!done) return call->refuse(done.error());
                        answer_done(core, call, status, wait, *done);
                    });
}

bool is_for_here(Core& core, const CallPtr& call, const std::string& host, std::string_view what) {
    if (host == core.settings.node) return true;
    if (core.deps.forwarder && core.deps.forwarder->forward(host, call->request, call->responder))
        return false;
    call->refuse({ErrorCode::kUnavailable,
                  fmt::format("{} on host \"{}\", which cannot be reached from here", what, host),
                  {},
                  "ask the daemon of that host, on that host"});
    return false;
}

void refuse_unsupported(Call& call, std::string_view what, std::string_view help) {
    call.refuse({ErrorCode::kUnsupported,
                 fmt::format("not supported here: {}", what),
                 {},
                 std::string(help)});
}

}  // namespace blixard::api
