# setup.sh - what every run.sh shares: packages, configure, build, progress.
# Sourced by bash scripts that have set `repo` to the repository root.

set -euo pipefail

# Debian 12 carries LLVM 22 in its security suite, which plain apt reads.
build_packages=(cmake ninja-build g++ clang-22 lld-22 llvm-22-dev llvm-22-tools
  libmlir-22-dev mlir-22-tools liblld-22-dev libomp-22-dev libflatbuffers-dev
  flatbuffers-compiler libzstd-dev libxxhash-dev libsodium-dev
  libtomlplusplus-dev libcli11-dev pkg-config)
test_packages=(libclang-rt-22-dev libgtest-dev python3 python3-numpy python3-pip libopenblas-dev)

install_packages=yes
jobs=$(nproc)
started=$SECONDS

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi

step() { echo; echo "${bold}== $* ($((SECONDS - started)) s)${plain}"; }
say() { echo "   $*"; }
die() { echo "${red}error:${plain} $*" >&2; exit 1; }

# take_common_option ARG: true when ARG is one that every script knows.
take_common_option() {
  case $1 in
    --no-install) install_packages=no ;;
    --jobs=*)
      jobs=${1#--jobs=}
      [[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs needs a number above 0, got '$jobs'" ;;
    *) return 1 ;;
  esac
}

common_options_help='  --no-install   install nothing: refuse with the list of missing packages
  --jobs=N       parallel build jobs (default: one per processor)
  --help         this text'

# require_packages NAME...: installs what is missing, after saying what.
require_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "no apt on this system: install the equivalents of these Debian packages yourself:"
    say "$*"
    return
  fi
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] ||
      missing+=("$name")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "all ${#} packages are installed"
    return
  fi
  say "missing packages: ${missing[*]}"
  [ "$install_packages" = yes ] ||
    die "--no-install was given; install them with: apt-get install ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "installing needs root: run as root, install sudo, or run: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  local log=$repo/build/apt.log apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  mkdir -p "$repo/build"
  say "reading the package lists"
  "${root[@]}" "${apt[@]}" -qq update >"$log" 2>&1 ||
    die "apt-get update failed: $(tail -n 3 "$log")"
  for name in "${missing[@]}"; do
    apt-cache show "$name" >/dev/null 2>&1 ||
      die "apt knows no package '$name'; Debian 12 with its security suite has it"
  done
  say "installing ${#missing[@]} packages (log: build/apt.log)"
  "${root[@]}" "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
    die "apt-get install failed: $(tail -n 5 "$log")"
  say "installed"
}

# Ninja's output for people: every line on a terminal, else one line in ten
# seconds, and everything that is not a progress line.
show_progress() {
  if [ -t 1 ]; then cat; else
    awk '/^\[[0-9]+\/[0-9]+\]/ {
           "date +%s" | getline now; close("date +%s"); last = $0
           if (now - shown >= 10) { print "   " substr($0, 1, 100); shown = now; last = "" }
           fflush(); next
         }
         { print; fflush() }
         END { if (last != "") print "   " substr(last, 1, 100) }'
  fi
}

# build_preset PRESET FOLDER [-DOPTION...] [-- targets...]: configures when an
# option changed, then builds. Repeating it with nothing to do takes a second.
build_preset() {
  local preset=$1 name=$2 folder=$repo/$2 options=()
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -eq 0 ] || shift
  if command -v ccache >/dev/null && [ -z "${NEREID_NO_CCACHE:-}" ]; then
    options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    # Without these ccache cannot cache a file that uses a precompiled header.
    export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
  fi
  mkdir -p "$folder"
  say "configuring $name (preset $preset; log: $name/configure.log)"
  (cd "$repo" && cmake --preset "$preset" "${options[@]}") >"$folder/configure.log" 2>&1 || {
    tail -n 20 "$folder/configure.log" >&2
    die "configuring failed"
  }
  local begin=$SECONDS
  (cd "$repo" && cmake --build "$folder" --parallel "$jobs" ${1:+--target "$@"}) 2>&1 | show_progress ||
    die "the build failed"
  say "built in $((SECONDS - begin)) s with $jobs jobs"
}

# install_tree: what a user of Nereid gets, under build/install.
install_tree() {
  (cd "$repo" && cmake --install build --prefix "$repo/build/install") >"$repo/build/install.log" 2>&1 ||
    die "cmake --install failed: $(tail -n 5 "$repo/build/install.log")"
  say "installed to build/install"
}
