import json
import subprocess

import ml_dtypes
import numpy as np
import pytest

import assay
from assay.testing import assert_agrees


def test_equal_arrays_pass(random):
    x = random.standard_normal((33, 17)).astype(np.float32)
    verdict = assay.compare(x, x.copy())
    assert verdict and verdict.status == 'PASSED'
    assert (verdict.values, verdict.bit_equal, verdict.differ, verdict.outside) == (561, 561, 0, 0)
    assert verdict.worst is None and verdict.where == ''
    assert assert_agrees(x, x).status == 'PASSED'


@pytest.mark.parametrize('index', [(0, 0), (5, 16), (32, 0), (32, 16)])
def test_one_flipped_bit_is_found(random, index):
    want = random.standard_normal((33, 17)).astype(ml_dtypes.bfloat16)
    got = want.copy()
    got.view(np.uint16)[index] ^= 1
    verdict = assay.compare(got, want)
    assert verdict.status == 'FAILED' and not verdict
    assert (verdict.differ, verdict.outside) == (1, 1)
    assert verdict.worst['index'] == index
    assert abs(verdict.worst['ulps']) == 1
    assert verdict.worst['got_code'] == verdict.worst['want_code'] ^ 1
    assert verdict.worst['got'] == float(got[index])


def test_failure_is_the_judges_text(random):
    want = random.standard_normal((64, 33)).astype(np.float32)
    got = want.copy()
    got[:, 32] = 0
    with pytest.raises(AssertionError) as failure:
        assert_agrees(got, want, name='my kernel')
    text = str(failure.value)
    assert text.strip() == assay.compare(got, want, name='my kernel').text().strip()
    assert text.lstrip().startswith('FAILED  my kernel')
    assert '64 of 64 in column 32' in text and 'got is zero there' in text


def test_vacuous_agreement_is_an_error():
    zeros = np.zeros(100, np.float32)
    assert assay.compare(zeros, zeros).status == 'VACUOUS'
    with pytest.raises(AssertionError, match='VACUOUS'):
        assert_agrees(zeros, zeros)
    assert_agrees(zeros, zeros, expects_zero=True)
    with pytest.raises(AssertionError, match='VACUOUS'):
        assert_agrees(np.empty((0, 3), np.float32), np.empty((0, 3), np.float32))


def test_text_and_json_are_those_of_the_command(random, tmp_path, command):
    want = random.standard_normal((40, 24)).astype(np.float32)
    got = want.copy()
    got[7] *= 1.5
    np.save(tmp_path / 'got.npy', got)
    np.save(tmp_path / 'want.npy', want)
    for policy, options, arguments in [
            ('bit-equal', assay.compare(got, want), []),
            ('correctly-rounded', assay.compare(got, want, 'correctly-rounded'), ['--policy', 'correctly-rounded']),
            ('tolerance', assay.compare(got, want, assay.tolerance(atol=0.5, because='a test')),
             ['--policy', 'tolerance', '--atol', '0.5', '--because', 'a test'])]:
        line = [command, 'compare', tmp_path / 'got.npy', tmp_path / 'want.npy', *arguments]
        printed = subprocess.run(line, capture_output=True, text=True, check=False).stdout.splitlines()
        mine = options.text().splitlines()
        shown = [row for row in printed[1:] if not row.lstrip().startswith('repro')]
        assert mine[1:] == shown, policy
        found = json.loads(subprocess.run([*line, '--json'], capture_output=True, text=True, check=False).stdout)
        assert json.loads(options.json()) == found['comparison']


def test_policies_by_name():
    names = [policy.name for policy in assay.policies()]
    assert {'bit-equal', 'bit-equal-any-nan', 'correctly-rounded', 'bound'} <= set(names)
    quiet, other = np.array([0x7FC00000, 1], np.uint32), np.array([0x7FC00001, 1], np.uint32)
    got, want = assay.codes(quiet, 'f32'), assay.codes(other, 'f32')
    assert assay.compare(got, want).status == 'FAILED'
    assert assay.compare(got, want, 'bit-equal-any-nan').status == 'PASSED'
    assert assay.compare(got, want, assay.policies()[names.index('bit-equal-any-nan')]).status == 'PASSED'


