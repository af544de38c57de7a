#include "reference/spdnn/bit_matrix.hpp"

#include <bit>

namespace assay::spdnn {

std::uint64_t BitMatrix::count() const {
  std::uint64_t total = 0;
  for (const std::uint64_t word : words_) total += static_cast<std::uint64_t>(std::popcount(word));
  return total;
}

}  // namespace assay::spdnn
