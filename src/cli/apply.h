// What `apply` would do with a document: pure decisions, so that --dry-run and the deed cannot
// differ.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/value.h"

namespace blixard::cli {

// A document of a file, taken apart.
struct Manifest {
    std::string kind;     // "project", "image", "volume", "vm", "node"
    std::string project;  // of a VM or volume
    std::string name;
    Value
        wanted;  // what people may set: {"spec": {...}} of a VM or node, the members of the others
    std::string where;  // "web.yaml, document 2"
};

// Lists ({"items": [...]}) are opened; what the daemon adds (status, uid, revision, ...) is left
// out, so what `-o yaml` printed can be applied. Every kind and name is checked before anything is
// done.
Result<std::vector<Manifest>> read_manifests(const std::vector<Value>& documents,
                                             const std::string& file, const std::string& project);

// Both sides in the same shape: without empty values and the defaults that the daemon fills in.
Value normalised(const std::string& kind, const Value& wanted);

// Of a VM that is up: which changed members of its spec it gets only when it is started again, as
// "memory_mib, nics". Empty: none, or it is not up.
std::string at_next_start(const Value& before, const Value& after);

// What of the daemon's document people may set, in the shape of Manifest::wanted.
Value settable_part(const std::string& kind, const Value& document);

}  // namespace blixard::cli
