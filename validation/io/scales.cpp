#include "validation/io/scales.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"

namespace assay::io {
namespace {

// The code of a scale that is `value`; -1 if the format has no such scale.
int scale_code(double value, ScaleFormat format) {
  if (format == ScaleFormat::e8m0) {
    if (std::isnan(value)) return e8m0_t::nan_code;
    const e8m0_t code = encode_e8m0(value);
    return code.value() == value ? code.code : -1;
  }
  if (!std::isnan(value) && (value < 0 || std::isinf(value))) return -1;
  const Encoded e = encode(value, formats::float8_e4m3fn);
  return e.inexact || e.overflow ? -1 : static_cast<int>(e.code);
}

}  // namespace

Scales::Scales(const Array& array, const ScaleUse& use, const Shape& operand, Lines along, float tensor)
    : use_(use), along_(along), tensor_(tensor) {
  const std::string format(scale_format_name(use.format));
  Shape due = operand;
  if (due.empty()) throw ContractError("scales of an operand without dimensions");
  std::int64_t& k = due[along == Lines::rows || due.size() == 1 ? due.size() - 1 : due.size() - 2];
  k = static_cast<std::int64_t>(blocks_of(static_cast<std::size_t>(k), use.block));
  if (array.shape != due) {
    throw InputError(array.origin, "",
                     "shape " + to_string(due) + ": one " + format + " for every block of " +
                         std::to_string(use.block) + " along k",
                     "shape " + to_string(array.shape));
  }
  cols_ = static_cast<std::size_t>(due.back());
  if (due.size() > 1) rows_ = static_cast<std::size_t>(due[due.size() - 2]);
  if (due.size() == 1 && along == Lines::columns) std::swap(rows_, cols_);

  const bool typed = array.element == ElementType::unsigned_integer(8) ||
                     (use.format == ScaleFormat::ue4m3 && array.element == formats::float8_e4m3fn);
  if (!typed && !array.element.is_floating())
    throw InputError(array.origin, "", format + " scales: uint8 codes, or their values",
                     array.element.name());
  codes_.resize(static_cast<std::size_t>(array.size()) + 1);  // + 1: a view of none is not null either
  for (std::int64_t i = 0; i < array.size(); ++i) {
    int code = static_cast<int>(array.code(i));
    if (!typed) {
      const double value = decode(array.code(i), array.element.format());
      code = scale_code(value, use.format);
      if (code < 0)
        throw InputError(array.origin, "element " + std::to_string(i), "the value of an " + format + " scale",
                         std::to_string(value));
    }
    codes_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(code);
  }
}

MatrixScales Scales::view(std::size_t batch) const {
  const bool by_rows = along_ == Lines::rows;
  const auto cols = static_cast<std::ptrdiff_t>(cols_);
  return {.data = codes_.data() + batch * rows_ * cols_,
          .lines = by_rows ? rows_ : cols_,
          .blocks = by_rows ? cols_ : rows_,
          .line_stride = by_rows ? cols : 1,
          .block_stride = by_rows ? 1 : cols,
          .use = use_,
          .tensor = tensor_,
          .along = along_};
}

}  // namespace assay::io
