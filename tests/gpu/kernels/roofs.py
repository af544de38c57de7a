"""roofs.py [--update] ASSAY SOURCE_ROOT: how fast each kernel of gpu/kernels can be on an H200 at most, by its traffic.

Counts are those of `assay simt profile` for roof_slices.cu, registers and static shared memory those of compiled.json.
Writes the page gpu/kernels/roofs.md with --update; without, says where the page differs from what is counted now.
No number here is a measurement of a kernel: a roof is what its traffic allows, and says nothing of how near it comes.
"""
import json
import math
import subprocess
import sys
import textwrap
from pathlib import Path

NVCC, ARCH = '13.0.88', 'sm_90a'
# An H200: a copy's rate, the L2 cache's, shared memory's (128 bytes a clock on 132 multiprocessors), float32, bf16 by
# wgmma on random data; mma.sync reaches three quarters of the tensor cores' nominal 989.
COPY, L2, SHARED, FLOAT32, WGMMA, MMA = 4.3e12, 5.5e12, 29e12, 67e12, 790e12, 0.75 * 989e12
REGISTERS, SHARED_BYTES, WARPS, BLOCKS = 65536, 228 * 1024, 64, 32  # of a multiprocessor
MEBI = 1 << 20


class Problem:
    """`slices` of what roof_slices.cu runs; `once`: bytes that any kernel has to move."""

    def __init__(self, name, text, slices, once, tensor=None, operand_bytes=0, value=None, bar=None, bar_text='none'):
        self.name, self.text, self.slices, self.once, self.tensor = name, text, slices, once, tensor
        self.operand_bytes = operand_bytes  # of shared memory that wgmma reads, a float operation
        self.value, self.bar, self.bar_text = value, bar, bar_text


def of_copy(once):
    return lambda seconds: (100 * once / COPY / seconds, '% of a copy')


def tera(work, unit='TFLOP/s'):
    return lambda seconds: (work / seconds / 1e12, unit)


def against_dense(rows, cols, n):
    """Times as fast as a dense product that reaches the tensor cores' or the memory's rate."""
    dense = max(2 * rows * cols * n / WGMMA, 2 * (rows * cols + cols * n + rows * n) / COPY)
    return lambda seconds: (dense / seconds, '× dense')


