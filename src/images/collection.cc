#include "images/collection.h"

#include <utility>

namespace blixard::images {
namespace {

// A needed file is marked no more often: the mark only has to be young beside `stray`.
constexpr Millis kRefreshEvery = seconds(86400);
constexpr std::size_t kDigestLength = 64;

}  // namespace

CollectionPlan Collection::look(const CollectionFacts& facts) {
    CollectionPlan plan;
    remember_names(facts);
    std::map<std::string, MonoTime> spare;
    for (const Blob& file : facts.files) {
        const bool needed =
            facts.named.contains(file.sha256) || facts.under_disks.contains(file.sha256);
        const Millis quiet = facts.wall - file.asked_at;
        // A mark from the future: the clock was set back, and the time counts from now.
        if (quiet < Millis{0} || (needed && quiet >= kRefreshEvery))
            plan.refresh.push_back(file.sha256);
        if (needed) continue;
        const auto before = spare_since_.find(file.sha256);
        const MonoTime since = before == spare_since_.end() ? facts.mono : before->second;
        spare[file.sha256] = since;
        if (may_go(file, since, facts)) plan.files.push_back(file);
    }
    spare_since_ = std::move(spare);
    for (const Blob& part : facts.parts)
        if (!facts.named.contains(part.sha256) && !facts.fetching.contains(part.sha256) &&
            facts.wall - part.asked_at >= rules_.grace)
            plan.parts.push_back(part.sha256);
    return plan;
}

void Collection::remember_names(const CollectionFacts& facts) {
    std::set<std::string> names = facts.named;
    for (const Blob& file : facts.files)
        if (named_once_.contains(file.sha256)) names.insert(file.sha256);
    named_once_ = std::move(names);
}

// Both clocks have to agree: a time of day that jumps ahead deletes nothing by itself.
bool Collection::may_go(const Blob& file, MonoTime spare_since,
                        const CollectionFacts& facts) const {
    const Millis quiet_least = named_once_.contains(file.sha256) ? rules_.grace : rules_.stray;
    return !facts.fetching.contains(file.sha256) && facts.mono - spare_since >= rules_.grace &&
           facts.wall - file.asked_at >= quiet_least;
}

std::set<std::string> digests_in(std::string_view text) {
    std::set<std::string> digests;
    std::size_t run = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        run = hex ? run + 1 : 0;
        if (run >= kDigestLength)
            digests.emplace(text.substr(i + 1 - kDigestLength, kDigestLength));
    }
    return digests;
}

}  // namespace blixard::images
