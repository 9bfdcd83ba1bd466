#!/bin/sh
# For each deliberate fault of base/mutant.h: how many seeds it takes to find it, as the table of sim/README.md.
# Exit 1 if one survives. Usage: sim/mutants.sh [BUILD_DIRECTORY] [SEEDS_MOST] [NAME...]; build the target
# blixard-sim-mutants first.
build=${1:-build}
most=${2:-50}
[ $# -gt 2 ] && shift 2 || set --
names=${*:-$(sed -n '/kMutantNames/,/};/p' "$(dirname "$0")/../src/base/mutant.h" | grep -o '"[a-z-]*"' | tr -d '"' | grep -v '^none$')}
survived=0
for name in $names; do
    told=$("$build/blixard-sim-mutants" --mutant "$name" --seed 1 --count "$most" --once --no-shrink --first)
    seed=$(printf '%s\n' "$told" | sed -n 's/^failed seeds: //p')
    if [ -n "$seed" ]; then
        echo "| $name | $seed | $(printf '%s\n' "$told" | sed -n "s/^seed $seed: //p" | head -n 1 | cut -c 1-160) |"
    else
        echo "| $name | survived $most | |"
        survived=1
    fi
done
exit $survived
