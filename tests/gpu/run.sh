#!/bin/bash
# run.sh - runs what prepare.sh put beside it: ./run.sh [--device cuda:0] [STAGE...], by default every stage there.
#
# One line per stage, failures above it, and at the end `N passed, N failed`. $JOBOUT, if set, receives the logs.
# Stages of their own, on request: memcheck and racecheck run the conformance suite that is there under
# compute-sanitizer (narrow it with SANITIZED="--topic dot --filter single"); what they count are cases and errors.
cd "$(dirname "$0")"
export LD_LIBRARY_PATH=$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} PYTHONDONTWRITEBYTECODE=1
device=cuda:0
[ "$1" = --device ] && { device=$2; shift 2; }
logs=${JOBOUT:-$PWD/logs}
mkdir -p "$logs"
limit=${STAGE_SECONDS:-300}
stages=("$@")
if [ ${#stages[@]} = 0 ]; then
  [ -e runtime-cuda-hardware-test ] && stages+=(runtime)
  [ -e launch_cost.py ] && stages+=(cost)
  for plan in conformance/*/plan.json; do
    [ -e "$plan" ] && stages+=("$(basename "$(dirname "$plan")")")
  done
  [ -e bench ] && stages+=(bench)
fi

passed=0 failed=0
# report STAGE PASSED FAILED SECONDS
report() {
  printf '== %-10s %5d passed, %d failed, %d s\n' "$1" "$2" "$3" "$4"
  passed=$((passed + $2)) failed=$((failed + $3))
}
for stage in "${stages[@]}"; do
  log=$logs/$stage.log
  begin=$SECONDS
  case $stage in
  runtime)
    timeout "$limit" ./runtime-cuda-hardware-test --gtest_color=no >"$log" 2>&1
    status=$?
    ok=$(grep -c '^\[       OK' "$log")
    bad=$(grep -c '^\[  FAILED  \].*ms)' "$log")
    { [ $status -ne 0 ] || [ "$ok" = 0 ]; } && [ "$bad" = 0 ] && bad=1
    [ "$bad" != 0 ] && grep -v '^\[ RUN' "$log" | tail -40
    grep '^\[  SKIPPED.*ms)' "$log"
    ;;
  cost | bench)
    if [ $stage = cost ]; then
      timeout "$limit" python3 launch_cost.py --library lib/libnereid.so.0 --json "$logs/cost.json" >"$log" 2>&1
    else
      timeout "$limit" python3 bench/gpu_compare.py --library lib/libnereid.so.0 --json "$logs/bench.json" >"$log" 2>&1
    fi
    cat "$log"
    read -r ok bad < <(tail -1 "$log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
    [ -z "$ok" ] && ok=0 bad=1
    ;;
  memcheck | racecheck)
    # The runtime asks the driver for one parameter more than there are, to be sure that there are no more.
    checks=(--tool "$stage" --target-processes all)
    [ $stage = memcheck ] && checks+=(--report-api-errors no)
    for plan in conformance/*/plan.json; do
      CONFORMANCE_SLACK=0 timeout "$limit" compute-sanitizer "${checks[@]}" \
        python3 conformance/run.py --prepared "$(dirname "$plan")" --device "$device" --library lib/libnereid.so.0 \
        --brief --failures 20 ${SANITIZED:-}
    done >"$log" 2>&1
    grep -E '^cuda|^========= (Invalid|Error|Race|Warning|Hazard|  *at)|passed,|^FAILED' "$log" | head -${LINES_SHOWN:-40}
    ok=$(sed -n 's/^\([0-9]*\) of [0-9]* passed,.*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
    bad=$(sed -nE 's/^=+ (ERROR|RACECHECK) SUMMARY: ([0-9]+) .*/\2/p' "$log" | awk '{n += $1} END {print n + 0}')
    grep -q 'SUMMARY: ' "$log" || bad=1
    ;;
  *)
    timeout "$limit" python3 conformance/run.py --prepared "conformance/$stage" --device "$device" \
      --library lib/libnereid.so.0 --brief >"$log" 2>&1
    sed '/^== /d' "$log" | tail -${LINES_SHOWN:-80}
    read -r ok all < <(sed -n 's/^\([0-9]*\) of \([0-9]*\) passed,.*/\1 \2/p' "$log")
    bad=$((${all:-1} - ${ok:-0})) ok=${ok:-0}
    ;;
  esac
  report "$stage" "$ok" "$bad" $((SECONDS - begin))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
