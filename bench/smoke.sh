#!/usr/bin/env bash
# Runs each benchmark for a moment: that it works, not how fast.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${BLIXARD_BENCH:-build/blixard-bench}
work=$(mktemp -d /tmp/blixard-smoke-XXXXXX)
trap 'rm -rf "$work"' EXIT
"$bench" sched --hosts 10 --hosts 100 --decisions 2000 --json "$work/sched.json"
"$bench" http --quick
"$bench" control --quick
"$bench" api --quick --no-guests --vms 1000 --blixard build/blixard
"$bench" curves --vms 100 --json "$work/curves.json"
"$bench" micro --benchmark_min_time=0.001 --benchmark_out="$work/micro.json" --benchmark_out_format=json

# What compares must see a slower one, and must not see one where there is none.
bench/compare.py "$work/micro.json" "$work/micro.json"
python3 - "$work" <<'END'
import json, sys
micro = json.load(open(sys.argv[1] + "/micro.json"))
micro["benchmarks"][0]["cpu_time"] *= 1.3
micro["benchmarks"][0]["real_time"] *= 1.3
json.dump(micro, open(sys.argv[1] + "/slower.json", "w"))
END
if bench/compare.py "$work/micro.json" "$work/slower.json"; then
  echo "smoke: compare.py did not see that one row is 30 % slower" >&2
  exit 1
fi

# A page takes up what was measured now, and keeps the rest and what was added by hand.
mkdir "$work/results"
cp "$work/curves.json" "$work/results/"
echo none >"$work/results/curves.commit"
cp bench/RESULTS.md "$work/RESULTS.md"
python3 bench/results.py "$work/results" "$work/RESULTS.md"
grep -q 'curves`, .*, none: in process' "$work/RESULTS.md"
kept() { sed '/^## What grows/,$d; /^Measured on another machine/d; 1,/^## /d; /^$/d' "$1"; }
cmp <(kept bench/RESULTS.md) <(kept "$work/RESULTS.md")

# Two hosts of two GPUs and pods that take whole ones: all of the GPUs are given away.
cat >"$work/nodes.csv" <<'NODES'
sn,cpu_milli,memory_mib,gpu,model
a,32000,65536,2,T4
b,32000,65536,2,T4
NODES
cat >"$work/openb_pod_list_whole.csv" <<'PODS'
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec
p0,4000,4096,1,1000,
p1,8000,4096,2,1000,T4|A10
p2,2000,4096,0,0,
PODS
for strategy in fragmentation random best-fit first-fit most-available; do
  "$bench" trace openb --nodes "$work/nodes.csv" --pods "$work/openb_pod_list_whole.csv" --seeds 1 \
    --strategy "$strategy" --json "$work/rows.json"
  grep -q '"trace": "whole", "strategy": "'"$strategy"'", "seed": 1, "allocated_percent_at_100": ' "$work/rows.json"
done

# Two servers, two VMs that fill them, a third that waits from 2 s until the first leaves at 100 s, and a small one that
# came at 3 s and waits behind it: 98 + 97 s.
printf 'vmid,cpu,mem,at,lt\n0,64,128,0,100\n1,64,128,1,200\n2,64,128,2,10\n3,1,1,3,10\n' >"$work/vms.csv"
echo 0 >"$work/starts.txt"
"$bench" trace huawei --vms "$work/vms.csv" --starts "$work/starts.txt" --hosts 2 --json "$work/waits.json"
grep -q '"hosts": 2, "strategy": "fragmentation", "episodes": 1, "wait_s_trimmed_mean": 195.00' "$work/waits.json"
refused() {
    if "$bench" "$@" 2>"$work/refusal"; then return 1; fi
    cat "$work/refusal"
}
refused trace huawei --starts "$work/starts.txt" | grep -q 'no --vms FILE given'
refused trace huawei --vms "$work/vms.csv" --starts "$work/starts.txt" --hosts two | grep -q -- '--hosts two: not a whole number'
refused trace huawei --vms "$work/vms.csv" --starts "$work/starts.txt" --strategy manual | grep -q 'names its host'
refused trace huawei --vms "$work/vms.csv" --starts "$work/vms.csv" | grep -q 'no whole number'
