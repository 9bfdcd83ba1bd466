// cluster: one cloud out of several hosts.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/units.h"
#include "cli/yaml.h"
#include "os/files.h"
#include "os/unique_fd.h"

namespace blixard::cli {
namespace {

constexpr Millis kReturnPoll = Millis{200};

constexpr Millis kFormTimeout = seconds(120);  // starting etcd, moving the data, certificates

// The daemon starts anew on its other store; until then its answers are those of before. An older
// daemon that does not restart is on it at once.
Outcome wait_until_on(Context& context, std::string_view store) {
    MonoTime end = context.clock.mono() + context.timeout.value_or(kFormTimeout);
    while (true) {
        auto version = context.remote().get("/v1/version");
        bool there = version && version->text("store") == store;
        if (there && context.remote().get_text("/readyz")) return {};
        if (context.clock.mono() >= end)
            return tl::unexpected(
                Failure(Error{ErrorCode::kTimeout,
                              "it is done, but the daemon has not come back on its new store yet",
                              {},
                              "look at the daemon's log; blixard cluster status"}));
        std::this_thread::sleep_for(std::chrono::milliseconds(kReturnPoll.count));
    }
}

Outcome status(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value status, context.remote().get("/v1/cluster"));
    print_plain(context, status);
    return {};
}

Outcome init(Context& context, const Args& args) {
    Value body = Value::object();
    if (args.has("voters")) {
        auto voters = parse_integer(args.get("voters"), 1, 7);
        if (!voters) return usage_of("--voters", voters.error());
        body.set("voters", *voters);
    }
    if (args.has("lease-ttl")) {
        auto ttl = parse_duration(args.get("lease-ttl"));
        if (!ttl) return usage_of("--lease-ttl", ttl.error());
        body.set("lease_ttl_ms", ttl->count);
    }
    context.note("forming a cluster of this host: starting etcd and moving the data over\n");
    ASSIGN_OR_RETURN(Value cluster, context.remote().post("/v1/cluster/init", {}, body,
                                                          context.timeout.value_or(kFormTimeout)));
    if (Outcome back = wait_until_on(context, "etcd"); !back) return back;
    print_plain(context, cluster);
    context.note("let another host in: blixard cluster token\n");
    return {};
}

Outcome token(Context& context, const Args& args) {
    Value body = Value::object();
    if (args.has("ttl")) {
        auto ttl = parse_duration(args.get("ttl"));
        if (!ttl) return usage_of("--ttl", ttl.error());
        body.set("ttl_s", (ttl->count + 999) / 1000);
    }
    ASSIGN_OR_RETURN(Value answer, context.remote().post("/v1/cluster/token", {}, body));
    print_one(context, answer, [&] { return printable(answer.text("token")) + "\n"; }, "token");
    std::string expires = answer.text("expires_at");
    context.note(fmt::format("it lets one host in{}: blixard cluster join TOKEN\n",
                             expires.empty() ? "" : ", until " + printable(expires)));
    return {};
}

Outcome join(Context& context, const Args& args) {
    Value body = Value::object({{"token", args.get("token")}});
    ASSIGN_OR_RETURN(Value answer, context.remote().post("/v1/cluster/join", {}, body,
                                                         context.timeout.value_or(kFormTimeout)));
    if (Outcome back = wait_until_on(context, "etcd"); !back) return back;
    print_plain(context, answer);
    return {};
}

Outcome leave(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value answer, context.remote().post("/v1/cluster/leave", {}, {},
                                                         context.timeout.value_or(kFormTimeout)));
    if (answer.is_null())
        context.note("this host has left the cluster\n");
    else
        print_plain(context, answer);
    return {};
}

View member_view() {
    View view;
    view.columns = {{"NAME"}, {"ROLE"}, {"STATE"}, {"ADDRESS"}, {"VERSION", false, true}};
    view.row = [](const Value& member) -> std::vector<Cell> {
        std::string state = member.text("state");
        if (state.empty() && member.find("ready"))
            state = member.flag("ready") ? "ready" : "not-ready";
        std::string address =
            member.text("advertise").empty() ? member.text("address") : member.text("advertise");
        return {member.text("name"),
                member.text("role"),
                {state, phase_tint(state)},
                address,
                member.text("version")};
    };
    return view;
}

Outcome members(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value::Array members, context.remote().list("/v1/cluster/members", {}));
    print_list(context, members, member_view());
    return {};
}

Outcome remove(Context& context, const Args& args) {
    std::string name = args.get("name");
    ASSIGN_OR_RETURN(Value gone,
                     context.remote().remove(resource("/v1/cluster/members", name), {}));
    if (context.for_people())
        context.out(
            fmt::format("member {}: removed; its certificate is refused from now on\n", name));
    return {};
}

