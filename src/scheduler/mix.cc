#include "scheduler/mix.h"

#include <algorithm>

namespace blixard::scheduler {
namespace {

constexpr std::size_t kFlavoursCounted =
    1024;                                     // bound on memory and on the walk of one observation
constexpr std::size_t kFlavoursKept = 160;    // in the published mix; the rest is a thin tail
constexpr std::int64_t kPublishEvery = 1024;  // at most so many requests between two editions

}  // namespace

void Mix::observe(const Ask& ask) {
    ++observed_;
    auto found = std::find_if(counts_.begin(), counts_.end(),
                              [&](const Count& one) { return one.ask == ask; });
    if (found != counts_.end()) {
        found->count += 1.0;
        // Common flavours drift to the front, so the walk is short.
        if (found != counts_.begin() && (found - 1)->count < found->count)
            std::iter_swap(found - 1, found);
    } else if (counts_.size() < kFlavoursCounted) {
        counts_.push_back({ask, 1.0});
    } else {
        counts_.back() = {ask, 1.0};
    }
    if (observed_ >= publish_at_) publish();
}

void Mix::publish() {
    publish_at_ = observed_ + std::clamp<std::int64_t>(observed_ / 4, 1, kPublishEvery);
    auto counts = counts_;
    std::stable_sort(counts.begin(), counts.end(),
                     [](const Count& a, const Count& b) { return a.count > b.count; });
    if (counts.size() > kFlavoursKept) counts.resize(kFlavoursKept);
    double total = 0.0;
    for (const auto& one : counts) total += one.count;
    published_.clear();
    for (const auto& one : counts) published_.push_back({one.ask, one.count / total});
    ++edition_;
}

}  // namespace blixard::scheduler
