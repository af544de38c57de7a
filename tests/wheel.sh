# The wheel of the Python module, for tests that install it. To be sourced after venv.sh.
# shellcheck shell=bash

# wheel PYTHON BUILD_FOLDER: makes BUILD_FOLDER/wheel/assay-*.whl of the checkout, as `pip wheel .` does, but with the
# pinned packages of BUILD_FOLDER/venv-python-full and in a build folder that is kept, so that only the first of several
# tests compiles. Exits with 77 and the reason where the venv cannot be made.
wheel() {
  local python=$1 build=$2 top venv=$2/venv-python-full
  top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
  venv "$python" "$venv" "$top/tests/python/requirements-full.txt"
  rm -rf "$build/wheel"
  if ! PATH=$venv/bin:$PATH "$venv/bin/pip" wheel --quiet --disable-pip-version-check --no-build-isolation \
      --no-deps -C build-dir="$build/pip" -C cmake.define.ASSAY_WERROR=ON -w "$build/wheel" "$top" \
      >"$build/pip.log" 2>&1; then
    cat "$build/pip.log"
    exit 1
  fi
}

# wheel_needs BUILD_FOLDER FOLDER: downloads what the wheel depends on into FOLDER. Exits with 77 and the reason where
# no package index is in reach.
wheel_needs() {
  local build=$1 folder=$2 top
  top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
  if ! "$build/venv-python-full/bin/pip" download --quiet --disable-pip-version-check --only-binary :all: \
      --retries 1 --timeout 15 -c "$top/tests/python/requirements-full.txt" -d "$folder" numpy ml_dtypes \
      >"$build/wheel.log" 2>&1; then
    echo "SKIPPED: pip cannot download what the wheel depends on: $(tail -n 1 "$build/wheel.log")"
    exit 77
  fi
}
