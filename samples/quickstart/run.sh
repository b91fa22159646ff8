#!/bin/bash
# Quickstart: from a fresh Debian 12 to Triton kernels running in a C program.
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$repo/cmake/setup.sh"

for argument in "$@"; do
  case $argument in
    --help)
      echo "usage: samples/quickstart/run.sh [options]"
      echo "Installs what is missing, builds and installs Nereid under build/, then packs and"
      echo "runs five Triton kernels from C on this machine's CPU. Safe to repeat."
      echo "$common_options_help"
      exit 0 ;;
    *) take_common_option "$argument" || die "unknown option '$argument'; see --help" ;;
  esac
done

step "1/5 packages"
require_packages "${build_packages[@]}"

step "2/5 build Nereid"
build_preset release build -DNEREID_BUILD_TESTS=OFF

step "3/5 install Nereid"
install_tree

step "4/5 build the sample against the installed Nereid, packing its kernels"
sample=$repo/build/samples/quickstart
(cd "$repo/samples/quickstart" && cmake -S . -B "$sample" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_COMPILER=clang-22 -DCMAKE_PREFIX_PATH="$repo/build/install") >"$repo/build/sample.log" 2>&1 ||
  die "configuring the sample failed: $(tail -n 10 "$repo/build/sample.log")"
cmake --build "$sample" 2>&1 | show_progress || die "building the sample failed"

step "5/5 run it"
"$sample/quickstart" "$sample/quickstart.nrd" || die "the sample failed with status $?"
step "done"
