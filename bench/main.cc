// blixard-bench: every figure that the project claims, one command each.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "bench/commands.h"

namespace {

struct Command {
    std::string_view name;
    int (*run)(blixard::bench::Arguments);
    std::string_view help;
};

constexpr std::array kCommands = {
    Command{"trace", blixard::bench::trace,
            "huawei --vms FILE --starts FILE [--hosts N]... [--strategy S] [--json FILE]\n"
            "        openb  --nodes FILE --pods FILE... [--seeds N] [--strategy S] [--json FILE]"},
    Command{"sched", blixard::bench::sched,
            "[--hosts N]... [--decisions N] [--json FILE]: decisions/s, heap allocations"},
    Command{"api", blixard::bench::api,
            "[--blixard PROGRAM] [--json FILE] [--image NAME] [--vms N] [--quick] [--no-guests]"},
    Command{"vms", blixard::bench::vms,
            "[--guest DIR] [--blixard PROGRAM] [--rounds N] [--no-guests]: the driver beside bare "
            "QEMU"},
    Command{"micro", blixard::bench::micro,
            "[--benchmark_filter=REGEX] [--benchmark_out=FILE --benchmark_out_format=json] ...: "
            "Google Benchmark's options"},
    Command{"curves", blixard::bench::curves,
            "[--vms N] [--json FILE]: costs at 10, 100, ... VMs, in process"},
    Command{"lxd", blixard::bench::lxd,
            "--lxd SOCKET [--blixard PROGRAM] [--vms N] [--json FILE]: beside LXD (bench/peers.sh "
            "starts one)"},
    Command{"control", blixard::bench::control,
            "[--hosts N] [--burst N] [--steady N] [--views N...] [--only-views] "
            "[--quick] [--json FILE]: "
            "placements on a real etcd"},
    Command{"http", blixard::bench::http, "[--json FILE] [--quick]: the HTTP server alone"},
    Command{"writes", blixard::bench::writes,
            "--socket PATH [--connections N] [--requests N]: a daemon that runs, under writes"},
};

void print(std::FILE* out, const Command& command) {
    std::fprintf(out, "  %-7s %s\n", command.name.data(), command.help.data());
}

void usage(std::FILE* out) {
    std::fputs("usage: blixard-bench COMMAND\n", out);
    for (const auto& command : kCommands) print(out, command);
}

bool asks_for_help(const std::string& word) { return word == "--help" || word == "-h"; }

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && asks_for_help(arguments[0])) return usage(stdout), 0;
    for (const auto& command : kCommands) {
        if (arguments.empty() || command.name != arguments[0]) continue;
        // Google Benchmark has a help of its own.
        const bool own = command.name == "micro";
        if (!own && std::any_of(arguments.begin(), arguments.end(), asks_for_help))
            return print(stdout, command), 0;
        return command.run(blixard::bench::Arguments(arguments).subspan(1));
    }
    return usage(stderr), 2;
}
