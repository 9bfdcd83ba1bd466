// Where filters put their refusals, with or without words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/decision.h"

namespace blixard::scheduler {

// Which failures get words, which cost more than all the rest.
enum class Words : std::uint8_t { kNone, kOfFirst, kOfAll };

class Failures {
 public:
    Failures(std::vector<Failure>& list, Words wanted) : list_(list), wanted_(wanted) {}

    // `words()` gives the detail; it is called only where it is wanted.
    template <class Detail>
    void add(Reason reason, std::int64_t needed, std::int64_t available, const Detail& words) {
        const bool said = wanted_ == Words::kOfAll || (wanted_ == Words::kOfFirst && list_.empty());
        list_.push_back({reason, needed, available, said ? words() : std::string{}});
    }

 private:
    std::vector<Failure>& list_;
    const Words wanted_;
};

}  // namespace blixard::scheduler
