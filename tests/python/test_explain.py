import json
import subprocess

import ml_dtypes
import numpy as np
import pytest

import assay

# A probe asks for overflows, too, and NumPy warns of them.
pytestmark = pytest.mark.filterwarnings('ignore:.*encountered in:RuntimeWarning')


def operands(random, m=12, n=7, k=40, dtype=ml_dtypes.bfloat16):
    return random.standard_normal((m, k)).astype(dtype), random.standard_normal((k, n)).astype(dtype)


@pytest.mark.parametrize('unit', ['sm80.bf16', 'sm90.bf16', 'tdpbf16ps', 'gfx942.bf16', 'lanes4_f32'])
def test_who_made_a_product_is_found(random, unit):
    a, b = operands(random)
    found = assay.explain('gemm', a=a, b=b, got=assay.gemm(a, b, unit))
    assert found and unit in found.names, found.text()
    assert found.share == 1
    assert len(set(found.names)) == len(found.names)
    assert 0 < found.remaining < found.candidates
    assert found.sample == 64


def test_numpys_own_order_is_found(random):
    a, b = random.standard_normal((30, 300), np.float32), random.standard_normal((30, 300), np.float32)
    got = np.zeros(30, np.float32)
    for k in range(300):
        got = got + a[:, k] * b[:, k]
    found = assay.explain('dot', a=a, b=b, got=got)
    assert found, found.text()
    assert found.attributes['order'] == ['sequential']
    assert found.attributes['products'] == ['products rounded to float32']


def test_an_addend(random):
    a, b = operands(random)
    c = random.standard_normal((12, 7), np.float32)
    found = assay.explain('gemm', a=a, b=b, c=c, got=assay.gemm(a, b, 'sm80.bf16', c))
    assert found and 'sm80.bf16' in found.names, found.text()


def test_what_nothing_gives_is_said(random):
    a, b = operands(random)
    got = assay.gemm(a, b, 'sm80.bf16') * np.float32(1.001)
    found = assay.explain('gemm', a=a, b=b, got=got)
    assert not found and found.remaining == 0 and not found.names
    assert found.share < 1
    assert found.text().startswith('None of ')


def test_one_output(random):
    a, b = operands(random)
    found = assay.explain('gemm', a=a, b=b, got=assay.gemm(a, b, 'sm80.bf16'), at=(3, 2))
    assert found and found.sample == 1


def test_a_saved_arithmetic_is_a_candidate(random, tmp_path):
    def odd_order(a, b):
        products = a * b
        total = products[5]
        for i in (3, 11, 0, 7, 1, 9, 2, 10, 4, 8, 6):
            total = np.float32(total + products[i])
        return total

    a, b = random.standard_normal((40, 12), np.float32), random.standard_normal((40, 12), np.float32)
    got = np.array([odd_order(x, y) for x, y in zip(a, b)])
    assert not assay.explain('dot', a=a, b=b, got=got)
    revealed = assay.probe(odd_order, 'dot', 12, results=100)
    assert revealed, revealed.text()
    revealed.save(tmp_path / 'odd.json')
    for also in (revealed, str(tmp_path / 'odd.json')):
        found = assay.explain('dot', a=a, b=b, got=got, also=[also])
        assert found and found.remaining == 1, found.text()


def test_conversions(random):
    x = random.standard_normal(500, np.float32)
    found = assay.explain('convert', a=x, got=assay.round(x, 'bf16', 'toward-zero'), sample=500)
    assert found and 'toward-zero' in found.best, found.text()
    assert not assay.explain('convert', a=x, got=assay.round(2 * x, 'bf16'))


def test_strided_arrays_are_read_where_they_lie(random):
    a, b = operands(random)
    found = assay.explain('gemm', a=np.asfortranarray(a), b=b.T.copy().T, got=assay.gemm(a, b, 'sm90.bf16'))
    assert found and 'sm90.bf16' in found.names


def sparse(random, m, k, dtype):
    dense = np.where(random.random((m, k)) < 0.3, random.standard_normal((m, k)), 0).astype(np.float32)
    sp = pytest.importorskip('scipy.sparse', reason='SciPy is not installed')
    return sp.csr_matrix(dense.astype(dtype).astype(np.float32)), dense


def test_a_sparse_product(random):
    a, _ = sparse(random, 20, 60, np.float32)
    b = random.standard_normal((60, 6), np.float32)
    found = assay.explain('spmm', a=a, b=b, got=assay.spmm(a, b, 'chain_f32'))
    assert found and 'chain_f32' in found.names, found.text()
    assert json.loads(found.json())['operation'] == 'spmm'


def test_the_result_of_a_sparse_product_is_dense(random):
    a, dense = sparse(random, 6, 10, np.float32)
    with pytest.raises(TypeError, match='got: a sparse matrix'):
        assay.explain('spmm', a=a, b=random.standard_normal((10, 3), np.float32), got=a)


