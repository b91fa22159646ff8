#!/bin/bash
# Every test, from a fresh Debian 12: packages, build, then one stage after the
# other. A failing stage does not stop the later ones; the exit status tells.
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$repo/cmake/setup.sh"

only=
sanitize=yes
for argument in "$@"; do
  case $argument in
    --help)
      echo "usage: tests/run.sh [options]"
      echo "Installs what is missing, builds Nereid under build/ and runs every test."
      echo "$common_options_help"
      echo "  --only=LABEL   one stage: layering, gtest, lit, wrong-input, conformance, samples, size, corpus"
      echo "  --no-sanitize  leave out the AddressSanitizer and UBSan build"
      exit 0 ;;
    --only=*) only=${argument#--only=} sanitize=no ;;
    --no-sanitize) sanitize=no ;;
    *) take_common_option "$argument" || die "unknown option '$argument'; see --help" ;;
  esac
done

results=()
failures=0
tests_passed=0 tests_failed=0

# note STAGE STATUS SECONDS DETAIL
note() {
  results+=("$(printf '%-30s %-7s %4d s  %s' "$1" "$2" "$3" "$4")")
  [ "$2" = passed ] || failures=$((failures + 1))
}

# run_stage NAME FOLDER CTEST-ARGUMENTS...: the tests of one ctest selection.
run_stage() {
  local name=$1 folder=$2 begin=$SECONDS log status=passed
  shift 2
  step "$name"
  log=$repo/$folder/stage.log
  ctest --test-dir "$repo/$folder" --output-on-failure --no-tests=error "$@" 2>&1 |
    tee "$log" |
    grep --line-buffered -vE '^ *Start |^Internal ctest|^Test project|^Label |sec\*proc|^Total Test|^$' ||
    status=FAILED
  # "97% tests passed, 3 tests failed out of 100"
  local failed=0 total=0 skipped
  read -r failed total < <(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$log") || true
  skipped=$(grep -c '\*\*\*Skipped' "$log") || true
  tests_failed=$((tests_failed + failed)) tests_passed=$((tests_passed + total - failed - skipped))
  # A stage that could not run any test is one failure, so that nothing is lost.
  [ "$status" = passed ] || [ "$failed" -gt 0 ] || tests_failed=$((tests_failed + 1))
  note "$name" "$status" $((SECONDS - begin)) "$((total - failed - skipped)) of $total tests passed"
}

step "packages"
require_packages "${build_packages[@]}" "${test_packages[@]}"

begin=$SECONDS
step "build"
build_preset ci build -DNEREID_BUILD_TESTS=ON
install_tree
note build passed $((SECONDS - begin)) "build/, installed to build/install"

# A label without a row here would never run; tests/CMakeLists.txt gives every
# test one of these.
for label in layering gtest lit wrong-input size samples conformance corpus; do
  [ -z "$only" ] || [ "$only" = "$label" ] || continue
  case $label in
    conformance | corpus) run_stage "$label" build -L "^$label\$" ;;
    *) run_stage "$label" build -L "^$label\$" --parallel "$jobs" ;;
  esac
done

if [ "$sanitize" = yes ]; then
  begin=$SECONDS
  step "build with AddressSanitizer and UBSan"
  if (build_preset dev build-dev -DNEREID_BUILD_TESTS=ON -- sanitized-programs); then
    note "sanitizer build" passed $((SECONDS - begin)) "build-dev/"
    run_stage "sanitizers" build-dev -L '^(sanitize|wrong-input)$' --parallel "$jobs"
  else
    note "sanitizer build" FAILED $((SECONDS - begin)) "build-dev/"
    tests_failed=$((tests_failed + 1))
  fi
fi

step "result"
printf '   %s\n' "${results[@]}"
if [ "$failures" -gt 0 ]; then
  echo "   $failures of ${#results[@]} stages FAILED after $((SECONDS - started)) s"
else
  echo "   all ${#results[@]} stages passed in $((SECONDS - started)) s"
fi
# The last line, for programs: tests over all stages.
echo "$tests_passed passed, $tests_failed failed"
[ "$failures" -eq 0 ]
