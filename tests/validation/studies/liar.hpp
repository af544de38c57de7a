// An arithmetic that a study must catch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::studies {

// Says that it is one arithmetic and answers as another.
class Liar final : public Arithmetic {
 public:
  Liar(const std::string& says, const std::string& is)
      : Arithmetic(arithmetics().find(says).info()),
        says_(arithmetics().find(says)),
        is_(arithmetics().find(is)) {}
  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    return says_.bound(a, b, c, output);
  }

 private:
  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t>,
                            const FormatSpec& output, OutputPlace) const override {
    return encode(decode(is_.dot(a, b), is_.info().outputs.front()), output).code;
  }
  std::uint64_t step_checked(const CodeVector&, const CodeVector&, std::uint64_t c,
                             OutputPlace) const override {
    return c;
  }
  const Arithmetic &says_, &is_;
};

}  // namespace assay::studies
