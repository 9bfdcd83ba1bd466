#include "cli/progress.h"

#include <fmt/format.h>

#include "cli/units.h"

namespace blixard::cli {

std::string progress_line(const std::string& label, std::uint64_t done, std::uint64_t total,
                          Millis passed, int columns) {
    std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
    auto per_second = static_cast<std::int64_t>(
        passed.count > 0 ? done * 1000 / static_cast<std::uint64_t>(passed.count) : 0);
    std::string tail =
        fmt::format("{:3}%  {}/{}  {}/s", percent, bytes_text(static_cast<std::int64_t>(done)),
                    bytes_text(static_cast<std::int64_t>(total)), bytes_text(per_second));
    int room = columns - static_cast<int>(label.size() + tail.size()) - 7;
    if (room < 10) return fmt::format("{}  {}", label, tail);
    auto width = static_cast<std::uint64_t>(std::min(room, 40));
    std::uint64_t filled = width * percent / 100;
    return fmt::format("{}  [{}{}]  {}", label, std::string(filled, '#'),
                       std::string(width - filled, '.'), tail);
}

Progress::Progress(Screen& screen, const Clock& clock, std::string label, std::uint64_t total)
    : screen_(screen),
      clock_(clock),
      label_(std::move(label)),
      total_(total),
      begun_(clock.mono()),
      drawn_{begun_ - kRedraw} {}

void Progress::draw(std::uint64_t done) {
    screen_.err("\r" +
                progress_line(label_, done, total_, clock_.mono() - begun_, screen_.columns()) +
                "\033[K");
}

void Progress::update(std::uint64_t done) {
    if (screen_.err_is_tty()) {
        if (clock_.mono() - drawn_ < kRedraw) return;
        drawn_ = clock_.mono();
        draw(done);
        return;
    }
    int quarter = total_ == 0 ? 4 : static_cast<int>(done * 4 / total_);
    if (quarter <= quarter_) return;
    quarter_ = quarter;
    screen_.err(fmt::format("{}  {}%\n", label_, quarter * 25));
}

void Progress::finish() {
    if (!screen_.err_is_tty()) return;
    draw(total_);
    screen_.err("\n");
}

}  // namespace blixard::cli
