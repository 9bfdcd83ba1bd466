// events: what changes in the cluster, as it changes.
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/sse.h"
#include "cli/units.h"
#include "cli/yaml.h"

namespace blixard::cli {
namespace {

constexpr Millis kSilence = seconds(45);  // three keep-alives missed: the connection is dead
constexpr Millis kQuietEnd =
    Millis{700};  // without --follow: no more news for so long, and all is told
constexpr std::int64_t kRecentRevisions = 100;  // without --from: so far back

// What the stream is, and where it stands; reconnecting goes on behind `last_id`.
class Follower {
 public:
    Follower(Context& context, Query query, bool follow)
        : context_(context), query_(std::move(query)), follow_(follow) {}

    Outcome run(std::string from) {
        last_id_ = std::move(from);
        while (true) {
            bool heard = false;
            auto response = connect(heard);
            if (response && !response->ok()) return tl::unexpected(Failure(problem_of(*response)));
            if (cut_off_)
                return other_failure(fmt::format("the daemon ended the stream: {}", *cut_off_),
                                     "go on with: blixard events -f --from " + last_id_);
            bool timed_out = !response && response.error().code == ErrorCode::kTimeout;
            if (!follow_ && (response || timed_out)) return {};
            // A connection that never said anything is not worth a loop.
            if (!response && !heard && !timed_out) return tl::unexpected(Failure(response.error()));
        }
    }

    bool told() const { return told_; }

 private:
    Result<HttpResponse> connect(bool& heard) {
        HttpRequest request{
            "GET", with_query("/v1/events", query_), {{"Accept", "text/event-stream"}}, {}};
        if (!last_id_.empty()) request.headers.emplace_back("Last-Event-ID", last_id_);
        EventReader reader;
        return context_.remote().client().stream(request, follow_ ? kSilence : kQuietEnd,
                                                 [&](std::string_view bytes) {
                                                     heard = true;
                                                     std::vector<ServerEvent> events;
                                                     if (!reader.feed(bytes, events)) return false;
                                                     for (const ServerEvent& event : events)
                                                         if (!take(event)) return false;
                                                     return true;
                                                 });
    }

    bool take(const ServerEvent& event) {
        if (!event.id.empty()) last_id_ = event.id;
        auto data = parse_json(event.data);
        if (event.type == "error") {
            std::string detail = data ? data->text("detail") : event.data;
            cut_off_ = detail.empty() ? event.data : detail;
            return false;
        }
        if (data) print(event, *data);
        told_ = told_ || data;
        return true;
    }

    void print(const ServerEvent& event, const Value& data) {
        switch (context_.format) {
            case Format::kJson: return context_.out(to_json(data) + "\n");
            case Format::kYaml: return context_.out("---\n" + to_yaml(data));
            case Format::kName: return context_.out(printable(data.text("name")) + "\n");
            case Format::kTable:
            case Format::kWide: break;
        }
        std::string phase = data.text("phase");
        std::string name = printable(data.text("name"));
        if (std::string project = data.text("project"); !project.empty())
            name = printable(project) + "/" + name;
        context_.out(
            fmt::format("{:>8}  {:<18}  {:<24}  {}{}{}\n", event.id, printable(event.type), name,
                        tinted(printable(phase), phase_tint(phase), context_.screen.out_colours),
                        phase.empty() ? "" : "  ", printable(data.text("message"))));
    }

