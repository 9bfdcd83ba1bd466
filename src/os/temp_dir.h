// A directory of a test's own, gone with it.
#pragma once

#include <stdlib.h>

#include <string>

#include "base/assert.h"
#include "os/files.h"

namespace blixard::os {

class TempDir {
 public:
    TempDir() {
        char name[] = "/tmp/blixard-test-XXXXXX";
        ASSERT(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    ~TempDir() { (void)remove_tree(path_); }
    TempDir(const TempDir&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
    std::string path_;
};

}  // namespace blixard::os
