// The arithmetics that a person can name: float chains, machines' units, and saved ones that a probe revealed.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "reference/exact/arithmetic.hpp"
#include "reference/operations/array_view.hpp"

namespace assay {

// Chains and units. Built at the first call.
const ArithmeticRegistry& arithmetics();

// One of them, or what `assay probe --out` saved: a name that ends in ".json" is a file. InputError, with `where`
// ("--unit") or the file, if there is none of it.
std::shared_ptr<const Arithmetic> load_arithmetic(const std::string& name_or_file, std::string_view where);

// The same, kept until the program ends: a file is read once. For one thread.
const Arithmetic& find_arithmetic(const std::string& name_or_file, std::string_view where);

// Rows and columns of the outputs of a matrix product; empty: the outputs are not those of a matrix product.
using MatrixPlaces = std::optional<std::pair<std::size_t, std::size_t>>;
// Of a result of this shape. Only a gemm of two matrices has places: a vector makes a row or a column of its own, and a
// stack is several matrices.
MatrixPlaces places_of(std::string_view operation, const operations::Shape& shape);

// A saved matrix product of several trees knows its outputs by their places: InputError, by `name`, unless it was
// revealed for these. Nothing for any other arithmetic.
void check_places(const std::string& name, const Arithmetic& arithmetic, const MatrixPlaces& places);

}  // namespace assay
