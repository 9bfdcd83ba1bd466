#include "store/etcd/etcd_admin.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include "store/etcd/connection.h"

namespace blixard::store {
namespace {

constexpr Millis kDefragmentTimeout = seconds(300);  // gigabytes on a slow disk
constexpr Millis kProbeTimeout = seconds(1);
constexpr Millis kSnapshotTimeout = seconds(300);
constexpr std::size_t kSha256Bytes = 32;

EtcdMember member_of(const pb::Member& member) {
    return {member.id(),
            member.name(),
            {member.peerurls().begin(), member.peerurls().end()},
            {member.clienturls().begin(), member.clienturls().end()},
            member.islearner()};
}

EtcdAlarmKind kind_of(pb::AlarmType alarm) {
    if (alarm == pb::NOSPACE) return EtcdAlarmKind::kNoSpace;
    return alarm == pb::CORRUPT ? EtcdAlarmKind::kCorrupt : EtcdAlarmKind::kOther;
}

pb::AlarmType type_of(EtcdAlarmKind kind) {
    if (kind == EtcdAlarmKind::kNoSpace) return pb::NOSPACE;
    return kind == EtcdAlarmKind::kCorrupt ? pb::CORRUPT : pb::NONE;
}

Error system_error(const std::string& what) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    return {full ? ErrorCode::kExhausted : ErrorCode::kUnavailable,
            what + ": " + std::strerror(errno)};
}

// A file that appears under its name when it is whole.
class NewFile {
 public:
    explicit NewFile(const std::string& path) : path_(path), part_(path + ".part") {
        descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    ~NewFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
        if (!kept_) ::unlink(part_.c_str());
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    Status write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return fail(system_error("writing " + part_));
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return {};
    }
    Status keep() {
        if (::fsync(descriptor_) != 0 || ::rename(part_.c_str(), path_.c_str()) != 0) {
            return fail(system_error("writing " + path_));
        }
        kept_ = true;
        return {};
    }
    bool is_open() const { return descriptor_ >= 0; }

 private:
    const std::string path_;
    const std::string part_;
    int descriptor_ = -1;
    bool kept_ = false;
};

// The sha256 of all but the last 32 bytes, which are etcd's own sum of them.
class SnapshotSum {
 public:
    SnapshotSum() { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
    ~SnapshotSum() { EVP_MD_CTX_free(context_); }
    SnapshotSum(const SnapshotSum&) = delete;
    SnapshotSum& operator=(const SnapshotSum&) = delete;

    void add(std::string_view bytes) {
        tail_.append(bytes);
        if (tail_.size() <= kSha256Bytes) return;
        const std::size_t sure = tail_.size() - kSha256Bytes;
        EVP_DigestUpdate(context_, tail_.data(), sure);
        tail_.erase(0, sure);
    }
    bool holds() {
        std::array<unsigned char, kSha256Bytes> sum{};
        EVP_DigestFinal_ex(context_, sum.data(), nullptr);
        return tail_.size() == kSha256Bytes &&
               std::memcmp(tail_.data(), sum.data(), kSha256Bytes) == 0;
    }

 private:
    EVP_MD_CTX* context_ = EVP_MD_CTX_new();
    std::string tail_;
};

}  // namespace

// One kept channel for each address that was asked.
struct EtcdAdmin::Channels {
    std::mutex mutex;  // guards the map
    std::map<std::string, std::unique_ptr<Endpoint>> endpoints;

    Endpoint& at(const EtcdOptions& options, const std::string& address) {
        std::lock_guard lock(mutex);
        auto& endpoint = endpoints[address];
        if (!endpoint)
            endpoint =
                std::make_unique<Endpoint>(endpoints.size(), address, credentials_of(options));
        return *endpoint;
    }

    // Waits a while: a channel that nobody waits on makes no progress in connecting.
    static bool connected(Endpoint& endpoint, const EtcdOptions& options) {
        return endpoint.channel->WaitForConnected(deadline_in(options.request_timeout / 3));
    }
    static Error unreachable(const std::string& address) {
        return {ErrorCode::kUnavailable, "etcd at " + address + " cannot be reached"};
    }

