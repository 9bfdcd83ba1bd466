#include "hypervisor/qemu/ceph_disk.h"

#include "hypervisor/qemu/arguments.h"
#include "os/command.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kQuick =
    seconds(60);  // the commands have time-outs of their own; this ends one that hangs
constexpr Millis kCopy = seconds(3600);  // of a whole image
constexpr std::int64_t kMib = 1 << 20;
// What the guard needs is not left to Ceph's defaults.
constexpr const char* kFeatures = "layering,exclusive-lock,object-map,fast-diff,deep-flatten";

// `what`: "make image vms/a".
Result<std::string> ask(const CephPool& pool, const std::string& what, const std::string& program,
                        const std::vector<std::string>& words, Millis limit = kQuick) {
    auto result = os::run_command(ceph_command(pool, program, words), limit);
    if (!result && result.error().code == ErrorCode::kTimeout)
        return fail(ceph_error(pool, what, kTimeoutStatus, ""));
    if (!result) {
        Error error = result.error();
        error.message = what + ": " + error.message;
        if (error.code == ErrorCode::kNotFound) error.help = "install the package ceph-common";
        return fail(std::move(error));
    }
    if (result->exit.status == 0) return std::move(result->output);
    return fail(
        ceph_error(pool, what, result->exit.status.value_or(kTimeoutStatus), result->errors));
}

Result<std::string> rbd(const CephImage& image, const std::string& what,
                        std::vector<std::string> words, Millis limit = kQuick) {
    return ask(image.pool, what + " image " + image.text(), "rbd", words, limit);
}

Result<std::string> rados(const CephImage& image, const std::string& what,
                          const std::vector<std::string>& words) {
    return ask(image.pool, what + " image " + image.text(), "rados", words);
}

// The image or object is not there. A pool that is not there is another matter: its error has a
// help.
template <class T>
bool is_absent(const Result<T>& answer) {
    return !answer && answer.error().code == ErrorCode::kNotFound && answer.error().help.empty();
}

template <class T>
Status absent_is_fine(const Result<T>& done) {
    if (done || is_absent(done)) return {};
    return fail(done.error());
}

Result<std::optional<CephImageInfo>> find_image(const CephImage& image) {
    const auto answer = rbd(image, "look at", {"info", image.text(), "--format", "json"});
    if (is_absent(answer)) return std::nullopt;
    if (!answer) return fail(answer.error());
    ASSIGN_OR_RETURN(const CephImageInfo info, parse_image_info(*answer));
    if (info.has_exclusive_lock) return info;
    return fail(ErrorCode::kUnsupported,
                "image " + image.text() +
                    " has no exclusive lock, so nothing keeps two hosts from writing to it",
                "rbd feature enable " + image.text() + " exclusive-lock");
}

Result<std::vector<Claim>> claims_of(const CephImage& image) {
    const auto keys = rados(image, "read the claims of", {"listomapkeys", claims_object(image)});
    if (is_absent(keys)) return std::vector<Claim>{};
    if (!keys) return fail(keys.error());
    return parse_claims(*keys);
}

// The claims there are, none of them above ours.
Result<std::vector<Claim>> check_claims(const CephImage& image, const Claim& ours) {
    ASSIGN_OR_RETURN(std::vector<Claim> claims, claims_of(image));
    for (const Claim& claim : claims) RETURN_IF_ERROR(check_claim(claim, ours, image.text()));
    return claims;
}

Result<std::vector<CephLock>> locks_of(const CephImage& image) {
    ASSIGN_OR_RETURN(
        const std::string locks,
        rbd(image, "read the locks of", {"lock", "ls", image.text(), "--format", "json"}));
    return parse_locks(locks);
}

Result<std::set<CephClient>> watchers_of(const CephImage& image) {
    ASSIGN_OR_RETURN(const std::string status,
                     rbd(image, "read who has open", {"status", image.text(), "--format", "json"}));
    return parse_watchers(status);
}

// `rbd lock rm` blocklists the owner before it takes the lock away (rbd_blocklist_on_break_lock).
Status evict(const CephImage& image, const std::vector<CephLock>& locks) {
    for (const CephLock& lock : locks) {
        RETURN_IF_ERROR(absent_is_fine(rbd(image, "take over the lock of " + lock.client + " on",
                                           {"lock", "rm", image.text(), lock.id, lock.client})));
    }
    return {};
}

