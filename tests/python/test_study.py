"""study(): error and bias of sums, of roundings, and of the answers of sparse networks."""
import json
import subprocess

import numpy as np
import pytest

import assay


def said(command, *options):
    return json.loads(subprocess.run([command, 'study', *options, '--json'], capture_output=True, text=True,
                                     check=True).stdout)


def test_dot_as_the_command(command):
    want = said(command, 'dot', '--unit', 'sm80.bf16', '--acc', 'f32', '--acc', 'bf16', '--order', 'pairwise', '--mode',
                'RZ', '--n', '1:200', '--trials', '10', '--seed', '3')
    found = assay.study('dot', unit='sm80.bf16', acc=['f32', assay.Format('bf16')], order='pairwise', mode='RZ',
                        n='1:200', trials=10, seed=3)
    assert found and found.outside == 0 and found.name == 'dot' and found.seed == 3
    assert json.loads(found.json()) == want
    assert [s['name'] for s in found.series] == [s['name'] for s in want['series']]
    for series, wanted in zip(found.series, want['series']):
        for point, one in zip(series['points'], wanted['points']):
            assert point['x'] == one['n'] and point['rms'] == one['rms'] and point['bound'] == one['bound']
    assert found.series[0]['unit'] == 'sm80.bf16' and found.series[1]['unit'] is None


def test_sums_of_one_term_err_by_their_rounding_alone():
    found = assay.study('sum', format='float32', acc='float32', n=[1, 7], trials=20, values=['positive', 'normal'])
    assert [s['values'] for s in found.series] == ['positive', 'normal']
    for series in found.series:
        first, last = series['points']
        assert (first['x'], first['rms'], first['max'], first['bias']) == (1, 0, 0, 0)
        assert 0 < last['rms'] <= last['max'] <= last['bound'] == pytest.approx(6 * 2**-24, rel=1e-6)


def test_toward_zero_is_biased_as_much_as_it_errs():
    found = assay.study('convert', format='bf16', mode=['RZ', 'nearest-even'], n=4096, trials=8)
    zero, nearest = (s['points'][0] for s in found.series)
    assert zero['bias'] < -2**-10 and abs(nearest['bias']) < 2**-12
    assert [p['x'] for p in found.by_magnitude[0]['points']] == [2.0**e for e in range(-30, 19)]
    assert set(found.csv()) == {'', '-magnitude'} and all(s.startswith('<svg') for s in found.svg().values())


def test_convert_as_the_command(command):
    want = said(command, 'convert', '--format', 'f8_e4m3', '--mode', 'SR', '--n', '7,64', '--trials', '5')
    found = assay.study('convert', format='f8_e4m3', mode='SR', n=[7, 64], trials=5)
    assert json.loads(found.json()) == want
    magnitudes = want['by_magnitude']['series'][0]['points']
    assert [p['rms'] for p in found.by_magnitude[0]['points']] == [p['rms'] for p in magnitudes]


@pytest.mark.filterwarnings('ignore:.*encountered in:RuntimeWarning')
def test_a_probe_errs_as_what_it_was_found_to_be():
    def lanes(a, b):
        products = (a.astype(np.float64) * b).astype(np.float32)
        return np.add.accumulate(products)[-1]

    probe = assay.probe(lanes, 'dot', 16, results=50, name='rounded products')
    found = assay.study('dot', unit=[probe], acc='f32', product='f32', n=16, trials=20)
    revealed, chain = (s['points'][0] for s in found.series)
    assert (revealed['rms'], revealed['bias']) == (chain['rms'], chain['bias'])
    assert found.series[0]['name'].startswith('rounded products')
    with pytest.raises(assay.InputError, match='16'):
        assay.study('dot', unit=probe, n=15)


