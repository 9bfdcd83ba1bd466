#include "hypervisor/qemu/ceph_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "hypervisor/qemu/json_fields.h"

namespace blixard::hypervisor {
namespace {

constexpr std::string_view kScheme = "rbd:";
constexpr const char* kMonitorTimeout = "10";  // seconds; a client that finds no monitor waits 300
constexpr const char* kDiskTimeout = "20";     // seconds for one operation; without it: for ever
// How long an evicted client stays shut out: longer than anybody leaves a stopped process lying
// about.
constexpr const char* kBlocklistSeconds = "604800";

bool is_name(std::string_view text) {
    constexpr std::string_view kPunctuation = "_.-";
    return !text.empty() && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
               return letter || (c >= '0' && c <= '9') ||
                      kPunctuation.find(c) != std::string_view::npos;
           });
}

tl::unexpected<Error> no_path(std::string_view text, std::string_view why) {
    return fail(
        ErrorCode::kInvalid, fmt::format("\"{}\" is no disk or pool of Ceph: {}", text, why),
        "rbd:POOL[:id=USER][:conf=FILE], for example rbd:vms:id=blixard:conf=/etc/ceph/ceph.conf");
}

// QEMU's rbd file names: a backslash before what would end a part.
std::string escaped(std::string_view part) {
    std::string out;
    for (const char c : part) {
        if (std::string_view(":@=\\").find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

// The number of "(2) No such file or directory", as Ceph's programs end their complaints. 0: none.
int error_number(std::string_view said) {
    for (std::size_t at = said.rfind('('); at != std::string_view::npos && at > 0;
         at = said.rfind('(', at - 1)) {
        int number = 0;
        const auto [end, error] =
            std::from_chars(said.data() + at + 1, said.data() + said.size(), number);
        if (error == std::errc{} && end != said.data() + said.size() && *end == ')') return number;
    }
    return 0;
}

std::string last_line(std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    const std::size_t begin = text.rfind('\n');
    return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

std::string user_of(const CephPool& pool) {
    return "client." + (pool.user.empty() ? "admin" : pool.user);
}
std::string conf_of(const CephPool& pool) {
    return pool.conf.empty() ? "/etc/ceph/ceph.conf" : pool.conf;
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

bool is_ceph(std::string_view path) { return path.starts_with(kScheme); }

Result<CephPool> parse_ceph_pool(std::string_view text) {
    if (!is_ceph(text)) return no_path(text, "it does not begin with rbd:");
    std::string_view rest = text.substr(kScheme.size());
    CephPool pool;
    pool.name = rest.substr(0, rest.find(':'));
    if (!is_name(pool.name))
        return no_path(text, fmt::format("\"{}\" is no name of a pool", pool.name));
    rest.remove_prefix(pool.name.size());
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string_view option = rest.substr(0, rest.find(':'));
        rest.remove_prefix(option.size());
        if (option.starts_with("id=")) {
            pool.user = option.substr(3);
            if (!is_name(pool.user)) return no_path(text, "id= names no user");
        } else if (option.starts_with("conf=/")) {
            pool.conf = option.substr(5);
        } else {
            return no_path(
                text,
                fmt::format("\"{}\" is not id=USER, nor conf= with an absolute path", option));
        }
    }
    return pool;
}

Result<CephImage> parse_ceph_image(std::string_view path) {
    const std::size_t slash = path.find('/');
    const std::size_t options = std::min(path.find(':', kScheme.size()), path.size());
    if (!is_ceph(path) || slash == std::string_view::npos || slash > options)
        return no_path(path, "it names no image");
    CephImage image;
    image.name = path.substr(slash + 1, options - slash - 1);
    if (!is_name(image.name))
        return no_path(path, fmt::format("\"{}\" is no name of an image", image.name));
    ASSIGN_OR_RETURN(image.pool, parse_ceph_pool(std::string(path.substr(0, slash)) +
                                                 std::string(path.substr(options))));
    return image;
}

std::vector<std::string> ceph_command(const CephPool& pool, const std::string& program,
                                      const std::vector<std::string>& words) {
    std::vector<std::string> command = {program};
    if (!pool.conf.empty()) command.insert(command.end(), {"--conf", pool.conf});
    if (!pool.user.empty()) command.insert(command.end(), {"--id", pool.user});
    // The time-outs are ours, not those that monitors hand out; and who cannot log in is told why.
    command.insert(
        command.end(),
        {"--no-mon-config", "--client-mount-timeout", kMonitorTimeout, "--rados-mon-op-timeout",
         kMonitorTimeout, "--rados-osd-op-timeout", kDiskTimeout, "--rbd-blocklist-on-break-lock",
         "true", "--rbd-blocklist-expire-seconds", kBlocklistSeconds});
    if (program == "rados") command.insert(command.end(), {"--pool", pool.name});
    command.insert(command.end(), words.begin(), words.end());
    return command;
}

Error ceph_error(const CephPool& pool, const std::string& what, int status,
                 const std::string& said) {
    constexpr int kNotPermitted = 1, kNotThere = 2, kNoAccess = 13, kBusy = 16, kThere = 17,
                  kNoSpace = 28, kNotEmpty = 39, kTimedOut = 110, kStale = 116, kOverQuota = 122;
    const int number = error_number(said) != 0 ? error_number(said) : status;
    const auto error = [&](ErrorCode code, std::string_view found, std::string help) {
        return Error{code, fmt::format("{}: {}", what, found), {}, std::move(help)};
    };
    const bool connecting = has(said, "connect to");  // "rbd: couldn't connect to the cluster!"
    if (has(said, "unable to open config file") || has(said, "can't open ceph.conf"))
        return error(ErrorCode::kNotFound,
                     fmt::format("there is no {} on this host", conf_of(pool)),
                     "put Ceph's configuration there, or name another with conf=FILE in the pool's "
                     "configuration");
    if (status == kTimeoutStatus || number == kTimedOut)
        return error(ErrorCode::kUnavailable,
                     connecting
                         ? fmt::format("no monitor of Ceph answers that {} names", conf_of(pool))
                         : "Ceph does not answer in time",
                     fmt::format("look at: ceph --conf {} status; a pool that is full, or has too "
                                 "few disks up, takes nothing",
                                 conf_of(pool)));
    if (connecting && number == kNotThere)
        return error(ErrorCode::kNotFound,
                     fmt::format("{} names no monitor, or there is no key of {} on this host",
                                 conf_of(pool), user_of(pool)),
                     fmt::format("its key has to be in a keyring that {} names: ceph auth get {}",
                                 conf_of(pool), user_of(pool)));
    if (connecting)
        return error(ErrorCode::kDenied, fmt::format("Ceph does not let {} in", user_of(pool)),
                     fmt::format("its key has to be in a keyring that {} names: ceph auth get {}",
                                 conf_of(pool), user_of(pool)));
    if (has(said, "error opening pool"))
        return error(
            number == kNotThere ? ErrorCode::kNotFound : ErrorCode::kDenied,
            number == kNotThere
                ? fmt::format("Ceph has no pool \"{}\"", pool.name)
                : fmt::format("{} may not use the pool \"{}\"", user_of(pool), pool.name),
            fmt::format("make it with: ceph osd pool create {0} && rbd pool init {0}", pool.name));
    if (number == kNotPermitted || number == kNoAccess)
        return error(ErrorCode::kDenied,
                     fmt::format("{} lacks the right to do that", user_of(pool)),
                     fmt::format("ceph auth caps {} mon 'profile rbd' osd 'profile rbd pool={}'",
                                 user_of(pool), pool.name));
    if (number == kNoSpace || number == kOverQuota)
        return error(ErrorCode::kExhausted, fmt::format("the pool \"{}\" is full", pool.name),
                     fmt::format("see: ceph df; ceph osd pool get-quota {}", pool.name));
    if (number == kBusy)
        return error(
            ErrorCode::kConflict, "somebody has it open",
            "a client that died is taken for open for half a minute; who has it: rbd status");
    if (number == kStale)
        return error(ErrorCode::kConflict, "another host removes it just now",
                     "nothing is to be done");
    if (number == kNotEmpty)
        return error(ErrorCode::kConflict, "it has snapshots, which were not made from here",
                     "remove them with: rbd snap purge");
    const ErrorCode code = number == kNotThere ? ErrorCode::kNotFound
                           : number == kThere  ? ErrorCode::kExists
                                               : ErrorCode::kInternal;
    return error(code, last_line(said), {});
}

std::string qemu_img_name(const CephImage& image) {
    std::string name = fmt::format("rbd:{}/{}", escaped(image.pool.name), escaped(image.name));
    if (!image.pool.user.empty()) name += ":id=" + escaped(image.pool.user);
    if (!image.pool.conf.empty()) name += ":conf=" + escaped(image.pool.conf);
    return name + fmt::format(":client_mount_timeout={}", kMonitorTimeout);
}

std::string machine_disk_name(const CephImage& image) {
    return qemu_img_name(image) + ":rbd_auto_exclusive_lock_until_manual_request=false";
}

Result<std::vector<CephLock>> parse_locks(std::string_view json) {
    std::vector<CephLock> locks;
    for (const std::string& text : json_elements(json)) {
        ASSIGN_OR_RETURN(const JsonFields lock, JsonFields::parse(text));
        locks.push_back({lock.text("locker"), lock.text("id")});
    }
    return locks;
}

Result<std::set<CephClient>> parse_watchers(std::string_view json) {
    ASSIGN_OR_RETURN(const JsonFields status, JsonFields::parse(json));
    std::set<CephClient> watchers;
    for (const std::string& text : status.objects("watchers")) {
        ASSIGN_OR_RETURN(const JsonFields watcher, JsonFields::parse(text));
        watchers.insert(fmt::format("client.{}", watcher.number("client")));
    }
    return watchers;
}

Result<CephImageInfo> parse_image_info(std::string_view json) {
    ASSIGN_OR_RETURN(const JsonFields info, JsonFields::parse(json));
    const std::vector<std::string> features = info.texts("features");
    return CephImageInfo{info.number("size"), std::find(features.begin(), features.end(),
                                                        "exclusive-lock") != features.end()};
}

std::string claims_object(const CephImage& image) { return "blixard_claims." + image.name; }

std::string claim_key(const Claim& claim) {
    return fmt::format("{:020}.{:020}.{}", claim.volume_epoch, claim.epoch, claim.node);
}

std::optional<Claim> parse_claim_key(std::string_view key) {
    constexpr std::size_t kDigits = 20;
    if (key.size() <= 2 * kDigits + 2 || key[kDigits] != '.' || key[2 * kDigits + 1] != '.')
        return std::nullopt;
    Claim claim;
    const auto read = [](std::string_view digits, std::uint64_t& into) {
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), into);
        return error == std::errc{} && end == digits.data() + digits.size();
    };
    if (!read(key.substr(0, kDigits), claim.volume_epoch) ||
        !read(key.substr(kDigits + 1, kDigits), claim.epoch))
        return std::nullopt;
    claim.node = key.substr(2 * kDigits + 2);
    return claim;
}

std::vector<Claim> parse_claims(std::string_view lines) {
    std::vector<Claim> claims;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        if (auto claim = parse_claim_key(line)) claims.push_back(std::move(*claim));
    }
    return claims;
}

Status check_owner(const CephImage& image, const std::set<CephClient>& before,
                   const std::vector<CephLock>& locks, const std::set<CephClient>& now) {
    std::set<CephClient> came;
    std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                        std::inserter(came, came.end()));
    if (locks.size() == 1 && came == std::set<CephClient>{locks.front().client}) return {};
    return fail(
        ErrorCode::kConflict,
        fmt::format("image {} is not this VM's alone: {} has its lock, and {} opened it just now",
                    image.text(), locks.empty() ? "nobody" : locks.front().client,
                    fmt::join(came, ", ")),
        fmt::format("the start is tried again; who has it open: rbd status {}", image.text()));
}

}  // namespace blixard::hypervisor
