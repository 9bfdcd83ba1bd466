// The quick way to read what this program wrote. Private to this room.
#pragma once

#include <string_view>

#include "model/type.h"

namespace blixard::model::json {

// Reads a text that looks as write_object() makes it: members in the table's order, no spaces, the
// plainest escapes and numbers. Nearly all that a daemon reads from its store is such a text, and
// this is several times quicker than the reader in parse.cc, which takes the rest. False says only
// that the text does not look so, never that it is wrong; `object` is left half filled then.
//
// What it takes, it reads as parse.cc does, but that numbers in raw JSON stay as they are spelled:
// a property and a fuzz target compare the two.
bool parse_written(const Type& type, std::string_view text, void* object);

}  // namespace blixard::model::json
