import subprocess
import sys
import threading

import ml_dtypes
import numpy as np
import pytest

import assay


def bf16(random, *shape):
    return random.standard_normal(shape).astype(ml_dtypes.bfloat16)


def bits(x):
    return np.asarray(x).view(np.uint32)


def test_unfused_chain_is_numpys_arithmetic(random):
    a, b = random.standard_normal((5, 40)).astype(np.float32), random.standard_normal((40, 7)).astype(np.float32)
    c = random.standard_normal((5, 7)).astype(np.float32)
    want = c.copy()
    for k in range(40):
        want = want + a[:, k:k + 1] * b[k]  # float32 throughout
    assert (bits(assay.gemm(a, b, 'mul_add_f32', c)) == bits(want)).all()
    fused = assay.gemm(a, b, 'fma_f32', c)
    assert (bits(fused) != bits(want)).any(), 'a fused chain rounds less often'


def test_tensor_core_truncates():
    # One step of sm90.bf16 cuts its terms to multiples of 2^-25 of the largest: 2^-26 is lost, however often it comes.
    a = np.array([1] + [2.0**-13] * 4, ml_dtypes.bfloat16)
    assert assay.dot(a, a, 'sm90.bf16') == 1
    assert assay.dot(a, a, 'chain_f64') == 1 + 2.0**-24


@pytest.mark.parametrize('unit', ['sm90.bf16', 'sm80.bf16', 'vdpbf16ps', 'fma_f32', 'gfx942.bf16', 'arm.bfdot'])
def test_layouts_and_dot_give_the_same_bits(random, unit):
    a, b = bf16(random, 6, 70), bf16(random, 70, 5)
    c = random.standard_normal((6, 5)).astype(np.float32)
    want = bits(assay.gemm(a, b, unit, c))
    column_major = bits(assay.gemm(np.asfortranarray(a), np.asfortranarray(b), unit, np.asfortranarray(c)))
    spread = np.zeros((12, 140), ml_dtypes.bfloat16)
    spread[::2, ::2] = a
    backward = b[::-1].copy()[::-1]
    assert (column_major == want).all()
    assert (bits(assay.gemm(spread[::2, ::2], backward, unit, c)) == want).all()
    assert (bits(assay.gemm(a, b, unit, c, threads=1)) == want).all()
    for j in range(5):
        columns = np.broadcast_to(b[:, j], (6, 70))
        assert (bits(assay.dot(a, columns, unit, c[:, j])) == want[:, j]).all()
    assert bits(assay.dot(a[2], b[:, 3], unit, c[2, 3])) == want[2, 3]


def test_results_are_those_of_the_command(random, tmp_path, command):
    a, b = bf16(random, 9, 50), bf16(random, 50, 4)
    c = random.standard_normal((9, 4)).astype(np.float32)
    assay.save(tmp_path / 'in.safetensors', {'a': a, 'b': b, 'c': c})
    names = [u.name for u in assay.arithmetics()
             if not u.inputs or (assay.Format('bf16'), assay.Format('bf16')) in u.inputs]
    names = [name for name in names if assay_accumulates_float32(name)]
    assert len(names) > 10
    for name in names[::4]:
        file = str(tmp_path / 'in.safetensors')
        subprocess.run([command, 'gemm', '--unit', name, '--a', file + ':a', '--b', file + ':b', '--c', file + ':c',
                        '--out', str(tmp_path / 'd.npy')], check=True, capture_output=True)
        assert (bits(np.load(tmp_path / 'd.npy')) == bits(assay.gemm(a, b, name, c))).all(), name


def assay_accumulates_float32(name):
    unit, = [u for u in assay.arithmetics() if u.name == name]
    return unit.accumulator == unit.outputs[0] == assay.Format('f32')


def test_narrow_formats_and_codes(random):
    x = random.standard_normal((4, 64)).astype(np.float32)
    e4m3 = assay.round(x, 'f8_e4m3')
    wide = assay.gemm(e4m3, e4m3.T, 'sm100.f8_e4m3')
    assert wide.dtype == np.float32
    half = assay.gemm(e4m3, e4m3.T, 'sm100.f8_e4m3:f16')
    assert half.dtype == np.float16
    tf32 = assay.round(x, 'tf32')
    result = assay.dot(tf32, tf32, 'sm80.tf32')
    exact = (tf32.values()**2).sum(axis=1)
    assert np.allclose(result, exact, rtol=1e-5) and (result != 0).all()


