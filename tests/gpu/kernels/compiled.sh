#!/usr/bin/env bash
# compiled.sh PYTHON VENV NVCC TABLE OBJECT...: what nvcc made of the kernels, against a table. Makes the venv with the
# tools that read it. Exits with 77 where the venv cannot be made, or the table has no lines for this nvcc.
set -euo pipefail

python=$1 venv=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/venv.sh
source "$here/../../venv.sh"

venv "$python" "$venv" "$here/requirements.txt"
exec "$venv/bin/python" -B "$here/compiled.py" "${@:3}"
