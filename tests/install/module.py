"""Uses an installed module: a product on a machine's unit and on threads, a verdict, and an archive of arrays."""
import sys
import tempfile
from pathlib import Path

import numpy as np

import assay

random = np.random.default_rng(1)
a = assay.round(random.standard_normal((64, 96)), 'bf16')
b = assay.round(random.standard_normal((96, 33)), 'bf16')
got = assay.gemm(a, b, 'sm90.bf16')
assert assay.check('gemm', a=a, b=b, got=got, unit='sm90.bf16')
got[5, 32] = -got[5, 32]
verdict = assay.check('gemm', a=a, b=b, got=got, unit='sm90.bf16')
assert verdict.status == 'FAILED' and verdict.worst['index'] == (5, 32), verdict.text()

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, 'arrays.npz')
    assay.save(path, {'got': got, 'row': got[5]})
    np.testing.assert_array_equal(assay.load(f'{path}:got'), got)
print('assay of', Path(assay.__file__).parent, 'with Python', sys.version.split()[0])
