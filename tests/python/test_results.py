"""exact(), spmm() and sddmm(): what an operation gives."""
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

import assay


def exact_products(a, b):
    return [[sum(Fraction(float(x)) * Fraction(float(y)) for x, y in zip(row, column)) for column in b.T] for row in a]


def test_exact_is_the_rational_result(random):
    a = random.standard_normal((5, 30)).astype(np.float32)
    b = random.standard_normal((30, 4)).astype(np.float32)
    want = exact_products(a, b)
    found = assay.exact('gemm', a=a, b=b, truth=True)
    assert found['values'].dtype == np.float32 and found['values'].shape == (5, 4)
    for i in range(5):
        for j in range(4):
            truth, rest = Fraction(found['truth'][i, j]), Fraction(found['remainder'][i, j])
            assert found['truth'][i, j] == float(want[i][j])
            assert abs(want[i][j] - truth - rest) <= abs(rest) / 2**52
            assert found['values'][i, j] == np.float32(float(want[i][j]))
    assert (np.abs(a @ b - found['truth']) <= found['bound']).all()
    for output in 'bf16', np.float64, 'tf32':
        got = assay.exact('gemm', a=a, b=b, output=output)
        assert assay.check('gemm', a=a, b=b, got=got, policy='correctly-rounded'), output
    assert assay.exact('sum', a=a.astype(np.float64), axis=1).dtype == np.float64
    assert assay.exact('sum', a=a, axis=1).shape == (5,)


def sparse_operands(random):
    dense = (random.standard_normal((12, 20)) * (random.random((12, 20)) < 0.3)).astype(ml_dtypes.bfloat16)
    rows, cols = np.nonzero(dense)
    a = assay.Sparse('coo', dense.shape, dense[rows, cols], row_indices=rows, column_indices=cols)
    return a, dense, random.standard_normal((20, 5)).astype(ml_dtypes.bfloat16)


def test_spmm_and_sddmm_are_the_units_bits(random):
    a, dense, b = sparse_operands(random)
    c = random.standard_normal((12, 5)).astype(np.float32)
    for unit in 'chain_f32', 'tdpbf16ps':
        got = assay.spmm(a, b, unit)
        want = []
        for row in range(12):
            there = np.nonzero(dense[row])[0]
            want.append(assay.gemm(dense[row:row + 1, there], b[there], unit)[0])
        assert np.array_equal(got.view(np.uint32), np.array(want).view(np.uint32))
        scaled = assay.spmm(a, b, unit, c, alpha=0.5, activation='relu')
        assert assay.check('spmm', a=a, b=b, c=c, got=scaled, alpha=0.5, activation='relu', unit=unit,
                           policy='bit-equal')
        left = random.standard_normal((12, 7)).astype(ml_dtypes.bfloat16)
        right = random.standard_normal((7, 20)).astype(ml_dtypes.bfloat16)
        at = assay.sddmm(a, left, right, unit)
        whole = assay.gemm(left, right, unit)
        assert np.array_equal(at.view(np.uint32), whole[a.row_indices, a.column_indices].view(np.uint32))


def test_refused(random):
    a, dense, b = sparse_operands(random)
    with pytest.raises(TypeError, match='a: a Sparse'):
        assay.spmm(dense, b, 'chain_f32')
    with pytest.raises(TypeError, match="unexpected keyword argument 'got'"):
        assay.exact('gemm', a=dense, b=b, got=b)
    with pytest.raises(TypeError, match="unexpected keyword argument 'outputs'"):
        assay.spmm(a, b, 'chain_f32', outputs='f32')
    with pytest.raises(assay.InputError, match='chain_f23'):
        assay.spmm(a, b, 'chain_f23')
    with pytest.raises(assay.InputError, match='20 rows'):
        assay.exact('spmm', a=a, b=b[:3])
