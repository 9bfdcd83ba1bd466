#include "recorder/entries.h"

namespace blixard::recorder {

std::string_view call_name(CallKind kind) {
    switch (kind) {
        case CallKind::kCommit: return "commit";
        case CallKind::kRead: return "read";
        case CallKind::kCurrentRevision: return "ask for the revision";
        case CallKind::kWatch: return "watch";
        case CallKind::kUnwatch: return "end the watch";
        case CallKind::kGrantLease: return "ask for a lease";
        case CallKind::kRenewLease: return "renew the lease";
        case CallKind::kRevokeLease: return "give the lease back";
        case CallKind::kCompact: return "compact";
        case CallKind::kRecover: return "recover";
        case CallKind::kStart: return "start";
        case CallKind::kStop: return "stop";
        case CallKind::kKill: return "kill";
        case CallKind::kPause: return "pause";
        case CallKind::kResume: return "resume";
        case CallKind::kForget: return "forget";
        case CallKind::kPurge: return "purge";
        case CallKind::kDeleteDisk: return "delete the disk";
        case CallKind::kFeed: return "feed the watchdog until";
        case CallKind::kEnsureBlob: return "bring the file";
        case CallKind::kProbe: return "probe";
    }
    return "?";
}

}  // namespace blixard::recorder