Outcome backup(Context& context, const Args& args) {
    std::string path = args.get("file");
    std::string partial = path + ".partial";
    os::UniqueFd file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return usage(fmt::format("{} cannot be written: {}", partial, std::strerror(errno)));
    Status written;
    std::uint64_t size = 0;
    auto response = context.remote().client().stream(
        {"GET", "/v1/cluster/backup", {}, {}}, kAnswerTimeout, [&](std::string_view bytes) {
            size += bytes.size();
            written = os::write_all(file.get(), bytes, partial);
            return written.has_value();
        });
    auto give_up = [&](Failure failure) -> Outcome {
        [[maybe_unused]] Status removed = os::remove_file(partial);
        return tl::unexpected(std::move(failure));
    };
    if (!response) return give_up(response.error());
    if (!response->ok()) return give_up(problem_of(*response));
    if (!written) return give_up(Failure(written.error(), kExitOther));
    if (::fsync(file.get()) != 0)
        return give_up(Failure(Error{
            ErrorCode::kInternal, fmt::format("{}: {}", partial, std::strerror(errno)), {}, {}}));
    RETURN_IF_ERROR(os::rename_file(partial, path));
    if (context.for_people())
        context.out(
            fmt::format("backup written to {} ({}); it holds the cluster's keys: keep it safe\n",
                        path, bytes_text(static_cast<std::int64_t>(size))));
    return {};
}

Outcome restore(Context& context, const Args& args) {
    std::string path = args.get("file");
    os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0)
        return usage(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
    std::string plan = fmt::format(
        "This makes a new cluster of the daemon at {}, with this host as its only member, from {} "
        "({}):\n"
        "  - everything that its store holds now is replaced by the backup\n"
        "  - hosts of the old cluster are no members any more; each has to join again\n"
        "  - VMs that the backup places on other hosts stay there until those hosts are declared "
        "lost\n",
        context.remote().client().endpoint().text(), path, bytes_text(status.st_size));
    if (!args.has("yes"))
        return usage("nothing is done without --yes\n" + plan,
                     "say --yes when this is what you want");
    context.note(plan);
    auto size = static_cast<std::uint64_t>(status.st_size);
    Progress progress(context.screen, context.clock, path.substr(path.rfind('/') + 1), size);
    ASSIGN_OR_RETURN(Value answer,
                     context.remote().upload("/v1/cluster/restore", {}, file.get(), size,
                                             [&](std::uint64_t done) { progress.update(done); }));
    progress.finish();
    if (!answer.is_null()) print_plain(context, answer);
    return {};
}

}  // namespace

std::vector<Command> cluster_commands() {
    std::vector<Option> timeout{{"--timeout", "SPAN", "how long it may take (default 2m)"}};
    return {
        {"cluster status",
         "Show the cluster: members, store, leader, health",
         "",
         {"blixard cluster status"},
         {},
         {},
         status},
        {"cluster init",
         "Make a cluster of this host",
         "The embedded store's contents move to etcd; VMs run on.",
         {"blixard cluster init", "blixard cluster init --voters 5 --lease-ttl 10s"},
         {},
         joined({{"--voters", "N", "how many hosts vote: 3 (default) or 5"},
                 {"--lease-ttl", "SPAN",
                  "how long a silent host is waited for: 2s to 60s (default 4s)"}},
                timeout),
         init},
        {"cluster token",
         "Make a token that lets one more host join",
         "The token alone goes to the standard output.",
         {"blixard cluster token", "blixard cluster token --ttl 10m"},
         {},
         {{"--ttl", "SPAN", "how long it is good for"}},
         token},
        {"cluster join",
         "Make this host a member of a cluster",
         "The token comes from `blixard cluster token` on a member.",
         {"blixard cluster join TOKEN"},
         {{"TOKEN", "the token"}},
         timeout,
         join},
        {"cluster leave",
         "Take this host out of its cluster",
         "Drain it first: blixard node drain.",
         {"blixard cluster leave"},
         {},
         timeout,
         leave},
        {"cluster members", "List the members", "", {"blixard cluster members"}, {}, {}, members},
        {"cluster remove",
         "Remove a member that is gone",
         "",
         {"blixard cluster remove host-c"},
         {{"NAME", "the host", true, false, Offer::kNode}},
         {},
         remove},
        {"cluster backup",
         "Write the cluster's state to a file",
         "",
         {"blixard cluster backup blixard.backup"},
         {{"FILE", "the new file", true, false, Offer::kFile}},
         {},
         backup},
        {"cluster restore",
         "Make a new cluster of this host from a backup",
         "Says what it will do first; --yes does it.",
         {"blixard cluster restore blixard.backup", "blixard cluster restore blixard.backup --yes"},
         {{"FILE", "the backup", true, false, Offer::kFile}},
         {{"--yes", "", "do it"}},
         restore},
    };
}

}  // namespace blixard::cli
