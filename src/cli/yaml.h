// YAML as people write it, to and from Value.
//
// Plain scalars are resolved by the core schema of YAML 1.2: null ~ true false, decimal, 0o and 0x
// integers, floats. "yes", "no", "on" and "off" are text; quoted scalars are always text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/value.h"

namespace blixard::cli {

inline constexpr int kYamlNodesMax = 1'000'000;  // aliases can multiply: a document bomb ends here
inline constexpr int kYamlDepthMax = 100;

// Every document of a file (JSON is YAML); empty documents are left out. Errors name line and
// column, duplicate keys included.
Result<std::vector<Value>> parse_yaml(std::string_view text);

// One document, block style, final newline. parse_yaml(to_yaml(v)) gives v again.
std::string to_yaml(const Value& value);

// What a plain (unquoted) scalar means.
Value resolve_scalar(std::string_view text);

}  // namespace blixard::cli
