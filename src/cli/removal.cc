#include "cli/removal.h"

#include <fmt/format.h>

namespace blixard::cli {

Outcome remove_each(Context& context, std::string_view kind, std::string_view collection,
                    const std::vector<std::string>& names, const Query& query) {
    Outcome result;
    for (const std::string& name : names) {
        auto gone = context.remote().remove(resource(collection, name), query);
        if (gone) {
            context.out(context.for_people() ? fmt::format("{} {}: deleted\n", kind, name)
                        : context.format == Format::kName ? name + "\n"
                                                          : "");
        } else if (result) {
            result = tl::unexpected(Failure(gone.error()));
        } else {
            context.screen.err(render_error(gone.error(), context.screen.err_colours));
        }
    }
    return result;
}

}  // namespace blixard::cli