def test_strided_operands_are_not_copied():
    row = np.ones(8, ml_dtypes.bfloat16)
    tall = np.broadcast_to(row, (1 << 36, 8))  # a copy would be a tebibyte
    assert assay.gemm(tall, np.ones((8, 0), ml_dtypes.bfloat16), 'sm90.bf16').shape == (1 << 36, 0)
    with pytest.raises((MemoryError, assay.Unavailable)):
        assay.round(tall, 'f16')  # the same array where a copy is needed: it would be one


def test_lists_say_what_stands_behind():
    units, arithmetics = assay.units(), assay.arithmetics()
    assert 0 < len(units) < len(arithmetics)
    by_name = {u.name: u for u in units}
    h100 = by_name['sm90.bf16']
    assert h100.inputs == [(assay.Format('bf16'), assay.Format('bf16'))]
    assert (h100.evidence, h100.unverified, h100.step_terms) == ('REC', False, 16)
    assert by_name['sm120.f8_e4m3'].unverified and 'unverified' in repr(by_name['sm120.f8_e4m3'])
    assert h100.parameters['F'] == '25'


A, B = np.ones((3, 4), ml_dtypes.bfloat16), np.ones((4, 2), ml_dtypes.bfloat16)


@pytest.mark.parametrize('call, error, words', [
    (lambda: assay.gemm(A, B, 'sm90.bf17'), assay.InputError, 'sm90.bf16'),
    (lambda: assay.gemm(A, A, 'sm90.bf16'), assay.ContractError, '3 x 4'),
    (lambda: assay.gemm(A.astype('f4'), B.astype('f4'), 'sm90.bf16'), assay.ContractError, 'bf16 x bf16'),
    (lambda: assay.gemm(A[0], B, 'sm90.bf16'), assay.ContractError, 'a of shape'),
    (lambda: assay.gemm(A, B, 'sm90.bf16', np.zeros((3, 2))), assay.ContractError, 'f32'),
    (lambda: assay.gemm(A, B, 'sm90.bf16', np.zeros((2, 3), 'f4')), assay.ContractError, '2 x 3'),
    (lambda: assay.gemm(A, B, 'sm90.bf16', output='f8_e4m3'), assay.ContractError, 'gives'),
    (lambda: assay.dot(A, B, 'sm90.bf16'), assay.ContractError, 'one dot product a row'),
    (lambda: assay.dot(A, A, 'sm90.bf16', np.zeros(4, 'f4')), assay.ContractError, 'one value a row'),
    (lambda: assay.dot(A, A, 'sm90.bf16', np.zeros(3)), assay.ContractError, 'f32'),
    (lambda: assay.dot(A[0, 0], A[0, 0], 'sm90.bf16'), assay.ContractError, 'no matrix'),
    (lambda: assay.dot(A[0], A[0], 'sm90.bf16', threads=-2), assay.ContractError, '-2'),
    (lambda: assay.gemm(A, B.view(np.uint16), 'sm90.bf16'), TypeError, 'codes'),
])
def test_misuse_is_an_exception(call, error, words):
    with pytest.raises(error, match=words or None):
        call()


def test_interpreter_runs_on_meanwhile(random):
    """The lock of the interpreter is released: this thread runs on while another is inside a product."""
    a, b = bf16(random, 64, 512), bf16(random, 512, 64)
    inside, done = threading.Event(), threading.Event()

    def work():
        inside.set()
        assay.gemm(a, b, 'arm.bfdot', threads=1)
        done.set()

    before = sys.getswitchinterval()
    sys.setswitchinterval(100)  # the other thread keeps the lock unless it gives it up
    try:
        thread = threading.Thread(target=work)
        thread.start()
        inside.wait()
        ran_meanwhile = not done.is_set()
        thread.join()
    finally:
        sys.setswitchinterval(before)
    assert ran_meanwhile


def scaled_values(codes, dtype, scales, block):
    """Elements with their scales, exactly, as float64; rows are lines of blocks."""
    values = codes.view(dtype).astype(np.float64)
    return values * np.repeat(scales.astype(np.float64), block, axis=-1)[..., :values.shape[-1]]


