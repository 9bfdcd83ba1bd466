#include "store/store.h"

#include <set>
#include <string>

namespace blixard::store {
namespace {

Status check_key(std::string_view key) {
    if (key.empty()) return fail(ErrorCode::kInvalid, "transaction names an empty key");
    if (key.size() > kMaxKeyBytes) {
        return fail(ErrorCode::kTooLarge, "key of " + std::to_string(key.size()) +
                                              " bytes; at most " + std::to_string(kMaxKeyBytes) +
                                              " are stored");
    }
    return {};
}

Status check_counts(const Transaction& transaction) {
    const std::size_t writes = transaction.puts.size() + transaction.deletes.size();
    if (writes > kMaxOperations || transaction.compares.size() > kMaxOperations) {
        return fail(ErrorCode::kTooLarge,
                    "transaction of " + std::to_string(writes) + " writes and " +
                        std::to_string(transaction.compares.size()) + " compares; at most " +
                        std::to_string(kMaxOperations) + " of each are possible",
                    "split it into several transactions");
    }
    return {};
}

Status check_puts(const Transaction& transaction, std::size_t& bytes) {
    for (const Put& put : transaction.puts) {
        RETURN_IF_ERROR(check_key(put.key));
        if (put.value.size() > kMaxValueBytes) {
            return fail(ErrorCode::kTooLarge,
                        "value of \"" + put.key + "\" has " + std::to_string(put.value.size()) +
                            " bytes; at most " + std::to_string(kMaxValueBytes) + " are stored");
        }
        bytes += put.key.size() + put.value.size();
    }
    return {};
}

Status check_keys_once(const Transaction& transaction) {
    std::set<std::string_view> seen;
    for (const Put& put : transaction.puts) {
        if (!seen.insert(put.key).second) {
            return fail(ErrorCode::kInvalid, "transaction writes key \"" + put.key + "\" twice");
        }
    }
    for (const std::string& key : transaction.deletes) {
        if (!seen.insert(key).second) {
            return fail(ErrorCode::kInvalid, "transaction writes key \"" + key + "\" twice");
        }
    }
    return {};
}

}  // namespace

Status check_bounds(const Transaction& transaction) {
    RETURN_IF_ERROR(check_counts(transaction));
    std::size_t bytes = 0;
    RETURN_IF_ERROR(check_puts(transaction, bytes));
    for (const std::string& key : transaction.deletes) {
        RETURN_IF_ERROR(check_key(key));
        bytes += key.size();
    }
    for (const Compare& compare : transaction.compares) {
        RETURN_IF_ERROR(check_key(compare.key));
        bytes += compare.key.size();
    }
    if (bytes > kMaxRequestBytes) {
        return fail(ErrorCode::kTooLarge,
                    "transaction of " + std::to_string(bytes) + " bytes; at most " +
                        std::to_string(kMaxRequestBytes) + " are possible",
                    "split it into several transactions");
    }
    return check_keys_once(transaction);
}

}  // namespace blixard::store
