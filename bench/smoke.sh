#!/usr/bin/env bash
# Runs each benchmark for a moment: that it works, not how fast.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${BLIXARD_BENCH:-build/blixard-bench}
"$bench" sched --hosts 10 --hosts 100 --decisions 2000
"$bench" http --quick
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
