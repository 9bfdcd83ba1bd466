// debug: what helps to find out why a host did what it did.
#include <fmt/format.h>

#include "cli/context.h"
#include "os/files.h"

namespace blixard::cli {
namespace {

Outcome record(Context& context, const Args& args) {
    const std::string path = args.get("file", "blixard.record");
    ASSIGN_OR_RETURN(const std::string bytes, context.remote().get_text("/v1/debug/record"));
    if (path == "-") {
        context.out(bytes);
        return {};
    }
    if (Status written = os::replace_file(path, bytes); !written)
        return other_failure(fmt::format("{} cannot be written: {}", path, written.error().message),
                             "");
    context.note(fmt::format("{} KiB in {}; play it with: blixard sim --recorded {}\n",
                             (bytes.size() + 1023) / 1024, path, path));
    return {};
}

}  // namespace

std::vector<Command> debug_commands() {
    return {
        {"debug record",
         "Fetch the record of this host's inputs",
         "What the control loops of the daemon that is asked were told and what they did about it, "
         "as far back as the daemon's record_mib (32) reach, over its restarts. Passwords, tokens, "
         "keys and what is given to cloud-init are not in it; names, addresses and labels are.\n\n"
         "\"blixard sim --recorded FILE\" plays it to the agent and the controller of another "
         "build, "
         "and shows where they decide otherwise. Of a daemon that does not run any more, play the "
         "directory <data-dir>/record itself.",
         {"blixard debug record", "blixard debug record /tmp/host-1.record"},
         {{"FILE", "where to (default blixard.record); \"-\" is stdout", false, false,
           Offer::kFile}},
         {},
         record},
    };
}

}  // namespace blixard::cli
