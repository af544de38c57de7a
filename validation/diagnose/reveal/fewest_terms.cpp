#include "validation/diagnose/reveal/fewest_terms.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {

std::optional<SumOperands> fewest_terms(const Revelation& r, const Target& target,
                                        const Misprediction& wrong) {
  const Problem& p = r.problem;
  if (p.operation == SumOperation::gemm) return std::nullopt;
  Case x = random_case(p, wrong.kind, wrong.seed, wrong.index);
  const auto differs = [&](const Case& y) {
    const auto got = target(p, std::span(&y, 1)).at(0).at(0);
    const auto want = predict(r, y).at(0);
    return want && got != *want && !(p.output.is_nan(got) && p.output.is_nan(*want));
  };
  const std::size_t wa = code_bytes(p.a);
  for (std::size_t piece = std::max<std::size_t>(p.k / 2, 1);; piece /= 2) {
    for (std::size_t at = 0; at < p.k; at += piece) {
      Case y = x;
      std::fill(y.a.begin() + static_cast<std::ptrdiff_t>(at * wa),
                y.a.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, p.k) * wa), std::byte{0});
      if (y.a != x.a && differs(y)) x = y;
    }
    if (piece == 1) break;
  }
  return operands_of(p, x, 0);
}

}  // namespace assay::diagnose
