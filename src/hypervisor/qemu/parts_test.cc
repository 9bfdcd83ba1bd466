// Disks, seed, records, console log and the KVM probe, each by itself.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "hypervisor/qemu/accelerator.h"
#include "hypervisor/qemu/console_log.h"
#include "hypervisor/qemu/disks.h"
#include "hypervisor/qemu/last_words.h"
#include "hypervisor/qemu/preparation.h"
#include "hypervisor/qemu/records.h"
#include "hypervisor/qemu/seed.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace blixard::hypervisor {
namespace {

TEST(Records, a_run_record_comes_back_as_it_was) {
    LaunchRecord launch;
    launch.id = {"default/web-1", "abc", 7};
    launch.fenced = true;
    launch.generation = 3;
    launch.machine = "q35";
    launch.started = {1795232400123};
    launch.addresses.push_back({"net0", "127.0.0.1:8080", 80, {}});
    launch.disks = {"/d/a.qcow2"};
    const auto record =
        parse_run_record(run_record_json({4242, 987654}, "boot-1", to_json(launch)));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->process, (os::ProcessId{4242, 987654}));
    EXPECT_EQ(record->boot_id, "boot-1");
    EXPECT_EQ(record->launch.id, launch.id);
    EXPECT_TRUE(record->launch.fenced);
    EXPECT_EQ(record->launch.addresses[0].guest_port, 80);
    EXPECT_EQ(record->launch.disks, launch.disks);
}

TEST(LastWords, a_port_that_somebody_has_is_called_that) {
    const std::string rule =
        "-netdev user,id=net0,hostfwd=udp:0.0.0.0:53-:5353: Could not set up host forwarding rule "
        "'udp:0.0.0.0:53-:5353'\n";
    EXPECT_EQ(
        why_not_started("default/a", "exit status 1",
                        "2026-01-02T03:04:05.678901Z qemu-system-x86_64: " + rule),
        "udp port 0.0.0.0:53 of this host cannot be forwarded to VM default/a: another program or "
        "VM has it, or the address is not this host's; take another port, or 0 for a free one");
}

TEST(LastWords, all_else_is_told_as_it_was_said_on_one_line) {
    EXPECT_EQ(
        why_not_started("p/a", "exit status 1",
                        "2026-01-02T03:04:05Z qemu-system-x86_64: -drive x: no\n\nqemu: more"),
        "QEMU of VM p/a ended while it started, with exit status 1: -drive x: no; qemu: more");
    EXPECT_EQ(why_not_started("p/a", "signal 9 (Killed)", ""),
              "QEMU of VM p/a ended while it started, with signal 9 (Killed)");
    EXPECT_EQ(why_not_started("p/a", "exit status 1", "Could not set up host forwarding rule 'odd"),
              "QEMU of VM p/a ended while it started, with exit status 1: Could not set up host "
              "forwarding rule 'odd");
}

TEST(Records, an_exit_record_keeps_what_is_known_and_no_more) {
    const auto killed = parse_exit_record(to_json(ExitRecord{{1, 2}, {.signal = 9}, true, {5}}));
    EXPECT_EQ(killed->exit.signal, 9);
    EXPECT_FALSE(killed->exit.status);
    EXPECT_TRUE(killed->by_fencing);
    const auto ended = parse_exit_record(to_json(ExitRecord{{1, 2}, {.status = 0}, false, {5}}));
    EXPECT_EQ(ended->exit.status, 0);
    EXPECT_FALSE(ended->exit.signal);
}

TEST(Records, damage_is_an_error) {
    for (const char* text :
         {"", "{", "[]", "{}", "{\"process\":{\"pid\":0},\"launch\":{}}", "{\"process\":7}"}) {
        EXPECT_FALSE(parse_run_record(text)) << text;
    }
}

