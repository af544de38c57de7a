#include "validation/python/study_gradients.hpp"

#include <cstddef>
#include <string>

#include "validation/python/array.hpp"

namespace assay::python {

py::dict distance_dict(const studies::Distance& distance) {
  py::dict d;
  d["mean_bf16_ulp"] = distance.mean_bf16_ulp;
  d["max_bf16_ulp"] = distance.max_bf16_ulp;
  d["mean_f32_ulp"] = distance.mean_f32_ulp;
  d["max_f32_ulp"] = distance.max_f32_ulp;
  d["relative"] = distance.relative;
  return d;
}

namespace {

py::dict errors_dict(const studies::GradientErrors& e) {
  py::dict d;
  d["elements"] = e.elements;
  d["nonfinite"] = e.nonfinite;
  d["outside"] = e.outside;
  d["relative"] = e.relative;
  d["max_ulp"] = e.max_ulp;
  d["error_over_bound"] = e.of_bound;
  d["cosine"] = e.cosine;
  d["bias"] = e.bias;
  d["outward"] = e.outward;
  d["sum_relative"] = e.sum_relative;
  d["sum_error_over_bound"] = e.sum_of_bound;
  d["from_float32"] = distance_dict(e.from_float32);
  return d;
}

}  // namespace

py::list gradients_of(const studies::AutosparseStudy& study) {
  py::list all;
  for (const studies::GradientPoint& p : study.points) {
    py::dict sums;
    sums["terms"] = p.ds.terms;
    sums["cancellation"] = p.ds.cancellation;
    sums["stated"] = p.ds.stated;
    sums["float32_chain"] = p.ds.float32_chain;
    sums["bfloat16_chain"] = p.ds.bfloat16_chain;
    py::dict d;
    d["width"] = p.width;
    d["sparsity"] = p.sparsity;
    d["kept"] = p.kept;
    d["threshold"] = p.threshold;
    d["alpha"] = p.alpha;
    d["series"] = p.series;
    d["format"] = p.format;
    d["rounding"] = p.rounding;
    d["unit"] = p.unit;
    for (const studies::Gradient g : studies::all_gradients)
      d[py::str(std::string(gradient_name(g)))] = errors_dict(p.of(g));
    d["ds_sums"] = sums;
    all.append(d);
  }
  return all;
}

py::list masters_of(const studies::AutosparseStudy& study) {
  py::list all;
  for (const studies::MasterWeights& m : study.masters) {
    py::dict d;
    d["width"] = m.width;
    d["sparsity"] = m.sparsity;
    d["alpha"] = m.alpha;
    d["format"] = m.format;
    d["rounding"] = m.rounding;
    d["weights"] = m.weights;
    d["lost"] = m.lost;
    d["gained"] = m.gained;
    for (const studies::Gradient g : studies::all_gradients)
      d[py::str(std::string(gradient_name(g)))] = m.relative[static_cast<std::size_t>(g)];
    all.append(d);
  }
  return all;
}

}  // namespace assay::python
