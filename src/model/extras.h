// Members that only a newer version knows, when people change a document through a daemon of this
// one: they are taken out before what people sent is read strictly, and put back after it. Pure.
#pragma once

#include "model/records.h"
#include "model/vm.h"

namespace blixard::model {

VmSpec without_extras(VmSpec spec);
Quota without_extras(Quota quota);

// Gives `now` what `before` has of unknown members, at the same place: list items are the same
// where their names are, or where they have none, their places.
void keep_extras(const VmSpec& before, VmSpec& now);
void keep_extras(const Quota& before, Quota& now);

}  // namespace blixard::model
