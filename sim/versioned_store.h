// A daemon of the next version: it writes a member that this version does not know into specs and
// placements. This version has to keep it ("Parsed leniently: members that a daemon does not know
// are kept and written back", docs/FORMATS.md).
//
// Threads: as the store that it stands before.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace blixard::sim {

inline constexpr std::string_view kNextMember = R"("next_version_says":"keep me")";

// `json`, an object, with the member of the next version; also in the spec of a VM.
inline std::string as_next_version(std::string json) {
    if (json.size() < 2 || json.front() != '{' || json.back() != '}') return json;
    if (const std::size_t spec = json.find("\"spec\":{\"");
        spec != std::string::npos && json.find(kNextMember, spec) == std::string::npos)
        json.insert(spec + 8, fmt::format("{},", kNextMember));
    // At the end of the whole: this version writes what it does not know behind what it knows.
    const std::size_t last = json.rfind(kNextMember);
    if (last != std::string::npos && last + kNextMember.size() + 1 == json.size()) return json;
    std::string member(json.size() > 2 ? "," : "");
    member += kNextMember;
    json.insert(json.size() - 1, member);
    return json;
}

class NextVersionStore final : public store::Store {
 public:
    explicit NextVersionStore(store::Store& behind) : behind_(behind) {}

    void commit(store::Transaction transaction, Callback<store::Committed> done) override {
        for (store::Put& put : transaction.puts)
            if (put.key.ends_with("/spec") || put.key.ends_with("/placement"))
                put.value = as_next_version(std::move(put.value));
        behind_.commit(std::move(transaction), std::move(done));
    }
    void read(store::Range range, Callback<store::RangeResult> done) override {
        behind_.read(std::move(range), std::move(done));
    }
    void current_revision(Callback<store::Revision> done) override {
        behind_.current_revision(std::move(done));
    }
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override {
        return behind_.watch(std::move(prefix), from, handler);
    }
    void unwatch(store::WatchId watch) override { behind_.unwatch(watch); }
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override {
        behind_.grant_lease(ttl, std::move(done));
    }
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override {
        behind_.renew_lease(lease, std::move(done));
    }
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override {
        behind_.revoke_lease(lease, std::move(done));
    }
    void compact(store::Revision revision, Callback<store::Revision> done) override {
        behind_.compact(revision, std::move(done));
    }

 private:
    store::Store& behind_;
};

}  // namespace blixard::sim
