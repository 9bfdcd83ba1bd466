#include "store/etcd/combine.h"

#include <algorithm>

namespace blixard::store {
namespace {

constexpr std::size_t kSkippedMost = 256;  // looked past in search of independent ones
constexpr std::size_t kOperationBytes =
    40;  // of an operation around its key and value, as protobuf

std::size_t wire_bytes(const Transaction& transaction) {
    std::size_t bytes = 0;
    for (const Compare& compare : transaction.compares)
        bytes += compare.key.size() + kOperationBytes;
    for (const Put& put : transaction.puts)
        bytes += put.key.size() + put.value.size() + kOperationBytes;
    for (const std::string& key : transaction.deletes) bytes += key.size() + kOperationBytes;
    return bytes;
}

std::size_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

// As etcd counts them.
std::size_t operations(const Transaction& transaction) {
    return std::max(transaction.compares.size(),
                    transaction.puts.size() + transaction.deletes.size());
}

// The bundles under construction.
class Packing {
 public:
    // False: there is no room for it in this group.
    bool add(const WaitingPtr& waiting) {
        const Transaction& transaction = waiting->transaction;
        const std::size_t count = operations(transaction), bytes = wire_bytes(transaction);
        const std::size_t most = std::min(together_most_, waiting->together_most);
        const bool fits = bundles_.empty() || (size_ < most && count <= kJoinedOperations &&
                                               bytes_ + bytes <= kMaxRequestBytes);
        if (!fits || !put(waiting, count <= kSmallOperations)) return false;
        together_most_ = count > kJoinedOperations ? 1 : most;
        bytes_ += bytes;
        ++size_;
        return true;
    }
    bool full() const {
        return size_ >= together_most_ || (bundles_.size() == kBundlesMost && !has_open_bundle());
    }
    WaitingGroup take() { return std::move(bundles_); }

 private:
    bool has_open_bundle() const {
        return open_ < bundles_.size() && bundles_[open_].size() < kBundledMost;
    }
    bool put(const WaitingPtr& waiting, bool is_small) {
        if (!is_small || !has_open_bundle()) {
            if (bundles_.size() == kBundlesMost) return false;
            if (is_small) open_ = bundles_.size();
            bundles_.push_back({waiting});
            return true;
        }
        bundles_[open_].push_back(waiting);
        return true;
    }

    WaitingGroup bundles_;
    std::size_t open_ = SIZE_MAX;  // the bundle that takes small ones
    std::size_t size_ = 0, bytes_ = 0, together_most_ = SIZE_MAX;
};

}  // namespace

std::size_t size_of(const WaitingGroup& group) {
    std::size_t size = 0;
    for (const WaitingList& bundle : group) size += bundle.size();
    return size;
}

WaitingList flat(const WaitingGroup& group) {
    WaitingList all;
    all.reserve(size_of(group));
    for (const WaitingList& bundle : group) all.insert(all.end(), bundle.begin(), bundle.end());
    return all;
}

bool Combiner::Claims::conflicts(const Transaction& transaction) const {
    auto claimed = [this](const std::string& key, bool write) {
        auto found = keys_.find(hash_of(key));
        return found != keys_.end() && (found->second.writes || (write && found->second.compares));
    };
    return std::ranges::any_of(transaction.compares,
                               [&](const Compare& c) { return claimed(c.key, false); }) ||
           std::ranges::any_of(transaction.puts,
                               [&](const Put& p) { return claimed(p.key, true); }) ||
           std::ranges::any_of(transaction.deletes,
                               [&](const std::string& k) { return claimed(k, true); });
}

void Combiner::Claims::count(std::string_view key, bool write, int by) {
    auto entry = keys_.try_emplace(hash_of(key)).first;
    (write ? entry->second.writes : entry->second.compares) += by;
    if (entry->second.writes == 0 && entry->second.compares == 0) keys_.erase(entry);
}

void Combiner::Claims::add(const Transaction& transaction) {
    for (const Compare& compare : transaction.compares) count(compare.key, false, 1);
    for (const Put& put : transaction.puts) count(put.key, true, 1);
    for (const std::string& key : transaction.deletes) count(key, true, 1);
}

void Combiner::Claims::remove(const Transaction& transaction) {
    for (const Compare& compare : transaction.compares) count(compare.key, false, -1);
    for (const Put& put : transaction.puts) count(put.key, true, -1);
    for (const std::string& key : transaction.deletes) count(key, true, -1);
}

void Combiner::add(WaitingPtr waiting) { waiting_.push_back(std::move(waiting)); }

void Combiner::add_again(const WaitingGroup& group) {
    finished(group);
    const WaitingList all = flat(group);
    for (const WaitingPtr& waiting : all)
        waiting->together_most = std::max<std::size_t>(1, all.size() / kPartsOfFailed);
    waiting_.insert(waiting_.begin(), all.begin(), all.end());
}

WaitingGroup Combiner::next() {
    Packing group;
    std::deque<WaitingPtr> skipped;
    Claims ahead;  // of those that were skipped: nobody who conflicts may overtake them
    while (!waiting_.empty() && !group.full() && skipped.size() < kSkippedMost) {
        WaitingPtr candidate = std::move(waiting_.front());
        waiting_.pop_front();
        const Transaction& transaction = candidate->transaction;
        if (in_flight_.conflicts(transaction) || ahead.conflicts(transaction) ||
            !group.add(candidate)) {
            ahead.add(transaction);
            skipped.push_back(std::move(candidate));
            continue;
        }
        in_flight_.add(transaction);
    }
    waiting_.insert(waiting_.begin(), std::make_move_iterator(skipped.begin()),
                    std::make_move_iterator(skipped.end()));
    return group.take();
}

void Combiner::finished(const WaitingGroup& group) {
    for (const WaitingList& bundle : group)
        for (const WaitingPtr& waiting : bundle) in_flight_.remove(waiting->transaction);
}

WaitingList Combiner::expired(MonoTime now) {
    WaitingList late;
    while (!waiting_.empty() && waiting_.front()->deadline <= now) {
        late.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return late;
}

WaitingList Combiner::take_all() {
    WaitingList all(waiting_.begin(), waiting_.end());
    waiting_.clear();
    return all;
}

}  // namespace blixard::store
