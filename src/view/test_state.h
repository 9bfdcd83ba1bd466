// A state made of records, for tests of what is decided from one.
#pragma once

#include <string>

#include "base/log.h"
#include "view/view.h"

namespace blixard::view {

class TestState {
 public:
    // At the next revision.
    void put(const std::string& key, const std::string& value) {
        ++state.revision;
        apply_change(state,
                     {.key = key,
                      .value = value,
                      .create_revision = state.revision,
                      .mod_revision = state.revision},
                     false, log);
    }

    Snapshot state;
    NullLog log;
};

}  // namespace blixard::view
