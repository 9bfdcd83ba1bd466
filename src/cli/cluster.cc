// cluster: one cloud out of several hosts.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <thread>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/table.h"
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

std::string etcd_state(const Value& member) {
    if (!member.flag("healthy")) return member.flag("learner") ? "learner, silent" : "silent";
    if (member.flag("leader")) return "leader";
    return member.flag("learner") ? "learner" : "follower";
}

const Value* etcd_of(const Value& status, const Value& host) {
    for (const Value& member : status.items("etcd"))
        if (member.text("name") == host.text("name")) return &member;
    return nullptr;
}

std::string clock_text(const Value& status, const Value& host) {
    if (host.text("name") == status.text("node")) return "here";
    if (!host.find("clock_ahead_ms")) return "";
    return fmt::format("{:+} ms", host.number("clock_ahead_ms"));
}

std::string host_table(const Value& status, const Colours& colours) {
    Table table({{"HOST"},
                 {"ROLE"},
                 {"STATE"},
                 {"ETCD"},
                 {"DATABASE", true},
                 {"ETCD VERSION"},
                 {"DAEMON"},
                 {"CLOCK", true},
                 {"ADDRESS"}});
    for (const Value& host : status.items("hosts")) {
        const Value* etcd = etcd_of(status, host);
        const std::string state = etcd ? etcd_state(*etcd) : "";
        const bool bad = etcd && !etcd->flag("healthy");
        table.row(
            {host.text("name"),
             host.text("role"),
             {host.text("state"), phase_tint(host.text("state"))},
             {state, bad ? Tint::kBad : Tint::kNone},
             etcd && etcd->find("database_bytes") ? bytes_text(etcd->number("database_bytes")) : "",
             etcd ? etcd->text("version") : "",
             host.text("version"),
             clock_text(status, host),
             host.text("advertise")});
    }
    return table.render(false, colours);
}

std::string voters_text(const Value& status) {
    std::int64_t voting = 0, healthy = 0, learners = 0;
    for (const Value& member : status.items("etcd")) {
        if (member.flag("learner")) {
            ++learners;
            continue;
        }
        ++voting;
        healthy += member.flag("healthy") ? 1 : 0;
    }
    std::string text =
        fmt::format("{} of {} healthy, {} wanted", healthy, voting, status.number("voters_wanted"));
    if (learners > 0) text += fmt::format(", {} learning", learners);
    const std::int64_t spare = healthy - (voting / 2 + 1);
    if (voting == 0) return text;
    return text + (spare < 0    ? "; NO MAJORITY: nothing can be written"
                   : spare == 0 ? "; one more lost stops all writes"
                                : fmt::format("; {} more may be lost", spare));
}

std::string warnings_text(const Value& status, const Colours& colours) {
    std::string text;
    for (const Value& warning : status.items("warnings"))
        text += tinted("warning: ", Tint::kBad, colours) + printable(warning.plain()) + "\n";
    return text;
}

// Empty: a member like any other.
std::string_view standing_text(const Value& status) {
    if (status.text("standing") == "removed") return "REMOVED from this cluster";
    if (status.text("standing") == "store-silent") return "a member that cannot reach the store";
    return {};
}

std::string status_details(const Value& status, const Colours& colours) {
    Facts facts;
    if (status.text("mode") == "single") {
        facts.add("Host", status.text("node"));
        facts.add("Cluster", "none: this host stands alone");
        facts.add("Store", status.text("store"));
        facts.add("",
                  "found one here: blixard cluster init; or join one: blixard cluster join TOKEN");
        return facts.render(colours);
    }
    facts.add("Cluster", status.text("cluster_id"));
    if (const auto standing = standing_text(status); !standing.empty()) {
        facts.add("Host", status.text("node"));
        facts.add("Standing", std::string(standing));
        return facts.render(colours) + warnings_text(status, colours);
    }
    facts.add("Formed", status.text("created_at"));
    facts.add("Asked", status.text("node"));
    facts.add("Hosts", fmt::format("{} of {} alive", status.number("members_alive"),
                                   status.number("members")));
    facts.add("Voters", voters_text(status));
    facts.add("Leader", status.text("leader").empty() ? "none known" : status.text("leader"));
    facts.add("Quota", bytes_text(status.number("quota_bytes")) + " a voter");
    facts.add("Lease", duration_text(Millis{status.number("lease_ttl_ms")}));
    facts.add("", status.text("consequence"));
    return facts.render(colours) + "\n" + host_table(status, colours) +
           warnings_text(status, colours);
}

