"""Builds the wheel: scikit-build-core makes it, auditwheel puts the libraries inside that the module links.

The hooks are those of scikit-build-core; only build_wheel does more. The copied libraries get unique names, so that
they cannot clash with others in the process (Python's ssl has a libcrypto too), and the module finds them by an RPATH
that starts with $ORIGIN. The tag of the wheel says which glibc it needs: manylinux_2_34 if it is built on Debian 12.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import scikit_build_core.build as backend

build_editable = backend.build_editable
build_sdist = backend.build_sdist
get_requires_for_build_editable = backend.get_requires_for_build_editable
get_requires_for_build_sdist = backend.get_requires_for_build_sdist
get_requires_for_build_wheel = backend.get_requires_for_build_wheel
prepare_metadata_for_build_editable = backend.prepare_metadata_for_build_editable
prepare_metadata_for_build_wheel = backend.prepare_metadata_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as work:
        linked = Path(work, backend.build_wheel(work, config_settings, metadata_directory))
        whole = Path(work, 'whole')
        subprocess.run([sys.executable, '-m', 'auditwheel', 'repair', '-w', whole, linked], check=True)
        [wheel] = whole.iterdir()
        shutil.copy(wheel, wheel_directory)
        return wheel.name
