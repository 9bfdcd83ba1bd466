// Values to bytes and back, with one description of each type for both directions (fields.h).
//
// Whole numbers are varints (LEB128; signed ones zigzag first), texts and lists carry their length
// in front. A Reader that meets anything else turns bad, and gives zeroes from then on: whoever
// reads looks at ok() in the end. Values, one thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::recorder {

class Writer {
 public:
    static constexpr bool kReads = false;
    explicit Writer(std::string& out) : out_(out) {}

    void number(std::uint64_t value) {
        while (value >= 0x80) {
            out_ += static_cast<char>(value | 0x80);
            value >>= 7;
        }
        out_ += static_cast<char>(value);
    }
    void bytes(std::string_view text) {
        number(text.size());
        out_ += text;
    }

    void item(bool& value) { out_ += value ? '\1' : '\0'; }
    void item(std::string& value) { bytes(value); }
    void item(double& value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
    template <class T>
        requires(std::is_integral_v<T> || std::is_enum_v<T>)
    void item(T& value) {
        if constexpr (std::is_signed_v<T>) {
            const auto wide = static_cast<std::int64_t>(value);
            number((static_cast<std::uint64_t>(wide) << 1) ^
                   static_cast<std::uint64_t>(wide >> 63));
        } else {
            number(static_cast<std::uint64_t>(value));
        }
    }

 private:
    std::string& out_;
};

class Reader {
 public:
    static constexpr bool kReads = true;
    explicit Reader(std::string_view in) : in_(in) {}

    bool ok() const { return ok_; }
    bool at_end() const { return in_.empty(); }
    std::size_t left() const { return in_.size(); }

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (in_.empty()) break;
            const auto byte = static_cast<unsigned char>(in_.front());
            in_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        return spoil();
    }
    std::string_view bytes() {
        const std::uint64_t size = number();
        if (size > in_.size()) return spoil(), std::string_view{};
        const std::string_view text = in_.substr(0, size);
        in_.remove_prefix(size);
        return text;
    }
    // For a count of things of at least one byte each: never more than there are bytes.
    std::uint64_t count() {
        const std::uint64_t many = number();
        return many > in_.size() ? spoil() : many;
    }

    void item(bool& value) { value = number() != 0; }
    void item(std::string& value) { value = std::string(bytes()); }
    void item(double& value) {
        if (in_.size() < sizeof value) return (void)spoil();
        std::memcpy(&value, in_.data(), sizeof value);
        in_.remove_prefix(sizeof value);
    }
    template <class T>
        requires(std::is_integral_v<T> || std::is_enum_v<T>)
    void item(T& value) {
        const std::uint64_t raw = number();
        if constexpr (std::is_signed_v<T>)
            value = static_cast<T>(static_cast<std::int64_t>(raw >> 1) ^
                                   -static_cast<std::int64_t>(raw & 1));
        else
            value = static_cast<T>(raw);
    }

 private:
    std::uint64_t spoil() {
        ok_ = false;
        in_ = {};
        return 0;
    }
    std::string_view in_;
    bool ok_ = true;
};

template <class A, class... T>
void pack(A& archive, T&... values);

template <class A>
void fields(A& archive, Millis& span) {
    archive.item(span.count);
}
template <class A>
void fields(A& archive, MonoTime& time) {
    archive.item(time.ms);
}
template <class A>
void fields(A& archive, WallTime& time) {
    archive.item(time.ms);
}
template <class A>
void fields(A& archive, Error& error) {
    pack(archive, error.code, error.message, error.field, error.help);
}

template <class A, class T>
concept Plain = requires(A& archive, T& value) { archive.item(value); };

template <class A, class T>
void one(A& archive, T& value) {
    if constexpr (Plain<A, T>)
        archive.item(value);
    else
        fields(archive, value);
}

template <class A, class T>
void one(A& archive, std::optional<T>& value) {
    bool has = value.has_value();
    archive.item(has);
    if constexpr (A::kReads) {
        value.reset();
        if (has) value.emplace();
    }
    if (has) one(archive, *value);
}

template <class A, class First, class Second>
void one(A& archive, std::pair<First, Second>& value) {
    pack(archive, value.first, value.second);
}

template <class A, class T>
void one(A& archive, std::vector<T>& list) {
    if constexpr (A::kReads) {
        list.clear();
        for (std::uint64_t left = archive.count(); left > 0 && archive.ok(); --left)
            one(archive, list.emplace_back());
    } else {
        archive.number(list.size());
        for (T& value : list) one(archive, value);
    }
}

template <class A, class K, class... Order>
void one(A& archive, std::set<K, Order...>& keys) {
    if constexpr (A::kReads) {
        keys.clear();
        for (std::uint64_t left = archive.count(); left > 0 && archive.ok(); --left) {
            K key{};
            one(archive, key);
            keys.insert(std::move(key));
        }
    } else {
        archive.number(keys.size());
        for (const K& key : keys) one(archive, const_cast<K&>(key));
    }
}

template <class A, class K, class V, class... Order>
void one(A& archive, std::map<K, V, Order...>& table) {
    if constexpr (A::kReads) {
        table.clear();
        for (std::uint64_t left = archive.count(); left > 0 && archive.ok(); --left) {
            K key{};
            V value{};
            pack(archive, key, value);
            table.emplace(std::move(key), std::move(value));
        }
    } else {
        archive.number(table.size());
        for (auto& [key, value] : table) pack(archive, const_cast<K&>(key), value);
    }
}

template <class A, class T>
void one(A& archive, Result<T>& result) {
    bool good = result.has_value();
    archive.item(good);
    if constexpr (A::kReads) {
        if (good)
            result = T{};
        else
            result = fail(Error{});
    }
    if (good)
        one(archive, *result);
    else
        one(archive, result.error());
}

template <class A, class... T>
void pack(A& archive, T&... values) {
    (one(archive, values), ...);
}

// Writing changes nothing, whatever the archive's signature says.
template <class... T>
void write(std::string& out, const T&... values) {
    Writer writer(out);
    (one(writer, const_cast<T&>(values)), ...);
}

}  // namespace blixard::recorder
