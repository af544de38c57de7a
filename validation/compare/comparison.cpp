#include "validation/compare/comparison.hpp"

namespace assay::compare {

MatrixView matrix_view(const Shape& shape) {
  MatrixView view;
  if (!shape.empty()) view.cols = shape.back();
  if (shape.size() > 1) view.rows = shape[shape.size() - 2];
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) view.batches *= shape[i];
  return view;
}

std::string index_text(std::size_t index, const Shape& shape) {
  std::string text;
  for (std::size_t i = shape.size(); i-- > 0;) {
    text.insert(0, std::to_string(index % shape[i]) + (text.empty() ? "" : ","));
    index /= shape[i];
  }
  return "[" + text + "]";
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  return text + "]";
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::agree: return "PASSED";
    case Verdict::disagree: return "FAILED";
    case Verdict::vacuous: break;
  }
  return "VACUOUS";
}

}  // namespace assay::compare
