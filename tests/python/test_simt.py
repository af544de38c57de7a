"""assay.simt: CUDA programs and kernels from Python."""
import os

import ml_dtypes
import numpy as np
import pytest

from assay import simt

PROGRAM = r'''
#include <cstdio>
#include "kernels.cuh"
int main(int argc, char** argv) {
  int* out;
  cudaMallocManaged(&out, sizeof(int));
  threads<<<3, 64>>>(out);
  std::printf("%d %s\n", *out, argc > 1 ? argv[1] : "");
  return argc;
}
'''
KERNELS = r'''
#pragma once
namespace ns {
template <class T, int scale>
__global__ void axpy(int n, T a, const T* x, T* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = scale * a * x[i] + y[i];
}
}  // namespace ns
__global__ void threads(int* out) { atomicAdd(out, 1); }
__global__ void reversed(const unsigned char* in, unsigned char* out) {
  extern __shared__ unsigned char copy[];
  copy[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = copy[blockDim.x - 1 - threadIdx.x];
}
__global__ void waits_for_nobody() {
  threadIdx.x < 5 ? __syncwarp() : __syncthreads();
}
'''


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp('cuda programs')
    (path / 'program.cu').write_text(PROGRAM)
    (path / 'kernels.cuh').write_text(KERNELS)
    return path


@pytest.mark.full
def test_a_program_runs(folder):
    result = simt.run(folder / 'program.cu', ['once'])
    assert (result.returncode, result.stdout, result.in_time) == (2, '192 once\n', True)
    assert result.build_seconds > 0
    (folder / 'omp.cu').write_text('int main() {\n#ifdef _OPENMP\n  return 7;\n#endif\n}\n')
    assert simt.run(folder / 'omp.cu').returncode == 0
    assert simt.run(folder / 'omp.cu', compiler_options=['-fopenmp']).returncode == 7


@pytest.mark.full
def test_a_built_program_stands_alone(folder):
    simt.build(folder / 'program.cu', folder / 'program')
    assert os.popen(f"'{folder}/program'").read() == '192 \n'


def test_a_kernel_works_on_arrays_in_place(folder, random):
    axpy = simt.kernel(folder / 'kernels.cuh', 'ns::axpy<float, 3>')
    assert axpy.parameters == ['int', 'float', 'const float*', 'float*']
    x, y = random.standard_normal((2, 1000), dtype=np.float32)
    want = np.float32(3) * np.float32(0.5) * x + y
    axpy(4, 256)(1000, 0.5, x, y)
    assert y.tobytes() == want.tobytes()
    for arguments, error, says in [((1000, 0.5, x), TypeError, 'takes 4 arguments, not 3'),
                                   ((1000, 0.5, x, y.astype(np.float64)), TypeError, 'argument 4, float*: an array of'),
                                   ((1000, 0.5, x[::2], y), ValueError, 'argument 3, const float*: the array'),
                                   ((2**31, 0.5, x, y), ValueError, 'argument 1, int: 2147483648 is not'),
                                   ((1.5, 0.5, x, y), TypeError, 'argument 1, int: an integer is asked for, not float'),
                                   ((1, 0.5, [1.0], y), TypeError, 'an array of NumPy is asked for, not list')]:
        with pytest.raises(error, match=says.replace('*', r'\*')):
            axpy(4, 256)(*arguments)
    y.flags.writeable = False
    with pytest.raises(ValueError, match='cannot be written'):
        axpy(4, 256)(1000, 0.5, x, y)


@pytest.mark.full
def test_a_kernel_has_shared_memory_and_cudas_errors(folder):
    reverse = simt.kernel(folder / 'kernels.cuh', 'reversed')
    x = np.arange(100, dtype=np.uint8)
    y = np.zeros_like(x)
    reverse(1, (10, 10), shared=100)
    reverse(1, 100, shared=100)(x, y)
    assert (y == x[::-1]).all()
    with pytest.raises(RuntimeError, match='invalid configuration argument'):
        reverse(1, 1025)(x, y)
    with pytest.raises(ValueError, match='grid'):
        reverse(0, 1)
    with pytest.raises(ValueError, match='shared'):
        reverse(1, 1, shared=-1)
    waits = simt.kernel(folder / 'kernels.cuh', 'waits_for_nobody')
    with pytest.raises(RuntimeError, match='deadlock'):
        waits(1, 64)()


