#!/usr/bin/env bash
# Installs the Debian packages that Blixard is built from, tested with and runs on. Safe to run again: what is there stays.
# Usage: tools/setup.sh [--run-only | --ceph]
#   --run-only: only what a host needs to run VMs;  --ceph: also a Ceph, for tests/cluster/test_ceph.py
set -euo pipefail

build=(g++ cmake dpkg-dev ninja-build ccache mold git ca-certificates
  libboost1.81-dev libssl-dev libsimdjson-dev libfmt-dev libspdlog-dev libexpected-dev libsqlite3-dev libarchive-dev
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc golang-etcd-server-dev
  golang-github-gogo-protobuf-dev golang-github-grpc-ecosystem-grpc-gateway-dev
  libcli11-dev libyaml-cpp-dev libtomlplusplus-dev zlib1g-dev libbrotli-dev 
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev clang-19 clang-format-19 libclang-rt-19-dev python3 curl)
run=(qemu-system-x86 qemu-utils etcd-server etcd-client busybox-static cpio kmod zstd xz-utils iproute2 nftables procps)

wanted=("${run[@]}")
[ "${1:-}" = "--run-only" ] || wanted+=("${build[@]}")
[ "${1:-}" != "--ceph" ] || wanted+=(ceph-mon ceph-mgr ceph-osd ceph-common qemu-block-extra)

missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup: this script installs Debian packages, and there is no apt-get here; please install: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing and neither root nor sudo is here to install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${#missing[@]} Debian packages"
"${as_root[@]}" apt-get update -qq
# A service that a package brings (etcd's, say) is not started: Blixard runs its own.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
