#include "cluster/backup.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <memory>

#include "cluster/json_fields.h"
#include "cluster/passphrase_file.h"
#include "os/files.h"
#include "os/system_error.h"
#include "os/unique_fd.h"

namespace blixard::cluster {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::size_t kSmallPartBytesMax = 4u << 20;  // all parts but the snapshot
constexpr std::size_t kCopyBytes = 1u << 20;

using ArchiveWriter = std::unique_ptr<archive, decltype(&archive_write_free)>;
using ArchiveReader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

// Where the archive's bytes go: the file, through the passphrase where there is one.
struct Sink {
    int fd = -1;
    std::unique_ptr<PassphraseWriter> encrypted;
    Status status;
};

la_ssize_t sink_write(archive*, void* data, const void* bytes, size_t size) {
    Sink& sink = *static_cast<Sink*>(data);
    const std::string_view text(static_cast<const char*>(bytes), size);
    sink.status =
        sink.encrypted ? sink.encrypted->write(text) : os::write_all(sink.fd, text, "a backup");
    return sink.status ? static_cast<la_ssize_t>(size) : -1;
}

struct Source {
    int fd = -1;
    std::unique_ptr<PassphraseReader> encrypted;
    std::string piece;
    Status status;
};

la_ssize_t source_read(archive*, void* data, const void** bytes) {
    Source& source = *static_cast<Source*>(data);
    if (source.encrypted) {
        auto piece = source.encrypted->next();
        if (!piece) {
            source.status = fail(piece.error());
            return -1;
        }
        source.piece = std::move(*piece);
    } else {
        source.piece.resize(kCopyBytes);
        const ssize_t got = ::read(source.fd, source.piece.data(), source.piece.size());
        if (got < 0) {
            source.status = os::fail_errno("read a backup");
            return -1;
        }
        source.piece.resize(static_cast<std::size_t>(got));
    }
    *bytes = source.piece.data();
    return static_cast<la_ssize_t>(source.piece.size());
}

Status refused(archive* of, const Status& cause) {
    if (!cause) return cause;
    const char* const why = archive_error_string(of);
    return fail(ErrorCode::kInternal, std::string("the backup: ") + (why ? why : "refused"));
}

Status begin_entry(archive* to, const char* name, std::uint64_t size) {
    const Entry entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), name);
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    if (archive_write_header(to, entry.get()) != ARCHIVE_OK) return refused(to, {});
    return {};
}

Status put_bytes(archive* to, std::string_view bytes) {
    if (archive_write_data(to, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size()))
        return {};
    return refused(to, {});
}

Status add_text(archive* to, const char* name, std::string_view text) {
    RETURN_IF_ERROR(begin_entry(to, name, text.size()));
    return put_bytes(to, text);
}

Status add_file(archive* to, const char* name, const std::string& path) {
    ASSIGN_OR_RETURN(const std::uint64_t size, os::file_size(path));
    RETURN_IF_ERROR(begin_entry(to, name, size));
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return os::fail_errno("open " + path);
    std::string piece(kCopyBytes, '\0');
    while (true) {
        const ssize_t got = ::read(file.get(), piece.data(), piece.size());
        if (got < 0) return os::fail_errno("read " + path);
        if (got == 0) return {};
        RETURN_IF_ERROR(
            put_bytes(to, std::string_view(piece.data(), static_cast<std::size_t>(got))));
    }
}

Error no_backup(const std::string& why) {
    return {ErrorCode::kInvalid,
            "the file is no backup of a cluster, or a damaged one: " + why,
            {},
            "take one that `blixard cluster backup FILE` has written"};
}

Result<std::string> take_text(archive* from, const Source& source) {
    std::string text, piece(kCopyBytes, '\0');
    while (true) {
        const la_ssize_t got = archive_read_data(from, piece.data(), piece.size());
        if (got < 0 && !source.status) return fail(source.status.error());
        if (got < 0) return fail(no_backup(archive_error_string(from)));
        if (got == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
        if (text.size() > kSmallPartBytesMax) return fail(no_backup("a part of it is too large"));
    }
}

Status take_file(archive* from, const Source& source, const std::string& path) {
    const os::UniqueFd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return os::fail_errno("create " + path);
    std::string piece(kCopyBytes, '\0');
    while (true) {
        const la_ssize_t got = archive_read_data(from, piece.data(), piece.size());
        if (got < 0 && !source.status) return source.status;
        if (got < 0) return fail(no_backup(archive_error_string(from)));
        if (got == 0) return {};
        RETURN_IF_ERROR(os::write_all(
            file.get(), std::string_view(piece.data(), static_cast<std::size_t>(got)), path));
    }
}

Status write_parts(Sink& sink, const Backup& backup) {
    const ArchiveWriter to(archive_write_new(), archive_write_free);
    const bool opened =
        archive_write_set_format_pax_restricted(to.get()) == ARCHIVE_OK &&
        archive_write_open2(to.get(), &sink, nullptr, sink_write, nullptr, nullptr) == ARCHIVE_OK;
    if (!opened) return refused(to.get(), sink.status);
    const Status added = [&]() -> Status {
        RETURN_IF_ERROR(add_text(to.get(), "manifest.json", write_manifest(backup.manifest)));
        RETURN_IF_ERROR(add_text(to.get(), "ca.pem", backup.authority_pem));
        RETURN_IF_ERROR(add_text(to.get(), "ca.sealed", backup.sealed_authority_key));
        RETURN_IF_ERROR(add_text(to.get(), "voter.key", backup.voter_key));
        return add_file(to.get(), "snapshot.db", backup.snapshot_file);
    }();
    if (!sink.status) return sink.status;
    if (!added) return added;
    if (archive_write_close(to.get()) != ARCHIVE_OK) return refused(to.get(), sink.status);
    return sink.encrypted ? sink.encrypted->finish() : Status{};
}

}  // namespace

