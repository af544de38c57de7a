"""check() says what `assay check` says."""
import json
import subprocess

import ml_dtypes
import numpy as np
import pytest

import assay
from assay.testing import assert_agrees


def operands(random, m=13, n=9, k=40):
    a = random.standard_normal((m, k)).astype(ml_dtypes.bfloat16)
    b = random.standard_normal((k, n)).astype(ml_dtypes.bfloat16)
    return a, b


def test_gemm_by_bound_and_by_bits(random):
    a, b = operands(random)
    got = assay.gemm(a, b, 'tdpbf16ps')
    verdict = assay.check('gemm', a=a, b=b, got=got, unit='tdpbf16ps')
    assert verdict and verdict.status == 'PASSED' and verdict.values == got.size
    assert verdict.name.startswith('check/gemm m=13 n=9 k=40 a=bfloat16 b=bfloat16 got=float32 unit=tdpbf16ps')
    assert verdict.evidence == 'the exact result and the bound of tdpbf16ps'
    bits = assay.check('gemm', a=a, b=b, got=got, unit='tdpbf16ps', policy='bit-equal')
    assert bits.status == 'PASSED' and bits.bit_equal == got.size
    got.view(np.uint32)[3, 4] ^= 1
    bits = assay.check('gemm', a=a, b=b, got=got, unit='tdpbf16ps', policy='bit-equal')
    assert bits.status == 'FAILED' and bits.outside == 1 and bits.worst['index'] == (3, 4)
    got[5, 6] += 1
    assert assay.check('gemm', a=a, b=b, got=got).worst['index'] == (5, 6)


def test_text_and_json_are_those_of_the_command(random, tmp_path, command):
    a, b = (x.astype(np.float32) for x in operands(random))
    c, bias = random.standard_normal((13, 9)).astype(np.float32), random.standard_normal(9).astype(np.float32)
    got = (0.5 * (a @ b) + 0.25 * c + bias).clip(0).astype(np.float32)
    got[7] *= 1.5
    for name, x in [('a', a), ('b', b), ('c', c), ('bias', bias), ('got', got)]:
        np.save(tmp_path / f'{name}.npy', x)
    verdict = assay.check('gemm', a=a, b=b, c=c, bias=bias, got=got, alpha=0.5, beta=0.25, activation='relu',
                          order='sequential')
    line = [command, 'check', 'gemm', '--alpha', '0.5', '--beta', '0.25', '--activation', 'relu', '--order',
            'sequential']
    for name in 'a', 'b', 'c', 'bias', 'got':
        line += [f'--{name}', tmp_path / f'{name}.npy']
    found = json.loads(subprocess.run([*line, '--json'], capture_output=True, text=True, check=False).stdout)
    assert verdict.status == 'FAILED'
    assert json.loads(verdict.json()) == found['comparison']
    assert verdict.name == found['name'] and verdict.evidence == found['evidence']
    printed = subprocess.run(line, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [row for row in verdict.text().splitlines() if row not in printed] == []


def test_every_operation(random):
    x = random.standard_normal((6, 50)).astype(np.float32)
    y = random.standard_normal((6, 50)).astype(np.float32)
    wide = x.astype(np.float64)
    assert assay.check('dot', a=x, b=y, got=np.float32([x[i] @ y[i] for i in range(6)]))
    assert assay.check('sum', a=x, axis=1, got=wide.sum(axis=1).astype(np.float32))
    assert assay.check('reduce', a=x, axis=0, reduction='mean', got=wide.mean(axis=0).astype(np.float32))
    assert assay.check('reduce', a=x, reduction='max', got=x.max())
    assert assay.check('convert', a=x, got=assay.round(x, 'bf16'), policy='bit-equal')
    up = assay.round(x, 'bf16', 'toward-positive')
    assert assay.check('convert', a=x, got=up, rounding='toward-positive', policy='bit-equal')
    assert not assay.check('convert', a=x, got=up, policy='bit-equal')
    image, weight = wide[:, :49].reshape(2, 3, 7, 7), random.standard_normal((4, 3, 3, 3))
    out = np.zeros((2, 4, 4, 3))
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (0, 0)))
    for i in range(4):
        for j in range(3):
            window = padded[:, :, 2 * i:2 * i + 3, 2 * j:2 * j + 3]
            out[:, :, i, j] = np.einsum('nchw,ochw->no', window, weight)
    assert assay.check('conv', a=image, b=weight, got=out, stride=2, pad=(1, 0))


