// The driver API of include/cuda.h.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>

#include "emulation/simt/include/cuda.h"
#include "emulation/simt/tensor_map.hpp"

namespace {

using assay::simt::TensorMap;

struct DriverError {
  CUresult error;
  const char *name, *text;
};
constexpr DriverError driver_errors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"}};

const DriverError* driver_error(CUresult error) {
  const auto* const found = std::find_if(std::begin(driver_errors), std::end(driver_errors),
                                         [&](const DriverError& e) { return e.error == error; });
  return found == std::end(driver_errors) ? nullptr : found;
}

struct TensorType {
  std::uint8_t bytes;
  bool floating, plain;
};
TensorType tensor_type(CUtensorMapDataType type) {
  switch (type) {
    case CU_TENSOR_MAP_DATA_TYPE_UINT8: return {1, false, true};
    case CU_TENSOR_MAP_DATA_TYPE_UINT16: return {2, false, true};
    case CU_TENSOR_MAP_DATA_TYPE_UINT32:
    case CU_TENSOR_MAP_DATA_TYPE_INT32: return {4, false, true};
    case CU_TENSOR_MAP_DATA_TYPE_UINT64:
    case CU_TENSOR_MAP_DATA_TYPE_INT64: return {8, false, true};
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT16:
    case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16: return {2, true, true};
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32: return {4, true, true};
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT64: return {8, true, true};
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32_FTZ:
    case CU_TENSOR_MAP_DATA_TYPE_TFLOAT32:
    case CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ: return {4, true, false};
  }
  return {0, false, false};
}

}  // namespace

CUresult cuInit(unsigned flags) { return flags == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE; }
CUresult cuGetErrorName(CUresult error, const char** name) {
  const DriverError* const e = driver_error(error);
  *name = e == nullptr ? nullptr : e->name;
  return e == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult error, const char** text) {
  const DriverError* const e = driver_error(error);
  *text = e == nullptr ? nullptr : e->text;
  return e == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                                const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box,
                                const cuuint32_t* element_strides, CUtensorMapInterleave interleave,
                                CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
                                CUtensorMapFloatOOBfill fill) {
  if (map == nullptr || sizes == nullptr || box == nullptr || element_strides == nullptr || rank < 1 ||
      rank > assay::simt::tensor_max_rank || (rank > 1 && strides == nullptr) ||
      reinterpret_cast<std::uintptr_t>(map) % 64 != 0)
    return CUDA_ERROR_INVALID_VALUE;
  const TensorType element = tensor_type(type);
  const auto swizzle_number = static_cast<unsigned>(swizzle);
  if (element.bytes == 0 || swizzle_number > CU_TENSOR_MAP_SWIZZLE_128B ||
      static_cast<unsigned>(interleave) > CU_TENSOR_MAP_INTERLEAVE_32B ||
      static_cast<unsigned>(promotion) > CU_TENSOR_MAP_L2_PROMOTION_L2_256B ||
      (fill != CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE && !element.floating))
    return CUDA_ERROR_INVALID_VALUE;
  TensorMap made;
  made.magic = assay::simt::tensor_map_magic;
  made.rank = static_cast<std::uint8_t>(rank);
  made.element_bytes = element.bytes;
  made.swizzle = static_cast<assay::simt::Swizzle>(swizzle_number);
  made.address = reinterpret_cast<std::uint64_t>(address);
  for (cuuint32_t d = 0; d < rank; ++d) {
    if (box[d] > 256 || element_strides[d] < 1 || element_strides[d] > 8) return CUDA_ERROR_INVALID_VALUE;
    if (element_strides[d] != 1) return CUDA_ERROR_NOT_SUPPORTED;
    made.sizes[d] = sizes[d];
    made.strides[d] = d == 0 ? element.bytes : strides[d - 1];
    made.box[d] = static_cast<std::uint16_t>(box[d]);
  }
  if (!assay::simt::why_no_tensor_map(made).empty()) return CUDA_ERROR_INVALID_VALUE;
  // Which NaN fills is not documented.
  if (interleave != CU_TENSOR_MAP_INTERLEAVE_NONE || !element.plain ||
      fill != CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE)
    return CUDA_ERROR_NOT_SUPPORTED;
  *map = {};
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

CUresult cuTensorMapReplaceAddress(CUtensorMap* map, void* address) {
  TensorMap made;
  if (map == nullptr) return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(static_cast<void*>(&made), map, sizeof made);
  made.address = reinterpret_cast<std::uint64_t>(address);
  if (made.magic != assay::simt::tensor_map_magic || !assay::simt::why_no_tensor_map(made).empty())
    return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned version,
                                             unsigned long long, cudaDriverEntryPointQueryResult* result) {
  struct Entry {
    std::string_view name;
    unsigned since;
    void* function;
  };
  static const Entry entries[] = {
      {"cuInit", 2000, reinterpret_cast<void*>(&cuInit)},
      {"cuGetErrorName", 6000, reinterpret_cast<void*>(&cuGetErrorName)},
      {"cuGetErrorString", 6000, reinterpret_cast<void*>(&cuGetErrorString)},
      {"cuTensorMapEncodeTiled", 12000, reinterpret_cast<void*>(&cuTensorMapEncodeTiled)},
      {"cuTensorMapReplaceAddress", 12000, reinterpret_cast<void*>(&cuTensorMapReplaceAddress)}};
  if (symbol == nullptr || function == nullptr) return cudaErrorInvalidValue;
  *function = nullptr;
  auto found = cudaDriverEntryPointSymbolNotFound;
  for (const Entry& entry : entries) {
    if (entry.name != symbol) continue;
    found = version < entry.since ? cudaDriverEntryPointVersionNotSufficent : cudaDriverEntryPointSuccess;
    if (version >= entry.since) *function = entry.function;
  }
  if (result != nullptr) *result = found;
  return cudaSuccess;
}
cudaError_t cudaGetDriverEntryPoint(const char* symbol, void** function, unsigned long long flags,
                                    cudaDriverEntryPointQueryResult* result) {
  return cudaGetDriverEntryPointByVersion(symbol, function, CUDA_VERSION, flags, result);
}
