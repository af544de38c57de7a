# A virtual environment with pinned packages, for tests that need more than Python's standard library. To be sourced.
# shellcheck shell=bash

# venv PYTHON FOLDER REQUIREMENTS: makes FOLDER, unless it is there and was made from the same REQUIREMENTS. Exits with
# 77 and the reason where that is not possible: no venv module, or no package index in reach.
venv() {
  local python=$1 folder=$2 wanted=$3
  cmp -s "$wanted" "$folder/requirements.txt" && return
  rm -rf "$folder"
  if ! "$python" -m venv "$folder" >"$folder.log" 2>&1; then
    echo "SKIPPED: $python cannot make a venv (python3-venv is missing?): $(tail -n 1 "$folder.log")"
    exit 77
  fi
  if ! "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --retries 1 --timeout 15 \
      -r "$wanted" >"$folder.log" 2>&1; then
    rm -rf "$folder"
    echo "SKIPPED: pip cannot install the pinned packages: $(tail -n 1 "$folder.log")"
    exit 77
  fi
  cp "$wanted" "$folder/requirements.txt"
}
