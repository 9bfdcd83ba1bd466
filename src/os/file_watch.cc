#include "os/file_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>

#include <set>

#include "base/assert.h"
#include "os/system_error.h"

namespace blixard::os {
namespace {

constexpr Millis kRest{50};  // between two looks: a guest writes its console byte by byte

}  // namespace

FileWatch::FileWatch(EventLoop& loop)
    : loop_(loop), fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_) loop_.watch_fd(fd_.get(), EPOLLIN, [this](std::uint32_t) { collect(); });
}

FileWatch::~FileWatch() {
    loop_.cancel(rest_);
    if (fd_) loop_.unwatch_fd(fd_.get());
}

Result<int> FileWatch::add(const std::string& path, std::function<void()> changed) {
    const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), IN_MODIFY);
    if (watch < 0) return fail_errno("watch " + path);
    watches_[watch] = std::move(changed);
    return watch;
}

void FileWatch::remove(int watch) {
    if (watches_.erase(watch) != 0) ::inotify_rm_watch(fd_.get(), watch);
}

void FileWatch::collect() {
    std::set<int> changed;
    alignas(inotify_event) char block[4096];
    ssize_t got = 0;
    while ((got = ::read(fd_.get(), block, sizeof block)) > 0) {
        for (const char* at = block; at < block + got;) {
            const auto* const event = reinterpret_cast<const inotify_event*>(at);
            if ((event->mask & IN_Q_OVERFLOW) != 0) {
                for (const auto& [watch, call] : watches_) changed.insert(watch);
            }
            changed.insert(event->wd);
            at += sizeof(inotify_event) + event->len;
        }
    }
    loop_.unwatch_fd(fd_.get());
    rest_ = loop_.after(kRest, [this] {
        loop_.watch_fd(fd_.get(), EPOLLIN, [this](std::uint32_t) { collect(); });
    });
    for (const int watch : changed) {
        const auto found = watches_.find(watch);
        if (found == watches_.end()) continue;
        const auto call = found->second;  // it may remove itself
        call();
    }
}

}  // namespace blixard::os
