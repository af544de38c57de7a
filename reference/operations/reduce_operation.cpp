// Reductions of all elements of an array, or along one axis.
#include <utility>

#include "reference/core/error.hpp"
#include "reference/operations/operation.hpp"

namespace assay::operations {
namespace {

class Reduce : public Operation {
 public:
  Reduce(OperationInput in, const OutputSpec& output) : Operation(output), a_(std::move(in.a)) {
    problem_.operation = in.reduction;
    problem_.nan = in.nan;
    problem_.rounding = output.epilogue.rounding;
    problem_.overflow = output.epilogue.overflow;
    const auto dimensions = static_cast<int>(a_.shape.size());
    if (in.axis) {
      const int axis = *in.axis < 0 ? *in.axis + dimensions : *in.axis;
      if (axis < 0 || axis >= dimensions) mismatch(a_, "an axis " + std::to_string(*in.axis) + " (--axis)");
      for (int d = 0; d < dimensions; ++d) {
        const std::size_t size = a_.shape[static_cast<std::size_t>(d)];
        if (d != axis) shape_.push_back(size);
        (d < axis ? problem_.outer : d == axis ? problem_.length : problem_.inner) *= size;
      }
    } else {
      problem_.length = a_.size();
    }
    const bool extreme = in.reduction == Reduction::max || in.reduction == Reduction::min ||
                         in.reduction == Reduction::max_magnitude;
    if (extreme && problem_.length == 0) mismatch(a_, "elements to take the extreme of");
    parameters_ = "operation=" + std::string(reduction_name(in.reduction)) +
                  " n=" + std::to_string(problem_.outer * problem_.inner) +
                  " k=" + std::to_string(problem_.length) + " a=" + std::string(a_.format.dtype);
  }

  ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const override {
    return reduce_truth(arithmetic, problem_, a_.codes(), output_.format, i / problem_.inner,
                        i % problem_.inner, factor);
  }

  std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const override {
    // One result alone: its line as a reduction of its own.
    ReduceProblem one = problem_;
    one.outer = one.inner = 1;
    const std::size_t o = i / problem_.inner, inner = i % problem_.inner, bytes = code_bytes(a_.format);
    Scratch line(problem_.length * bytes);
    const CodeVector all = a_.codes();
    for (std::size_t k = 0; k < problem_.length; ++k) {
      detail::store_code(line.data(), static_cast<std::ptrdiff_t>(k), bytes,
                         all.code((o * problem_.length + k) * problem_.inner + inner));
    }
    std::uint64_t result = 0;
    one.first = i;
    reduce(unit, one, {line.data(), problem_.length, 1, all.format}, {&result, 1, 1, output_.format});
    return result;
  }

 private:
  ArrayView a_;
  ReduceProblem problem_;
};

}  // namespace

std::string_view reduction_name(Reduction r) {
  switch (r) {
    case Reduction::sum: return "sum";
    case Reduction::mean: return "mean";
    case Reduction::sum_squares: return "sum_squares";
    case Reduction::sum_magnitudes: return "sum_magnitudes";
    case Reduction::max: return "max";
    case Reduction::min: return "min";
    case Reduction::max_magnitude: break;
  }
  return "max_magnitude";
}

const OperationKind kind_of_reduce{
    .name = "reduce",
    .summary = "sum, mean, sum of squares or of magnitudes, max, min, max of magnitudes along an axis",
    .reads = "operation nan axis",
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Reduce>(std::move(in), output);
    }};

const OperationKind kind_of_sum{
    .name = "sum",
    .summary = "the sum along an axis",
    .reads = "axis",
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      in.reduction = Reduction::sum;
      return std::make_unique<Reduce>(std::move(in), output);
    }};

}  // namespace assay::operations