def test_bf16_as_the_command(command):
    want = said(command, 'bf16', 'spmm', '--shape', '8x64x4', '--sparsity', '50', '--sparsity', '90', '--contract',
                'vdpbf16ps', '--contract', 'chain_bf16_fused', '--seed', '3')
    found = assay.study('bf16', operation='spmm', shape=(8, 64, 4), sparsity=[50, 90],
                        contract=['vdpbf16ps', 'chain_bf16_fused'], seed=3)
    assert found and found.outside == 0 and found.series == [] and json.loads(found.json()) == want
    assert [r['contract'] for r in found.results] == 2 * ['vdpbf16ps', 'chain_bf16_fused']
    for result, one in zip(found.results, want['results']):
        assert result['shape'] == (8, 64, 4) and result['from_exact'] == one['from_exact']
        assert 0 <= result['error_over_bound'] == one['error_over_bound'] <= 1
    assert set(found.svg()) == {'bf16-float32', 'bf16-exact', 'bf16-bound'}


def test_bf16_shapes_and_refusals():
    assert len(assay.study('bf16', operation='sddmm', shape=['4x5x6', (3, 4, 5)], sparsity=20,
                           contract='sm80.bf16').results) == 2
    for arguments, error, words in (
            (dict(), assay.InputError, 'spmm'), (dict(operation='spmm', shape='4x4'), assay.InputError, 'MxKxN'),
            (dict(operation='spmm', shape=[7]), TypeError, 'shape'),
            (dict(operation='spmm', sparsity=100), assay.InputError, 'sparsity'),
            (dict(operation='spmm', contract='sm80.f16'), assay.ContractError, 'contract sm80.f16'),
            (dict(operation='spmm', n=4), TypeError, "'n'")):
        with pytest.raises(error, match=words):
            assay.study('bf16', **arguments)


def test_gradients_as_the_command(command):
    want = said(command, 'bf16', 'autosparse', '--width', '16,24', '--sparsity', '80', '--alpha', '0,0.5', '--format',
                'bf16,f8_e4m3', '--rounding', 'SR', '--batch', '4', '--lambda', '0.5', '--seed', '3')
    found = assay.study('bf16', operation='autosparse', width=[16, 24], sparsity=80, alpha=(0, 0.5),
                        format=[assay.Format('bf16'), 'f8_e4m3'], rounding='SR', batch=4, lambda_=0.5, seed=3)
    assert found and found.outside == 0 and found.results == [] and json.loads(found.json()) == want
    assert found.gradients == want['results'] and found.master_weights == want['master_weights']
    assert [(g['width'], g['alpha'], g['format']) for g in found.gradients] == [
        (width, alpha, format) for width in (16, 24) for format in ('bf16', 'f8_e4m3') for alpha in (0, 0.5)]
    for gradient in found.gradients:
        assert 0 < gradient['v']['relative'] < 0.2 and 0 < gradient['dX']['error_over_bound'] <= 1
        assert gradient['dW']['cosine'] > 0.99 and gradient['ds_sums']['stated'] == gradient['ds']['relative']
    assert set(found.csv()) == {'', '-masters'} and 'autosparse-dw-width' in found.svg()
    assert repr(found) == '<Study bf16 autosparse: 8 results>'


def test_gradients_that_cannot_be_asked():
    for arguments, error, words in (
            (dict(width=1), assay.InputError, '^width'), (dict(width='wide'), TypeError, 'width'),
            (dict(sparsity=100), assay.InputError, 'below 100'), (dict(alpha=2), assay.InputError, 'from 0 to 1'),
            (dict(format='f64'), assay.InputError, '^format'), (dict(rounding='XX'), assay.InputError, 'RNE'),
            (dict(lambda_=-1), assay.InputError, '^lambda_'), (dict(shape='4x4x4'), TypeError, "'shape'"),
            (dict(format='f32', unit='sm80.bf16'), assay.ContractError, 'unit sm80.bf16')):
        with pytest.raises(error, match=words):
            assay.study('bf16', operation='autosparse', **arguments)


def test_files(tmp_path):
    found = assay.study('gemm', unit='sm90.bf16', n='1:16', trials=4)
    found.save(tmp_path / 'gemm.html')
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ['gemm-study-bias.svg', 'gemm-study-max.svg', 'gemm-study-rms.svg', 'gemm.csv', 'gemm.html',
                     'gemm.json']
    assert (tmp_path / 'gemm.json').read_text() == found.json()
    assert (tmp_path / 'gemm-study-rms.svg').read_text() == found.svg()['study-rms']
    with pytest.raises(assay.InputError, match='NAME.html'):
        found.save(tmp_path / 'gemm.txt')
    with pytest.raises(assay.InputError, match='missing'):
        found.save(tmp_path / 'missing' / 'gemm.html')


