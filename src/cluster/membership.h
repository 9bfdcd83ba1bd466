// Decisions over a cluster's members: who may join, whose certificate counts, who should vote.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cluster/certificate.h"
#include "cluster/records.h"
#include "store/store.h"

namespace blixard::cluster {

// All of cluster/ but the tokens, at one revision.
struct Membership {
    std::int64_t revision = 0;
    std::optional<ClusterMeta> meta;
    std::map<std::string, Member> members;             // by name
    std::map<std::string, Revoked> revoked;            // by serial
    std::map<std::string, store::Revision> revisions;  // of each store key: what a writer compares

    store::Revision revision_of(const std::string& key) const;  // 0: not there

    const Member* find(std::string_view name) const;
};

// From the keys under cluster/; what cannot be read is left out.
Membership membership_of(const std::map<std::string, store::KeyValue>& items,
                         store::Revision revision);

// Does this certificate's bearer count as a member now? The signature and the dates were checked by
// TLS. kUnauthenticated: of another cluster. kDenied: revoked, or no member of that name, or an
// earlier host of that name.
Status judge_certificate(const CertificateInfo& certificate, const Membership& membership);

// Is the host of this name and uid a member, by these records? kDenied: it was removed.
Status check_still_member(std::string_view name, std::string_view uid,
                          const Membership& membership);
// The same by what voters said to a host whose store does not answer: kDenied where one refuses it
// and none takes it for a member. A voter that has not heard of a newcomer yet is not alone.
Status check_still_accepted(std::string_view name, const std::vector<Status>& answers);

// What a host says of itself when it asks to join.
struct AdmissionRequest {
    std::string cluster_id;  // from its token
    std::string name;
    std::string uid;
    std::string advertise;
    Millis clock_ahead;        // its clock minus ours, half a round trip added
    Millis clock_uncertainty;  // half the round trip
};

// kInvalid: bad name or address; kUnauthenticated: token of another cluster; kExists: name or
// address taken by another host; kConflict: clock off by more than the margin.
Status check_admission(const AdmissionRequest& request, const Membership& membership);

// What a lease of this length means for people, in seconds; docs/FENCING.md has the spans.
std::string lease_consequence(Millis ttl);

// kConflict if the clocks differ by more than `margin` for certain.
Status check_clock(Millis ahead, Millis uncertainty, Millis margin);

// Names are [a-z0-9-], at most 63 long, beginning and ending with a letter or digit (RFC 1123
// label).
bool is_host_name(std::string_view name);

// ADDR:PORT or [V6]:PORT; the port must be given.
struct HostPort {
    std::string host;
    int port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);
std::string write_host_port(const HostPort& address);

// One member as the deciding host sees it.
struct VoterFact {
    std::string name;
    std::string joined_at;
    MemberRole role = MemberRole::kWorker;
    MemberState state = MemberState::kReady;
    bool quorum_member = false;  // its etcd is a full voting member already
    Millis lost_for{};           // how long its lease has been gone; 0: alive
};

// Longer than a reboot: a voter that comes back needs no replacement.
inline constexpr Millis kVoterLostAfterDefault = seconds(300);

struct VoterPlan {
    std::vector<std::string> promote;  // workers that shall vote
    std::vector<std::string>
        demote;  // voters that shall not vote any more; only when their replacement votes already
    std::string why;

    bool operator==(const VoterPlan&) const = default;
};

// First come, first voter. Never an even number by growth: two voters survive no loss, one more
// than they gain.
VoterPlan plan_voters(const std::vector<VoterFact>& members, std::int64_t voters_wanted,
                      Millis lost_after);

// May this host stop voting (leave, or be removed) without the others losing their quorum?
// kConflict: no.
Status check_voter_may_go(std::string_view name, const std::vector<VoterFact>& members);

// Where clients reach the store, HOST:PORT: the voters' etcd, sorted by name, the ones that are
// ready first.
std::vector<std::string> etcd_endpoints(const Membership& membership);
// Where a joining host asks: the voters' peer services.
std::vector<std::string> voter_addresses(const Membership& membership);

}  // namespace blixard::cluster
