// Requests that wait for a VM to get somewhere (long poll): answered when it is there, when it
// cannot get there any more, when the time is over, or not at all when the client has gone.
//
// Threads: everything on the API's executor; judge() is pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/call.h"
#include "api/crossing.h"
#include "api/subject.h"
#include "view/view.h"

namespace blixard::api {

enum class Until : std::uint8_t { kRunning, kStopped, kPaused, kDeleted, kScheduled, kFailed };

struct WaitFor {
    Until until = Until::kRunning;
    Millis timeout{};
};
// ?wait=running&timeout=30; absent: no waiting. `bounds` of the time-out: 0 to 3600 s.
Result<std::optional<WaitFor>> parse_wait(const Request& request);

// True: it is there. False: not yet. An error: it will not get there by itself.
// `uid` empty: whatever has the name.
Result<bool> judge(const view::Snapshot& state, const Subject& vm, const std::string& uid,
                   Until until);

class Waits {
 public:
    Waits(Crossing& crossing, view::View& view) : crossing_(crossing), view_(view) {}

    // Answers `call` with the VM's document and `status`.
    void add(const CallPtr& call, Subject vm, std::string uid, WaitFor wait, int status);

    void on_update(const view::Update& update);
    std::size_t size() const { return waiting_.size(); }

 private:
    struct Wait {
        CallPtr call;
        Subject vm;
        std::string uid;
        WaitFor wait;
        int status = 200;
        TimerId timer = 0;
        bool answered = false;
    };
    using WaitPtr = std::shared_ptr<Wait>;

    // True: it is over.
    bool settle(const WaitPtr& wait, const view::Snapshot& state);
    void settle_all(const std::string& key, const view::Snapshot& state);
    void time_out(const WaitPtr& wait);
    void remove(const WaitPtr& wait);
    void look_for_gone();

    Crossing& crossing_;
    view::View& view_;
    std::multimap<std::string, WaitPtr> waiting_;  // by "<project>/<name>"
    bool sweeping_ = false;
};

}  // namespace blixard::api
