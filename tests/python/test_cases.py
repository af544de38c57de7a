"""gen() and verify(): the cases of the command, and what it says of answers to them."""
import subprocess

import numpy as np
import pytest

import assay


def dots(cases):
    return np.array([np.dot(c['a'].astype(np.float64), c['b'].astype(np.float64)) for c in cases], np.float32)


@pytest.mark.parametrize('arguments', [
    dict(operation='dot', values='hard', k=(1, 40), format='bf16'), dict(operation='sum', values='integers', k=12),
    dict(operation='gemm', k=5, m=3, n=2, with_c=True), dict(operation='dot', k='1:9', with_c=True, format='f64'),
])
def test_cases_are_those_of_the_command(command, arguments):
    def text(name, value):
        if value is True:
            return [f'--{name}'.replace('_', '-')]
        return [f'--{name}', ':'.join(map(str, value)) if isinstance(value, tuple) else str(value)]

    words = [x for name, value in arguments.items() if name != 'operation' for x in text(name, value)]
    said = subprocess.run([command, 'gen', arguments['operation'], *words, '--cases', '20', '--seed', '7', '--as',
                           'binary'], capture_output=True, check=True).stdout
    made = b''
    for case in assay.gen(**arguments, cases=20, seed=7):
        k = case['a'].shape[-1]
        sizes = [*case['a'].shape[:-1], *case['b'].shape[1:], k] if arguments['operation'] == 'gemm' else [k]
        made += np.array(sizes, '<u4').tobytes() + b''.join(x.tobytes() for x in case.values())
    assert made == said


def test_right_answers_pass_and_wrong_ones_fail():
    question = dict(values='integers', k=(1, 30), cases=50, seed=3)
    answers = dots(assay.gen('dot', **question))
    verdict = assay.verify('dot', answers, **question)
    assert verdict and verdict.status == 'PASSED' and verdict.values == 50
    assert 'the exact result' in verdict.evidence
    answers[17] += 1
    verdict = assay.verify('dot', answers, **question)
    assert not verdict and verdict.differ == 1
    assert not assay.verify('dot', answers, **(question | dict(seed=4)))


def test_answers_of_a_unit():
    question = dict(values='hard', k=(1, 40), cases=40, format='bf16')
    answers = [assay.dot(c['a'], c['b'], 'tdpbf16ps') for c in assay.gen('dot', **question)]
    answers = np.array([np.float32(x.item()) for x in answers])
    verdict = assay.verify('dot', answers, **question, unit='tdpbf16ps')
    assert verdict and 'tdpbf16ps' in verdict.name
    assert not assay.verify('dot', answers, **question, unit='sm90.bf16')


def test_counts_that_wrap_are_refused():
    for sizes in (dict(m=4, n=1, cases=2**62), dict(m=2**32, n=2**32, cases=1), dict(m=2**62 + 1, n=4, cases=1)):
        with pytest.raises(assay.ContractError):
            assay.verify('gemm', np.zeros(4, np.float32), k=1, **sizes)


def test_sizes_are_numpys_integers_too():
    assert len(assay.gen('dot', k=np.int64(3), cases=np.int64(2), b_format=None)) == 2


def test_products_of_matrices():
    question = dict(k=6, m=3, n=2, cases=9, with_c=True)
    cases = assay.gen('gemm', **question)
    assert [x.shape for x in cases[0].values()] == [(3, 6), (6, 2), (3, 2)]
    answers = np.stack([c['c'] + c['a'] @ c['b'] for c in cases])
    assert assay.verify('gemm', answers, **question)
    assert not assay.verify('gemm', answers[::-1].copy(), **question)


@pytest.mark.parametrize('arguments, error', [
    (dict(operation='dto'), assay.InputError), (dict(operation='dot', values='hrad'), assay.InputError),
    (dict(operation='dot', k=0), assay.InputError), (dict(operation='dot', k='1:x'), assay.InputError),
    (dict(operation='dot', k=(1, 2, 3)), assay.ContractError), (dict(operation='dot', k=8.0), TypeError),
    (dict(operation='dot', cases=-1), assay.ContractError), (dict(operation='dot', seed=True), TypeError),
    (dict(operation='dot', with_c='no'), TypeError), (dict(operation='gemm', m=2**40), assay.ContractError),
    (dict(operation='gemm', m=2**63, n=2**63), assay.ContractError), (dict(operation='dot', m=2), assay.ContractError),
    (dict(operation='sum', with_c=True), assay.ContractError), (dict(operation='dot', cases=0), assay.ContractError),
    (dict(operation='sum', values='integers', k=1000, output='bf16'), assay.ContractError),
    (dict(operation='dot', format='f31'), assay.InputError), (dict(operation='dot', unit='x'), TypeError),
])
def test_cases_that_cannot_be_made(arguments, error):
    with pytest.raises(error):
        assay.gen(**arguments)


@pytest.mark.parametrize('answers, arguments, error', [
    (np.zeros(3, np.float32), {}, assay.ContractError), (np.zeros(4), {}, assay.ContractError),
    (np.zeros(4, int), {}, TypeError), (np.zeros(4, np.float32), dict(unit='vdpbf16ps'), assay.ContractError),
    (np.zeros(4, np.float32), dict(policy='bound'), TypeError), (np.zeros(4, np.float32), dict(threads='x'), TypeError),
])
def test_answers_that_are_none(answers, arguments, error):
    with pytest.raises(error):
        assay.verify('dot', answers, cases=4, **arguments)
