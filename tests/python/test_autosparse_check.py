"""autosparse.check() against a plain model of the layer in NumPy, right and with mistakes."""
import json
import subprocess

import ml_dtypes
import numpy as np
import pytest

import assay
from assay import autosparse

ALPHA, LAMBDA, LAMBDA_S = 0.375, 0.02, 0.05


def f32(x):
    return np.asarray(x, dtype=np.float32)


class Layer:
    """One layer, in NumPy: products by matmul, sums by NumPy's."""

    def __init__(self, random, out=24, inputs=40, batch=17, dtype=np.float32, channels=False):
        self.w = (0.1 * random.standard_normal((out, inputs))).astype(dtype)
        self.x = random.standard_normal((batch, inputs)).astype(dtype)
        self.dy = random.standard_normal((batch, out)).astype(dtype)
        self.s = random.uniform(-3.5, -2, out).astype(dtype) if channels else dtype(-2.75)
        self.channels = channels
        self.t = (1 / (1 + np.exp(-self.s.astype(np.float64)))).astype(dtype)
        self.t_of = self.t[:, None] if channels else self.t

    def given(self, **changes):
        given = {'s': self.s, 'channels': self.channels, 'alpha': ALPHA, 'lambda_': LAMBDA, 'lambda_s': LAMBDA_S,
                 'x': self.x, 'dy': self.dy}
        return {**given, **changes}

    def results(self, *, alpha=ALPHA, mask=None, h=None, v=None, slope=None, sign=None, lambda_=LAMBDA,
                lambda_s=LAMBDA_S, g=None, decayed=1.0):
        """Every result; arguments take the place of what is right."""
        dtype = self.w.dtype.type
        mask = abs(self.w) > self.t_of if mask is None else mask
        v = np.where(mask, np.sign(self.w) * (abs(self.w) - self.t_of), dtype(0)) if v is None else v
        g = self.dy.T @ self.x if g is None else g
        h = np.where(mask, dtype(1), dtype(alpha)) if h is None else h
        dw = h * g + dtype(lambda_) * self.w * decayed
        terms = (np.sign(self.w) if sign is None else sign) * h * g
        summed = terms.sum(axis=1) if self.channels else terms.sum()
        slope = self.t * (1 - self.t) if slope is None else slope
        return {'got_mask': mask, 'got_v': v.astype(dtype), 'got_dw': dw.astype(dtype), 'got_dx': self.dy @ v,
                'got_ds': dtype(1) * (-slope * summed + dtype(lambda_s) * self.s)}

    def check(self, got, **changes):
        return autosparse.check(self.w, **self.given(**changes), **got)


@pytest.fixture
def layer(random):
    return Layer(random)


def causes(verdict):
    return [note.split()[1].rstrip(':') for note in verdict.notes if note.startswith('cause')]


@pytest.mark.parametrize('channels', [False, True])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_right_results_pass_without_a_diagnosis(random, channels, dtype):
    layer = Layer(random, dtype=dtype, channels=channels)
    for changes in [{}, {'alpha': 0}, {'alpha': 1}, {'lambda_': 0, 'lambda_s': 0}]:
        got = layer.results(**{name: changes[name] for name in changes if name != 'channels'})
        verdicts = layer.check(got, **changes)
        assert verdicts.status == 'PASSED', verdicts.text()
        assert list(verdicts) == ['mask', 'v', 'dw', 'dx', 'ds']
        for name in verdicts:
            assert verdicts[name].status == 'PASSED' and not causes(verdicts[name]), verdicts[name].text()
            assert verdicts[name].outside == 0


@pytest.mark.parametrize('channels', [False, True])
def test_bounds_hold_for_any_order_and_fusion(random, channels):
    layer = Layer(random, out=12, inputs=19, batch=50, channels=channels)
    right = layer.results()
    for _ in range(20):
        order = random.permutation(layer.x.shape[0])
        g = np.zeros_like(layer.w)
        for b in order:
            g = f32(g.astype(np.float64) + np.outer(layer.dy[b].astype(np.float64), layer.x[b]))  # fused
        h = np.where(right['got_mask'], f32(1), f32(ALPHA))
        dw = f32((h * g).astype(np.float64) + float(f32(LAMBDA)) * layer.w.astype(np.float64))
        v, dx = right['got_v'], np.zeros_like(layer.x)
        for o in random.permutation(layer.w.shape[0]):
            dx = dx + np.outer(layer.dy[:, o], v[o])
        terms = (np.sign(layer.w) * h * g) * layer.t_of * (1 - layer.t_of)
        ds = []
        for row in terms if channels else [terms.ravel()]:
            total = f32(0)
            for i in random.permutation(row.size):
                total = total + row[i]
            ds.append(-total)
        ds = f32(ds) + f32(LAMBDA_S) * layer.s
        verdicts = layer.check({'got_dw': dw, 'got_dx': dx, 'got_ds': ds})
        for name in verdicts:
            assert verdicts[name].outside == 0 and not causes(verdicts[name]), verdicts[name].text()