@pytest.fixture
def network(tmp_path):
    """One layer, two outputs, four pixels; two test images beside it. 0.999 is 1 in bfloat16."""
    mnist, net = tmp_path / 'data' / 'mnist', tmp_path / 'net'
    mnist.mkdir(parents=True)
    net.mkdir()
    (mnist / 't10k-images-idx3-ubyte').write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 255, 0, 0, 0,
                                                          0, 255, 0, 0]))
    (mnist / 't10k-labels-idx1-ubyte').write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 0, 1]))
    (net / 'weights-l1-dense.tsv').write_text('1\n0\n0.999\n1\n0\n0\n0\n0\n')
    (net / 'biases-l1-dense.tsv').write_text('0\n0\n')
    return dict(data=tmp_path / 'data', network=net)


def test_answers_that_a_rounding_turns(network, command):
    found = assay.study('spdnn', weights=['bf16', 'f16'], **network)
    assert found.images == 2 and found.right == 2 and found.series == []
    turned, same = found.cases
    assert (turned['weights'], turned['right'], same['changed']) == ('bf16', 1, [])
    (change,) = turned['changed']
    assert (change['image'], change['reference'], change['answer']) == (2, 1, 0)
    assert change['margin'] == pytest.approx(1e-3, rel=1e-3)
    assert json.loads(found.json()) == said(command, 'spdnn', '--weights', 'bf16', '--weights', 'f16', '--network',
                                            str(network['network']), '--data', str(network['data']))
    with pytest.raises(assay.InputError, match='images'):
        assay.study('spdnn', images=3, **network)


def test_the_challenge_on_a_file(tmp_path):
    inputs = tmp_path / 'inputs.tsv'
    inputs.write_text(''.join(f'{i}\t{p}\t1\n' for i in range(1, 21) for p in range(1, 1025)
                              if (p * 7 + i * i) % (4 + i % 9) == 0))
    found = assay.study('spdnn', inputs=inputs, layers=3, acc=['f32', 'f8_e4m3'])
    exact, narrow = found.cases
    assert found.images == 20 and found.right is None or found.right == 0
    assert exact['changed'] == [] and exact['categories'] == found.categories
    assert narrow['categories'] == found.categories - narrow['lost'] + narrow['gained']


@pytest.mark.parametrize('study, arguments, error, words', [
    ('dott', {}, assay.InputError, 'dot'), ('dot', dict(n='10:1'), assay.InputError, '^n takes '),
    ('dot', dict(n=0), assay.InputError, '^n takes '), ('dot', dict(format='f31', n=4), assay.InputError, 'format'),
    ('dot', dict(unit='sm80.bf61', n=4), assay.InputError, 'sm80.bf16'), ('dot', dict(unit=7, n=4), TypeError, 'unit'),
    ('dot', dict(mode='XX', n=4), assay.InputError, '^mode takes '),
    ('dot', dict(order='any', n=4), assay.ContractError, '^order'),
    ('dot', dict(trials=0, n=4), assay.ContractError, 'trials'), ('dot', dict(trials='x', n=4), TypeError, 'trials'),
    ('dot', dict(neurons=1024), TypeError, 'neurons'), ('convert', dict(acc='f32', n=4), assay.ContractError, 'acc'),
    ('sum', dict(product='f32', n=4), assay.ContractError, 'product'), ('spdnn', dict(n=4), TypeError, "'n'"),
    ('spdnn', dict(neurons=1000), assay.InputError, '1024'), ('spdnn', dict(layers=0), assay.InputError, 'layers'),
    ('spdnn', dict(acc='bf16:XX'), assay.InputError, 'acc'),
    ('spdnn', dict(network='missing'), assay.InputError, 'weights'),
    ('dot', dict(threads=-1, n=4), assay.ContractError, 'thread'),
])
def test_refused(study, arguments, error, words):
    with pytest.raises(error, match=words):
        assay.study(study, **arguments)
