"""Uses an installed module: a product on a machine's unit and on threads, a verdict, and an archive of arrays."""
import shutil
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
# CUDA's kernels need a C++ compiler, which a bare system has not.
with tempfile.TemporaryDirectory(prefix='assay kernels ') as folder:
    source = Path(folder, 'doubled.cu')
    source.write_text('#include <cuda_fp16.h>\n__global__ void doubled(__half* x) {\n'
                      '  x[threadIdx.x] = x[threadIdx.x] + x[threadIdx.x];\n}\n')
    try:
        x = np.arange(32, dtype=np.float16)
        assay.simt.kernel(source, 'doubled')(1, 32)(x)
        np.testing.assert_array_equal(x, 2 * np.arange(32))
    except assay.Unavailable as why:
        assert shutil.which('c++') is None, why
        print('CUDA kernels: not here,', why)
print('assay of', Path(assay.__file__).parent, 'with Python', sys.version.split()[0])
