"""CUDA programs and kernels on the CPU, built by the host's C++ compiler.

    result = simt.run('saxpy.cu', ['1000'])                     # the program's output and exit code
    saxpy = simt.kernel('saxpy.cu', 'saxpy<float>')             # one kernel, loaded
    saxpy(grid=4, block=256)(1000, 2.0, x, y)                   # on NumPy's arrays, in place
    simt.profile('saxpy.cu', ['1000']).total.sectors            # what its warps did, by source line
    simt.check('saxpy.cu', 'saxpy<float>', grid=4, block=256).status
"""
from __future__ import annotations

import dataclasses
import json
import operator
import os
from collections.abc import Sequence
from typing import Any, Union

import ml_dtypes
import numpy as np

from . import _assay

Path = Union[str, 'os.PathLike[str]']
Paths = Union[Path, Sequence[Path]]
Dimensions = Union[int, Sequence[int]]

__all__ = ['Check', 'Kernel', 'Launch', 'Line', 'Profile', 'Run', 'build', 'check', 'contracted_lines', 'kernel',
           'profile', 'run']

# Types of CUDA's headers by the dtypes that have their codes.
_DTYPES = {'__half': np.dtype(np.float16), '__nv_bfloat16': np.dtype(ml_dtypes.bfloat16),
           '__nv_fp8_e4m3': np.dtype(ml_dtypes.float8_e4m3fn), '__nv_fp8_e5m2': np.dtype(ml_dtypes.float8_e5m2)}


@dataclasses.dataclass(frozen=True)
class Run:
    """How a program ended."""

    returncode: int  # negative: the signal that ended it
    stdout: str
    in_time: bool
    build_seconds: float
    run_seconds: float
    notes: list[str]  # what of its bits is not known to be a GPU's


@dataclasses.dataclass(frozen=True)
class Line:
    """What warps did at a line of source; line 0 of the file 'all' is the sum. Accesses, barriers and operations are of
    warps, flops of threads."""

    file: str
    line: int
    blocks: int            # basic blocks that warps, or parts of them, went through
    lanes: int             # of those
    divergent_blocks: int  # without all lanes of their warp
    global_reads: int
    global_writes: int
    global_atomics: int
    global_bytes: int      # asked for
    sectors: int           # of 32 bytes, moved
    least_sectors: int     # filled by what was asked for
    shared_accesses: int
    shared_passes: int     # over the banks
    bank_conflicts: int    # passes more than the least
    barriers: int
    collectives: int       # shuffles, votes and kin
    matrix_operations: int
    flops: int             # a fused multiply-add is two


@dataclasses.dataclass(frozen=True)
class Profile:
    """What a program's kernels did."""

    run: Run
    lines: list[Line]  # by file and line
    ranges: list[Line]  # of NVTX, whose names, and those around them, are `file`; '' outside of all
    total: Line
    flops_a_byte: float  # of global memory that was moved; 0 where none was


@dataclasses.dataclass(frozen=True)
class Check:
    """A kernel under several orders of its threads; the dictionaries are those of `assay simt check --json`."""

    status: str  # 'PASSED' or 'FAILED'
    arguments: list[dict[str, Any]]
    runs: list[dict[str, Any]]         # schedule, seconds, failure, checksums
    differences: list[dict[str, Any]]  # the first of each array and schedule


def _paths(given: Paths) -> list[str]:
    return [os.fspath(p) for p in ([given] if isinstance(given, (str, os.PathLike)) else given)]


def _run_of(result: dict[str, Any]) -> Run:
    result['stdout'] = result['stdout'].decode(errors='replace')
    return Run(**result)


def run(path: Paths, args: Sequence[str] = (), *, include: Paths = (), define: Sequence[str] = (),
        compiler_options: Sequence[str] = (),
        arch: str = 'sm_90', fmad: bool = False, ftz: bool = False, schedule: str = 'forward',
        threads: int | None = None, seconds: float | None = None) -> Run:
    """Builds a CUDA program of one or several files and runs it with `args`.

    compiler_options: handed to the compiler as they are, such as '-fopenmp' for host code with OpenMP. arch: the GPU
    that is imitated. fmad: a*b + c is rounded once where the host's compiler sees it. ftz: subnormal
    numbers of kernels are zero. schedule: forward, reverse or random:SEED. threads: of the CPU. seconds: the program
    is ended after this time. ValueError for a program that does not compile, with the compiler's words.
    """
    return _run_of(_assay._simt_run(_paths(path), [str(a) for a in args], _paths(include), list(define),
                                    list(compiler_options), arch, fmad,
                                    ftz, schedule, 0 if threads is None else threads, seconds))


