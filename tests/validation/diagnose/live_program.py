"""NumPy and SciPy as programs for `assay probe --form binary`.

live_program.py version|sum|sum_axis|dot|matmul|einsum|sgemm|sdot

float32, float64 and float16 operands, as the header says. sgemm and sdot are SciPy's, called directly.
"""
import sys

import numpy as np

TYPES = {'float64': np.float64, 'float32': np.float32, 'float16': np.float16}


def blas():
    """The BLAS that this NumPy was built with, and what it runs on."""
    import io
    from contextlib import redirect_stdout
    text = io.StringIO()
    with redirect_stdout(text):
        np.show_config()
    lines = [line.strip() for line in text.getvalue().splitlines()]
    return ' '.join(line for line in lines if line.startswith(('openblas configuration', 'name: scipy-openblas')))


def aligned(x):
    """A copy that begins at a multiple of 64 bytes: the tree may depend on the address."""
    memory = np.empty(x.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    y = memory[start:start + x.nbytes].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def compute(what, operation, a, b, m, n, k):
    if what == 'sum':
        return a.sum()
    if what == 'sum_axis':
        return np.repeat(a.reshape(k, 1), 4, axis=1).sum(axis=0)[1]
    if what == 'dot':
        return np.dot(a, b)
    if what == 'einsum':
        if operation == 'dot':
            return np.einsum('i,i', a, b)
        return np.einsum('ij,jk->ik', a.reshape(m, k), b.reshape(k, n))
    if what == 'sdot':
        import scipy.linalg.blas
        return np.float32(scipy.linalg.blas.sdot(a, b))  # a Python float, which is a double
    if what == 'sgemm':
        import scipy.linalg.blas
        return scipy.linalg.blas.sgemm(1.0, a.reshape(m, k), b.reshape(k, n))
    return a.reshape(m, k) @ b.reshape(k, n)


def main():
    what = sys.argv[1]
    if what == 'version':
        try:
            import scipy
            scipy_text = 'SciPy ' + scipy.__version__
        except ImportError:
            scipy_text = 'no SciPy'
        print('NumPy', np.__version__, blas() + ';', scipy_text)
        return
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while header := source.readline():
        _, _, operation, m, n, k, a_type, b_type, _, _, _, cases = header.decode().split()
        m, n, k = int(m), int(n), int(k)
        a_size, b_size = (m * k, k * n) if operation == 'gemm' else (k, 0 if operation == 'sum' else k)
        for _ in range(int(cases)):
            a_bytes = a_size * np.dtype(TYPES[a_type]).itemsize
            a = aligned(np.frombuffer(source.read(a_bytes), TYPES[a_type]))
            b = None
            if b_size:
                b = aligned(np.frombuffer(source.read(b_size * np.dtype(TYPES[b_type]).itemsize), TYPES[b_type]))
            with np.errstate(all='ignore'):
                result = compute(what, operation, a, b, m, n, k)
            sink.write(np.ascontiguousarray(result).tobytes())
        sink.flush()


main()
