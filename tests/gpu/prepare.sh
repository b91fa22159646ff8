#!/bin/bash
# prepare.sh - fills a folder that a machine with a GPU, but without LLVM and without this tree, can run:
#
#   tests/gpu/prepare.sh FOLDER [STAGE...] [-- OPTIONS OF conformance/run.py]
#
#   (always)        libnereid.so with what it needs, gpu.py, run.sh
#   runtime         the runtime's tests on hardware
#   cost            launch cost beside the raw driver call and Triton's launcher
#   sm_90a ptx_80   the conformance suite, packed for that target (any GPU target)
#   bench           the comparison with Triton, cuBLAS and cuDNN
#
# There: ./run.sh [STAGE...]. The build folder is $BUILD, by default build/.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
build=${BUILD:-$repo/build}
[ $# -ge 1 ] || { sed -n '2,13s/^# \?//p' "$0"; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
stages=() options=()
while [ $# -gt 0 ]; do
  [ "$1" = -- ] && { shift; options=("$@"); break; }
  stages+=("$1"); shift
done

library=$(readlink -f "$build/lib/libnereid.so")
mkdir -p "$folder/lib"
cp "$library" "$folder/lib/libnereid.so.0"
# Whatever a distribution may lack; libc and the compiler's own libraries are everywhere.
carry() {
  { ldd "$1" | awk '$1 ~ /^lib(zstd|omp|gomp|xxhash|sodium)\./ && $3 ~ /^\// {print $3}'; } | while read -r path; do
    cp -L "$path" "$folder/lib/"
  done
}
carry "$library"
cp "$here/gpu.py" "$here/run.sh" "$repo/tests/conformance/nrd.py" "$repo/tests/conformance/numeric.py" "$folder/"

for stage in "${stages[@]}"; do
  case $stage in
  runtime)
    cp "$build/bin/runtime-cuda-hardware-test" "$folder/"
    carry "$build/bin/runtime-cuda-hardware-test"
    strip "$folder/runtime-cuda-hardware-test"
    ;;
  cost)
    cp "$here/launch_cost.py" "$build/lib/liblaunch_cost.so" "$build/bin/gpu-pack-image" "$folder/"
    carry "$build/bin/gpu-pack-image"
    strip "$folder/gpu-pack-image"
    ;;
  bench)
    "$repo/tests/bench/gpu_prepare.py" --tool "$build/bin/nereid" --extract "$build/bin/gpu-extract-images" \
      --folder "$folder/bench" ${BENCH_ONLY:+--only "$BENCH_ONLY"} || true
    ;;
  sm_*|ptx_*|x86-*) # a CPU target checks the way there, where no GPU is
    mkdir -p "$folder/conformance"
    cp -r "$repo"/tests/conformance/{run,harness,nrd,numeric,packs}.py "$repo"/tests/conformance/{cases,kernels} \
      "$folder/conformance/"
    # Kernels that do not compile are failures of the run there.
    python3 "$repo/tests/conformance/run.py" --tool "$build/bin/nereid" --library "$library" \
      --folder "$build/tests/conformance" --target "$stage" --prepare "$folder/conformance/$stage" --brief \
      "${options[@]}" || true
    ;;
  *)
    echo "error: no stage '$stage'" >&2
    exit 2
    ;;
  esac
done
find "$folder" -name __pycache__ -prune -exec rm -rf {} +
strip "$folder"/lib/*
du -sh "$folder" | cut -f1
