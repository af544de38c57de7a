// Each value rounded once into the output's format.
#include <utility>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/operations/operation.hpp"

namespace assay::operations {
namespace {

class Convert : public Operation {
 public:
  Convert(OperationInput in, const OutputSpec& output) : Operation(output), a_(std::move(in.a)) {
    shape_ = a_.shape;
    parameters_ = "n=" + std::to_string(a_.size()) + " a=" + std::string(a_.format.dtype);
  }

  // One rounding: unique, to the sign of a zero.
  ElementTruth truth(const Arithmetic&, std::size_t i, double) const override {
    const Spread x = spread_of(widened(exact_from_code(a_.code(i), a_.format)));
    ElementTruth truth = truth_of(x, output_.epilogue, output_.format);
    truth.results.signed_zero = true;
    truth.results.negative_zero = x.exact.negative && output_.format.specials != Specials::fnuz;
    return truth;
  }
  std::uint64_t predicted(const Arithmetic&, std::size_t i) const override {
    return convert(a_.code(i), a_.format, output_.format,
                   {.rounding = output_.epilogue.rounding, .overflow = output_.epilogue.overflow})
        .code;
  }

 private:
  ArrayView a_;
};

}  // namespace

const OperationKind kind_of_convert{
    .name = "convert",
    .summary = "each value rounded once into the output's format",
    .reads = "",
    .sums = false,
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Convert>(std::move(in), output);
    }};

}  // namespace assay::operations
