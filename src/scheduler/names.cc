#include "scheduler/names.h"

namespace blixard::scheduler {

NameId Names::intern(std::string_view text) {
    if (auto found = ids_.find(text); found != ids_.end()) return found->second;
    auto id = static_cast<NameId>(ids_.size());
    ids_.emplace(text, id);
    return id;
}

NameId Names::find(std::string_view text) const {
    auto found = ids_.find(text);
    return found == ids_.end() ? kNoName : found->second;
}

}  // namespace blixard::scheduler
