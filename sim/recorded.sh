#!/bin/sh
# Which deliberate faults of base/mutant.h a flight recorder's record shows: records one seed's hosts, plays each record to
# a build that has the fault, and says on which hosts it decides otherwise. Exit 1 if the sound build does, or a record cannot be played.
# Usage: sim/recorded.sh [BUILD_DIRECTORY] [NAME...]; build the targets blixard-sim and blixard-sim-mutants first.
build=${1:-build}
[ $# -gt 1 ] && shift || set -- fence-late stale-view start-unannounced epoch-not-raised restart-forgotten margin-skipped drain-forgotten
records=$(mktemp -d)
trap 'rm -rf "$records"' EXIT
"$build/blixard-sim" --seed 1 --once --record "$records" >/dev/null || exit 1
for name in none "$@"; do
    hosts='' fault="--mutant $name"
    [ "$name" != none ] || fault=''
    for record in "$records"/*.record; do
        "$build/blixard-sim-mutants" --recorded "$record" $fault >/dev/null 2>&1
        case $? in
            0) ;;
            1) hosts="$hosts $(basename "$record" .record | sed 's/.*-//')" ;;
            *) echo "$record cannot be played" >&2; exit 1 ;;
        esac
    done
    [ "$name" = none ] || echo "| $name |${hosts:- nowhere} |"
    [ "$name" != none ] || [ -z "$hosts" ] || { echo "the sound build decides otherwise on$hosts" >&2; exit 1; }
done
