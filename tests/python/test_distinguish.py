"""distinguish(): the input that tells two arithmetics apart, as the command finds it."""
import json
import subprocess

import numpy as np
import pytest

import assay


def same_bits(x, y):
    return np.asarray(x).view(np.uint32) == np.asarray(y).view(np.uint32)


@pytest.mark.parametrize('x, y', [('sm80.bf16', 'sm90.bf16'), ('chain_f32', 'lanes4_f32'), ('vdpbf16ps', 'tdpbf16ps')])
def test_the_input_gives_both_results(x, y):
    found = assay.distinguish(x, y)
    assert found, found.text()
    assert found.by_value and found.tried > 0
    for unit, result in (x, found.x_result), (y, found.y_result):
        assert same_bits(assay.dot(found.a, found.b, unit, found.c), result)
    assert not same_bits(found.x_result, found.y_result)


def test_as_the_command(command):
    said = subprocess.run([command, 'distinguish', 'sm80.bf16', 'sm90.bf16', '--json'], capture_output=True, text=True,
                          check=True).stdout
    found = assay.distinguish('sm80.bf16', 'sm90.bf16')
    assert json.loads(found.json()) == json.loads(said)
    want = json.loads(said)
    assert [f'0x{x:04x}' for x in found.a.view(np.uint16)] == want['a']
    assert f'0x{int(found.x_result.view(np.uint32)):08x}' == want['x_result']
    shown = subprocess.run([command, 'distinguish', 'sm80.bf16', 'sm90.bf16'], capture_output=True, text=True,
                           check=True).stdout
    assert found.text() == shown


def test_nothing_found():
    found = assay.distinguish('chain_f32', 'chain_f32', limit=50)
    assert not found and found.a is None and found.x_result is None and 0 < found.tried <= 50
    assert 'no proof' in found.text()


def test_formats_and_terms():
    found = assay.distinguish('chain_f32', 'chain_f64', a_format='bf16', b_format=np.float16, output='float32', k=5)
    assert found and found.a.dtype.name == 'bfloat16' and found.b.dtype == np.float16 and found.a.shape == (5,)
    assert found.x_result.dtype == found.y_result.dtype == np.float32


@pytest.mark.filterwarnings('ignore:.*encountered in:RuntimeWarning')
def test_probes():
    def backwards(a, b):
        return np.dot(a[::-1].astype(np.float64), b[::-1].astype(np.float64)).astype(np.float32)

    probe = assay.probe(backwards, 'dot', 6, results=50)
    found = assay.distinguish(probe, 'chain_f32')
    assert found and found.a.shape == (6,) and found.c is None and found.x == 'backwards'
    assert same_bits(found.x_result, backwards(found.a, found.b))
    with pytest.raises(assay.ContractError, match='revealed for 6'):
        assay.distinguish(probe, 'chain_f32', k=7)


@pytest.mark.parametrize('arguments, error, words', [
    (('sm80.bf61', 'sm90.bf16'), assay.InputError, 'sm80.bf16'),
    (('sm80.bf16', 'sm90.wgmma.f8_e4m3'), assay.ContractError, 'the same formats'),
    ((7, 'sm90.bf16'), TypeError, 'unit'),
])
def test_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        assay.distinguish(*arguments)


@pytest.mark.parametrize('arguments, error, words', [
    (dict(a_format='bf16'), assay.ContractError, 'a_format and b_format'),
    (dict(output='f31'), assay.InputError, 'output'),
    (dict(k=0), assay.InputError, 'k takes '), (dict(limit=0), assay.InputError, 'limit'),
])
def test_refused_options(arguments, error, words):
    with pytest.raises(error, match=words):
        assay.distinguish('chain_f32', 'chain_f64', **arguments)
