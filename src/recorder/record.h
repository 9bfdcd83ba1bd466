// A record as a file: what stands in it, and whether it is whole. docs/FORMATS.md has the bytes.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "recorder/entries.h"

namespace blixard::recorder {

enum class Block : char { kSegment = 'S', kCheckpoint = 'C', kEntries = 'E' };

// One block with its length and checksum.
std::string block(Block type, std::string_view payload);

// What stands in front of a segment's entries: the magic line and which segment it is.
std::string segment_head(std::uint64_t number, const std::string& run);

struct Segment {
    std::uint64_t number =
        0;            // they rise by one, over daemon runs, too; by two where entries were lost
    std::string run;  // uid of the daemon run
    std::string checkpoint;  // checkpoint_bytes(); empty: not kept
    std::string entries;
};

struct Record {
    std::vector<Segment> segments;
    std::size_t torn_bytes = 0;  // at the end: a block that was not written to its end
};

// kInvalid, with the place: no record, another version, or damaged before its last block.
Result<Record> parse_record(std::string_view bytes);

// A segment of a record, of what a daemon has on disk: the whole blocks of its log, with the
// checkpoint (empty: not there) behind the head. Empty where there is no whole head.
std::string joined_segment(std::string_view log, std::string_view state);

// How much of the bytes of a log, after a kill or a power cut, is whole blocks.
std::size_t whole_bytes(std::string_view bytes);

}  // namespace blixard::recorder
