// What may come with the codes of an operand: the scales of its blocks (MX, NVFP4), and which elements a 2:4-sparse one
// keeps. Views, like those of code_view.hpp; an empty one means that there is nothing beside the codes.
//
// Sources: OCP Microscaling Formats v1.0; NVIDIA's published recipe for NVFP4; PTX ISA (mma with block scales, mma.sp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/formats/block_scaled.hpp"

namespace assay {

// Scales of a vector: element i means its code's value times that of scale (first + i) / use.block, times `tensor`.
struct BlockScales {
  const std::uint8_t* data = nullptr;  // null: there are none
  std::size_t count = 0;               // of blocks
  std::ptrdiff_t stride = 1;           // bytes from one to the next
  ScaleUse use{};
  float tensor = 1;       // of all elements: NVFP4's float32
  std::size_t first = 0;  // where in its block element 0 lies

  bool given() const { return data != nullptr; }
  std::uint8_t code(std::size_t i) const {
    return data[static_cast<std::ptrdiff_t>((first + i) / use.block) * stride];
  }
  // Of elements [begin, begin + size).
  BlockScales part(std::size_t begin, std::size_t size) const {
    if (!given()) return {};
    BlockScales some = *this;
    some.data += static_cast<std::ptrdiff_t>((first + begin) / use.block) * stride;
    some.first = (first + begin) % use.block;
    some.count = blocks_of(some.first + size, use.block);
    return some;
  }
};

// Scales of a matrix whose rows, or whose columns, are lines of blocks: in A B the blocks of A lie along its rows,
// those of B along its columns.
enum class Lines : std::uint8_t { rows, columns };

struct MatrixScales {
  const std::uint8_t* data = nullptr;                // null: there are none
  std::size_t lines = 0, blocks = 0;                 // blocks of each line
  std::ptrdiff_t line_stride = 0, block_stride = 1;  // in bytes
  ScaleUse use{};
  float tensor = 1;
  Lines along = Lines::rows;

  bool given() const { return data != nullptr; }
  // Of line `i` of a matrix. ContractError if the lines run the other way.
  BlockScales line(std::size_t i, Lines wanted) const;
  // Of lines [begin, begin + count).
  MatrixScales some_lines(std::size_t begin, std::size_t count) const {
    MatrixScales some = *this;
    if (given()) some.data += static_cast<std::ptrdiff_t>(begin) * line_stride;
    some.lines = count;
    return some;
  }
  MatrixScales transposed() const {
    MatrixScales turned = *this;
    turned.along = along == Lines::rows ? Lines::columns : Lines::rows;
    return turned;
  }
};

// Which two of each four consecutive elements along k a 2:4-sparse operand keeps, as mma.sp's metadata: two bits for
// each element that is kept, the first in the lowest ones. No unit reads it yet: see ArithmeticInfo::sparse.
struct SparseIndices {
  const void* data = nullptr;      // null: every element is there
  std::ptrdiff_t line_stride = 0;  // of a matrix: bytes from one line's to the next's

  bool given() const { return data != nullptr; }
  SparseIndices line(std::size_t i) const {
    if (!given()) return {};
    return {static_cast<const unsigned char*>(data) + static_cast<std::ptrdiff_t>(i) * line_stride, 0};
  }
};

}  // namespace assay
