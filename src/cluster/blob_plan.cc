#include "cluster/blob_plan.h"

#include <algorithm>

namespace blixard::cluster {
namespace {

constexpr Millis kRest{500};  // after a first failure; doubles with each

}  // namespace

BlobPlan::BlobPlan(std::vector<std::string> hosts, std::uint64_t part_bytes,
                   std::uint64_t total_bytes, std::set<std::uint64_t> done)
    : part_bytes_(part_bytes), total_bytes_(total_bytes), done_(std::move(done)) {
    for (auto& host : hosts) hosts_[std::move(host)];
}

std::uint64_t BlobPlan::parts() const {
    return total_bytes_ == 0 ? 1 : (total_bytes_ + part_bytes_ - 1) / part_bytes_;
}

std::uint64_t BlobPlan::length_of(std::uint64_t part) const {
    if (total_bytes_ == 0) return part_bytes_;
    return std::min(part_bytes_, total_bytes_ - part * part_bytes_);
}

// The least loaded host that may be asked.
std::optional<std::string> BlobPlan::free_host(MonoTime now) const {
    std::optional<std::string> best;
    std::size_t least = kBlobPartsPerHost;
    for (const auto& [name, host] : hosts_) {
        if (host.out || now < host.rests_until || host.under_way >= least) continue;
        least = host.under_way;
        best = name;
    }
    return best;
}

std::vector<BlobQuestion> BlobPlan::next(MonoTime now) {
    std::vector<BlobQuestion> questions;
    for (std::uint64_t part = 0; part < parts() && under_way_.size() < kBlobPartsUnderWayMax;
         ++part) {
        if (done_.contains(part) || under_way_.contains(part)) continue;
        const auto host = free_host(now);
        if (!host) break;
        ++hosts_[*host].under_way;
        under_way_.insert(part);
        questions.push_back({*host, part, part * part_bytes_, length_of(part)});
    }
    return questions;
}

Status BlobPlan::arrived(const BlobQuestion& question, std::uint64_t bytes,
                         std::uint64_t total_bytes) {
    Host& host = hosts_[question.host];
    --host.under_way;
    under_way_.erase(question.part);
    if (total_bytes_ == 0) total_bytes_ = total_bytes;
    if (total_bytes != total_bytes_ || bytes != length_of(question.part)) {
        host.out = true;
        last_error_ = {ErrorCode::kInvalid,
                       "host \"" + question.host + "\" has another file under this name",
                       {},
                       {}};
        return fail(last_error_);
    }
    host.failures = 0;
    done_.insert(question.part);
    return {};
}

void BlobPlan::failed(const BlobQuestion& question, const Error& error, MonoTime now) {
    Host& host = hosts_[question.host];
    --host.under_way;
    under_way_.erase(question.part);
    last_error_ = error;
    ++host.failures;
    const bool lacks_it = error.code == ErrorCode::kNotFound || error.code == ErrorCode::kDenied;
    if (lacks_it || host.failures >= kBlobHostFailuresMax) host.out = true;
    host.rests_until = now + kRest * (std::int64_t{1} << std::min(host.failures - 1, 4));
}

bool BlobPlan::complete() const { return total_bytes_ != 0 && done_.size() == parts(); }

std::optional<Error> BlobPlan::hopeless() const {
    const bool all_out = std::all_of(hosts_.begin(), hosts_.end(),
                                     [](const auto& entry) { return entry.second.out; });
    if (!complete() && all_out && under_way_.empty()) return last_error_;
    return std::nullopt;
}

std::optional<MonoTime> BlobPlan::wake_at() const {
    std::optional<MonoTime> earliest;
    for (const auto& [name, host] : hosts_)
        if (!host.out && host.under_way == 0 && host.rests_until.ms != 0)
            earliest = earliest ? std::min(*earliest, host.rests_until) : host.rests_until;
    return earliest;
}

std::uint64_t BlobPlan::bytes_done() const {
    std::uint64_t bytes = 0;
    for (const std::uint64_t part : done_) bytes += length_of(part);
    return bytes;
}

}  // namespace blixard::cluster
