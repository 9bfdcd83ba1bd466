#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
#
#   ./test.sh          everything that a change must pass (what CI runs)
#   ./test.sh --quick  the same without fuzzing, and with fewer seeds: under 10 minutes on 2 cores
#   ./test.sh --long   campaigns: more seeds, longer fuzzing, more kills; takes hours
set -euo pipefail
cd "$(dirname "$0")"

mode=full
case "${1:-}" in
  "") ;;
  --quick) mode=quick ;;
  --long) mode=long ;;
  -h|--help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "test.sh: unknown option \"$1\"; see ./test.sh --help" >&2; exit 2 ;;
esac

passed=0
failed=0
names=()
mkdir -p build/test-logs

# Runs one named step; its output is shown if it fails.
step() {
  local name=$1
  shift
  local log="build/test-logs/${name//[^a-z0-9]/-}.log" begin=$SECONDS
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    printf '  ok    %-32s %4d s\n' "$name" $((SECONDS - begin))
  else
    failed=$((failed + 1))
    names+=("$name")
    printf '  FAIL  %-32s %4d s   %s\n' "$name" $((SECONDS - begin)) "$log"
    tail -n 120 "$log" | sed 's/^/        /'
  fi
}

if [ $mode = long ]; then tools/setup.sh --ceph; else tools/setup.sh; fi
echo "building ..."
begin=$SECONDS
if [ $mode = quick ]; then tools/build.sh; else tools/build.sh all blixard-bench; fi
echo "built in $((SECONDS - begin)) s"

step includes python3 tools/check_includes.py
step words python3 tools/check_words.py
step format tools/check_format.sh
tools/make_guest.sh build/guest >build/test-logs/guest.log 2>&1 || { cat build/test-logs/guest.log >&2; exit 1; }
export BLIXARD_GUEST=$PWD/build/guest

[ $mode = long ] && export BLIXARD_LONG=1
for program in build/test_*; do
  [ -x "$program" ] && [ ! -d "$program" ] || continue
  step "unit ${program#build/test_}" timeout 900 "$program" --gtest_brief=1
done

seeds=1000 fuzz_seconds=60 script_seconds=1800  # seeds: as many as are known to be clean with all checks
[ $mode = quick ] && seeds=50 fuzz_seconds=0
[ $mode = long ] && seeds=20000 fuzz_seconds=1200 script_seconds=14400
step "simulation" build/blixard sim --seed 1 --count "$seeds"
[ -d sim/corpus ] && step "simulation corpus" build/blixard sim --corpus sim/corpus
for script in tests/*_test.py; do
  [ -e "$script" ] || continue
  [ $mode = long ] || [ "$script" != tests/passthrough_test.py ] || continue  # a host emulated in a host: minutes
  name=${script#tests/}
  step "end to end ${name%_test.py}" timeout $script_seconds env BLIXARD_TEST_MODE=$mode python3 "$script"
done
if [ $fuzz_seconds -gt 0 ]; then
  step "fuzz" tools/fuzz.sh "$fuzz_seconds"
fi
if [ -x build/blixard-bench ]; then
  step "benchmarks run" bench/smoke.sh
fi

echo
[ $failed -eq 0 ] || printf 'failed: %s\n' "${names[@]}"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
