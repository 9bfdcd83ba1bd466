#include "bench/api/api.h"
namespace blixard::bench { Status run_api(const ApiOptions&) { return {}; } }