TEST(Seed, is_an_iso_9660_image_labelled_cidata_with_the_three_files) {
    model::CloudInit cloud_init;
    cloud_init.user_data = "#cloud-config\npackages: [nginx]\n";
    cloud_init.network_config = "version: 2\n";
    const auto image = make_seed(cloud_init, {"default/web-1", "uid-1", 1});
    ASSERT_TRUE(image) << describe(image.error());
    EXPECT_EQ(image->substr(32769, 5), "CD001");
    EXPECT_EQ(image->substr(32808, 6), "CIDATA");  // volume identifiers are upper case in ISO 9660
    const std::unique_ptr<archive, int (*)(archive*)> iso(archive_read_new(), archive_read_free);
    archive_read_support_format_iso9660(iso.get());
    ASSERT_EQ(archive_read_open_memory(iso.get(), image->data(), image->size()), ARCHIVE_OK);
    std::map<std::string, std::string> files;
    archive_entry* entry = nullptr;
    while (archive_read_next_header(iso.get(), &entry) == ARCHIVE_OK) {
        std::string text(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
        archive_read_data(iso.get(), text.data(), text.size());
        if (archive_entry_filetype(entry) == AE_IFREG) files[archive_entry_pathname(entry)] = text;
    }
    EXPECT_EQ(files["user-data"], cloud_init.user_data);
    EXPECT_EQ(files["meta-data"], "instance-id: uid-1\nlocal-hostname: web-1\n");
    EXPECT_EQ(files["network-config"], "version: 2\n");
    EXPECT_FALSE(wants_seed({}));
}

TEST(Disks, an_overlay_is_made_once_and_no_smaller_than_its_image) {
    const os::TempDir dir;
    ASSERT_TRUE(os::run_checked(
        {"qemu-img", "create", "-q", "-f", "raw", dir.file("base.raw"), "8M"}, seconds(20)));
    DiskFile disk{.name = "root",
                  .path = dir.file("vm/root.qcow2"),
                  .size_mib = 4,
                  .backing_path = dir.file("base.raw")};
    const auto small = make_disk(disk, 1, "host-1");
    ASSERT_FALSE(small);
    EXPECT_NE(small.error().message.find("asks for 4 MiB, and its image has 8"), std::string::npos);
    EXPECT_FALSE(os::path_exists(disk.path));
    disk.size_mib = 16;
    EXPECT_EQ(make_disk(disk, 1, "host-1"), true);
    EXPECT_EQ(make_disk(disk, 1, "host-1"), false);
    const auto info = os::run_checked({"qemu-img", "info", disk.path}, seconds(20));
    EXPECT_NE(info->find("virtual size: 16 MiB"), std::string::npos);
    EXPECT_NE(info->find("backing file format: raw"), std::string::npos);
    EXPECT_EQ(os::list_directory(dir.file("vm"))->size(), 1u);
}

TEST(Disks, blank_and_raw_copies) {
    const os::TempDir dir;
    DiskFile disk{.name = "data",
                  .path = dir.file("d.raw"),
                  .format = model::DiskFormat::kRaw,
                  .size_mib = 2};
    EXPECT_EQ(make_disk(disk, 1, "host-1"), true);
    EXPECT_EQ(*os::file_size(disk.path), 2u << 20);
    disk.backing_path = std::exchange(disk.path, dir.file("c.raw"));
    disk.size_mib = 3;
    EXPECT_EQ(make_disk(disk, 1, "host-1"), true);
    EXPECT_EQ(*os::file_size(disk.path), 3u << 20);
    EXPECT_EQ(make_disk({.name = "no", .path = dir.file("n.raw")}, 1, "host-1").error().code,
              ErrorCode::kInvalid);
    ASSERT_TRUE(remove_disk(disk.path));
    ASSERT_TRUE(remove_disk(disk.path));
}

TEST(Disks, a_disk_grows_with_its_volume_and_never_shrinks) {
    const os::TempDir dir;
    DiskFile raw{.name = "data",
                 .path = dir.file("d.raw"),
                 .format = model::DiskFormat::kRaw,
                 .size_mib = 2};
    EXPECT_EQ(make_disk(raw, 1, "host-1"), true);
    raw.size_mib = 3;
    EXPECT_EQ(make_disk(raw, 1, "host-1"), false);
    EXPECT_EQ(*os::file_size(raw.path), 3u << 20);
    raw.size_mib = 1;
    EXPECT_EQ(make_disk(raw, 1, "host-1"), false);
    EXPECT_EQ(*os::file_size(raw.path), 3u << 20);
    raw.size_mib = 4;
    raw.read_only = true;
    EXPECT_EQ(make_disk(raw, 1, "host-1"), false);
    EXPECT_EQ(*os::file_size(raw.path), 3u << 20);

    // Where its image lies on this host, which is not where it lay when the overlay was made.
    for (const char* host : {"host-1", "host-2"}) {
        ASSERT_TRUE(os::make_directories(dir.file(host)));
        ASSERT_TRUE(os::write_file_atomically(dir.file(std::string(host) + "/abc"),
                                              std::string(1 << 20, 'x')));
    }
    DiskFile overlay{.name = "root",
                     .path = dir.file("pool/v.qcow2"),
                     .backing_path = dir.file("host-1/abc"),
                     .shared = true};
    EXPECT_EQ(make_disk(overlay, 1, "host-1"), true);
    ASSERT_TRUE(os::remove_file(dir.file("host-1/abc")));
    overlay.backing_path = dir.file("host-2/abc");
    overlay.size_mib = 8;
    const auto grown = make_disk(overlay, 1, "host-2");
    EXPECT_EQ(grown, false) << describe(grown ? Error{} : grown.error());
    const auto info = os::run_checked({"qemu-img", "info", "-U", overlay.path}, seconds(20));
    EXPECT_NE(info->find("virtual size: 8 MiB"), std::string::npos);
}

TEST(Disks, an_overlay_in_a_pool_goes_with_the_same_image_wherever_it_lies_and_with_no_other) {
    const os::TempDir dir;
    for (const char* host : {"host-1", "host-2"}) {
        ASSERT_TRUE(os::make_directories(dir.file(host)));
        for (const char* image : {"abc", "def"})
            ASSERT_TRUE(os::write_file_atomically(dir.file(std::string(host) + "/" + image),
                                                  std::string(1 << 20, 'x')));
    }
    DiskFile disk{.name = "root",
                  .path = dir.file("pool/v.qcow2"),
                  .format = model::DiskFormat::kQcow2,
                  .backing_path = dir.file("host-1/abc"),
                  .shared = true};
    EXPECT_EQ(make_disk(disk, 1, "host-1"), true);
    disk.backing_path = dir.file("host-2/abc");
    EXPECT_EQ(make_disk(disk, 1, "host-1"), false);
    disk.backing_path = dir.file("host-2/def");
    EXPECT_EQ(make_disk(disk, 1, "host-1").error().code, ErrorCode::kConflict);
}

TEST(Preparation, one_that_fails_removes_its_own_disks_and_leaves_those_that_others_can_open) {
    const os::TempDir dir;
    const os::Cgroups none;
    PreparationInput input;
    input.launch.id = {"default/web-1", "uid-1", 1};
    input.launch.kernel = "/boot/vmlinuz";
    input.launch.spec.nics.push_back({.name = "net0"});
    input.launch.spec.nics[0].forwards.push_back({.host_address = "nowhere", .guest_port = 80});
    input.launch.disks = {
        {.name = "own", .path = dir.file("own.qcow2"), .size_mib = 1},
        {.name = "pool", .path = dir.file("p.qcow2"), .size_mib = 1, .shared = true}};
    input.node = "host-1";
    input.directory = dir.file("vm");
    input.cgroups = &none;
    const auto prepared = prepare(input);
    ASSERT_FALSE(prepared);
    EXPECT_NE(prepared.error().message.find("nowhere"), std::string::npos)
        << prepared.error().message;
    EXPECT_FALSE(os::path_exists(dir.file("own.qcow2")));
    EXPECT_TRUE(
        os::path_exists(dir.file("p.qcow2")));  // another host may have claimed it meanwhile
}

TEST(EpochGuard, a_shared_disk_is_opened_by_its_newest_epoch_on_one_host) {
    const os::TempDir dir;
    const DiskFile disk{.name = "root", .path = dir.file("root.qcow2"), .shared = true};
    ASSERT_TRUE(claim_disk(disk, 3, "host-1"));
    EXPECT_TRUE(claim_disk(disk, 3, "host-1"));
    EXPECT_EQ(claim_disk(disk, 3, "host-2").error().code, ErrorCode::kConflict);
    EXPECT_EQ(claim_disk(disk, 2, "host-1").error().code, ErrorCode::kConflict);
    ASSERT_TRUE(claim_disk(disk, 4, "host-2"));
    const auto refused = claim_disk(disk, 3, "host-1");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("belongs to epoch 4 of its VM, on host host-2"),
              std::string::npos);
    ASSERT_TRUE(os::replace_file(disk.path + ".epoch", "{\"epoch\""));
    EXPECT_FALSE(claim_disk(disk, 9, "host-1")) << "what is damaged is not trusted";
    EXPECT_TRUE(claim_disk({.path = dir.file("local.qcow2")}, 1, "host-1"));
    EXPECT_FALSE(os::path_exists(dir.file("local.qcow2.epoch")));
}

