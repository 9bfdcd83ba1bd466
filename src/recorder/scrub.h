// A store's words without secrets, and without what no control loop looks at.
#pragma once

#include <string>

#include "store/store.h"

namespace blixard::recorder {

// The value of `key` without secrets.
std::string scrubbed_value(const std::string& key, const std::string& value);

// Records of kinds that the view does not know (the cluster's authority and tokens, above all) are
// left out.
store::WatchBatch scrubbed(const store::WatchBatch& batch);
store::RangeResult scrubbed(const store::RangeResult& page);

// A transaction, as people read it and as replays compare it.
std::string transaction_text(const store::Transaction& transaction);

}  // namespace blixard::recorder
