#!/usr/bin/env bash
# run.sh PYTHON VENV PROGRAM: compare_layouts.py in a venv. Exits with 77 and the reason where that cannot be made.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/venv.sh
source "$here/../../../venv.sh"

venv "$1" "$2" "$here/requirements.txt"
exec "$2/bin/python" -B "$here/compare_layouts.py" "$3"
