// Bodies made smaller. Fast levels: the time of the one loop is dearer than the bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/headers.h"

namespace blixard::api::http {

// Smaller bodies fit into one packet anyway.
constexpr std::size_t kCompressBytesMin = 1024;
// From here on (about 0.3 ms) another thread does it.
constexpr std::size_t kCompressBytesInline = 32 * 1024;

// Any thread. kIdentity copies.
std::string compress(Encoding encoding, std::string_view body);

// The compressed forms of bodies that are sent again and again (a list that has not changed). One
// thread.
class CompressedBodies {
 public:
    // Null: not known.
    std::shared_ptr<const std::string> find(const std::shared_ptr<const std::string>& plain,
                                            Encoding encoding) const;
    void keep(const std::shared_ptr<const std::string>& plain, Encoding encoding,
              std::shared_ptr<const std::string> compressed);

 private:
    struct Entry {
        std::weak_ptr<const std::string>
            plain;  // a body that nobody holds any more is never asked for again
        Encoding encoding;
        std::shared_ptr<const std::string> compressed;
    };
    static constexpr std::size_t kEntriesMax = 8;  // the few lists that are polled
    std::vector<Entry> entries_;                   // oldest first
};

}  // namespace blixard::api::http