TEST(EpochGuard, a_volume_goes_from_one_vm_to_the_next_and_not_back) {
    const os::TempDir dir;
    DiskFile disk{.name = "data", .path = dir.file("data.qcow2"), .shared = true};
    ASSERT_TRUE(os::replace_file(disk.path + ".epoch", R"({"epoch":7,"node":"host-1"})"))
        << "as an older version wrote it";
    disk.volume_epoch = 1;
    ASSERT_TRUE(claim_disk(disk, 1, "host-2")) << "another VM has taken it, in its first epoch";
    ASSERT_TRUE(claim_disk(disk, 2, "host-3")) << "and was placed anew";
    EXPECT_EQ(claim_disk(disk, 1, "host-2").error().code, ErrorCode::kConflict);
    disk.volume_epoch = 0;
    EXPECT_EQ(claim_disk(disk, 7, "host-1").error().code, ErrorCode::kConflict);
    EXPECT_EQ(claim_disk(disk, 8, "host-1").error().code, ErrorCode::kConflict)
        << "the VM that had it is out, however often it is placed";
    disk.volume_epoch = 2;
    EXPECT_TRUE(claim_disk(disk, 8, "host-1")) << "until it takes the volume again";
}

TEST(EpochGuard, who_only_reads_claims_nothing) {
    const os::TempDir dir;
    const DiskFile disk{
        .name = "data", .path = dir.file("data.raw"), .read_only = true, .shared = true};
    EXPECT_TRUE(claim_disk(disk, 1, "host-1"));
    EXPECT_TRUE(claim_disk(disk, 1, "host-2"));
    EXPECT_FALSE(os::path_exists(disk.path + ".epoch"));
}

