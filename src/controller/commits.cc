// What is decided becomes transactions: joined, sent, and settled once the store has answered.
// Until then nothing else is decided about the VMs that they are about (`busy_`).
#include <algorithm>
#include <map>
#include <utility>

#include "base/mutant.h"
#include "controller/controller.h"

namespace blixard::controller {

void Controller::propose(Proposal proposal) {
    busy_.insert(proposal.about.begin(), proposal.about.end());
    proposals_.push_back(std::move(proposal));
}

void Controller::flush() {
    std::vector<Proposal> proposals;
    proposals.swap(proposals_);
    std::vector<std::string> vms, from;
    store::Transaction joined;
    std::map<std::string, store::Revision> compares;
    std::size_t bytes = 0;
    const auto send_joined = [&] {
        if (vms.empty()) return;
        for (auto& [key, revision] : compares) joined.compares.push_back({key, revision});
        if (!mutant(MutantId::kElectionUnproven))
            joined.compares.push_back({std::string(model::kElectionKey), in_office_});
        send(std::exchange(vms, {}), std::exchange(from, {}), std::exchange(joined, {}));
        compares.clear();
        bytes = 0;
    };
    for (Proposal& proposal : proposals) {
        store::Transaction& one = proposal.transaction;
        std::size_t size = 0;
        for (const store::Put& put : one.puts) size += put.key.size() + put.value.size();
        const std::size_t operations =
            joined.puts.size() + joined.deletes.size() + one.puts.size() + one.deletes.size();
        const bool full = vms.size() >= vms_per_commit_ || operations > store::kMaxOperations - 4 ||
                          compares.size() + one.compares.size() + 1 > kComparesPerCommit ||
                          bytes + size > store::kMaxRequestBytes / 2;
        if (full) send_joined();
        bytes += size;
        for (store::Compare& compare : one.compares)
            compares.emplace(std::move(compare.key), compare.mod_revision);
        for (store::Put& put : one.puts) joined.puts.push_back(std::move(put));
        for (std::string& key : one.deletes) joined.deletes.push_back(std::move(key));
        for (std::string& vm : proposal.about) vms.push_back(std::move(vm));
        if (!proposal.from.empty()) from.push_back(std::move(proposal.from));
    }
    send_joined();
}

void Controller::send(std::vector<std::string> vms, std::vector<std::string> from,
                      store::Transaction transaction) {
    ++counters_.commits;
    deps_.store.commit(std::move(transaction), [this, vms = std::move(vms), from = std::move(from),
                                                proof = in_office_, weak = std::weak_ptr(alive_)](
                                                   const Result<store::Committed>& done) {
        if (weak.expired()) return;
        const auto settled = [this, vms, from, weak] {
            if (!weak.expired()) settle(vms, from);
        };
        if (done && done->succeeded) {
            vms_per_commit_ = std::min(kVmsPerCommit, vms_per_commit_ * 2);
            return deps_.view.when_at(done->revision, settled);
        }
        ++counters_.refused_commits;
        // What they were to be told has not been written: they are asked anew, not just passed by.
        for (const std::string& vm : vms) queue_.remove(vm);
        // One stale VM must not hold up its neighbours for long.
        vms_per_commit_ = std::max<std::size_t>(1, vms_per_commit_ / 2);
        if (done) return deps_.view.when_at(done->revision, settled);
        deps_.log.warn("decisions not committed", {{"error", describe(done.error())}});
        if (done.error().code == ErrorCode::kUnknownOutcome && !mutant(MutantId::kProofKept))
            settle_unknown(vms, from, proof);
        else
            settle_later(vms, from);
    });
}

void Controller::settle(const std::vector<std::string>& vms, const std::vector<std::string>& from) {
    for (const std::string& vm : vms) {
        busy_.erase(vm);
        dirty_vms_.insert(vm);
    }
    for (const std::string& vm : std::exchange(passed_over_, {})) queue_.ask_again(vm);
    drains_due_ = true;
    for (const std::string& host : from) {
        const auto doubt = in_doubt_.find(host);
        if (doubt != in_doubt_.end() && --doubt->second <= 0) in_doubt_.erase(doubt);
        dirty_nodes_.insert(host);
    }
    wake();
}

// The write may have happened, or happen yet: that the newest state does not show it says nothing.
// Its room counts as taken until the proof that it compares is void and the view is behind that.
void Controller::settle_unknown(std::vector<std::string> vms, std::vector<std::string> from,
                                store::Revision proof) {
    election_.renew(
        proof, [this, vms = std::move(vms), from = std::move(from)](store::Revision revision) {
            deps_.view.when_at(revision, [this, vms, from, weak = std::weak_ptr(alive_)] {
                if (!weak.expired()) settle(vms, from);
            });
        });
}

// It did not happen. Decided anew in a moment, from the newest state.
void Controller::settle_later(std::vector<std::string> vms, std::vector<std::string> from) {
    deps_.executor.after(seconds(1), [this, vms, from, weak = std::weak_ptr(alive_)] {
        if (weak.expired()) return;
        deps_.store.current_revision([this, vms, from, weak](const Result<store::Revision>& now) {
            if (weak.expired()) return;
            if (!now) return settle_later(vms, from);
            deps_.view.when_at(*now, [this, vms, from, weak] {
                if (!weak.expired()) settle(vms, from);
            });
        });
    });
}

}  // namespace blixard::controller
