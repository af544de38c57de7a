import ml_dtypes
import numpy as np
import pytest

import assay

NARROW = ['bfloat16', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz']


def some_floats(random, n=200_000):
    """Any bits of float32, and normal numbers, NaN left out."""
    bits = random.integers(0, 1 << 32, n, np.uint64).astype(np.uint32).view(np.float32)
    x = np.concatenate([bits, random.standard_normal(n).astype(np.float32)])
    return x[~np.isnan(x)]


@pytest.mark.parametrize('name', NARROW)
def test_rounding_is_that_of_ml_dtypes(random, name):
    x = some_floats(random)
    got = assay.round(x, name, policy='ml_dtypes' if name == 'bfloat16' else 'format')
    want = x.astype(getattr(ml_dtypes, name))
    assert got.dtype == want.dtype
    code = f'u{got.itemsize}'
    # Overflow may be a NaN of either sign, where a format has NaN and no infinity.
    same = (got.view(code) == want.view(code)) | (np.isnan(got) & np.isnan(want))
    assert same.all(), f'{np.sum(~same)} differ, the first for {x[~same][0]!r}'


def test_rounding_to_float16_is_that_of_numpy(random):
    x = some_floats(random)
    with np.errstate(over='ignore'):
        want = x.astype(np.float16)
    assert (assay.round(x, 'f16').view(np.uint16) == want.view(np.uint16)).all()
    # One rounding from float64, not two through float32.
    assert assay.round(1 + 2.0**-11 + 2.0**-40, np.float16) == np.float16(1 + 2.0**-10)
    assert assay.round(1 + 2.0**-8 + 2.0**-40, 'bf16') == 1 + 2.0**-7


def test_modes_enclose_the_number(random):
    x = random.standard_normal(10_000)
    down, up = (assay.round(x, 'bf16', mode).astype(np.float64) for mode in ('RD', 'RU'))
    nearest = assay.round(x, 'bf16').astype(np.float64)
    assert (down <= x).all() and (x <= up).all() and (down < up).all()
    assert (np.abs(nearest - x) <= np.minimum(up - x, x - down)).all()
    zero = assay.round(x, 'bf16', 'toward-zero').astype(np.float64)
    assert (zero == np.where(x > 0, down, up)).all()


def test_kernel_and_definition_give_the_same_bits(random):
    x = some_floats(random, 20_000)
    wide = x.astype(np.float64)  # no kernel narrows float64
    for mode in assay.roundings():
        for name in ('bf16', 'f16', 'f8_e4m3', 'f4_e2m1'):
            a, b = (assay.round(y, name, mode, bits=16, seed=7) for y in (x, wide))
            assert (a.view(np.uint8) == b.view(np.uint8)).all(), (mode, name)


def test_stochastic_rounding_is_a_function_of_seed_and_index(random):
    x = random.standard_normal(5000).astype(np.float32)
    once, again, other = (assay.round(x, 'bf16', 'SR', seed=seed).view(np.uint16) for seed in (3, 3, 4))
    assert (once == again).all() and (once != other).any()
    threads = [assay.round(np.tile(x, 100), 'bf16', 'SR', threads=t).view(np.uint16) for t in (1, 2, 3)]
    assert (threads[0] == threads[1]).all() and (threads[0] == threads[2]).all()
    up = np.mean(assay.round(np.full(1 << 16, 1 + 2.0**-9), 'bf16', 'SR').astype(np.float32) > 1)
    assert abs(up - 0.25) < 0.01  # 5.9 standard deviations


def test_formats_without_a_dtype_are_codes():
    rounded = assay.round([0.1, -3.0], 'tf32')
    assert isinstance(rounded, assay.Codes)
    assert rounded.codes.dtype == np.uint32 and rounded.shape == (2,) and len(rounded) == 2
    assert rounded.values().tolist() == [float(np.float32(0.0999755859375)), -3.0]
    assert rounded.format == assay.Format('tf32') != assay.Format('bf16')
    custom = assay.round([[1.5, 300]], 'custom:12,6,-14,ieee')
    assert custom.codes.dtype == np.uint16 and str(custom.format) == 'custom:12,6,-14,ieee'
    assert custom.values().tolist() == [[1.5, 304.0]]
    assert custom[0].values().tolist() == [1.5, 304.0]


def test_overflow_and_scalars():
    assert np.isinf(assay.round(1e6, 'f16'))
    assert assay.round(1e6, 'f16', overflow='saturate') == 65504
    assert assay.round(0.1, 'bf16').shape == ()
    assert assay.round([], 'bf16').shape == (0,)
    assert assay.round(0.1, np.float32) == np.float32(0.1)
    assert assay.round(0.1, ml_dtypes.bfloat16) == ml_dtypes.bfloat16(0.1)


@pytest.mark.parametrize('call, error, words', [
    (lambda: assay.round(1.0, 'bf17'), assay.InputError, 'bf16'),
    (lambda: assay.round(1.0, 'custom:12,60,-14,ieee'), assay.InputError, ''),
    (lambda: assay.round(1.0, 'bf16', 'nearest'), assay.InputError, 'nearest-even'),
    (lambda: assay.round(1.0, 'bf16', overflow='wrap'), assay.InputError, 'saturate'),
    (lambda: assay.round(1.0, 'bf16', policy='nvidia'), assay.InputError, ''),
    (lambda: assay.round(1.0, 'bf16', policy='intel'), assay.ContractError, 'float32'),
    (lambda: assay.round(np.float32(1), 'bf16', 'RZ', policy='intel'), assay.ContractError, 'nearest-even'),
    (lambda: assay.round(1.0, 'bf16', 'SR', bits=33), assay.ContractError, '33'),
    (lambda: assay.round(1.0, 'bf16', threads=-1), assay.ContractError, '-1'),
    (lambda: assay.round(1, 'bf16'), TypeError, 'int64'),
    (lambda: assay.round(1.0, 7), TypeError, ''),
    (lambda: assay.codes(np.array([1.0]), 'bf16'), TypeError, 'uint16'),
    (lambda: assay.codes(np.array([64], np.uint8), 'f6_e2m3'), assay.InputError, '64'),
    (lambda: assay.compare(np.array([64, 1], np.uint8).view(ml_dtypes.float6_e2m3fn), np.zeros(2)), assay.InputError,
     'float6'),
])
def test_misuse_is_an_exception(call, error, words):
    with pytest.raises(error, match=words or None):
        call()


def test_formats_lists_what_the_dtypes_say():
    listed = {f.name: f for f in assay.formats()}
    assert {'float64', 'tf32', 'float4_e2m1fn', *NARROW} <= set(listed)
    for name in NARROW + ['float6_e2m3fn', 'float6_e3m2fn', 'float4_e2m1fn']:
        info = ml_dtypes.finfo(getattr(ml_dtypes, name))
        assert listed[name].largest == float(info.max), name
        assert listed[name].smallest == float(info.smallest_subnormal), name
        assert listed[name].bits == info.bits, name