def test_policies_of_a_file(tmp_path):
    path = tmp_path / 'policies.toml'
    path.write_text('[loose]\nkind = "bound"\nfactor = 4\nbecause = "a test"\n')
    loose, = assay.policies(str(path))
    assert (loose.name, loose.kind, loose.factor, loose.because) == ('loose', 'bound', 4, 'a test')
    path.write_text('[loose]\nkind = "guess"\n')
    with pytest.raises(assay.InputError, match='guess'):
        assay.policies(str(path))


def test_tolerance_needs_a_reason():
    with pytest.raises(assay.ContractError, match='reason'):
        assay.tolerance(atol=1e-3, because='')
    with pytest.raises(TypeError):
        assay.tolerance(atol=1e-3)


def test_tolerance_and_bound_decide_at_the_edge():
    want = np.array([1.0, 2.0, 4.0])
    got = want + 0.25
    reason = 'a test'
    assert assay.compare(got, want, assay.tolerance(atol=0.25, because=reason)).status == 'PASSED'
    assert assay.compare(got, want, assay.tolerance(atol=0.2499, because=reason)).status == 'FAILED'
    assert assay.compare(got, want, 'bound', bound=np.full(3, 0.25)).status == 'PASSED'
    failed = assay.compare(got, want, 'bound', bound=[0.25, 0.2, 0.25])
    assert (failed.status, failed.outside, failed.worst['index']) == ('FAILED', 1, (1,))
    assert failed.max_over_bound == pytest.approx(1.25)


def test_formats_that_differ():
    want = np.array([1.001, 2.0], np.float32)
    got = want.astype(ml_dtypes.bfloat16)
    with pytest.raises(assay.ContractError):
        assay.compare(got, want)
    assert assay.compare(got, want, convert=True).status == 'PASSED'
    assert assay.compare(got, want, convert=True, rounding='toward-positive').status == 'FAILED'
    with pytest.raises(assay.ContractError, match='stochastic'):
        assay.compare(got, want, convert=True, rounding='stochastic')


def test_stale_memory_that_would_pass_is_named():
    want = np.arange(1, 9, dtype=np.float32)
    assert not any('stale' in text or 'held before' in text for text in assay.compare(want, want).weaknesses)
    with_stale = assay.compare(want, want, stale=want.copy()).weaknesses
    assert len(with_stale) == len(assay.compare(want, want).weaknesses) + 1


@pytest.mark.parametrize('arguments, error, words', [
    ((np.ones(3), np.ones(4)), ValueError, 'shape'),
    ((np.ones(3), np.ones(3), 'bit-equals'), assay.InputError, 'bit-equal'),
    ((np.ones(3), np.ones(3), 7), TypeError, ''),
    ((np.ones(3), np.ones(3), 'bound'), assay.ContractError, 'bound'),
    ((np.ones(3), np.array([1, 2, 3])), TypeError, 'int64'),
    ((np.ones(3), np.array(['a'] * 3)), TypeError, 'str'),
    ((np.ones(3), np.ones(3, complex)), TypeError, 'complex'),
    ((np.ones(3), None), TypeError, 'object'),
    ((np.array([1]), np.array([1.0])), TypeError, 'int64'),
])
def test_misuse_is_an_exception(arguments, error, words):
    with pytest.raises(error, match=words or None):
        assay.compare(*arguments)


def test_threads_change_nothing(random):
    want = random.standard_normal(300_000)
    got = want * (1 + 1e-16 * random.integers(-4, 4, want.size))
    texts = {assay.compare(got, want, threads=threads).json() for threads in (1, 2, 3)}
    assert len(texts) == 1
    with pytest.raises(assay.ContractError):
        assay.compare(got, want, threads=-1)


