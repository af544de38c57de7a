#include "validation/judge/own_scaling.hpp"

#include <fmt/format.h>

namespace assay::judge {

std::string scale_text(double x) {
  const auto narrow = static_cast<float>(x);
  return narrow == x ? fmt::format("{}", narrow) : fmt::format("{}", x);
}

std::string describe(const OwnScaling& s) {
  if (s.mean) return "mean";
  return "alpha=" + scale_text(s.alpha) + (s.beta ? " beta=" + scale_text(*s.beta) : "");
}

}  // namespace assay::judge