Outcome status(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value status, context.remote().get("/v1/cluster"));
    if (context.format == Format::kName) {  // of its hosts, as `cluster members` has them
        for (const Value& host : status.items("hosts"))
            context.out(printable(host.text("name")) + "\n");
        if (status.items("hosts").empty()) context.out(printable(status.text("node")) + "\n");
        return {};
    }
    print_one(context, status, [&] { return status_details(status, context.screen.out_colours); });
    return {};
}

// What init, join and restore answer.
std::string formed_text(const Value& cluster, const Colours& colours) {
    Facts facts;
    facts.add("Cluster", cluster.text("cluster_id"));
    facts.add("Host", cluster.text("node"));
    facts.add("Address", cluster.text("advertise"));
    if (cluster.find("lease_ttl_ms"))
        facts.add("Lease", duration_text(Millis{cluster.number("lease_ttl_ms")}));
    facts.add("", cluster.text("consequence"));
    return facts.render(colours);
}

// Whether it could be done, without doing anything. An older daemon, which cannot be asked, refuses
// the question itself.
Outcome ask_whether(Context& context, const std::string& path, const Value& body) {
    auto answer = context.remote().post(path, {}, body, context.timeout.value_or(kFormTimeout));
    const bool cannot_be_asked =
        !answer && (answer.error().field == "dry_run" || answer.error().field == "sha256");
    if (answer || cannot_be_asked) return {};
    return tl::unexpected(Failure(answer.error()));
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
    if (args.has("certificate-life")) {
        auto life = parse_duration(args.get("certificate-life"));
        if (!life) return usage_of("--certificate-life", life.error());
        body.set("certificate_life_ms", life->count);
    }
    Value whether = body;  // what cannot be is refused before it is announced
    whether.set("dry_run", true);
    if (Outcome possible = ask_whether(context, "/v1/cluster/init", whether); !possible)
        return possible;
    context.note("forming a cluster of this host: starting etcd and moving the data over\n");
    ASSIGN_OR_RETURN(Value cluster, context.remote().post("/v1/cluster/init", {}, body,
                                                          context.timeout.value_or(kFormTimeout)));
    if (Outcome back = wait_until_on(context, "etcd"); !back) return back;
    print_one(
        context, cluster, [&] { return formed_text(cluster, context.screen.out_colours); },
        "cluster_id");
    context.note("let another host in: blixard cluster token\n");
    return {};
}