void append(const std::string& path, const std::string& text) {
    const os::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
    ASSERT_TRUE(os::write_all(fd.get(), text, "append"));
}

TEST(ConsoleLog, is_bounded_and_remembers_what_was_seen) {
    const os::TempDir dir;
    ConsoleLog log(dir.path());
    ASSERT_TRUE(log.begin());
    append(dir.file(kConsoleLog), "first line\n");
    EXPECT_TRUE(log.has("first line", WallTime{0}));
    EXPECT_FALSE(log.has("late", WallTime{0}));
    append(dir.file(kConsoleLog), std::string(kConsoleLogMax, 'x') + "late\n");
    ASSERT_TRUE(log.trim());
    EXPECT_EQ(*os::file_size(dir.file(kConsoleLog)), 0u);
    EXPECT_LE(*os::file_size(dir.file(kConsoleLogCut)), kConsoleLogMax);
    EXPECT_TRUE(log.has("first line", WallTime{0}));
    EXPECT_TRUE(log.has("late", WallTime{0})) << "it is in the part that was cut";
    append(dir.file(kConsoleLog), "newest\n");
    EXPECT_EQ(*log.tail(12), "late\nnewest\n");
}

TEST(ConsoleLog, what_a_former_instance_said_does_not_count) {
    const os::TempDir dir;
    append(dir.file(kConsoleLog), "ready\n");
    ConsoleLog log(dir.path());
    ASSERT_TRUE(log.begin());
    EXPECT_FALSE(log.has("ready", WallTime{1000}));
    EXPECT_EQ(*log.tail(100), "ready\n") << "but it is still shown";
}

TEST(Accelerator, without_the_cpu_flag_it_is_tcg_whatever_the_device_says) {
    const Accelerator found = probe_accelerator({"fpu", "sse2"}, "boot", "");
    EXPECT_FALSE(found.kvm);
    EXPECT_NE(found.reason.find("no vmx or svm"), std::string::npos);
}

TEST(Accelerator, the_verdict_is_remembered_for_this_boot_only) {
    const os::TempDir dir;
    ASSERT_TRUE(os::replace_file(dir.file("kvm.json"),
                                 "{\"boot_id\":\"b1\",\"kvm\":true,\"reason\":\"seen\"}"));
    EXPECT_TRUE(probe_accelerator({}, "b1", dir.file("kvm.json")).kvm);
    EXPECT_FALSE(probe_accelerator({}, "b2", dir.file("kvm.json")).kvm);
    EXPECT_FALSE(probe_accelerator({}, "b2", dir.file("kvm.json")).kvm);
}

TEST(Accelerator, a_probe_guest_ends_in_time_and_a_missing_device_is_named) {
    EXPECT_EQ(run_kvm_guest(seconds(1), "/dev/none"), "/dev/kvm cannot be opened");
    (void)run_kvm_guest(seconds(1));  // whatever this host has: it comes back
}

}  // namespace
}  // namespace blixard::hypervisor
