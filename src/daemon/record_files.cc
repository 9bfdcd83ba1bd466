#include "daemon/record_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "os/files.h"
#include "recorder/record.h"

namespace blixard::daemon {
namespace {

constexpr std::uint64_t kSegmentsKeptLeast = 1;  // the present one
constexpr std::size_t kFileBytesMost = std::size_t{kRecordMibMost}
                                       << 20;  // of one file: the bound's own maximum

// "00000012.log" -> 12; 0 where the name is another.
std::uint64_t number_of(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) return 0;
    name.remove_suffix(suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

std::string file_path(const std::string& directory, std::uint64_t number, std::string_view kind) {
    return fmt::format("{}/{:08}.{}", directory, number, kind);
}

}  // namespace

Result<std::unique_ptr<RecordFiles>> RecordFiles::open(std::string directory,
                                                       std::uint64_t bytes_most,
                                                       os::WorkerPool& workers, Executor& executor,
                                                       Log& log) {
    RETURN_IF_ERROR(os::make_directories(directory, 0700));
    std::unique_ptr<RecordFiles> files(
        new RecordFiles(std::move(directory), bytes_most, workers, executor, log));
    files->look_at_what_is_there();
    return files;
}

std::string RecordFiles::path(std::uint64_t number, std::string_view kind) const {
    return file_path(directory_, number, kind);
}

void RecordFiles::look_at_what_is_there() {
    const Result<std::vector<std::string>> names = os::list_directory(directory_);
    if (!names) return;
    for (const std::string& name : *names) {
        const std::uint64_t bytes = os::file_size(directory_ + "/" + name).value_or(0);
        const std::uint64_t log = number_of(name, ".log"), state = number_of(name, ".state");
        if (log != 0) segments_[log].log_bytes = bytes;
        if (state != 0) segments_[state].state_bytes = bytes;
        if (log != 0 || state != 0) bytes_ += bytes;
    }
    if (!segments_.empty()) number_ = segments_.rbegin()->first;
}

void RecordFiles::begin_segment(recorder::Checkpoint checkpoint) {
    number_ += std::exchange(gap_, false) ? 2 : 1;
    segments_[number_] = {};
    const std::string log_path = path(number_, "log");
    out_ = os::UniqueFd(
        ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!out_)
        return give_up({ErrorCode::kUnavailable,
                        fmt::format("{}: {}", log_path, std::strerror(errno)),
                        {},
                        {}});
    write_log(recorder::segment_head(number_, checkpoint.controller_settings.run_uid));
    // A large state takes its time: on a worker. Until it is there, the segment continues the one
    // before.
    workers_.run<std::uint64_t>(
        executor_,
        [checkpoint = std::move(checkpoint), state_path = path(number_, "state"),
         most = bytes_most_ / 2]() -> Result<std::uint64_t> {
            const std::string bytes = recorder::block(recorder::Block::kCheckpoint,
                                                      recorder::checkpoint_bytes(checkpoint));
            if (bytes.size() > most)
                return fail(ErrorCode::kTooLarge,
                            fmt::format("the state of this cluster takes {} MiB in a record",
                                        bytes.size() >> 20),
                            "give the record more room: record_mib in the configuration");
            RETURN_IF_ERROR(os::replace_file(state_path, bytes));
            return bytes.size();
        },
        [this, number = number_, weak = std::weak_ptr(alive_)](const Result<std::uint64_t>& bytes) {
            if (!weak.expired()) state_written(number, bytes);
        });
    make_room();
}

void RecordFiles::state_written(std::uint64_t number, const Result<std::uint64_t>& bytes) {
    if (!bytes)
        return log_.warn("checkpoint not recorded",
                         {{"segment", number}, {"error", describe(bytes.error())}});
    const auto segment = segments_.find(number);
    // It was in the way already.
    if (segment == segments_.end()) return (void)os::remove_file(path(number, "state"));
    segment->second.state_bytes = *bytes;
    bytes_ += *bytes;
    make_room();
}

void RecordFiles::append(std::string_view entries) {
    if (!out_) return;
    write_log(recorder::block(recorder::Block::kEntries, entries));
    if (bytes_ > bytes_most_) make_room();
}

void RecordFiles::write_log(std::string_view bytes) {
    if (Status done = os::write_all(out_.get(), bytes, "the record"); !done)
        return give_up(done.error());
    segments_[number_].log_bytes += bytes.size();
    bytes_ += bytes.size();
}

void RecordFiles::make_room() {
    while (bytes_ > bytes_most_ && segments_.size() > kSegmentsKeptLeast) {
        const auto [oldest, files] = *segments_.begin();
        (void)os::remove_file(path(oldest, "log"));
        (void)os::remove_file(path(oldest, "state"));
        bytes_ -= files.log_bytes + files.state_bytes;
        segments_.erase(oldest);
    }
    if (bytes_ > bytes_most_ && out_)
        give_up(
            {ErrorCode::kExhausted, "there was no quiet moment to begin a new segment at", {}, {}});
}

// What is there stays; the next segment is tried again.
void RecordFiles::give_up(const Error& error) {
    out_.reset();
    gap_ = true;
    log_.warn("inputs are not recorded until the next quiet moment",
              {{"segment", number_}, {"error", describe(error)}});
}

Result<std::string> export_record(const std::string& directory) {
    const Result<std::vector<std::string>> names = os::list_directory(directory);
    if (!names && names.error().code != ErrorCode::kNotFound) return fail(names.error());
    std::string record;
    for (const std::string& name : names.value_or(std::vector<std::string>{})) {
        const std::uint64_t number = number_of(name, ".log");
        if (number == 0) continue;
        const Result<std::string> log = os::read_file(directory + "/" + name, kFileBytesMost);
        if (!log) continue;  // it was the oldest, and has gone meanwhile
        record += recorder::joined_segment(
            *log,
            os::read_file(file_path(directory, number, "state"), kFileBytesMost).value_or(""));
    }
    if (record.empty())
        return fail(ErrorCode::kNotFound, "there is no record of this daemon's inputs",
                    "it is off where record_mib = 0 is configured");
    return record;
}

}  // namespace blixard::daemon
