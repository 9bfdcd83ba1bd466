// What a shell offers for the word under the cursor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace blixard::cli {

// Names from the daemon, by kind; empty where it is not there.
using Names = std::function<std::vector<std::string>(Offer)>;

// `words` are those behind the program's name; the last one is being typed. Words that begin with
// it, sorted. A single kOfferFiles asks the shell to offer files.
std::vector<std::string> complete(const std::vector<Command>& commands,
                                  const std::vector<std::string>& words, const Names& names);

// Of a part that parses its own options (daemon, sim): what its help, as people read it, has. With
// an option before the cursor, its values; else the options.
std::vector<std::string> complete_from_help(std::string_view help,
                                            const std::vector<std::string>& words);

inline constexpr std::string_view kOfferFiles = ":files";

}  // namespace blixard::cli