    Context& context_;
    Query query_;
    bool follow_;
    bool told_ = false;  // at least one event
    std::string last_id_;
    std::optional<std::string> cut_off_;
};

Result<std::int64_t> newest_revision(Context& context) {
    ASSIGN_OR_RETURN(Value list,
                     context.remote().get("/v1/vms", {{"project", "*"}, {"limit", "1"}}));
    return list.number("revision");
}

// Whether the events behind the revision are still kept: a stream from there begins.
Result<bool> is_kept(Context& context, std::int64_t revision) {
    bool begun = false;
    const auto response = context.remote().client().stream(
        {"GET",
         "/v1/events",
         {{"Accept", "text/event-stream"}, {"Last-Event-ID", std::to_string(revision)}},
         {}},
        kSilence, [&](std::string_view) {
            begun = true;
            return false;
        });
    if (begun) return true;
    if (!response) return fail(response.error());
    const Error refusal = problem_of(*response);
    if (response->ok() || refusal.code == ErrorCode::kCompacted) return false;
    return fail(refusal);
}

// The oldest revision behind which events are kept, above `gone`; the newest is always one.
Result<std::int64_t> oldest_kept(Context& context, std::int64_t gone, std::int64_t newest) {
    while (newest - gone > 1) {
        const std::int64_t middle = gone + (newest - gone) / 2;
        ASSIGN_OR_RETURN(const bool kept, is_kept(context, middle));
        (kept ? newest : gone) = middle;
    }
    return newest;
}

// From a revision in the past a daemon tells also of a project that has gone since; so it cannot
// know whether one that it does not have was ever there.
Outcome check_project(Context& context, const Args& args) {
    if (!args.has("project")) return {};
    auto list = context.remote().get("/v1/vms", {{"project", args.get("project")}, {"limit", "1"}});
    if (!list) return tl::unexpected(Failure(list.error()));
    return {};
}

// Without --follow: all that is there from `from` on, and then no more.
Outcome tell_past(Context& context, const Args& args, Query query, std::string from) {
    Follower follower(context, std::move(query), false);
    Outcome told = follower.run(std::move(from));
    return told && !follower.told() ? check_project(context, args) : told;
}

// A little back from now, so that "what happened just now" has an answer; where less is kept, that.
Outcome tell_recent(Context& context, const Args& args, const Query& query) {
    ASSIGN_OR_RETURN(const std::int64_t newest, newest_revision(context));
    const std::int64_t from = std::max<std::int64_t>(newest - kRecentRevisions, 1);
    Outcome told = tell_past(context, args, query, std::to_string(from));
    if (told || told.error().error.code != ErrorCode::kCompacted) return told;
    ASSIGN_OR_RETURN(const std::int64_t oldest, oldest_kept(context, from, newest));
    context.note(fmt::format("events of revision {} and before are no longer kept\n", oldest));
    return tell_past(context, args, query, std::to_string(oldest));
}

Outcome events(Context& context, const Args& args) {
    Query query;
    for (auto [key, name] :
         {std::pair{"project", "project"}, std::pair{"type", "type"}, std::pair{"name", "name"}})
        if (args.has(key)) query.emplace_back(name, args.get(key));
    bool follow = args.has("follow");
    if (args.has("from")) {
        if (args.get("from").find_first_not_of("0123456789-") != std::string::npos)
            return usage(fmt::format("--from: \"{}\" is not a revision or the id of an event",
                                     printable(args.get("from"))),
                         "the first column of `blixard events` has them");
        if (!follow) return tell_past(context, args, query, args.get("from"));
        if (Outcome there = check_project(context, args); !there) return there;
        return Follower(context, query, follow).run(args.get("from"));
    }
    if (follow) return Follower(context, query, follow).run("");
    return tell_recent(context, args, query);
}

}  // namespace

std::vector<Command> events_commands() {
    return {{"events",
             "Show what has changed, and what changes",
             "Each line: revision, kind of event, name, phase, message. With -o json each event is "
             "one JSON document on one line.\n"
             "--from ID goes on behind the event (or revision) ID: nothing is lost and nothing "
             "comes twice. Without "
             "-f it ends when all is told.",
             {"blixard events -f", "blixard events -f --type vm.status --name web-1",
              "blixard events --from 1200 -o json"},
             {},
             {{"-f,--follow", "", "go on with what comes"},
              {"--from", "REVISION",
               "begin behind this revision (default: about the last 100; with -f: now)"},
              {"--type", "PREFIX", "only these: vm, vm.status, node, ..."},
              {"--name", "NAME", "only of this object"},
              {"-p,--project", "PROJECT", "only of this project", false, {}, Offer::kProject}},
             events}};
}

}  // namespace blixard::cli
