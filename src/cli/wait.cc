#include "cli/wait.h"

#include <fmt/format.h>

#include <thread>

#include "cli/progress.h"
#include "cli/units.h"

namespace blixard::cli {
namespace {

constexpr Millis kShortPause = Millis{100};

void pause(Millis span) { std::this_thread::sleep_for(std::chrono::milliseconds(span.count)); }

// The machine that runs was started before the restart that was asked for.
bool restart_is_due(const Value& vm) {
    return vm.at("status") &&
           vm.number("status.restart_generation") < vm.number("restart_generation");
}

// What stands in the way, where the VM does not get there by itself.
bool has_failed(const Value& vm, const std::string& target) {
    return vm.text("phase") == "failed" && (target == "running" || target == "paused");
}

class VmWait {
 public:
    VmWait(Context& context, const std::string& name, const std::string& target, Millis timeout)
        : context_(context),
          name_(name),
          target_(target),
          timeout_(timeout),
          end_(context.clock.mono() + timeout) {}

    tl::expected<Value, Failure> run() {
        while (true) {
            Millis left = end_ - context_.clock.mono();
            if (left.count <= 0) return tl::unexpected(Failure(too_late()));
            std::int64_t poll_s =
                std::clamp<std::int64_t>((left.count + 999) / 1000, 1, kPollSeconds);
            auto answer = context_.remote().get(resource("/v1/vms", name_), query(poll_s),
                                                seconds(poll_s) + kAnswerTimeout);
            if (answer && !(target_ == "running" && restart_is_due(*answer)))
                return std::move(*answer);
            if (answer) {
                pause(kShortPause);
                continue;
            }
            const Error& error = answer.error();
            if (error.code == ErrorCode::kNotFound && target_ == "deleted") return Value{};
            // The daemon knows when a VM will not get there by itself.
            if (error.code == ErrorCode::kConflict)
                return tl::unexpected(Failure(error, kExitOther));
            if (error.code != ErrorCode::kTimeout) return tl::unexpected(Failure(error));
            if (auto ended = look(); !ended) return tl::unexpected(ended.error());
        }
    }

 private:
    Query query(std::int64_t poll_s) const {
        Query query = context_.in_project();
        query.emplace_back("wait", target_);
        query.emplace_back("timeout", std::to_string(poll_s));
        return query;
    }

    // Tells what is new; an error where waiting on makes no sense.
    Outcome look() {
        auto vm = context_.remote().get(resource("/v1/vms", name_), context_.in_project());
        if (!vm && vm.error().code == ErrorCode::kNotFound && target_ == "deleted") return {};
        if (!vm) return tl::unexpected(Failure(vm.error()));
        last_ = std::move(*vm);
        std::string message = last_.text("status.message");
        // Later it is why the VM has its place, not what goes on.
        if (message.empty() && last_.text("phase") == "pending")
            message = last_.text("placement.reason");
        std::string news = fmt::format("{}: {}{}{}", name_, last_.text("phase"),
                                       message.empty() ? "" : ": ", printable(message));
        if (news != told_) context_.note(news + "\n");
        told_ = news;
        // Twice in a row and unchanged: it is not the failure of a run before, on its way to be
        // replaced.
        std::string failure =
            has_failed(last_, target_) ? "failed " + last_.text("status.since") : "";
        if (!failure.empty() && failure == failure_)
            return other_failure(fmt::format("{} has failed: {}", name_, message),
                                 fmt::format("see: blixard logs {0}; blixard show {0}", name_));
        failure_ = failure;
        return {};
    }

    Error too_late() const {
        std::string phase = last_.text("phase");
        return {ErrorCode::kTimeout,
                fmt::format("{} is not {} after {}{}", name_, target_, duration_text(timeout_),
                            phase.empty() ? "" : fmt::format(" (it is {})", phase)),
                {},
                fmt::format("what was asked for goes on; see: blixard show {0}, blixard why {0}, "
                            "or wait longer with --timeout",
                            name_)};
    }

    Context& context_;
    const std::string& name_;
    const std::string& target_;
    Millis timeout_;
    MonoTime end_;
    Value last_;
    std::string told_;
    std::string failure_;
};

}  // namespace

tl::expected<Value, Failure> wait_for_vm(Context& context, const std::string& name,
                                         const std::string& target, Millis timeout) {
    return VmWait(context, name, target, timeout).run();
}

tl::expected<Value, Failure> wait_for_operation(Context& context, const std::string& id,
                                                Millis timeout,
                                                std::function<bool(const Value&)> is_stuck) {
    MonoTime end = context.clock.mono() + timeout;
    int stuck = 0;
    std::string told;
    while (true) {
        auto operation = context.remote().get(resource("/v1/operations", id));
        if (!operation) return tl::unexpected(Failure(operation.error()));
        std::string state = operation->text("state");
        std::string message = operation->text("message");
        if (state == "failed" || state == "cancelled")
            return other_failure(fmt::format("operation {} ({}) {}: {}", id,
                                             operation->text("operation"), state, message));
        if (state != "running") return std::move(*operation);
        std::string news =
            fmt::format("{} {}/{} {}{}{}", operation->text("operation"), operation->number("done"),
                        operation->number("total"), operation->text("unit"),
                        message.empty() ? "" : ": ", printable(message));
        if (news != told) context.note(news + "\n");
        stuck = news == told && is_stuck && is_stuck(*operation) ? stuck + 1 : 0;
        told = news;
        if (stuck == kStuckPolls) return std::move(*operation);
        if (context.clock.mono() >= end)
            return tl::unexpected(Failure(
                Error{ErrorCode::kTimeout,
                      fmt::format("operation {} still runs after {}", id, duration_text(timeout)),
                      {},
                      fmt::format("see: blixard operation show {}", id)}));
        pause(kOperationPoll);
    }
}

}  // namespace blixard::cli
