"""shrink(): the smallest arrays with which a check still fails."""
import numpy as np
import pytest

import assay


def operands(random):
    a = random.standard_normal((9, 24)).astype(np.float32)
    b = random.standard_normal((24, 7)).astype(np.float32)
    return a, b


def test_with_arrays_alone(random):
    a, b = operands(random)
    got = a @ b
    got[4, 5] += 1
    found = assay.shrink('gemm', a=a, b=b, got=got)
    arrays = found['arrays']
    assert arrays['a'].shape == (1, 24) and arrays['b'].shape == (24, 1) and arrays['got'].shape == (1, 1)
    assert np.array_equal(arrays['a'][0], a[4]) and np.array_equal(arrays['b'][:, 0], b[:, 5])
    assert found['verdict'].status == 'FAILED' and not found['limited'] and found['tried'] > 0
    assert 'm=9' in found['before'] and 'm=1' in found['after']


def test_with_a_callable(random):
    a, b = operands(random)
    seen = []

    def product(a, b):
        seen.append(a.shape)
        return (a @ b) * np.float32(1.5)

    found = assay.shrink('gemm', a=a, b=b, got=product(a, b), answers=product)
    assert found['arrays']['a'].shape == found['arrays']['b'].shape == (1, 1)
    assert len(seen) > 2 and not assay.check('gemm', **found['arrays'])
    assert assay.shrink('gemm', a=a, b=b, got=product(a, b), answers=product, limit=3)['limited']


def test_refused(random):
    a, b = operands(random)
    with pytest.raises(assay.ContractError, match='a check that fails'):
        assay.shrink('gemm', a=a, b=b, got=a @ b)
    with pytest.raises(assay.ContractError, match='gemm, dot or convert'):
        assay.shrink('sum', a=a, got=a.sum())
    with pytest.raises(ZeroDivisionError):
        assay.shrink('gemm', a=a, b=b, got=a @ b + 1, answers=lambda a, b: 1 // 0)
