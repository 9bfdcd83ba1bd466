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

bool small_enough(const Transaction& transaction) {
    return transaction.compares.size() <= kCombinedOperations &&
           transaction.puts.size() + transaction.deletes.size() <= kCombinedOperations;
}

}  // namespace

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
    for (const WaitingPtr& waiting : group) waiting->alone = true;
    waiting_.insert(waiting_.begin(), group.begin(), group.end());
}

WaitingGroup Combiner::next() {
    WaitingGroup group;
    std::deque<WaitingPtr> skipped;
    Claims ahead;  // of those that were skipped: nobody who conflicts may overtake them
    std::size_t bytes = 0;
    while (!waiting_.empty() && group.size() < kCombinedMost && skipped.size() < kSkippedMost) {
        WaitingPtr candidate = std::move(waiting_.front());
        waiting_.pop_front();
        const Transaction& transaction = candidate->transaction;
        const bool alone = candidate->alone || !small_enough(transaction);
        const std::size_t size = wire_bytes(transaction);
        const bool fits = group.empty() || (!alone && bytes + size <= kMaxRequestBytes);
        if (!fits || in_flight_.conflicts(transaction) || ahead.conflicts(transaction)) {
            ahead.add(transaction);
            skipped.push_back(std::move(candidate));
            continue;
        }
        in_flight_.add(transaction);
        bytes += size;
        group.push_back(std::move(candidate));
        if (alone) break;
    }
    waiting_.insert(waiting_.begin(), std::make_move_iterator(skipped.begin()),
                    std::make_move_iterator(skipped.end()));
    return group;
}

void Combiner::finished(const WaitingGroup& group) {
    for (const WaitingPtr& waiting : group) in_flight_.remove(waiting->transaction);
}

WaitingGroup Combiner::expired(MonoTime now) {
    WaitingGroup late;
    while (!waiting_.empty() && waiting_.front()->deadline <= now) {
        late.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return late;
}

WaitingGroup Combiner::take_all() {
    WaitingGroup all(waiting_.begin(), waiting_.end());
    waiting_.clear();
    return all;
}

}  // namespace blixard::store