@pytest.mark.parametrize('dtype', [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64])
def test_integers_are_compared_as_integers(dtype):
    info = np.iinfo(dtype)
    want = np.array([[1, info.max], [info.min, 7]], dtype)
    got = want.copy()
    got[0, 1] -= 1
    verdict = assay.compare(got, want)
    assert verdict.status == 'FAILED' and verdict.outside == 1
    worst = verdict.worst
    assert (worst['got'], worst['want'], worst['difference']) == (info.max - 1, info.max, -1)
    assert isinstance(worst['want'], int) and worst['index'] == (0, 1)
    assert f'want {info.max} got {info.max - 1}, difference -1' in verdict.text()
    assert 'ulp' not in verdict.text() + verdict.statistics() and 'NaN' not in verdict.text()
    assert verdict.format is None
    found = json.loads(verdict.json())
    assert found['format'] == np.dtype(dtype).name and found['worst']['want']['value'] == info.max
    assert assay.compare(got, want, assay.tolerance(atol=1, because='a test')).status == 'PASSED'
    assert assay.compare(want, want[:, ::-1][:, ::-1]).status == 'PASSED'
    assert assay.compare(want[::-1], want).status == 'FAILED'  # a view with strides


def test_integers_and_bool_beside_others():
    flags = np.array([True, False])
    assert assay.compare(flags, ~flags).outside == 2
    with pytest.raises(assay.ContractError, match='int32 and int64'):
        assay.compare(np.array([1], np.int32), np.array([1], np.int64))
    assert assay.compare(np.array([1], np.int32), np.array([1], np.int64), convert=True).status == 'PASSED'
    assert assay.compare(np.array([-1], np.int64), np.array([2**64 - 1], np.uint64), convert=True).outside == 1
    with pytest.raises(TypeError, match='int64'):
        assay.compare(np.array([1]), np.array([1.0]))


def test_what_would_pass_passes(random):
    want = random.standard_normal(200)
    got = want * (1 + 1e-9 * random.standard_normal(200))
    would = assay.compare(got, want).would_pass
    assert would['policy'] is None
    for key in 'atol', 'rtol', 'ulps':
        assert assay.compare(got, want, assay.tolerance(**{key: would[key]}, because='a test')).status == 'PASSED', key
    zeros = assay.compare(np.array([-0.0, 1]), np.array([0.0, 1]))
    assert assay.compare(np.array([-0.0, 1]), np.array([0.0, 1]), zeros.would_pass['policy']).status == 'PASSED'


def test_a_truth_of_nan_alone_is_vacuous():
    assert assay.compare(np.full(3, np.nan), np.full(3, np.nan)).status == 'VACUOUS'


def test_dicts_are_paired_by_name(random):
    x = random.standard_normal((4, 5)).astype(np.float32)
    ids = np.arange(3)
    verdicts = assay.compare({'x': x, 'ids': ids}, {'ids': ids, 'x': x})
    assert verdicts and verdicts.status == 'PASSED' and list(verdicts) == ['ids', 'x'] and len(verdicts) == 2
    assert_agrees({'x': x}, {'x': x})
    verdicts = assay.compare({'x': x + 1, 'more': x}, {'x': x, 'lost': x})
    assert (verdicts.status, verdicts.missing, verdicts.extra) == ('FAILED', ['lost'], ['more'])
    said = json.loads(verdicts.json())
    assert (said['status'], said['missing'], said['extra']) == ('FAILED', ['lost'], ['more'])
    assert {name: json.dumps(one) for name, one in said['arrays'].items()} == {
        name: json.dumps(json.loads(verdicts[name].json())) for name in verdicts}
    assert verdicts['x'].outside == 20 and 'MISSING lost' in verdicts.text()
    assert assay.compare({'x': x, 'more': x}, {'x': x}).status == 'FAILED'
    assert assay.compare({}, {}).status == 'VACUOUS'
    with pytest.raises(KeyError):
        verdicts['lost']
    with pytest.raises(TypeError, match='dict'):
        assay.compare({'x': x}, x)
    with pytest.raises(AssertionError, match='EXTRA   more'):
        assert_agrees({'x': x, 'more': x}, {'x': x})
    bound = assay.compare({'x': x + 0.25}, {'x': x}, 'bound', bound={'x': np.full((4, 5), 0.3)})
    assert bound['x'].outside == 0
