#!/bin/sh
# pkg-config.sh - a C program built with nothing but pkg-config opens a device.
# Arguments: installed prefix, scratch folder, C compiler.
set -e
prefix=$1 folder=$2 compiler=$3
mkdir -p "$folder"
module=$(find "$prefix" -name 'nereid.pc' | head -n 1)
[ -n "$module" ] || { echo "error: no nereid.pc under $prefix" >&2; exit 1; }
PKG_CONFIG_PATH=$(dirname "$module")
export PKG_CONFIG_PATH
cat >"$folder/main.c" <<'END'
#include <nereid/runtime.h>
#include <stdio.h>
int main(void) {
  nrd_device_t *device;
  if (nrd_device_open("cpu", &device) != NRD_OK) {
    puts(nrd_error_message());
    return 1;
  }
  printf("%s: %s\n", nrd_device_name(device), nrd_device_description(device));
  nrd_device_close(device);
  return 0;
}
END
library=$(pkg-config --variable=libdir nereid)
# shellcheck disable=SC2046 # the flags are words
"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror "$folder/main.c" \
  $(pkg-config --cflags nereid) -o "$folder/shared" $(pkg-config --libs nereid) -Wl,-rpath,"$library"
"$folder/shared"
# shellcheck disable=SC2046
"$compiler" -std=c11 "$folder/main.c" $(pkg-config --cflags nereid) -o "$folder/static" \
  "$library/libnereid.a" $(pkg-config --libs --static nereid | sed 's/-lnereid //')
"$folder/static"
