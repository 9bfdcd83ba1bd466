// JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it) out of a type's table. Private to this room.
#pragma once

#include <vector>

#include "model/json_writer.h"
#include "model/type.h"

namespace blixard::model::json {

// Writes "name": {schema} for each member; structs become references to
// #/components/schemas/<name>.
void write_properties(const Type& type, Writer& writer);

// The whole schema of a type. closed: unknown members are refused, as in what people send.
void write_schema(const Type& type, bool closed, Writer& writer);

// The type and all that its members use, each once, in order of first use.
void collect_types(const Type& type, std::vector<const Type*>& types);

}  // namespace blixard::model::json