def mistakes(layer):
    """By result and name: what a wrong layer gives."""
    mask, w, t = abs(layer.w) > layer.t_of, layer.w, layer.t_of
    one, alpha, zero = f32(1), f32(ALPHA), f32(0)

    def wrong(name, **changes):
        return layer.results(**changes)[name]

    v = layer.results()['got_v']
    for name in ['got_dw', 'got_ds']:
        yield name, 'alpha-wrong-side', wrong(name, h=np.where(mask, alpha, one))
        yield name, 'alpha-on-all', wrong(name, h=np.where(mask, alpha, alpha))
        yield name, 'alpha-not-applied', wrong(name, h=np.where(mask, one, one))
    yield 'got_dw', 'masked-gradient-dropped', wrong('got_dw', h=np.where(mask, one, zero))
    yield 'got_ds', 'masked-terms-left-out', wrong('got_ds', h=np.where(mask, one, zero))
    yield 'got_ds', 'slope-missing', wrong('got_ds', slope=f32(1))
    yield 'got_ds', 'sign-dropped', wrong('got_ds', sign=f32(1))
    yield 'got_ds', 'ds-flipped', wrong('got_ds', slope=-layer.t * (1 - layer.t))
    yield 'got_ds', 'lambda-s-missing', wrong('got_ds', lambda_s=0)
    yield 'got_dw', 'lambda-missing', wrong('got_dw', lambda_=0)
    yield 'got_dw', 'lambda-on-masked-alone', wrong('got_dw', decayed=np.where(mask, zero, one))
    yield 'got_dw', 'lambda-on-kept-alone', wrong('got_dw', decayed=np.where(mask, one, zero))
    yield 'got_dw', 'lambda-scaled', wrong('got_dw', decayed=np.where(mask, one, alpha))
    yield 'got_dw', 'lambda-on-pruned', wrong('got_dw', decayed=v / w)
    yield 'got_dw', 'lambda-flipped', wrong('got_dw', lambda_=-LAMBDA)
    yield 'got_ds', 'slope-threshold-alone', wrong('got_ds', slope=layer.t)
    yield 'got_ds', 'slope-rest-alone', wrong('got_ds', slope=1 - layer.t)
    for name, values in [('threshold-not-subtracted', np.where(mask, w, zero)), ('dense-weights', w),
                         ('not-clipped', np.sign(w) * (abs(w) - t)), ('sign-dropped', abs(v)),
                         ('mask-without-magnitude', np.where(w > t, w - t, zero))]:
        yield 'got_v', name, f32(values)
        yield 'got_dx', name, wrong('got_dx', v=f32(values))
    yield 'got_mask', 'mask-inverted', ~mask
    yield 'got_mask', 'mask-without-magnitude', w > t
    if layer.w.shape[0] == layer.w.shape[1]:
        yield 'got_dx', 'transposed', layer.dy @ v.T
        yield 'got_dw', 'transposed', wrong('got_dw', g=(layer.dy.T @ layer.x).T)
    if layer.channels:
        for name, others in [('one-threshold', np.full_like(layer.t, layer.t[0])),
                             ('next-threshold', np.roll(layer.t, -1)), ('previous-threshold', np.roll(layer.t, 1))]:
            other = others[:, None]
            kept = abs(w) > other
            pruned = np.where(kept, np.sign(w) * (abs(w) - other), zero)
            yield 'got_mask', name, kept
            yield 'got_v', name, f32(pruned)
            yield 'got_dx', name, wrong('got_dx', v=f32(pruned))
            yield 'got_dw', name, wrong('got_dw', mask=kept)
            yield 'got_ds', name, wrong('got_ds', mask=kept, slope=others * (1 - others))


