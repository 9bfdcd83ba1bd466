// Who may write what, and on what condition: every transaction that a daemon sends is held against
// this page before the store sees it. It is docs/FENCING.md, steps 4 to 6, and "one writer per
// record", as a table. Pure.
#pragma once

#include <optional>
#include <string>

#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::sim {

// What is wrong with a transaction that the daemon of `host` sends; absent: nothing. `state` is the
// store's at this moment, which the sender may not have seen yet.
std::optional<std::string> what_breaks_protocol(const std::string& host,
                                                const store::Transaction& transaction,
                                                const view::Snapshot& state);

}  // namespace blixard::sim
