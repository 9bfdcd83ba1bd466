// A program run on this terminal to its end: an editor, the guest builder.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace blixard::cli {

enum class ChildOutput : std::uint8_t {
    kTerminal,
    kStderr
};  // kStderr: its stdout goes to our stderr too

// Success only where it ended with status 0. Ctrl-C goes to the child; this process waits for it,
// so that it can clean up behind it.
Status run_child(const std::vector<std::string>& arguments, ChildOutput output);

// A directory of its own under TMPDIR, removed with everything in it at the end.
class TemporaryDirectory {
 public:
    static Result<TemporaryDirectory> make();
    TemporaryDirectory(TemporaryDirectory&& other) noexcept
        : path_(std::exchange(other.path_, {})) {}
    TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
    ~TemporaryDirectory();
    const std::string& path() const { return path_; }
    void keep() { path_.clear(); }

 private:
    explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace blixard::cli