// Asked once more by what right, and after the owners are read: an owner with a higher claim wrote
// it before it took its lock, so that it is seen here, and no late comer shuts out who is rightly
// there.
Status evict_owners(const CephImage& image, const Claim& ours) {
    ASSIGN_OR_RETURN(const auto locks, locks_of(image));
    if (locks.empty()) return {};
    RETURN_IF_ERROR(check_claims(image, ours));
    return evict(image, locks);
}

std::string mib(std::int64_t size_mib) { return std::to_string(size_mib) + "M"; }

// Nothing there is fine. Whoever has its lock is shut out.
Status remove(const CephImage& image) {
    const auto locks = locks_of(image);
    if (is_absent(locks)) return {};
    if (!locks) return fail(locks.error());
    RETURN_IF_ERROR(evict(image, *locks));
    return absent_is_fine(rbd(image, "remove", {"rm", image.text(), "--no-progress"}, kCopy));
}

CephImage making_of(const CephImage& image, const std::string& node) {
    return {image.pool, image.name + ".making." + node};
}

Status remove_makings(const CephImage& image) {
    ASSIGN_OR_RETURN(const std::vector<Claim> claims, claims_of(image));
    for (const Claim& claim : claims) RETURN_IF_ERROR(remove(making_of(image, claim.node)));
    return {};
}

}  // namespace

Status claim_ceph_image(const CephImage& image, const Claim& ours) {
    RETURN_IF_ERROR(
        rados(image, "claim", {"setomapval", claims_object(image), claim_key(ours), ""}));
    return check_claims(image, ours).map([](const auto&) {});
}

Result<std::set<CephClient>> take_over(const CephImage& image, const Claim& ours) {
    RETURN_IF_ERROR(evict_owners(image, ours));
    return watchers_of(image);
}

Status check_held_disk(const HeldDisk& disk) {
    ASSIGN_OR_RETURN(const std::vector<CephLock> locks, locks_of(disk.image));
    ASSIGN_OR_RETURN(const std::set<CephClient> watchers, watchers_of(disk.image));
    RETURN_IF_ERROR(check_owner(disk.image, disk.before, locks, watchers));
    // Last: who claims it after this look finds our lock.
    ASSIGN_OR_RETURN(const std::vector<Claim> claims, check_claims(disk.image, disk.claim));
    for (const Claim& claim : claims) {
        if (claim == disk.claim) continue;
        // Below ours, so it says nothing any more; if it stays, it says nothing either.
        (void)rados(disk.image, "tidy the claims of",
                    {"rmomapkey", claims_object(disk.image), claim_key(claim)});
    }
    return {};
}

Result<bool> grow_ceph_image(const CephImage& image, const Claim& ours, std::int64_t size_mib) {
    ASSIGN_OR_RETURN(const auto found, find_image(image));
    if (!found) return false;
    if (found->size_bytes >= size_mib * kMib) return true;
    RETURN_IF_ERROR(evict_owners(image, ours));  // a dead owner would be waited for, half a minute
    RETURN_IF_ERROR(
        rbd(image, "grow", {"resize", image.text(), "--size", mib(size_mib), "--no-progress"}));
    return true;
}

Status create_ceph_image(const CephImage& image, std::int64_t size_mib) {
    RETURN_IF_ERROR(rbd(image, "make",
                        {"create", image.text(), "--size", mib(size_mib), "--image-format", "2",
                         "--image-feature", kFeatures}));
    return {};
}

Status copy_to_ceph_image(const CephImage& image, std::int64_t size_mib, const Claim& ours,
                          const std::string& path, model::DiskFormat format) {
    RETURN_IF_ERROR(remove_makings(image));  // of hosts that did not end theirs, this one included
    const CephImage making = making_of(image, ours.node);
    RETURN_IF_ERROR(create_ceph_image(making, size_mib));
    RETURN_IF_ERROR(os::run_checked({"qemu-img", "convert", "-q", "-n", "--target-is-zero", "-f",
                                     format_name(format), "-O", "raw", path, qemu_img_name(making)},
                                    kCopy));
    const auto renamed = rbd(making, "name", {"rename", making.text(), image.text()});
    // Another host's copy was ready first: the same content.
    if (!renamed && renamed.error().code == ErrorCode::kExists) return remove(making);
    if (!renamed) return fail(renamed.error());
    return {};
}

Status remove_ceph_image(const CephImage& image) {
    RETURN_IF_ERROR(remove(image));
    RETURN_IF_ERROR(remove_makings(image));
    return absent_is_fine(rados(image, "remove the claims of", {"rm", claims_object(image)}));
}

}  // namespace blixard::hypervisor
