// The flavour mix: which sizes of VM have been asked for, learnt from the requests that went by.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/room.h"

namespace blixard::scheduler {

struct Flavour {
    Ask ask;
    double weight = 0.0;  // share of the mix, sums to 1 over the flavours kept
};

// Counts flavours and publishes, now and then, the most common ones as the mix that scores are
// computed with. The mix stays the same between two publications (`edition` tells them apart), so
// scores can be kept.
class Mix {
 public:
    void observe(const Ask& ask);

    const std::vector<Flavour>& flavours() const { return published_; }
    std::uint32_t edition() const { return edition_; }
    std::int64_t observed() const { return observed_; }

 private:
    struct Count {
        Ask ask;
        double count = 0.0;
    };
    void publish();

    std::vector<Count> counts_;
    std::vector<Flavour> published_;
    std::int64_t observed_ = 0;
    std::int64_t publish_at_ = 1;
    std::uint32_t edition_ = 0;
};

}  // namespace blixard::scheduler