def sparse_product(random):
    dense = random.standard_normal((12, 20)).astype(np.float32) * (random.random((12, 20)) < 0.3)
    rows, cols = np.nonzero(dense)
    a = assay.Sparse('coo', dense.shape, dense[rows, cols], row_indices=rows, column_indices=cols)
    return a, dense, random.standard_normal((20, 5)).astype(np.float32)


def test_sparse_operands(random):
    a, dense, b = sparse_product(random)
    got = dense @ b
    assert assay.check('spmm', a=a, b=b, got=got)
    got[3, 2] += 1
    assert assay.check('spmm', a=a, b=b, got=got).worst['index'] == (3, 2)
    rows, cols = a.row_indices, a.column_indices
    left, right = dense[:, :7], random.standard_normal((7, 20)).astype(np.float32)
    values = (left.astype(np.float64) @ right)[rows, cols].astype(np.float32)
    mask = assay.Sparse('coo', a.shape, np.ones(a.nnz, np.uint8), row_indices=rows, column_indices=cols)
    assert assay.check('sddmm', mask=mask, a=left, b=right, got=values)
    sparse = assay.Sparse('coo', a.shape, values, row_indices=rows, column_indices=cols)
    assert assay.check('sddmm', mask=mask, a=left, b=right, got=sparse)
    values[17] += 1
    failed = assay.check('sddmm', mask=mask, a=left, b=right, got=values)
    assert failed.notes == [f'note   [17] is row {rows[17]}, column {cols[17]} of mask']
    assert failed.notes[0] in str(failed)
    other = assay.Sparse('coo', a.shape, values[1:], row_indices=rows[1:], column_indices=cols[1:])
    with pytest.raises(assay.InputError, match='the entries of mask') as error:
        assay.check('sddmm', mask=mask, a=left, b=right, got=other)
    assert error.value.path == 'got'
    with pytest.raises(TypeError, match='a: a Sparse or a matrix of scipy.sparse'):
        assay.check('spmm', a=dense, b=b, got=got)
    with pytest.raises(TypeError, match='a: a sparse matrix; a dense array'):
        assay.check('gemm', a=a, b=b, got=got)


def test_sparse_matrix_times_a_vector(random):
    a, dense, b = sparse_product(random)
    x = np.ascontiguousarray(b[:, 0])
    y = assay.spmm(a, x, 'chain_f32_fused')
    assert y.shape == (a.shape[0],)
    assert np.array_equal(y, assay.spmm(a, b, 'chain_f32_fused')[:, 0])
    assert assay.check('spmm', a=a, b=x, got=y, unit='chain_f32_fused', policy='bit-equal')
    assert assay.check('spmm', a=a, b=x, got=dense @ x)
    y[3] += 1
    assert assay.check('spmm', a=a, b=x, got=y).worst['index'] == (3,)
    with pytest.raises(assay.InputError, match='columns'):
        assay.check('spmm', a=a, b=x[1:], got=y)


def test_scipy_matrices(random):
    sparse = pytest.importorskip('scipy.sparse', reason='SciPy is not installed')
    _, dense, b = sparse_product(random)
    for matrix in (sparse.csr_matrix(dense), sparse.csc_array(dense), sparse.coo_matrix(dense),
                   sparse.bsr_matrix(dense, blocksize=(3, 4))):
        assert assay.check('spmm', a=matrix, b=b, got=dense @ b), matrix.format
    mask = sparse.csr_matrix(dense != 0)
    product = (dense[:, :3].astype(np.float64) @ b[:3, :1].repeat(20, 1)).astype(np.float32)
    got = sparse.csr_matrix((product[dense != 0], mask.indices, mask.indptr), shape=mask.shape)
    assert assay.check('sddmm', mask=mask, a=dense[:, :3], b=b[:3, :1].repeat(20, 1), got=got)


def test_numbers_are_exact(random):
    a, b = (x.astype(np.float64) for x in operands(random))
    exact = assay.check('gemm', a=a, b=b, got=0.1 * (a @ b), alpha=0.1)
    assert exact and 'alpha=0x1.999999999999ap-4' in exact.name
    assert 'alpha=0.5' in assay.check('gemm', a=a, b=b, got=a @ b, alpha=np.float32(0.5)).name
    assert 'alpha=0.1 ' in assay.check('gemm', a=a, b=b, got=a @ b, alpha='0.1').name + ' '
    half = assay.check('gemm', a=a, b=b, got=a @ b, acc=np.float64, sample=10, seed=3)
    assert half.values == 10 and 'sample=10 seed=3' in half.name


