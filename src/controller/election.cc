#include "controller/election.h"

#include <fmt/format.h>

#include "model/keys.h"
#include "model/merge_patch.h"

namespace blixard::controller {
namespace {

constexpr Millis kRenewAgain = seconds(1);

// Node names and run ids are made of [a-z0-9-]: nothing to escape.
std::string election_value(std::string_view node, std::string_view run, WallTime now) {
    return fmt::format(R"({{"schema":1,"node":"{}","run":"{}","since":"{}"}})", node, run,
                       to_rfc3339(now));
}

std::string text_member(std::string_view json, std::string_view name) {
    const Result<std::string> member = model::select_member(json, name);
    if (!member || member->size() < 2) return {};
    return member->substr(1, member->size() - 2);
}

}  // namespace

std::string elected_node(std::string_view election_value) {
    return text_member(election_value, "node");
}

Election::Election(store::Store& store, view::View& view, Executor& executor, const Clock& clock,
                   Log& log, LeaseSource& lease, std::string node, std::string run_uid)
    : store_(store),
      view_(view),
      executor_(executor),
      clock_(clock),
      log_(log),
      lease_(lease),
      node_(std::move(node)),
      run_uid_(std::move(run_uid)) {}

store::Revision Election::proof() const {
    const view::SnapshotPtr state = view_.current();
    const store::KeyValue& key = state->election;
    if (key.key.empty() || key.lease == 0 || key.lease != lease_.lease()) return 0;
    return text_member(key.value, "run") == run_uid_ ? key.mod_revision : 0;
}

store::LeaseId Election::term() const { return proof() == 0 ? 0 : view_.current()->election.lease; }

void Election::renew(store::Revision proof, std::function<void(store::Revision)> done) {
    const view::SnapshotPtr state = view_.current();
    const store::KeyValue& key = state->election;
    if (key.mod_revision > proof || (key.key.empty() && state->revision > proof))
        return done(state->revision);  // others have made it void
    store::Transaction again;
    again.compares.push_back({std::string(model::kElectionKey), proof});
    again.puts.push_back(
        {.key = std::string(model::kElectionKey), .value = key.value, .lease = key.lease});
    store_.commit(std::move(again),
                  [this, proof, done = std::move(done),
                   weak = std::weak_ptr(alive_)](const Result<store::Committed>& renewed) {
                      if (weak.expired()) return;
                      if (renewed) return done(renewed->revision);  // refused: it was void before
                      executor_.after(kRenewAgain, [this, proof, done, weak] {
                          if (!weak.expired()) renew(proof, done);
                      });
                  });
}

void Election::look() {
    const view::SnapshotPtr state = view_.current();
    if (asking_ || lease_.lease_key_revision() == 0 || !state->election.key.empty()) return;
    if (state->revision < lease_.lease_key_revision()) return;
    asking_ = true;
    store::Transaction candidate;
    candidate.compares.push_back({std::string(model::kElectionKey), 0});
    candidate.compares.push_back({model::node_key(node_, "lease"), lease_.lease_key_revision()});
    candidate.puts.push_back({.key = std::string(model::kElectionKey),
                              .value = election_value(node_, run_uid_, clock_.wall()),
                              .lease = lease_.lease()});
    store_.commit(std::move(candidate), [this, weak = std::weak_ptr(alive_)](
                                            const Result<store::Committed>& done) {
        if (weak.expired()) return;
        asking_ = false;
        if (!done) return log_.warn("election not decided", {{"error", describe(done.error())}});
        if (done->succeeded)
            log_.info("this host is the controller",
                      {{"node", node_}, {"revision", done->revision}});
    });
}

}  // namespace blixard::controller