@pytest.mark.parametrize('channels', [False, True])
def test_each_mistake_is_named(random, channels):
    layer = Layer(random, out=32, inputs=32, channels=channels)
    seen = set()
    for result, name, got in mistakes(layer):
        verdict = layer.check({result: got})[result[4:]]
        assert verdict.status == 'FAILED', f'{result} {name}\n{verdict.text()}'
        assert causes(verdict) == [name], f'{result} {name}\n{verdict.text()}'
        seen.add((result, name))
    assert len(seen) == (49 if channels else 34)


def test_greater_equal_is_told_under_a_threshold(layer):
    t = f32(0.0625)
    layer.t = layer.t_of = t
    layer.w[3, 5], layer.w[7, 0], layer.w[8, 8] = t, -t, np.nextafter(t, f32(1))
    got = layer.results(mask=abs(layer.w) >= t, lambda_s=0)
    verdicts = layer.check(got, s=None, threshold=t, lambda_s=0)
    assert verdicts['mask'].outside == 2 and verdicts['mask'].worst['index'] == (3, 5)
    assert verdicts['v'].status == 'PASSED'  # it is 0 there all the same
    for name in ['mask', 'dw', 'ds']:
        assert verdicts[name].status == 'FAILED' and causes(verdicts[name]) == ['mask-greater-equal'], \
            verdicts[name].text()
    right = layer.check(layer.results(lambda_s=0), s=None, threshold=t, lambda_s=0)
    assert right and right['mask'].bit_equal == layer.w.size and right['mask'].policy.kind == 'bit-equal'


def test_undecided_masks_are_counted_and_either_is_right(layer):
    t = layer.t
    up, down = np.nextafter(t, f32(1)), np.nextafter(t, f32(0))
    layer.w[0, :4] = t, -up, down, np.nextafter(up, f32(1))
    for other in [t, up, down]:
        mask = abs(layer.w) > other
        v = np.where(mask, np.sign(layer.w) * (abs(layer.w) - other), f32(0))
        verdicts = layer.check(layer.results(mask=mask, v=v))
        assert verdicts, verdicts.text()
        assert '2 of 960 weights are undecided' in verdicts['mask'].text()
        assert all(not causes(verdicts[name]) for name in verdicts)
    wrong = abs(layer.w) > t
    wrong[0, 3] = False
    assert layer.check({'got_mask': wrong})['mask'].worst['index'] == (0, 3)
    # Under the threshold itself there is nothing undecided.
    verdict = layer.check({'got_mask': abs(layer.w) > up}, s=None, threshold=t)['mask']
    assert verdict.status == 'FAILED' and verdict.outside == 1


def test_an_inexact_sigmoid_is_recognised(layer):
    other = layer.t
    for _ in range(5):
        other = np.nextafter(other, f32(1))
    layer.w[2, :3] = np.nextafter(layer.t, f32(1)), np.nextafter(other, f32(0)), -other
    mask = abs(layer.w) > other
    v = np.where(mask, np.sign(layer.w) * (abs(layer.w) - other), f32(0))
    verdicts = layer.check({'got_mask': mask, 'got_v': v})
    assert verdicts['mask'].outside == 2
    for name in verdicts:
        assert verdicts[name].status == 'FAILED' and causes(verdicts[name]) == ['threshold-inexact']
        assert 'some 5 ulp of float32' in verdicts[name].text()


def test_what_proves_nothing_is_vacuous(layer):
    layer.w[:] = np.nextafter(layer.t, f32(1))
    verdict = layer.check({'got_mask': np.ones(layer.w.shape, bool)})['mask']
    assert verdict.status == 'VACUOUS'
    assert layer.check({'got_mask': np.zeros(layer.w.shape, bool)}, expects_zero=True)['mask'].status == 'VACUOUS'
    layer.w[:] = layer.t / 2
    for result in ['got_mask', 'got_v', 'got_dx']:
        got = layer.results()[result]
        assert not got.any() and layer.check({result: got})[result[4:]].status == 'VACUOUS'
        assert layer.check({result: got}, expects_zero=True)[result[4:]].status == 'PASSED'


