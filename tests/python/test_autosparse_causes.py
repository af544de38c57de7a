"""autosparse.check() names no mistake that the data do not show. Each case is one that a wrong rule fell for."""
import ml_dtypes
import numpy as np
import pytest

from assay import autosparse

T = np.float32(1 / (1 + np.exp(3.0)))
bf16 = ml_dtypes.bfloat16


def f32(x):
    return np.asarray(x, dtype=np.float32)


def notes(verdict, word):
    return [note for note in verdict.notes if note.startswith(word)]


def causes(verdict):
    return [note.split()[1].rstrip(':') for note in notes(verdict, 'cause')]


def layer(seed, shape=(64, 96), scale=0.05, batch=32):
    random = np.random.default_rng(seed)
    w, g = f32(scale * random.standard_normal(shape)), f32(random.standard_normal(shape))
    x, dy = f32(random.standard_normal((batch, shape[1]))), f32(random.standard_normal((batch, shape[0])))
    return random, w, g, x, dy, abs(w) > T


@pytest.mark.parametrize('seed', range(4))
def test_an_error_beyond_the_bound_is_no_other_alpha(seed):
    random, w, g, x, dy, mask = layer(seed)
    h = np.where(mask, f32(1), f32(0.5))
    off = [h * f32(g * f32(1 + 3 * 2.0**-23)),
           h * f32(g * f32(1 + 6 * 2.0**-24 * np.sign(random.standard_normal(g.shape))))]
    for dw in off:
        verdict = autosparse.check(w, s=-3, alpha=0.5, g=g, got_dw=dw)['dw']
        assert verdict.status == 'FAILED' and not causes(verdict), verdict.text()
    size = 1.5 * 32 * 2.0**-24 * (abs(dy).T @ abs(x))
    dw = h * f32(dy.T @ x + size * np.sign(random.standard_normal(g.shape)))
    verdict = autosparse.check(w, s=-3, alpha=0.5, x=x, dy=dy, got_dw=dw)['dw']
    assert verdict.status == 'FAILED' and not causes(verdict), verdict.text()
    # An alpha that differs by less than six digits show is told from the right one.
    dw = np.where(mask, f32(1), f32(0.5 + 2.0**-20)) * g
    verdict = autosparse.check(w, s=-3, alpha=0.5, g=g, got_dw=dw)['dw']
    assert causes(verdict) == ['other-alpha'] and 'were 0.500001, not 0.5;' in verdict.text()


@pytest.mark.parametrize('seed', [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 4))])
@pytest.mark.parametrize('lambda_', [5e-5, 5e-4, 1e-3])
def test_a_small_decay_is_not_told_apart(seed, lambda_):
    _, w, _, x, dy, mask = layer(seed)
    g, h, v = dy.T @ x, np.where(mask, f32(1), f32(0.5)), np.where(mask, w - np.sign(w) * T, f32(0))
    kinds = {'lambda-on-kept-alone': w * mask, 'lambda-on-pruned': v, 'lambda-flipped': -w, 'lambda-scaled': h * w,
             'half': w / 2, 'l1': np.sign(w)}
    for name, decay in kinds.items():
        dw = h * g + f32(lambda_) * f32(decay)
        verdict = autosparse.check(w, s=-3, alpha=0.5, lambda_=lambda_, x=x, dy=dy, got_dw=dw)['dw']
        assert causes(verdict) in ([], [name]), f'{name} {verdict.text()}'
    # What hides within the errors of G is not there.
    dw = h * g + f32(1e-3) * w * w
    assert causes(autosparse.check(w, s=-3, alpha=0.5, lambda_=1e-3, x=x, dy=dy, got_dw=dw)['dw']) in \
        ([], ['lambda-missing'])
    # Where G is exact, lambda is seen.
    for name in list(kinds)[:4]:
        dw = f32(h * g + f32(lambda_) * f32(kinds[name]))
        verdict = autosparse.check(w, s=-3, alpha=0.5, lambda_=lambda_, g=f32(g), got_dw=dw)['dw']
        assert causes(verdict) in ([name], []), f'{name} {verdict.text()}'


