// Who is the controller: the host whose key election/controller stands in the store, held by that
// host's own lease. The key's mod_revision is the proof: every write of a controller compares it,
// so a paused former controller changes nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/time.h"
#include "store/store.h"
#include "view/view.h"

namespace blixard::controller {

// This host's own lease, as the agent keeps it.
class LeaseSource {
 public:
    virtual ~LeaseSource() = default;
    virtual store::LeaseId lease() const = 0;  // 0: none now
    virtual store::Revision lease_key_revision()
        const = 0;  // of nodes/<node>/lease; 0: not written yet
};

class Election {
 public:
    Election(store::Store& store, view::View& view, Executor& executor, const Clock& clock,
             Log& log, LeaseSource& lease, std::string node, std::string run_uid);

    // Looks at the state: tries to become the controller where nobody is. Called on each update and
    // now and then.
    void look();

    // The proof for a transaction; 0: this host is not the controller as far as it knows.
    store::Revision proof() const;
    // One for each time that this host was elected, and the same for all proofs of that time; 0: it
    // is not.
    store::LeaseId term() const;

    // Makes this proof void: what was sent with it and has not happened yet cannot happen any more
    // once `done` is called, with a revision that has all that did happen. The term goes on with a
    // new proof.
    void renew(store::Revision proof, std::function<void(store::Revision)> done);
    bool elected() const { return proof() != 0; }
    const std::string& node() const { return node_; }

 private:
    store::Store& store_;
    view::View& view_;
    Executor& executor_;
    const Clock& clock_;
    Log& log_;
    LeaseSource& lease_;
    const std::string node_;
    const std::string run_uid_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    bool asking_ = false;
};

// The node named by the election key's value; empty where it names none.
std::string elected_node(std::string_view election_value);

}  // namespace blixard::controller