def test_alpha_of_a_schedule(layer):
    epochs, alpha_0 = 10, 0.5

    def factor(e):
        return 0 if e >= 9 else (1 + np.cos(np.pi * e / epochs)) / 2

    right = alpha_0 * factor(4)
    given = {'alpha': alpha_0, 'epoch': 4, 'epochs': epochs, 'schedule': 'cosine'}
    assert layer.check(layer.results(alpha=right), **given)
    compounded = alpha_0 * np.prod([factor(e) for e in range(5)])
    for name, alpha in [('alpha-compounded', compounded), ('alpha-epoch-early', alpha_0 * factor(3)),
                        ('alpha-epoch-late', alpha_0 * factor(5)), ('alpha-not-annealed', alpha_0)]:
        got = layer.results(alpha=alpha)
        for result in ['got_dw', 'got_ds']:
            verdict = layer.check({result: got[result]}, **given)[result[4:]]
            assert causes(verdict) == [name], verdict.text()
    # Without the schedule the number is found.
    verdict = layer.check({'got_dw': layer.results(alpha=0.475)['got_dw']})['dw']
    assert causes(verdict) == ['other-alpha'] and 'as if alpha were 0.475, not 0.375' in verdict.text()


def test_a_naive_float32_sum_is_recognised(random):
    w = f32(0.1 * random.standard_normal((256, 1024)))
    g = f32(0.1) * np.sign(w)
    t = f32(0.05)
    slope = float(t) * (1 - float(t))
    terms = (np.sign(w) * g).ravel()
    naive = f32(-slope) * np.cumsum(terms, dtype=np.float32)[-1]
    exact = -slope * terms.astype(np.float64).sum()
    assert abs(naive - exact) > 1e-5 * abs(exact)
    given = {'threshold': t, 'alpha': 1, 'g': g}
    loose = autosparse.check(w, **given, got_ds=naive)['ds']
    assert loose.status == 'PASSED' and 'naive-float32-sum' in loose.text() and not causes(loose)
    tight = autosparse.check(w, **given, got_ds=naive, ds_order='pairwise')['ds']
    assert tight.status == 'FAILED' and causes(tight) == ['naive-float32-sum']
    good = autosparse.check(w, **given, got_ds=f32(exact), ds_acc='f64')['ds']
    assert good.status == 'PASSED' and 'naive' not in good.text()


def test_one_wrong_element_of_a_large_layer_is_found(random):
    layer = Layer(random, out=256, inputs=512, batch=32)
    got = layer.results()
    kept = tuple(np.argwhere(got['got_mask'])[900])
    for result, at in [('got_dw', (131, 77)), ('got_dx', (19, 500)), ('got_v', kept)]:
        wrong = got[result].copy()
        wrong[at] *= f32(1.001)
        verdict = layer.check({result: wrong})[result[4:]]
        assert verdict.status == 'FAILED' and verdict.outside == 1 and verdict.worst['index'] == at
        assert not causes(verdict)


def test_bits_of_the_contract(layer):
    mask = abs(layer.w) > layer.t
    v = np.where(mask, np.sign(layer.w) * (abs(layer.w) - layer.t), f32(0))
    dx = np.zeros_like(layer.x)
    for o in range(layer.w.shape[0]):
        dx = f32(np.outer(layer.dy[:, o].astype(np.float64), v[o]) + dx.astype(np.float64))
    g = np.zeros_like(layer.w)
    for b in range(layer.x.shape[0]):
        g = f32(np.outer(layer.dy[b].astype(np.float64), layer.x[b]) + g.astype(np.float64))
    dw = f32(float(f32(LAMBDA)) * layer.w.astype(np.float64) + np.where(mask, g, f32(ALPHA) * g))
    verdicts = layer.check({'got_v': v, 'got_dw': dw, 'got_dx': dx}, policy='bit-equal')
    # float64 on the way rounds twice, in a few places in a million.
    for name in ['v', 'dw', 'dx']:
        assert verdicts[name].differ <= 2, verdicts[name].text()
    assert 'chain_f32_fused' in verdicts['dx'].text()
    by_unit = layer.check({'got_dx': assay.gemm(layer.dy, v, 'lanes16_f32_fused')}, unit='lanes16_f32_fused',
                          policy='bit-equal')['dx']
    assert by_unit.status == 'PASSED' and f'{dx.size} of {dx.size} bit-equal to lanes16_f32_fused' in by_unit.text()
    with pytest.raises(assay.ContractError, match='no contract says which bits'):
        layer.check({'got_dx': dx.astype(np.float64)}, policy='bit-equal')


