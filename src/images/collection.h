// Which image files a host may delete: those that no image names and no disk lies on, for long
// enough. Pure: facts and the time go in, what to delete comes out.
//
// A file is needed while an image of the store names it, or a disk of this host is an overlay on it
// (after `cluster leave` no image may name it any more, and the disk still is nothing without it).
// Two waits keep apart what looks alike. A file that an image of this store has named was let go of
// on purpose, by `image delete`: it goes after `grace`. One that none was ever seen to name may be
// an upload whose image is still to be made, or come from a cluster that this host was in and will
// be in again: it stays for `stray` after it was last asked for.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "images/blob_store.h"

namespace blixard::images {

struct CollectionRules {
    Millis grace = seconds(600);
    Millis stray = seconds(7 * 86400);
};

struct CollectionFacts {
    std::vector<Blob> files;
    std::vector<Blob> parts;            // of fetches; `asked_at`: when the last bytes came
    std::set<std::string> named;        // sha256: by an image of the store, as it is now
    std::set<std::string> under_disks;  // sha256: a disk of this host lies on it
    std::set<std::string> fetching;     // sha256: on its way from another host
    WallTime wall;                      // how long ago a file was asked for
    MonoTime mono;                      // how long this daemon has seen it spare
};

struct CollectionPlan {
    std::vector<Blob> files;           // to be deleted, unless somebody asks for one meanwhile
    std::vector<std::string> parts;    // sha256, to be deleted
    std::vector<std::string> refresh;  // sha256, to be marked as asked for now: it is needed

    bool empty() const { return files.empty() && parts.empty() && refresh.empty(); }
};

// What one host has seen. One thread at a time.
class Collection {
 public:
    // `named_once`: as an earlier daemon of this host left it, of the same store.
    explicit Collection(CollectionRules rules, std::set<std::string> named_once = {})
        : rules_(rules), named_once_(std::move(named_once)) {}

    CollectionPlan look(const CollectionFacts& facts);

    // What images of this store have named, and is named still or here. To be kept over restarts.
    const std::set<std::string>& named_once() const { return named_once_; }

 private:
    void remember_names(const CollectionFacts& facts);
    bool may_go(const Blob& file, MonoTime spare_since, const CollectionFacts& facts) const;

    const CollectionRules rules_;
    std::set<std::string> named_once_;             // sha256
    std::map<std::string, MonoTime> spare_since_;  // by sha256; of files that are here
};

// Every sha256 that stands in a text: an image's record (of whatever version), a path.
std::set<std::string> digests_in(std::string_view text);

}  // namespace blixard::images
