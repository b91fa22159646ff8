#!/bin/sh
# Writes the golden packs of the newest format version again, after a change of
# the format that has not been released. Run from the repository root:
#   tests/packager/golden/regenerate.sh --yes [BUILD-FOLDER]
# Packs of released versions are never made again.
[ "$1" = --yes ] || { sed -n 2,5p "$0"; exit 2; }
build=$(cd "${2:-build}" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
NEREID_REGENERATE_GOLDEN=1 "$build/bin/packager-golden-test" --gtest_filter=Golden.Regenerate
git status --short golden
