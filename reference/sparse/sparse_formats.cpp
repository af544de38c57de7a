#include "reference/sparse/sparse_formats.hpp"

#include <array>

namespace assay::sparse {

std::span<const SparseFormat> all_sparse_formats() {
  static constexpr auto table = std::to_array<SparseFormat>({
#define SPARSE_FORMAT(name, text) {#name, text, name##_index_bytes, name##_places, through_##name},
#include "reference/sparse/sparse_formats.def"
#undef SPARSE_FORMAT
  });
  return table;
}

}  // namespace assay::sparse
