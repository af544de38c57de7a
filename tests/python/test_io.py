import numpy as np
import ml_dtypes
import pytest

import assay

NUMPY = ['float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64',
         'bool']
NARROW = ['bfloat16', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz']


def some(random, dtype, shape):
    dtype = np.dtype(dtype)
    if dtype == bool:
        return random.integers(0, 2, shape).astype(bool)
    words = random.integers(0, 256, (*shape, dtype.itemsize), np.uint8)
    return words.view(dtype).reshape(shape)


def same(got, want):
    return got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes()


@pytest.mark.parametrize('shape', [(), (5,), (0, 3), (3, 4, 2)])
def test_dense_round_trips(random, tmp_path, shape):
    arrays = {name: some(random, name, shape) for name in NUMPY}
    arrays |= {name: some(random, getattr(ml_dtypes, name), shape) for name in NARROW}
    for name, want in arrays.items():
        assay.save(tmp_path / 'x.npy', want)
        assert same(assay.load(tmp_path / 'x.npy', name if name in NARROW else None), want), name
        if name in NUMPY:
            assert same(np.load(tmp_path / 'x.npy'), want), name
    assay.save(tmp_path / 'all.safetensors', arrays, metadata={'made by': 'a test'})
    back = assay.load_all(tmp_path / 'all.safetensors')
    assert list(back) == sorted(back) or set(back) == set(arrays)
    assert all(same(back[name], arrays[name]) for name in arrays)
    assert assay.metadata(tmp_path / 'all.safetensors') == {'made by': 'a test'}
    assay.save(tmp_path / 'all.npz', {name: arrays[name] for name in NUMPY})
    with np.load(tmp_path / 'all.npz') as file:
        assert all(same(file[name], arrays[name]) for name in NUMPY)
    assert same(assay.load(f'{tmp_path}/all.npz:int32'), arrays['int32'])


def test_orders_and_views_are_written_as_they_read(random, tmp_path):
    x = random.standard_normal((6, 8))
    for view in (x.T, x[::2, ::-1], np.asfortranarray(x), x.astype('>f8')):
        assay.save(tmp_path / 'x.npy', view)
        assert (assay.load(tmp_path / 'x.npy') == view).all()


def test_formats_without_a_dtype(tmp_path):
    codes = assay.round([[0.5, -2, 3]], 'f4_e2m1')
    assay.save(tmp_path / 'x.npy', codes)
    assert same(assay.load(tmp_path / 'x.npy', 'f4_e2m1'), codes)
    np.save(tmp_path / 'codes.npy', np.array([0x3F80, 0x4000], np.uint16))
    assert assay.load(tmp_path / 'codes.npy', 'bf16').tolist() == [1, 2]
    np.save(tmp_path / 'tf32.npy', np.array([0x1FC00], np.uint32))
    assert assay.load(tmp_path / 'tf32.npy', 'tf32').values().tolist() == [1]


def test_raw_files(random, tmp_path):
    x = random.standard_normal((3, 5)).astype(np.float32)
    assay.save(tmp_path / 'x.raw', x)
    assert same(assay.load(tmp_path / 'x.raw', dtype='float32', shape=(3, 5)), x)
    assert same(assay.load(tmp_path / 'x.raw', dtype=np.float32, shape=(5, 3), order='F'), np.ascontiguousarray(
        x.reshape(3, 5).ravel().reshape((5, 3), order='F')))
    with pytest.raises(assay.ContractError):
        assay.load(tmp_path / 'x.raw', dtype='float32')
    with pytest.raises(assay.InputError) as error:
        assay.load(tmp_path / 'x.raw', dtype='float32', shape=(3, 6))
    assert error.value.path == str(tmp_path / 'x.raw') and error.value.expected and error.value.found


def test_what_is_loaded_is_not_a_copy(tmp_path):
    assay.save(tmp_path / 'x.npy', np.arange(10.0))
    x = assay.load(tmp_path / 'x.npy')
    assert not x.flags.owndata and x.flags.writeable
    x[0] = 7
    assert x[0] == 7


def dense_of(sparse):
    return sparse.toarray()


@pytest.mark.parametrize('layout', ['csr', 'csc', 'bsr', 'coo'])
def test_sparse_round_trips(random, tmp_path, layout):
    scipy = pytest.importorskip('scipy.sparse', reason='SciPy is not installed')
    dense = random.standard_normal((6, 8)) * (random.random((6, 8)) < 0.4)
    matrix = getattr(scipy, layout + '_matrix')(dense)
    mine = assay.Sparse.from_scipy(matrix)
    assert (mine.layout, mine.shape, mine.nnz) == (layout, (6, 8), matrix.data.size)
    assert (mine.to_dense() == dense).all()
    back = mine.to_scipy()
    assert back.format == layout and (dense_of(back) == dense).all()
    for source in (mine, matrix):
        assay.save(tmp_path / 'x.npz', source)
        assert (dense_of(scipy.load_npz(tmp_path / 'x.npz')) == dense).all()
        read = assay.load(tmp_path / 'x.npz')
        assert read.layout == layout and (read.to_dense() == dense).all()
    assay.save(tmp_path / 'x.mtx.gz', mine)
    assert (assay.load(tmp_path / 'x.mtx.gz').to_dense() == dense).all()
    del mine, read  # the arrays keep what they show
    assert (dense_of(back) == dense).all()


def test_sparse_by_hand():
    s = assay.Sparse('csr', (2, 3), np.array([1, 2], np.float32), offsets=[0, 1, 2], column_indices=[2, 0])
    assert s.to_dense().tolist() == [[0, 0, 1], [2, 0, 0]] and s.values.dtype == np.float32
    assert s.offsets.tolist() == [0, 1, 2] and s.row_indices.size == 0 and s.block_shape == (1, 1)
    with pytest.raises(assay.InputError, match='column_indices|indices'):
        assay.Sparse('csr', (2, 3), np.ones(2), offsets=[0, 1, 2], column_indices=[3, 0])
    with pytest.raises(assay.InputError, match='csr'):
        assay.Sparse('crs', (2, 3), np.ones(2))
    with pytest.raises(TypeError, match='integers'):
        assay.Sparse('csr', (2, 3), np.ones(2), offsets=[0., 1, 2], column_indices=[2, 0])


@pytest.mark.parametrize('name, words', [
    ('nowhere.npy', 'No such file'), ('refused_complex.npy', 'complex|c16|<c'), ('several.safetensors', ''),
    ('three.npy:x', 'npz or safetensors'),
])
def test_files_that_are_refused(data, name, words):
    with pytest.raises(assay.InputError, match=words or None):
        assay.load(data / 'io' / name)


def test_targets_that_are_refused(tmp_path):
    with pytest.raises(assay.InputError, match='.npy'):
        assay.save(tmp_path / 'x.txt', np.ones(3))
    with pytest.raises(assay.InputError, match='several'):
        assay.save(tmp_path / 'x.npy', {'a': np.ones(3)})
    with pytest.raises(TypeError):
        assay.save(tmp_path / 'x.npy', np.array([object()]))
    with pytest.raises(TypeError):
        assay.load(7)
    assert list(tmp_path.iterdir()) == []
