// What suite `cuda` asks of a kernel: its results have the bits of the contract or of the unit, and lie within the
// proven bound of the exact result.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "validation/io/array.hpp"
#include "validation/judge/request.hpp"
#include "validation/report/result.hpp"

namespace assay::suites::cuda {

// What a kernel writes, by name: "dw".
using KernelArrays = std::vector<std::pair<std::string, io::Array>>;

struct KernelQuestion {
  std::string contract{};  // whose bits are predicted: "AutoSparse's contract of float32"
  KernelArrays got{}, predicted{};
  // Of what was got, by the exact result and a bound.
  std::vector<judge::Judgement> judged{};
  // Of bfloat16 operands: from the float32 kernel on operands that were not rounded.
  std::string distance{};
};

// PASSED if all bits are the predicted ones and all judgements agree. The first wrong element is named by array and
// place, with what the judgement says of where the wrong ones lie.
CaseResult answer_of(const KernelQuestion& question);

template <class T>
io::Array array_of(const std::vector<T>& values, const io::ElementType& element, io::Shape shape) {
  io::Array out = io::make_array(element, std::move(shape));
  std::copy(values.begin(), values.end(), out.as<T>().begin());
  return out;
}

}  // namespace assay::suites::cuda
