// Dense matrices, rows for columns.
#pragma once

#include <algorithm>
#include <cstdint>

namespace assay::sparse {

// to[j * to_stride + i] = from[i * from_stride + j], in strips so that what is written stays in the cache.
template <class T>
void copy_turned(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t cols, T* to,
                 std::int64_t to_stride) {
  constexpr std::int64_t side = 16;
  for (std::int64_t j0 = 0; j0 < cols; j0 += side) {
    const std::int64_t end = std::min(cols, j0 + side);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = j0; j < end; ++j) to[j * to_stride + i] = from[i * from_stride + j];
    }
  }
}

}  // namespace assay::sparse
