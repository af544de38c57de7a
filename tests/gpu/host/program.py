"""Checks assay-probe-gpu itself.

    program.py list|no_gpu|instructions|gpu PROGRAM ARCHITECTURE...
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

# What each matrix instruction must have become: architecture -> opcode of its kernel. fp8 through mma.sync is no
# instruction of sm_90 and sm_100, but two f16 ones.
F8 = r'mma_16832_(f32|f16)_(e4m3|e5m2)'
EXPECTED = {
    '80': {r'mma_1\w+_f16_f16': r'HMMA\.\w+\.F16', r'mma_1\w+_f32_f16': r'HMMA\.\w+\.F32',
           r'mma_1\w+_f32_bf16': r'HMMA\.\w+\.F32\.BF16', r'mma_1\w+_f32_tf32': r'HMMA\.\w+\.F32\.TF32',
           'f64_tiles': r'DMMA\.\w+'},
    '90a': {F8: r'HMMA\.16816\.\w+', r'wgmma_\w+_(f32|f16)_f16': r'HGMMA\.64x8x16\.\w+',
            r'wgmma_\w+_bf16': r'HGMMA\.64x8x16\.F32\.BF16', r'wgmma_\w+_tf32': r'HGMMA\.64x8x8\.F32\.TF32',
            r'wgmma_\w+_e4m3': r'QGMMA\.64x8x32\.\w+\.E4M3\.E4M3',
            r'wgmma_\w+_e5m2': r'QGMMA\.64x8x32\.\w+\.E5M2\.E5M2'},
    '100a': {F8: r'HMMA\.16816\.\w+'},
}
EXPECTED['90a'].update(EXPECTED['80'])
EXPECTED['100a'].update(EXPECTED['80'])


def skip(reason):
    print(reason)
    sys.exit(77)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_list(program):
    done = run(program, '--list')
    assert done.returncode == 0 and 'wgmma.E4M3' in done.stdout and not done.stderr, done
    done = run(program, '--only', 'bf17', '--out', 'nowhere')
    assert done.returncode == 2 and 'bf17' in done.stderr, done


def check_no_gpu(program):
    # The runtime then sees no device, whatever the machine has.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([program, '--out', folder], capture_output=True, text=True, check=False,
                              env={**os.environ, 'CUDA_VISIBLE_DEVICES': '-1'})
        assert done.returncode == 3 and 'nothing was recorded: no GPU' in done.stderr, done
        assert not os.listdir(folder)


def opcodes(cuobjdump, program):
    """{(architecture, kernel): {opcode: count}}, matrix instructions only; kernels without any are there too."""
    done = run(cuobjdump, '-sass', program)
    assert done.returncode == 0, done.stderr
    found, architecture, kernel = {}, None, None
    for line in done.stdout.splitlines():
        if match := re.search(r'^arch = sm_(\w+)', line):
            architecture = match[1]
        elif match := re.search(r'Function : (\S+)', line):
            name = re.search(r'Op_(w?gmma_\w+?|mma_\w+?)E+v|f64_tiles', match[1])
            kernel = (architecture, (name[1] or name[0]) if name else match[1])
            found.setdefault(kernel, Counter())
        elif match := re.search(r'/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([HQDI]G?MMA\.[\w.]+)', line):
            found[kernel][match[1]] += 1
    return found


def check_instructions(program, architectures):
    cuobjdump = shutil.which('cuobjdump') or '/usr/local/cuda/bin/cuobjdump'
    if not Path(cuobjdump).exists() or not shutil.which('nvdisasm', path=f'{os.environ["PATH"]}:/usr/local/cuda/bin'):
        skip('cuobjdump and nvdisasm of the CUDA Toolkit are not installed')
    found = opcodes(cuobjdump, program)
    bad, seen = [], set()
    for (architecture, kernel), counts in sorted(found.items()):
        for pattern, opcode in EXPECTED.get(architecture, {}).items():
            if re.fullmatch(pattern, kernel):
                seen.add((architecture, pattern, kernel))
                if not counts or any(not re.fullmatch(opcode, one) for one in counts):
                    bad.append(f'sm_{architecture} {kernel}: {dict(counts)}, expected {opcode}')
    for architecture in architectures:
        for pattern in EXPECTED.get(architecture, {}):
            if (architecture, pattern) not in {one[:2] for one in seen}:
                bad.append(f'sm_{architecture}: no kernel {pattern}')
    print('\n'.join(bad) or f'{len(seen)} kernels have the instructions that they are named after')
    assert not bad


def check_gpu(program):
    with tempfile.TemporaryDirectory() as folder:
        done = run(program, '--out', folder, '--rows', '16')
        if done.returncode == 3:
            skip(done.stderr.strip())
        print(done.stdout, done.stderr)
        assert done.returncode == 0
        sets = list(Path(folder).glob('*/*/meta.json'))
        assert sets
        for path in sets:
            meta = json.loads(path.read_text())
            assert all((path.parent / one['file']).exists() for one in meta['outputs'])


def main():
    check, program, *architectures = sys.argv[1:]
    if check == 'instructions':
        check_instructions(program, architectures)
    else:
        {'list': check_list, 'no_gpu': check_no_gpu, 'gpu': check_gpu}[check](program)


main()
