#include "recorder/redact.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace blixard::recorder {
namespace {

// Lower case; a name that contains one of them is secret.
constexpr std::array<std::string_view, 14> kSecretWords = {
    "cloud_init", "user_data", "userdata", "meta_data",   "network_config", "passw",  "secret",
    "token",      "api_key",   "apikey",   "private_key", "credential",     "certif", "authoriz"};

// Walks JSON text once. Where the text turns out to be none, gives up.
class Scrubber {
 public:
    explicit Scrubber(std::string_view in) : in_(in) {}

    bool run(std::string& out) {
        out_ = &out;
        if (!value(false, false)) return false;
        spaces();
        return at_ == in_.size();
    }

 private:
    static constexpr int kDepthMost = 200;

    void spaces() {
        const std::size_t from = at_;
        while (at_ < in_.size() && std::isspace(static_cast<unsigned char>(in_[at_]))) ++at_;
        out_->append(in_.substr(from, at_ - from));
    }

    bool take(char expected) {
        if (at_ >= in_.size() || in_[at_] != expected) return false;
        *out_ += expected;
        ++at_;
        return true;
    }

    // The raw text of a string, with its quotes; empty where there is none.
    std::string_view raw_string() {
        if (at_ >= in_.size() || in_[at_] != '"') return {};
        for (std::size_t end = at_ + 1; end < in_.size(); ++end) {
            if (in_[end] == '\\')
                ++end;
            else if (in_[end] == '"')
                return in_.substr(at_, end + 1 - at_);
        }
        return {};
    }

    bool string(bool secret, bool line) {
        const std::string_view raw = raw_string();
        if (raw.empty()) return false;
        at_ += raw.size();
        if (secret && raw.size() > 2) {
            out_->append("\"").append(kRemoved).append("\"");
        } else if (line) {
            out_->append("\"")
                .append(line_without_secrets(raw.substr(1, raw.size() - 2)))
                .append("\"");
        } else {
            out_->append(raw);
        }
        return true;
    }

    bool value(bool secret, bool line) {
        if (++depth_ > kDepthMost) return false;
        spaces();
        if (at_ >= in_.size()) return false;
        const bool good = in_[at_] == '{'   ? object(secret)
                          : in_[at_] == '[' ? list(secret, line)
                          : in_[at_] == '"' ? string(secret, line)
                                            : plain(secret);
        --depth_;
        return good;
    }

    // A number, true, false, null.
    bool plain(bool secret) {
        const std::size_t from = at_;
        while (at_ < in_.size() &&
               std::string_view("+-.0123456789Etruefalsn").find(in_[at_]) != std::string_view::npos)
            ++at_;
        if (at_ == from) return false;
        const std::string_view text = in_.substr(from, at_ - from);
        const bool number = std::isdigit(static_cast<unsigned char>(text.back())) != 0;
        out_->append(secret && number ? std::string_view("0") : text);
        return true;
    }

    bool list(bool secret, bool line) {
        if (!take('[')) return false;
        spaces();
        if (take(']')) return true;
        do {
            if (!value(secret, line)) return false;
            spaces();
        } while (take(','));
        return take(']');
    }

    bool object(bool secret) {
        if (!take('{')) return false;
        spaces();
        if (take('}')) return true;
        do {
            spaces();
            const std::string_view name = raw_string();
            if (name.empty()) return false;
            at_ += name.size();
            out_->append(name);
            spaces();
            if (!take(':')) return false;
            const std::string_view bare = name.substr(1, name.size() - 2);
            // A name written with escapes hides what it is.
            const bool hides =
                secret || bare.find('\\') != std::string_view::npos || is_secret_name(bare);
            if (!value(hides, bare == "command_line")) return false;
            spaces();
        } while (take(','));
        return take('}');
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string* out_ = nullptr;
    int depth_ = 0;
};

}  // namespace

bool is_secret_name(std::string_view name) {
    // Not std::tolower, which asks the locale: every name of every record comes by here.
    const auto same = [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    };
    return std::any_of(kSecretWords.begin(), kSecretWords.end(), [&](std::string_view word) {
        return std::search(name.begin(), name.end(), word.begin(), word.end(), same) != name.end();
    });
}

std::string without_secrets(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    return Scrubber(json).run(out) ? out : std::string(kRemoved);
}

std::string line_without_secrets(std::string_view line) {
    std::string out;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        const std::string_view word = line.substr(0, end);
        const std::size_t equals = word.find('=');
        const bool secret =
            equals != std::string_view::npos && is_secret_name(word.substr(0, equals));
        out += secret ? word.substr(0, equals + 1) : word;
        if (secret) out += kRemoved;
        if (end < line.size()) out += ' ';
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return out;
}

}  // namespace blixard::recorder
