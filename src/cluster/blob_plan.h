// Which part of a blob to ask of which host next. Pure: an answer or a failure goes in, the next
// question comes out.
//
// A blob is asked for in parts of kBlobPartBytesMax, of several hosts at once, each host one part
// at a time per slot. A host that fails is asked less: it rests, longer each time; one that lacks
// the blob is left out. What arrived is remembered (parts_done), so that a break costs only the
// parts that were under way.
//
// The whole is verified by whoever drives the plan; reject() says that it is not what it should be.
// A host that gave all of it has a damaged copy and is left out. Where several gave parts nobody
// knows which of them is to blame: from then on one host is asked at a time, for everything.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::cluster {

inline constexpr std::size_t kBlobPartsPerHost = 2;      // under way at once
inline constexpr std::size_t kBlobPartsUnderWayMax = 6;  // in all: a bound on memory, 4 MiB each
inline constexpr int kBlobHostFailuresMax = 5;           // in a row; then a host is left out

struct BlobQuestion {
    std::string host;
    std::uint64_t part = 0;  // number; part n begins at n * part_bytes
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

class BlobPlan {
 public:
    // `total_bytes` 0: not known yet; the first part's answer tells it. `done`: parts that an
    // earlier try left.
    BlobPlan(std::vector<std::string> hosts, std::uint64_t part_bytes, std::uint64_t total_bytes,
             std::set<std::uint64_t> done);

    // What to ask now; empty: wait for an answer (or for a host's rest to end). Each is under way
    // until it is answered.
    std::vector<BlobQuestion> next(MonoTime now);

    // kInvalid: it contradicts what is known (another size).
    Status arrived(const BlobQuestion& question, std::uint64_t bytes, std::uint64_t total_bytes);
    void failed(const BlobQuestion& question, const Error& error, MonoTime now);

    // complete(), but the whole is not the blob that was asked for: it begins anew. The host that
    // is to blame, where one is.
    std::optional<std::string> reject();

    bool complete() const;
    // No host is left to ask, and nothing is under way: what each of them said.
    std::optional<Error> hopeless() const;
    // The earliest end of a rest; absent: nobody rests, and answers alone wake.
    std::optional<MonoTime> wake_at(MonoTime now) const;

    std::set<std::uint64_t> parts_done() const;
    std::set<std::string> sources() const;  // of the parts that are there
    std::uint64_t total_bytes() const { return total_bytes_; }
    std::uint64_t bytes_done() const;

 private:
    struct Host {
        std::size_t under_way = 0;
        int failures = 0;  // in a row
        MonoTime rests_until{};
        bool out = false;
        std::string why_out;
    };
    std::uint64_t parts() const;  // in all; 1 while the size is not known
    std::uint64_t length_of(std::uint64_t part) const;
    std::optional<std::string> free_host(MonoTime now) const;
    void leave_out(const std::string& host, std::string why);

    const std::uint64_t part_bytes_;
    std::uint64_t total_bytes_;
    std::map<std::string, Host> hosts_;
    std::map<std::uint64_t, std::string> done_;  // by whom; "" : left by an earlier try
    std::set<std::uint64_t> under_way_;
    bool one_at_a_time_ = false;
    bool only_lacking_ = true;  // no host is out for another reason than that it lacks the blob
};

}  // namespace blixard::cluster
