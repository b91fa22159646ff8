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
  note "$name" "$status" $((SECONDS - begin)) \
    "$(sed -n 's/^\([0-9]*% tests passed, .*\)$/\1/p' "$log")"
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
  build_preset dev build-dev -DNEREID_BUILD_TESTS=ON -- sanitized-programs
  note "sanitizer build" passed $((SECONDS - begin)) "build-dev/"
  run_stage "sanitizers" build-dev -L '^(sanitize|wrong-input)$' --parallel "$jobs"
fi

step "result"
printf '   %s\n' "${results[@]}"
if [ "$failures" -gt 0 ]; then
  echo "   $failures of ${#results[@]} stages FAILED after $((SECONDS - started)) s"
  exit 1
fi
echo "   all ${#results[@]} stages passed in $((SECONDS - started)) s"
