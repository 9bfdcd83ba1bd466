// Who picks the place in a trace: a strategy of the product through its own choose(), or one of the
// plain programs that published tables compare with.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "scheduler/place.h"

namespace blixard::bench {

class Chooser {
 public:
    // "first-fit", "random", "best-fit" or a strategy of the product. kInvalid for anything else.
    static Result<Chooser> make(const std::string& name, std::uint64_t seed);

    std::optional<scheduler::Spot> choose(const scheduler::Cluster& cluster,
                                          const scheduler::Request& request);

 private:
    enum class Plain { kNone, kFirstFit, kRandom, kBestFit };
    std::optional<scheduler::Spot> plain(const scheduler::Cluster& cluster,
                                         const scheduler::Request& request);

    Plain plain_ = Plain::kNone;
    scheduler::Policy policy_;
    std::shared_ptr<SeededRandom> random_;
};

}  // namespace blixard::bench
