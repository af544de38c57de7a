#include "validation/judge/fitted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"

namespace assay::judge {
namespace {

std::string accepted_text(const ArithmeticInfo& info) {
  std::vector<std::string> pairs;
  for (const auto& [a, b] : info.inputs) pairs.push_back(fmt::format("{} x {}", a.short_name, b.short_name));
  return pairs.empty() ? fmt::format("{} takes C as {}", info.name, info.accumulator.short_name)
                       : fmt::format("{} takes {}, and C as {}", info.name, fmt::join(pairs, ", "),
                                     info.accumulator.short_name);
}

}  // namespace

io::Array fitted(io::Array&& array, const FormatSpec& to, bool round, const ArithmeticInfo& info) {
  const FormatSpec from = array.element.format();
  if (from == to) return std::move(array);
  io::Array out = io::make_array(to, array.shape);
  out.origin = array.origin;
  out.metadata = array.metadata;
  const std::size_t bytes = code_bytes(to);
  for (std::int64_t i = 0; i < array.size(); ++i) {
    const std::uint64_t code = array.code(i);
    const Encoded e = convert(code, from, to);
    if (!round && (e.inexact || e.invalid)) {
      throw InputError(array.origin, fmt::format("element {}", i),
                       fmt::format("a value of {}, as {}", to.dtype, accepted_text(info)),
                       fmt::format("{} = {:a}", decode(code, from), decode(code, from)));
    }
    detail::store_code(out.bytes.data(), i, bytes, e.code);
  }
  return out;
}

std::pair<FormatSpec, FormatSpec> input_formats(const ArithmeticInfo& info, const FormatSpec& a,
                                                const FormatSpec& b) {
  if (info.inputs.empty()) return {a, b};
  const auto score = [&](const std::pair<FormatSpec, FormatSpec>& pair) {
    return (pair.first == a ? 1 : 0) + (pair.second == b ? 1 : 0);
  };
  return *std::max_element(info.inputs.begin(), info.inputs.end(),
                           [&](const auto& x, const auto& y) { return score(x) < score(y); });
}

}  // namespace assay::judge
