#!/usr/bin/env bash
# Runs each benchmark for a moment: that it works, not how fast.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${BLIXARD_BENCH:-build/blixard-bench}
"$bench" sched --hosts 10 --hosts 100 --decisions 2000
"$bench" http --quick
"$bench" control --quick
"$bench" api --quick --no-guests --blixard build/blixard

# Two hosts of two GPUs and pods that take whole ones: all of the GPUs are given away.
traces=$(mktemp -d)
trap 'rm -rf "$traces"' EXIT
cat >"$traces/nodes.csv" <<'NODES'
sn,cpu_milli,memory_mib,gpu,model
a,32000,65536,2,T4
b,32000,65536,2,T4
NODES
cat >"$traces/openb_pod_list_whole.csv" <<'PODS'
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec
p0,4000,4096,1,1000,
p1,8000,4096,2,1000,T4|A10
p2,2000,4096,0,0,
PODS
for strategy in fragmentation random best-fit first-fit most-available; do
  "$bench" trace openb --nodes "$traces/nodes.csv" --pods "$traces/openb_pod_list_whole.csv" --seeds 1 \
    --strategy "$strategy" --json "$traces/rows.json"
  grep -q '"trace": "whole", "strategy": "'"$strategy"'", "seed": 1, "allocated_percent_at_100": ' "$traces/rows.json"
done

# Two servers, two VMs that fill them, a third that waits from 2 s until the first leaves at 100 s, and a small one that
# came at 3 s and waits behind it: 98 + 97 s.
printf 'vmid,cpu,mem,at,lt\n0,64,128,0,100\n1,64,128,1,200\n2,64,128,2,10\n3,1,1,3,10\n' >"$traces/vms.csv"
echo 0 >"$traces/starts.txt"
"$bench" trace huawei --vms "$traces/vms.csv" --starts "$traces/starts.txt" --hosts 2 --json "$traces/waits.json"
grep -q '"hosts": 2, "strategy": "fragmentation", "episodes": 1, "wait_s_trimmed_mean": 195.00' "$traces/waits.json"
refused() {
    if "$bench" "$@" 2>"$traces/refusal"; then return 1; fi
    cat "$traces/refusal"
}
refused trace huawei --starts "$traces/starts.txt" | grep -q 'no --vms FILE given'
refused trace huawei --vms "$traces/vms.csv" --starts "$traces/starts.txt" --hosts two | grep -q -- '--hosts two: not a whole number'
refused trace huawei --vms "$traces/vms.csv" --starts "$traces/starts.txt" --strategy manual | grep -q 'names its host'
refused trace huawei --vms "$traces/vms.csv" --starts "$traces/vms.csv" | grep -q 'no whole number'
