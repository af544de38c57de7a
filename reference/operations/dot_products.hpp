// Private to the operations: shared code of those whose outputs are single dot products.
#pragma once

#include <optional>
#include <string>

#include "reference/operations/operation.hpp"

namespace assay::operations {

// "a=bfloat16 b=bfloat16"
std::string formats_text(const FormatSpec& a, const FormatSpec& b);

// Element i of an array that joins the sum; nothing if there is none.
inline std::optional<Addend> addend(const std::optional<ArrayView>& array, std::size_t i) {
  return array ? std::optional(Addend{array->code(i), array->format}) : std::nullopt;
}

class DotProducts : public Operation {
 public:
  std::optional<Terms> terms(std::size_t i, Scratch& scratch) const final { return terms_of(i, scratch); }
  ElementTruth truth(const Arithmetic& arithmetic, std::size_t i, double factor) const final;
  std::uint64_t predicted(const Arithmetic& unit, std::size_t i) const final;

 protected:
  using Operation::Operation;
  virtual Terms terms_of(std::size_t i, Scratch& scratch) const = 0;

  // What the sum starts with, as a code of the arithmetic's accumulator. InputError if that does not hold it.
  static std::optional<std::uint64_t> start_code(const Arithmetic& arithmetic, const Terms& t);
  // Does the unit round into the output itself, with nothing between?
  bool is_direct(const Arithmetic& unit, bool has_bias) const;
};

}  // namespace assay::operations
