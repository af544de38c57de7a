// What a kernel is called with: arrays that are read or made, and scalars, by the types of its parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/io/io.hpp"
#include "validation/simt/kernel.hpp"

namespace assay::simt {

struct Argument {
  std::optional<io::Array> array{};
  std::size_t numbers_per_element = 1;  // 4 of a float4; of another class its bytes
  std::vector<std::byte> scalar{};
  std::string shown{};
};

// By what was given, as KernelCheck has it; `number`: which parameter, from 0. InputError where the two do not fit.
Argument argument_of(const std::string& given, const assay_simt::KernelParameter& p, std::size_t number,
                     const Extent& e);

// 0 of a scalar.
std::uint64_t elements_of(const Argument& a);

}  // namespace assay::simt
