#!/usr/bin/env bash
# Blixard beside what people would use instead, on this machine: LXD 5.0, bare etcd, QEMU by hand; and what it costs as it
# grows. Writes bench/RESULTS.md from what was measured last. As root; some ten minutes for all; a part
# by itself leaves what the others measured before as it is.
#
#   bench/peers.sh [--quick] [PART...]     parts: lxd stores control guests api curves micro; none: all
#                                          --quick: that it works, not how fast; writes no RESULTS.md
#
# LXD is installed from Debian if it is not there, run by hand in a directory of its own (no systemd is asked), and
# removed again afterwards, with what came along with it. Everything else is started and ended likewise. BLIXARD names
# another daemon's program than build/blixard.
set -euo pipefail
cd "$(dirname "$0")/.."

blixard=${BLIXARD:-build/blixard}
quick='' parts=() vms=1000 rounds=11 seconds=4
for word in "$@"; do
  case $word in
    --quick) quick=yes vms=20 rounds=1 seconds=1 ;;
    lxd|stores|control|guests|api|curves|micro) parts+=("$word") ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || parts=(lxd stores control guests api curves micro)
[ "$(id -u)" -eq 0 ] || { echo "peers: must be root: it installs LXD and runs it" >&2; exit 1; }
for program in "$blixard" build/blixard-bench build/store-bench; do
  [ -x "$program" ] || { echo "peers: build first: tools/build.sh blixard blixard-daemon blixard-bench store-bench" >&2; exit 1; }
done

work=$(mktemp -d /tmp/blixard-peers-XXXXXX)
results=build/bench-results
[ -z "$quick" ] || results=$work/results
mkdir -p "$results"
lxd_pid='' installed=() had_user='' had_group=''

end_lxd() {
  [ -n "$lxd_pid" ] || return 0
  LXD_DIR=$work/lxd timeout 60 lxd shutdown --timeout 30 2>/dev/null
  kill "$lxd_pid" 2>/dev/null
  wait "$lxd_pid" 2>/dev/null
  lxd_pid=''
}
cleanup() {
  set +e
  end_lxd
  for mounted in $(awk -v under="$work/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r); do
    umount -l "$mounted"
  done
  if [ ${#installed[@]} -gt 0 ]; then
    echo "peers: removing what was installed: ${installed[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq "${installed[@]}" >/dev/null 2>&1
    # The package's removal leaves these.
    [ -n "$had_user" ] || userdel _lxd 2>/dev/null
    [ -n "$had_group" ] || groupdel lxd 2>/dev/null
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

packages() { dpkg-query -W -f='${Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }' | sort; }

install_lxd() {
  command -v lxd >/dev/null && return 0
  echo "peers: installing lxd"
  packages >"$work/before"
  had_user=$(getent passwd _lxd) || true
  had_group=$(getent group lxd) || true
  apt-get update -qq
  # RUNLEVEL=1: no service is started.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends lxd >"$work/apt.log" 2>&1 ||
    { tail -5 "$work/apt.log" >&2; return 1; }
  packages >"$work/after"
  mapfile -t installed < <(comm -13 "$work/before" "$work/after")
}

part_lxd() {
  install_lxd
  mkdir "$work/lxd"
  LXD_DIR=$work/lxd lxd --logfile "$work/lxd.log" >"$work/lxd.out" 2>&1 &
  lxd_pid=$!
  LXD_DIR=$work/lxd lxd waitready --timeout 60
  LXD_DIR=$work/lxd lxc storage create bench dir >/dev/null
  LXD_DIR=$work/lxd lxc profile device add default root disk path=/ pool=bench >/dev/null
  build/blixard-bench lxd --blixard "$blixard" --lxd "$work/lxd/unix.socket" --vms "$vms" --json "$results/lxd.json"
  lxd --version >"$results/lxd-version"
  set +e; end_lxd; set -e
}
part_stores() { build/store-bench "$seconds" | tee "$results/stores.txt"; }
part_control() { build/blixard-bench control ${quick:+--quick} --json "$results/control.json"; }
part_guests() {
  tools/make_guest.sh build/guest
  python3 bench/guests.py --blixard "$blixard" --rounds "$rounds" --json "$results/guests.json"
}
part_api() { build/blixard-bench api --blixard "$blixard" ${quick:+--quick} --no-guests --json "$results/api.json"; }
part_curves() { build/blixard-bench curves ${quick:+--vms 100} --json "$results/curves.json"; }
part_micro() {
  build/blixard-bench micro --benchmark_out="$results/micro.json" --benchmark_out_format=json ${quick:+--benchmark_min_time=0.01}
}

# The page and its drawing do not count as a change.
commit() {
  local changed
  changed=$(git status --porcelain --untracked-files=no -- . ':!bench/RESULTS.md' ':!bench/curves.svg')
  echo "$(git rev-parse --short HEAD)${changed:+-dirty}"
}

for part in "${parts[@]}"; do
  echo
  echo "peers: $part"
  part_"$part"
  commit >"$results/$part.commit"
done
if [ -z "$quick" ]; then
  python3 bench/results.py "$results" bench/RESULTS.md
  echo "peers: wrote bench/RESULTS.md"
fi