def test_block_scales(random):
    mx, = [u for u in assay.arithmetics() if u.name == 'sm100.mxf8_e4m3']
    assert mx.block_scales == ('e8m0', 32) and not mx.stochastic
    assert [u.name for u in assay.arithmetics() if u.stochastic] == ['chain_f32_sr', 'chain_bf16_sr']
    m, n, k = 5, 3, 70
    a = random.standard_normal((m, k)).astype(ml_dtypes.float8_e4m3fn)
    b = random.standard_normal((n, k)).astype(ml_dtypes.float8_e4m3fn)
    sa, sb = random.integers(120, 134, (m, 3), np.uint8), random.integers(120, 134, (n, 3), np.uint8)
    want = assay.gemm(a, b.T, mx.name, a_scales=sa, b_scales=sb.T)
    truth = (scaled_values(a, a.dtype, 2.0**(sa.astype(int) - 127), 32) @
             scaled_values(b, b.dtype, 2.0**(sb.astype(int) - 127), 32).T)
    assert np.abs(want - truth).max() < 1e-4 * np.abs(truth).max()
    # Values are the same scales as codes; so is ml_dtypes' own type, where this ml_dtypes has it.
    values = 2.0**(sb.astype(np.float32).T - 127)
    own = getattr(ml_dtypes, 'float8_e8m0fnu', np.uint8)
    assert (bits(assay.gemm(a, b.T, mx.name, a_scales=sa.view(own), b_scales=values)) == bits(want)).all()
    for i in range(m):
        for j in range(n):
            assert bits(assay.dot(a[i], b[j], mx.name, a_scales=sa[i], b_scales=sb[j])) == bits(want[i, j])
    ones = np.full((m, 3), 127, np.uint8)
    assert (bits(assay.gemm(a, b.T, mx.name, a_scales=ones)) == bits(assay.gemm(a, b.T, mx.name))).all()


def test_nvfp4_with_tensor_scales(random):
    e2m1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6])
    a, b = random.integers(0, 16, (4, 48), np.uint8), random.integers(0, 16, (4, 48), np.uint8)
    sa, sb = (random.uniform(0.1, 40, (4, 3)).astype(ml_dtypes.float8_e4m3fn) for _ in range(2))
    operands = [assay.codes(x, 'f4_e2m1') for x in (a, b)]
    tensors = np.float32(0.37), np.float32(1.9e-3)
    plain = assay.dot(*operands, 'sm100.nvfp4', a_scales=sa, b_scales=sb)
    scaled = assay.dot(*operands, 'sm100.nvfp4', a_scales=sa, b_scales=sb, a_tensor_scale=float(tensors[0]),
                       b_tensor_scale=float(tensors[1]))
    assert (bits(scaled) == bits(tensors[0] * tensors[1] * plain)).all()
    truth = scaled_values(e2m1[a], np.float64, sa, 16) * scaled_values(e2m1[b], np.float64, sb, 16)
    assert np.allclose(plain, truth.sum(1), rtol=1e-5, atol=1e-3)


def test_scales_that_do_not_fit(random):
    x = random.standard_normal((2, 64)).astype(ml_dtypes.float8_e4m3fn)
    scales = np.full((2, 2), 127, np.uint8)
    with pytest.raises(assay.ContractError, match='sm100.f8_e4m3 reads no scales of blocks'):
        assay.dot(x, x, 'sm100.f8_e4m3', a_scales=scales)
    with pytest.raises(assay.InputError, match=r'a_scales.*shape \[2,2\]: one e8m0 for every block of 32'):
        assay.dot(x, x, 'sm100.mxf8_e4m3', a_scales=scales[:, :1])
    with pytest.raises(assay.InputError, match='the value of an e8m0 scale'):
        assay.dot(x, x, 'sm100.mxf8_e4m3', a_scales=np.full((2, 2), 3.0, np.float32))
    with pytest.raises(assay.ContractError, match='would scale c too'):
        assay.dot(x, x, 'sm100.mxf8_e4m3', np.zeros(2, np.float32), a_scales=scales, a_tensor_scale=2.0)
    with pytest.raises(assay.ContractError, match='a_scales is None'):
        assay.dot(x, x, 'sm100.mxf8_e4m3', a_tensor_scale=2.0)
