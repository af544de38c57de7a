// The scales of an operand's blocks as arrays hold them (MX, NVFP4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/exact/operand_extras.hpp"
#include "validation/io/array.hpp"

namespace assay::io {

// The scales of a vector, a matrix or a stack of matrices, owning. An array of scales has its operand's shape with k
// counted in blocks: m x 3 for m x 70 in blocks of 32. uint8 elements are codes; floating ones must be values that the
// scales' format has (a NaN is its NaN; float8_e4m3fn keeps its codes).
class Scales {
 public:
  // Of an operand of shape `operand`, whose blocks lie `along` its rows, the last dimension, or its columns.
  // InputError, with the array's origin, for another shape, other elements or a value that is no scale.
  Scales(const Array& array, const ScaleUse& use, const Shape& operand, Lines along, float tensor);

  // Of matrix `batch` of the stack as it is stored.
  MatrixScales view(std::size_t batch = 0) const;

 private:
  std::vector<std::uint8_t> codes_;
  std::size_t rows_ = 1, cols_ = 1;  // of the scales of one matrix
  ScaleUse use_;
  Lines along_;
  float tensor_;
};

}  // namespace assay::io
