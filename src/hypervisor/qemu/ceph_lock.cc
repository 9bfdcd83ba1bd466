#include "hypervisor/qemu/ceph_lock.h"

#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kQuery = seconds(10);
constexpr Millis kLock = seconds(45);  // librbd waits 30 s for an owner that does not answer

using Monitor = std::weak_ptr<QmpConnection>;

tl::unexpected<Error> gone() {
    return fail(ErrorCode::kCancelled, "the monitor was lost while the disks were locked");
}

// `devices` from behind; the sizes are those of `blocks`.
void take_next(const Monitor& weak, std::vector<std::string> devices, const std::string& blocks,
               Callback<bool> done) {
    if (devices.empty()) return done(true);
    const auto monitor = weak.lock();
    if (!monitor) return done(gone());
    const std::string device = devices.back();
    devices.pop_back();
    const auto size = size_of_device(blocks, device);
    if (!size) return done(fail(size.error()));
    monitor->execute("block_resize", JsonObject().add("device", device).add("size", *size).text(),
                     kLock,
                     [weak, devices = std::move(devices), blocks,
                      done = std::move(done)](Result<std::string> taken) mutable {
                         if (!taken) return done(fail(taken.error()));
                         take_next(weak, std::move(devices), blocks, std::move(done));
                     });
}

}  // namespace

void take_ceph_locks(const std::shared_ptr<QmpConnection>& monitor,
                     std::vector<std::string> devices, Callback<bool> done) {
    monitor->execute("query-block", "", kQuery,
                     [weak = Monitor(monitor), devices = std::move(devices),
                      done = std::move(done)](Result<std::string> blocks) mutable {
                         if (!blocks) return done(fail(blocks.error()));
                         take_next(weak, std::move(devices), *blocks, std::move(done));
                     });
}

Result<std::int64_t> size_of_device(std::string_view query_block, std::string_view device) {
    for (const std::string& text : json_elements(query_block)) {
        ASSIGN_OR_RETURN(const JsonFields block, JsonFields::parse(text));
        if (block.text("device") != device) continue;
        ASSIGN_OR_RETURN(const JsonFields inserted, JsonFields::parse(block.json("inserted")));
        ASSIGN_OR_RETURN(const JsonFields image, JsonFields::parse(inserted.json("image")));
        if (const std::int64_t size = image.number("virtual-size"); size > 0) return size;
    }
    return fail(ErrorCode::kInternal,
                "QEMU does not say how large its disk " + std::string(device) + " is");
}

}  // namespace blixard::hypervisor
