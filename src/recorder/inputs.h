// A record's entries, read: each input with all that was read and asked while it was worked on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "recorder/checkpoint.h"
#include "recorder/codec.h"
#include "recorder/entries.h"
#include "store/store.h"

namespace blixard::recorder {

struct Call {
    CallKind kind = CallKind::kCommit;
    std::uint64_t number = 0;
    std::string text;
};

using Answer = std::variant<std::monostate, Result<store::Committed>, Result<store::RangeResult>,
                            Result<store::Revision>, Result<store::LeaseGrant>, Result<bool>,
                            Result<std::vector<hypervisor::Instance>>, Result<hypervisor::Instance>,
                            Result<hypervisor::StopHow>, Result<std::string>>;

struct Reading {
    std::uint64_t at = 0;  // which reading of the clock within the input, from 1
    Millis step{};
};
struct Timer {
    std::uint64_t number = 0;
    Millis delay{};
};
struct Instances {
    bool all = false;
    std::vector<hypervisor::Instance> changed;
    std::vector<hypervisor::InstanceId> gone;
};

struct Input {
    Tag tag = Tag::kTask;
    Millis since{};                     // the input before, on the monotonic clock
    std::uint64_t number = 0;           // of what runs, runs out, is answered or asked for
    CallKind kind = CallKind::kCommit;  // kAnswer: of what
    Answer answer;
    store::WatchBatch batch;
    Error error;
    hypervisor::Event event;
    WallTime wall{};   // kCheckpoint, kRequest
    std::string note;  // kRequest

    std::vector<Call> calls;
    std::vector<bool> says;
    std::vector<std::uint64_t> posts;
    std::vector<Timer> timers;
    std::vector<Reading> readings;
    std::vector<Millis> walls;
    std::vector<std::uint64_t> randoms;
    std::vector<Instances> instances;
    std::vector<std::vector<hypervisor::InstanceId>> leftovers;
    std::vector<bool> console_has;
    std::vector<std::pair<std::size_t, Input>> nested;  // behind so many calls
    bool whole = true;                                  // false: the record ends within it
};

// Reads inputs one by one. `counts`: those of the checkpoint that the entries follow.
class InputReader {
 public:
    InputReader(std::string_view entries, Counts counts) : reader_(entries), counts_(counts) {}

    bool at_end() const { return reader_.at_end(); }
    // The next input or request. kInvalid: these are no entries.
    Result<Input> next();
    const Counts& counts() const { return counts_; }

 private:
    void read_head(Tag tag, Input& input);
    bool read_step(Tag tag, Input& input);

    Reader reader_;
    Counts counts_;
};

// "the answer to commit number 12: done at revision 40".
std::string describe(const Input& input);

}  // namespace blixard::recorder
