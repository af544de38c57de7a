"""Makes the arrays of this folder, by the standard library alone: python3 make.py FOLDER

a.npy b.npy d.npy    float32, d = a b; got.npy and want.npy are d: what the commands' examples name
m.mtx                a sparse matrix, 60 x 80, in Matrix Market's form
answers.txt          the exact results of `assay gen dot --values integers --cases 9`, not written by this program
run.safetensors      a 64 x 96 and b 96 x 33 in bfloat16; d is their product; d_tail is that of a program with tiles 32 wide
                     that leaves out the last third of the sum in its tail, column 32
"""
import json
import random
import struct
import sys
from pathlib import Path


def float32(x):
    return struct.unpack('<f', struct.pack('<f', x))[0]


def bf16(x):
    bits = struct.unpack('<I', struct.pack('<f', x))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def value(code):
    return struct.unpack('<f', struct.pack('<I', code << 16))[0]


def npy(path, rows, cols, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {cols}), }}"
    header += ' ' * (-(len(header) + 11) % 64) + '\n'
    path.write_bytes(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode() +
                     struct.pack(f'<{len(values)}f', *values))


def product(a, b, m, k, n, terms):
    """Sums in float32, in order; terms(j) of them for column j."""
    out = []
    for i in range(m):
        for j in range(n):
            total = 0.0
            for l in range(terms(j)):
                total = float32(total + float32(a[i * k + l] * b[l * n + j]))
            out.append(total)
    return out


def matrix_market(path, rows, cols):
    """One place in twelve has an entry; every thirteenth row has none."""
    entries = [(i, j, round(random.gauss(0, 1), 4)) for j in range(cols) for i in range(rows)
               if i % 13 != 5 and random.random() < 1 / 12]
    lines = ['%%MatrixMarket matrix coordinate real general', f'{rows} {cols} {len(entries)}']
    lines += [f'{i + 1} {j + 1} {value}' for i, j, value in entries]
    path.write_text('\n'.join(lines) + '\n')


def main(folder):
    random.seed(7)
    m, k, n = 6, 8, 5
    a = [float32(random.gauss(0, 1)) for _ in range(m * k)]
    b = [float32(random.gauss(0, 1)) for _ in range(k * n)]
    d = product(a, b, m, k, n, lambda j: k)
    npy(folder / 'a.npy', m, k, a)
    npy(folder / 'b.npy', k, n, b)
    for name in ('d.npy', 'got.npy', 'want.npy'):
        npy(folder / name, m, n, d)

    m, k, n = 64, 96, 33
    a = [bf16(random.gauss(0, 1)) for _ in range(m * k)]
    b = [bf16(random.gauss(0, 1)) for _ in range(k * n)]
    x, y = [value(c) for c in a], [value(c) for c in b]
    arrays = {'a': (m, k, a), 'b': (k, n, b),
              'd': (m, n, [bf16(v) for v in product(x, y, m, k, n, lambda j: k)]),
              'd_tail': (m, n, [bf16(v) for v in product(x, y, m, k, n, lambda j: k if j < 32 else 64)])}
    header, data = {}, b''
    for name, (rows, cols, codes) in arrays.items():
        packed = struct.pack(f'<{len(codes)}H', *codes)
        header[name] = {'dtype': 'BF16', 'shape': [rows, cols], 'data_offsets': [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    (folder / 'run.safetensors').write_bytes(struct.pack('<Q', len(text)) + text + data)

    matrix_market(folder / 'm.mtx', 60, 80)


if __name__ == '__main__':
    main(Path(sys.argv[1]))
