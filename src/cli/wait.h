// Waiting for a VM or an operation to get where it should be, telling what goes on meanwhile.
#pragma once

#include <functional>
#include <string>

#include "cli/context.h"
#include "cli/value.h"

namespace blixard::cli {

// One long poll lasts no longer than this: in between, a failure is noticed and news are told.
inline constexpr std::int64_t kPollSeconds = 2;
// How often an operation's progress is asked for.
inline constexpr Millis kOperationPoll = Millis{300};

// Until the VM's phase is `target` (running, paused, stopped, scheduled) or it is gone (deleted).
// The VM's document comes back (null for deleted). Exit codes: 7 where the time is over, 1 where
// the VM has failed instead.
tl::expected<Value, Failure> wait_for_vm(Context& context, const std::string& name,
                                         const std::string& target, Millis timeout);

// Until the operation is no longer running; progress on stderr. A failed or cancelled one is a
// failure.
// `is_stuck`, where there is one, says of a running one that nothing of it moves; said of it for
// kStuckPolls times without anything new, it is waited for no longer and comes back as it is,
// running.
tl::expected<Value, Failure> wait_for_operation(Context& context, const std::string& id,
                                                Millis timeout,
                                                std::function<bool(const Value&)> is_stuck = {});
inline constexpr int kStuckPolls = 15;

}  // namespace blixard::cli
