// What happens to the elements of arrays before a question is made of them: their order, their type, their places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "validation/compare/codes.hpp"
#include "validation/io/array.hpp"

namespace assay::judge {

// The matrices of an array that lie column by column, in a file whose header says otherwise, or that has none.
io::Array by_rows(io::Array array);

// Integers and bool become float64, exactly, to be compared with floating-point numbers; InputError for integers that
// float64 does not hold. Others pass through.
io::Array as_floating(io::Array&& array);
// A floating-point array as a comparison reads it; the array outlives it.
compare::Codes codes_of(const io::Array& array);
// The values of a floating-point array.
std::vector<double> values_of(const io::Array& array);
std::vector<std::uint64_t> all_codes(const compare::Codes& codes);

// InputError, by `origin` and the place of the value, unless all are 0 or more, and finite if they bound integers.
void require_bounds(const std::vector<double>& bounds, bool of_integers, const std::string& origin);

// The flat index of an element by its place in each dimension; empty if there is none.
std::optional<std::size_t> flat_index(const std::vector<std::size_t>& place, const compare::Shape& shape);

// body(first, count) for all of [0, rows) in pieces, and after each piece done(rows so far). One piece if not
// `divisible`.
void in_pieces(std::size_t rows, bool divisible, const std::function<void(std::size_t rows)>& done,
               const std::function<void(std::size_t first, std::size_t count)>& body);

}  // namespace assay::judge
