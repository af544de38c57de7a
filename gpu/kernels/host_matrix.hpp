// Dense row-major matrices of the host, of any type: element (i, j) lies at data[i * stride + j].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay::gpu {

template <class T>
struct HostMatrix {
  T* data = nullptr;
  std::int64_t rows = 0, cols = 0, stride = 0;

  // From the first number to the last, what lies between rows included.
  std::span<T> memory() const {
    if (rows == 0 || cols == 0) return {};
    return {data, static_cast<std::size_t>((rows - 1) * stride + cols)};
  }
};

}  // namespace assay::gpu
