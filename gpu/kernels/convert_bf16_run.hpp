// The CUDA conversion to bfloat16 on arrays of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/formats/rounding.hpp"
#include "reference/formats/storage.hpp"

namespace assay::gpu {

struct ConvertBf16Options {
  Rounding rounding = Rounding::nearest_even;  // or toward_zero, stochastic; else ContractError
  std::uint64_t seed = 0, first_index = 0;     // stochastic
  // Elements of the device's arrays before those that are read and written: none lies aligned to more than itself.
  std::size_t src_offset = 0, dst_offset = 0;
};

// The codes, between `dst_offset` and 32 elements of the device's array that hold 0xA5A5 before and after.
std::vector<bf16_t> run_convert_bf16(std::span<const float> src, const ConvertBf16Options& options = {});

}  // namespace assay::gpu
