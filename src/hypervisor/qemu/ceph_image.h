// A disk in a Ceph pool: its name, the commands about it, and what their answers mean. Pure.
//
// A path is "rbd:POOL/IMAGE[:id=USER][:conf=FILE]". Ceph is asked with its own programs (`rbd`,
// `rados`, of Debian's ceph-common) and not through its library: a client that hangs is a process
// that can be killed, and hosts without such pools need none of it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hypervisor/qemu/claim.h"

namespace blixard::hypervisor {

// "rbd:POOL[:id=USER][:conf=FILE]", as it stands in a host's configuration. Empty: Ceph's own
// defaults (client.admin, /etc/ceph/ceph.conf).
struct CephPool {
    std::string name, user, conf;

    bool operator==(const CephPool&) const = default;
};

struct CephImage {
    CephPool pool;
    std::string name;

    std::string text() const { return pool.name + "/" + name; }  // as `rbd` names it
};

bool is_ceph(std::string_view path);

// Refused: another option, or a name with other characters than letters, digits, '_', '.' and '-'.
Result<CephPool> parse_ceph_pool(std::string_view text);
Result<CephImage> parse_ceph_image(std::string_view path);

// {program, who and where, time-outs, words}: of `rbd` and `rados` alike. It ends by itself within
// about 10 s where no monitor answers, and 20 s where a monitor does and the pool's disks do not.
std::vector<std::string> ceph_command(const CephPool& pool, const std::string& program,
                                      const std::vector<std::string>& words);

// What a command that failed has said: with its exit status, or kTimeoutStatus where it was killed.
inline constexpr int kTimeoutStatus = -1;
Error ceph_error(const CephPool& pool, const std::string& what, int status,
                 const std::string& said);

// As QEMU's rbd driver takes it: for qemu-img, and for a machine, whose client never hands over
// Ceph's exclusive lock when another asks, and writes nothing without it (ceph_disk.h says why).
std::string qemu_img_name(const CephImage& image);
std::string machine_disk_name(const CephImage& image);

// A client that has the image open, by the number that Ceph gave it at its start: never given
// twice.
using CephClient = std::string;

struct CephLock {
    CephClient client;  // "client.4171"
    std::string id;     // "auto 139835545227904"
};
// `rbd lock ls --format json`, `rbd status --format json`, `rbd info --format json`.
Result<std::vector<CephLock>> parse_locks(std::string_view json);
Result<std::set<CephClient>> parse_watchers(std::string_view json);
struct CephImageInfo {
    std::int64_t size_bytes = 0;
    bool has_exclusive_lock = false;  // the feature
};
Result<CephImageInfo> parse_image_info(std::string_view json);

// Claims are the keys of an object beside the image, in the order of their epochs.
std::string claims_object(const CephImage& image);
std::string claim_key(const Claim& claim);
std::optional<Claim> parse_claim_key(std::string_view key);
// The lines of `rados listomapkeys`; foreign keys are left out.
std::vector<Claim> parse_claims(std::string_view lines);

// Whether the QEMU that was started between two looks, and nobody else, has the lock. `before`: who
// had the image open then.
Status check_owner(const CephImage& image, const std::set<CephClient>& before,
                   const std::vector<CephLock>& locks, const std::set<CephClient>& now);

}  // namespace blixard::hypervisor
