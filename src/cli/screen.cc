#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace blixard::cli {
namespace {

bool colours_wanted(bool tty) {
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    bool dumb = term && std::string_view(term) == "dumb";
    return tty && !(no_color && *no_color) && !dumb;
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody reads any more; there is nobody to tell either
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

std::string Colours::wrap(std::string_view code, std::string_view text) const {
    if (!on_) return std::string(text);
    std::string out = "\033[";
    out.append(code).append("m").append(text).append("\033[0m");
    return out;
}

TerminalScreen::TerminalScreen() : out_tty_(::isatty(1) == 1), err_tty_(::isatty(2) == 1) {
    out_colours = Colours(colours_wanted(out_tty_));
    err_colours = Colours(colours_wanted(err_tty_));
}

void TerminalScreen::out(std::string_view text) { write_all(1, text); }
void TerminalScreen::err(std::string_view text) { write_all(2, text); }

int TerminalScreen::columns() const {
    winsize size{};
    if (::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = c == '\n' || c == '\t' ? ' ' : '?';
    return out;
}

}  // namespace blixard::cli
