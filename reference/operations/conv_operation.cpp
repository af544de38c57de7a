// Two-dimensional convolution: input and weights in the order of the problem's layout (conv.hpp).
#include <utility>

#include "reference/core/error.hpp"
#include "reference/operations/dot_products.hpp"

namespace assay::operations {
namespace {

class Conv : public DotProducts {
 public:
  Conv(OperationInput in, const OutputSpec& output)
      : DotProducts(output),
        a_(std::move(in.a)),
        b_(std::move(in.b)),
        bias_(std::move(in.bias)),
        problem_(in.conv) {
    const bool nchw = problem_.layout == ImageLayout::nchw;
    if (a_.shape.size() != 4) mismatch(a_, nchw ? "N C H W" : "N H W C");
    if (b_.shape.size() != 4) mismatch(b_, nchw ? "weights O C/groups R S" : "weights O R S C/groups");
    const std::size_t channel = nchw ? 1 : 3, first = nchw ? 2 : 1;
    problem_.batch = a_.shape[0];
    problem_.channels = a_.shape[channel];
    problem_.height = a_.shape[first];
    problem_.width = a_.shape[first + 1];
    problem_.outputs = b_.shape[0];
    problem_.kernel_height = b_.shape[first];
    problem_.kernel_width = b_.shape[first + 1];
    problem_.epilogue = output.epilogue;
    const std::size_t groups = problem_.groups;
    if (groups == 0 || problem_.channels % groups != 0 || problem_.outputs % groups != 0)
      mismatch(b_, "channels and outputs that " + std::to_string(groups) + " groups divide");
    if (b_.shape[channel] * groups != problem_.channels) {
      mismatch(b_, "weights for " + std::to_string(problem_.channels) + " channels in " +
                       std::to_string(groups) + " groups");
    }
    if (bias_ && bias_->size() != problem_.outputs)
      mismatch(*bias_, std::to_string(problem_.outputs) + " values, one an output channel");
    if (!problem_.has_countable_sizes()) {
      throw InputError(a_.name, "",
                       "an input that is less than 2^63 wide and high with its padding, and a dilated "
                       "kernel of less than 2^64",
                       "pad " + std::to_string(problem_.pad_top) + " " + std::to_string(problem_.pad_left) +
                           ", dilation " + std::to_string(problem_.dilation_height) + " " +
                           std::to_string(problem_.dilation_width));
    }
    const std::size_t p = problem_.out_height(), q = problem_.out_width();
    shape_ =
        nchw ? Shape{problem_.batch, problem_.outputs, p, q} : Shape{problem_.batch, p, q, problem_.outputs};
    parameters_ = "x=" + dimensions(a_.shape) + " w=" + dimensions(b_.shape) +
                  " stride=" + pair(problem_.stride_height, problem_.stride_width) +
                  " pad=" + pair(problem_.pad_top, problem_.pad_left) +
                  " dilation=" + pair(problem_.dilation_height, problem_.dilation_width) +
                  " groups=" + std::to_string(groups) + " " + formats_text(a_.format, b_.format);
    if (!nchw) parameters_ += " layout=nhwc";
    if (problem_.padding == Padding::absent) parameters_ += " padding=absent";
  }

  bool predict_all(const Arithmetic& unit, const MutableCodeVector& codes,
                   const std::function<void(double)>&) const override {
    conv2d(unit, problem_, a_.codes(), b_.codes(), bias(), codes);
    return true;
  }

 private:
  Terms terms_of(std::size_t i, Scratch& scratch) const override {
    const std::size_t p = problem_.out_height(), q = problem_.out_width(), o = problem_.outputs;
    const bool nchw = problem_.layout == ImageLayout::nchw;
    const std::size_t channel = nchw ? i / (p * q) % o : i % o;
    const ConvTerms t = conv2d_terms(problem_, a_.codes(), b_.codes(), i / (o * p * q), channel,
                                     nchw ? i / q % p : i / (o * q) % p, nchw ? i % q : i / o % q, scratch);
    return {.a = t.x, .b = t.w, .bias = addend(bias_, channel)};
  }

  std::optional<CodeVector> bias() const { return bias_ ? std::optional(bias_->codes()) : std::nullopt; }

  // "2x3x8x8"
  static std::string dimensions(const Shape& shape) {
    std::string text;
    for (const std::size_t d : shape) text += (text.empty() ? "" : "x") + std::to_string(d);
    return text;
  }
  static std::string pair(std::size_t rows, std::size_t columns) {
    return std::to_string(rows) + (rows == columns ? "" : "x" + std::to_string(columns));
  }

  ArrayView a_, b_;
  std::optional<ArrayView> bias_;
  ConvProblem problem_;
};

}  // namespace

const OperationKind kind_of_conv{
    .name = "conv",
    .summary = "two-dimensional convolution, NCHW or NHWC",
    .reads = "b bias alpha activation epilogue stride pad dilation groups image-layout padding",
    .has_b = true,
    .make = [](OperationInput in, const OutputSpec& output) -> std::unique_ptr<Operation> {
      return std::make_unique<Conv>(std::move(in), output);
    }};

}  // namespace assay::operations