def test_one_output_by_an_integer_of_numpy(random):
    a, b = random.standard_normal((5, 40), np.float32), random.standard_normal((5, 40), np.float32)
    got = assay.dot(a, b, 'chain_f32')
    assert assay.explain('dot', a=a, b=b, got=got, at=np.int64(3)).sample == 1


def test_transposes(random):
    a, b = operands(random)
    got = assay.gemm(a, b, 'sm80.bf16')
    found = assay.explain('gemm', a=a.T.copy(), b=b.T.copy(), got=got, transpose_a=True, transpose_b=True)
    assert found and 'sm80.bf16' in found.names, found.text()


@pytest.mark.parametrize('loops', ['channel, row, column', 'row, column, channel'])
@pytest.mark.parametrize('layout', ['nchw', 'nhwc'])
def test_a_convolution(random, layout, loops):
    images = random.standard_normal((1, 3, 12, 9), np.float32)
    weights = random.standard_normal((4, 3, 3, 2), np.float32)
    taps = list(np.ndindex(3, 3, 2))
    if loops == 'row, column, channel':
        taps.sort(key=lambda tap: tap[1:])
    got = np.zeros((1, 4, 5, 4), np.float32)
    for f, i, j in np.ndindex(4, 5, 4):
        for c, y, x in taps:
            got[0, f, i, j] += images[0, c, 2 * i + y, 2 * j + x] * weights[f, c, y, x]
    if layout == 'nhwc':
        images, weights, got = (np.ascontiguousarray(np.moveaxis(x, 1, 3)) for x in (images, weights, got))
    found = assay.explain('conv', a=images, b=weights, got=got, stride=2, image_layout=layout)
    assert found and 'sequential' in found.attributes['order'], found.text()
    assert found.attributes['terms'] == [loops], found.text()


def test_block_scales(random):
    a = assay.round(random.standard_normal((6, 64)), 'float8_e4m3fn')
    b = assay.round(random.standard_normal((64, 5)), 'float8_e4m3fn')
    scales = dict(a_scales=np.full((6, 2), 126, np.uint8), b_scales=np.full((2, 5), 129, np.uint8))
    unit = next(u.name for u in assay.units() if 'mxfp8' in u.name or 'mxf8' in u.name)
    found = assay.explain('gemm', a=a, b=b, got=assay.gemm(a, b, unit, **scales), **scales)
    assert found and unit in found.names, found.text()
    with pytest.raises(assay.ContractError, match='scale_format'):
        assay.explain('gemm', a=a, b=b, got=np.zeros((6, 5), np.float32), scale_format='ue4m3')


def test_the_command_says_the_same(random, command, tmp_path):
    a, b = operands(random)
    arrays = dict(a=a, b=b, got=assay.gemm(a, b, 'sm90.bf16'))
    words = [command, 'explain', 'gemm', '--json', '--seed', '5', '--sample', '20']
    for name, array in arrays.items():
        assay.save(tmp_path / f'{name}.npy', array)
        words += [f'--{name}', f'{tmp_path}/{name}.npy']
    for name in ('a', 'b'):
        words += [f'--{name}-format', 'bf16']
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == json.loads(assay.explain('gemm', **arrays, seed=5, sample=20).json())


@pytest.mark.parametrize('change, error', [
    (dict(operation='conv'), assay.InputError), (dict(operation='gem'), assay.InputError),
    (dict(b=None), assay.ContractError), (dict(got=np.zeros((3, 3), np.float32)), assay.InputError),
    (dict(c=np.zeros(3, np.float32)), assay.InputError), (dict(at=(12, 0)), assay.InputError),
    (dict(at=(1,)), assay.InputError), (dict(at=(-1, 0)), assay.ContractError),
    (dict(at='x'), TypeError), (dict(sample=0), assay.ContractError),
    (dict(also=['nobody.json']), assay.InputError), (dict(also=[7]), TypeError),
    (dict(also='vdpbf16ps'), TypeError),
    (dict(also=['chain_f32', 'gfx908.f16']), assay.ContractError), (dict(stride=2), assay.ContractError),
    (dict(alpha=2), TypeError), (dict(unit='chain_f32'), TypeError), (dict(policy='bound'), TypeError),
    (dict(steps=1), TypeError), (dict(threads=-1), assay.ContractError),
    (dict(threads=100000), assay.ContractError),
    (dict(sample=True), TypeError), (dict(top=-1), assay.ContractError), (dict(also=3), TypeError),
    (dict(a=np.ones((12, 40), int)), TypeError),
    (dict(operation='convert'), assay.ContractError),
])
def test_what_cannot_be_explained(random, change, error):
    a, b = operands(random)
    question = dict(operation='gemm', a=a, b=b, got=assay.gemm(a, b, 'sm80.bf16')) | change
    with pytest.raises(error):
        assay.explain(**question)
