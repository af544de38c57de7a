#!/usr/bin/env bash
# run.sh quick|full PYTHON BUILD_FOLDER: the tests of the Python module in a venv below the build folder.
#
#   quick   against the module of the build folder; without SciPy, mypy and what is marked `full`
#   full    against what `pip install` makes of the checkout, stubs and sparse matrices included
#
# Exits with 77 and the reason where the venv cannot be made.
set -euo pipefail

form=$1 python=$2 build=$3 marked=()
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/venv.sh
source "$here/../venv.sh"
# shellcheck source=tests/wheel.sh
source "$here/../wheel.sh"

export ASSAY_COMMAND=$build/bin/assay
unset PYTHONPATH
if [ "$form" = quick ]; then
  venv=$build/venv-python
  venv "$python" "$venv" "$here/requirements.txt"
  export PYTHONPATH=$build/python
  marked=(-m "not full")
else
  venv=$build/venv-python-full
  wheel "$python" "$build"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-index --force-reinstall \
    "$build"/wheel/assay-*.whl
fi
cd "$build"
"$venv/bin/python" -B -m pytest -q -p no:cacheprovider --rootdir "$here" "${marked[@]}" \
  --junit-xml "junit/python.$form.xml" "$here"
