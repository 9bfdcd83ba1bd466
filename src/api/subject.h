// What a request is about: one thing of one kind, found by its name in a state. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "view/snapshot.h"

namespace blixard::api {

enum class Kind : std::uint8_t { kVm, kNode, kImage, kVolume, kProject, kOperation, kFailover };

std::string_view kind_name(Kind kind);  // "vm", as in the documents
std::optional<Kind> kind_of(std::string_view name);
bool lies_in_project(Kind kind);

struct Subject {
    Kind kind = Kind::kVm;
    std::string project;  // empty where the kind lies in none
    std::string name;

    std::string key() const;   // as in the snapshot's tables
    std::string text() const;  // `vm "web-1"`, with the project where it is not "default"
};

using SharedText = std::shared_ptr<const std::string>;

struct Found {
    SharedText document;  // of a VM: the view's own bytes
    view::Revision revision = 0;
    std::string uid;  // empty where the kind has none
};

// Absent: there is none.
std::optional<Found> find(const view::Snapshot& state, const Subject& subject);
Error not_found(const Subject& subject);
// Of a VM or volume of which a newer version has written something that this one cannot read.
Error not_understood(const Subject& subject);
// Why find() has nothing.
Error not_there(const view::Snapshot& state, const Subject& subject);
// The default project is there also where a new daemon has not written it down yet.
bool has_project(const view::Snapshot& state, const std::string& name);

}  // namespace blixard::api
