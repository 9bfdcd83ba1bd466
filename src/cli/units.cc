#include "cli/units.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>

namespace blixard::cli {
namespace {

constexpr std::int64_t kSizeMibMax =
    std::int64_t{1} << 40;  // an exbibyte: beyond it only arithmetic would overflow

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

tl::unexpected<Error> bad(std::string_view what, std::string_view text, std::string help) {
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not {}", text, what), std::move(help));
}

// The number at the front of `text`, which is shortened by it.
std::optional<double> take_number(std::string_view& text) {
    double number = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::optional<double> mib_per_unit(std::string_view unit) {
    std::string name = lower(unit);
    if (name.ends_with("ib"))
        name.resize(name.size() - 2);
    else if (name.size() == 2 && name.ends_with("b"))
        name.resize(1);
    if (name.empty() || name == "m") return 1;
    if (name == "k") return 1.0 / 1024;
    if (name == "g") return 1024;
    if (name == "t") return 1024.0 * 1024;
    return std::nullopt;
}

std::string one_digit(double number) {
    std::string text = fmt::format("{:.1f}", number);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
}

}  // namespace

Result<std::int64_t> parse_size_mib(std::string_view text) {
    constexpr auto kHelp = "write it as 512M, 2G, 1.5G or 1T; a bare number is MiB";
    std::string_view rest = text;
    std::optional<double> number = take_number(rest);
    if (!number) return bad("a size", text, kHelp);
    std::optional<double> unit = mib_per_unit(rest);
    if (!unit) return bad("a size", text, kHelp);
    double mib = *number * *unit;
    if (!(mib > 0) || mib > static_cast<double>(kSizeMibMax))
        return bad("a size above 0 and below 1 EiB", text, kHelp);
    if (mib != std::floor(mib)) return bad("a whole number of MiB", text, kHelp);
    return static_cast<std::int64_t>(mib);
}

Result<Millis> parse_duration(std::string_view text) {
    constexpr auto kHelp = "write it as 30s, 2m, 1h30m or 250ms; a bare number is seconds";
    std::string_view rest = text;
    double total_ms = 0;
    if (rest.empty()) return bad("a time span", text, kHelp);
    while (!rest.empty()) {
        std::optional<double> number = take_number(rest);
        if (!number || *number < 0) return bad("a time span", text, kHelp);
        std::size_t length = std::min(rest.find_first_of("0123456789."), rest.size());
        std::string unit = lower(rest.substr(0, length));
        rest.remove_prefix(length);
        if (unit.empty() || unit == "s")
            total_ms += *number * 1000;
        else if (unit == "ms")
            total_ms += *number;
        else if (unit == "m" || unit == "min")
            total_ms += *number * 60'000;
        else if (unit == "h")
            total_ms += *number * 3'600'000;
        else if (unit == "d")
            total_ms += *number * 86'400'000;
        else
            return bad("a time span", text, kHelp);
    }
    if (total_ms > 1e13) return bad("a time span below 300 years", text, kHelp);
    return Millis{static_cast<std::int64_t>(std::llround(total_ms))};
}

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least, std::int64_t most) {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool beyond = error == std::errc::result_out_of_range;
    if ((error != std::errc{} && !beyond) || end != text.data() + text.size())
        return bad("a whole number", text, {});
    if (beyond || number < least || number > most)
        return bad(fmt::format("between {} and {}", least, most), text, {});
    return number;
}

Result<double> parse_real(std::string_view text, double least) {
    std::string_view rest = text;
    std::optional<double> number = take_number(rest);
    if (!number || !rest.empty() || !std::isfinite(*number)) return bad("a number", text, {});
    if (*number < least) return bad(fmt::format("{} or more", least), text, {});
    return *number;
}

Result<std::pair<std::string, std::string>> parse_label(std::string_view text) {
    std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return bad("a label", text, "write it as key=value");
    return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<PortPair> parse_port(std::string_view text) {
    constexpr auto kHelp = "write it as 8080:80, 127.0.0.1:8080:80 or 5353:53/udp";
    PortPair pair;
    std::string_view rest = text;
    if (std::size_t slash = rest.rfind('/'); slash != std::string_view::npos) {
        pair.protocol = lower(rest.substr(slash + 1));
        if (pair.protocol != "tcp" && pair.protocol != "udp")
            return bad("a port pair", text, kHelp);
        rest = rest.substr(0, slash);
    }
    std::size_t colon = rest.rfind(':');
    auto guest =
        parse_integer(colon == std::string_view::npos ? rest : rest.substr(colon + 1), 1, 65535);
    if (!guest) return bad("a port pair", text, kHelp);
    pair.guest = *guest;
    if (colon == std::string_view::npos) return pair;
    rest = rest.substr(0, colon);
    colon = rest.rfind(':');
    std::string_view host = colon == std::string_view::npos ? rest : rest.substr(colon + 1);
    if (colon != std::string_view::npos) pair.address = std::string(rest.substr(0, colon));
    if (pair.address.starts_with('[') && pair.address.ends_with(']'))
        pair.address = pair.address.substr(1, pair.address.size() - 2);
    if (host.empty()) return pair;
    auto port = parse_integer(host, 0, 65535);
    if (!port) return bad("a port pair", text, kHelp);
    pair.host = *port;
    return pair;
}

std::string mib_text(std::int64_t mib) {
    auto amount = static_cast<double>(mib);
    if (mib >= 1024 * 1024) return one_digit(amount / 1024 / 1024) + "T";
    if (mib >= 1024) return one_digit(amount / 1024) + "G";
    return fmt::format("{}M", mib);
}

std::string bytes_text(std::int64_t bytes) {
    auto amount = static_cast<double>(bytes);
    for (std::string_view unit : {"B", "K", "M", "G"}) {
        if (amount < 1024) return one_digit(amount) + std::string(unit);
        amount /= 1024;
    }
    return one_digit(amount) + "T";
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    auto digits = [&](std::size_t at, std::size_t count) -> int {
        int number = 0;
        if (at + count > text.size()) return -1;
        for (char c : text.substr(at, count)) {
            if (c < '0' || c > '9') return -1;
            number = number * 10 + (c - '0');
        }
        return number;
    };
    int year = digits(0, 4), month = digits(5, 2), day = digits(8, 2);
    int hour = digits(11, 2), minute = digits(14, 2), second = digits(17, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || minute < 0 ||
        second < 0)
        return std::nullopt;
    std::size_t at = 19;
    int ms = 0;
    if (at < text.size() && text[at] == '.')
        for (int weight = 100; ++at < text.size() && text[at] >= '0' && text[at] <= '9';
             weight /= 10)
            ms += (text[at] - '0') * weight;
    std::int64_t offset_s = 0;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
        int hours = digits(at + 1, 2), minutes = digits(at + 4, 2);
        if (hours < 0 || minutes < 0) return std::nullopt;
        offset_s = (hours * 3600 + minutes * 60) * (text[at] == '-' ? -1 : 1);
    }
    using namespace std::chrono;
    sys_days date = std::chrono::year{year} / month / day;
    std::int64_t s = duration_cast<std::chrono::seconds>(date.time_since_epoch()).count() +
                     hour * 3600 + minute * 60 + second - offset_s;
    return WallTime{s * 1000 + ms};
}

std::string age_text(std::string_view rfc3339, WallTime now) {
    std::optional<WallTime> then = parse_rfc3339(rfc3339);
    if (!then) return "-";
    std::int64_t s = std::max<std::int64_t>((now - *then).count, 0) / 1000;
    if (s < 60) return fmt::format("{}s", s);
    if (s < 3600) return fmt::format("{}m", s / 60);
    if (s < 86'400) return fmt::format("{}h", s / 3600);
    if (s < 2 * 365 * 86'400) return fmt::format("{}d", s / 86'400);
    return fmt::format("{}y", s / (365 * 86'400));
}

std::string duration_text(Millis span) {
    if (span.count < 10'000) return fmt::format("{:.1f} s", static_cast<double>(span.count) / 1000);
    std::int64_t s = span.count / 1000;
    if (s < 60) return fmt::format("{} s", s);
    return fmt::format("{} min {} s", s / 60, s % 60);
}

}  // namespace blixard::cli
