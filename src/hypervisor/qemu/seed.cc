#include "hypervisor/qemu/seed.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace blixard::hypervisor {
namespace {

using Archive = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

tl::unexpected<Error> refused(archive* iso) {
    const char* const why = archive_error_string(iso);
    return fail(ErrorCode::kInternal,
                std::string("make the cloud-init seed: ") + (why ? why : "unknown reason"));
}

la_ssize_t append(archive*, void* into, const void* bytes, std::size_t size) {
    static_cast<std::string*>(into)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

Status add_file(archive* iso, const char* name, const std::string& text) {
    const Entry entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), name);
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0444);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
    archive_entry_set_mtime(entry.get(), 0, 0);  // the same input gives the same files
    if (archive_write_header(iso, entry.get()) != ARCHIVE_OK) return refused(iso);
    if (archive_write_data(iso, text.data(), text.size()) != static_cast<la_ssize_t>(text.size())) {
        return refused(iso);
    }
    return {};
}

std::string meta_data_of(const model::CloudInit& cloud_init, const InstanceId& id) {
    if (!cloud_init.meta_data.empty()) return cloud_init.meta_data;
    const std::string name = id.vm.substr(id.vm.find('/') + 1);
    return "instance-id: " + id.uid + "\nlocal-hostname: " + name + "\n";
}

}  // namespace

bool wants_seed(const model::CloudInit& cloud_init) {
    return !cloud_init.user_data.empty() || !cloud_init.meta_data.empty() ||
           !cloud_init.network_config.empty();
}

Result<std::string> make_seed(const model::CloudInit& cloud_init, const InstanceId& id) {
    std::string image;
    const Archive iso(archive_write_new(), archive_write_free);
    if (archive_write_set_format_iso9660(iso.get()) != ARCHIVE_OK ||
        archive_write_set_options(iso.get(), "volume-id=cidata,joliet=1,rockridge=1,pad=0") !=
            ARCHIVE_OK ||
        archive_write_open2(iso.get(), &image, nullptr, append, nullptr, nullptr) != ARCHIVE_OK) {
        return refused(iso.get());
    }
    const std::string user_data =
        cloud_init.user_data.empty() ? "#cloud-config\n" : cloud_init.user_data;
    RETURN_IF_ERROR(add_file(iso.get(), "meta-data", meta_data_of(cloud_init, id)));
    RETURN_IF_ERROR(add_file(iso.get(), "user-data", user_data));
    if (!cloud_init.network_config.empty()) {
        RETURN_IF_ERROR(add_file(iso.get(), "network-config", cloud_init.network_config));
    }
    if (archive_write_close(iso.get()) != ARCHIVE_OK) return refused(iso.get());
    return image;
}

}  // namespace blixard::hypervisor
