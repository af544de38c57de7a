"""SciPy's BLAS, alpha, beta and C at random, judged by `assay check`: none of its results may fail."""
import subprocess

import numpy as np
import pytest


def judged(command, folder, a, b, c, got, alpha, beta):
    """The outcome of `assay check gemm` on these arrays."""
    arguments = ['--alpha', repr(float(alpha))]
    arrays = {'a': a, 'b': b, 'got': got}
    if c is not None:
        arrays['c'] = c
        arguments += ['--beta', repr(float(beta))]
    for name, array in arrays.items():
        np.save(folder / f'{name}.npy', np.ascontiguousarray(array))
        arguments += [f'--{name}', str(folder / f'{name}.npy')]
    return subprocess.run([command, 'check', 'gemm', *arguments], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('k', [1, 2, 7, 64, 1000])
def test_scipy_blas(command, tmp_path, random, dtype, k):
    blas = pytest.importorskip('scipy.linalg.blas', reason='SciPy is in the venv of the full form')
    gemm = blas.sgemm if dtype is np.float32 else blas.dgemm
    for alpha, beta, size in [(1, 0, 1), (1, 1, 1), (0.001, 1, 1e4), (-1.5, 0.3, 1e4), (2, -1, 1e-3), (1e-3, 0.1, 1e4),
                              (0, 1, 1), (0.7, 0, 1), (*random.normal(size=2), 100), (*random.normal(size=2), 1e6)]:
        a, b = random.normal(size=(70, k)).astype(dtype), random.normal(size=(k, 50)).astype(dtype)
        c = None if beta == 0 else (size * random.normal(size=(70, 50))).astype(dtype)
        alpha, beta = dtype(alpha), dtype(beta)
        got = gemm(alpha, a, b) if c is None else gemm(alpha, a, b, beta=beta, c=c)
        outcome = judged(command, tmp_path, a, b, c, got.astype(dtype), alpha, beta)
        text = f'{alpha=} {beta=} C of {size}: {outcome.stdout}{outcome.stderr}'
        assert outcome.returncode == 0, text
        assert 'not judged' not in outcome.stdout.lower(), text
