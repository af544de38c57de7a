#!/usr/bin/env bash
# live_venv.sh PYTHON VENV: makes the venv with NumPy and SciPy if it is not there and prints its interpreter, or why it
# cannot be made (exit code 77).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/venv.sh
source "$here/../../venv.sh"

venv "$1" "$2" "$here/../../data/io/requirements.txt"
echo "$2/bin/python"