def test_policies_and_stale_memory(random):
    a, b = operands(random)
    got = assay.gemm(a, b, 'sm90.bf16')
    tolerance = assay.tolerance(atol=1e-3, because='a test')
    assert assay.check('gemm', a=a, b=b, got=got, policy=tolerance).policy.name == 'tolerance'
    stale = assay.check('gemm', a=a, b=b, got=got, stale=got)
    assert stale.weaknesses == ['what the memory held before would pass too']
    zero = np.zeros_like(a)
    nothing = {'a': zero, 'b': b, 'got': got * 0}
    assert assay.check('gemm', **nothing).status == 'VACUOUS'
    assert assay.check('gemm', **nothing, expects_zero=True).status == 'PASSED'


def test_block_scales(random):
    a = assay.round(random.standard_normal((4, 64)), 'float8_e4m3fn')
    b = assay.round(random.standard_normal((64, 3)), 'float8_e4m3fn')
    unit = next(x.name for x in assay.units()
                if x.block_scales == ('e8m0', 32) and (assay.Format('float8_e4m3fn'),) * 2 in x.inputs)
    scales = {'a_scales': np.full((4, 2), 128, np.uint8), 'b_scales': np.full((2, 3), 126, np.uint8)}
    got = assay.gemm(a, b, unit, **scales)
    assert assay.check('gemm', a=a, b=b, got=got, unit=unit, policy='bit-equal', **scales)
    assert not assay.check('gemm', a=a, b=b, got=got, unit=unit, policy='bit-equal',
                           a_scales=np.full((4, 2), 129, np.uint8))


@pytest.mark.full
def test_a_probe_is_a_unit():
    with np.errstate(all='ignore'):
        probe = assay.probe(lambda a, b: (a * b).sum(), 'dot', 20)
    x, y = np.sin(np.arange(20)).astype(np.float32), np.cos(np.arange(20)).astype(np.float32)
    if probe:
        assert assay.check('dot', a=x, b=y, got=(x * y).sum(), unit=probe, policy='bit-equal')


@pytest.mark.parametrize('error, words, arguments', [
    (assay.ContractError, 'axis is an option of reduce, sum', {'axis': 1}),
    (assay.ContractError, 'acc and unit exclude each other', {'acc': 'f32', 'unit': 'chain_f32'}),
    (assay.ContractError, 'policy bit-equal requires unit NAME', {'policy': 'bit-equal'}),
    (assay.ContractError, 'beta requires c', {'beta': 2}),
    (assay.ContractError, 'reduction is an option of reduce', {'reduction': 'sum'}),
    (assay.ContractError, 'an array b', {'b': None}),
    (assay.InputError, 'chain_f23', {'unit': 'chain_f23'}),
    (assay.InputError, 'bound', {'policy': 'bounds'}),
    (assay.InputError, r'got.*\[2,2\]', {'got': np.ones((2, 3), np.float32)}),
    (assay.InputError, 'order', {'order': 'backwards'}),
    (assay.InputError, 'alpha', {'alpha': float('nan')}),
    (TypeError, "unexpected keyword argument 'gto'", {'gto': 1}),
    (TypeError, "required keyword argument: 'got'", {'got': None}),
    (TypeError, 'stride', {'stride': 'two'}),
    (TypeError, 'a: an array of int64', {'a': np.ones((2, 2), np.int64)}),
])
def test_refused(error, words, arguments):
    one = np.ones((2, 2), np.float32)
    with pytest.raises(error, match=words):
        assay.check('gemm', **{'a': one, 'b': one, 'got': one, **arguments})


def test_unknown_operation():
    with pytest.raises(assay.InputError, match='gemm'):
        assay.check('gemn', a=np.ones((2, 2)), got=np.ones((2, 2)))


def test_verdict_of_compare_has_no_notes():
    verdict = assay.compare(np.float32([1]), np.float32([1]))
    assert verdict.notes == [] and verdict.evidence == ''
    assert_agrees(np.float32([1]), np.float32([1]))
