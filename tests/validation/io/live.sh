#!/usr/bin/env bash
# live.sh PYTHON VENV IO_COPY FOLDER: makes the venv if it is not there and runs live.py in it. Exits with 77 where the
# venv cannot be made: no venv module, or no package index in reach.
set -euo pipefail

python=$1 venv=$2 copy=$3 folder=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/venv.sh
source "$here/../../venv.sh"

venv "$python" "$venv" "$here/../../data/io/requirements.txt"
rm -rf "$folder"
mkdir -p "$folder"
exec "$venv/bin/python" -B "$here/live.py" "$copy" "$folder"
