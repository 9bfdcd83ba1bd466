#!/bin/sh
# Makes the demo guest: OUT/vmlinuz and OUT/initrd, out of Debian's cloud kernel and busybox-static. Nothing else is needed
# or installed; root is not needed.
#
#   tools/make_guest.sh OUT [KERNEL]
#
# KERNEL is an unpacked linux-image-*-cloud-amd64 package (a directory with boot/ and lib/modules/). Without it the package
# is downloaded with apt-get into OUT/kernel, once.
#
# The guest: prints "blixard demo guest NAME ready" (NAME from blixard.name=NAME on the kernel command line), has a shell on
# ttyS0, a page on port 80, switches off at the ACPI power button (not with blixard.deaf=1), shows the cloud-init seed
# where there is one, and with blixard.beat=TEXT writes "TEXT EPOCH BOOT-ID COUNT" to /dev/vda once a second (one 512-byte
# block a beat from block 1 on, the number of the last block in block 0; EPOCH of its placement, 0 where it is not told).
set -eu

if [ $# -lt 1 ] || [ "$1" = --help ]; then
    sed -n '2,14s/^# \{0,1\}//p' "$0"
    exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
kernel=${2:-$out/kernel}
busybox=$(command -v busybox || echo /bin/busybox)
if ! [ -x "$busybox" ] || head -c 4096 "$busybox" | grep -q ld-linux; then
    echo "make_guest: a static busybox is missing; install the package busybox-static" >&2
    exit 1
fi

# The kernel package, unpacked.
if ! ls "$kernel"/boot/vmlinuz-* >/dev/null 2>&1; then
    [ $# -lt 2 ] || { echo "make_guest: no boot/vmlinuz-* in $kernel" >&2; exit 1; }
    package=$(apt-cache depends linux-image-cloud-amd64 |
        sed -n 's/.*Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -1)
    [ -n "$package" ] || { echo "make_guest: apt knows no linux-image-cloud-amd64; try: apt-get update" >&2; exit 1; }
    echo "make_guest: downloading $package" >&2
    mkdir -p "$kernel"
    (cd "$kernel" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null && dpkg-deb -x "$package"_*.deb . && rm -f "$package"_*.deb)
fi
vmlinuz=$(ls "$kernel"/boot/vmlinuz-* | sort -V | tail -1)
version=${vmlinuz##*/vmlinuz-}
modules=$kernel/lib/modules/$version

# An uncompressed kernel boots about a second faster where every instruction is translated; QEMU boots it by its PVH note.
cp "$vmlinuz" "$out/vmlinuz.new"
if command -v lz4 >/dev/null; then
    for at in $(LC_ALL=C grep -abo "$(printf '\002\041\114\030')" "$vmlinuz" | cut -d: -f1); do
        tail -c +$((at + 1)) "$vmlinuz" | lz4 -dcq 2>/dev/null >"$out/vmlinux.new" || true
        if [ "$(head -c 4 "$out/vmlinux.new" | tail -c 3)" = ELF ]; then
            mv "$out/vmlinux.new" "$out/vmlinuz.new"
            break
        fi
    done
    rm -f "$out/vmlinux.new"
fi

# The initial file system.
root=$(mktemp -d "$out/root.XXXXXX")
trap 'rm -rf "$root" "$out/vmlinuz.new" "$out/initrd.new"' EXIT
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/mnt" "$root/www" "$root/modules"
cp "$busybox" "$root/bin/busybox"

# In the order in which they need each other; what this kernel has built in is not there and not missed.
number=10
for name in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_mmio virtio_blk \
    failover net_failover virtio_net virtio_console virtio-rng virtio_balloon button evdev pvpanic pvpanic-pci cdrom isofs \
    qemu_fw_cfg; do
    file=$(find "$modules" -name "$name.ko" 2>/dev/null | head -1)
    [ -n "$file" ] || continue
    cp "$file" "$root/modules/$number-$name.ko"
    number=$((number + 1))
done

cat >"$root/init" <<'INIT'
#!/bin/busybox sh
export PATH=/bin HOME=/ TERM=vt102
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do insmod "$module" 2>/dev/null; done
exec 0</dev/console 1>/dev/console 2>&1

name=blixard deaf=0 beat=
for word in $(cat /proc/cmdline); do
    case $word in
        blixard.name=*) name=${word#*=} ;;
        blixard.deaf=*) deaf=${word#*=} ;;
        blixard.beat=*) beat=${word#*=} ;;
    esac
done
hostname "$name"

# The power button: an event device of type EV_KEY; any event of it means off (a press is three records of 24 bytes).
if [ "$deaf" != 1 ]; then
    for event in /sys/class/input/event*; do
        grep -q 'Power Button' "$event/device/name" 2>/dev/null || continue
        (head -c 24 "/dev/input/${event##*/}" >/dev/null && sync && echo "blixard demo guest $name powers off" &&
            poweroff -f) &
    done
fi

ip link set lo up
if ip link set eth0 up 2>/dev/null; then
    ip address add 10.0.2.15/24 dev eth0
    ip route add default via 10.0.2.2
    echo "nameserver 10.0.2.3" >/etc/resolv.conf 2>/dev/null
fi
echo "<html><body><h1>$name</h1><p>a blixard demo guest</p></body></html>" >/www/index.html
httpd -h /www

for disk in /dev/vd?; do
    [ -b "$disk" ] || continue
    mount -t iso9660 -o ro "$disk" /mnt 2>/dev/null || continue
    [ -f /mnt/meta-data ] && echo "blixard seed: $(cat /mnt/meta-data | tr '\n' ' ')"
    umount /mnt
done

if [ -n "$beat" ] && [ -b /dev/vda ]; then
    (
        last=$(dd if=/dev/vda bs=512 count=1 2>/dev/null | tr -d '\0')
        last=${last:-0}
        boot=$(cat /proc/sys/kernel/random/boot_id)
        epoch=$(cat /sys/firmware/qemu_fw_cfg/by_name/opt/blixard/epoch/raw 2>/dev/null)
        while :; do
            last=$((last + 1))
            printf '%-511s\n' "$beat ${epoch:-0} $boot $last" | dd of=/dev/vda bs=512 seek=$last conv=notrunc,fsync 2>/dev/null &&
                printf '%-511s\n' "$last" | dd of=/dev/vda bs=512 conv=notrunc,fsync 2>/dev/null
            sleep 1
        done
    ) &
fi

echo "blixard demo guest $name ready"
while :; do
    setsid cttyhack sh </dev/ttyS0 >/dev/ttyS0 2>&1
    sleep 1
done
INIT
chmod 755 "$root/init"
mkdir -p "$root/etc"
(cd "$root" && find . | LC_ALL=C sort | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1n >"$out/initrd.new")
mv "$out/vmlinuz.new" "$out/vmlinuz"
mv "$out/initrd.new" "$out/initrd"
echo "$version" >"$out/version"
echo "make_guest: $out/vmlinuz and $out/initrd (kernel $version)" >&2
