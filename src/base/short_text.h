// Ids and times of records: text of at most 39 bytes, held in place, so that reading, copying and
// keeping one asks for no memory.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace blixard {

class ShortText {
 public:
    static constexpr std::size_t kBytesMax = 39;

    constexpr ShortText() = default;
    // More than kBytesMax bytes are a bug of the caller: what comes from elsewhere is measured
    // where it is read.
    template <std::convertible_to<std::string_view> Text>
    ShortText(const Text& text) : ShortText(Whole{}, text) {}

    operator std::string_view() const { return {bytes_.data(), size_}; }
    std::string_view view() const { return *this; }
    std::string str() const { return std::string(view()); }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }

    template <std::convertible_to<std::string_view> Text>
    bool operator==(const Text& other) const {
        return view() == std::string_view(other);
    }

 private:
    struct Whole {};
    ShortText(Whole, std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
        ASSERT(text.size() <= kBytesMax);
        std::copy(text.begin(), text.end(), bytes_.begin());
    }

    std::uint8_t size_ = 0;
    std::array<char, kBytesMax> bytes_{};
};

}  // namespace blixard
