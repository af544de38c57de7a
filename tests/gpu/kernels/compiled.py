"""compiled.py [--update] NVCC TABLE OBJECT...: registers, shared memory and opcodes of the kernels in nvcc's objects.

The table is JSON by version of nvcc, architecture and kernel: registers, static shared memory in bytes, and which of
the instructions for tensor cores and asynchronous copies occur, in the PTX and as the machine's opcodes. Another nvcc's
lines say nothing of this one's: without lines of its own the test is skipped. A kernel that spills fails whatever the
table says.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

# Opcodes worth a line: mma.sync, wgmma, cp.async, bulk copies and TMA, ldmatrix.
OPCODES = {'HMMA': 'mma.sync', 'HGMMA': 'wgmma', 'LDGSTS': 'cp.async', 'UBLKCP': 'cp.async.bulk', 'UTMALDG': 'TMA load',
           'LDSM': 'ldmatrix'}
# What the compiler was asked for. Longer names before those that they begin with.
PTX = ['cp.async.bulk.tensor', 'cp.async.bulk', 'cp.async.cg', 'ldmatrix', 'mma.sync', 'wgmma.mma_async']


def tool(name):
    import nvidia.cu13
    folder = Path(next(iter(nvidia.cu13.__path__))) / 'bin'
    os.environ['PATH'] = f'{folder}:{os.environ["PATH"]}'  # cuobjdump starts nvdisasm
    return folder / name


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def short(mangled):
    """assay::gpu::autosparse_kernels::forward(...) without its namespace and arguments, template arguments kept."""
    name = output('c++filt', mangled).strip()
    depth, end = 0, len(name)
    for i, c in enumerate(name):
        depth += (c == '<') - (c == '>')
        if c == '(' and depth == 0 and not name.startswith('(anonymous', i):
            end = i
            break
    return name[:end].removeprefix('void ').replace('assay::gpu::', '').replace('(anonymous namespace)::', '')


def kernels(dump, objects):
    """{architecture: {kernel: {'registers', 'shared', 'instructions', 'ptx'}}}, and what spills."""
    found, spills = {}, []
    for path in objects:
        arch = function = None
        for line in output(dump, '-res-usage', path).splitlines():
            if line.startswith('arch = '):
                arch = line.split()[-1]
            elif match := re.match(r' Function (\S+):', line):
                function = short(match[1])
            elif function and (match := re.match(r'  REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)', line)):
                registers, stack, shared, local = map(int, match.groups())
                found.setdefault(arch, {})[function] = {'registers': registers, 'shared': shared, 'instructions': [],
                                                           'ptx': []}
                if stack or local:
                    spills.append(f'{function} for {arch}: {stack} bytes of stack, {local} of local memory')
                function = None
        arch = function = None
        for line in output(dump, '-sass', path).splitlines():
            if line.startswith('arch = '):
                arch = line.split()[-1]
            elif match := re.match(r'\s+Function : (\S+)', line):
                function = short(match[1])
            elif function and (match := re.match(r'\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+ )?([A-Z0-9]+)', line)):
                name = OPCODES.get(match[1])
                seen = found[arch][function]['instructions']
                if name and name not in seen:
                    seen.append(name)
        arch = function = None
        for line in output(dump, '-ptx', path).splitlines():
            if match := re.match(r'\.target (\w+)', line):
                arch, function = match[1], None
            elif match := re.search(r'\.entry (\w+)\(', line):
                function = short(match[1])
            elif function:
                # After a predicate, if there is one.
                name = next((name for name in PTX if re.match(rf'\s*(?:@!?%p\d+ )?{re.escape(name)}\b', line)), None)
                if name and name not in found[arch][function]['ptx']:
                    found[arch][function]['ptx'].append(name)
    for by_kernel in found.values():
        for kernel in by_kernel.values():
            kernel['instructions'].sort()
            kernel['ptx'].sort()
    return found, spills


def main():
    update = sys.argv[1] == '--update'
    nvcc, table_path, *objects = sys.argv[1 + update:]
    version = re.search(r'V([\d.]+)', output(nvcc, '--version'))[1]
    found, spills = kernels(tool('cuobjdump'), objects)
    if not any(found.values()):
        sys.exit('no kernel in ' + ', '.join(objects))
    if spills:
        sys.exit('\n'.join(spills))
    table = json.loads(Path(table_path).read_text())
    if update:
        table[version] = found
        Path(table_path).write_text(json.dumps(table, indent=1, sort_keys=True) + '\n')
        return
    if version not in table:
        print(f'SKIPPED: the table has no lines for nvcc {version}, but for {", ".join(sorted(table))}')
        sys.exit(77)
    wrong = []
    for arch in sorted(found.keys() | table[version].keys()):
        got, want = found.get(arch, {}), table[version].get(arch, {})
        for kernel in sorted(got.keys() | want.keys()):
            if got.get(kernel) != want.get(kernel):
                wrong.append(f'{kernel} for {arch}: {got.get(kernel)}, and the table has {want.get(kernel)}')
    if wrong:
        sys.exit('\n'.join(wrong))
    print(f'nvcc {version}: {sum(map(len, found.values()))} kernels as the table has them, no spills')


main()
