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


def test_kernels_give_the_contracts_bits(random):
    dense = (random.standard_normal((40, 90)) * (random.random((40, 90)) < 0.3)).astype(np.float32)
    rows, cols = np.nonzero(dense)
    b, c = random.standard_normal((90, 33)).astype(np.float32), random.standard_normal((40, 33)).astype(np.float32)
    bias = random.standard_normal(40).astype(np.float32)
    a = assay.Sparse('coo', dense.shape, dense[rows, cols], row_indices=rows, column_indices=cols)
    how = dict(alpha=0.75, beta=-2, c=c, bias=bias, bias_along='rows', activation='relu')
    for arguments in {}, how:
        got = assay.spmm(a, b, contract='chain_f32_fused', **arguments)
        assert got.dtype == np.float32
        assert np.array_equal(got.view(np.uint32), assay.spmm(a, b, 'chain_f32_fused', **arguments).view(np.uint32))
    turned = assay.Sparse('coo', dense.T.shape, dense[rows, cols], row_indices=cols, column_indices=rows)
    got = assay.spmm(turned, b.T.copy(), contract='chain_f32_fused', transpose_a=True, transpose_b=True)
    assert np.array_equal(got.view(np.uint32), assay.spmm(a, b, 'chain_f32_fused').view(np.uint32))
    assert np.array_equal(assay.spmm(a, b[:, 0].copy(), contract='chain_f32_fused'),
                          assay.spmm(a, b, 'chain_f32_fused')[:, 0])
    left = random.standard_normal((40, 17)).astype(np.float32)
    right = random.standard_normal((90, 17)).astype(np.float32)
    for turn in True, False:
        at = assay.sddmm(a, left, right if turn else right.T.copy(), contract='chain_f32_fused', transpose_b=turn)
        want = assay.sddmm(a, left, right if turn else right.T.copy(), 'chain_f32_fused', transpose_b=turn)
        assert np.array_equal(at.view(np.uint32), want.view(np.uint32))


def test_kernels_of_bfloat16(random):
    a, dense, b = sparse_operands(random)
    for contract in 'chain_f32_fused', 'vdpbf16ps':
        got, want = assay.spmm(a, b, contract=contract), assay.spmm(a, b, contract)
        assert np.array_equal(got.view(np.uint32), want.view(np.uint32)), contract
    # All of k, in blocks of 32: 20 of its places and zeros.
    whole = np.zeros((12, 32), ml_dtypes.bfloat16), np.zeros((32, 5), ml_dtypes.bfloat16)
    whole[0][:, :20], whole[1][:20] = dense, b
    want = assay.gemm(*whole, 'tdpbf16ps')
    assert np.array_equal(assay.spmm(a, b, contract='tdpbf16ps').view(np.uint32), want.view(np.uint32))


def test_kernels_refuse(random):
    a, dense, b = sparse_operands(random)
    for wrong in dict(), dict(unit='chain_f32', contract='chain_f32_fused'):
        with pytest.raises(TypeError, match='either unit or contract'):
            assay.spmm(a, b, **wrong)
    wrong = 'contract takes chain_f32_fused, or for bfloat16 vdpbf16ps or tdpbf16ps, not "chain_f32"'
    with pytest.raises(assay.ContractError, match=wrong):
        assay.spmm(a, b, contract='chain_f32')
    one = assay.Sparse('coo', (10**6, 1), np.ones(1, np.float32), row_indices=[3], column_indices=[0])
    with pytest.raises(assay.ContractError, match='TiB of memory'):
        assay.spmm(one, np.ones((1, 10**6), np.float32), contract='chain_f32_fused')
    with pytest.raises(assay.ContractError, match='b: the kernels of chain_f32_fused take bfloat16, not float32'):
        assay.spmm(a, b.astype(np.float32), contract='chain_f32_fused')
    with pytest.raises(assay.ContractError, match='gives float32'):
        assay.spmm(a, b, contract='chain_f32_fused', output='bf16')
    with pytest.raises(assay.InputError, match='20 rows'):
        assay.spmm(a, b[:3].copy(), contract='chain_f32_fused')
    with pytest.raises(assay.ContractError, match='no activation'):
        assay.sddmm(a, np.ones((12, 2), np.float32), np.ones((2, 20), np.float32), contract='chain_f32_fused',
                    activation='relu')


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
