"""Makes the files of this folder with NumPy, SciPy and safetensors' own package, in the versions of requirements.txt.

    python3 -m venv V && V/bin/pip install -r requirements.txt && V/bin/python make.py [FOLDER]

What the tests expect is in tests/validation/io/strangers_test.cpp: dense arrays of 3 rows and 4 columns hold 0 .. 11
times a half, minus 2; the sparse matrix is the 4 x 6 of sparse() below.
"""
import gzip
import io
import json
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import safetensors.numpy as st
import scipy.io
import scipy.sparse as sp

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)


def dense(dtype):
    return (np.arange(12) / 2 - 2).reshape(3, 4).astype(dtype)


def sparse(dtype=np.float32):
    """Columns out of order in row 0, an explicit zero in row 1, row 2 empty, a repeated place in row 3."""
    data = np.array([1.5, -2, 0, 4, 5, 6], dtype)
    indices = np.array([4, 1, 0, 5, 5, 2], np.int32)
    indptr = np.array([0, 2, 3, 3, 6], np.int32)
    return sp.csr_matrix((data, indices, indptr), shape=(4, 6))


def npy():
    for name, dtype in (('f4', '<f4'), ('f8_big_endian', '>f8'), ('f2', '<f2'), ('i8', '<i8')):
        np.save(OUT / f'{name}.npy', dense(dtype))
    np.save(OUT / 'fortran.npy', np.asfortranarray(dense('<f4')))
    np.save(OUT / 'u1.npy', np.arange(12, dtype='u1').reshape(3, 4))
    np.save(OUT / 'bool.npy', dense('f4') > 0)
    np.save(OUT / 'scalar.npy', np.float64(0.1))
    np.save(OUT / 'empty.npy', np.zeros((0, 5), np.float32))
    np.save(OUT / 'three.npy', np.asfortranarray(np.arange(24, dtype='<i4').reshape(2, 3, 4)))
    for dtype in ('bfloat16', 'float8_e4m3fn', 'float8_e5m2', 'float4_e2m1fn'):
        np.save(OUT / f'{dtype}.npy', dense(getattr(ml_dtypes, dtype)))
    for version in ((2, 0), (3, 0)):
        with open(OUT / f'version{version[0]}.npy', 'wb') as file:
            np.lib.format.write_array(file, dense('<f4'), version)
    np.save(OUT / 'refused_object.npy', np.array([{}], object), allow_pickle=True)
    np.save(OUT / 'refused_structured.npy', np.zeros(2, [('a', '<f4'), ('b', '<i4')]))
    np.save(OUT / 'refused_complex.npy', np.ones(2, np.complex64))
    np.save(OUT / 'refused_text.npy', np.array(['a', 'b']))
    (OUT / 'f4.npy.gz').write_bytes(gzip.compress((OUT / 'f4.npy').read_bytes(), mtime=0))


def npz():
    np.savez(OUT / 'stored.npz', a=dense('<f4'), b=np.asfortranarray(dense('<f8')))
    np.savez_compressed(OUT / 'deflated.npz', a=np.zeros((64, 64), np.float32), b=dense('<f8'))
    np.savez(OUT / 'single.npz', dense('<f4'))
    csr = sparse()
    blocks = sp.bsr_matrix((np.arange(12, dtype=np.float32).reshape(3, 2, 2), [2, 0, 1], [0, 2, 3]), shape=(4, 6))
    coo = sp.coo_matrix((csr.data, ([3, 0, 0, 3, 3, 1], [5, 4, 1, 5, 2, 0])), shape=(4, 6))
    csc = sp.csc_matrix((csr.data, [3, 0, 1, 1, 0, 3], [0, 2, 2, 3, 3, 4, 6]), shape=(4, 6))
    for name, matrix in (('csr', csr), ('csc', csc), ('bsr', blocks), ('coo', coo)):
        sp.save_npz(OUT / f'scipy_{name}.npz', matrix, compressed=name != 'coo')
    sp.save_npz(OUT / 'scipy_csr_array.npz', sp.csr_array(csr))
    sp.save_npz(OUT / 'refused_dia.npz', sp.dia_matrix(np.eye(4)))


def safetensors():
    st.save_file({'single': dense('<f4')}, OUT / 'single.safetensors')
    st.save_file({
        'f64': dense('<f8'), 'f32': dense('<f4'), 'f16': dense('<f2'), 'bf16': dense(ml_dtypes.bfloat16),
        'i32': dense('<i4'), 'u8': np.arange(12, dtype='u1').reshape(3, 4), 'bool': dense('f4') > 0,
        'empty': np.zeros((0, 3), np.float32), 'scalar': np.array(0.1, np.float32),
    }, OUT / 'several.safetensors', metadata={'op': 'gemm', 'k': '4', 'unit': 'f32'})
    # The package's NumPy side does not take float8; the names are the format's.
    codes = dense(ml_dtypes.float8_e4m3fn).tobytes(), dense(ml_dtypes.float8_e5m2).tobytes()
    header = json.dumps({
        'e4m3': {'dtype': 'F8_E4M3', 'shape': [3, 4], 'data_offsets': [0, 12]},
        'e5m2': {'dtype': 'F8_E5M2', 'shape': [3, 4], 'data_offsets': [12, 24]}}).encode()
    (OUT / 'float8.safetensors').write_bytes(len(header).to_bytes(8, 'little') + header + b''.join(codes))


def matrix_market():
    text = io.BytesIO()
    scipy.io.mmwrite(text, sparse().tocoo(), comment='made by SciPy')
    (OUT / 'coordinate.mtx').write_bytes(text.getvalue())
    (OUT / 'coordinate.mtx.gz').write_bytes(gzip.compress(text.getvalue(), mtime=0))
    scipy.io.mmwrite(OUT / 'array.mtx', dense('<f8'))
    scipy.io.mmwrite(OUT / 'integer.mtx', sparse(np.float32).astype(np.int32).tocoo())
    lower = np.array([[1, 0, 2], [0, 3, -4], [2, -4, 0.5]])
    scipy.io.mmwrite(OUT / 'symmetric.mtx', sp.coo_matrix(lower), symmetry='symmetric')
    scipy.io.mmwrite(OUT / 'symmetric_array.mtx', lower, symmetry='symmetric')
    skew = np.array([[0, 1, -2], [-1, 0, 3], [2, -3, 0]])
    scipy.io.mmwrite(OUT / 'skew.mtx', sp.coo_matrix(skew), symmetry='skew-symmetric')
    scipy.io.mmwrite(OUT / 'pattern.mtx', sp.coo_matrix(lower), field='pattern', symmetry='general')
    scipy.io.mmwrite(OUT / 'refused_complex.mtx', sp.coo_matrix(lower * 1j))


if __name__ == '__main__':
    npy()
    npz()
    safetensors()
    matrix_market()
