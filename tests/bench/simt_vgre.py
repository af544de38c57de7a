#!/usr/bin/env python3
"""CUDA kernels on the CPU by assay and by vgre (PyPI), in one process: milliseconds a launch, and how many times ours.

    python3 -m venv peers && peers/bin/pip install numpy ml_dtypes vgre
    PYTHONPATH=build/python peers/bin/python tests/bench/simt_vgre.py [--repetitions N] [--json]

Medians. Both take one CUDA source, compile it before the first launch that is timed, run on all processors, and must
return what NumPy computes; assay alone is shown where vgre is not installed.
"""
import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from assay import simt

SOURCE = r'''
extern "C" __global__ void axpy(float* x, float* y, float a, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i];
}
extern "C" __global__ void total(float* x, float* sums) {
  __shared__ float part[256];
  int t = threadIdx.x;
  part[t] = x[blockIdx.x * 256 + t];
  __syncthreads();
  for (int s = 128; s > 0; s >>= 1) {
    if (t < s) part[t] = part[t] + part[t + s];
    __syncthreads();
  }
  if (t == 0) sums[blockIdx.x] = part[0];
}
extern "C" __global__ void multiply(float* a, float* b, float* c, int n) {
  __shared__ float left[256];
  __shared__ float right[256];
  int x = threadIdx.x % 16;
  int y = threadIdx.x / 16;
  int row = blockIdx.y * 16 + y;
  int column = blockIdx.x * 16 + x;
  float sum = 0.0f;
  for (int at = 0; at < n; at += 16) {
    left[y * 16 + x] = a[row * n + at + x];
    right[y * 16 + x] = b[(at + y) * n + column];
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum = sum + left[y * 16 + k] * right[k * 16 + x];
    __syncthreads();
  }
  c[row * n + column] = sum;
}
'''
THREADS = 256


def whole_numbers(*shape):
    """Small ones, so that every order of a sum has the same bits."""
    return (np.arange(np.prod(shape)) * 2654435761 % 7).astype(np.float32).reshape(shape)


def cases():
    """(name, kernel, grid, arguments, which of them is written, what it must be)."""
    n = 1 << 20
    x = whole_numbers(n)
    yield 'axpy, 2^20 threads', 'axpy', (n // THREADS, 1), [x, np.zeros(n, np.float32), 2.0, n], 1, 2 * x
    blocks = 16
    x = whole_numbers(blocks, THREADS)
    yield (f'sum by 9 barriers, {blocks} blocks', 'total', (blocks, 1), [x, np.zeros(blocks, np.float32)], 1,
           x.sum(axis=1))
    n = 64
    a, b = whole_numbers(n, n), whole_numbers(n, n)
    yield (f'tiled product, {n}^3', 'multiply', (n // 16, n // 16), [a, b, np.zeros((n, n), np.float32), n], 2, a @ b)


def launcher_of_vgre():
    """A function (kernel, grid, arguments) -> None, or why there is none."""
    try:
        import vgre
        from vgre.kernel import Dim3, Kernel
    except ImportError:
        return None, 'vgre is not installed'
    runtime = vgre.Runtime()
    runtime.init()
    kernels = {}

    def launch(name, grid, arguments):
        # One kernel a source, as its runtime takes them.
        body = SOURCE[SOURCE.index(f'extern "C" __global__ void {name}('):]
        kernel = kernels.setdefault(name, Kernel(name, 'extern "C"' + body.split('extern "C"')[1]))
        runtime.launch(kernel, Dim3(*grid), Dim3(THREADS), arguments)
        runtime.synchronize()

    return launch, f'vgre {vgre.__version__}'


def milliseconds(launch, case, repetitions):
    name, kernel, grid, arguments, out, want = case
    launch(kernel, grid, arguments)
    assert np.array_equal(arguments[out], want), f'{name}: a wrong result'
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        launch(kernel, grid, arguments)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--repetitions', type=int, default=5)
    options.add_argument('--json', action='store_true')
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / 'kernels.cu'
        source.write_text(SOURCE)
        ours = {}

        def launch(name, grid, arguments):
            if name not in ours:
                ours[name] = simt.kernel(source, name)
            ours[name](grid=grid, block=THREADS)(*arguments)

        peer, peer_name = launcher_of_vgre()
        rows = []
        for case in cases():
            row = {'case': case[0], 'assay_ms': milliseconds(launch, case, options.repetitions)}
            if peer:
                row['vgre_ms'] = milliseconds(peer, case, options.repetitions)
                row['ratio'] = row['vgre_ms'] / row['assay_ms']
            rows.append(row)
    if options.json:
        print(json.dumps({'peer': peer_name, 'repetitions': options.repetitions, 'cases': rows}))
        return
    print(f'peer: {peer_name}\n{"":<30}{"assay ms":>12}{"peer ms":>12}{"times":>8}')
    for row in rows:
        print(f'{row["case"]:<30}{row["assay_ms"]:>12.2f}'
              + (f'{row["vgre_ms"]:>12.2f}{row["ratio"]:>8.1f}' if peer else ''))


if __name__ == '__main__':
    main()
