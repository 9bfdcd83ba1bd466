#!/bin/sh
# Which deliberate faults of base/mutant.h a flight recorder's record shows: records one seed's hosts, plays each record to
# a build that has the fault, and says on which hosts it decides otherwise. Exit 1 if the sound build does.
# Usage: sim/recorded.sh [BUILD_DIRECTORY] [NAME...]; build the targets blixard-sim and blixard-sim-mutants first.
build=${1:-build}
[ $# -gt 1 ] && shift || set -- fence-late stale-view start-unannounced epoch-not-raised restart-forgotten margin-skipped drain-forgotten
records=$(mktemp -d)
trap 'rm -rf "$records"' EXIT
"$build/blixard-sim" --seed 1 --record "$records" >/dev/null || exit 1
for name in none "$@"; do
    hosts=
    for record in "$records"/*.record; do
        if [ "$name" = none ]; then
            "$build/blixard-sim-mutants" --recorded "$record" >/dev/null || { echo "the sound build decides otherwise: $record"; exit 1; }
        elif ! "$build/blixard-sim-mutants" --recorded "$record" --mutant "$name" >/dev/null; then
            hosts="$hosts $(basename "$record" .record | sed 's/.*-//')"
        fi
    done
    [ "$name" = none ] || echo "| $name |${hosts:- nowhere} |"
done
