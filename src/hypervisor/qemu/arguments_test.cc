#include "hypervisor/qemu/arguments.h"

#include <gtest/gtest.h>

namespace blixard::hypervisor {
namespace {

Launch kernel_launch() {
    Launch launch;
    launch.id = {"default/web-1", "0123456789abcdef", 3};
    launch.kernel = "/images/k";
    launch.initrd = "/images/i";
    launch.command_line = "console=ttyS0";
    launch.spec.cpus = 2;
    launch.spec.memory_mib = 256;
    return launch;
}

model::Nic web_nic() {
    model::Nic nic;
    nic.name = "net0";
    nic.forwards.push_back({.host_port = 8080, .guest_port = 80});
    return nic;
}

// One line per option: easier to read than one long line.
std::string lines(const Result<std::vector<std::string>>& arguments) {
    if (!arguments) return describe(arguments.error());
    std::string text;
    for (const std::string& argument : *arguments) {
        const bool option = argument.starts_with('-');
        text += text.empty() ? argument : (option ? "\n" : " ") + argument;
    }
    return text;
}

TEST(QemuArguments, q35_under_tcg_boots_a_kernel_directly) {
    Launch launch = kernel_launch();
    launch.spec.command_line = "quiet";
    launch.spec.nics.push_back(web_nic());
    EXPECT_EQ(
        lines(qemu_arguments(launch, {.tsc_khz = 2445427}, {.seed = "seed.iso"})),
        "qemu-system-x86_64\n"
        "-name guest=default/web-1,debug-threads=on\n"
        "-nodefaults\n"
        "-no-user-config\n"
        "-display none\n"
        "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny\n"
        "-msg timestamp=on\n"
        "-machine q35,vmport=off,i8042=off,graphics=off,sata=off\n"
        "-accel tcg,tb-size=32\n"
        "-cpu max,erms=off,fsrm=off\n"
        "-smp cpus=2\n"
        "-m size=256M\n"
        "-rtc base=utc\n"
        "-fw_cfg name=opt/blixard/epoch,string=3\n"
        "-chardev socket,id=monitor,fd=3,server=on,wait=off\n"
        "-mon chardev=monitor,mode=control\n"
        "-chardev socket,id=console,fd=4,server=on,wait=off,logfile=console.log,logappend=on\n"
        "-serial chardev:console\n"
        "-kernel /images/k\n"
        "-initrd /images/i\n"
        "-append console=ttyS0 quiet no_timer_check tsc_early_khz=2445427\n"
        "-blockdev driver=raw,node-name=seed,read-only=on,file.driver=file,file.filename=seed.iso\n"
        "-device virtio-blk-pci,drive=seed,serial=cidata\n"
        "-netdev user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80\n"
        "-device virtio-net-pci,netdev=net0,mac=" +
            derived_mac("0123456789abcdef", 0) +
            ",romfile=\n"
            "-device virtio-rng-pci\n"
            "-device virtio-balloon-pci,deflate-on-oom=on\n"
            "-device pvpanic-pci");
}

TEST(QemuArguments, microvm_where_kvm_runs_and_a_kernel_is_booted) {
    Launch launch = kernel_launch();
    launch.initrd.clear();
    launch.disks.push_back({.name = "data",
                            .path = "/d/data.raw",
                            .format = model::DiskFormat::kRaw,
                            .read_only = true});
    EXPECT_EQ(
        lines(qemu_arguments(launch, {.kvm = true}, {})),
        "qemu-system-x86_64\n"
        "-name guest=default/web-1,debug-threads=on\n"
        "-nodefaults\n"
        "-no-user-config\n"
        "-display none\n"
        "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny\n"
        "-msg timestamp=on\n"
        "-machine microvm,acpi=on,rtc=on\n"
        "-accel kvm\n"
        "-cpu host\n"
        "-smp cpus=2\n"
        "-m size=256M\n"
        "-rtc base=utc\n"
        "-fw_cfg name=opt/blixard/epoch,string=3\n"
        "-chardev socket,id=monitor,fd=3,server=on,wait=off\n"
        "-mon chardev=monitor,mode=control\n"
        "-chardev socket,id=console,fd=4,server=on,wait=off,logfile=console.log,logappend=on\n"
        "-serial chardev:console\n"
        "-kernel /images/k\n"
        "-append console=ttyS0\n"
        "-blockdev node-name=disk0,read-only=on,discard=unmap,driver=raw,file.driver=file,"
        "file.filename=/d/data.raw,file.locking=on\n"
        "-device virtio-blk-device,drive=disk0,serial=data\n"
        "-device virtio-rng-device\n"
        "-device virtio-balloon-device,deflate-on-oom=on");
}

TEST(QemuArguments, an_emulated_microvm_is_told_its_clock_rate) {
    Launch launch = kernel_launch();
    launch.spec.machine = model::Machine::kMicrovm;
    const std::string text = lines(qemu_arguments(launch, {}, {}));
    EXPECT_NE(text.find("-machine microvm,acpi=on,pit=on,pic=on,rtc=on\n"), std::string::npos);
    EXPECT_NE(text.find("-append console=ttyS0 no_timer_check tsc_early_khz=2000000\n"),
              std::string::npos);
}

TEST(QemuArguments, a_disk_boots_on_q35_with_the_image_lock_and_its_comma_doubled) {
    Launch launch = kernel_launch();
    launch.kernel.clear();
    launch.initrd.clear();
    launch.spec.machine = model::Machine::kAuto;
    launch.disks.push_back({.name = std::string(30, 'n'), .path = "/d/a,b.qcow2"});
    const std::string text = lines(qemu_arguments(launch, {.kvm = true}, {}));
    EXPECT_NE(text.find("-machine q35"), std::string::npos);
    EXPECT_EQ(text.find("-append"), std::string::npos);
    EXPECT_NE(
        text.find(
            "-blockdev node-name=disk0,read-only=off,discard=unmap,driver=qcow2,file.driver=file,"
            "file.filename=/d/a,,b.qcow2,file.locking=on\n"
            "-device virtio-blk-pci,drive=disk0,serial=nnnnnnnnnnnnnnnnnnnn,bootindex=1\n"),
        std::string::npos)
        << text;
}

TEST(QemuArguments, uefi_has_its_own_variables) {
    Launch launch = kernel_launch();
    launch.spec.firmware = model::Firmware::kUefi;
    const std::string text = lines(qemu_arguments(launch, {}, {.uefi_variables = "uefi.fd"}));
    EXPECT_NE(
        text.find(
            "-drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd\n"
            "-drive if=pflash,unit=1,format=raw,file=uefi.fd\n"),
        std::string::npos);
}

TEST(QemuArguments, a_ceph_disk_is_opened_by_qemus_own_driver_and_waits_for_its_lock) {
    Launch launch = kernel_launch();
    EXPECT_EQ(lines(qemu_arguments(launch, {}, {})).find("-S"), std::string::npos);
    launch.disks.push_back({.name = "root",
                            .path = "rbd:vms/web-1:id=blixard:conf=/etc/ceph/b,c.conf",
                            .format = model::DiskFormat::kRaw});
    const std::string writable = lines(qemu_arguments(launch, {}, {}));
    EXPECT_NE(writable.find("if=none,id=disk0,format=raw,readonly=off,discard=unmap,"
                            "file=rbd:vms/web-1:id=blixard:conf=/etc/ceph/b,,c.conf:"),
              std::string::npos)
        << writable;
    EXPECT_NE(writable.find("rbd_auto_exclusive_lock_until_manual_request=false"),
              std::string::npos);
    EXPECT_NE(writable.find("drive=disk0,serial=root"), std::string::npos);
    EXPECT_NE(writable.find("\n-S"), std::string::npos);
    launch.disks[0].read_only = true;
    EXPECT_EQ(lines(qemu_arguments(launch, {}, {})).find("\n-S"), std::string::npos);
    launch.disks[0].path = "rbd:vms/web-1:key=secret";
    EXPECT_EQ(qemu_arguments(launch, {}, {}).error().code, ErrorCode::kInvalid);
    launch.disks[0].path = "rbd:vms";
    EXPECT_EQ(qemu_arguments(launch, {}, {}).error().code, ErrorCode::kInvalid);
}

TEST(QemuArguments, an_overlay_in_a_shared_pool_finds_its_image_where_it_lies_on_this_host) {
    Launch launch = kernel_launch();
    launch.disks.push_back({.name = "root",
                            .path = "/mnt/nfs/v.qcow2",
                            .format = model::DiskFormat::kQcow2,
                            .backing_path = "/here/blobs/abc",
                            .backing_format = model::DiskFormat::kRaw,
                            .shared = true});
    const std::string backing =
        ",backing.driver=raw,backing.read-only=on,backing.file.driver=file,"
        "backing.file.filename=/here/blobs/abc";
    EXPECT_NE(lines(qemu_arguments(launch, {}, {})).find(backing), std::string::npos);
    launch.disks[0].shared = false;
    EXPECT_EQ(lines(qemu_arguments(launch, {}, {})).find("backing."), std::string::npos);
}

TEST(ChooseMachine, auto_is_microvm_only_with_kvm_and_a_kernel) {
    Launch launch = kernel_launch();
    EXPECT_EQ(choose_machine(launch, {.kvm = false}), model::Machine::kQ35);
    EXPECT_EQ(choose_machine(launch, {.kvm = true}), model::Machine::kMicrovm);
    launch.spec.machine = model::Machine::kMicrovm;
    EXPECT_EQ(choose_machine(launch, {.kvm = false}), model::Machine::kMicrovm);
    launch.spec.firmware = model::Firmware::kUefi;
    EXPECT_EQ(choose_machine(launch, {}).error().code, ErrorCode::kUnsupported);
}

TEST(ChooseMachine, what_it_cannot_do_is_refused) {
    Launch nothing = kernel_launch();
    nothing.kernel.clear();
    EXPECT_EQ(choose_machine(nothing, {}).error().code, ErrorCode::kInvalid);
    Launch part = kernel_launch();
    part.spec.constraints.devices.push_back({.kind = "gpu", .share_percent = 50});
    EXPECT_EQ(choose_machine(part, {}).error().code, ErrorCode::kUnsupported);
    Launch gpu = kernel_launch();
    gpu.spec.constraints.devices.push_back({.kind = "gpu"});
    EXPECT_EQ(choose_machine(gpu, {.kvm = true}), model::Machine::kQ35);
    gpu.spec.machine = model::Machine::kMicrovm;
    EXPECT_EQ(choose_machine(gpu, {.kvm = true}).error().code, ErrorCode::kUnsupported);
    Launch bridged = kernel_launch();
    bridged.spec.nics.push_back({.name = "net0", .network = "blue"});
    EXPECT_EQ(qemu_arguments(bridged, {}, {}).error().code, ErrorCode::kUnsupported);
}

TEST(QemuArguments, a_device_of_the_host_sits_in_a_slot_of_its_own_with_all_its_functions) {
    Launch launch = kernel_launch();
    launch.spec.constraints.devices = {{.kind = "gpu", .count = 2}};
    QemuFiles files;
    files.devices = {{"gpu", "10de:1b80", "0000:01:00.0", {"0000:01:00.0", "0000:01:00.1"}},
                     {"gpu", "nvidia-63", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", {}}};
    const auto arguments = qemu_arguments(launch, {}, files);
    ASSERT_TRUE(arguments) << describe(arguments.error());
    const std::vector<std::string> last(arguments->end() - 10, arguments->end());
    EXPECT_EQ(last, (std::vector<std::string>{
                        "-device", "pcie-root-port,id=slot0,chassis=1", "-device",
                        "vfio-pci,host=0000:01:00.0,bus=slot0,addr=0x0.0,multifunction=on",
                        "-device", "vfio-pci,host=0000:01:00.1,bus=slot0,addr=0x0.1", "-device",
                        "pcie-root-port,id=slot1,chassis=2", "-device",
                        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/"
                        "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001,bus=slot1,addr=0x0"}));
}

TEST(ChoosePorts, a_free_one_where_none_is_named_on_loopback_by_default) {
    model::Nic nic = web_nic();
    nic.forwards.push_back({.host_address = "0.0.0.0",
                            .host_port = 0,
                            .guest_port = 53,
                            .protocol = model::Protocol::kUdp});
    const auto nics = choose_ports(
        {nic}, [](const std::string& address, model::Protocol) -> Result<std::int64_t> {
            EXPECT_EQ(address, "0.0.0.0");
            return 4444;
        });
    ASSERT_TRUE(nics);
    const auto addresses = addresses_of(*nics);
    ASSERT_EQ(addresses.size(), 2u);
    EXPECT_EQ(addresses[0].address, "127.0.0.1:8080");
    EXPECT_EQ(addresses[1].address, "0.0.0.0:4444");
    EXPECT_EQ(addresses[1].guest_port, 53);
}

TEST(DerivedMac, is_stable_local_and_differs_by_card) {
    EXPECT_EQ(derived_mac("uid", 0), derived_mac("uid", 0));
    EXPECT_NE(derived_mac("uid", 0), derived_mac("uid", 1));
    EXPECT_TRUE(derived_mac("uid", 0).starts_with("52:54:00:"));
    EXPECT_EQ(derived_mac("uid", 0).size(), 17u);
}

}  // namespace
}  // namespace blixard::hypervisor
