// What must not stand in a record: passwords, tokens, keys, what people give to cloud-init, what
// they put into kernel command lines. Pure; any thread.
//
// Removing twice is removing once, and removing from what was made of a text is the same as making
// it of the text removed from (texts are joined whole): so a replay that starts from removed inputs
// comes to the same removed outputs.
#pragma once

#include <string>
#include <string_view>

namespace blixard::recorder {

inline constexpr std::string_view kRemoved = "[removed]";

// True for members whose value, with all below it, nobody else may see: "user_data", "token",
// "password" ..., and words that contain such.
bool is_secret_name(std::string_view name);

// JSON text with the text of every secret member, at any depth, replaced by kRemoved; the rest byte
// by byte as it was. "command_line" members lose the values of secret words only. What is no JSON
// comes back as kRemoved as a whole.
std::string without_secrets(std::string_view json);

// A kernel command line, with the values of words such as "password=..." replaced.
std::string line_without_secrets(std::string_view line);

}  // namespace blixard::recorder
