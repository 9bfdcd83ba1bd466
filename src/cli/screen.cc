#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace blixard::cli {
namespace {

bool colours_wanted(bool tty) {
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    bool dumb = term && std::string_view(term) == "dumb";
    return tty && !(no_color && *no_color) && !dumb;
}

// 0, or the errno of what went wrong.
int write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written == 0 ? EIO : errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// U+0080 to U+009F, in UTF-8.
bool is_high_control(std::string_view text, std::size_t at) {
    return at + 1 < text.size() && text[at] == '\xc2' &&
           static_cast<unsigned char>(text[at + 1]) >= 0x80 &&
           static_cast<unsigned char>(text[at + 1]) <= 0x9f;
}

// The length of the escape sequence that begins at `at` (ECMA-48, sections 5.3 to 5.6), as far as
// its line goes.
std::size_t escape_length(std::string_view text, std::size_t at) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.size() < 2) return line.size();
    if (line[1] == '[') {
        std::size_t end = 2;
        while (end < line.size() && line[end] >= 0x20 && line[end] <= 0x3f) ++end;
        return end < line.size() && line[end] >= 0x40 ? end + 1 : end;
    }
    if (std::string_view("]PX^_").find(line[1]) == std::string_view::npos) return 2;
    const std::size_t bell = line.find('\a'), st = line.find("\033\\", 2);  // either ends it
    return std::min({bell == std::string_view::npos ? bell : bell + 1,
                     st == std::string_view::npos ? st : st + 2, line.size()});
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

void TerminalScreen::out(std::string_view text) {
    if (const int error = write_all(1, text); error != 0 && out_error_ == 0) out_error_ = error;
}
// Where that fails there is nobody to tell.
void TerminalScreen::err(std::string_view text) { (void)write_all(2, text); }

std::string TerminalScreen::lost() const {
    return out_error_ == 0 ? std::string() : std::strerror(out_error_);
}

int TerminalScreen::columns() const {
    winsize size{};
    if (::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (is_high_control(text, at)) {
            out += '?';
            ++at;
        } else if (is_control(c)) {
            out += c == '\n' || c == '\t' ? ' ' : '?';
        } else {
            out += c;
        }
    }
    return out;
}

std::string printable_page(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        std::size_t size = 1;
        bool shown = !is_control(c) || c == '\n' || c == '\r' || c == '\t' || c == '\b';
        if (c == '\033') {
            size = escape_length(text, at);
            shown = size > 2 && text[at + 1] == '[' && text[at + size - 1] == 'm';
        } else if (is_high_control(text, at)) {
            size = 2;
            shown = false;
        } else if (c == '\xc2' && at + 1 == text.size()) {
            shown = false;  // the next page may begin with the other half of one
        }
        if (shown) out += text.substr(at, size);
        at += size;
    }
    return out;
}

}  // namespace blixard::cli
