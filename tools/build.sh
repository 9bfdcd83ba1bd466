#!/usr/bin/env bash
# Configures and builds into build/ (or $BLIXARD_BUILD). Usage: tools/build.sh [ninja targets...]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BLIXARD_BUILD:-build}
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
# Two checkouts of the same sources share what was compiled once.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
mkdir -p "$build"
if ! cmake -S . -B "$build" -G Ninja >"$build/configure.log" 2>&1; then
  cat "$build/configure.log" >&2
  exit 1
fi
exec ninja -C "$build" --quiet "$@"
