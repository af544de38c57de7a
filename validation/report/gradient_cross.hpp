// The cross of a grid of gradients: the points through the middle of each of its lists.
#pragma once

#include <vector>

#include "validation/report/autosparse_results.hpp"

namespace assay::studies {

enum class GradientAxis : std::uint8_t { width, sparsity, alpha };

struct GradientCross {
  double width = 0, sparsity = 0, alpha = 0;  // the middle

  explicit GradientCross(const AutosparseStudy& study)
      : width(static_cast<double>(study.widths[study.widths.size() / 2])),
        sparsity(study.sparsities[study.sparsities.size() / 2]),
        alpha(study.alphas[study.alphas.size() / 2]) {}

  // `Point`: GradientPoint or MasterWeights.
  template <class Point>
  static double at(const Point& p, GradientAxis axis) {
    if (axis == GradientAxis::width) return static_cast<double>(p.width);
    return axis == GradientAxis::sparsity ? p.sparsity : p.alpha;
  }
  // Is it on the line along this axis?
  template <class Point>
  bool along(const Point& p, GradientAxis axis) const {
    return (axis == GradientAxis::width || static_cast<double>(p.width) == width) &&
           (axis == GradientAxis::sparsity || p.sparsity == sparsity) &&
           (axis == GradientAxis::alpha || p.alpha == alpha);
  }
  template <class Point>
  bool holds(const Point& p) const {
    return along(p, GradientAxis::width) || along(p, GradientAxis::sparsity) || along(p, GradientAxis::alpha);
  }
};

}  // namespace assay::studies
