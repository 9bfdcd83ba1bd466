#!/usr/bin/env bash
# From a bare Debian 12 machine to a running VM.
#
#   ./demo.sh         installs what is missing, builds, starts the daemon, makes a guest, launches it and shows it
#   ./demo.sh stop    deletes the demo's VMs and ends its daemon
#   ./demo.sh --help  this text
#
# Everything it makes lies under build/ and var/.
set -euo pipefail
cd "$(dirname "$0")"

demo=$PWD/var/demo
blixard=$PWD/build/blixard
export BLIXARD_SOCKET=$demo/blixard.sock

daemon_pid() {
  local pid
  pid=$(cat "$demo/daemon.pid" 2>/dev/null) || return 1
  # The number may have gone to another process since.
  [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$blixard-daemon" ] && echo "$pid"
}

stop() {
  local pid
  if ! pid=$(daemon_pid); then
    echo "demo: no daemon of this demo is running"
    return
  fi
  for vm in $("$blixard" list -o name 2>/dev/null); do "$blixard" delete --force "$vm"; done
  kill "$pid"
  tail --pid="$pid" -f /dev/null
  rm -f "$demo/daemon.pid"
  echo "demo: the daemon has ended"
}

start_daemon() {
  if daemon_pid >/dev/null; then
    echo "demo: the daemon is running already"
    return
  fi
  mkdir -p "$demo"
  setsid "$blixard" daemon --data-dir "$demo/data" --socket "$BLIXARD_SOCKET" --name demo-host >>"$demo/daemon.log" 2>&1 </dev/null &
  echo $! >"$demo/daemon.pid"
  for _ in $(seq 300); do
    "$blixard" version >/dev/null 2>&1 && "$blixard" node show demo-host >/dev/null 2>&1 && return
    daemon_pid >/dev/null || break
    sleep 0.1
  done
  echo "demo: the daemon did not start; its log ends:" >&2
  tail -n 20 "$demo/daemon.log" >&2
  exit 1
}

show() { printf '\n\033[1m$ blixard %s\033[0m\n' "$*"; "$blixard" "$@"; }

case "${1:-}" in
  "") ;;
  stop) stop; exit 0 ;;
  -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "demo: unknown argument \"$1\"; see ./demo.sh --help" >&2; exit 2 ;;
esac

echo "[1/5] Debian packages"
tools/setup.sh
echo "[2/5] building (a first build takes some 15 minutes on 2 cores)"
tools/build.sh blixard
echo "[3/5] starting the daemon (log: var/demo/daemon.log)"
start_daemon
echo "[4/5] making a guest image out of Debian's kernel and busybox"
"$blixard" image show demo >/dev/null 2>&1 || "$blixard" image build-demo
echo "[5/5] launching a VM and waiting until its user space speaks"
if ! "$blixard" show hello >/dev/null 2>&1; then
  "$blixard" launch demo hello --memory 96M --port 0:80 --console-pattern "blixard demo guest"
else
  "$blixard" start hello
fi
show list
show show hello
show logs hello --lines 5
cat <<TEXT

The VM is running. Go on with (after: export BLIXARD_SOCKET=$BLIXARD_SOCKET):
  $blixard console hello      its serial console; leave with Ctrl-]
  $blixard stop hello         ask it to power off
  $blixard --help             everything else
  ./demo.sh stop              delete it all and end the daemon
TEXT
