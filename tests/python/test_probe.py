import json
import signal
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import assay

# A probe asks for overflows, too, and NumPy warns of them.
pytestmark = pytest.mark.filterwarnings('ignore:.*encountered in:RuntimeWarning')


def float32(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def sequential(a, b):
    total = np.float32(0)
    for x, y in zip(a, b):
        total = np.float32(total + np.float32(x * y))
    return total


def backwards(a, b):
    return sequential(a[::-1], b[::-1])


def in_halves(a, b):
    products = a * b
    while products.size > 1:
        products = products[:products.size // 2] + products[products.size // 2:]
    return products[0]


@pytest.mark.parametrize('function', [sequential, pytest.param(backwards, marks=pytest.mark.full), in_halves])
def test_orders_are_found_and_predicted(random, function):
    found = assay.probe(function, 'dot', 16, results=300)
    assert found and found.predicted, found.text()
    assert (found.wrong, found.without_tree, found.trees) == (0, 0, 1)
    assert found.results >= 900
    assert found.runs > 15
    assert found.name == function.__name__
    a, b = float32(random, 50, 16), float32(random, 50, 16)
    got = assay.dot(a, b, found)
    want = np.array([function(x, y) for x, y in zip(a, b)])
    assert (got.view(np.uint32) == want.view(np.uint32)).all()


@pytest.mark.full
def test_orders_differ():
    orders = {f: assay.probe(f, 'dot', 16, results=10).order() for f in (sequential, backwards, in_halves)}
    assert len(set(orders.values())) == 3


@pytest.mark.parametrize('k', [4, pytest.param(12, marks=pytest.mark.full)])
def test_wider_accumulators_are_seen(k):
    found = assay.probe(lambda a, b: np.float32(sum(np.float64(x) * np.float64(y) for x, y in zip(a, b))), 'dot', k,
                        results=300)
    assert found, found.text()
    assert 'float64' in found.text()


@pytest.mark.parametrize('k', [20, pytest.param(150, marks=pytest.mark.full)])
def test_numpys_sum_is_predicted(random, k):
    found = assay.probe(np.sum, 'sum', k, results=1000)
    assert found, found.text()
    x = float32(random, k)
    assert assay.dot(x, np.ones_like(x), found) == np.sum(x)


@pytest.mark.full
def test_numpys_mean_is_predicted(random):
    found = assay.probe(np.mean, 'mean', 9, results=500)
    assert found, found.text()
    assert 'a division by the number of terms' in found.text()
    x = float32(random, 9)
    assert assay.dot(x, np.ones_like(x), found) == np.mean(x)


@pytest.mark.parametrize('m, n, k', [(2, 3, 10), pytest.param(5, 3, 40, marks=pytest.mark.full)])
def test_numpys_matmul_is_predicted(random, m, n, k):
    found = assay.probe(np.matmul, 'gemm', k, m=m, n=n, results=1000)
    assert found, found.text()
    assert len(found.tree_of) == m * n
    a, b = float32(random, m, k), float32(random, k, n)
    assert (assay.gemm(a, b, found).view(np.uint32) == np.matmul(a, b).view(np.uint32)).all()


@pytest.mark.parametrize('alpha, beta', [(0.7, 0.3), (-1.5, 0), pytest.param(1, 0.3, marks=pytest.mark.full)])
def test_alpha_and_beta(random, alpha, beta):
    asked = set()

    def blas(a, b, c, alpha, beta):
        asked.add((alpha, beta))
        alpha, beta = np.float32(alpha), np.float32(beta)
        total = np.zeros_like(c)
        for i in range(a.shape[1]):
            total += a[:, i:i + 1] * b[i:i + 1]
        return alpha * total + beta * c if beta else alpha * total

    found = assay.probe(blas, 'gemm', 8, m=2, n=2, c='float32', results=300, alpha=alpha, beta=beta)
    assert found, found.text()
    assert f'alpha={alpha}' in repr(found) or alpha == 1
    assert len(asked) == 2  # what was typed, as float32, and powers of two
    a, b, c = float32(random, 2, 8), float32(random, 8, 2), float32(random, 2, 2)
    assert (assay.gemm(a, b, found, c) == blas(a, b, c, alpha, beta)).all()


def test_alpha_of_zero_sums_nothing():
    with pytest.raises(assay.InputError, match='alpha'):
        assay.probe(lambda a, b, alpha: alpha * a @ b, 'gemm', 8, alpha=0)


def test_beta_takes_a_c():
    with pytest.raises(assay.InputError, match='beta'):
        assay.probe(lambda a, b, alpha: alpha * a @ b, 'gemm', 8, beta=0.5)


def test_an_addend(random):
    found = assay.probe(lambda a, b, c: c + a @ b, 'gemm', 8, m=2, n=2, c='float32', results=300)
    assert found, found.text()
    a, b, c = float32(random, 2, 8), float32(random, 8, 2), float32(random, 2, 2)
    assert (assay.gemm(a, b, found, c) == c + a @ b).all()


def test_bfloat16_operands(random):
    def widened(a, b):
        return sequential(a.astype(np.float32), b.astype(np.float32))

    found = assay.probe(widened, 'dot', 10, a='bf16', results=300)
    assert found, found.text()
    a = float32(random, 10).astype(ml_dtypes.bfloat16)
    assert assay.dot(a, a, found) == widened(a, a)


def test_a_file_is_a_unit(random, tmp_path):
    path = tmp_path / 'halves.json'
    assay.probe(in_halves, 'dot', 8, results=10).save(path)
    a, b = float32(random, 8), float32(random, 8)
    assert assay.dot(a, b, str(path)) == in_halves(a, b)
    assay.probe(backwards, 'dot', 8, results=10).save(path)  # what a name stood for before is not kept
    assert assay.dot(a, b, str(path)) == backwards(a, b)


def test_a_saved_arithmetic_of_another_length_is_refused(random, tmp_path):
    path = tmp_path / 'eight.json'
    assay.probe(in_halves, 'dot', 8, results=10).save(path)
    with pytest.raises(assay.InputError, match='9'):
        assay.dot(float32(random, 9), float32(random, 9), str(path))
    path.write_text(path.read_text()[:100])
    with pytest.raises(assay.InputError, match='eight.json'):
        assay.dot(float32(random, 8), float32(random, 8), str(path))


def test_pictures():
    found = assay.probe(in_halves, 'dot', 8, results=10)
    assert found.svg().startswith('<svg')
    assert str(found) == found.text()
    with pytest.raises(assay.ContractError):
        found.svg(1)


@pytest.mark.full
def test_no_picture_of_a_tree_that_was_not_found():
    found = assay.probe(lambda a: np.float32(np.sum(np.sort(a))), 'sum', [8, 4, 8], results=20)
    assert not found and found.lengths == [8, 4]
    for one in (found, found.at(4)):
        for picture in (one.order, one.svg):
            with pytest.raises(assay.ContractError, match='tree 0'):
                picture()


def test_lengths_of_numpy():
    assert assay.probe(np.sum, 'sum', np.int64(3), results=10).lengths == [3]
    assert assay.probe(np.sum, 'sum', np.array([3, 5]), results=10).lengths == [3, 5]


def test_several_lengths_have_one_output_format():
    with pytest.raises(assay.ContractError, match='output: the results of k = 4 are float32, those of k = 8 float64'):
        assay.probe(lambda a: (np.float32 if len(a) < 6 else np.float64)(np.sum(a)), 'sum', [4, 8])


def test_ctrl_c_ends_a_probe_of_a_program():
    program = 'while read h; do read a; read b; set -- $a; echo $1; done'
    script = (f"import assay; print('begun', flush=True); "
              f"assay.probe({program!r}, 'dot', range(6, 400), form='text', round=1, results=3)")
    process = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0 and 'KeyboardInterrupt' in said


def test_what_is_not_explained_is_said():
    found = assay.probe(lambda a, b: np.float32(sequential(a, b) * np.float32(1.5)), 'dot', 6, results=50)
    assert not found
    assert 'NOT PREDICTED' in found.text()


def test_answers_that_change_are_seen():
    random = np.random.default_rng(3)
    found = assay.probe(lambda a, b: np.float32(random.standard_normal()), 'dot', 4, results=10)
    assert not found and not found.repeats


def test_a_callable_that_raises():
    def broken(a, b):
        raise KeyError('not today')

    with pytest.raises(KeyError, match='not today'):
        assay.probe(broken, 'dot', 4)


@pytest.mark.parametrize('function, error, words', [
    (lambda a, b: a, assay.ContractError, 'not 1 values'),
    (lambda a, b: 'seven', TypeError, 'what the callable returned'),
    (lambda a, b: 7, TypeError, 'what the callable returned'),
    (lambda a: np.float32(0), TypeError, 'positional'),
])
def test_a_callable_that_returns_something_else(function, error, words):
    with pytest.raises(error, match=words):
        assay.probe(function, 'dot', 4)


def test_a_callable_that_changes_its_format():
    formats = iter([np.float32] * 20)
    with pytest.raises(assay.ContractError, match='float64'):
        assay.probe(lambda a, b: next(formats, np.float64)(np.dot(a, b)), 'dot', 4)


@pytest.mark.parametrize('k', [True, 8.0, '8', {4, 8}, None])
def test_lengths_are_whole_numbers(k):
    with pytest.raises(TypeError, match='^k: '):
        assay.probe(np.dot, 'dot', k)


@pytest.mark.parametrize('threads', [-1, 5000])
def test_threads_of_a_program_end_somewhere(threads):
    with pytest.raises(assay.ContractError, match='threads'):
        assay.probe('cat', 'dot', 4, threads=threads)


@pytest.mark.parametrize('arguments', [
    dict(operation='conv', k=4), dict(operation='dot', k=0), dict(operation='dot', k=4, results=0),
    dict(operation='dot', k=[]), dict(operation='dot', k=[4, 0]), dict(operation='dot', k=4, threads=2),
    dict(operation='dot', k=4, round=0), dict(operation='dot', k=-1), dict(operation='dot', k=4, offset=64),
    dict(operation='dot', k=4, c='float32'), dict(operation='dot', k=4, a='x'),
])
def test_what_cannot_be_asked(arguments):
    with pytest.raises(ValueError):
        assay.probe(np.dot, **arguments)


def test_several_lengths(random):
    found = assay.probe(sequential, 'dot', [4, 9], results=50, name='seq')
    assert found and found.lengths == [4, 9], found.text()
    assert 'k=4' in repr(found) and ', k=9,' in repr(found)
    for k in (4, 9):
        a, b = float32(random, k), float32(random, k)
        assert assay.dot(a, b, found) == sequential(a, b)
        assert found.at(k).lengths == [k] and assay.dot(a, b, found.at(k)) == sequential(a, b)
    assert found.results == found.at(4).results + found.at(9).results
    with pytest.raises(assay.ContractError):
        found.at(5)
    with pytest.raises(assay.InputError):
        assay.dot(float32(random, 4), float32(random, 4), found.at(9))
    shapes = json.loads(found.json())['shapes']
    assert [shape['predicted'] for shape in shapes] == [True, True]


def test_a_program_as_the_command(command):
    # The first value of a: the shell is enough of a program whose answers repeat.
    first = 'while read h; do read a; read b; set -- $a; echo $1; done'
    said = subprocess.run([command, 'probe', 'dot', '--k', '6', '--form', 'text', '--round', '1', '--results', '3',
                           '--json', '--got-from', first], capture_output=True, text=True, check=False)
    found = assay.probe(first, 'dot', 6, form='text', round=1, results=3)
    assert not found and said.returncode == 1
    assert json.loads(found.json())['shapes'] == json.loads(said.stdout)['shapes']


@pytest.mark.full
def test_a_program_is_an_arithmetic(random, data):
    sums = f'"{sys.executable}" "{data}/compare/sums.py"'
    found = assay.probe(sums, 'sum', [5, 24], a='float64', form='text', results=200)
    assert found and found.name == 'revealed_sum', found.text()
    x = random.standard_normal(24)
    assert assay.dot(x, np.ones(24), found) == np.add.accumulate(x)[-1]


def test_a_program_that_breaks_off():
    with pytest.raises(RuntimeError):
        assay.probe('exit 3', 'dot', 8, seconds=20)


def test_too_many_calls():
    with pytest.raises(RuntimeError, match='100'):
        assay.probe(sequential, 'dot', 64, most_runs=100)


def test_a_unit_is_a_name_or_a_probe(random):
    with pytest.raises(TypeError, match='unit'):
        assay.dot(float32(random, 4), float32(random, 4), 7)
