#include "sim/newer_records.h"

#include <fmt/format.h>

#include <vector>

#include "model/keys.h"

namespace blixard::sim {
namespace {

// A uid is a text here.
std::string as_newer(std::string json) {
    constexpr std::string_view kUid = R"("uid":")";
    const std::size_t at = json.find(kUid);
    if (at != std::string::npos) json.replace(at, kUid.size(), R"("uid":{"is":"more"},"was":")");
    return json;
}

}  // namespace

bool NewerRecords::replace(const std::string& key, const std::string& before,
                           const std::string& after) {
    const auto stored = backend_.history().read({.prefix = key, .limit = 1});
    if (!stored || stored->items.empty() || stored->items[0].key != key ||
        stored->items[0].value != before)
        return true;  // it is another's by now
    store::Transaction put;
    put.compares.push_back({key, stored->items[0].mod_revision});
    put.puts.push_back({.key = key, .value = after});
    const auto done = backend_.commit(put);
    return done && done->succeeded;
}

void NewerRecords::write(const Act& act, const view::VmEntry* vm) {
    if (!vm) return;
    const char* const parts[] = {"spec", "placement", "status"};
    const std::string key = model::vm_key(vm->project(), vm->name(), parts[act.dice % 3]);
    const auto stored = backend_.history().read({.prefix = key, .limit = 1});
    if (!stored || stored->items.empty() || stored->items[0].key != key || before_.contains(key))
        return;
    const std::string before = stored->items[0].value;
    if (!replace(key, before, as_newer(before))) return;
    trace_.add("", fmt::format("{} is written by a newer version", key));
    before_[key] = before;
    timeline_.after(Millis{act.span_ms}, [this, key] { take_back(key); });
}

void NewerRecords::take_back(const std::string& key) {
    const auto found = before_.find(key);
    if (found == before_.end()) return;
    if (!replace(key, as_newer(found->second), found->second))
        return void(timeline_.after(seconds(1), [this, key] { take_back(key); }));
    trace_.add("", fmt::format("{} is understood again", key));
    before_.erase(found);
}

void NewerRecords::take_all_back() {
    std::vector<std::string> keys;
    for (const auto& [key, value] : before_) keys.push_back(key);
    for (const std::string& key : keys) take_back(key);
}

}  // namespace blixard::sim
