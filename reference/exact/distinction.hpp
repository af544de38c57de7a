// An input on which two arithmetics differ, as data, so that the code that finds one (emulation/units), asks for one
// (validation/diagnose) and shows it (validation/report) need not know each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/formats/formats.hpp"

namespace assay {

// Operands of one dot product, owned; a code in each word, whatever its format.
struct DotInput {
  std::vector<std::uint64_t> a{}, b{};
  std::optional<std::uint64_t> c{};
  FormatSpec a_format = formats::float32, b_format = formats::float32, c_format = formats::float32;

  std::size_t terms() const { return a.size(); }
  CodeVector a_view() const { return view(a, a_format); }
  CodeVector b_view() const { return view(b, b_format); }
  friend bool operator==(const DotInput&, const DotInput&) = default;

 private:
  // The low bytes of a word come first, as on every machine that this builds for.
  static CodeVector view(const std::vector<std::uint64_t>& codes, const FormatSpec& f) {
    return {codes.data(), codes.size(), static_cast<std::ptrdiff_t>(8 / code_bytes(f)), f};
  }
};

// What a search for such an input came to (emulation/units/distinguish.hpp).
struct Distinction {
  bool found = false;
  DotInput input{};  // c is absent or a code of input.c_format
  std::uint64_t x_result = 0, y_result = 0;
  FormatSpec x_output = formats::float32, y_output = formats::float32;
  bool by_value = true;       // false: a NaN's bits or the sign of a zero
  std::uint64_t tried = 0;    // inputs of the search
  std::uint64_t reduced = 0;  // inputs tried to make the found one smaller
};

}  // namespace assay
