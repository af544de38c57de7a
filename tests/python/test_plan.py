"""plan_spmm(): what a plan of a sparse product chooses, as the command says it."""
import json
import subprocess

import numpy as np
import pytest

import assay


def matrix(random, rows=50, cols=120, density=0.1):
    sparse = pytest.importorskip('scipy.sparse', reason='SciPy is not installed')
    return sparse.csr_matrix(np.where(random.random((rows, cols)) < density, random.standard_normal((rows, cols)), 0))


def test_as_the_command(command, random, tmp_path):
    a = matrix(random)
    path = tmp_path / 'a.npz'
    assay.save(path, a)
    line = [command, 'plan', 'spmm', str(path), '--n', '40']
    want = json.loads(subprocess.run([*line, '--json'], capture_output=True, text=True, check=True).stdout)
    plan = assay.plan_spmm(a, n=40)
    said = json.loads(plan.json())
    assert said.pop('matrix') == 'a' and want.pop('matrix') == str(path)
    assert said == want
    assert plan.shape == (50, 120) and plan.nnz == a.nnz and plan.n == 40
    assert plan.density == pytest.approx(a.nnz / 6000)
    assert plan.kernel == want['plan']['kernel'] and plan.why == want['plan']['why']
    assert (plan.width, plan.depth, plan.slices, plan.chunks) == tuple(
        want['plan'][key] for key in ('panel_width', 'depth', 'slices', 'chunks'))
    assert plan.row_lengths == want['row_lengths'] and plan.formats == want['formats']
    assert plan.planning_seconds is None and plan.product_seconds is None
    shown = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert plan.text() == str(plan) == shown.replace(str(path), 'a', 1)


def test_row_lengths_and_formats(random):
    a = matrix(random)
    lengths = np.diff(a.indptr)
    plan = assay.plan_spmm(a)
    assert plan.row_lengths['least'] == lengths.min() and plan.row_lengths['longest'] == lengths.max()
    assert plan.row_lengths['median'] == np.sort(lengths)[25] and plan.row_lengths['empty'] == (lengths == 0).sum()
    forms = {form['format']: form for form in plan.formats}
    assert forms['csr']['bytes'] == 4 * a.nnz + 4 * a.nnz + 8 * 51
    blocks = {(i // 8, j // 8) for i, j in zip(*a.nonzero())}
    assert forms['bsr 8 x 8']['places_added'] == 64 * len(blocks) - a.nnz


def test_types_layouts_and_kernels(random):
    a = matrix(random)
    for other in (a.astype(np.float32), a.tocsc(), a.tocoo(), assay.Sparse.from_scipy(a), a.astype(bool)):
        assert assay.plan_spmm(other).nnz == a.nnz
    for kind in 'dia', 'lil', 'dok':
        assert assay.plan_spmm(a.asformat(kind)).nnz == a.nnz, kind
    plan = assay.plan_spmm(a, kernel='f32_8_scalar')
    assert plan.kernel == 'f32_8_scalar' and plan.isa == 'scalar' and plan.why.startswith('the kernel that was asked')


def test_measured(random):
    plan = assay.plan_spmm(matrix(random), n=16, measure=True)
    assert plan.planning_seconds > 0 and plan.product_seconds > 0 and 'GFLOP/s' in plan.text()


def test_refused(random):
    a = matrix(random)
    with pytest.raises(assay.InputError, match='f32_8_scalar'):
        assay.plan_spmm(a, kernel='f32_8_scalr')
    with pytest.raises(assay.InputError, match='n takes'):
        assay.plan_spmm(a, n=0)
    with pytest.raises(TypeError, match='scipy.sparse'):
        assay.plan_spmm(a.toarray())
    with pytest.raises(assay.ContractError, match='^n: -1, not 0 to'):
        assay.plan_spmm(a, n=-1)
    with pytest.raises(TypeError, match='^n: 2.5 is not a whole number'):
        assay.plan_spmm(a, n=2.5)
    with pytest.raises(TypeError, match='^kernel: 3 is not a text'):
        assay.plan_spmm(a, kernel=3)
