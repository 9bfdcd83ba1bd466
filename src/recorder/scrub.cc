#include "recorder/scrub.h"

#include <fmt/format.h>

#include <iterator>

#include "model/keys.h"
#include "recorder/redact.h"

namespace blixard::recorder {
namespace {

bool known(const std::string& key) {
    return model::parse_key(key).kind != model::RecordKind::kOther;
}

store::KeyValue scrubbed_item(const store::KeyValue& item) {
    return {.key = item.key,
            .value = scrubbed_value(item.key, item.value),
            .create_revision = item.create_revision,
            .mod_revision = item.mod_revision,
            .lease = item.lease};
}

}  // namespace

std::string scrubbed_value(const std::string& key, const std::string& value) {
    switch (model::parse_key(key).kind) {
        // Written by the control loops themselves, which know no secrets.
        case model::RecordKind::kVmPlacement:
        case model::RecordKind::kVmStatus:
        case model::RecordKind::kNodeStatus:
        case model::RecordKind::kNodeLease:
        case model::RecordKind::kVolumeStatus:
        case model::RecordKind::kFailover:
        case model::RecordKind::kElection: return value;
        default: return value.empty() ? value : without_secrets(value);
    }
}

store::WatchBatch scrubbed(const store::WatchBatch& batch) {
    store::WatchBatch out{.revision = batch.revision};
    for (const store::Change& change : batch.changes)
        if (known(change.item.key))
            out.changes.push_back({change.deleted, scrubbed_item(change.item)});
    return out;
}

store::RangeResult scrubbed(const store::RangeResult& page) {
    // The last one is where the next page begins, whatever it is: without its value.
    store::RangeResult out{.more = page.more, .revision = page.revision};
    for (const store::KeyValue& item : page.items) {
        const bool last = &item == &page.items.back();
        if (known(item.key))
            out.items.push_back(scrubbed_item(item));
        else if (last)
            out.items.push_back({.key = item.key, .mod_revision = item.mod_revision});
    }
    return out;
}

std::string transaction_text(const store::Transaction& transaction) {
    std::string text;
    const auto out = std::back_inserter(text);
    for (const store::Compare& compare : transaction.compares)
        if (compare.mod_revision == 0)
            fmt::format_to(out, "if {} is absent\n", compare.key);
        else
            fmt::format_to(out, "if {} is at {}\n", compare.key, compare.mod_revision);
    for (const store::Put& put : transaction.puts) {
        fmt::format_to(out, "put {} {}", put.key, scrubbed_value(put.key, put.value));
        if (put.lease != 0) fmt::format_to(out, " under lease {}", put.lease);
        text += '\n';
    }
    for (const std::string& key : transaction.deletes) fmt::format_to(out, "delete {}\n", key);
    return text;
}

}  // namespace blixard::recorder
