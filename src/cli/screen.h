// Where output goes, as a port: the terminal in life, strings in tests.
#pragma once

#include <string>
#include <string_view>

namespace blixard::cli {

// ANSI colours, or nothing at all where they are off.
class Colours {
 public:
    explicit Colours(bool on = false) : on_(on) {}
    bool on() const { return on_; }
    std::string red(std::string_view text) const { return wrap("31", text); }
    std::string green(std::string_view text) const { return wrap("32", text); }
    std::string yellow(std::string_view text) const { return wrap("33", text); }
    std::string cyan(std::string_view text) const { return wrap("36", text); }
    std::string bold(std::string_view text) const { return wrap("1", text); }
    std::string dim(std::string_view text) const { return wrap("2", text); }

 private:
    std::string wrap(std::string_view code, std::string_view text) const;
    bool on_;
};

class Screen {
 public:
    virtual ~Screen() = default;
    virtual void out(std::string_view text) = 0;  // what was asked for
    virtual void err(std::string_view text) = 0;  // progress, hints, errors
    virtual bool out_is_tty() const = 0;
    virtual bool err_is_tty() const = 0;
    virtual int columns() const = 0;
    // Why something given to out() has not arrived ("No space left on device"); empty: all has.
    virtual std::string lost() const { return {}; }

    Colours out_colours;
    Colours err_colours;
};

// The process's own stdout and stderr. Colours only on a terminal, without NO_COLOR and with a TERM
// that is not "dumb".
class TerminalScreen final : public Screen {
 public:
    TerminalScreen();
    void out(std::string_view text) override;
    void err(std::string_view text) override;
    bool out_is_tty() const override { return out_tty_; }
    bool err_is_tty() const override { return err_tty_; }
    int columns() const override;
    std::string lost() const override;

 private:
    int out_error_ = 0;  // errno of the first write that failed
    bool out_tty_;
    bool err_tty_;
};

// Keeps what was written.
class StringScreen final : public Screen {
 public:
    void out(std::string_view text) override { out_text += text; }
    void err(std::string_view text) override { err_text += text; }
    bool out_is_tty() const override { return false; }
    bool err_is_tty() const override { return false; }
    int columns() const override { return 100; }

    std::string out_text;
    std::string err_text;
};

// Text of strangers (guests, servers) for a terminal: control characters become '?', so none can
// drive it. Also those of U+0080 to U+009F, which some terminals obey.
std::string printable(std::string_view text);

// The same for whole pages of it: lines, tabs, backspaces and colours stay; other sequences, which
// move about, rename the window or make the terminal answer as if somebody typed, are left out.
std::string printable_page(std::string_view text);

}  // namespace blixard::cli
