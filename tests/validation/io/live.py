"""NumPy, SciPy and safetensors write files that io_copy reads, and read the files that it wrote from them.

    live.py IO_COPY FOLDER

What comes back has to be what went in, bit for bit: for npy, npz and safetensors in every dtype, order and shape; for
sparse matrices with their stored order, explicit zeros and repeated entries; for Matrix Market in value.
"""
import gzip
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy as st
import scipy.io
import scipy.sparse as sp

COPY, FOLDER = sys.argv[1], Path(sys.argv[2])
RANDOM = np.random.default_rng(1)
SHAPES = [(), (1,), (1000,), (0, 3), (257, 129), (3, 4, 5, 6), (1 << 20,)]
NUMPY = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', '?']
NARROW = ['bfloat16', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float6_e2m3fn',
          'float6_e3m2fn', 'float4_e2m1fn']
checks = 0


def copy(source, target, *more):
    done = subprocess.run([COPY, str(source), str(target), *more], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'{source}: {done.stderr}'


def same(got, want, what):
    global checks
    checks += 1
    assert got.shape == want.shape, f'{what}: {got.shape}, not {want.shape}'
    assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(want).tobytes(), f'{what}: other bytes'


def codes(dtype, shape):
    """Any codes of the dtype, NaNs included."""
    dtype = np.dtype(dtype)
    bits = {'float6_e2m3fn': 6, 'float6_e3m2fn': 6, 'float4_e2m1fn': 4, 'bool': 1}.get(dtype.name, 8 * dtype.itemsize)
    words = RANDOM.integers(0, 1 << min(bits, 63), shape, np.uint64)
    return np.asarray(words.astype(f'u{dtype.itemsize}')).view(dtype).reshape(shape)


def dense():
    for name, shape, order, swap in itertools.product(NUMPY, SHAPES, 'CF', '<>'):
        want = np.asarray(codes(np.dtype(name), shape), order=order)
        np.save(FOLDER / 'x.npy', want.astype(want.dtype.newbyteorder(swap)))
        copy(FOLDER / 'x.npy', FOLDER / 'y.npy')
        same(np.load(FOLDER / 'y.npy'), want, f'npy {name} {shape} {order} {swap}')
    for name, shape in itertools.product(NUMPY, SHAPES):
        want = codes(np.dtype(name), shape)
        for save in (np.savez, np.savez_compressed):
            save(FOLDER / 'x.npz', other=np.arange(3), x=want)
            copy(f'{FOLDER}/x.npz:x', FOLDER / 'y.npz')
            same(np.load(FOLDER / 'y.npz')['arr_0'], want, f'npz {name} {shape}')
        st.save_file({'other': np.arange(3), 'x': want}, FOLDER / 'x.safetensors', {'op': 'gemm', 'k': '7'})
        copy(f'{FOLDER}/x.safetensors:x', FOLDER / 'y.safetensors')
        same(st.load_file(FOLDER / 'y.safetensors')['array'], want, f'safetensors {name} {shape}')
        with safetensors.safe_open(FOLDER / 'y.safetensors', 'np') as file:
            assert file.metadata() == {'op': 'gemm', 'k': '7'}, file.metadata()


def narrow():
    for name, shape in itertools.product(NARROW, SHAPES):
        dtype = np.dtype(getattr(ml_dtypes, name))
        want = codes(dtype, shape)
        np.save(FOLDER / 'x.npy', want)
        copy(FOLDER / 'x.npy', FOLDER / 'y.npy', name)
        got = np.load(FOLDER / 'y.npy') if name != 'float8_e5m2' else np.fromfile(FOLDER / 'y.npy', dtype, offset=128)
        same(got.view(dtype).reshape(shape), want, f'npy {name} {shape}')
        assert (FOLDER / 'x.npy').read_bytes()[:128].replace(b'|', b'<') == \
            (FOLDER / 'y.npy').read_bytes()[:128].replace(b'|', b'<'), f'{name}: another header than ml_dtypes wrote'
    want = codes(ml_dtypes.bfloat16, (31, 17))
    st.save_file({'x': want}, FOLDER / 'x.safetensors')
    copy(FOLDER / 'x.safetensors', FOLDER / 'y.safetensors', 'bf16')
    same(st.load_file(FOLDER / 'y.safetensors')['array'], want, 'safetensors bfloat16')


def sparse():
    for dtype, layout in itertools.product(('f4', 'f8', 'i4'), ('csr', 'csc', 'bsr', 'coo')):
        entries, rows, cols = 5000, 320, 480
        data = RANDOM.integers(-3, 4, entries).astype(dtype)  # zeros too
        row, col = RANDOM.integers(0, rows, entries), RANDOM.integers(0, cols, entries)  # repeats too
        want = sp.coo_matrix((data, (row, col)), shape=(rows, cols))
        if layout in ('csr', 'csc'):
            group = np.sort(row if layout == 'csr' else col)
            indptr = np.searchsorted(group, np.arange((rows if layout == 'csr' else cols) + 1))
            cls = sp.csr_matrix if layout == 'csr' else sp.csc_matrix
            want = cls((data, col if layout == 'csr' else row, indptr), shape=(rows, cols))
        elif layout == 'bsr':
            indptr = np.linspace(0, 500, rows // 4 + 1).astype(np.int32)
            want = sp.bsr_matrix((RANDOM.integers(-3, 4, (500, 4, 6)).astype(dtype),
                                  RANDOM.integers(0, cols // 6, 500), indptr), shape=(rows, cols))
        what = f'sparse {dtype} {layout}'
        for compressed in (False, True):
            sp.save_npz(FOLDER / 'x.npz', want, compressed=compressed)
            copy(FOLDER / 'x.npz', FOLDER / 'y.npz')
            got = sp.load_npz(FOLDER / 'y.npz')
            assert got.format == layout and got.shape == want.shape, what
            for part in ('data', 'row', 'col') if layout == 'coo' else ('data', 'indices', 'indptr'):
                same(getattr(got, part), getattr(want, part), f'{what} {part}')
        copy(FOLDER / 'x.npz', FOLDER / 'y.mtx')
        same(scipy.io.mmread(FOLDER / 'y.mtx').toarray().astype(dtype), want.toarray(), f'{what} to Matrix Market')


def matrix_market():
    square = RANDOM.standard_normal((40, 40))
    matrices = {'general': square[:, :23], 'symmetric': square + square.T, 'skew-symmetric': square - square.T}
    for (symmetry, matrix), is_sparse in itertools.product(matrices.items(), (False, True)):
        source, target = FOLDER / 'x.mtx', FOLDER / ('y.npz' if is_sparse else 'y.npy')
        kept = sp.coo_matrix(np.where(abs(matrix) > 0.7, matrix, 0)) if is_sparse else matrix
        scipy.io.mmwrite(source, kept, symmetry=symmetry)
        copy(source, target)
        got = sp.load_npz(target).toarray() if is_sparse else np.load(target)
        want = scipy.io.mmread(source)
        same(got, want.toarray() if is_sparse else want, f'Matrix Market {symmetry}')
        with gzip.open(FOLDER / 'x.mtx.gz', 'wb') as file:
            file.write(source.read_bytes())
        copy(FOLDER / 'x.mtx.gz', FOLDER / 'y.mtx.gz')
        again = scipy.io.mmread(FOLDER / 'y.mtx.gz')
        same(again.toarray() if is_sparse else again, got, f'Matrix Market {symmetry}, back')


def unusual():
    """What SciPy and safetensors accept is accepted, with their values; what safetensors refuses is refused."""
    banner, source, target = '%%MatrixMarket matrix coordinate real ', FOLDER / 'x.mtx', FOLDER / 'y.npz'
    for text in ('general\n2 2 1\n1 1 1.5', 'general\n  % blank first\n2 2 1\n1 1 1.5\n',
                 'general\n\n% x\n2 2 1\n1 1 1.5\n', 'general\n 2 2 1 \n  1 1  1.5 \n\n',
                 'skew-symmetric\n2 2 2\n1 1 0\n2 1 3\n'):
        source.write_text(banner + text)
        copy(source, target)
        same(sp.load_npz(target).toarray(), scipy.io.mmread(source).toarray(), f'Matrix Market {text!r}')

    def file_of(header, data):
        return len(header).to_bytes(8, 'little') + header + data

    source = FOLDER / 'x.safetensors'
    entry = b'{"x":{"dtype":"%b","shape":[4],"data_offsets":[0,%d]}}'
    plain = entry % (b'U8', 4)
    for header in (plain, b' ' + plain, b'\n\t' + plain, plain + b'  \n', plain + b'\0', b'\0' + plain):
        source.write_bytes(file_of(header, b'\1\2\3\4'))
        done = subprocess.run([COPY, str(source), str(FOLDER / 'y.npy')], capture_output=True, text=True, check=False)
        try:
            want = st.load(source.read_bytes())['x']
        except safetensors.SafetensorError:
            assert done.returncode == 2, f'{header!r} is accepted'
        else:
            assert done.returncode == 0, f'{header!r}: {done.stderr}'
            same(np.load(FOLDER / 'y.npy'), want, f'safetensors {header!r}')
    source.write_bytes(file_of(entry % (b'F8_E8M0', 4), b'\0\x7f\x80\xff'))
    with safetensors.safe_open(source, 'np') as file:
        assert file.get_slice('x').get_dtype() == 'F8_E8M0'
    copy(source, FOLDER / 'y.npy')
    scales = np.frombuffer(b'\0\x7f\x80\xff', ml_dtypes.float8_e8m0fnu).astype(np.float32)
    got = np.load(FOLDER / 'y.npy')
    assert np.array_equal(got, scales, equal_nan=True), got
    source.write_bytes(file_of(entry % (b'F4', 2), b'\x21\xf8'))
    copy(source, FOLDER / 'y.safetensors')
    with safetensors.safe_open(FOLDER / 'y.safetensors', 'np') as file:
        assert file.get_slice('array').get_dtype() == 'F4' and file.get_slice('array').get_shape() == [4]
    assert (FOLDER / 'y.safetensors').read_bytes().endswith(b'\x21\xf8')


def large():
    """Beyond the buffers of every reader."""
    want = codes('f4', (4096, 4099))
    np.save(FOLDER / 'x.npy', np.asfortranarray(want))
    copy(FOLDER / 'x.npy', FOLDER / 'y.safetensors')
    same(st.load_file(FOLDER / 'y.safetensors')['array'], want, 'large')
    np.savez_compressed(FOLDER / 'x.npz', np.zeros((4096, 4096)))
    copy(FOLDER / 'x.npz', FOLDER / 'y.npy')
    same(np.load(FOLDER / 'y.npy'), np.zeros((4096, 4096)), 'large deflated')


for part in (dense, narrow, sparse, matrix_market, unusual, large):
    part()
shutil.rmtree(FOLDER)
print(f'{checks} arrays came back as they were; NumPy {np.__version__}, SciPy {scipy.__version__}, '
      f'safetensors {safetensors.__version__}, ml_dtypes {ml_dtypes.__version__}')
