#include "model/parse_written.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "model/documents.h"
#include "model/json_dom.h"

namespace blixard::model::json {
namespace {

constexpr int kDepthMost = 16;            // of raw JSON; deeper goes the other way
constexpr std::size_t kItemsMost = 1000;  // of a list or map
constexpr std::size_t kDigitsMost = 18;   // any such number is an int64
constexpr std::size_t kKeysMost = 32;     // of an object in raw JSON

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where the reading is. Every function takes what it is named after, or says false and leaves the
// reader anywhere.
class Cursor {
 public:
    explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    bool at_end() const { return at_ == end_; }
    char peek() const { return at_ == end_ ? '\0' : *at_; }
    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    bool take(std::string_view word) {
        if (static_cast<std::size_t>(end_ - at_) < word.size() ||
            std::memcmp(at_, word.data(), word.size()) != 0)
            return false;
        at_ += word.size();
        return true;
    }

    // `"name":`
    bool key(std::string_view name) {
        const char* const before = at_;
        if (take('"') && take(name) && take('"') && take(':')) return true;
        at_ = before;
        return false;
    }

    // A string without escapes; a view into the text.
    bool plain_string(std::string_view& text) {
        if (!take('"')) return false;
        const char* const begin = at_;
        skip_plain();
        text = {begin, static_cast<std::size_t>(at_ - begin)};
        return take('"');
    }

    bool string(std::string& target) {
        if (!take('"')) return false;
        for (;;) {
            const char* const begin = at_;
            skip_plain();
            if (target.empty() && peek() == '\\') target.reserve(left_of_string(begin));
            target.append(begin, at_);
            if (take('"')) return true;
            if (!take('\\') || !escape(target)) return false;
        }
    }

    bool whole_number(std::int64_t& target) {
        const char* const begin = at_;
        if (!digits()) return false;
        return std::from_chars(begin, at_, target).ptr == at_ && is_number_end();
    }

    bool number(double& target) {
        const char* const begin = at_;
        if (!digits() || !fraction()) return false;
        return std::from_chars(begin, at_, target).ptr == at_ && is_number_end();
    }

    // An object as it is, checked as far as to be sure that it is one, with no member twice.
    bool raw_object(std::string& target) {
        const char* const begin = at_;
        if (peek() != '{' || !skip_value(0)) return false;
        target.assign(begin, at_);
        return true;
    }

 private:
    void skip_plain() {
        while (at_ != end_ && static_cast<unsigned char>(*at_) >= 0x20 && *at_ != '"' &&
               *at_ != '\\')
            ++at_;
    }

    // Bytes from `begin` to the end of the string that it lies in; with escapes, which are longer
    // than what they stand for.
    std::size_t left_of_string(const char* begin) const {
        const char* end = begin;
        while (end < end_ && *end != '"') end += *end == '\\' ? 2 : 1;
        return static_cast<std::size_t>(std::min(end, end_) - begin);
    }

    bool escape(std::string& target) {
        switch (peek()) {
            case '"': target += '"'; break;
            case '\\': target += '\\'; break;
            case 'n': target += '\n'; break;
            case 't': target += '\t'; break;
            case 'r': target += '\r'; break;
            case 'b': target += '\b'; break;
            case 'f': target += '\f'; break;
            default: return false;
        }
        ++at_;
        return true;
    }

    bool digits() {
        const bool minus = take('-');
        const char* const begin = at_;
        while (is_digit(peek())) ++at_;
        const auto count = static_cast<std::size_t>(at_ - begin);
        if (count == 0 || count > kDigitsMost) return false;
        return *begin != '0' || (count == 1 && (!minus || peek() == '.'));
    }
    bool fraction() {
        if (!take('.')) return true;
        const char* const begin = at_;
        while (is_digit(peek())) ++at_;
        return at_ != begin && static_cast<std::size_t>(at_ - begin) <= kDigitsMost;
    }
    bool is_number_end() const { return peek() == ',' || peek() == '}' || peek() == ']'; }

