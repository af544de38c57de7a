# What Assay needs from Debian 12, how it gets there, and how a build folder is configured.
# Sourced by validation/run and tests/run; does nothing by itself.
# shellcheck shell=bash

exec </dev/null   # nothing here asks; sudo asks its terminal

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Build folders go below this one.
builds=${ASSAY_BUILD:-$top}
mkdir -p "$builds" && builds=$(cd "$builds" && pwd -P)
jobs=$(nproc)

say() { printf '%s\n' "$*"; }
die() {   # die <exit code> <message>
  local code=$1
  shift
  printf '%s: %s\n' "$0" "$*" >&2
  exit "$code"
}

# Each line: who needs it (`run`: the main job; `tests`: tests/run besides; `clang`: its full form), the package, why.
packages() {
  cat <<'END'
run    g++                    the compiler, GCC 12
run    cmake                  the build, 3.25
run    ninja-build            the build
run    libboost-dev           exact integers, for decimals read without a second rounding
run    libcli11-dev           the command line
run    libeigen3-dev          Fourier transforms for the inputs; a second, simple sparse inference
run    libfmt-dev             text of reports
run    libzip-dev             npz files
run    nlohmann-json3-dev     JSON reports
run    libtomlplusplus-dev    the policies of comparisons, policies.toml
run    zlib1g-dev             gzipped data files
run    dataset-fashion-mnist  inputs for sparse inference where MNIST is not at hand
tests  libboost-test-dev      the test programs
tests  libopenblas-dev        a BLAS whose order of additions the live test of probe reveals
tests  libmpfr-dev            a second opinion on every rounding
tests  libbenchmark-dev       the benchmarks
tests  clang-format-14        the check of the code's form
tests  binutils               nm, for the check of wide-ISA objects
tests  python3                hygiene checks and the summary of a test run; its standard library alone
tests  python3-venv           NumPy, SciPy and safetensors for the tests that exchange files with them
tests  python3-dev            the headers of Python, for the module
tests  pybind11-dev           the Python module
tests  libthrust-dev          Thrust, for CUDA programs that use it
tests  libcub-dev             CUB, for CUDA programs that use it
tests  xz-utils               the archive of the trained network, for its test
clang  clang-14               the second compiler
clang  libomp-14-dev          OpenMP for it
clang  debootstrap            a bare Debian 12, in which the packages are tried
END
}

# need <group>...: installs what the groups lack. Exits with 3 and one line to type where that is not possible.
need() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is not a Debian system: going on with what is here. On Debian 12 the packages would be:" \
      "$(packages | awk '{printf " %s", $2}')"
    return
  fi
  local group package reason wanted=" $* " missing=()
  while read -r group package reason; do
    [[ $wanted == *" $group "* ]] || continue
    if ! dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
      [ ${#missing[@]} -gt 0 ] || say "Missing packages:"
      printf '  %-22s %s\n' "$package" "$reason"
      missing+=("$package")
    fi
  done < <(packages)
  [ ${#missing[@]} -gt 0 ] || return 0

  local by_hand="apt-get install --no-install-recommends ${missing[*]}" as_root=()
  if [ "$(id -u)" != 0 ]; then
    # Without a terminal nobody can type a password.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 2 ] && sudo true; }; }; then
      as_root=(sudo)
    else
      die 3 "packages are missing and only root can install them. As root: $by_hand"
    fi
  fi
  say "Installing them with apt."
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${as_root[@]}" update || say "apt-get update failed: going on with the lists at hand"
  "${as_root[@]}" install -y --no-install-recommends "${missing[@]}" ||
    die 3 "apt could not install them. By hand, as root: $by_hand"
}

# configure <preset> [cmake options]: leaves the name of the build folder in `build`.
configure() {
  local preset=$1 fresh=() cache batches=()
  shift
  build=$builds/build
  [ "$preset" = release ] || build=$builds/build-$preset
  { mkdir -p "$build" && [ -w "$build" ]; } 2>/dev/null ||
    die 3 "cannot write to $build. Build elsewhere with ASSAY_BUILD=FOLDER"
  cache=$build/CMakeCache.txt
  # A checkout that was moved or copied with its build folder, or configured by hand for another generator.
  if [ -f "$cache" ] && ! { grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$cache" &&
                            grep -qxF "CMAKE_GENERATOR:INTERNAL=Ninja" "$cache"; }; then
    fresh=(--fresh)
  fi
  # Each target as one file where all is compiled anyway; a folder that is configured keeps what it has. Clang goes file
  # by file.
  if [ "$preset" != clang ] && { [ ! -f "$cache" ] || [ ${#fresh[@]} -gt 0 ]; }; then
    batches=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0)
  fi
  if command -v ccache >/dev/null && ccache -s >/dev/null 2>&1; then
    export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  fi
  say "Configuring $build"
  if ! (cd "$top" && cmake --preset "$preset" -B "$build" "${fresh[@]}" "${batches[@]}" "$@") \
       >"$build/configure.log" 2>&1; then
    cat "$build/configure.log" >&2
    die 4 "the configuration failed; the log above is $build/configure.log"
  fi
}

# compile <target>: builds in the folder that configure left.
compile() {
  local began=$SECONDS
  cmake --build "$build" -j "$jobs" --target "$1" || die 4 "the build in $build failed"
  say "Built in $((SECONDS - began)) s"
}
