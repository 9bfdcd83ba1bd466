#!/usr/bin/env bash
# Builds the fuzz targets with clang and runs each for a while. Usage: tools/fuzz.sh SECONDS_EACH
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 -DBLIXARD_FUZZ=ON -DBLIXARD_PCH=OFF \
  >build/fuzz.configure.log 2>&1 || { cat build/fuzz.configure.log; exit 1; }
targets=$(git ls-files 'src/*_fuzz.cc' | sed 's|.*/||; s|\.cc$||')
# shellcheck disable=SC2086
ninja -C build/fuzz --quiet $targets
failed=0
running=()
finish() { wait "$1" || { failed=1; echo "$2 found a fault:"; tail -n 40 "build/fuzz/$2.log"; }; }
for target in $targets; do
  mkdir -p "build/fuzz/corpus/$target"
  "build/fuzz/$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -artifact_prefix="build/fuzz/$target-" \
    "build/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1 &
  running+=("$! $target")
  if [ ${#running[@]} -ge "$(nproc)" ]; then
    # shellcheck disable=SC2086
    finish ${running[0]}
    running=("${running[@]:1}")
  fi
done
# shellcheck disable=SC2086
for one in "${running[@]}"; do finish $one; done
for target in $targets; do printf '%s: %s\n' "$target" "$(tail -n 1 "build/fuzz/$target.log")"; done
exit $failed
