#!/usr/bin/env bash
# live.sh PYTHON VENV IO_COPY FOLDER: makes the venv if it is not there and runs live.py in it. Exits with 77 where the
# venv cannot be made: no venv module, or no package index in reach.
set -euo pipefail

python=$1 venv=$2 copy=$3 folder=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
wanted=$here/../../data/io/requirements.txt

if ! cmp -s "$wanted" "$venv/requirements.txt"; then
  rm -rf "$venv"
  if ! "$python" -m venv "$venv" >"$venv.log" 2>&1; then
    echo "SKIPPED: $python cannot make a venv (python3-venv is missing?): $(tail -n 1 "$venv.log")"
    exit 77
  fi
  if ! "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --retries 1 --timeout 15 \
      -r "$wanted" >"$venv.log" 2>&1; then
    rm -rf "$venv"
    echo "SKIPPED: pip cannot install the pinned packages: $(tail -n 1 "$venv.log")"
    exit 77
  fi
  cp "$wanted" "$venv/requirements.txt"
fi
rm -rf "$folder"
mkdir -p "$folder"
exec "$venv/bin/python" -B "$here/live.py" "$copy" "$folder"
