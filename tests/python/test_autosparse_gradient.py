"""autosparse.forward() and backward(): against a plain model in NumPy, with what they refuse."""
import ml_dtypes
import numpy as np
import pytest

import assay
from assay import autosparse


def layer(random, channels=12, inputs=30, batch=7, dtype=np.float32):
    w = (0.3 * random.standard_normal((channels, inputs))).astype(dtype)
    x = random.standard_normal((batch, inputs)).astype(dtype)
    dy = random.standard_normal((batch, channels)).astype(dtype)
    return w, x, dy


def model(w, t, g, alpha, lambda_):
    """dw and the sum of ds in float64, from its own words."""
    w, g, t = (np.asarray(a, np.float64) for a in (w, g, t))
    h = np.where(np.abs(w) > t, 1, alpha)
    return h * g + lambda_ * w, np.sign(w) * h * g


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_forward_is_soft_thresholding(random, dtype):
    w, _, _ = layer(random, dtype=dtype)
    v, mask, t = autosparse.forward(w, s=-1.5)
    assert v.dtype == w.dtype and mask.dtype == np.bool_ and t.dtype == w.dtype and t.shape == (1,)
    assert t[0] == pytest.approx(1 / (1 + np.exp(1.5)), rel=1e-6)
    assert (mask == (np.abs(w) > t)).all() and (v == np.where(mask, np.sign(w) * (np.abs(w) - t), 0)).all()
    assert 0 < mask.sum() < w.size


def test_a_threshold_for_each_channel_and_convolutions(random):
    w = random.standard_normal((5, 3, 3, 3)).astype(np.float32)
    s = np.linspace(-2, 2, 5).astype(np.float32)
    pruned = autosparse.forward(w, s=s, channels=True)
    assert pruned.v.shape == w.shape and pruned.thresholds.shape == (5,)
    assert (pruned.mask == (np.abs(w) > pruned.thresholds[:, None, None, None])).all()
    g = random.standard_normal(w.shape).astype(np.float32)
    gradients = autosparse.backward(w, s=s, channels=True, g=g, alpha=0.25, lambda_=0.01)
    dw, terms = model(w, pruned.thresholds[:, None, None, None], g, 0.25, np.float32(0.01))
    t = pruned.thresholds.astype(np.float64)
    np.testing.assert_allclose(gradients.dw, dw, rtol=3e-7, atol=1e-9)
    ds = -t * (1 - t) * terms.sum(axis=(1, 2, 3)) + 0.01 * s.astype(np.float64)
    np.testing.assert_allclose(gradients.ds, ds, rtol=1e-12)
    assert gradients.dx is None and (gradients.g == g).all()


