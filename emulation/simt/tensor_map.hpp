// Tensors in global memory as TMA sees them: boxes between global and shared memory, swizzled.
//
// Swizzling exchanges 16-byte pieces by the bits of their address in shared memory: bits 4 to 6 by bits 7 to 9 for rows
// of 128 bytes, 4 and 5 by 7 and 8 for 64, bit 4 by bit 7 for 32.
//
// Not here: im2col, interleaved layouts, traversal strides other than 1, fill with NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::simt {

enum class Swizzle : std::uint8_t { none, bytes32, bytes64, bytes128 };

// The offset of a byte from the start of its pattern, which is aligned to 1024 bytes, under the swizzle.
constexpr std::uint32_t swizzled(Swizzle swizzle, std::uint32_t address) {
  constexpr std::uint32_t masks[] = {0, 1, 3, 7};
  return address ^ (address >> 7 & masks[static_cast<unsigned>(swizzle)]) << 4;
}

inline constexpr int tensor_max_rank = 5;

// What a CUtensorMap holds here; dimension 0 is the innermost.
struct TensorMap {
  std::uint32_t magic = 0;
  std::uint8_t rank = 0, element_bytes = 0;
  Swizzle swizzle = Swizzle::none;
  std::uint64_t address = 0;
  std::uint64_t sizes[tensor_max_rank] = {};
  std::uint64_t strides[tensor_max_rank] = {};  // in bytes; of dimension 0 the element
  std::uint16_t box[tensor_max_rank] = {};
};
static_assert(sizeof(TensorMap) <= 128);
inline constexpr std::uint32_t tensor_map_magic = 0x54455041;

constexpr std::size_t box_bytes(const TensorMap& map) {
  std::size_t bytes = map.element_bytes;
  for (int d = 0; d < map.rank; ++d) bytes *= map.box[d];
  return bytes;
}

// Empty, or what is wrong with it, as the driver checks it.
std::string why_no_tensor_map(const TensorMap& map);

// The box at these coordinates of elements into shared memory at this address, and back. Elements outside of the tensor
// are zeros, or not written.
void load_box(const TensorMap& map, const std::int32_t* coordinates, unsigned char* shared,
              std::uint32_t address);
void store_box(const TensorMap& map, const std::int32_t* coordinates, const unsigned char* shared,
               std::uint32_t address);

// What these copy, without the swizzle: bytes of the tensor that lie side by side, and their row of the box. No bytes
// where the row is outside of the tensor.
struct BoxRow {
  std::uint64_t global = 0;
  std::size_t global_bytes = 0;
  std::size_t shared = 0, shared_bytes = 0;  // from the box's beginning
};
std::vector<BoxRow> rows_of_box(const TensorMap& map, const std::int32_t* coordinates);

}  // namespace assay::simt
