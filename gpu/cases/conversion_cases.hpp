// The conversion of float32 to bfloat16.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "reference/formats/rounding.hpp"

namespace assay::gpu {

struct ConversionRounding {
  const char* name;
  Rounding rounding;
};
std::span<const ConversionRounding> conversion_roundings();

// Several lengths of one kind of numbers, infinities and NaN among them.
struct ConversionProblem {
  std::string name{};  // of its result: "n=31"
  std::vector<float> x{};
};
std::vector<ConversionProblem> conversion_problems(std::uint64_t seed);
// Behind the codes lies what a kernel must leave alone: that many codes 0xA5A5.
inline constexpr std::size_t conversion_guards = 32;

KernelCase conversion_case(const ConversionRounding& rounding);
std::vector<KernelCase> conversion_cases();

}  // namespace assay::gpu
