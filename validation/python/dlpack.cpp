#include "validation/python/dlpack.hpp"

#include <cstdint>
#include <string>

#include "reference/formats/formats.hpp"

namespace assay::python {
namespace {

// The layout of dlpack.h.
struct Device {
  std::int32_t type, id;
};
struct DataType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct Tensor {
  void* data;
  Device device;
  std::int32_t dimensions;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null: row-major
  std::uint64_t byte_offset;
};
struct ManagedTensor {
  Tensor tensor;
  void* context;
  void (*deleter)(ManagedTensor*);
};

constexpr std::int32_t on_cpu = 1, on_cuda_host = 3;  // the latter is page-locked memory of the host
constexpr const char* unused_name = "dltensor";
constexpr const char* used_name = "used_dltensor";

io::ElementType element_of(const DataType& t, std::string_view name) {
  const int bits = t.bits;
  const bool whole = t.lanes == 1;
  switch (t.code) {
    case 0:
      if (whole && (bits == 8 || bits == 16 || bits == 32 || bits == 64))
        return io::ElementType::signed_integer(bits);
      break;
    case 1:
      if (whole && (bits == 8 || bits == 16 || bits == 32 || bits == 64))
        return io::ElementType::unsigned_integer(bits);
      break;
    case 2:
      if (whole && bits == 16) return formats::float16;
      if (whole && bits == 32) return formats::float32;
      if (whole && bits == 64) return formats::float64;
      break;
    case 4:
      if (whole && bits == 16) return formats::bfloat16;
      break;
    case 6:
      if (whole && bits == 8) return io::ElementType::boolean();
      break;
    // Narrower ones may be packed two to a byte, which a view of codes is not: they are refused.
    case 10:
      if (whole && bits == 8) return formats::float8_e4m3fn;
      break;
    case 11:
      if (whole && bits == 8) return formats::float8_e4m3fnuz;
      break;
    case 12:
      if (whole && bits == 8) return formats::float8_e5m2;
      break;
    case 13:
      if (whole && bits == 8) return formats::float8_e5m2fnuz;
      break;
    default: break;
  }
  throw py::type_error(std::string(name) + ": a DLPack tensor of type code " + std::to_string(t.code) + ", " +
                       std::to_string(bits) + " bits, " + std::to_string(t.lanes) +
                       " lanes, which Assay has no format for");
}

}  // namespace

bool has_dlpack(const py::handle& x) {
  return py::hasattr(x, "__dlpack__") && py::hasattr(x, "__dlpack_device__");
}

Operand from_dlpack(const py::handle& x, std::string_view name) {
  const auto device = x.attr("__dlpack_device__")().cast<py::tuple>();
  const int type = py::int_(device[0]).cast<int>();
  if (type != on_cpu && type != on_cuda_host) {
    throw py::type_error(std::string(name) + ": a tensor on DLPack device type " + std::to_string(type) +
                         "; Assay reads the CPU's memory: copy it there first");
  }
  const py::object capsule = x.attr("__dlpack__")();
  auto* const managed = static_cast<ManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), unused_name));
  if (managed == nullptr) throw py::error_already_set();
  // From here on the tensor is ours to release; the renamed capsule tells its maker so.
  if (PyCapsule_SetName(capsule.ptr(), used_name) != 0) throw py::error_already_set();
  Operand out;
  out.owner = py::capsule(managed, [](void* pointer) {
    auto* const tensor = static_cast<ManagedTensor*>(pointer);
    if (tensor->deleter != nullptr) tensor->deleter(tensor);
  });
  const Tensor& t = managed->tensor;
  out.name = name;
  out.element = element_of(t.dtype, name);
  out.data = static_cast<const unsigned char*>(t.data) + t.byte_offset;
  const auto dimensions = static_cast<std::size_t>(t.dimensions);
  const auto bytes = static_cast<std::ptrdiff_t>(out.element.bytes());
  out.shape.resize(dimensions);
  out.byte_strides.resize(dimensions);
  std::ptrdiff_t row_major = bytes;
  for (std::size_t i = dimensions; i-- > 0;) {
    out.shape[i] = static_cast<std::size_t>(t.shape[i]);
    out.byte_strides[i] =
        t.strides == nullptr ? row_major : static_cast<std::ptrdiff_t>(t.strides[i]) * bytes;
    row_major *= static_cast<std::ptrdiff_t>(out.shape[i]);
  }
  return out;
}

}  // namespace assay::python
