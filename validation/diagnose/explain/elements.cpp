#include "validation/diagnose/explain/elements.hpp"

#include <utility>

#include "reference/exact/schedule.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

CodeVector words(const std::vector<std::uint64_t>& codes, const FormatSpec& f) {
  return {codes.data(), codes.size(), static_cast<std::ptrdiff_t>(8 / code_bytes(f)), f};
}

CodeVector operand(const std::vector<std::uint64_t>& codes, const FormatSpec& f, const ExplainInput& input,
                   const std::vector<std::uint8_t>& scales, float tensor) {
  CodeVector x = words(codes, f);
  if (!scales.empty())
    x.scales = {.data = scales.data(), .count = scales.size(), .use = *input.scales, .tensor = tensor};
  return x;
}

}  // namespace

CodeVector a_of(const ExplainElement& e, const ExplainInput& input) {
  return operand(e.a, input.a, input, e.a_scales, input.a_tensor);
}
CodeVector b_of(const ExplainElement& e, const ExplainInput& input) {
  return operand(e.b, input.b, input, e.b_scales, input.b_tensor);
}

CodeVector a_values_of(const ExplainElement& e, const ExplainInput& input) {
  return e.a_values.empty() ? words(e.a, input.a) : words(e.a_values, formats::float64);
}
CodeVector b_values_of(const ExplainElement& e, const ExplainInput& input) {
  return e.b_values.empty() ? words(e.b, input.b) : words(e.b_values, formats::float64);
}

bool same_bits(std::uint64_t x, std::uint64_t y, const FormatSpec& f) {
  return x == y || (f.is_nan(x) && f.is_nan(y));
}

std::optional<std::uint64_t> start_of(const ExplainElement& e, const FormatSpec& c, const FormatSpec& f) {
  if (!e.c) return std::nullopt;
  return c == f ? *e.c : convert(*e.c, c, f).code;
}

bool takes_formats(const Arithmetic& arithmetic, const ExplainInput& input) {
  return arithmetic.accepts(input.a, input.b) &&
         (!input.views[0].elements[0].c || contains_format(arithmetic.info().accumulator, input.c));
}
bool takes(const Arithmetic& arithmetic, const ExplainInput& input) {
  return takes_formats(arithmetic, input) &&
         (!input.scales || arithmetic.info().block_scales == input.scales);
}

std::uint64_t sum_of(const ExplainCandidate& c, const ExplainInput& input, std::size_t i) {
  const ExplainElement& e = input.views[c.view_index].elements[i];
  if (c.arithmetic != nullptr) {
    return c.arithmetic->dot(a_of(e, input), b_of(e, input),
                             start_of(e, input.c, c.arithmetic->info().accumulator), c.sum_format, e.index);
  }
  const std::optional<std::uint64_t> start = start_of(e, input.c, c.rules.accumulator);
  const CodeVector a = a_values_of(e, input), b = b_values_of(e, input);
  return PreparedTerms(a, b, c.rules).evaluate(make_schedule(c.order, a.size, e.c.has_value()), start);
}

void ExplainElement::take(const CodeVector& x, const CodeVector& y) {
  const auto read = [](const CodeVector& v, std::vector<std::uint64_t>& codes,
                       std::vector<std::uint8_t>& scales, std::vector<std::uint64_t>& values) {
    for (std::size_t i = 0; i < v.size; ++i) {
      codes.push_back(v.code(i));
      if (v.scales.given()) values.push_back(encode(element_value(v, i), formats::float64).code);
    }
    for (std::size_t i = 0; v.scales.given() && i < v.size; i += v.scales.use.block)
      scales.push_back(v.scales.code(i));
  };
  read(x, a, a_scales, a_values);
  read(y, b, b_scales, b_values);
}

ExplainInput part_of(const ExplainInput& input, const std::vector<std::size_t>& positions) {
  ExplainInput part = input;
  for (ExplainView& view : part.views) {
    std::vector<ExplainElement> some;
    for (const std::size_t i : positions) some.push_back(view.elements.at(i));
    view.elements = std::move(some);
  }
  return part;
}

std::optional<std::uint64_t> answer(const ExplainCandidate& candidate, const ExplainInput& input,
                                    std::size_t element) {
  if (candidate.arithmetic != nullptr && !takes(*candidate.arithmetic, input)) return std::nullopt;
  return candidate.finish.apply(sum_of(candidate, input, element), candidate.sum_format, input.got);
}

}  // namespace assay::diagnose
