// Deleting what others may begin to use at the same moment (images, projects), without making each
// of those others write to it.
//
// First a mark is put, deletion_key(), on whose absence every new use counts. Once this daemon's
// view has passed the mark's revision it shows every use there can be. Then the thing is deleted on
// condition that the mark still stands, or the mark is taken away. The mark goes with a lease, so a
// daemon that dies in between leaves nothing behind.
#pragma once

#include <functional>

#include "api/core.h"

namespace blixard::api {

// `check`: may it be deleted, as far as this state shows? `decide`: the draft that deletes it.
void delete_unused(Core& core, const CallPtr& call, Subject subject,
                   std::function<Status(const view::Snapshot&)> check, Decide decide);

// "vm \"a\", vm \"b\" and 7 more", for refusals; at most five are named.
class Users {
 public:
    void add(std::string text);
    bool empty() const { return count_ == 0; }
    std::string text() const;

 private:
    static constexpr std::size_t kNamed = 5;
    std::string named_;
    std::size_t count_ = 0;
};

// The VMs (and `volumes`) of a project, or of all where it is empty, whose records a newer version
// wrote: what they use, nobody here knows.
Users unread_in(const view::Snapshot& state, std::string_view project, bool volumes);

// Refuses what must not be done to `subject` while somebody uses it, where that is not known.
Status check_uses_are_known(const view::Snapshot& state, const Subject& subject);

}  // namespace blixard::api
