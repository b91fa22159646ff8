#!/bin/sh
# go.sh PREFIX FOLDER SAMPLE: builds and runs the Go sample against an installed tree. Status 77: no Go here.
set -e
command -v go >/dev/null || { echo "Go is not installed (golang-go)"; exit 77; }
prefix=$1 folder=$2 sample=$3
rm -rf "$folder"
cp -r "$sample" "$folder"
cd "$folder"
export PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name nereid.pc | head -1)")
export GOFLAGS=-mod=mod GOCACHE=$folder/cache CGO_CFLAGS_ALLOW='.*' CGO_LDFLAGS_ALLOW='.*'
"$prefix/bin/nereid" build pack.toml -o vectors.nrd --quiet
test -z "$(gofmt -l .)"
go vet .
go build -o go_service .
LD_LIBRARY_PATH=$(pkg-config --variable=libdir nereid) ./go_service