def test_bfloat16_operands(random):
    layer = Layer(random)
    x, dy = layer.x.astype(ml_dtypes.bfloat16), layer.dy.astype(ml_dtypes.bfloat16)
    layer.x, layer.dy = f32(x), f32(dy)
    got = layer.results()
    v16 = got['got_v'].astype(ml_dtypes.bfloat16)
    for v in [got['got_v'], f32(v16)]:
        verdicts = layer.check({**got, 'got_dx': layer.dy @ v}, x=x, dy=dy)
        assert verdicts, verdicts.text()
    assert layer.check({'got_v': v16})['v'].bit_equal == v16.size
    verdict = layer.check({'got_dx': layer.dy @ layer.w}, x=x, dy=dy)['dx']
    assert causes(verdict) == ['dense-weights']


@pytest.mark.parametrize('support', ['kept', 'top-half'])
def test_supports(layer, support):
    alpha = 0 if support == 'kept' else ALPHA
    x = abs(layer.w.astype(np.float64)) - float(layer.t)
    places = x > 0 if support == 'kept' else x >= np.sort(x.ravel())[-((layer.w.size + 1) // 2)]
    g = np.where(places, layer.dy.T @ layer.x, f32(0))
    verdicts = layer.check(layer.results(alpha=alpha, g=g), alpha=alpha, support=support)
    assert verdicts and not causes(verdicts['dw']), verdicts.text()
    if support == 'kept':
        with pytest.raises(assay.ContractError, match='support kept requires alpha 0'):
            layer.check(layer.results(), support=support)
    else:
        dense = layer.check({'got_dw': layer.results()['got_dw']}, support=support)['dw']
        assert causes(dense) == ['support-ignored']


@pytest.mark.parametrize('changes, text', [
    ({'s': None}, 'requires either s or threshold'),
    ({'threshold': 0.1}, 'requires either s or threshold'),
    ({'s': None, 'threshold': 1.0, 'lambda_s': 0}, 'between 0 and 1'),
    ({'s': -300.0}, 'which gives 0'),
    ({'s': [-3.0] * 24}, 'takes one value, not the 24; channels takes one'),
    ({'channels': True}, '24 values, one a channel'),
    ({'alpha': 1.5}, 'from 0 to 1'),
    ({'alpha': float('nan')}, 'from 0 to 1'),
    ({'lambda_': -1e-3}, 'lambda_'),
    ({'lambda_s': -1.0}, 'lambda_s'),
    ({'dy': None}, 'got_dx requires dy'),
    ({'x': None}, 'requires x beside dy'),
    ({'g': np.zeros((24, 40), np.float32)}, 'exclude each other'),
    ({'x': np.zeros((17, 39), np.float32)}, 'batch x 40 inputs'),
    ({'x': np.zeros((16, 40), np.float32)}, 'a batch of 16, that of x'),
    ({'epoch': 3}, 'go together'),
    ({'epoch': 3, 'epochs': 2, 'schedule': 'linear'}, 'at most the 2 epochs'),
    ({'epoch': 3, 'epochs': 9, 'schedule': 'cosin'}, 'sigmoid-cosine'),
    ({'support': 'half'}, 'top-half'),
    ({'s': None, 'threshold': 0.1}, 'requires s, which the decay of s multiplies'),
])
def test_bad_input(layer, changes, text):
    with pytest.raises(ValueError, match=text):
        layer.check(layer.results(), **changes)


def test_bad_arrays(layer):
    got = layer.results()
    with pytest.raises(ValueError, match='requires a result'):
        layer.check({})
    with pytest.raises(ValueError, match=r'got_mask.*\[2,3\].*a mask of 0 and 1'):
        mask = got['got_mask'].astype(np.uint8)
        mask[2, 3] = 2
        layer.check({'got_mask': mask})
    with pytest.raises(ValueError, match='transpose'):
        layer.check({'got_dw': got['got_dw'].T})
    with pytest.raises(ValueError, match='got_ds.*one value'):
        layer.check({'got_ds': f32([1, 2])})
    layer.dy[3, 4] = np.inf
    with pytest.raises(ValueError, match=r'dy.*\[3,4\]'):
        layer.check({'got_dx': got['got_dx']})
    layer.w[5, 6] = np.nan
    with pytest.raises(ValueError, match='w.*channel 5, weight 6'):
        layer.check({'got_mask': got['got_mask']})
    # NaN in what is judged is a wrong value.
    layer.w[5, 6], layer.dy[3, 4] = 0.1, 1
    dw = layer.results()['got_dw']
    dw[1, 1] = np.nan
    assert layer.check({'got_dw': dw})['dw'].outside == 1


def test_layers_without_elements_and_sums_without_a_bound():
    for shape in [(0, 5), (5, 0)]:
        w = np.zeros(shape, np.float32)
        verdicts = autosparse.check(w, s=-3, x=np.zeros((3, shape[1]), np.float32),
                                    dy=np.zeros((3, shape[0]), np.float32), got_mask=w, got_v=w, got_dw=w,
                                    got_dx=np.zeros((3, shape[1]), np.float32), got_ds=f32(0))
        assert [verdicts[name].status for name in verdicts] == ['VACUOUS'] * 5
    big = np.full((4, 4), 3e38, np.float32)
    verdicts = autosparse.check(np.ones_like(big), s=-3, x=big, dy=big, got_dw=big, got_ds=f32(np.inf))
    assert [verdicts[name].status for name in verdicts] == ['VACUOUS'] * 2 and 'NOT JUDGED' in verdicts.text()


def test_verdicts_are_those_of_the_command(layer, tmp_path, command):
    got = layer.results(h=np.where(abs(layer.w) > layer.t, f32(ALPHA), f32(1)))
    for name, array in {'w': layer.w, 'x': layer.x, 'dy': layer.dy, **got}.items():
        np.save(tmp_path / f'{name}.npy', array)
    words = [command, 'check', 'autosparse', '--w', 'w.npy', '--s', repr(float(layer.s)), '--alpha', str(ALPHA),
             '--lambda', str(LAMBDA), '--lambda-s', str(LAMBDA_S), '--x', 'x.npy', '--dy', 'dy.npy', '--json']
    for name in got:
        words += [f'--{name.replace("_", "-")}', f'{name}.npy']
    found = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 1, found.stderr
    results = {result['array']: result for result in json.loads(found.stdout)['results']}
    verdicts = layer.check(got)
    assert list(results) == list(verdicts)
    for name, result in results.items():
        verdict = verdicts[name]
        assert result['status'] == verdict.status and result['name'] == verdict.name
        assert result['comparison']['outside'] == verdict.outside
        # Each names options in its own way.
        assert [note.replace('--ds-', 'ds_') for note in result['details']] == verdict.notes
    assert causes(verdicts['dw']) == causes(verdicts['ds']) == ['alpha-wrong-side']


def test_an_autograd_function_by_duck_typing(layer):
    """What torch.Tensor offers, without torch: __dlpack__ alone."""

    class Tensor:
        def __init__(self, array):
            self.array = np.ascontiguousarray(array)

        def __dlpack__(self, **arguments):
            return self.array.__dlpack__(**arguments)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    got = {name: Tensor(np.asarray(array)) for name, array in layer.results().items() if name != 'got_mask'}
    assert autosparse.check(Tensor(layer.w), s=layer.s, alpha=ALPHA, lambda_=LAMBDA, lambda_s=LAMBDA_S,
                            x=Tensor(layer.x), dy=Tensor(layer.dy), **got)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('support', ['dense', 'kept', 'top-half'])
def test_the_references_own_results_have_the_contracts_bits(random, dtype, support):
    layer = Layer(random, out=11, inputs=23, batch=9, dtype=dtype, channels=True)
    alpha = 0 if support == 'kept' else ALPHA
    given = layer.given(alpha=alpha, support=support)
    pruned = autosparse.forward(layer.w, s=layer.s, channels=True)
    gradients = autosparse.backward(layer.w, **given)
    verdicts = autosparse.check(layer.w, **given, got_mask=pruned.mask, got_v=pruned.v, got_dw=gradients.dw,
                                got_dx=gradients.dx, got_ds=gradients.ds, policy='bit-equal')
    assert len(verdicts) == 5 and all(verdicts[name].status == 'PASSED' for name in verdicts), verdicts.text()
