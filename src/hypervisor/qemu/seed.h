// The cloud-init NoCloud seed: a small ISO 9660 image labelled cidata (cloud-init:
// reference/datasources/nocloud). Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "hypervisor/hypervisor.h"

namespace blixard::hypervisor {

bool wants_seed(const model::CloudInit& cloud_init);

// The image's bytes. Where there is no meta-data, it names the VM: instance-id is its uid,
// local-hostname its name.
Result<std::string> make_seed(const model::CloudInit& cloud_init, const InstanceId& id);

}  // namespace blixard::hypervisor
