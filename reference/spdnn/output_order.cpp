// A file of its own: layouts for other machines need nothing else of this folder.
#include <algorithm>
#include <numeric>

#include "reference/spdnn/inference.hpp"

namespace assay::spdnn {

std::vector<std::int32_t> outputs_by_inputs(const sparse::CsrView& weights) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(weights.rows));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::int32_t a, std::int32_t b) {
    return std::ranges::lexicographical_compare(weights.row_columns(a), weights.row_columns(b));
  });
  return order;
}

}  // namespace assay::spdnn
