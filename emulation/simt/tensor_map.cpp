#include "emulation/simt/tensor_map.hpp"

#include <algorithm>
#include <cstring>

namespace assay::simt {
namespace {

// visit(byte of the tensor's element or null, byte of shared memory) for every element of the box.
template <class Visit>
void for_each_element(const TensorMap& map, const std::int32_t* coordinates, std::uint32_t address,
                      const Visit& visit) {
  std::uint32_t at[tensor_max_rank] = {};
  const std::size_t elements = box_bytes(map) / map.element_bytes;
  for (std::size_t e = 0; e < elements; ++e) {
    bool inside = true;
    std::uint64_t global = map.address;
    for (int d = 0; d < map.rank; ++d) {
      const std::int64_t x = std::int64_t{coordinates[d]} + at[d];
      inside = inside && x >= 0 && static_cast<std::uint64_t>(x) < map.sizes[d];
      if (inside) global += static_cast<std::uint64_t>(x) * map.strides[d];
    }
    const auto linear = static_cast<std::uint32_t>(e * map.element_bytes);
    const std::uint32_t shared = swizzled(map.swizzle, address + linear) - address;
    visit(inside ? reinterpret_cast<unsigned char*>(global) : nullptr, shared);
    for (int d = 0; d < map.rank && ++at[d] == map.box[d]; ++d) at[d] = 0;
  }
}

}  // namespace

std::string why_no_tensor_map(const TensorMap& map) {
  if (map.rank < 1 || map.rank > tensor_max_rank) return "rank " + std::to_string(map.rank) + ", not 1 to 5";
  if (map.address == 0 || map.address % 16 != 0) return "an address that is not a multiple of 16";
  for (int d = 0; d < map.rank; ++d) {
    if (map.sizes[d] == 0 || map.sizes[d] > std::uint64_t{1} << 32)
      return "dimension " + std::to_string(d) + " of " + std::to_string(map.sizes[d]) + ", not 1 to 2^32";
    if (map.box[d] == 0 || map.box[d] > 256)
      return "a box of " + std::to_string(map.box[d]) + " in dimension " + std::to_string(d) +
             ", not 1 to 256";
    if (d > 0 && (map.strides[d] % 16 != 0 || map.strides[d] >= std::uint64_t{1} << 40))
      return "stride " + std::to_string(map.strides[d]) + ", not a multiple of 16 below 2^40";
  }
  const std::uint32_t inner = std::uint32_t{map.box[0]} * map.element_bytes;
  if (inner % 16 != 0) return "a box of " + std::to_string(inner) + " bytes inside, not a multiple of 16";
  if (map.swizzle != Swizzle::none && inner > 16U << static_cast<unsigned>(map.swizzle))
    return "a box of " + std::to_string(inner) + " bytes inside, more than the swizzle has";
  return "";
}

std::vector<BoxRow> rows_of_box(const TensorMap& map, const std::int32_t* coordinates) {
  std::vector<BoxRow> rows;
  const std::size_t row_bytes = std::size_t{map.box[0]} * map.element_bytes,
                    count = box_bytes(map) / row_bytes;
  const std::int64_t first = std::max<std::int64_t>(coordinates[0], 0),
                     end = std::min(std::int64_t{coordinates[0]} + map.box[0],
                                    static_cast<std::int64_t>(map.sizes[0]));
  std::uint32_t at[tensor_max_rank] = {};
  for (std::size_t r = 0; r < count; ++r) {
    bool inside = first < end;
    std::uint64_t global = map.address + static_cast<std::uint64_t>(first) * map.element_bytes;
    for (int d = 1; d < map.rank; ++d) {
      const std::int64_t x = std::int64_t{coordinates[d]} + at[d];
      inside = inside && x >= 0 && static_cast<std::uint64_t>(x) < map.sizes[d];
      if (inside) global += static_cast<std::uint64_t>(x) * map.strides[d];
    }
    rows.push_back({inside ? global : 0,
                    inside ? static_cast<std::size_t>(end - first) * map.element_bytes : 0, r * row_bytes,
                    row_bytes});
    for (int d = 1; d < map.rank && ++at[d] == map.box[d]; ++d) at[d] = 0;
  }
  return rows;
}

void load_box(const TensorMap& map, const std::int32_t* coordinates, unsigned char* shared,
              std::uint32_t address) {
  for_each_element(map, coordinates, address, [&](const unsigned char* global, std::uint32_t at) {
    if (global != nullptr) {
      std::memcpy(shared + at, global, map.element_bytes);
    } else {
      std::memset(shared + at, 0, map.element_bytes);
    }
  });
}

void store_box(const TensorMap& map, const std::int32_t* coordinates, const unsigned char* shared,
               std::uint32_t address) {
  for_each_element(map, coordinates, address, [&](unsigned char* global, std::uint32_t at) {
    if (global != nullptr) std::memcpy(global, shared + at, map.element_bytes);
  });
}

}  // namespace assay::simt
