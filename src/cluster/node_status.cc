// `cluster status`: how the cluster stands, asked of everybody at the moment of asking. What does
// not answer is said, and delays the answer by kStatusAnswerMax at most for each etcd.
#include "cluster/json_fields.h"
#include "cluster/node_impl.h"
#include "os/files.h"
#include "store/etcd/etcd_store.h"

namespace blixard::cluster {
namespace {

constexpr Millis kStatusAnswerMax = seconds(3);  // a third of it for connecting
constexpr Millis kCertificateWarning = seconds(14 * 24 * 3600);

std::string endpoint_of_url(const std::string& url) {
    const auto at = url.find("://");
    return at == std::string::npos ? url : url.substr(at + 3);
}

const char* alarm_name(store::EtcdAlarmKind kind) {
    switch (kind) {
        case store::EtcdAlarmKind::kNoSpace: return "no-space";
        case store::EtcdAlarmKind::kCorrupt: return "corrupt";
        case store::EtcdAlarmKind::kOther: break;
    }
    return "other";
}

std::string member_text(const store::EtcdMember& member, const EtcdReport& report) {
    JsonObject object;
    object.add("name", member.name).add_bool("learner", member.learner);
    if (!member.client_urls.empty())
        object.add("endpoint", endpoint_of_url(member.client_urls.front()));
    const auto status = report.statuses.find(member.name);
    object.add_bool("healthy", status != report.statuses.end() && status->second.leader != 0);
    if (status == report.statuses.end()) return object.text();
    return object.add_bool("leader", status->second.leader == member.id)
        .add("version", status->second.version)
        .add("database_bytes", status->second.database_bytes)
        .add("database_bytes_in_use", status->second.database_bytes_in_use)
        .add("raft_index", static_cast<std::int64_t>(status->second.raft_index))
        .add("behind", static_cast<std::int64_t>(status->second.raft_index -
                                                 status->second.raft_applied_index))
        .add("errors", status->second.errors)
        .text();
}

std::string etcd_text(const EtcdReport& report) {
    std::string list;
    for (const auto& member : report.members)
        list += (list.empty() ? "" : ",") + member_text(member, report);
    return "[" + list + "]";
}

}  // namespace

// Any thread that may wait.
EtcdReport Node::Impl::ask_etcd() const {
    EtcdReport found;
    store::EtcdOptions options = etcd_options(endpoints_own_first());
    options.request_timeout = kStatusAnswerMax;
    store::EtcdAdmin admin(options);
    auto members = admin.members();
    if (!members) {
        found.warning = "etcd does not answer: " + members.error().message;
        return found;
    }
    found.members = std::move(*members);
    for (const auto& member : found.members)
        if (!member.client_urls.empty())
            if (auto status = admin.status(endpoint_of_url(member.client_urls.front())))
                found.statuses[member.name] = std::move(*status);
    if (auto alarms = admin.alarms()) found.alarms = std::move(*alarms);
    return found;
}

// How far each other host's clock is ahead of ours: its answer's time against the middle of the
// question's and the answer's arrival. All are asked at once.
std::map<std::string, ClockReading> Node::Impl::read_clocks(const Membership& members) {
    std::map<std::string, std::future<std::optional<ClockReading>>> asked;
    for (const auto& [name, member] : members.members) {
        if (name == settings.name || !is_alive(name)) continue;
        auto promise = std::make_shared<std::promise<std::optional<ClockReading>>>();
        asked.emplace(name, promise->get_future());
        loop.post([this, promise, to = name] {
            if (!client) return promise->set_value(std::nullopt);
            const WallTime sent = clock.wall();
            client->hello(to, [this, promise, sent](Result<Hello> hello) {
                if (!hello) return promise->set_value(std::nullopt);
                const Millis half = (clock.wall() - sent) / 2;
                promise->set_value(ClockReading{hello->wall - (sent + half), half, hello->version});
            });
        });
    }
    std::map<std::string, ClockReading> readings;
    for (auto& [name, answer] : asked) {
        if (answer.wait_for(std::chrono::milliseconds(kStatusAnswerMax.count)) !=
            std::future_status::ready)
            continue;
        if (const auto reading = answer.get()) readings.emplace(name, *reading);
    }
    return readings;
}

std::vector<std::string> status_warnings(const Membership& members, const EtcdReport& report,
                                         const std::map<std::string, ClockReading>& clocks,
                                         const std::set<std::string>& alive, WallTime now) {
    std::vector<std::string> warnings;
    for (const store::EtcdAlarm& alarm : report.alarms) {
        std::string who = std::to_string(alarm.member);
        for (const auto& member : report.members)
            if (member.id == alarm.member) who = member.name;
        warnings.push_back("etcd on \"" + who + "\" has raised the alarm " +
                           alarm_name(alarm.kind) +
                           (alarm.kind == store::EtcdAlarmKind::kNoSpace
                                ? ": writes are refused until its upkeep has freed room"
                                : ": take that host out and let it join anew"));
    }
    std::int64_t voting = 0, healthy = 0;
    for (const auto& member : report.members) {
        if (member.learner) continue;
        ++voting;
        const auto status = report.statuses.find(member.name);
        healthy += status != report.statuses.end() && status->second.leader != 0 ? 1 : 0;
    }
    if (voting > 0 && healthy <= voting / 2)
        warnings.push_back("only " + std::to_string(healthy) + " of " + std::to_string(voting) +
                           " voters answer: there is no majority, and nothing can be written");
    else if (voting > 1 && healthy - 1 <= voting / 2)
        warnings.push_back(std::to_string(healthy) + " of " + std::to_string(voting) +
                           " voters answer: losing one more stops all writes");
    for (const auto& [name, member] : members.members) {
        if (!alive.contains(name) && member.state == MemberState::kReady)
            warnings.push_back("\"" + name + "\" is lost: it holds no lease");
        if (member.certificate_until.ms != 0 &&
            member.certificate_until - now < kCertificateWarning)
            warnings.push_back("the certificate of \"" + name + "\" ends at " +
                               to_rfc3339(member.certificate_until) +
                               "; a host renews it by itself while it runs and reaches a voter");
    }
    const Millis margin = members.meta ? members.meta->clock_margin : kClockMarginDefault;
    for (const auto& [name, reading] : clocks)
        if (!check_clock(reading.ahead, reading.uncertainty, margin))
            warnings.push_back("the clock of \"" + name + "\" is " +
                               std::to_string(reading.ahead.count) +
                               " ms ahead of this host's: let NTP steer both");
    return warnings;
}

Result<std::string> Node::Impl::status_text() {
    const auto who = identity_now();
    JsonObject status;
    status.add("kind", "cluster").add("node", settings.name);
    if (!who) return status.add("mode", "single").add("store", "sqlite").text();
    const auto members = members_now();
    const Status standing = check_standing();
    const bool was_removed = !standing && standing.error().code == ErrorCode::kDenied;
    const EtcdReport report = was_removed ? EtcdReport{} : ask_etcd();
    const auto clocks = read_clocks(*members);
    std::set<std::string> living;
    std::string said_trouble, upkeep_warning;
    {
        const std::lock_guard lock(mutex);
        living = alive;
        if (trouble && !removal) said_trouble = describe(*trouble);
        upkeep_warning = upkeep_said;
        status.add("mode", "member").add("store", "etcd").add("cluster_id", who->cluster_id);
        status.add("standing", was_removed ? "removed" : standing ? "member" : "store-silent");
        if (who->runs_etcd)
            status.add_json("etcd_here",
                            JsonObject()
                                .add_bool("running", etcd_status.running)
                                .add("pid", static_cast<std::int64_t>(etcd_status.process.pid))
                                .add("restarts", static_cast<std::int64_t>(etcd_status.restarts))
                                .add("last_exit", etcd_status.last_exit)
                                .text());
    }
    std::string list;
    std::int64_t voters = 0;
    for (const auto& [name, member] : members->members) {
        voters += member.role == MemberRole::kVoter ? 1 : 0;
        JsonObject object;
        object.add("name", name)
            .add("advertise", member.advertise)
            .add("role", role_name(member.role))
            .add("state", member.state == MemberState::kReady
                              ? (living.contains(name) ? "ready" : "lost")
                              : state_name(member.state))
            .add("version", member.version)
            .add("certificate_until", to_rfc3339(member.certificate_until));
        if (const auto reading = clocks.find(name); reading != clocks.end())
            object.add("clock_ahead_ms", reading->second.ahead.count)
                .add("clock_uncertainty_ms", reading->second.uncertainty.count);
        list += (list.empty() ? "" : ",") + object.text();
    }
    if (members->meta)
        status.add("voters_wanted", members->meta->voters_wanted)
            .add("lease_ttl_ms", members->meta->lease_ttl.count)
            .add("consequence", lease_consequence(members->meta->lease_ttl))
            .add("created_at", members->meta->created_at);
    auto warnings = was_removed ? std::vector{describe(standing.error())}
                                : status_warnings(*members, report, clocks, living, clock.wall());
    for (const std::string& one : {report.warning, upkeep_warning, said_trouble})
        if (!one.empty()) warnings.push_back(one);
    std::string leader;
    for (const auto& member : report.members)
        if (const auto one = report.statuses.find(member.name);
            one != report.statuses.end() && one->second.leader == member.id)
            leader = member.name;
    return status.add("members", static_cast<std::int64_t>(members->members.size()))
        .add("members_alive", static_cast<std::int64_t>(living.size()))
        .add("voters", voters)
        .add("revision", members->revision)
        .add("leader", leader)
        .add("quota_bytes", static_cast<std::int64_t>(etcd_config(*who).quota_bytes))
        .add_json("hosts", "[" + list + "]")
        .add_json("etcd", etcd_text(report))
        .add("warnings", warnings)
        .text();
}

}  // namespace blixard::cluster
