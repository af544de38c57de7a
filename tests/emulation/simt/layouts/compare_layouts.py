#!/usr/bin/env python3
"""compare_layouts.py PROGRAM: the fragments that print_layouts prints, against the package tensor-layouts.

Its atoms give the column-major offset of an element in its tile by (lane, index in the lane's fragment). All atoms of
mma.sync by 32 lanes and the accumulators of wgmma are compared, element by element.
"""
import re
import subprocess
import sys

import tensor_layouts.atoms_nv as atoms

# SM80_16x8x16_F32BF16BF16F32_TN: D, A, B, C. Sparse forms, complex numbers and Volta's quads are not in the executor;
# the package's m16n8k64 of SM120 is that of 4-bit numbers, though it is called E4M3.
SYNC = re.compile(r'SM(?:75|80|89|90|120(?=_16x8x32_))_(\d+)x(\d+)x(\d+)_(?:[FS]\d+)'
                   r'(BF16|TF32|F16|F64|E[45]M[23]|S8|S4|U1)'
                  r'(?:BF16|TF32|F16|F64|E[45]M[23]|S8|S4|U1)(?:[FS]\d+)_TN(?:_XORPOPC)?$')
GROUP = re.compile(r'SM90_(64)x(\d+)x(\d+)_(?:[FS]\d+)(BF16|TF32|F16|E[45]M[23]|S8)'
                   r'(?:BF16|TF32|F16|E[45]M[23]|S8)_SS$')
OURS = {'U1': 'b1'}


def places_by_operand(program, m, n, k, name):
    """{'A': {(lane, index): (row, column)}, 'B': ..., 'C': ...}"""
    said = subprocess.run([program], input=f'{m} {n} {k} {OURS.get(name, name.lower())}\n', text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    places = {'A': {}, 'B': {}, 'C': {}}
    for line in said.splitlines()[:-1]:
        operand, *numbers = line.split()
        lane, index, row, column = map(int, numbers)
        places[operand][lane, index] = row, column
    return places


def offsets(layout, lanes, count):
    return {(lane, index): layout(lane, index) for lane in range(lanes) for index in range(count)}


def compare(name, operand, ours, rows, theirs):
    if len(set(theirs.values())) != len(theirs):  # two lanes hold one element, and others are held by nobody
        named = len(set(theirs.values()))
        print(f'{name}: the package has no layout of {operand}: it names {named} of {len(theirs)} elements')
        return
    wrong = [(at, ours.get(at), (offset % rows, offset // rows)) for at, offset in theirs.items()
             if ours.get(at) != (offset % rows, offset // rows)]
    assert len(ours) == len(theirs), f'{name}: {operand} has {len(ours)} elements here, {len(theirs)} there'
    assert not wrong, f'{name}: {len(wrong)} elements of {operand} differ: (lane, index), ours, theirs: {wrong[:3]}'


def compare_sync(program, name, m, n, k, form):
    atom, ours = getattr(atoms, name), places_by_operand(program, m, n, k, form)
    swapped = {at: (column, row) for at, (row, column) in ours['B'].items()}  # theirs is n by k
    compare(name, 'A', ours['A'], m, offsets(atom.a_layout, 32, m * k // 32))
    compare(name, 'B', swapped, n, offsets(atom.b_layout, 32, n * k // 32))
    compare(name, 'C', ours['C'], m, offsets(atom.c_layout, 32, m * n // 32))


def compare_group(program, name, m, n, k, form):
    # A warp's accumulators are those of m16, in rows from 16 times its number.
    ours = places_by_operand(program, 16, n, k, form)['C']
    four = {(32 * warp + lane, index): (16 * warp + row, column)
            for warp in range(4) for (lane, index), (row, column) in ours.items()}
    compare(name, 'C', four, m, offsets(getattr(atoms, name).c_layout, 128, m * n // 128))


def main():
    program, compared = sys.argv[1], {'mma.sync': set(), 'wgmma': set()}
    for name in dir(atoms):
        for kind, pattern, check in (('mma.sync', SYNC, compare_sync), ('wgmma', GROUP, compare_group)):
            if found := pattern.match(name):
                m, n, k, form = int(found[1]), int(found[2]), int(found[3]), found[4]
                check(program, name, m, n, k, form)
                compared[kind].add((m, n, k, form))
    assert len(compared['mma.sync']) >= 18 and len(compared['wgmma']) >= 20, compared
    print('equal: ' + ', '.join(f'{len(shapes)} shapes of {kind}' for kind, shapes in compared.items()))


main()