def profile(path: Paths, args: Sequence[str] = (), *, include: Paths = (), define: Sequence[str] = (),
            compiler_options: Sequence[str] = (),
            arch: str = 'sm_90', fmad: bool = False, ftz: bool = False, schedule: str = 'forward',
            seconds: float | None = None) -> Profile:
    """Runs a CUDA program on one thread of the CPU and counts what its kernels do, by source line.

    The options are those of run(). RuntimeError without addr2line and objdump of binutils.
    """
    result, text = _assay._simt_profile(_paths(path), [str(a) for a in args], _paths(include), list(define),
                                        list(compiler_options), arch, fmad,
                                        ftz, schedule, seconds)
    counts = json.loads(text)
    return Profile(run=_run_of(result), lines=[Line(**line) for line in counts['lines']],
                   ranges=[Line(file=r.pop('name'), line=0, **r) for r in counts['ranges']],
                   total=Line(**{**counts['total'], 'file': 'all'}), flops_a_byte=float(counts['flops_a_byte']))


def check(path: Paths, kernel: str, args: Sequence[str] = (), *, grid: Dimensions | None = None,
          block: Dimensions | None = None, shared: int = 0, schedules: Sequence[str] | None = None,
          include: Paths = (), define: Sequence[str] = (), compiler_options: Sequence[str] = (), arch: str = 'sm_90',
          fmad: bool = False, seconds: float = 60) -> Check:
    """Runs one kernel under several orders of its threads, on arrays with a guard behind each, and compares the bits.

    args: an argument each, as `assay simt check --arg` has them: a number, a file of an array, 'random:N[:SEED]',
    'zeros:N', 'ones:N' or 'iota:N'; those that are missing are random. grid, block: one to three numbers; by default
    those of the file's first line, else one block of 32 threads. schedules: 'forward', 'reverse', 'random:SEED'.
    seconds: of each run. Threads are not interrupted between barriers, so two that add to one place without an atomic
    are not told apart from correct ones.
    """
    if schedules is not None and (isinstance(schedules, str) or not schedules):
        raise ValueError(f'schedules: a list of one and more is asked for, not {schedules!r}')
    if isinstance(args, str):
        raise TypeError(f'args: a list of arguments is asked for, not {args!r}')
    if not 0 < seconds < 1e9:
        raise ValueError(f'seconds: a number above 0 is asked for, not {seconds}')
    result = json.loads(_assay._simt_check(
        _paths(path), kernel, [str(a) for a in args], _paths(include), list(define), list(compiler_options), arch, fmad,
        None if grid is None else _three(grid, 'grid'), None if block is None else _three(block, 'block'), shared,
        None if schedules is None else list(schedules), seconds))
    return Check(**{field.name: result[field.name] for field in dataclasses.fields(Check)})


def contracted_lines(path: Paths, *, include: Paths = (), define: Sequence[str] = (),
                     compiler_options: Sequence[str] = (),
                     arch: str = 'sm_90') -> list[tuple[str, int]]:
    """[(file, line)] at which the host's compiler makes one rounding of a*b + c where it may, as nvcc does by default:
    the lines whose bits depend on `fmad`."""
    return _assay._simt_contracted(_paths(path), _paths(include), list(define), list(compiler_options), arch)


def build(path: Paths, out: Path, *, include: Paths = (), define: Sequence[str] = (),
          compiler_options: Sequence[str] = (), arch: str = 'sm_90',
          fmad: bool = False, march: str = '') -> None:
    """Builds a CUDA program into the executable `out`, for x86-64-v2 or the CPU that `march` names."""
    _assay._simt_build(_paths(path), os.fspath(out), _paths(include), list(define), list(compiler_options), arch,
                       fmad, march)


def _three(given: Dimensions, name: str) -> list[int]:
    dimensions = [given] if isinstance(given, (int, np.integer)) else list(given)
    if not 1 <= len(dimensions) <= 3 or not all(0 < operator.index(d) < 2**31 for d in dimensions):
        raise ValueError(f'{name}: one to three numbers of 1 to 2^31 - 1 are asked for, not {given!r}')
    return [operator.index(d) for d in dimensions] + [1] * (3 - len(dimensions))


