// The block scales of an operand (MX, NVFP4), as given by the caller.
#pragma once

#include <optional>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "validation/io/array.hpp"
#include "validation/io/scales.hpp"

namespace assay::judge {

struct GivenScales {
  std::optional<io::Array> blocks{};  // codes or values, in the operand's shape with k counted in blocks
  std::string tensor{};               // NVFP4's float32 scale of the whole operand, as it was typed; empty: 1
};

// 1 if nothing was typed. InputError, naming `option`.
float tensor_scale(const std::string& option, const std::string& typed);

// The kinds of scales that machines read: "e8m0" is MX's, "ue4m3" is NVFP4's. InputError, naming `option`.
ScaleUse parse_scale_use(const std::string& option, const std::string& typed);

// Of an operand of this shape, whose blocks lie `along` its rows or columns; empty if none were given. InputError,
// naming the option, where `info` reads no scales, or the array, where it holds others; `known` may say who reads them.
std::optional<io::Scales> scales_of(const GivenScales& given, const std::string& option,
                                    const std::string& tensor_option, const ArithmeticInfo& info,
                                    const io::Shape& shape, Lines along,
                                    const ArithmeticRegistry* known = nullptr);

}  // namespace assay::judge
