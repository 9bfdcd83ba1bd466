#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "bench/api/api.h"
#include "bench/commands.h"

namespace blixard::bench {

Result<ApiOptions> parse_api_options(const std::vector<std::string>& arguments) {
    ApiOptions options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& name = arguments[i];
        if (name == "--quick")
            options.quick = true;
        else if (name == "--no-guests")
            options.guests = false;
        else if (i + 1 == arguments.size())
            return fail(ErrorCode::kInvalid, "unknown option or missing value: " + name);
        else if (name == "--blixard")
            options.blixard = arguments[++i];
        else if (name == "--json")
            options.json_path = arguments[++i];
        else if (name == "--lxd")
            options.lxd_socket = arguments[++i];
        else if (name == "--image")
            options.image = arguments[++i];
        else if (name == "--vms")
            options.vms_most = std::atoi(arguments[++i].c_str());
        else
            return fail(ErrorCode::kInvalid, "unknown option: " + name,
                        "blixard-bench api [--blixard PROGRAM] [--json FILE] [--image NAME] [--vms "
                        "N] [--quick] [--no-guests]");
    }
    if (options.vms_most < 10)
        return fail(ErrorCode::kInvalid, "--vms needs a number of at least 10");
    return options;
}

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

namespace {

int run_with(Arguments arguments, Status (*measure)(const ApiOptions&)) {
    const auto options = parse_api_options({arguments.begin(), arguments.end()});
    const Status status = options ? measure(*options) : fail(options.error());
    if (status) return 0;
    std::fprintf(stderr, "error: %s\n", describe(status.error()).c_str());
    return options ? 1 : 2;
}

}  // namespace

int api(Arguments arguments) { return run_with(arguments, run_api); }
int lxd(Arguments arguments) { return run_with(arguments, run_lxd); }
int http(Arguments arguments) { return run_with(arguments, run_http); }

}  // namespace blixard::bench
