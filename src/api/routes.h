// Which operation a method and a path ask for.
#pragma once

#include <string>
#include <string_view>

#include "api/access.h"
#include "api/operations.h"

namespace blixard::api {

struct Route {
    std::string_view method;
    std::string_view pattern;  // one segment may be a {parameter}
    Operation operation;
    Right right = Right::kAdmin;
    bool always = false;     // also before the state is there
    bool any_query = false;  // what it takes is not ours to know
};

struct Match {
    const Route* route = nullptr;  // null: nothing of this path, or not with this method
    std::string_view name;         // what stands for the parameter; a view into the path
    std::string allow;             // the methods of this path; empty: there is no such path
};
Match match_route(std::string_view method, std::string_view path);

}  // namespace blixard::api
