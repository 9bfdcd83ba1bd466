// The flight recorder of one daemon run: all that its view, agent and controller are told, in
// order, and what they ask for in return. From it, blixard sim --recorded makes them decide again
// (sim/replay.h).
//
// The control loops get their ports from here (ports.h). Each call into them is an input; while one
// is under way, what they read is written down so that it can be read again, and what they ask, so
// that it can be compared. An input reaches the sink before it is worked on: a record tells what a
// daemon died of.
//
// Threads: the control loops' executor. Cost: bench/recorder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "recorder/checkpoint.h"
#include "recorder/entries.h"
#include "recorder/fields.h"
#include "recorder/scrub.h"

namespace blixard::recorder {

// Where a record goes. On the recorder's executor.
class Sink {
 public:
    virtual ~Sink() = default;
    // What is appended from now on follows this checkpoint.
    virtual void begin_segment(Checkpoint checkpoint) = 0;
    virtual void append(std::string_view entries) = 0;
};

// A segment that has grown so large is followed by another at the next quiet moment.
inline constexpr std::size_t kSegmentBytes = 4u << 20;

class Recorder {
 public:
    Recorder(const Clock& clock, Sink& sink, std::size_t segment_bytes = kSegmentBytes)
        : clock_(clock), sink_(sink), segment_bytes_(segment_bytes) {}
    ~Recorder() { flush(); }  // the sink still lives
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    // From here on all is recorded. Before the agent and the controller are made.
    void begin(Checkpoint checkpoint);

    // How to get at the state at a quiet moment; absent: there is something under way. Where it is
    // not set, a record has one segment.
    struct Whole {
        agent::AgentState agent;
        controller::ControllerState controller;
        view::SnapshotPtr state;
    };
    void set_source(std::function<std::optional<Whole>()> source, std::function<void()> normalise) {
        source_ = std::move(source);
        normalise_ = std::move(normalise);
    }

    // Runs something that calls into the control loops.
    template <class Run, class... Payload>
    void input(Tag tag, Run&& run, const Payload&... payload) {
        if (!on_) return run();
        const Frame before = open(tag);
        write(buffer_, payload...);
        opened();
        run();
        close(before);
    }

    // What somebody asked of the API; for people.
    void note_request(const std::string& text);

    // ---- for the ports

    bool on() const { return on_; }
    // What the loops do outside of any input (before the record begins, while the daemon ends) is
    // passed on, and leaves no trace.
    static constexpr std::uint64_t kOutside = std::uint64_t{1} << 63;
    struct CallId {
        CallKind kind;
        std::uint64_t number;
    };
    template <class Text>
    CallId call(CallKind kind, Text&& text) {
        if (depth_ == 0) return {kind, kOutside};
        saw(Tag::kCall, kind, text());
        return {kind, ++counts_.calls};
    }
    // `done`, called as an input.
    template <class T>
    Callback<T> answering(CallId call, Callback<T> done) {
        if (call.number == kOutside) return done;
        ++unanswered_;
        return [this, call, done = std::move(done)](Result<T> result) {
            --unanswered_;
            const Frame before = open(Tag::kAnswer);
            write(buffer_, call.kind, call.number);
            write_answer(result);
            opened();
            done(std::move(result));
            close(before);
        };
    }
    template <class... Payload>
    void saw(Tag tag, const Payload&... payload) {
        if (depth_ == 0) return;
        buffer_ += static_cast<char>(tag);
        write(buffer_, payload...);
    }
    MonoTime saw_mono(MonoTime now);
    WallTime saw_wall(WallTime now);
    void saw_instances(const std::vector<hypervisor::Instance>& now);
    std::uint64_t posted();
    void post_runs(std::uint64_t number, const std::function<void()>& task);
    std::uint64_t armed(Millis delay, const std::function<TimerId(std::uint64_t)>& arm);
    void timer_runs(std::uint64_t number, const std::function<void()>& task);
    TimerId disarmed(std::uint64_t number);  // the real timer; 0: it has run

 private:
    struct Frame {
        std::uint64_t reads = 0;
    };
    Frame open(Tag tag);
    void opened();
    void close(Frame before);
    template <class T>
    void write_answer(const Result<T>& result) {
        write(buffer_, result);
    }
    void write_answer(const Result<store::RangeResult>& page) {
        write(buffer_, page ? Result<store::RangeResult>(scrubbed(*page)) : page);
    }
    void flush();
    void look_for_checkpoint();

    const Clock& clock_;
    Sink& sink_;
    const std::size_t segment_bytes_;
    std::function<std::optional<Whole>()> source_;
    std::function<void()> normalise_;
    bool on_ = false;
    int depth_ = 0;
    std::uint64_t reads_ = 0;  // of the monotonic clock, within the innermost input
    MonoTime mono_{};
    WallTime wall_{};
    Counts counts_;
    std::uint64_t unanswered_ = 0, unrun_ = 0, outside_ = 0;
    std::unordered_map<std::uint64_t, TimerId> timers_;  // those armed
    std::vector<hypervisor::Instance> instances_;        // as last read
    Checkpoint base_;                                    // what all checkpoints of this run share
    std::string buffer_;
    std::size_t segment_size_ = 0;
};

}  // namespace blixard::recorder
