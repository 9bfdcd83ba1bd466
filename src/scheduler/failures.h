// Where filters put their refusals, with or without words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/decision.h"

namespace blixard::scheduler {

class Failures {
 public:
    Failures(std::vector<Failure>& list, bool in_words) : list_(list), in_words_(in_words) {}

    // `words()` gives the detail; it is called only where it is wanted.
    template <class Words>
    void add(Reason reason, std::int64_t needed, std::int64_t available, const Words& words) {
        list_.push_back({reason, needed, available, in_words_ ? words() : std::string{}});
    }

 private:
    std::vector<Failure>& list_;
    const bool in_words_;
};

}  // namespace blixard::scheduler
