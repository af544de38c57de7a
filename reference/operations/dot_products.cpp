#include "reference/operations/dot_products.hpp"

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"

namespace assay::operations {

std::string formats_text(const FormatSpec& a, const FormatSpec& b) {
  return "a=" + std::string(a.dtype) + " b=" + std::string(b.dtype);
}

std::optional<std::uint64_t> DotProducts::start_code(const Arithmetic& arithmetic, const Terms& t) {
  if (!t.start) return std::nullopt;
  const FormatSpec& accumulator = arithmetic.info().accumulator;
  if (!contains_format(accumulator, t.start->format)) {
    throw InputError("--c", "",
                     "a C that starts the sum to be " + std::string(accumulator.dtype) + " or narrower",
                     std::string(t.start->format.dtype));
  }
  return convert(t.start->code, t.start->format, accumulator).code;
}

bool DotProducts::is_direct(const Arithmetic& unit, bool has_bias) const {
  return is_plain(output_.epilogue) && !has_bias && unit.gives(output_.format);
}

ElementTruth DotProducts::truth(const Arithmetic& arithmetic, std::size_t i, double factor) const {
  Scratch scratch;
  const Terms t = terms_of(i, scratch);
  return element_truth(arithmetic, output_.epilogue, t.a, t.b, start_code(arithmetic, t), t.c, t.bias,
                       output_.format, factor);
}

std::uint64_t DotProducts::predicted(const Arithmetic& unit, std::size_t i) const {
  Scratch scratch;
  const Terms t = terms_of(i, scratch);
  const std::optional<std::uint64_t> start = start_code(unit, t);
  if (is_direct(unit, t.bias.has_value())) return unit.dot(t.a, t.b, start, output_.format, i);
  const FormatSpec& given = unit.info().outputs.front();
  const FormatSpec format = output_.epilogue.format.value_or(unit.info().accumulator);
  return apply_epilogue(output_.epilogue, format, {unit.dot(t.a, t.b, start, given, i), given}, t.c, t.bias,
                        output_.format);
}

}  // namespace assay::operations