    template <class Response, class Call>
    static grpc::Status one(Endpoint& endpoint, Millis timeout, Response& response,
                            const Call& call) {
        grpc::ClientContext context;
        context.set_deadline(deadline_in(timeout));
        return call(endpoint, context, response);
    }

    // Asks one member.
    template <class Response, class Call>
    Result<Response> ask(const EtcdOptions& options, const std::string& address, Millis timeout,
                         const Call& call) {
        Endpoint& endpoint = at(options, address);
        if (!connected(endpoint, options)) return fail(unreachable(address));
        Response response;
        const grpc::Status status = one(endpoint, timeout, response, call);
        if (status.ok()) return response;
        Error error = error_of(status);
        error.message = address + ": " + error.message;
        return fail(std::move(error));
    }

    // Asks the members in turn, until one gives a definite answer. What may have happened is not
    // asked again.
    template <class Response, class Call>
    Result<Response> ask_any(const EtcdOptions& options, Again again, const Call& call) {
        Error last{ErrorCode::kUnavailable, "no etcd endpoint given"};
        for (const std::string& address : options.endpoints) {
            Endpoint& endpoint = at(options, address);
            if (!connected(endpoint, options)) {
                last = unreachable(address);
                continue;
            }
            Response response;
            const grpc::Status status = one(endpoint, options.request_timeout, response, call);
            const Verdict verdict = verdict_of(status);
            if (verdict == Verdict::kDone) return response;
            last = error_of(status);
            last.message = address + ": " + last.message;
            if (verdict == Verdict::kRefused) break;
            if (verdict == Verdict::kUnknown && again == Again::kNever) {
                last.code = ErrorCode::kUnknownOutcome;
                break;
            }
        }
        return fail(std::move(last));
    }
};

EtcdAdmin::EtcdAdmin(EtcdOptions options)
    : options_(std::move(options)), channels_(std::make_unique<Channels>()) {}
EtcdAdmin::~EtcdAdmin() = default;

Result<std::vector<EtcdMember>> EtcdAdmin::members() {
    ASSIGN_OR_RETURN(auto response,
                     channels_->ask_any<pb::MemberListResponse>(
                         options_, Again::kSafe, [](Endpoint& at, auto& context, auto& out) {
                             return at.cluster->MemberList(&context, {}, &out);
                         }));
    std::vector<EtcdMember> members;
    for (const auto& member : response.members()) members.push_back(member_of(member));
    return members;
}

Result<EtcdMember> EtcdAdmin::add_learner(const std::string& peer_url) {
    pb::MemberAddRequest request;
    request.add_peerurls(peer_url);
    request.set_islearner(true);
    ASSIGN_OR_RETURN(auto response,
                     channels_->ask_any<pb::MemberAddResponse>(
                         options_, Again::kNever, [&](Endpoint& at, auto& context, auto& out) {
                             return at.cluster->MemberAdd(&context, request, &out);
                         }));
    return member_of(response.member());
}

Result<EtcdMember> EtcdAdmin::add_voter(const std::string& peer_url) {
    pb::MemberAddRequest request;
    request.add_peerurls(peer_url);
    ASSIGN_OR_RETURN(auto response,
                     channels_->ask_any<pb::MemberAddResponse>(
                         options_, Again::kNever, [&](Endpoint& at, auto& context, auto& out) {
                             return at.cluster->MemberAdd(&context, request, &out);
                         }));
    return member_of(response.member());
}

Status EtcdAdmin::promote(EtcdMemberId learner) {
    pb::MemberPromoteRequest request;
    request.set_id(learner);
    RETURN_IF_ERROR(channels_->ask_any<pb::MemberPromoteResponse>(
        options_, Again::kNever, [&](Endpoint& at, auto& context, auto& out) {
            return at.cluster->MemberPromote(&context, request, &out);
        }));
    return {};
}

Status EtcdAdmin::remove(EtcdMemberId member) {
    pb::MemberRemoveRequest request;
    request.set_id(member);
    RETURN_IF_ERROR(channels_->ask_any<pb::MemberRemoveResponse>(
        options_, Again::kNever, [&](Endpoint& at, auto& context, auto& out) {
            return at.cluster->MemberRemove(&context, request, &out);
        }));
    return {};
}

Result<std::vector<EtcdAlarm>> EtcdAdmin::alarms() {
    pb::AlarmRequest request;
    request.set_action(pb::AlarmRequest::GET);
    ASSIGN_OR_RETURN(auto response,
                     channels_->ask_any<pb::AlarmResponse>(
                         options_, Again::kSafe, [&](Endpoint& at, auto& context, auto& out) {
                             return at.maintenance->Alarm(&context, request, &out);
                         }));
    std::vector<EtcdAlarm> alarms;
    for (const auto& alarm : response.alarms())
        alarms.push_back({alarm.memberid(), kind_of(alarm.alarm())});
    return alarms;
}

Status EtcdAdmin::disarm(const EtcdAlarm& alarm) {
    pb::AlarmRequest request;
    request.set_action(pb::AlarmRequest::DEACTIVATE);
    request.set_memberid(alarm.member);
    request.set_alarm(type_of(alarm.kind));
    RETURN_IF_ERROR(channels_->ask_any<pb::AlarmResponse>(
        options_, Again::kSafe, [&](Endpoint& at, auto& context, auto& out) {
            return at.maintenance->Alarm(&context, request, &out);
        }));
    return {};
}

Result<EtcdMemberStatus> EtcdAdmin::status(const std::string& endpoint) {
    ASSIGN_OR_RETURN(auto response, channels_->ask<pb::StatusResponse>(
                                        options_, endpoint, options_.request_timeout,
                                        [](Endpoint& at, auto& context, auto& out) {
                                            return at.maintenance->Status(&context, {}, &out);
                                        }));
    return EtcdMemberStatus{.id = response.header().member_id(),
                            .leader = response.leader(),
                            .learner = response.islearner(),
                            .version = response.version(),
                            .database_bytes = response.dbsize(),
                            .database_bytes_in_use = response.dbsizeinuse(),
                            .raft_index = response.raftindex(),
                            .raft_applied_index = response.raftappliedindex(),
                            .raft_term = response.raftterm(),
                            .errors = {response.errors().begin(), response.errors().end()}};
}

bool EtcdAdmin::answers_reads(const std::string& endpoint) {
    pb::RangeRequest request;
    request.set_key("0");
    request.set_keys_only(true);
    request.set_serializable(true);
    return channels_
        ->ask<pb::RangeResponse>(options_, endpoint, kProbeTimeout,
                                 [&](Endpoint& at, auto& context, auto& out) {
                                     return at.kv->Range(&context, request, &out);
                                 })
        .has_value();
}

Status EtcdAdmin::defragment(const std::string& endpoint) {
    RETURN_IF_ERROR(channels_->ask<pb::DefragmentResponse>(
        options_, endpoint, kDefragmentTimeout, [](Endpoint& at, auto& context, auto& out) {
            return at.maintenance->Defragment(&context, {}, &out);
        }));
    return {};
}

Status EtcdAdmin::move_leader(const std::string& leader_endpoint, EtcdMemberId to) {
    pb::MoveLeaderRequest request;
    request.set_targetid(to);
    RETURN_IF_ERROR(channels_->ask<pb::MoveLeaderResponse>(
        options_, leader_endpoint, options_.request_timeout,
        [&](Endpoint& at, auto& context, auto& out) {
            return at.maintenance->MoveLeader(&context, request, &out);
        }));
    return {};
}

Status EtcdAdmin::save_snapshot(const std::string& endpoint, const std::string& path) {
    Endpoint& member = channels_->at(options_, endpoint);
    if (!Channels::connected(member, options_)) return fail(Channels::unreachable(endpoint));
    NewFile file(path);
    if (!file.is_open()) return fail(system_error("creating " + path + ".part"));
    grpc::ClientContext context;
    context.set_deadline(deadline_in(kSnapshotTimeout));
    auto stream = member.maintenance->Snapshot(&context, {});
    SnapshotSum sum;
    pb::SnapshotResponse part;
    while (stream->Read(&part)) {
        sum.add(part.blob());
        if (auto written = file.write(part.blob()); !written) {
            context.TryCancel();
            return written;
        }
    }
    if (const grpc::Status status = stream->Finish(); !status.ok()) return fail(error_of(status));
    if (!sum.holds()) {
        return fail(ErrorCode::kUnavailable, "the snapshot from " + endpoint + " arrived damaged",
                    "ask again");
    }
    return file.keep();
}

}  // namespace blixard::store