std::string write_manifest(const BackupManifest& manifest) {
    std::string members;
    for (const BackupMember& member : manifest.members)
        members += (members.empty() ? "" : ",") + JsonObject()
                                                      .add("name", member.name)
                                                      .add("advertise", member.advertise)
                                                      .add("role", member.role)
                                                      .add("etcd_endpoint", member.etcd_endpoint)
                                                      .text();
    return JsonObject()
        .add("schema", manifest.schema)
        .add("cluster_id", manifest.cluster_id)
        .add("created_at", manifest.created_at)
        .add("node", manifest.node)
        .add("version", manifest.version)
        .add("revision", manifest.revision)
        .add("lease_ttl_ms", manifest.lease_ttl_ms)
        .add_json("members", "[" + members + "]")
        .add("vms", manifest.vms)
        .add("images", manifest.images)
        .add("volumes", manifest.volumes)
        .text();
}

Result<BackupManifest> parse_manifest(std::string_view json) {
    auto fields = JsonFields::parse(json);
    if (!fields) return fail(no_backup(fields.error().message));
    BackupManifest manifest;
    manifest.schema = fields->take_number("schema");
    manifest.cluster_id = fields->take_text("cluster_id");
    manifest.created_at = fields->take_text("created_at");
    manifest.node = fields->take_text("node");
    manifest.version = fields->take_text("version");
    manifest.revision = fields->take_number("revision");
    manifest.lease_ttl_ms = fields->take_number("lease_ttl_ms");
    manifest.vms = fields->take_number("vms");
    manifest.images = fields->take_number("images");
    manifest.volumes = fields->take_number("volumes");
    for (const std::string& text : fields->take_objects("members")) {
        auto member = JsonFields::parse(text);
        if (!member) return fail(no_backup(member.error().message));
        manifest.members.push_back({member->take_text("name"), member->take_text("advertise"),
                                    member->take_text("role"), member->take_text("etcd_endpoint")});
    }
    if (manifest.schema > kSchema)
        return fail(ErrorCode::kUnsupported,
                    "the backup was written by a newer version (" + manifest.version + ")",
                    "restore it with that version or a newer one");
    if (manifest.schema < 1 || manifest.cluster_id.empty())
        return fail(no_backup("its manifest names no cluster"));
    return manifest;
}

Status write_backup(const std::string& path, const Backup& backup, const std::string& passphrase) {
    const os::UniqueFd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return os::fail_errno("create " + path);
    Sink sink{.fd = file.get()};
    if (!passphrase.empty()) {
        ASSIGN_OR_RETURN(sink.encrypted, PassphraseWriter::begin(file.get(), passphrase));
    }
    return write_parts(sink, backup);
}

Result<Backup> read_backup(const std::string& path, const std::string& passphrase,
                           const std::string& directory) {
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return os::fail_errno("open " + path);
    Source source{.fd = file.get()};
    if (is_passphrase_file(file.get())) {
        ASSIGN_OR_RETURN(source.encrypted, PassphraseReader::begin(file.get(), passphrase));
    }
    const ArchiveReader from(archive_read_new(), archive_read_free);
    archive_read_support_format_tar(from.get());
    const auto why_not = [&](const std::string& why) {
        return source.status ? fail(no_backup(why)) : fail(source.status.error());
    };
    if (archive_read_open(from.get(), &source, nullptr, source_read, nullptr) != ARCHIVE_OK)
        return why_not("it is no archive");
    Backup backup;
    std::map<std::string, std::string> texts;
    archive_entry* entry = nullptr;
    int found = ARCHIVE_OK;
    while ((found = archive_read_next_header(from.get(), &entry)) == ARCHIVE_OK) {
        const std::string name = archive_entry_pathname(entry);
        if (name == "snapshot.db") {
            backup.snapshot_file = directory + "/snapshot.db";
            RETURN_IF_ERROR(take_file(from.get(), source, backup.snapshot_file));
        } else {
            ASSIGN_OR_RETURN(texts[name], take_text(from.get(), source));
        }
    }
    if (found != ARCHIVE_EOF) return why_not("it ends early");
    for (const char* part : {"manifest.json", "ca.pem", "ca.sealed", "voter.key"})
        if (!texts.contains(part)) return fail(no_backup(std::string("it has no ") + part));
    if (backup.snapshot_file.empty()) return fail(no_backup("it has no snapshot.db"));
    ASSIGN_OR_RETURN(backup.manifest, parse_manifest(texts["manifest.json"]));
    backup.authority_pem = texts["ca.pem"];
    backup.sealed_authority_key = texts["ca.sealed"];
    backup.voter_key = texts["voter.key"];
    return backup;
}

}  // namespace blixard::cluster
