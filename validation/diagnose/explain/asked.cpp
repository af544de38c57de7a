#include "validation/diagnose/explain/asked.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "validation/judge/operands.hpp"
#include "validation/judge/question.hpp"

namespace assay::diagnose {
namespace {

using judge::make_operation;

// The terms of output i and what starts their sum, in the accumulator's format.
ExplainElement element_of(const operations::Operation& operation, std::size_t i,
                          const FormatSpec& accumulator) {
  operations::Scratch scratch;
  const std::optional<operations::Terms> terms = operation.terms(i, scratch);
  if (!terms) throw ContractError("explain: outputs that are no dot products");
  ExplainElement element;
  element.index = i;
  element.take(terms->a, terms->b);
  if (terms->start) element.c = convert(terms->start->code, terms->start->format, accumulator).code;
  return element;
}

// Terms of a convolution by the other loop nest. They come with channels outermost, whatever the layout of its arrays.
void add_loop_orders(bool nchw, const io::Shape& weights, ExplainInput& input) {
  const auto dim = [&](std::size_t d) { return static_cast<std::size_t>(weights.at(d)); };
  const std::size_t channels = dim(nchw ? 1 : 3), rows = dim(nchw ? 2 : 1), cols = dim(nchw ? 3 : 2);
  const std::size_t taps = channels * rows * cols;
  for (const ExplainElement& e : input.views[0].elements) {
    if (e.a.size() != taps) return;  // padding that is absent: what is left is no box
  }
  const bool one_loop = (channels == 1 ? 0 : 1) + (rows * cols == 1 ? 0 : 1) < 2;
  if (one_loop) return;
  ExplainView turned{"row, column, channel", {}};
  for (const ExplainElement& e : input.views[0].elements) {
    ExplainElement t = e;
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < rows * cols; ++p) {
        const std::size_t channel_first = c * rows * cols + p, channel_last = p * channels + c;
        t.a[channel_last] = e.a[channel_first];
        t.b[channel_last] = e.b[channel_first];
      }
    }
    turned.elements.push_back(std::move(t));
  }
  input.views[0].name = "channel, row, column";
  input.views.push_back(std::move(turned));
}

using View = std::pair<std::string, std::unique_ptr<const operations::Operation>>;

std::vector<View> views_of(judge::Request& r, const std::optional<ScaleUse>& scales) {
  const operations::OutputSpec output{.format = r.got.element.format(), .epilogue = {}};
  const operations::OperationKind* const known = operations::find_operation(r.operation);
  if (known == nullptr) throw ContractError("explain: no operation " + r.operation);
  const operations::OperationKind& kind = *known;
  std::vector<View> views;
  std::unique_ptr<const operations::Operation> filled;
  // Zeros that multiply change the lane of a term; where the dense array would be large they are left out.
  constexpr std::int64_t most = std::int64_t{1} << 26;
  if (r.sparse && r.sparse->rows * r.sparse->cols <= most) {
    try {
      io::Array dense = io::to_dense(*r.sparse);
      dense.origin = r.sparse->origin;
      filled = make_operation(operations::kind_of_gemm,
                              {.a = std::move(dense),
                               .b = r.b.value(),
                               .transpose_a = r.transpose_a,
                               .transpose_b = r.transpose_b},
                              output);
    } catch (const InputError&) {  // repeated entries: there is no such dense array
    }
  }
  judge::Operands operands{.sparse = std::move(r.sparse),
                           .a = r.a ? std::move(*r.a) : io::Array{},
                           .b = std::move(r.b).value(),
                           .transpose_a = r.transpose_a,
                           .transpose_b = r.transpose_b,
                           .c = std::move(r.c),
                           .conv = judge::conv_problem(r)};
  operands.c_first = operands.c.has_value();
  // Nothing but the scales' kind is asked of this.
  ArithmeticInfo reads{.name = "explain"};
  reads.block_scales = scales;
  judge::take_scales(r, kind, reads, operands);
  views.emplace_back(filled ? "stored entries" : "", make_operation(kind, std::move(operands), output));
  if (kind.sparse_a) views.back().first = "stored entries";
  if (filled) views.emplace_back("zeros filled in", std::move(filled));
  return views;
}

}  // namespace

Asked asked_of(judge::Request& r, const std::optional<ScaleUse>& scales, const Sample& sample) {
  Asked asked;
  ExplainInput& input = asked.input;
  input.c = r.c ? r.c->element.format() : formats::float32;
  input.a = r.a ? r.a->element.format() : r.sparse.value().values.element.format();
  input.b = r.b.value().element.format();
  input.got = r.got.element.format();
  const std::string origin = r.a ? r.a->origin : r.sparse->origin;
  const io::Shape weights = r.b->shape;
  const bool nchw = r.image_layout != "nhwc", is_conv = r.operation == "conv";
  input.scales = scales;
  input.a_tensor = judge::tensor_scale(r.option("a-tensor-scale"), r.a_scales.tensor);
  input.b_tensor = judge::tensor_scale(r.option("b-tensor-scale"), r.b_scales.tensor);
  const std::vector<View> views = views_of(r, scales);
  const operations::Operation& first = *views.front().second;
  judge::require_shape(r.got, first.shape());
  asked.shape = first.shape();
  asked.parameters = first.parameters();
  if (first.size() == 0)
    throw InputError(r.got.origin, "", "an output to explain",
                     "none: shape " + operations::shape_text(asked.shape));
  const std::vector<std::size_t> outputs = sample(asked.shape);
  for (const auto& [name, operation] : views) {
    ExplainView view{name, {}};
    for (const std::size_t i : outputs) {
      view.elements.push_back(element_of(*operation, i, input.c));
      view.elements.back().got = r.got.code(static_cast<std::int64_t>(i));
      if (view.elements.back().a.size() >> 17 != 0)
        throw InputError(origin, "", "sums of less than 131072 terms",
                         std::to_string(view.elements.back().a.size()));
    }
    input.views.push_back(std::move(view));
  }
  if (is_conv) add_loop_orders(nchw, weights, input);
  // An empty row of a sparse matrix says nothing; neither does anything if all are empty.
  const auto& elements = input.views[0].elements;
  if (std::all_of(elements.begin(), elements.end(), [](const ExplainElement& e) { return e.a.empty(); }))
    throw InputError(origin, "", "terms in the sampled sums", "none");
  return asked;
}

}  // namespace assay::diagnose
