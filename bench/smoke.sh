#!/usr/bin/env bash
# Runs each benchmark for a moment: that it works, not how fast.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${BLIXARD_BENCH:-build/blixard-bench}
"$bench" sched --hosts 10 --hosts 100 --decisions 2000
"$bench" http --quick
"$bench" api --quick --no-guests --blixard build/blixard