class Launch:
    """A kernel with its grid: call it with the kernel's arguments."""

    def __init__(self, of: Kernel, grid: Dimensions, block: Dimensions, shared: int):
        self._kernel, self._shared = of, operator.index(shared)
        self._grid, self._block = _three(grid, 'grid'), _three(block, 'block')
        if self._shared < 0:
            raise ValueError(f'shared: bytes of 0 and more are asked for, not {shared}')

    def __call__(self, *args: Any) -> None:
        """Runs the kernel. Arrays that it may write are changed in place.

        TypeError for an argument of another type than the parameter's; ValueError for an array that is not contiguous,
        or that cannot be written. RuntimeError, with CUDA's text, for a launch that fails.
        """
        parameters = self._kernel._parameters
        if len(args) != len(parameters):
            raise TypeError(f'{self._kernel.name} takes {len(parameters)} arguments, not {len(args)}: '
                            + ', '.join(p['type'] for p in parameters))
        values = [_value(a, p, i + 1) for i, (a, p) in enumerate(zip(args, parameters))]
        self._kernel._loaded.call(self._grid, self._block, self._shared, values)


class Kernel:
    """A kernel that was built and loaded; it stays loaded to the end of the process."""

    def __init__(self, loaded: Any, name: str):
        self._loaded, self._parameters, self.name = loaded, loaded.parameters(), name

    @property
    def parameters(self) -> list[str]:
        """Types of the parameters, as C++ writes them."""
        return [p['type'] for p in self._parameters]

    def __call__(self, grid: Dimensions, block: Dimensions, shared: int = 0) -> Launch:
        """grid, block: one to three numbers; shared: bytes of dynamic shared memory."""
        return Launch(self, grid, block, shared)

    def __repr__(self) -> str:
        return f'<assay.simt.Kernel {self.name}({", ".join(self.parameters)})>'


def kernel(path: Paths, name: str, *, include: Paths = (), define: Sequence[str] = (),
           compiler_options: Sequence[str] = (), arch: str = 'sm_90',
           fmad: bool = False) -> Kernel:
    """One kernel of a file (the first of several), by its name as C++ has it: 'namespace::name<float, 16>'.

    ValueError for a file that does not compile, with the compiler's words.
    """
    return Kernel(_assay._SimtKernel(_paths(path), name, _paths(include), list(define), list(compiler_options), arch,
                                     fmad), name)


def _dtype(parameter: dict[str, Any]) -> np.dtype[Any] | None:
    kind = parameter['kind']
    if kind == 'o':
        return _DTYPES.get(parameter['element'])
    return None if kind == 'v' else np.dtype(f'{kind}{parameter["bytes"]}')


def _value(given: Any, parameter: dict[str, Any], number: int) -> int | bytes:
    dtype = _dtype(parameter)
    place = f'argument {number}, {parameter["type"]}'
    if not parameter['pointer']:
        if dtype is None:
            raise TypeError(f'{place}: a value of this type cannot be given')
        if dtype.kind in 'iu':
            return _integer(given, dtype, place)
        if dtype.kind == 'b':
            return np.asarray(bool(given)).tobytes()
        return np.asarray(float(given)).astype(dtype).tobytes()
    if not isinstance(given, np.ndarray):
        raise TypeError(f'{place}: an array of NumPy is asked for, not {type(given).__name__}')
    if dtype is not None and given.dtype != dtype:
        raise TypeError(f'{place}: an array of {dtype} is asked for, not of {given.dtype}')
    if dtype is None and parameter['kind'] == 'o' and given.dtype.itemsize != parameter['bytes']:
        raise TypeError(f'{place}: elements of {parameter["bytes"]} bytes are asked for, not {given.dtype}')
    if not given.flags.c_contiguous:
        raise ValueError(f'{place}: the array is not contiguous')
    if not parameter['constant'] and not given.flags.writeable:
        raise ValueError(f'{place}: the array cannot be written')
    return given.ctypes.data


def _integer(given: Any, dtype: np.dtype[Any], place: str) -> bytes:
    try:
        value = operator.index(given)
    except TypeError:
        raise TypeError(f'{place}: an integer is asked for, not {type(given).__name__}') from None
    limits = np.iinfo(dtype)
    if not limits.min <= value <= limits.max:
        raise ValueError(f'{place}: {value} is not {limits.min} to {limits.max}')
    return np.array(value, dtype=dtype).tobytes()
