"""The stubs say what the module has, by mypy."""
import subprocess
import sys
from pathlib import Path

import pytest

import assay

PROGRAM = '''
import ml_dtypes
import numpy as np

import assay
from assay.testing import assert_agrees

x = np.ones((3, 4), np.float32)
verdict: assay.Verdict = assay.compare(x, x, assay.tolerance(ulps=1, because='a reason'), name='a name')
count: int = verdict.differ
d = assay.gemm(assay.round(x, 'bf16'), assay.round(x.T, ml_dtypes.bfloat16), 'sm90.bf16', output='f32')
assert_agrees(d, d, 'bit-equal', expects_zero=True)
tf32: assay.Codes = assay.codes(np.zeros(3, np.uint32), assay.Format('tf32'))
names: list[str] = [unit.name for unit in assay.units()]
assay.save('x.npz', {'d': d}, metadata={'a': 'b'})
'''


def mypy(*arguments):
    pytest.importorskip('mypy', reason='mypy is not installed')
    done = subprocess.run([sys.executable, '-m', *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_stubs_are_complete():
    code, text = mypy('mypy.stubtest', 'assay', '--concise', '--allowlist', str(Path(__file__).parent / 'stubtest.txt'))
    assert code == 0, text


def test_programs_type_check(tmp_path):
    (tmp_path / 'good.py').write_text(PROGRAM)
    (tmp_path / 'bad.py').write_text('import assay\nassay.compare(1.0, 1.0).differs\nassay.tolerance(atol=1)\n')
    options = ['mypy', '--strict', '--cache-dir', str(tmp_path / 'cache')]
    code, text = mypy(*options, str(tmp_path / 'good.py'))
    assert code == 0, text
    code, text = mypy(*options, str(tmp_path / 'bad.py'))
    assert code == 1 and 'bad.py:2' in text and 'bad.py:3' in text
    assert (Path(assay.__file__).parent / 'py.typed').exists()
