#include "validation/judge/scales.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"

namespace assay::judge {

float tensor_scale(const std::string& option, const std::string& typed) {
  if (typed.empty()) return 1;
  const auto refused = [&] {
    return InputError::of_option(option, "a positive number within the range of float32", quoted(typed));
  };
  ExactValue<Wide> x;
  try {
    x = parse_number(typed);
  } catch (const InputError&) {
    throw refused();
  }
  const Encoded e = encode(x, formats::float32);
  if (x.kind != Kind::finite || x.negative || e.overflow || e.code == 0) throw refused();
  return static_cast<float>(decode(e.code, formats::float32));
}

ScaleUse parse_scale_use(const std::string& option, const std::string& typed) {
  if (typed == "e8m0") return {ScaleFormat::e8m0, 32};
  if (typed == "ue4m3") return {ScaleFormat::ue4m3, 16};
  throw unknown_name(option, "a format of scales", typed, {"e8m0", "ue4m3"});
}

std::optional<io::Scales> scales_of(const GivenScales& given, const std::string& option,
                                    const std::string& tensor_option, const ArithmeticInfo& info,
                                    const io::Shape& shape, Lines along, const ArithmeticRegistry* known) {
  if (!given.blocks) {
    if (!given.tensor.empty()) throw UsageError(tensor_option + " requires " + option);
    return std::nullopt;
  }
  if (!info.block_scales) {
    std::vector<std::string_view> names;
    if (known != nullptr) {
      for (const Arithmetic* x : known->list()) {
        if (x->info().block_scales) names.push_back(x->info().name);
      }
    }
    throw InputError(
        option, "", fmt::format("a unit that reads scales of blocks: {}", fmt::join(names, ", ")), info.name);
  }
  return io::Scales(*given.blocks, *info.block_scales, shape, along,
                    tensor_scale(tensor_option, given.tensor));
}

}  // namespace assay::judge
