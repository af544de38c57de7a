// The smallest part of something that still fails.
//
// Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (IEEE TSE 28 (2002), 183-200).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace assay::judge {

struct ShrinkBudget {
  std::uint64_t most = 2000;  // questions that may be asked
  std::uint64_t asked = 0;
  bool spent() const { return asked >= most; }
};

// A subset of `items`, in their order, for which `fails` is true: of the ones of at least `least` items, one from which
// no single item can be taken (unless the budget is spent first). `fails(items)` must be true; it is not asked.
std::vector<std::size_t> smallest_failing(std::vector<std::size_t> items, std::size_t least,
                                          const std::function<bool(const std::vector<std::size_t>&)>& fails,
                                          ShrinkBudget& budget);

}  // namespace assay::judge
