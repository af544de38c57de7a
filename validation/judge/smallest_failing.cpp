#include "validation/judge/smallest_failing.hpp"

#include <algorithm>
#include <utility>

namespace assay::judge {

std::vector<std::size_t> smallest_failing(std::vector<std::size_t> items, std::size_t least,
                                          const std::function<bool(const std::vector<std::size_t>&)>& fails,
                                          ShrinkBudget& budget) {
  using Difference = std::vector<std::size_t>::difference_type;
  if (least == 0 && !items.empty() && !budget.spent()) {
    ++budget.asked;
    if (fails({})) return {};
  }
  std::size_t parts = 2;
  while (items.size() > std::max<std::size_t>(least, 1)) {
    parts = std::min(parts, items.size());
    bool smaller = false;
    // One part alone first: most failures sit in one place. Then all but one part.
    for (const bool alone : {true, false}) {
      if (alone && parts < 2) continue;
      for (std::size_t p = 0; p < parts && !smaller; ++p) {
        const auto begin = items.begin() + static_cast<Difference>(p * items.size() / parts);
        const auto end = items.begin() + static_cast<Difference>((p + 1) * items.size() / parts);
        std::vector<std::size_t> some;
        if (alone) {
          some.assign(begin, end);
        } else {
          some.assign(items.begin(), begin);
          some.insert(some.end(), end, items.end());
        }
        // With two parts, all but one is the other alone.
        if (some.size() < least || some.size() == items.size() || (!alone && parts == 2)) continue;
        if (budget.spent()) return items;
        ++budget.asked;
        if (!fails(some)) continue;
        items = std::move(some);
        parts = alone ? 2 : std::max<std::size_t>(parts - 1, 2);
        smaller = true;
      }
      if (smaller) break;
    }
    if (smaller) continue;
    // A round of single items has found none that can go.
    if (parts >= items.size()) break;
    parts *= 2;
  }
  return items;
}

}  // namespace assay::judge
