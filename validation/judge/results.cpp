#include "validation/judge/results.hpp"

#include <memory>
#include <utility>

#include "reference/core/error.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/judge/question.hpp"

namespace assay::judge {
namespace {

bool has_double(const Request& r) {
  const auto is_double = [](const io::Array& x) { return x.element == io::ElementType(formats::float64); };
  return (r.a && is_double(*r.a)) || (r.b && is_double(*r.b)) || (r.sparse && is_double(r.sparse->values));
}

}  // namespace

Results exact_results(Request r, const std::optional<FormatSpec>& output) {
  const FormatSpec format = output.value_or(has_double(r) ? formats::float64 : formats::float32);
  r.got.element = format;
  r.policy = {};
  r.policy.kind = compare::PolicyKind::bound;
  const Question q = make_question(r);
  if (r.arithmetic != nullptr && r.require_places) r.require_places(q.operation->shape());
  const std::unique_ptr<const Arithmetic> any =
      r.arithmetic == nullptr ? make_any_order(q.how, format) : nullptr;
  AnswerOptions how{.threads = r.threads};
  how.progress = r.progress;
  return {q.operation->shape(), format,
          exact_answer(*q.operation, r.arithmetic == nullptr ? *any : *r.arithmetic, q.output, how)};
}

Results predicted_results(Request r, const std::optional<FormatSpec>& output) {
  if (r.arithmetic == nullptr || !kind_of(r).sums)
    throw UsageError(r.operation + " requires " + r.option("unit") +
                     ": which bits are right depends on the arithmetic");
  const FormatSpec format = output.value_or(r.arithmetic->info().outputs.front());
  r.got.element = format;
  r.policy = {};
  const Question q = make_question(r);
  if (r.require_places) r.require_places(q.operation->shape());
  AnswerOptions how{.threads = r.threads};
  how.progress = r.progress;
  return {q.operation->shape(), format, predicted_answer(*q.operation, *r.arithmetic, q.output, how)};
}

}  // namespace assay::judge