@pytest.mark.parametrize('dtype', [bf16, np.float16])
@pytest.mark.parametrize('seed', range(6))
def test_wrong_masks_of_narrow_weights_are_no_inexact_sigmoid(seed, dtype):
    random = np.random.default_rng(seed)
    near = (T * random.uniform(0.8, 1.2, (48, 80)) * random.choice([-1, 1], (48, 80))).astype(dtype)
    small = (0.015 * random.standard_normal((64, 64))).astype(dtype)
    for w in [near, small]:
        values = w.astype(np.float32)
        mask = abs(values) > T
        unwritten, flipped = mask.copy(), mask.copy()
        unwritten[32:] = False
        at = np.argsort(abs(abs(values) - T).ravel())[40:45]
        flipped.flat[at] ^= True
        wrong = {'mask-without-magnitude': values > T, 'mask-inverted': ~mask, '': unwritten,
                 ' ': random.random(mask.shape) < 0.5, '  ': flipped, '   ': np.zeros_like(mask)}
        for name, got in wrong.items():
            verdict = autosparse.check(w, s=-3, got_mask=got)['mask']
            found = causes(verdict)
            assert found in ([], [name]), verdict.text()
            # Few weights of the small layer are kept at all.
            assert found == [name] or not name.strip() or verdict.outside < 64, verdict.text()


@pytest.mark.parametrize('seed', range(3))
def test_a_sigmoid_in_bfloat16_is_recognised(seed):
    random = np.random.default_rng(seed)
    w = (T * random.uniform(0.8, 1.2, (48, 80)) * random.choice([-1, 1], (48, 80))).astype(bf16)
    got = abs(w.astype(np.float32)) > T + f32(3.5 * 2.0**-12)
    verdict = autosparse.check(w, s=-3, got_mask=got)['mask']
    assert causes(verdict) == ['threshold-inexact'], verdict.text()


def test_one_element_of_a_small_class_names_nothing():
    random = np.random.default_rng(37)
    w, g = f32(random.standard_normal((50, 40))), f32(random.standard_normal((50, 40)))
    t = f32(1 / (1 + np.exp(5.0)))
    mask = abs(w) > t
    few = np.flatnonzero(~mask)
    assert few.size == 17  # less than 1 % of the weights, and more than the few that always have to agree
    dw = np.where(mask, f32(1), f32(0.5)) * g
    for value in [f32(0), g.flat[few[0]]]:
        got = dw.copy()
        got.flat[few[0]] = value
        verdict = autosparse.check(w, s=-5, alpha=0.5, g=g, got_dw=got)['dw']
        assert verdict.outside == 1 and not causes(verdict), verdict.text()
    got = dw.copy()
    got.flat[few] = 0
    assert causes(autosparse.check(w, s=-5, alpha=0.5, g=g, got_dw=got)['dw']) == ['masked-gradient-dropped']
    got = np.where(mask, w - np.sign(w) * t, f32(0))
    got.flat[few[0]] = w.flat[few[0]]
    assert not causes(autosparse.check(w, s=-5, got_v=got)['v'])