def problems():
    weights, side, bsr_side, bsr_n = 64 * MEBI, 4096, 8192, 4096
    out = []
    for kernel, once in (('forward', 9 * weights), ('backward', 12 * weights)):
        out.append(Problem(f'autosparse/{kernel}_f32', '64 Mi weights', weights // (16 * 4096), once,
                           value=of_copy(once), bar=85, bar_text='≥ 85 % of a copy'))
    for rounding in ('nearest_even', 'toward_zero', 'stochastic'):
        out.append(Problem(f'convert/bf16 {rounding}', '64 Mi numbers', weights >> 16, 6 * weights,
                           value=of_copy(6 * weights)))
    row = 410  # entries
    nnz = side * row
    out.append(Problem('spmm/csr_f32 n=512', '4096², 90 % zeros, n = 512', side / 8, nnz * 8 + 8 * side * 512,
                       value=tera(2 * nnz * 512)))
    out.append(Problem('spmm/csr_bf16 n=64', '4096², 90 % zeros, n = 64', side / 8, nnz * 6 + 4 * side * 64,
                       value=against_dense(side, side, 64), bar=4, bar_text='≥ 4 × dense'))
    out.append(Problem('spmm/csr_bf16 n=4096', '4096², 90 % zeros, n = 4096', side, nnz * 6 + 4 * side * side,
                       value=against_dense(side, side, side), bar=0.9, bar_text='≥ 0.9 × dense'))
    for kind, size in (('f32', 4), ('bf16', 2)):
        out.append(Problem(f'sddmm/csr_{kind}', '4096², 90 % zeros, k = 128', side / 16,
                           nnz * 8 + 2 * side * 128 * size, value=tera(2 * nnz * 128)))
    out.append(Problem('gemm/bf16_mma', '4096³', (side / 128) ** 2, 6 * side * side, MMA, value=tera(2 * side ** 3)))
    for name, tensor, block, bar in (('mma', MMA, 16, 80), ('mma', MMA, 32, 150), ('mma', MMA, 64, None),
                                     ('wgmma', WGMMA, 64, 300), ('wgmma', WGMMA, 128, 550)):
        across = bsr_side // block
        blocks = across * ((2 * across + 10) // 20)  # a tenth, rounded
        work = 2 * blocks * block * block * bsr_n
        # A wgmma of 64 x 128 x 16 reads both operands from shared memory.
        operands = (64 * 16 + 128 * 16) * 2 / (2 * 64 * 128 * 16) if name == 'wgmma' else 0
        out.append(Problem(f'spmm/bsr_bf16_{name} {block}', f'8192², blocks of {block}, n = 4096',
                           bsr_side / block * bsr_n / 512, 2 * blocks * block * block + 4 * bsr_side * bsr_n,
                           tensor, operands, tera(work), bar,
                           f'≥ {bar} TFLOP/s' if bar else 'none: sm_80, sm_100a'))
    images, neurons, layers = 60000, 1024, 120
    edges = 32 * neurons * layers * images
    for kernel, slice_images, slice_layers in (('layer_tiled', 12, 2), ('layers_fused', 48, 8)):
        once = 4 * images * neurons * (2 * layers if kernel == 'layer_tiled' else 2)
        out.append(Problem(f'spdnn/{kernel}', '1024 × 120, 60,000 images, all alive',
                           images / slice_images * layers / slice_layers, once, value=tera(edges, 'TE/s'),
                           bar_text='a layer\'s own' if kernel == 'layer_tiled' else '≥ 3 × layer_tiled, measured'))
    return out


def roofs_of(p, counts):
    """Seconds of the whole problem by each limit."""
    tensor_flops = counts['flops'] if p.tensor else 0
    return {'HBM': p.once / COPY, 'L2': counts['sectors'] * 32 * p.slices / L2,
            'shared': (counts['shared_passes'] * 128 + tensor_flops * p.operand_bytes) * p.slices / SHARED,
            'tensor cores' if p.tensor else 'float32': counts['flops'] * p.slices / (p.tensor or FLOAT32)}


def occupancy(threads, registers, shared):
    """Blocks of a multiprocessor."""
    warps = threads // 32
    by_registers = REGISTERS // (256 * math.ceil(registers * 32 / 256) * warps)
    return min(by_registers, SHARED_BYTES // max(shared, 1024), WARPS // warps, BLOCKS)


def micro(seconds):
    return f'{seconds * 1e6:,.0f}' if seconds >= 1e-4 else f'{seconds * 1e6:.1f}'


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows = [[cell.ljust(w) for cell, w in zip(row, widths)] for row in rows]
    rows.insert(1, ['-' * w for w in widths])
    return ''.join('| ' + ' | '.join(row) + ' |\n' for row in rows)


TEXT = """# Roofs

How fast each kernel can be on an H200 at most, by what it reads, writes and multiplies. **Nothing here was measured on
a GPU**: the traffic is counted by `assay simt profile` on a slice of each problem and multiplied; a roof says what is
impossible, not how near a kernel comes. `tests/gpu/kernels/roofs.py` writes this page, and a test holds it to what is
counted now.

Rates: copy 4.3 TB/s, L2 5.5 TB/s, shared memory 29 TB/s, float32 67 TFLOP/s, wgmma 790 TFLOP/s, mma.sync three quarters
of 989. HBM: each operand read once and each result written once, as if the L2 cache held the rest. L2: sectors of 32
bytes, as if nothing stayed in L1. Shared memory: passes over the banks, and what wgmma reads. Microseconds of the whole
problem; the longest is the roof. Block-sparse problems keep a tenth of their blocks. `dense` is a product of all
entries at 790 TFLOP/s or at the copy's rate, whichever is slower.

"""

OCCUPANCY = """
Blocks that a multiprocessor has room for, by the registers and shared memory of nvcc {nvcc} for {arch}:

"""

NOTES = """
What the bars ask for and these kernels' counts do not allow:

{missed}
"""

WHY = {
    'spmm/csr_bf16 n=64':
        'Every entry fetches a row of X from L2. The bar is that of a kernel that decodes tiles of A for the tensor '
        'cores, which is not here; CSR on CUDA cores cannot reach it at 80, 90 or 95 % zeros.',
    'spmm/csr_bf16 n=4096':
        'The same; a dense product is the better choice at every density of the bar.',
    'spmm/bsr_bf16_wgmma 128':
        'A tile of 128 x 256 fetches its operands once for 85 operations a byte, and the bar asks for 100 of an L2 '
        'cache of 5.5 TB/s. Registers have room for no larger tile: two blocks of threads would have to share A by '
        'multicast (clusters), which the executor does not have.',
    'spmm/bsr_bf16_wgmma 64':
        'X is fetched for 64 rows at a time: 352 TFLOP/s would be the limit of an infinitely wide tile. A and Y take '
        'the rest; twice the rows and columns, and so half of Y, would pass the bar.',
}


def main():
    update = sys.argv[1] == '--update'
    assay, root = sys.argv[1 + update], Path(sys.argv[2 + update])
    here = root / 'tests' / 'gpu' / 'kernels'
    command = [assay, 'simt', 'profile', here / 'roof_slices.cu', root / 'gpu/kernels/spdnn_layout.cpp',
               root / 'reference/spdnn/output_order.cpp', '-I', root, '--json']
    profile = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    ranges = {r['name']: r for r in profile['ranges']}
    compiled = json.loads((here / 'compiled.json').read_text())[NVCC][ARCH]
    launched = {}
    for line in profile['run']['output'].splitlines():
        name, kernel, threads, dynamic = line.split('|')
        launched[name] = kernel, int(threads), int(dynamic)

    rows = [['kernel', 'problem', 'HBM', 'L2', 'shared', 'arithmetic', 'roof', 'bar']]
    blocks = [['kernel', 'threads', 'registers', 'shared memory', 'blocks', 'warps of 64']]
    missed, values = [], {}
    for p in problems():
        times = roofs_of(p, ranges[p.name])
        limit = max(times, key=times.get)
        value, unit = p.value(times[limit])
        values[p.name] = value
        text = f'{value:.3g} {unit}, {limit}'
        if p.bar is not None and value < p.bar:
            text = f'**{text}**'
            missed.append(f'`{p.name}`, {p.text}: {value:.3g} of {p.bar} {unit}. {WHY[p.name]}')
        rows.append([f'`{p.name}`', p.text, *(micro(t) for t in times.values()), text, p.bar_text])
        kernel, threads, dynamic = launched[p.name]
        registers, shared = compiled[kernel]['registers'], compiled[kernel]['shared'] + dynamic
        many = occupancy(threads, registers, shared)
        blocks.append([f'`{p.name}`', str(threads), str(registers), f'{shared:,}', str(many),
                       str(many * threads // 32)])
    times = values['spdnn/layers_fused'] / values['spdnn/layer_tiled']
    missed.append(f'`spdnn/layers_fused`: its roof is {times:.2g} times that of `spdnn/layer_tiled`. Three times as '
                  'fast is possible only as far as the tiled kernel stays below its own roof. Both read 4 bytes of '
                  'shared memory for an edge and an image or two; only products on tensor cores would go beyond.')
    notes = '\n'.join(textwrap.fill(text, 138, initial_indent='* ', subsequent_indent='  ') for text in missed)
    page = (TEXT + table(rows) + OCCUPANCY.format(nvcc=NVCC, arch=ARCH) + table(blocks) +
            NOTES.format(missed=notes))
    path = root / 'gpu' / 'kernels' / 'roofs.md'
    if update:
        path.write_text(page)
        return
    for number, (want, got) in enumerate(zip(path.read_text().splitlines(), page.splitlines()), 1):
        if want != got:
            sys.exit(f'{path}:{number}: {want!r}, and counted now: {got!r}')
    if path.read_text() != page:
        sys.exit(f'{path} has other lines than what is counted now')
    print(f'{len(rows) - 1} roofs as the page has them')


main()
