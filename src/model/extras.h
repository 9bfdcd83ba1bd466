// Members that only a newer version knows, when people replace a document through a daemon of this
// one. Pure.
#pragma once

#include "model/vm.h"

namespace blixard::model {

// What this version knows of it.
VmSpec without_extras(VmSpec spec);

// Gives `now` what `before` has of unknown members, at the same place: list items are the same
// where their names are, or where they have none, their places.
void keep_extras(const VmSpec& before, VmSpec& now);

}  // namespace blixard::model
