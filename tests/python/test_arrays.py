"""Arrays of other libraries, by DLPack, and layouts that need a copy."""
import ctypes

import ml_dtypes
import numpy as np
import pytest

import assay


class Device(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int32), ('id', ctypes.c_int32)]


class DataType(ctypes.Structure):
    _fields_ = [('code', ctypes.c_uint8), ('bits', ctypes.c_uint8), ('lanes', ctypes.c_uint16)]


class DLTensor(ctypes.Structure):
    _fields_ = [('data', ctypes.c_void_p), ('device', Device), ('ndim', ctypes.c_int32), ('dtype', DataType),
                ('shape', ctypes.POINTER(ctypes.c_int64)), ('strides', ctypes.POINTER(ctypes.c_int64)),
                ('byte_offset', ctypes.c_uint64)]


class Managed(ctypes.Structure):
    pass


DELETER = ctypes.CFUNCTYPE(None, ctypes.POINTER(Managed))
Managed._fields_ = [('tensor', DLTensor), ('context', ctypes.c_void_p), ('deleter', DELETER)]

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Foreign:
    """A tensor that only DLPack can read, as a library without NumPy has it."""

    def __init__(self, array, code, bits, lanes=1, device=1, strides=True, offset=0):
        self.released, self.device, self.array = 0, device, array

        def release(_):
            self.released += 1

        item = array.itemsize
        self.shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        self.strides = (ctypes.c_int64 * array.ndim)(*[s // item for s in array.strides])
        self.managed = Managed(DLTensor(array.ctypes.data - offset, Device(device, 0), array.ndim,
                                        DataType(code, bits, lanes), self.shape,
                                        self.strides if strides else None, offset), None, DELETER(release))

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self):
        return new_capsule(ctypes.addressof(self.managed), b'dltensor', None)


TYPES = [(np.float32, 2), (np.float64, 2), (np.float16, 2), (ml_dtypes.bfloat16, 4), (ml_dtypes.float8_e4m3fn, 10),
         (ml_dtypes.float8_e4m3fnuz, 11), (ml_dtypes.float8_e5m2, 12), (ml_dtypes.float8_e5m2fnuz, 13)]


@pytest.mark.parametrize('dtype, code', TYPES)
def test_dlpack_tensors_are_read_where_they_lie(random, dtype, code):
    array = random.standard_normal((6, 10)).astype(dtype)
    for view, options in [(array, {}), (array, {'strides': False}), (array[1:], {'offset': array.strides[0]}),
                          (array[::2, ::-3], {}), (array.T, {}), (array[0, 0], {})]:
        tensor = Foreign(np.asarray(view), code, 8 * array.itemsize, **options)
        verdict = assay.compare(tensor, np.ascontiguousarray(view).reshape(np.shape(view)))
        assert verdict.status == 'PASSED', verdict.text()
        assert verdict.shape == np.shape(view)
        assert tensor.released == 1
    other = array.copy()
    other[3, 4] = 7
    assert assay.compare(Foreign(other, code, 8 * array.itemsize), array).differ == 1


def test_dlpack_operands_of_units(random):
    a = random.standard_normal((3, 8)).astype(ml_dtypes.bfloat16)
    tensor = Foreign(a.T, 4, 16)
    assert (assay.gemm(a, tensor, 'sm90.bf16') == assay.gemm(a, a.T, 'sm90.bf16')).all()
    assert tensor.released == 1


@pytest.mark.parametrize('options, words', [
    ({'code': 2, 'bits': 16, 'device': 2}, 'device type 2'),
    ({'code': 5, 'bits': 16}, 'type code 5'),
    ({'code': 2, 'bits': 16, 'lanes': 4}, '4 lanes'),
    ({'code': 17, 'bits': 4}, '4 bits'),
    ({'code': 0, 'bits': 16}, 'int16'),
])
def test_dlpack_tensors_that_are_refused(options, words):
    tensor = Foreign(np.ones(4, np.float16), **options)
    with pytest.raises(TypeError, match=words):
        assay.compare(tensor, np.ones(4, np.float16))
    assert tensor.released == (options.get('device') != 2)  # a tensor elsewhere is not even taken


def test_codes_share_the_memory():
    x = np.arange(12, dtype=np.uint16).reshape(3, 4)
    for view in (x, x[::2, ::-1], x.view(np.int16), x.T):
        codes = assay.codes(view, 'bf16')
        assert np.shares_memory(codes.codes, x) and codes.shape == view.shape
        assert (codes.codes == view.view(np.uint16)).all()


def test_layouts_that_need_a_copy(random):
    x = random.standard_normal((4, 6)).astype(np.float32)
    swapped = x.astype('>f4')
    fields = np.zeros((4, 6), [('a', 'u1'), ('x', 'f4')])  # strides of five bytes, not aligned
    fields['x'] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    for view in (swapped, fields['x'], frozen, np.asfortranarray(x), x.tolist()):
        other = np.asarray(view).dtype == np.float64
        assert assay.compare(view, x.astype(np.float64) if other else x).status == 'PASSED'
        if not other:
            assert (assay.gemm(view, x.T, 'fma_f32') == assay.gemm(x, x.T, 'fma_f32')).all()
    cube = random.standard_normal((3, 4, 5)).astype(np.float32)
    assert assay.compare(cube.transpose(2, 0, 1), np.ascontiguousarray(cube.transpose(2, 0, 1))).status == 'PASSED'
    assert assay.compare(cube, np.swapaxes(cube, 0, 0)[::-1]).status == 'FAILED'


def test_results_belong_to_the_caller(random):
    a = random.standard_normal((4, 4)).astype(np.float32)
    d = assay.gemm(a, a, 'fma_f32')
    kept = d.copy()
    del a
    d[0] += 1  # writable, and nobody else's
    assert (d[1:] == kept[1:]).all() and (d[0] != kept[0]).all()


def test_masks_are_not_passed_over():
    masked = np.ma.array(np.float32([1, 2, 3]), mask=[False, True, False])
    with pytest.raises(TypeError, match='masked'):
        assay.compare(masked, np.float32([1, 5, 3]))
    assert assay.compare(masked.filled(0), np.float32([1, 0, 3]))