@pytest.mark.full
def test_half_precision_arrays(folder):
    (folder / 'half.cu').write_text('#include <cuda_bf16.h>\n#include <cuda_fp16.h>\n'
                                    '__global__ void both(const __half* x, __nv_bfloat16* y) {\n'
                                    '  y[threadIdx.x] = __float2bfloat16(__half2float(x[threadIdx.x]));\n}\n')
    x = np.linspace(-2, 2, 33).astype(np.float16)
    y = np.zeros(33, dtype=ml_dtypes.bfloat16)
    simt.kernel(folder / 'half.cu', 'both')(1, 33)(x, y)
    assert y.tobytes() == x.astype(np.float32).astype(ml_dtypes.bfloat16).tobytes()


def test_what_does_not_compile_says_where(folder):
    (folder / 'wrong.cu').write_text('__global__ void k() {\n  undeclared();\n}\n')
    with pytest.raises(ValueError, match=r"wrong.cu:2:3: error: 'undeclared'|wrong.cu:2:3: error: ‘undeclared’"):
        simt.kernel(folder / 'wrong.cu', 'k')
    with pytest.raises(ValueError, match='nowhere.cu'):
        simt.run(folder / 'nowhere.cu')
    with pytest.raises(ValueError, match='one of sm_70'):
        simt.run(folder / 'program.cu', arch='sm_1')
    with pytest.raises(ValueError, match='forward, reverse or random:SEED'):
        simt.run(folder / 'program.cu', schedule='both')


@pytest.mark.full
def test_a_program_is_profiled(folder):
    profile = simt.profile(folder / 'program.cu', ['once'])
    assert profile.run.stdout == '192 once\n'
    assert profile.total.file == 'all' and profile.total.blocks == sum(line.blocks for line in profile.lines) > 0
    assert [(r.file, r.blocks) for r in profile.ranges] == [('', profile.total.blocks)]
    assert {os.path.basename(line.file) for line in profile.lines} <= {'program.cu', 'kernels.cuh'}


@pytest.mark.full
def test_a_kernel_is_checked(folder):
    (folder / 'last.cu').write_text('__global__ void last(int* x) { x[0] = threadIdx.x; }\n'
                                    '__global__ void axpy(int n, float a, const float* x, float* y) {\n'
                                    '  int i = blockIdx.x * blockDim.x + threadIdx.x;\n'
                                    '  if (i < n) y[i] = a * x[i] + y[i];\n}\n')
    result = simt.check(folder / 'last.cu', 'last', ['zeros:1'], grid=1, block=64, schedules=['forward', 'reverse'])
    assert result.status == 'FAILED' and [d['first'] for d in result.differences] == ['63']
    y = np.ones(128, np.float32)  # OpenMP's threads stay, and the check forks
    simt.kernel(folder / 'last.cu', 'axpy')(4, 32)(128, 2, y, y)
    result = simt.check(folder / 'last.cu', 'axpy', [100, 2], grid=(2, 1), block=64)
    assert result.status == 'PASSED' and len(result.runs) == 4 and result.arguments[3]['written']
    with pytest.raises(ValueError, match='grid'):
        simt.check(folder / 'last.cu', 'last', grid=0)
    for wrong in ({'schedules': []}, {'schedules': 'forward'}, {'seconds': 0}, {'seconds': float('nan')}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            simt.check(folder / 'last.cu', 'last', **wrong)
    with pytest.raises(TypeError, match='args'):
        simt.check(folder / 'last.cu', 'last', '1000')
    assert simt.contracted_lines(folder / 'last.cu') == [(str(folder / 'last.cu'), 4)]
