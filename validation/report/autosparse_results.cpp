#include "validation/report/autosparse_results.hpp"

#include <numeric>

namespace assay::studies {

std::string_view gradient_name(Gradient g) {
  constexpr std::array<std::string_view, all_gradients.size()> names{"v", "dX", "dW", "ds"};
  return names[static_cast<std::size_t>(g)];
}

std::uint64_t AutosparseStudy::outside() const {
  std::uint64_t count = 0;
  for (const GradientPoint& p : points) {
    for (const GradientErrors& e : p.errors) count += e.outside;
  }
  return count;
}

}  // namespace assay::studies
