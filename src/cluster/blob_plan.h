// Which part of a blob to ask of which host next. Pure: an answer or a failure goes in, the next
// question comes out.
//
// A blob is asked for in parts of kBlobPartBytesMax, of several hosts at once, each host one part
// at a time per slot. A host that fails is asked less: it rests, longer each time; one that lacks
// the blob is left out. What arrived is remembered (parts_done), so that a break costs only the
// parts that were under way.
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

    bool complete() const;
    // No host is left to ask, and nothing is under way: the last error.
    std::optional<Error> hopeless() const;
    // The earliest end of a rest, where nothing else can be done; absent: no need to wake.
    std::optional<MonoTime> wake_at() const;

    const std::set<std::uint64_t>& parts_done() const { return done_; }
    std::uint64_t total_bytes() const { return total_bytes_; }
    std::uint64_t bytes_done() const;

 private:
    struct Host {
        std::size_t under_way = 0;
        int failures = 0;  // in a row
        MonoTime rests_until{};
        bool out = false;
    };
    std::uint64_t parts() const;  // in all; 1 while the size is not known
    std::uint64_t length_of(std::uint64_t part) const;
    std::optional<std::string> free_host(MonoTime now) const;

    const std::uint64_t part_bytes_;
    std::uint64_t total_bytes_;
    std::map<std::string, Host> hosts_;
    std::set<std::uint64_t> done_, under_way_;
    Error last_error_{ErrorCode::kNotFound, "no host has this file", {}, {}};
};

}  // namespace blixard::cluster
