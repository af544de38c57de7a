"""NumPy and SciPy as programs for `assay probe --form binary`.

live_program.py version|sum|mean|sum_axis|sum_axes|dot|matmul|einsum|sgemm|dgemm|sdot

float32, float64 and float16 operands, as the header says. sgemm, dgemm and sdot are SciPy's, called directly, with
alpha and beta.
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


def placed(x, offset):
    """A copy that begins `offset` bytes after a multiple of 64: the tree may depend on the address."""
    memory = np.empty(x.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    y = memory[start:start + x.nbytes].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def compute(what, operation, a, b, c, alpha, beta, m, n, k):
    if what == 'sum':
        return a.sum()
    if what == 'mean':
        return a.mean()
    if what == 'sum_axis':
        return np.repeat(a.reshape(k, 1), 4, axis=1).sum(axis=0)[1]
    if what == 'sum_axes':  # of the first and the last axis
        first = next((d for d in range(2, k) if k % d == 0), 1)
        return np.repeat(a.reshape(first, 1, k // first), 3, axis=1).sum(axis=(0, 2))[1]
    if what == 'dot':
        return np.dot(a, b)
    if what == 'einsum':
        if operation == 'dot':
            return np.einsum('i,i', a, b)
        return np.einsum('ij,jk->ik', a.reshape(m, k), b.reshape(k, n))
    if what == 'sdot':
        import scipy.linalg.blas
        return np.float32(scipy.linalg.blas.sdot(a, b))  # a Python float, which is a double
    if what in ('sgemm', 'dgemm'):
        import scipy.linalg.blas
        function = getattr(scipy.linalg.blas, what)
        if c is None:
            return function(alpha, a.reshape(m, k), b.reshape(k, n))
        return function(alpha, a.reshape(m, k), b.reshape(k, n), beta, c.reshape(m, n))
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
        _, _, operation, m, n, k, a_type, b_type, c_type, _, alpha, beta, _, offset, cases = header.decode().split()
        m, n, k, alpha, beta = int(m), int(n), int(k), float(alpha), float(beta)
        a_size, b_size = (m * k, k * n) if operation == 'gemm' else (k, k if operation == 'dot' else 0)
        operands = ((a_size, a_type), (b_size, b_type), (0 if c_type == '-' else m * n, c_type))
        for _ in range(int(cases)):
            a, b, c = (placed(np.frombuffer(source.read(size * np.dtype(TYPES[t]).itemsize), TYPES[t]), int(offset))
                       if size else None for size, t in operands)
            with np.errstate(all='ignore'):
                result = compute(what, operation, a, b, c, alpha, beta, m, n, k)
            sink.write(np.ascontiguousarray(result).tobytes())
        sink.flush()


main()
