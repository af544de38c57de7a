// Dense matrices, rows for columns.
#pragma once

#include <xmmintrin.h>

#include <algorithm>
#include <cstdint>

namespace assay::sparse {

namespace detail {
// 4 x 4 elements of 4 bytes.
template <class T>
void copy_square_turned(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
  const auto row = [&](int i) {
    return _mm_loadu_ps(reinterpret_cast<const float*>(from + i * from_stride));
  };
  __m128 a = row(0), b = row(1), c = row(2), d = row(3);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  const auto store = [&](int j, __m128 x) { _mm_storeu_ps(reinterpret_cast<float*>(to + j * to_stride), x); };
  store(0, a);
  store(1, b);
  store(2, c);
  store(3, d);
}
}  // namespace detail

// to[j * to_stride + i] = from[i * from_stride + j], by tiles whose lines are written at once: rows a power of two
// apart share few sets of a cache, where lines that are filled piece by piece push one another out.
template <class T>
void copy_turned(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t cols, T* to,
                 std::int64_t to_stride) {
  constexpr std::int64_t side = 16, square = 4;
  for (std::int64_t j0 = 0; j0 < cols; j0 += side) {
    const std::int64_t wide = std::min(side, cols - j0);
    for (std::int64_t i0 = 0; i0 < rows; i0 += side) {
      const std::int64_t high = std::min(side, rows - i0);
      const T* const corner = from + i0 * from_stride + j0;
      T* const turned = to + j0 * to_stride + i0;
      if (sizeof(T) == sizeof(float) && wide == side && high == side) {
        for (std::int64_t j = 0; j < side; j += square) {
          for (std::int64_t i = 0; i < side; i += square)
            detail::copy_square_turned(corner + i * from_stride + j, from_stride, turned + j * to_stride + i,
                                       to_stride);
        }
        continue;
      }
      for (std::int64_t j = 0; j < wide; ++j) {
        for (std::int64_t i = 0; i < high; ++i) turned[j * to_stride + i] = corner[i * from_stride + j];
      }
    }
  }
}

}  // namespace assay::sparse
