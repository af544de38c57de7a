// The cases of suite `sparse` for products in bfloat16.
#pragma once

#include <span>
#include <vector>

#include "reference/formats/storage.hpp"
#include "reference/sparse/csr.hpp"
#include "validation/io/array.hpp"
#include "validation/suites/rounding_distance.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {

// Numbers of float32 as bfloat16, to nearest even; an array of bfloat16 as codes.
io::Array rounded(const io::Array& x);
std::vector<bf16_t> codes_of(const io::Array& x);
// Every place of A, for a contract over all of K.
io::Array expanded(const sparse::Csr<bf16_t>& a);
// Of A X from operands that were rounded: how far from float32's on operands that were not.
void measure_distance(const sparse::Csr<float>& a, const io::Array& x, std::span<const float> got,
                      RoundingDistance& distance);

void add_bf16_cases(const RunContext& context, std::vector<Case>& cases);

}  // namespace assay::suites
