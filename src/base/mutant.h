// Deliberate faults in the product's own logic, to prove that the simulation finds such faults. In
// the product mutant() is the constant false and costs nothing; only the target blixard-sim-mutants
// is compiled with BLIXARD_MUTANTS.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace blixard {

enum class MutantId : std::uint8_t {
    kNone,
    kFenceLate,           // the self-fence deadline lies a second behind the lease's end
    kDeadlineFromAnswer,  // ... is counted from the answer to a renewal, not from its sending
    kElectionUnproven,    // a controller's write does not compare the election
    kStaleView,           // a placement is written without comparing what it counted on
    kFailoverUnproven,  // a failover does not compare that the lease is gone, and does not wait for
                        // it
    kStartUnannounced,  // an agent starts a VM without the store's consent
    kUnknownIsDone,     // an unknown outcome is taken for success
    kKeepElsewhere,     // a VM that has its place elsewhere is not killed
    kEpochUnchecked,    // an instance of an older placement is taken for the present one
    kEpochNotRaised,    // a VM is placed anew with the same epoch
    kStartingIsNothing,     // a VM that is starting holds no room
    kDecisionUncounted,     // a decision under way holds no room
    kClearTooEarly,         // a placement is cleared before the agent said that the VM is at rest
    kFailoverSilent,        // a failover leaves no record
    kFailoverAll,           // VMs without HA are failed over, too
    kRestartForgotten,      // an order to restart is not looked at
    kDirectoryLeft,         // a deleted VM's directory stays
    kRoomUnnoticed,         // pending VMs are not looked at when room is freed
    kLeaseNotRegained,      // a lost lease is not asked for anew
    kWorkBeforeLease,       // a granted lease feeds the watchdog before the host's key hangs on it
    kPreparedTooLong,       // a start goes on though the lease it was allowed under has ended
    kDoubtIgnored,          // a host whose VMs are being failed over is given new ones
    kLeaseOverwritten,      // a host's lease key is put whatever stands there
    kVouchKept,             // that people vouched for a lost host counts for its next loss, too
    kMarginSkipped,         // VMs are failed over as soon as the lease's key is gone
    kCordonIgnored,         // a cordoned host is given new VMs
    kHostUncompared,        // a VM is placed without comparing its host's lease and spec
    kDrainForgotten,        // VMs stay on a host that is drained
    kUnfenced,              // HA VMs are started without the watchdog's guard
    kNeverRestarts,         // a VM that shall never be restarted is
    kCleanEndRestarts,      // a VM that ended well is restarted though only failures shall be
    kOneTooMany,            // anti-affinity lets one more in
    kOthersRulesIgnored,    // ... of the VMs that are there already is not asked
    kZoneIgnored,           // an excluded zone is taken
    kPreemptsEquals,        // a VM of the same priority is evicted
    kEventLost,             // the last event that a resumed stream has to catch up with is left out
    kIdempotencyForgotten,  // what was done under an Idempotency-Key is not recorded
    kQuotaUnguarded,        // two writes at once may exceed a quota together
    kUnknownIsFailed,       // the API says of an unknown outcome that it did not happen
    kIfMatchIgnored,        // a conditional change happens whatever came between
    kReadTooEarly,          // a consistent read does not wait for the view
    kAnswerTooEarly,        // a write is answered before the view shows it
    kGenerationKept,        // a changed spec has the generation of the old one
    kRecordOverwritten,     // a VM's record is put whatever stands there
    kVolumeUnclaimed,       // two running VMs may name one volume
    kVolumeEpochKept,       // a volume that another VM takes keeps its epoch
    kDetachedRunning,       // a disk is taken from a VM that runs
    kSpecUncompared,        // a start is announced though the spec has changed
    kCompanyUncommitted,    // a VM is placed with one whose place is not written yet
    kWatchGap,              // a view misses the revision after the one it has read
    kReloadKeepsOld,        // a view that reads the state anew keeps what is gone
    kClearUncompared,       // a place is taken away whatever the agent has said since
    kReleaseKept,           // a VM that is placed anew is told to leave at once
    kReasonStale,           // what was once written about a pending VM stays
    kReasonMiscounted,      // hosts that refuse for the same reason count once
    kVolumeRecordsLeft,     // a deleted VM's volumes stay
    kQuotaOneMore,          // a quota lets one more in
    kImageUseIgnored,       // an image goes though VMs have it
    kDrainUnended,          // the operation of a drain never ends
    kBackoffForgotten,      // a VM that fails is started again at once, and again
    kReserveForgotten,      // what a host keeps for itself is given to VMs
    kMarginHalved,          // an agent leaves half of the lease's margin
    kLeaseUnheld,           // a fenced VM is started without a valid lease
    kPauseForgotten,        // a VM that shall be paused runs
    kEndUnwritten,          // an end is forgotten before it is written down
    kPinIgnored,            // a VM is placed away from the host that has its volume
    kUidUnchecked,          // what was placed for a deleted VM counts for one of its name
    kMoveUncompared,        // a rebalance moves a VM whatever its operation has become
    kTurnKept,              // a write against a quota keeps its turn when it is done
    kPageSkipsOne,          // a list's next page begins behind the one that did not fit
    kNewSaidChanged,        // the event of something new says that it was changed
    kNameBegins,            // a stream of one name has the events of all that begin like it
    kRestUncompared,        // a disk is taken or grown whatever the agent says meanwhile
    kMarkUncompared,        // an image or a project goes though its mark has ended
    kCompanyUncompared,     // a VM is placed beside one that may have left
    kWaitUnsettled,         // who waits is not told of what a reload has brought
    kKeyForOther,           // an Idempotency-Key answers for any other request
    kZoneLost,              // who changes a host's labels takes its zone
    kHalfRevision,          // a stream resumed inside a revision goes on behind it
    kHeldAgainUnsaid,       // what waits for a lease is not told when it is held again
    kReloadUnlooked,        // an agent whose view reads the state anew looks at nothing
    kMarginUnwatched,       // nobody wakes when a lost host's margin has passed
    kForceIgnored,          // who is to be ended by force is asked to stop
    kGraceIgnored,          // a guest gets no time to stop
    kSilenceCutShort,       // a monitor that has answered since is taken for silent still
    kBackoffUncapped,       // the longest wait before a restart is four times as long
    kDrainDoneEarly,        // a drain is done while one VM is left
    kDrainTotalShrinks,     // what has left is not counted in a drain's total
    kReleaseUncompared,     // a drain that has been ended goes on
    kEvictionUncompared,    // VMs make way on a host that may be lost
    kHistoryShort,          // the store forgets what has just been
    kHoldKept,              // room that is kept for one that moves is kept for ever
    kMovesStarting,         // a rebalance moves what is only starting
    kNeverStartedStays,     // a VM that never started on its lost host is not placed anew
    kNewerActedOn,          // an agent goes on with what a newer version has written
    kLeaseUnnamed,          // the record of a failover names no lease
    kHighestGoes,           // the highest of those that may be evicted go
    kLowGoesFirst,          // the lowest of those that wait is asked first
    kRoomNeverKept,         // who has waited for long has no host kept free
    kRoomKeptOn,            // a host is kept for one that cannot be there any more
    kAnchorsMove,           // a rebalance moves those whom others must be near
    kRestartsNeverReset,    // a good run does not end the row of restarts
    kPidKept,               // an end is said with the process that there was
    kDiskFailureSwallowed,  // a disk that could not be deleted is forgotten
    kOnceIll,               // one health check that fails is enough
    kLateProbeCounts,       // a probe's answer counts for the process that came after the one asked
    kNeverGivenUp,          // a VM that is never restarted is tried again when it did not come up
    kProofKept,             // what may still happen is decided anew under the same proof
    kWorkBeforeView,        // an agent works before its view has come to its lease
    kStartPeriodIgnored,    // a guest that comes up is taken for ill
    kGuardKept,             // a quota guard that was refused is counted on again
    kToldOfOldRun,          // who waits for a restart is told of the run before
    kRetryForgotten,        // a volume that could not be deleted is never tried again
    kRefusedFromOld,        // a refusal is said of a state that may be past
    kDrainUnheld,           // two VMs are told to leave for one place
    kLeaversForgotten,      // who begins anew keeps no room for those told to leave
    kCount
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(MutantId::kCount)>
    kMutantNames = {"none",
                    "fence-late",
                    "deadline-from-answer",
                    "election-unproven",
                    "stale-view",
                    "failover-unproven",
                    "start-unannounced",
                    "unknown-is-done",
                    "keep-elsewhere",
                    "epoch-unchecked",
                    "epoch-not-raised",
                    "starting-is-nothing",
                    "decision-uncounted",
                    "clear-too-early",
                    "failover-silent",
                    "failover-all",
                    "restart-forgotten",
                    "directory-left",
                    "room-unnoticed",
                    "lease-not-regained",
                    "work-before-lease",
                    "prepared-too-long",
                    "doubt-ignored",
                    "lease-overwritten",
                    "vouch-kept",
                    "margin-skipped",
                    "cordon-ignored",
                    "host-uncompared",
                    "drain-forgotten",
                    "unfenced",
                    "never-restarts",
                    "clean-end-restarts",
                    "one-too-many",
                    "others-rules-ignored",
                    "zone-ignored",
                    "preempts-equals",
                    "event-lost",
                    "idempotency-forgotten",
                    "quota-unguarded",
                    "unknown-is-failed",
                    "if-match-ignored",
                    "read-too-early",
                    "answer-too-early",
                    "generation-kept",
                    "record-overwritten",
                    "volume-unclaimed",
                    "volume-epoch-kept",
                    "detached-running",
                    "spec-uncompared",
                    "company-uncommitted",
                    "watch-gap",
                    "reload-keeps-old",
                    "clear-uncompared",
                    "release-kept",
                    "reason-stale",
                    "reason-miscounted",
                    "volume-records-left",
                    "quota-one-more",
                    "image-use-ignored",
                    "drain-unended",
                    "backoff-forgotten",
                    "reserve-forgotten",
                    "margin-halved",
                    "lease-unheld",
                    "pause-forgotten",
                    "end-unwritten",
                    "pin-ignored",
                    "uid-unchecked",
                    "move-uncompared",
                    "turn-kept",
                    "page-skips-one",
                    "new-said-changed",
                    "name-begins",
                    "rest-uncompared",
                    "mark-uncompared",
                    "company-uncompared",
                    "wait-unsettled",
                    "key-for-other",
                    "zone-lost",
                    "half-revision",
                    "held-again-unsaid",
                    "reload-unlooked",
                    "margin-unwatched",
                    "force-ignored",
                    "grace-ignored",
                    "silence-cut-short",
                    "backoff-uncapped",
                    "drain-done-early",
                    "drain-total-shrinks",
                    "release-uncompared",
                    "eviction-uncompared",
                    "history-short",
                    "hold-kept",
                    "moves-starting",
                    "never-started-stays",
                    "newer-acted-on",
                    "lease-unnamed",
                    "highest-goes",
                    "low-goes-first",
                    "room-never-kept",
                    "room-kept-on",
                    "anchors-move",
                    "restarts-never-reset",
                    "pid-kept",
                    "disk-failure-swallowed",
                    "once-ill",
                    "late-probe-counts",
                    "never-given-up",
                    "proof-kept",
                    "work-before-view",
                    "start-period-ignored",
                    "guard-kept",
                    "told-of-old-run",
                    "retry-forgotten",
                    "refused-from-old",
                    "drain-unheld",
                    "leavers-forgotten"};

#ifdef BLIXARD_MUTANTS
inline MutantId active_mutant = MutantId::kNone;  // set once, before anything runs
inline bool mutant(MutantId id) { return active_mutant == id; }
inline bool set_mutant(std::string_view name) {
    for (std::size_t i = 1; i < kMutantNames.size(); ++i)
        if (kMutantNames[i] == name) active_mutant = static_cast<MutantId>(i);
    return active_mutant != MutantId::kNone;
}
#else
constexpr bool mutant(MutantId) { return false; }
constexpr bool set_mutant(std::string_view) { return false; }
#endif

}  // namespace blixard
