// A record kept as text, without a bound: for tests and the simulation.
#pragma once

#include <string>

#include "recorder/record.h"
#include "recorder/recorder.h"

namespace blixard::recorder {

class MemorySink final : public Sink {
 public:
    void begin_segment(Checkpoint checkpoint) override {
        bytes += segment_head(++segments, checkpoint.controller_settings.run_uid);
        bytes += block(Block::kCheckpoint, checkpoint_bytes(checkpoint));
    }
    void append(std::string_view entries) override { bytes += block(Block::kEntries, entries); }

    std::string bytes;
    std::uint64_t segments = 0;
};

}  // namespace blixard::recorder