    bool skip_value(int depth) {
        if (depth == kDepthMost) return false;
        std::string_view text;
        switch (peek()) {
            case '{': return skip_object(depth);
            case '[': return skip_list(depth);
            case '"': return plain_string(text);
            case 't': return take("true");
            case 'f': return take("false");
            case 'n': return take("null");
            default: {
                double number_read;
                return number(number_read);
            }
        }
    }
    bool skip_object(int depth) {
        ++at_;
        if (take('}')) return true;
        std::array<std::string_view, kKeysMost> keys;
        for (std::size_t count = 0; count < kKeysMost; ++count) {
            if (!plain_string(keys[count]) || !take(':')) return false;
            const auto seen = keys.begin() + static_cast<std::ptrdiff_t>(count);
            if (std::find(keys.begin(), seen, *seen) != seen || !skip_value(depth + 1))
                return false;
            if (take('}')) return true;
            if (!take(',')) return false;
        }
        return false;
    }
    bool skip_list(int depth) {
        ++at_;
        if (take(']')) return true;
        for (std::size_t count = 0; count < kItemsMost; ++count) {
            if (!skip_value(depth + 1)) return false;
            if (take(']')) return true;
            if (!take(',')) return false;
        }
        return false;
    }

    const char* at_;
    const char* const end_;
};

bool read_value(const Field& field, void* member, Cursor& in);

bool read_object(const Type& type, void* object, Cursor& in) {
    if (!in.take('{')) return false;
    if (in.take('}')) return true;
    for (const Field& field : type.fields) {
        if (!in.key(field.name)) continue;
        if (!read_value(field, field.of(object), in)) return false;
        if (in.take('}')) return true;
        if (!in.take(',')) return false;
    }
    return false;  // a member that is not known, or stands elsewhere
}

// Elements up to the bracket; `read` takes one.
template <class Read>
bool read_list(Cursor& in, Read read) {
    if (!in.take('[')) return false;
    if (in.take(']')) return true;
    for (std::size_t count = 0; count < kItemsMost; ++count) {
        if (!read()) return false;
        if (in.take(']')) return true;
        if (!in.take(',')) return false;
    }
    return false;
}

bool read_map(std::map<std::string, std::string>& map, Cursor& in) {
    if (!in.take('{')) return false;
    if (in.take('}')) return true;
    for (std::size_t count = 0; count < kItemsMost; ++count) {
        std::string_view key;
        if (!in.plain_string(key) || !in.take(':')) return false;
        if (!map.empty() && map.rbegin()->first >= key) return false;
        if (!in.string(map.emplace_hint(map.end(), key, std::string())->second)) return false;
        if (in.take('}')) return true;
        if (!in.take(',')) return false;
    }
    return false;
}

bool read_bool(bool& target, Cursor& in) {
    target = in.peek() == 't';
    return in.take(target ? "true" : "false");
}

bool read_enum(const Field& field, std::uint8_t& target, Cursor& in) {
    std::string_view word;
    if (!in.plain_string(word)) return false;
    const auto found = std::find(field.names.begin(), field.names.end(), word);
    target = static_cast<std::uint8_t>(found - field.names.begin());
    return found != field.names.end();
}

bool read_short(ShortText& target, Cursor& in) {
    std::string_view text;
    if (!in.plain_string(text) || text.size() > ShortText::kBytesMax) return false;
    target = text;
    return true;
}

bool read_value(const Field& field, void* member, Cursor& in) {
    switch (field.kind) {
        case Kind::kBool: return read_bool(*static_cast<bool*>(member), in);
        case Kind::kInt: return in.whole_number(*static_cast<std::int64_t*>(member));
        case Kind::kDouble: return in.number(*static_cast<double*>(member));
        case Kind::kString: return in.string(*static_cast<std::string*>(member));
        case Kind::kShort: return read_short(*static_cast<ShortText*>(member), in);
        case Kind::kEnum: return read_enum(field, *static_cast<std::uint8_t*>(member), in);
        case Kind::kStrings: {
            auto& list = *static_cast<std::vector<std::string>*>(member);
            return read_list(in, [&] { return in.string(list.emplace_back()); });
        }
        case Kind::kInts: {
            auto& list = *static_cast<std::vector<std::int64_t>*>(member);
            return read_list(in, [&] { return in.whole_number(list.emplace_back()); });
        }
        case Kind::kMap:
            return read_map(*static_cast<std::map<std::string, std::string>*>(member), in);
        case Kind::kObject: return read_object(field.type(), member, in);
        case Kind::kOptional: return read_object(field.type(), field.items->append(member), in);
        case Kind::kObjects:
            return read_list(
                in, [&] { return read_object(field.type(), field.items->append(member), in); });
        case Kind::kJson: return in.raw_object(*static_cast<std::string*>(member));
    }
    return false;
}

}  // namespace

bool parse_written(const Type& type, std::string_view text, void* object) {
    if (text.size() > kDocumentBytesMax || !simdjson::validate_utf8(text.data(), text.size()))
        return false;
    Cursor in(text);
    return read_object(type, object, in) && in.at_end();
}

}  // namespace blixard::model::json
