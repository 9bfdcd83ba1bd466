// Lists: which things, in which order, how many, and their documents joined into one body. Pure but
// for the cache.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/exchange.h"
#include "api/subject.h"
#include "base/result.h"
#include "view/snapshot.h"

namespace blixard::api {

inline constexpr std::int64_t kListLimitDefault = 1000;
inline constexpr std::int64_t kListLimitMax = 10000;

struct ListQuery {
    Kind kind = Kind::kVm;
    std::string project;  // "*": all; of no meaning where the kind lies in none
    std::size_t limit = kListLimitDefault;
    std::string after;  // the key that the page before ended with; empty: from the start
    std::vector<std::pair<std::string, std::string>> labels;  // all must match
    std::optional<model::Phase> phase;                        // VMs
    std::string node;                                         // VMs placed there
    std::string prefix;                                       // of the name
    std::vector<std::string> fields;                          // empty: whole documents
};
Result<ListQuery> parse_list(const Request& request, Kind kind);

// Refuses a project or a host that is not there: an empty list would say that nothing is wrong.
Status check_list(const view::Snapshot& state, const ListQuery& query);

// {"items":[...],"revision":R,"next":"..."}: in the order of project and name.
std::string list_body(const view::Snapshot& state, const ListQuery& query);

// The last few bodies, so that those who poll an unchanged state share one. One thread.
class ListCache {
 public:
    // Null where it is not kept at this revision.
    SharedText find(const std::string& query, view::Revision revision) const;
    void keep(const std::string& query, view::Revision revision, SharedText body);

 private:
    static constexpr std::size_t kEntriesMax = 16;
    static constexpr std::size_t kBodyBytesMax = 4 * 1024 * 1024;  // 64 MiB in all

    std::map<std::string, SharedText> bodies_;
    view::Revision revision_ = 0;  // all of them are of this one
};

}  // namespace blixard::api
