// The flight recorder's record on disk: <data_dir>/record/<number>.log has a segment's entries,
// <number>.state the checkpoint that they follow. Written as they come, without waiting for the
// disk: what a killed daemon had worked on is there, what a power cut takes away is the end. The
// oldest segments go when all are larger than the bound.
//
// Threads: the main loop, but for export_record(), any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/log.h"
#include "os/unique_fd.h"
#include "os/worker_pool.h"
#include "recorder/recorder.h"

namespace blixard::daemon {

inline constexpr std::int64_t kRecordMibMost = 4096;

class RecordFiles final : public recorder::Sink {
 public:
    // `bytes_most`: of all files together. What earlier daemons left is kept within it. The
    // segments must end well before it (segment_bytes()).
    static Result<std::unique_ptr<RecordFiles>> open(std::string directory,
                                                     std::uint64_t bytes_most,
                                                     os::WorkerPool& workers, Executor& executor,
                                                     Log& log);

    static std::size_t segment_bytes(std::uint64_t bytes_most) {
        return static_cast<std::size_t>(bytes_most / 8);
    }

    void begin_segment(recorder::Checkpoint checkpoint) override;
    void append(std::string_view entries) override;

    std::uint64_t bytes() const { return bytes_; }

 private:
    struct Files {
        std::uint64_t log_bytes = 0, state_bytes = 0;
    };
    RecordFiles(std::string directory, std::uint64_t bytes_most, os::WorkerPool& workers,
                Executor& executor, Log& log)
        : directory_(std::move(directory)),
          bytes_most_(bytes_most),
          workers_(workers),
          executor_(executor),
          log_(log) {}
    std::string path(std::uint64_t number, std::string_view kind) const;
    void look_at_what_is_there();
    void write_log(std::string_view bytes);
    void state_written(std::uint64_t number, const Result<std::uint64_t>& bytes);
    void make_room();
    void give_up(const Error& error);

    const std::string directory_;
    const std::uint64_t bytes_most_;
    os::WorkerPool& workers_;
    Executor& executor_;
    Log& log_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    std::map<std::uint64_t, Files> segments_;
    std::uint64_t bytes_ = 0;   // of all files
    std::uint64_t number_ = 0;  // of the present one
    bool gap_ = false;          // entries were lost: the next segment does not continue this one
    os::UniqueFd out_;          // none: nothing is written until the next segment
};

// All segments of the directory as one record. kNotFound: there are none. Blocking.
Result<std::string> export_record(const std::string& directory);

}  // namespace blixard::daemon
