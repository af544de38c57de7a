// Arrays of codes as a comparison reads them: single codes, blocks of values, blocks by class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/formats/format_spec.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/compare/comparison.hpp"

namespace assay::compare {

// Codes as they lie in memory, row-major, each in the low bits of the smallest of 1, 2, 4 and 8 bytes that
// holds it.
struct Codes {
  const void* data = nullptr;
  FormatSpec format = formats::float32;
  Shape shape{};

  std::size_t size() const;  // number of elements; 1 for no dimensions
};

inline std::uint64_t code_at(const void* data, std::size_t bytes, std::size_t i) {
  return detail::load_code(data, static_cast<std::ptrdiff_t>(i), bytes);
}
inline std::uint64_t code_at(const Codes& codes, std::size_t i) {
  return code_at(codes.data, code_bytes(codes.format), i);
}

// Of n codes.
ClassCounts count_classes(const void* codes, std::size_t n, const FormatSpec& f);

// Codes of one format as float64 values, exact; a block at a time.
class Decoder {
 public:
  explicit Decoder(const FormatSpec& f);
  void decode(const void* codes, double* values, std::size_t n) const;

 private:
  FormatSpec format_;
  std::vector<double> table_;  // of formats of up to 16 bits that no shift widens
};

// Codes of one format in another by one rounding; a NaN becomes the format's NaN. Blocks go through the
// kernels of reference/formats where one serves the pair.
class Narrower {
 public:
  Narrower(const FormatSpec& from, const FormatSpec& to, Rounding rounding);

  // The converted codes: in `scratch` (n codes of `to`), or `codes` themselves where the formats are equal.
  const void* block(const void* codes, void* scratch, std::size_t n) const;
  std::uint64_t one(std::uint64_t code) const;
  bool is_identity() const { return from_ == to_; }

 private:
  struct Kernel;  // of reference/formats/convert.hpp, which what includes this need not see

  FormatSpec from_, to_;
  Rounding rounding_;
  std::shared_ptr<const Kernel> kernel_;
};

}  // namespace assay::compare
