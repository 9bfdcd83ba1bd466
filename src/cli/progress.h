// A progress bar on stderr: redrawn in place on a terminal, a line for each quarter elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "cli/screen.h"

namespace blixard::cli {

class Progress {
 public:
    static constexpr Millis kRedraw = Millis{100};

    // `total` in bytes.
    Progress(Screen& screen, const Clock& clock, std::string label, std::uint64_t total);
    void update(std::uint64_t done);
    void finish();  // the whole bar and a line end

 private:
    void draw(std::uint64_t done);
    Screen& screen_;
    const Clock& clock_;
    std::string label_;
    std::uint64_t total_;
    MonoTime begun_;
    MonoTime drawn_;
    int quarter_ = 0;
};

// "demo.qcow2  [#####.....]  50%  512M/1G  80M/s": at most `columns` wide where that leaves room
// for a bar.
std::string progress_line(const std::string& label, std::uint64_t done, std::uint64_t total,
                          Millis passed, int columns);

}  // namespace blixard::cli
