// Tells when files grow or change, by inotify. On the event loop.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "os/event_loop.h"

namespace blixard::os {

class FileWatch {
 public:
    explicit FileWatch(EventLoop& loop);
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    // Calls `changed` after the file was written to: once for many writes, at most 20 times a
    // second. One watch per file.
    Result<int> add(const std::string& path, std::function<void()> changed);
    void remove(int watch);

 private:
    void collect();

    EventLoop& loop_;
    UniqueFd fd_;
    TimerId rest_ = 0;
    std::map<int, std::function<void()>> watches_;
};

}  // namespace blixard::os
