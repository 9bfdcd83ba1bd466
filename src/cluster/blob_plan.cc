#include "cluster/blob_plan.h"

#include <algorithm>

namespace blixard::cluster {
namespace {

constexpr Millis kRest{500};               // after a first failure; doubles with each
constexpr std::size_t kHostsNamedMax = 5;  // in an error

}  // namespace

BlobPlan::BlobPlan(std::vector<std::string> hosts, std::uint64_t part_bytes,
                   std::uint64_t total_bytes, std::set<std::uint64_t> done)
    : part_bytes_(part_bytes), total_bytes_(total_bytes) {
    for (auto& host : hosts) hosts_[std::move(host)];
    for (const std::uint64_t part : done) done_[part];
}

std::uint64_t BlobPlan::parts() const {
    return total_bytes_ == 0 ? 1 : (total_bytes_ + part_bytes_ - 1) / part_bytes_;
}

std::uint64_t BlobPlan::length_of(std::uint64_t part) const {
    if (total_bytes_ == 0) return part_bytes_;
    return std::min(part_bytes_, total_bytes_ - part * part_bytes_);
}

// The least loaded host that may be asked; one at a time: the first that is not out.
std::optional<std::string> BlobPlan::free_host(MonoTime now) const {
    std::optional<std::string> best;
    std::size_t least = kBlobPartsPerHost;
    for (const auto& [name, host] : hosts_) {
        if (host.out) continue;
        if (now >= host.rests_until && host.under_way < least) {
            least = host.under_way;
            best = name;
        }
        if (one_at_a_time_) break;
    }
    return best;
}

void BlobPlan::leave_out(const std::string& name, std::string why) {
    Host& host = hosts_[name];
    host.out = true;
    host.why_out = std::move(why);
    if (one_at_a_time_) done_.clear();  // the next one is asked for everything
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
    if (host.out) return {};  // of a host that was left out meanwhile: nothing that counts
    if (total_bytes_ == 0) total_bytes_ = total_bytes;
    if (total_bytes != total_bytes_ || bytes != length_of(question.part)) {
        only_lacking_ = false;
        leave_out(question.host, "has another file under this name");
        return fail(ErrorCode::kInvalid, "host \"" + question.host + "\" " + host.why_out);
    }
    host.failures = 0;
    done_[question.part] = question.host;
    return {};
}

void BlobPlan::failed(const BlobQuestion& question, const Error& error, MonoTime now) {
    Host& host = hosts_[question.host];
    --host.under_way;
    under_way_.erase(question.part);
    if (host.out) return;
    ++host.failures;
    const bool lacks_it = error.code == ErrorCode::kNotFound;
    only_lacking_ &= lacks_it;
    const bool refused = error.code == ErrorCode::kDenied || lacks_it;
    host.rests_until = now + kRest * (std::int64_t{1} << std::min(host.failures - 1, 4));
    if (refused || host.failures >= kBlobHostFailuresMax)
        leave_out(question.host, lacks_it ? "has no such file" : "says: " + error.message);
}

std::optional<std::string> BlobPlan::reject() {
    const std::set<std::string> gave = sources();
    const bool one_to_blame = gave.size() == 1 && !gave.begin()->empty();
    done_.clear();
    if (!one_to_blame) {
        one_at_a_time_ = true;
        return std::nullopt;
    }
    only_lacking_ = false;
    leave_out(*gave.begin(), "has a damaged copy");
    return *gave.begin();
}

bool BlobPlan::complete() const { return total_bytes_ != 0 && done_.size() == parts(); }

std::optional<Error> BlobPlan::hopeless() const {
    const bool all_out = std::all_of(hosts_.begin(), hosts_.end(),
                                     [](const auto& entry) { return entry.second.out; });
    if (complete() || !all_out || !under_way_.empty()) return std::nullopt;
    std::string said;
    std::size_t named = 0;
    for (const auto& [name, host] : hosts_) {
        if (++named > kHostsNamedMax) continue;
        said += (said.empty() ? ": " : "; ") + name + " " + host.why_out;
    }
    if (named > kHostsNamedMax) said += "; and " + std::to_string(named - kHostsNamedMax) + " more";
    return Error{only_lacking_ ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                 hosts_.empty() ? "no other host can be asked for the file"
                                : "no host could give the file" + said,
                 {},
                 "bring a host back that has it, or import the image again: blixard image import"};
}

std::optional<MonoTime> BlobPlan::wake_at(MonoTime now) const {
    std::optional<MonoTime> earliest;
    for (const auto& [name, host] : hosts_)
        if (!host.out && host.rests_until > now)
            earliest = earliest ? std::min(*earliest, host.rests_until) : host.rests_until;
    return earliest;
}

std::set<std::uint64_t> BlobPlan::parts_done() const {
    std::set<std::uint64_t> parts;
    for (const auto& [part, host] : done_) parts.insert(part);
    return parts;
}

std::set<std::string> BlobPlan::sources() const {
    std::set<std::string> hosts;
    for (const auto& [part, host] : done_) hosts.insert(host);
    return hosts;
}

std::uint64_t BlobPlan::bytes_done() const {
    std::uint64_t bytes = 0;
    for (const auto& [part, host] : done_) bytes += length_of(part);
    return bytes;
}

}  // namespace blixard::cluster