@pytest.mark.parametrize('first', range(0, 16, 2))
def test_one_ds_is_explained_by_a_precise_model_alone(first):
    named = 0
    for seed in [first, first + 1]:
        random, w, _, x, dy, mask = layer(seed, (16, 64), batch=16)
        alpha = float(random.choice([0.5, 0.25, 0.9, 0.1]))
        terms = np.sign(w).astype(float) * np.where(mask, 1, alpha)
        g = dy.T.astype(float) @ x
        slope, decay = -float(T) * (1 - float(T)), 1e-3 * -3
        rough = f32(dy.astype(bf16)).T.astype(float) @ f32(x.astype(bf16))
        right = (terms * g).sum() * slope + decay
        unknown = [(terms * rough).sum() * slope + decay, (terms * g)[:-1].sum() * slope + decay,
                   (terms * g).ravel()[:-9].sum() * slope + decay, (terms * g).sum() * slope / 16 + decay,
                   (np.sign(w) * np.where(mask, 1, 0.98 * alpha) * g).sum() * slope + decay]
        known = {'sign-dropped': (np.where(mask, 1, alpha) * g).sum() * slope + decay,
                 'slope-missing': -(terms * g).sum() + decay,
                 'masked-terms-left-out': (np.sign(w) * mask * g).sum() * slope + decay,
                 'alpha-wrong-side': (np.sign(w) * np.where(mask, alpha, 1) * g).sum() * slope + decay}

        def check(value):
            return autosparse.check(w, s=-3, alpha=alpha, x=x, dy=dy, got_ds=f32(value), lambda_s=1e-3)['ds']

        assert not causes(check(right))
        assert not any(causes(check(value)) for value in unknown), seed
        for name, value in known.items():
            found = causes(check(value))
            assert found in ([name], []), f'{seed} {name} {found}'
            named += found == [name]
    assert named >= 6, f'{named} of 8 mistakes were named'


def test_a_loop_that_is_the_whole_of_a_pairwise_sum_is_not_naive():
    for seed in range(200):
        random = np.random.default_rng(seed)
        w, g = f32(0.1 * random.standard_normal((1, 7))), f32(random.standard_normal((1, 7)))
        t = (np.sign(w) * np.where(abs(w) > T, f32(1), f32(0.3)) * g).ravel()
        verdict = autosparse.check(w, s=-3, alpha=0.3, g=g, got_ds=f32(-(T * (1 - T)) * t.sum()))['ds']
        assert 'naive' not in verdict.text(), f'{seed} {verdict.text()}'


def test_a_pairwise_sum_that_cancels_is_not_naive():
    for seed in range(60):
        random = np.random.default_rng(seed)
        w, g = f32(0.1 * random.standard_normal((1, 8))), f32(random.standard_normal((1, 8)))
        t = (np.sign(w) * np.where(abs(w) > T, f32(1), f32(0.3)) * g).ravel()
        pairwise = ((t[0] + t[1]) + (t[2] + t[3])) + ((t[4] + t[5]) + (t[6] + t[7]))
        verdict = autosparse.check(w, s=-3, alpha=0.3, g=g, got_ds=f32(-(T * (1 - T)) * pairwise))['ds']
        assert 'naive' not in verdict.text(), f'{seed} {verdict.text()}'


def test_mistakes_that_give_the_same_are_listed_and_none_is_named():
    _, w, g, _, _, mask = layer(7)
    # The first epoch: the one before has the factor of none.
    given = {'s': -3, 'alpha': 0.5, 'epoch': 1, 'epochs': 10, 'schedule': 'linear', 'g': g}
    verdict = autosparse.check(w, **given, got_dw=np.where(mask, f32(1), f32(0.5)) * g)['dw']
    assert verdict.status == 'FAILED' and not causes(verdict)
    note = notes(verdict, 'note   dw alone cannot tell: could be')
    assert len(note) == 1 and 'alpha-epoch-early' in note[0] and 'alpha-not-annealed' in note[0]


def test_values_beyond_the_largest_are_counted():
    random = np.random.default_rng(3)
    w, g = f32(0.05 * random.standard_normal((8, 16))), f32(1e5 * random.standard_normal((8, 16)))
    with np.errstate(over='ignore'):
        dw = (np.where(abs(w) > T, f32(1), f32(0.5)) * g).astype(np.float16)
    verdict = autosparse.check(w, s=-3, alpha=0.5, g=g, got_dw=dw)['dw']
    infinite = int(np.isinf(dw).sum())
    assert infinite > 0 and verdict.status == 'PASSED'
    assert f'{infinite} of 128 exact values are beyond the largest float16' in verdict.text()


def test_memory_is_checked_before_it_is_taken():
    w = np.broadcast_to(f32(0), (2_000_000, 2_000_000))
    with pytest.raises(ValueError, match='w: 4000000000000 weights .* take .* of memory'):
        autosparse.check(w, s=-3, got_mask=w)
