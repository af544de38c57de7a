// The device's name of a type of the host: bf16_t, a code, is __nv_bfloat16.
#pragma once

#include <cuda_bf16.h>

#include <type_traits>

#include "gpu/kernels/device_array.cuh"
#include "reference/formats/storage.hpp"

namespace assay::gpu {

static_assert(sizeof(__nv_bfloat16) == sizeof(bf16_t) && alignof(__nv_bfloat16) == alignof(bf16_t));

template <class T>
using DeviceCode = std::conditional_t<std::is_same_v<T, bf16_t>, __nv_bfloat16, T>;

template <class T>
DeviceCode<T>* device_codes(const DeviceArray<T>& array) {
  return reinterpret_cast<DeviceCode<T>*>(array.data());
}

}  // namespace assay::gpu
