// etcd's members and their upkeep, for whoever supervises them. Every call waits for its answer:
// call it from a thread that may wait. Errors: kUnavailable (nobody answered in time), kConflict
// (etcd refuses now, with its reason), kNotFound, kDenied; membership changes whose answer was lost
// are kUnknownOutcome: look at members() before asking again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/etcd/etcd_options.h"

namespace blixard::store {

using EtcdMemberId = std::uint64_t;

struct EtcdMember {
    EtcdMemberId id = 0;
    std::string name;  // empty: added, but never started
    std::vector<std::string> peer_urls;
    std::vector<std::string> client_urls;
    bool learner = false;
};

struct EtcdMemberStatus {
    EtcdMemberId id = 0;
    EtcdMemberId leader = 0;  // 0: it knows none
    bool learner = false;
    std::string version;
    std::int64_t database_bytes = 0;         // of the file
    std::int64_t database_bytes_in_use = 0;  // the rest comes back by defragmenting
    std::uint64_t raft_index = 0;
    std::uint64_t raft_applied_index = 0;
    std::uint64_t raft_term = 0;
    std::vector<std::string> errors;  // etcd's words
};

enum class EtcdAlarmKind { kNoSpace, kCorrupt, kOther };

struct EtcdAlarm {
    EtcdMemberId member = 0;
    EtcdAlarmKind kind = EtcdAlarmKind::kOther;
};

class EtcdAdmin {
 public:
    explicit EtcdAdmin(EtcdOptions options);
    ~EtcdAdmin();

    // Asked of the first endpoint that answers.
    Result<std::vector<EtcdMember>> members();
    Result<EtcdMember> add_learner(const std::string& peer_url);
    Result<EtcdMember> add_voter(const std::string& peer_url);
    Status promote(EtcdMemberId learner);  // kConflict: it has not caught up yet
    Status remove(EtcdMemberId member);
    Result<std::vector<EtcdAlarm>> alarms();
    Status disarm(const EtcdAlarm& alarm);

    // Asked of one member, by its "host:port".
    Result<EtcdMemberStatus> status(const std::string& endpoint);
    // Whether it answers a read by itself, within a second; it does not while it is defragmented,
    // though it tells its status.
    bool answers_reads(const std::string& endpoint);
    Status defragment(
        const std::string& endpoint);  // it answers nobody meanwhile; one member at a time
    Status move_leader(const std::string& leader_endpoint, EtcdMemberId to);
    // Writes `path` whole or not at all (path.part meanwhile); checks the sha256 that etcd appends.
    Status save_snapshot(const std::string& endpoint, const std::string& path);

 private:
    struct Channels;
    const EtcdOptions options_;
    std::unique_ptr<Channels> channels_;
};

}  // namespace blixard::store
