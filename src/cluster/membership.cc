#include "cluster/membership.h"

#include <algorithm>
#include <charconv>

namespace blixard::cluster {
namespace {

std::string seconds_text(Millis span) {
    const std::int64_t ms = span.count < 0 ? -span.count : span.count;
    return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
}

bool alive(const VoterFact& fact) { return fact.lost_for == Millis{}; }

// The largest odd number of voters that this many hosts can give.
std::int64_t voters_possible(std::int64_t hosts, std::int64_t wanted) {
    const std::int64_t most = std::min(hosts, wanted);
    return most <= 1 ? 1 : most - (most % 2 == 0 ? 1 : 0);
}

std::vector<VoterFact> by_seniority(std::vector<VoterFact> members) {
    std::sort(members.begin(), members.end(), [](const VoterFact& a, const VoterFact& b) {
        return std::tie(a.joined_at, a.name) < std::tie(b.joined_at, b.name);
    });
    return members;
}

std::vector<const Member*> voters_ready_first(const Membership& membership) {
    std::vector<const Member*> voters;
    for (const auto& [name, member] : membership.members)
        if (member.role == MemberRole::kVoter) voters.push_back(&member);
    std::stable_partition(voters.begin(), voters.end(), [](const Member* member) {
        return member->state == MemberState::kReady;
    });
    return voters;
}

Status check_not_taken(const AdmissionRequest& request, const Membership& membership) {
    const Member* same_name = membership.find(request.name);
    if (same_name != nullptr && same_name->uid != request.uid)
        return fail(ErrorCode::kExists,
                    "the name \"" + request.name + "\" is taken by the host at " +
                        same_name->advertise + ", a member since " + same_name->joined_at,
                    "start this daemon with another --name, or, if that host is gone for good: "
                    "blixard cluster "
                    "remove " +
                        request.name);
    for (const auto& [name, member] : membership.members)
        if (member.advertise == request.advertise && name != request.name)
            return fail(ErrorCode::kExists,
                        "the address " + request.advertise + " is taken by member \"" + name + "\"",
                        "start this daemon with another --advertise ADDR:PORT");
    return {};
}

}  // namespace

const Member* Membership::find(std::string_view name) const {
    const auto found = members.find(std::string(name));
    return found == members.end() ? nullptr : &found->second;
}

store::Revision Membership::revision_of(const std::string& key) const {
    const auto found = revisions.find(key);
    return found == revisions.end() ? 0 : found->second;
}

Membership membership_of(const std::map<std::string, store::KeyValue>& items,
                         store::Revision revision) {
    Membership membership;
    membership.revision = revision;
    for (const auto& [key, item] : items) {
        membership.revisions[key] = item.mod_revision;
        if (key == kMetaKey) {
            if (auto meta = parse_meta(item.value)) membership.meta = std::move(*meta);
        } else if (key.starts_with(kMembersPrefix)) {
            if (auto member = parse_member(item.value))
                membership.members[member->name] = std::move(*member);
        } else if (key.starts_with(kRevokedPrefix)) {
            if (auto revoked = parse_revoked(item.value))
                membership.revoked[revoked->serial] = std::move(*revoked);
        }
    }
    return membership;
}

Status judge_certificate(const CertificateInfo& certificate, const Membership& membership) {
    if (!membership.meta || certificate.cluster_id != membership.meta->cluster_id)
        return fail(ErrorCode::kUnauthenticated, "the certificate of \"" + certificate.name +
                                                     "\" belongs to cluster " +
                                                     certificate.cluster_id + ", not to this one");
    if (const auto revoked = membership.revoked.find(certificate.serial);
        revoked != membership.revoked.end())
        return fail(ErrorCode::kDenied,
                    "the certificate of \"" + certificate.name + "\" was revoked at " +
                        revoked->second.revoked_at + ": " + revoked->second.reason,
                    "to come back, that host must join anew");
    if (membership.find(certificate.name) == nullptr)
        return fail(ErrorCode::kDenied, "\"" + certificate.name + "\" is no member of this cluster",
                    "to come back, that host must join anew");
    return {};
}

namespace {

Error removed(std::string_view name, const std::string& how) {
    return {ErrorCode::kDenied,
            "this host, \"" + std::string(name) + "\", was removed from its cluster" + how,
            {},
            "to use it again: blixard cluster leave (here), then blixard cluster join with a token "
            "of a member"};
}

}  // namespace

Status check_still_member(std::string_view name, std::string_view uid,
                          const Membership& membership) {
    if (!membership.meta) return {};
    const Member* member = membership.find(name);
    if (member == nullptr) return fail(removed(name, ""));
    if (member->uid != uid) return fail(removed(name, ", and another host has its name now"));
    return {};
}

Status check_still_accepted(std::string_view name, const std::vector<Status>& answers) {
    std::string refusal;
    for (const Status& answer : answers) {
        if (answer) return {};
        if (answer.error().code == ErrorCode::kDenied) refusal = ": " + answer.error().message;
    }
    if (refusal.empty()) return {};
    return fail(removed(name, refusal));
}

std::string lease_consequence(Millis ttl) {
    const auto in_seconds = [](Millis span) {
        std::string text = std::to_string(span.count / 1000);
        std::string part = std::to_string(1000 + span.count % 1000).substr(1);
        while (part.ends_with('0')) part.pop_back();
        return text + (part.empty() ? "" : "." + part) + " s";
    };
    return "a host that cannot reach the store kills its HA VMs " + in_seconds(ttl - ttl / 8) +
           " after its last renewal, and the others start them again " +
           in_seconds(ttl + ttl / 16) +
           " after it or later; a network or a disk that is away for that long costs HA VMs, and a "
           "longer lease makes people wait longer when a host dies";
}

Status check_clock(Millis ahead, Millis uncertainty, Millis margin) {
    const std::int64_t off = ahead.count < 0 ? -ahead.count : ahead.count;
    if (off - uncertainty.count <= margin.count) return {};
    return fail(ErrorCode::kConflict,
                "this host's clock is " + seconds_text(ahead) +
                    (ahead.count > 0 ? " ahead of" : " behind") + " the cluster's; at most " +
                    seconds_text(margin) + " is allowed",
                "set the clock (chrony, systemd-timesyncd) and join again");
}

bool is_host_name(std::string_view name) {
    return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
               std::string_view::npos;
}

Result<HostPort> parse_host_port(std::string_view text) {
    const auto refused = [&] {
        return fail(ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no address",
                    "write ADDR:PORT, for example 10.0.0.1:7420 or [fd00::1]:7420");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return refused();
    HostPort address;
    const auto digits = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    if (error != std::errc() || end != digits.data() + digits.size() || address.port < 1 ||
        address.port > 65535)
        return refused();
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host.empty() || (host.find(':') != std::string_view::npos) != bracketed) return refused();
    address.host = host;
    return address;
}

std::string write_host_port(const HostPort& address) {
    const bool six = address.host.find(':') != std::string::npos;
    return (six ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Status check_admission(const AdmissionRequest& request, const Membership& membership) {
    if (!membership.meta) return fail(ErrorCode::kUnavailable, "this host is in no cluster");
    if (request.cluster_id != membership.meta->cluster_id)
        return fail(ErrorCode::kUnauthenticated, "the join token is of cluster " +
                                                     request.cluster_id + ", and this is cluster " +
                                                     membership.meta->cluster_id);
    if (!is_host_name(request.name))
        return fail(
            ErrorCode::kInvalid, "\"" + request.name + "\" is no host name",
            "use at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit");
    RETURN_IF_ERROR(parse_host_port(request.advertise));
    RETURN_IF_ERROR(check_not_taken(request, membership));
    return check_clock(request.clock_ahead, request.clock_uncertainty,
                       membership.meta->clock_margin);
}

VoterPlan plan_voters(const std::vector<VoterFact>& members, std::int64_t voters_wanted,
                      Millis lost_after) {
    std::int64_t hosts = 0, voters = 0, voting = 0;
    std::vector<std::string> candidates, lost;
    for (const VoterFact& fact : by_seniority(members)) {
        if (fact.state == MemberState::kLeaving) continue;
        const bool lost_long = fact.lost_for >= lost_after && !alive(fact);
        if (!lost_long) ++hosts;
        if (fact.role == MemberRole::kVoter && lost_long) lost.push_back(fact.name);
        if (fact.role == MemberRole::kVoter && !lost_long) ++voters;
        if (fact.role == MemberRole::kVoter && alive(fact) && fact.quorum_member) ++voting;
        if (fact.role == MemberRole::kWorker && alive(fact) && fact.state == MemberState::kReady)
            candidates.push_back(fact.name);
    }
    const std::int64_t target = voters_possible(hosts, voters_wanted);
    VoterPlan plan;
    std::int64_t add =
        std::clamp<std::int64_t>(target - voters, 0, static_cast<std::int64_t>(candidates.size()));
    if ((voters + add) % 2 == 0 && voters % 2 == 1 && add > 0) --add;
    plan.promote.assign(candidates.begin(), candidates.begin() + add);
    if (voting >= target && voting > static_cast<std::int64_t>(lost.size())) plan.demote = lost;
    if (!plan.promote.empty())
        plan.why = std::to_string(voters) + " of " + std::to_string(target) + " voters are there";
    else if (!plan.demote.empty())
        plan.why = "the other " + std::to_string(voting) + " voters are enough";
    return plan;
}

Status check_voter_may_go(std::string_view name, const std::vector<VoterFact>& members) {
    std::int64_t others = 0, others_alive = 0;
    bool votes = false;
    for (const VoterFact& fact : members) {
        if (!fact.quorum_member) continue;
        if (fact.name == name) votes = true;
        if (fact.name == name) continue;
        ++others;
        others_alive += alive(fact) ? 1 : 0;
    }
    if (!votes) return {};
    if (others == 0)
        return fail(ErrorCode::kConflict,
                    "\"" + std::string(name) + "\" is the only voter: without it there is no store",
                    "let another host join and become a voter first");
    if (others_alive < others / 2 + 1)
        return fail(ErrorCode::kConflict,
                    "without \"" + std::string(name) + "\" only " + std::to_string(others_alive) +
                        " of " + std::to_string(others) +
                        " voters would be alive, fewer than a majority",
                    "bring the other voters back first (blixard cluster status)");
    return {};
}

std::vector<std::string> etcd_endpoints(const Membership& membership) {
    static constexpr std::string_view kScheme = "https://";
    std::vector<std::string> endpoints;
    for (const Member* voter : voters_ready_first(membership))
        if (voter->etcd_client_url.starts_with(kScheme))
            endpoints.push_back(voter->etcd_client_url.substr(kScheme.size()));
    return endpoints;
}

std::vector<std::string> voter_addresses(const Membership& membership) {
    std::vector<std::string> addresses;
    for (const Member* voter : voters_ready_first(membership))
        addresses.push_back(voter->advertise);
    return addresses;
}

}  // namespace blixard::cluster
