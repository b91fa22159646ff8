#!/bin/sh
# Fails when a header does not compile alone: the public ones as C11 and C++17
# by gcc and by the build's own compilers, the library headers as their own
# language. Run from the repository root: headers.sh [C-COMPILER CXX-COMPILER]
c_compilers="gcc ${1:-clang-22}"
cxx_compilers="g++ ${2:-clang++-22}"
status=0
checked=0

# compile LANGUAGE STANDARD COMPILER HEADER [extra flags]
compile() {
  language=$1 standard=$2 compiler=$3 header=$4
  shift 4
  [ -f "$header" ] || return 0 # a pattern that matched nothing
  command -v "$compiler" >/dev/null 2>&1 || return 0
  checked=$((checked + 1))
  # Included from a one-line file: a header as the main file would be warned
  # about for its own #pragma once or unused static functions.
  if ! printf '#include "%s"\nextern int nonempty;\n' "$header" |
      "$compiler" -x "$language" -std="$standard" -fsyntax-only -I. -Iinclude "$@" \
        -Wall -Wextra -Wpedantic -Werror -; then
    echo "error: $header does not compile alone as $standard with $compiler" >&2
    status=1
  fi
}

for header in include/nereid/*.h; do
  for compiler in $c_compilers; do compile c c11 "$compiler" "$header"; done
  for compiler in $cxx_compilers; do compile c++ c++17 "$compiler" "$header"; done
done
for header in include/nereid/*.hpp; do
  for compiler in $cxx_compilers; do compile c++ c++17 "$compiler" "$header"; done
done
# Feature macros as the runtime's own build sets them.
for header in runtime/*.h runtime/driver/*.h runtime/driver/*/*.h; do
  for compiler in $c_compilers; do compile c c11 "$compiler" "$header" -D_GNU_SOURCE; done
done

echo "headers: $checked compilations"
[ "$checked" -gt 0 ] || { echo "error: no compiler or no header was found" >&2; status=1; }
exit $status
