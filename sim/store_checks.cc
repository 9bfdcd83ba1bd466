// What must hold of the store itself: it says when a key was made and changed, and keeps what there
// is.
#include <fmt/format.h>

#include "sim/checker.h"

namespace blixard::sim {

void Checker::check_stored(const store::Change& change, store::Revision revision) {
    counted();
    const store::KeyValue& item = change.item;
    const auto known = stored_.find(item.key);
    if (item.mod_revision != revision)
        broken(fmt::format("{} changed at revision {}, and says {}", item.key, revision,
                           item.mod_revision));
    if (change.deleted) {
        if (known == stored_.end())
            return broken(fmt::format("{} was deleted, and was not there", item.key));
        stored_.erase(known);
        return;
    }
    const store::Revision created = known == stored_.end() ? revision : known->second.created;
    if (item.create_revision != created)
        broken(fmt::format("{} was made at revision {}, and says {}", item.key, created,
                           item.create_revision));
    stored_[item.key] = {created, revision};
}

void Checker::look_at_all_that_is_stored() {
    counted();
    const auto read = backend_.history().read({});
    if (!read) return broken("the store cannot be read");
    std::map<std::string, Stored, std::less<>> there;
    for (const store::KeyValue& item : read->items)
        there[item.key] = {item.create_revision, item.mod_revision};
    for (const auto& [key, stored] : stored_)
        if (const auto found = there.find(key); found == there.end() || found->second != stored)
            return broken(fmt::format("{} was written at revision {}, and is not there as it was",
                                      key, stored.changed));
    if (there.size() != stored_.size())
        broken(fmt::format("the store has {} keys; {} were written and not deleted", there.size(),
                           stored_.size()));
}

}  // namespace blixard::sim
