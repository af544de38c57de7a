"""invariance(): on what the bits of a row depend, of callables and of programs."""
import json
import subprocess

import numpy as np
import pytest

import assay

pytestmark = pytest.mark.filterwarnings('ignore:.*encountered in:RuntimeWarning')

def chain(a, b):
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(a.shape[1]):
        total = total + a[:, i:i + 1] * b[i:i + 1]
    return total


def by_batch(a, b):
    return chain(a[:, ::-1], b[::-1]) if a.shape[0] > 3 else chain(a, b)


def test_a_row_that_depends_on_nothing():
    found = assay.invariance(chain, 'gemm', 8, n=3, vary='m=1:5,row')
    assert found and found.invariant and not found.vacuous and found.repeats, found.text()
    assert found.first_change is None and len(found.classes) == 1
    assert found.settings == 15 and found.depends_on == {'m': None, 'row': None}
    assert found.trials == 24 and found.runs > 24 * 15


def test_a_row_that_depends_on_its_batch():
    found = assay.invariance(by_batch, 'gemm', 16, n=2, vary='m=1:6')
    assert not found and not found.invariant
    assert found.first_change['m'] == 4
    first = found.depends_on['m']
    assert (first['setting']['m'], first['against']['m']) == (4, 1)
    assert 0 < first['different'] <= first['results'] and first['got'] != first['was']
    assert [[s['m'] for s in one['settings']] for one in found.classes] == [[1, 2, 3], [4, 5, 6]]
    orders = [one['orders'] for one in found.classes]
    assert orders[0] and orders[1] and orders[0] != orders[1]
    assert 'NOT INVARIANT' in found.text() and 'm=4' in str(found)
    assert json.loads(found.json())['first_change']['m'] == 4


def test_addresses():
    def by_address(a):
        x = a[::-1] if a.__array_interface__['data'][0] % 64 else a
        return np.float32(np.add.accumulate(x)[-1])

    found = assay.invariance(by_address, 'sum', 12, vary='offset=0,16,4')
    assert not found and found.first_change['offset'] == 16
    assert assay.invariance(lambda a: np.float32(np.add.accumulate(a)[-1]), 'sum', 12, vary='offset')


def test_threads_are_a_keyword():
    asked = set()

    def parts(a, threads):
        asked.add(threads)
        half = len(a) // 2
        return np.add.accumulate(a)[-1] if threads == 1 else (np.add.accumulate(a[:half])[-1] +
                                                              np.add.accumulate(a[half:])[-1])

    found = assay.invariance(parts, 'sum', 12, vary='threads=1,2,3', output='float32')
    assert not found and asked >= {1, 2, 3}
    assert [len(one['settings']) for one in found.classes] == [1, 2]


def test_runs_that_differ():
    state = np.random.default_rng(5)
    found = assay.invariance(lambda a: np.float32(a.sum() * state.random()), 'sum', 6, vary='run=2', trees=0)
    assert not found and found.depends_on['run'] is not None


def test_equal_bits_that_say_nothing():
    found = assay.invariance(lambda a: np.float32(0), 'sum', 6, vary='run=2')
    assert not found and found.vacuous and 'VACUOUS' in found.text()


def test_a_program_as_the_command(command):
    # The first value of a: the shell is enough of a program that depends on nothing else.
    program = 'while read h; do read a; read b; set -- $a; echo $1; done'
    options = ['invariance', 'dot', '--k', '8', '--form', 'text', '--vary', 'run=2', '--round', '1', '--trials', '3',
               '--trees', '0', '--json', '--got-from', program]
    said = subprocess.run([command, *options], capture_output=True, text=True, check=False)
    found = assay.invariance(program, 'dot', 8, vary='run=2', form='text', round=1, trials=3, trees=0)
    assert json.loads(found.json()) == json.loads(said.stdout)
    assert found and said.returncode == 0


def test_a_program_that_breaks_off():
    with pytest.raises(RuntimeError):
        assay.invariance('exit 3', 'dot', 8, vary='run=2', seconds=20)


def test_a_callable_that_raises():
    with pytest.raises(ZeroDivisionError):
        assay.invariance(lambda a: 1 // 0, 'sum', 4, vary='run=2')


@pytest.mark.parametrize('arguments, error, words', [
    (dict(vary='q=1'), assay.ContractError, 'vary'), (dict(vary='row'), assay.ContractError, 'two settings'),
    (dict(vary='m=1,m=2'), assay.ContractError, 'once'), (dict(vary='offset=64,0'), assay.ContractError, '63'),
    (dict(vary='m=2:'), assay.ContractError, 'vary m'), (dict(vary='m=1,2', trials=0), assay.ContractError, 'trials'),
    (dict(vary='m=1,2', a='f31'), assay.InputError, 'f31'),
    (dict(vary='m=1,2', offset=64), assay.ContractError, 'offset'),
    (dict(vary='m=1,2', round=0), assay.ContractError, 'round'),
])
def test_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        assay.invariance(chain, 'gemm', 8, **arguments)


def test_neither_a_callable_nor_a_program():
    with pytest.raises(TypeError, match='callable'):
        assay.invariance(7, 'sum', 8, vary='run=2')
    with pytest.raises(assay.InputError, match='binary'):
        assay.invariance('cat', 'sum', 8, vary='run=2', form='morse')
