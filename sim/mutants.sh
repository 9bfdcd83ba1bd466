#!/bin/sh
# For each deliberate fault of base/mutant.h: how many seeds it takes to find it. Exit 1 if one survives.
# Usage: sim/mutants.sh [BUILD_DIRECTORY] [SEEDS_MOST]; build the target blixard-sim-mutants first.
build=${1:-build}
most=${2:-40}
survived=0
for name in $(sed -n '/kMutantNames/,/};/p' "$(dirname "$0")/../src/base/mutant.h" | grep -o '"[a-z-]*"' | tr -d '"' | grep -v '^none$'); do
    found=
    seed=1
    while [ "$seed" -le "$most" ]; do
        if ! what=$("$build/blixard-sim-mutants" --mutant "$name" --seed "$seed" --once --no-shrink); then
            found=$(printf '%s\n' "$what" | sed -n 's/^seed [0-9]*: //p')
            break
        fi
        seed=$((seed + 1))
    done
    if [ -n "$found" ]; then
        echo "| $name | $seed | $found |"
    else
        echo "| $name | survived $most | |"
        survived=1
    fi
done
exit $survived
