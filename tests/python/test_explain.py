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


@pytest.mark.parametrize('change, error', [
    (dict(operation='conv'), assay.InputError), (dict(operation='gem'), assay.InputError),
    (dict(b=None), assay.ContractError), (dict(got=np.zeros((3, 3), np.float32)), assay.ContractError),
    (dict(c=np.zeros(3, np.float32)), assay.ContractError), (dict(at=(12, 0)), assay.ContractError),
    (dict(at=(1,)), assay.ContractError), (dict(at=(-1, 0)), assay.ContractError),
    (dict(at='x'), assay.ContractError), (dict(sample=0), assay.ContractError),
    (dict(also=['nobody.json']), assay.InputError), (dict(also=[7]), TypeError),
    (dict(a=np.ones((12, 40), int)), TypeError), (dict(operation='convert'), assay.ContractError),
])
def test_what_cannot_be_explained(random, change, error):
    a, b = operands(random)
    question = dict(operation='gemm', a=a, b=b, got=assay.gemm(a, b, 'sm80.bf16')) | change
    with pytest.raises(error):
        assay.explain(**question)