Outcome token(Context& context, const Args& args) {
    Value body = Value::object();
    if (args.has("ttl")) {
        auto ttl = parse_duration(args.get("ttl"));
        if (!ttl) return usage_of("--ttl", ttl.error());
        if (ttl->count == 0) return usage("--ttl: a token that is good for no time lets nobody in");
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
    std::string token = args.get("token");
    if (token == "-") std::getline(std::cin, token);
    Value body = Value::object({{"token", token}});
    ASSIGN_OR_RETURN(Value answer, context.remote().post("/v1/cluster/join", {}, body,
                                                         context.timeout.value_or(kFormTimeout)));
    if (Outcome back = wait_until_on(context, "etcd"); !back) return back;
    print_one(
        context, answer, [&] { return formed_text(answer, context.screen.out_colours); },
        "cluster_id");
    return {};
}

Outcome leave(Context& context, const Args& args) {
    Value body = Value::object();
    if (args.has("abandon")) body.set("abandon", true);
    ASSIGN_OR_RETURN(Value answer, context.remote().post("/v1/cluster/leave", {}, body,
                                                         context.timeout.value_or(kFormTimeout)));
    if (Outcome back = wait_until_on(context, "sqlite"); !back) return back;
    print_one(
        context, answer,
        [] { return "this host has left the cluster and stands alone, with an empty store\n"; },
        "node");
    return {};
}

View member_view() {
    View view;
    view.nothing = "this host stands alone; found a cluster with: blixard cluster init";
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

// The first line of the file that --passphrase-file names; empty without that option.
tl::expected<std::string, Failure> passphrase_of(const Args& args) {
    if (!args.has("passphrase-file")) return std::string();
    auto text = os::read_file(args.get("passphrase-file"), 4096);
    if (!text) return usage_of("--passphrase-file", text.error());
    std::string line = text->substr(0, text->find('\n'));
    if (line.empty())
        return usage(
            fmt::format("{} has no passphrase in its first line", args.get("passphrase-file")));
    return line;
}

Outcome backup(Context& context, const Args& args) {
    std::string path = args.get("file");
    std::string partial = path + ".partial";
    auto passphrase = passphrase_of(args);
    if (!passphrase) return tl::unexpected(passphrase.error());
    struct stat there{};
    if (::lstat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode))
        return usage(fmt::format("{} is no regular file", path), "name a new file");
    // Made anew: one that is there may be open to others, or lead elsewhere.
    RETURN_IF_ERROR(os::remove_file(partial));
    os::UniqueFd file(
        ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return usage(fmt::format("{} cannot be written: {}", partial, std::strerror(errno)));
    Value body = Value::object();
    if (!passphrase->empty()) body.set("passphrase", *passphrase);
    Status written;
    std::uint64_t size = 0;
    auto response = context.remote().client().stream(
        {"POST", "/v1/cluster/backup", {{"Content-Type", "application/json"}}, to_json(body)},
        context.timeout.value_or(kFormTimeout), [&](std::string_view bytes) {
            size += bytes.size();
            written = os::write_all(file.get(), bytes, partial);
            return written.has_value();
        });
    auto give_up = [&](Failure failure) -> Outcome {
        [[maybe_unused]] Status removed = os::remove_file(partial);
        return tl::unexpected(std::move(failure));
    };
    if (!written) return give_up(Failure(written.error(), kExitOther));
    if (!response) return give_up(response.error());
    if (!response->ok()) return give_up(problem_of(*response));
    if (::fsync(file.get()) != 0)
        return give_up(Failure(Error{
            ErrorCode::kInternal, fmt::format("{}: {}", partial, std::strerror(errno)), {}, {}}));
    RETURN_IF_ERROR(os::rename_file(partial, path));
    if (context.for_people())
        context.out(fmt::format("backup written to {} ({})\n", path,
                                bytes_text(static_cast<std::int64_t>(size))));
    context.note(
        passphrase->empty()
            ? "it holds the cluster's keys in the clear, mode 0600: who reads it can make himself "
              "a member\n  encrypt the next with --passphrase-file\n"
            : "it is encrypted: without the passphrase nobody can restore it\n");
    return {};
}

std::string restore_plan(const Value& plan, const std::string& endpoint) {
    std::string members;
    for (const Value& name : plan.items("members"))
        members += (members.empty() ? "" : ", ") + printable(name.plain());
    return fmt::format(
        "This makes {} (the daemon at {}) the only member of cluster {}, as it was at {}:\n"
        "  records: {} VMs, {} images, {} volumes, all other settings; revision {}\n"
        "  - the hosts of then ({}) are members no more, and their certificates are refused; each "
        "has to leave and join again\n"
        "  - HA VMs that were placed on them are started again here or wherever they fit, {} after "
        "the restore; the old hosts must be off, or have lost their majority: a cluster of before "
        "that goes on somewhere would run them twice\n"
        "  - VMs without HA stay placed where they were until: blixard node lost NAME "
        "--i-have-cut-its-power\n"
        "  - images, disks and the memory of VMs are not in a backup; they are where they were\n",
        printable(plan.text("restored_on")), endpoint, printable(plan.text("cluster_id")),
        printable(plan.text("created_at")), plan.number("vms"), plan.number("images"),
        plan.number("volumes"), plan.number("revision"), members,
        duration_text(Millis{plan.number("lease_ttl_ms")}));
}

tl::expected<Value, Failure> ask_restore(Context& context, const std::string& path,
                                         const std::string& passphrase, bool dry_run) {
    os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0)
        return usage(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
    auto size = static_cast<std::uint64_t>(status.st_size);
    Progress progress(context.screen, context.clock, path.substr(path.rfind('/') + 1), size);
    auto blob = context.remote().upload("/v1/blobs", {}, file.get(), size,
                                        [&](std::uint64_t done) { progress.update(done); });
    if (!blob) return tl::unexpected(Failure(blob.error()));
    progress.finish();
    Value body = Value::object({{"sha256", blob->text("sha256")}});
    if (!passphrase.empty()) body.set("passphrase", passphrase);
    if (dry_run) body.set("dry_run", true);
    auto answer = context.remote().post("/v1/cluster/restore", {}, body,
                                        context.timeout.value_or(kFormTimeout));
    if (!answer) return tl::unexpected(Failure(answer.error()));
    return std::move(*answer);
}

// A person says so, at the terminal.
bool confirmed(Context& context) {
    if (!context.screen.err_is_tty() || !::isatty(0)) return false;
    context.screen.err("Restore? Type yes: ");
    std::string line;
    std::getline(std::cin, line);
    return line == "yes";
}

Outcome restore(Context& context, const Args& args) {
    std::string path = args.get("file");
    auto passphrase = passphrase_of(args);
    if (!passphrase) return tl::unexpected(passphrase.error());
    if (Outcome possible =
            ask_whether(context, "/v1/cluster/restore", Value::object({{"dry_run", true}}));
        !possible)
        return possible;
    auto plan = ask_restore(context, path, *passphrase, true);
    if (!plan) return tl::unexpected(plan.error());
    context.screen.err(restore_plan(*plan, context.remote().client().endpoint().text()));
    if (!args.has("yes") && !confirmed(context))
        return usage("nothing was done", "say --yes when this is what you want");
    auto answer = ask_restore(context, path, *passphrase, false);
    if (!answer) return tl::unexpected(answer.error());
    if (Outcome back = wait_until_on(context, "etcd"); !back) return back;
    print_one(
        context, *answer, [&] { return formed_text(*answer, context.screen.out_colours); },
        "cluster_id");
    return {};
}

}  // namespace

std::vector<Command> cluster_commands() {
    std::vector<Option> timeout{{"--timeout", "SPAN", "how long it may take (default 2m)"}};
    Option passphrase_file{"--passphrase-file",
                           "FILE",
                           "its first line is the passphrase of the backup: 12 bytes or more",
                           false,
                           {},
                           Offer::kFile};
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
                  "how long a silent host is waited for: 2s to 60s (default 4s)"},
                 {"--certificate-life", "SPAN",
                  "of the hosts' certificates, renewed after two thirds (default 2160h)"}},
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
         "The token comes from `blixard cluster token` on a member. As - it is read from the "
         "standard input: other users of this host see the words of a command, as long as it runs.",
         {"blixard cluster join TOKEN",
          "ssh host-a blixard cluster token | blixard cluster join -"},
         {{"TOKEN", "the token, or -"}},
         timeout,
         join},
        {"cluster leave",
         "Take this host out of its cluster",
         "Drain it first: blixard node drain. It stands alone afterwards.",
         {"blixard cluster leave", "blixard cluster leave --abandon"},
         {},
         joined(
             {{"--abandon", "",
               "the cluster is gone for good: forget it without asking it. VMs that run here are "
               "ended; their local disks stay"}},
             timeout),
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
         "Write the cluster's state and its keys to a file",
         "etcd's snapshot and the cluster's authority: what a new host needs to be this cluster "
         "again. "
         "Not the images and disks. The file is mode 0600 and, with a passphrase, encrypted.",
         {"blixard cluster backup blixard.backup --passphrase-file secret"},
         {{"FILE", "the new file", true, false, Offer::kFile}},
         joined({passphrase_file}, timeout),
         backup},
        {"cluster restore",
         "Make a new cluster of this host from a backup",
         "Says what it will do, and asks. This host must stand alone and hold no VMs of its own.",
         {"blixard cluster restore blixard.backup --passphrase-file secret",
          "blixard cluster restore blixard.backup --yes"},
         {{"FILE", "the backup", true, false, Offer::kFile}},
         joined({{"--yes", "", "do not ask"}, passphrase_file}, timeout),
         restore},
    };
}

}  // namespace blixard::cli