def test_keep_is_the_fixed_budget_form(random):
    w, x, dy = layer(random)
    v, mask, t = autosparse.forward(w, keep=40)
    assert mask.sum() == 40 and t[0] == np.sort(np.abs(w).ravel())[-41]
    assert autosparse.backward(w, keep=40, x=x, dy=dy).ds is None
    assert (autosparse.forward(w, threshold=t[0]).v == v).all()


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('support', ['dense', 'kept', 'top-half'])
def test_backward_from_inputs(random, dtype, support):
    w, x, dy = layer(random, dtype=dtype)
    alpha = 0 if support == 'kept' else 0.5
    v, mask, t = autosparse.forward(w, threshold=0.2)
    dw, ds, dx, g = autosparse.backward(w, threshold=0.2, x=x, dy=dy, alpha=alpha, support=support)
    half = np.zeros(w.size, bool)
    half[np.argsort(-np.abs(w).ravel(), kind='stable')[:w.size // 2]] = True
    places = {'dense': np.ones_like(mask), 'kept': mask, 'top-half': half.reshape(w.shape)}[support]
    tolerance = {'rtol': 1e-5, 'atol': 1e-5} if dtype == np.float32 else {'rtol': 1e-13, 'atol': 1e-13}
    wide = np.where(places, dy.astype(np.float64).T @ x.astype(np.float64), 0)
    np.testing.assert_allclose(g, wide, **tolerance)
    np.testing.assert_allclose(dx, dy.astype(np.float64) @ v.astype(np.float64), **tolerance)
    assert (dw == model(w, t, g, alpha, 0)[0].astype(dtype)).all()
    assert ds is None and dw.dtype == dx.dtype == g.dtype == w.dtype


def test_bfloat16_rounds_operands_and_sums_in_float32(random):
    w, x, dy = layer(random)
    v, mask, _ = autosparse.forward(w, threshold=0.2, bf16=True)
    assert v.dtype == ml_dtypes.bfloat16
    narrow = [a.astype(ml_dtypes.bfloat16) for a in (autosparse.forward(w, threshold=0.2).v, x, dy)]
    assert (v == narrow[0]).all()
    got = autosparse.backward(w, threshold=0.2, x=x, dy=dy, alpha=0.5, bf16=True)
    # Sums of exact products, one after another.
    g = np.zeros_like(w)
    for b in range(len(x)):
        g = (g + narrow[2][b].astype(np.float64)[:, None] * narrow[1][b].astype(np.float64)).astype(np.float32)
    assert (got.g == g).all()
    assert (autosparse.backward(w, threshold=0.2, x=narrow[1], dy=narrow[2], alpha=0.5, bf16=True).dx == got.dx).all()
    assert (got.dx != autosparse.backward(w, threshold=0.2, x=x, dy=dy).dx).any()


def test_dy_alone_gives_dx(random):
    w, x, dy = layer(random)
    only = autosparse.backward(w, s=-1, dy=dy)
    assert only.dw is None and only.ds is None and only.g is None
    assert (only.dx == autosparse.backward(w, s=-1, x=x, dy=dy).dx).all()


def test_threads_change_no_bit(random):
    w, x, dy = layer(random, 40, 300, 20)
    one, three = (autosparse.backward(w, s=-1.5, x=x, dy=dy, alpha=0.5, threads=n) for n in (1, 3))
    for a, b in zip(one, three):
        assert a.tobytes() == b.tobytes()


def test_schedules():
    alphas = [autosparse.annealed_alpha(0.5, 'sigmoid-cosine', done=done, epochs=20) for done in (0, 5, 10, 18)]
    np.testing.assert_allclose(alphas, [0.5, 0.5 * 0.9526, 0.25, 0], atol=2e-5)
    assert autosparse.annealed_alpha(0.5, 'sigmoid_cosine', done=5, epochs=20) == alphas[1]
    assert autosparse.annealed_alpha(0.5, 'none', done=20, epochs=20) == 0.5
    with pytest.raises(assay.ContractError, match='1 to 2.53 epochs, not 0'):
        autosparse.annealed_alpha(0.5, 'none', done=0, epochs=0)
    with pytest.raises(TypeError, match='done'):
        autosparse.annealed_alpha(0.5, 'none', done=5.5, epochs=20)
    with pytest.raises(assay.InputError, match='sigmoid-cosine'):
        autosparse.annealed_alpha(0.5, 'sigmoid-cosin', done=0, epochs=20)


def refused(error, match, **changes):
    w, x, dy = layer(np.random.default_rng(1))
    arguments = {'s': -1.0, 'x': x, 'dy': dy, **changes}
    with pytest.raises(error, match=match):
        autosparse.backward(arguments.pop('w', w), **arguments)


def test_refusals():
    w, x, dy = layer(np.random.default_rng(1))
    nan = w.copy()
    nan[3, 4] = np.nan
    refused(assay.ContractError, 'NaN at channel 3, weight 4', w=nan)
    infinite = w.copy()
    infinite[0, 1] = -np.inf
    refused(assay.ContractError, 'infinite at channel 0, weight 1', w=infinite)
    refused(assay.ContractError, 's 0 is 200, which gives a threshold of 1, not between 0 and 1', s=200)
    refused(assay.ContractError, 's 0 is -200, which gives a threshold of 0', s=-200)
    refused(assay.ContractError, 's 0 is nan', s=np.nan)
    refused(assay.ContractError, 'lambda is a decay', lambda_=np.inf)
    refused(assay.ContractError, 'lambda_s is a decay', lambda_s=np.inf)
    refused(TypeError, "alpha: 'x' is not a number", alpha='x')
    refused(TypeError, 'alpha: None is not a number', alpha=None)
    refused(assay.ContractError, 'alpha is a share', alpha=1.5)
    refused(assay.ContractError, 'lambda is a decay', lambda_=-1.0)
    refused(assay.ContractError, 'lambda_s is a decay', lambda_s=-1.0)
    refused(assay.ContractError, 'threshold 0 is 1, not between 0 and 1', s=None, threshold=1.0)
    refused(assay.ContractError, 's has 3 values, not one', s=[1.0, 2, 3])
    refused(assay.ContractError, 's has 3 values, not one for each of the 12 channels', s=[1.0, 2, 3], channels=True)
    refused(assay.ContractError, r'\(batch, 30\) is asked for', x=x[:, :29])
    refused(assay.ContractError, 'x has a batch of 6, and dy of 7', x=x[:6])
    refused(assay.ContractError, 'g of shape', x=None, dy=None, g=w[:3])
    refused(assay.ContractError, 'support: kept', support='kept', alpha=0.5)
    refused(assay.InputError, 'support', support='some')
    refused(TypeError, 'one of s, threshold and keep', threshold=0.5)
    refused(TypeError, 'g, or x and dy', x=None, dy=None)
    refused(TypeError, 'g, or x and dy', dy=None)
    refused(TypeError, 'float32 or float64', w=w.astype(np.float16))
    refused(TypeError, 'dy: elements', dy=dy.astype(np.float64))
    refused(TypeError, 'bf16', w=w.astype(np.float64), x=x.astype(np.float64), dy=dy.astype(np.float64), bf16=True)
