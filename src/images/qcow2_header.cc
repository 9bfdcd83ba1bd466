#include "images/qcow2_header.h"

#include <fmt/format.h>

#include <string>

namespace blixard::images {
namespace {

constexpr std::size_t kHeaderBytesV2 = 72;
constexpr std::size_t kHeaderBytesV3 = 104;
constexpr std::uint64_t kL1BytesMax = 32u << 20;       // QCOW_MAX_L1_SIZE
constexpr std::uint64_t kRefcountBytesMax = 8u << 20;  // QCOW_MAX_REFTABLE_SIZE
constexpr std::uint32_t kSnapshotsMax = 65536;         // QCOW_MAX_SNAPSHOTS
constexpr std::uint64_t kSnapshotBytesMin = 40;        // one entry of the snapshot table

constexpr std::uint64_t kDirty = 1u << 0;
constexpr std::uint64_t kCorrupt = 1u << 1;
constexpr std::uint64_t kExternalData = 1u << 2;
constexpr std::uint64_t kCompressionType = 1u << 3;
constexpr std::uint64_t kExtendedL2 = 1u << 4;
constexpr std::uint64_t kKnown = kDirty | kCorrupt | kExternalData | kCompressionType | kExtendedL2;

constexpr std::uint32_t kExtensionEnd = 0;
constexpr std::uint32_t kExtensionDataFile = 0x44415441;

constexpr const char* kFlatten = "make it one file of its own: qemu-img convert -O qcow2 OLD NEW";
constexpr const char* kDamaged =
    "the file is damaged or was cut short; get it anew, or look with: qemu-img check FILE";

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

struct Fields {
    std::uint32_t version, cluster_bits, crypt_method, l1_entries, refcount_clusters, snapshots;
    std::uint64_t backing_offset, size, l1_offset, refcount_offset, snapshots_offset,
        incompatible = 0;
    std::uint64_t header_length = kHeaderBytesV2;
};

auto refuse(std::string message, std::string help = {}) {
    return fail(ErrorCode::kInvalid, "the qcow2 disk " + std::move(message), std::move(help));
}

Result<Fields> read_fields(std::string_view head) {
    if (head.size() < kHeaderBytesV2)
        return refuse(fmt::format("ends after {} bytes, inside its header", head.size()), kDamaged);
    Fields fields;
    fields.version = static_cast<std::uint32_t>(big_endian(head, 4, 4));
    if (fields.version != 2 && fields.version != 3)
        return refuse(fmt::format("has version {}; 2 and 3 are known", fields.version), kFlatten);
    fields.backing_offset = big_endian(head, 8, 8);
    fields.cluster_bits = static_cast<std::uint32_t>(big_endian(head, 20, 4));
    fields.size = big_endian(head, 24, 8);
    fields.crypt_method = static_cast<std::uint32_t>(big_endian(head, 32, 4));
    fields.l1_entries = static_cast<std::uint32_t>(big_endian(head, 36, 4));
    fields.l1_offset = big_endian(head, 40, 8);
    fields.refcount_offset = big_endian(head, 48, 8);
    fields.refcount_clusters = static_cast<std::uint32_t>(big_endian(head, 56, 4));
    fields.snapshots = static_cast<std::uint32_t>(big_endian(head, 60, 4));
    fields.snapshots_offset = big_endian(head, 64, 8);
    if (fields.version == 2) return fields;
    if (head.size() < kHeaderBytesV3)
        return refuse(fmt::format("ends after {} bytes, inside its header", head.size()), kDamaged);
    fields.incompatible = big_endian(head, 72, 8);
    fields.header_length = big_endian(head, 100, 4);
    return fields;
}

Status check_features(const Fields& fields) {
    if (fields.backing_offset != 0)
        return refuse(
            "has a backing file: its content is partly in another file of another machine",
            kFlatten);
    if (fields.crypt_method != 0)
        return refuse("is encrypted", "decrypt it first: qemu-img convert");
    if (fields.incompatible & kExternalData)
        return refuse("keeps its data in an external file", kFlatten);
    if (fields.incompatible & kCorrupt)
        return refuse("is marked corrupt", "mend it with: qemu-img check -r all FILE");
    if (fields.incompatible & kDirty)
        return refuse("was not closed cleanly",
                      "stop whoever uses it, then: qemu-img check -r all FILE");
    if (fields.incompatible & ~kKnown)
        return refuse(fmt::format("needs features that are not known here ({:#x})",
                                  fields.incompatible & ~kKnown),
                      kFlatten);
    return {};
}

// A table of `bytes` at `offset`: aligned to a cluster, and inside the file.
Status check_table(const char* name, std::uint64_t offset, std::uint64_t bytes,
                   std::uint64_t cluster, std::uint64_t file_bytes) {
    if (bytes == 0) return {};
    if (offset == 0 || offset % cluster != 0)
        return refuse(fmt::format("has its {} table at {}, which is no cluster", name, offset),
                      kDamaged);
    if (offset > file_bytes || bytes > file_bytes - offset)
        return refuse(fmt::format("has its {} table beyond the end of the file", name), kDamaged);
    return {};
}

Status check_sizes(const Fields& fields, std::uint64_t file_bytes) {
    if (fields.cluster_bits < 9 || fields.cluster_bits > 21)
        return refuse(
            fmt::format("has clusters of 2^{} bytes; 2^9 to 2^21 are legal", fields.cluster_bits),
            kDamaged);
    if (fields.size == 0)
        return refuse("has a size of 0", "make one with: qemu-img create -f qcow2 FILE 10G");
    if (fields.size > kDiskBytesMax)
        return refuse(fmt::format("claims {} bytes; at most 16 TiB are taken", fields.size));
    const std::uint64_t cluster = std::uint64_t{1} << fields.cluster_bits;
    const std::uint64_t l2_entry = fields.incompatible & kExtendedL2 ? 16 : 8;
    const std::uint64_t bytes_per_l1_entry = cluster * (cluster / l2_entry);
    const std::uint64_t l1_needed = (fields.size + bytes_per_l1_entry - 1) / bytes_per_l1_entry;
    const std::uint64_t l1_bytes = std::uint64_t{fields.l1_entries} * 8;
    if (fields.l1_entries < l1_needed || l1_bytes > kL1BytesMax)
        return refuse(fmt::format("has an L1 table of {} entries for a disk that needs {}",
                                  fields.l1_entries, l1_needed),
                      kDamaged);
    const std::uint64_t refcount_bytes = std::uint64_t{fields.refcount_clusters} * cluster;
    if (refcount_bytes == 0 || refcount_bytes > std::max(kRefcountBytesMax, cluster))
        return refuse(fmt::format("has a refcount table of {} clusters", fields.refcount_clusters),
                      kDamaged);
    if (fields.snapshots > kSnapshotsMax)
        return refuse(fmt::format("claims {} snapshots", fields.snapshots), kDamaged);
    RETURN_IF_ERROR(check_table("L1", fields.l1_offset, l1_bytes, cluster, file_bytes));
    RETURN_IF_ERROR(
        check_table("refcount", fields.refcount_offset, refcount_bytes, cluster, file_bytes));
    return check_table("snapshot", fields.snapshots_offset, fields.snapshots * kSnapshotBytesMin,
                       cluster, file_bytes);
}

// The list behind the header; a name of an external data file may stand there even where the
// feature bit does not.
Status check_extensions(std::string_view head, const Fields& fields) {
    if (fields.version == 2) return {};
    const std::uint64_t cluster = std::uint64_t{1} << fields.cluster_bits;
    if (fields.header_length < kHeaderBytesV3 || fields.header_length % 8 != 0 ||
        fields.header_length > cluster)
        return refuse(fmt::format("has a header of {} bytes", fields.header_length), kDamaged);
    const std::uint64_t end = std::min<std::uint64_t>(head.size(), cluster);
    for (std::uint64_t at = fields.header_length; at + 8 <= end;) {
        const auto type = static_cast<std::uint32_t>(big_endian(head, at, 4));
        const std::uint64_t length = big_endian(head, at + 4, 4);
        if (type == kExtensionEnd) return {};
        if (type == kExtensionDataFile) return refuse("names an external data file", kFlatten);
        if (length > end - at - 8)
            return refuse("has a header extension that leads beyond its header", kDamaged);
        at += 8 + (length + 7) / 8 * 8;
    }
    return {};
}

}  // namespace

Result<Qcow2Header> parse_qcow2_header(std::string_view head, std::uint64_t file_bytes) {
    ASSIGN_OR_RETURN(const Fields fields, read_fields(head));
    RETURN_IF_ERROR(check_features(fields));
    RETURN_IF_ERROR(check_sizes(fields, file_bytes));
    RETURN_IF_ERROR(check_extensions(head, fields));
    Qcow2Header header;
    header.version = static_cast<int>(fields.version);
    header.virtual_bytes = fields.size;
    header.cluster_bytes = std::uint64_t{1} << fields.cluster_bits;
    header.snapshots = fields.snapshots;
    return header;
}

}  // namespace blixard::images
