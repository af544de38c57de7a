// Matrices whose dot products distinguish units; on random data of unit scale almost all arithmetics agree.
//
// The exponents of a class are laid out along k and shared by all rows of A and columns of B, so that every element of
// A B + C is of the class, not just one per row. Matrices are a function of (class, shape, formats, seed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "reference/exact/code_view.hpp"

namespace assay {

enum class HardClass : std::uint8_t {
  normal,
  uniform_bits,
  cancel_addend,
  cancel_products,
  underflow,
  overflow,
  specials,
  wide_gaps,
  half_way,
  zeros,
};
struct HardClassInfo {
  HardClass id;
  std::string_view name, description;
};
std::span<const HardClassInfo> hard_classes();

// A of m x k, B of k x n, C of m x n; row-major and dense.
class HardMatrices {
 public:
  HardMatrices(HardClass kind, std::size_t m, std::size_t n, std::size_t k, const FormatSpec& a,
               const FormatSpec& b, const FormatSpec& c, std::uint64_t seed);

  CodeMatrix a() const { return view(a_, m_, k_, fa_); }
  CodeMatrix b() const { return view(b_, k_, n_, fb_); }
  CodeMatrix c() const { return view(c_, m_, n_, fc_); }

 private:
  static CodeMatrix view(const std::vector<std::byte>& codes, std::size_t rows, std::size_t cols,
                         const FormatSpec& f) {
    return {codes.data(), rows, cols, static_cast<std::ptrdiff_t>(cols), 1, f};
  }

  std::size_t m_, n_, k_;
  FormatSpec fa_, fb_, fc_;
  std::vector<std::byte> a_, b_, c_;
};

// The codes of a matrix, row by row, one per word.
std::vector<std::uint64_t> all_codes(const CodeMatrix& matrix);

}  // namespace assay
