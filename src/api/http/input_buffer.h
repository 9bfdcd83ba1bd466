// Bytes received and not yet understood. Grows on demand, up to what its owner allows, and shrinks
// when asked.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace blixard::api::http {

class InputBuffer {
 public:
    std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }
    void consume(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    // Room for more behind the bytes, or 0 where `max` bytes are already held.
    std::size_t make_room(std::size_t max) {
        if (begin_ > 0) {
            std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (end_ == capacity_ && capacity_ < max)
            grow(std::min(max, std::max(kSmall, capacity_ * 4)));
        return std::min(capacity_, max) - std::min(end_, max);
    }
    char* room() { return data_.get() + end_; }
    void received(std::size_t count) { end_ += count; }
    void release() {
        data_.reset();
        begin_ = end_ = capacity_ = 0;
    }

 private:
    static constexpr std::size_t kSmall =
        1024;  // a head of ours has 300 bytes; 10,000 silent connections cost 10 MB

    void grow(std::size_t capacity) {
        std::unique_ptr<char[]> bigger(new char[capacity]);
        if (end_ > 0) std::memcpy(bigger.get(), data_.get(), end_);
        data_ = std::move(bigger);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace blixard::api::http
