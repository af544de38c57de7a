#include "validation/judge/problem.hpp"

#include <cmath>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/encode.hpp"
#include "validation/judge/own_scaling.hpp"

namespace assay::judge {

std::string_view operation_name(SumOperation operation) {
  switch (operation) {
    case SumOperation::sum: return "sum";
    case SumOperation::mean: return "mean";
    case SumOperation::dot: return "dot";
    case SumOperation::gemm: return "gemm";
  }
  return "?";
}

SumOperation parse_operation(std::string_view name) {
  for (const SumOperation o :
       {SumOperation::sum, SumOperation::mean, SumOperation::dot, SumOperation::gemm}) {
    if (operation_name(o) == name) return o;
  }
  throw unknown_name("operation", "sum, mean, dot or gemm", name, {"sum", "mean", "dot", "gemm"});
}

std::string to_string(const Problem& p) {
  std::string text(operation_name(p.operation));
  if (p.operation == SumOperation::gemm) text += " m=" + std::to_string(p.m) + " n=" + std::to_string(p.n);
  text += " k=" + std::to_string(p.k) + " a=" + std::string(p.a.dtype);
  if (p.has_b()) text += " b=" + std::string(p.b.dtype);
  if (p.c) text += " c=" + std::string(p.c->dtype);
  text += " output=" + std::string(p.output.dtype);
  if (p.alpha != 1) text += " alpha=" + scale_text(p.alpha);
  if (p.c && p.beta != 1) text += " beta=" + scale_text(p.beta);
  if (p.threads > 0) text += " threads=" + std::to_string(p.threads);
  if (p.offset > 0) text += " offset=" + std::to_string(p.offset);
  return text;
}

void check_problem(const Problem& p) {
  constexpr std::size_t most = std::size_t{1} << 26;  // elements of one operand
  const auto refuse = [](const char* expected, const std::string& found) {
    throw InputError("the problem", "", expected, found);
  };
  if (p.k == 0 || p.m == 0 || p.n == 0) refuse("sizes of 1 and more", to_string(p));
  if (p.k > most || p.m > most || p.n > most || p.m * p.k > most || p.k * p.n > most || p.m * p.n > most)
    refuse("operands of at most 2^26 elements", to_string(p));
  if (p.c && p.operation != SumOperation::gemm) refuse("C for gemm alone", to_string(p));
  if (p.operation != SumOperation::gemm && p.alpha != 1) refuse("alpha for gemm alone", to_string(p));
  if (!std::isfinite(p.alpha) || p.alpha == 0) refuse("a finite alpha, not 0", to_string(p));
  if (!std::isfinite(p.beta)) refuse("a finite beta", to_string(p));
  if (p.offset < 0 || p.offset > 63) refuse("an offset of 0 to 63 bytes", std::to_string(p.offset));
  if (!p.c && p.beta != 1) refuse("a C where there is a beta", to_string(p));
}

double scale_of(const Problem& p, double typed) {
  const bool wide = p.a == formats::float64 || p.output == formats::float64;
  const FormatSpec& f = wide ? formats::float64 : formats::float32;
  return decode(encode(typed, f).code, f);
}

Problem with_even_scales(Problem p) {
  const auto even = [](double x) {
    int e = 0;
    const bool small = x == 0 || (std::fabs(std::frexp(x, &e)) == 0.5 && std::abs(e) <= 8);
    return small ? x : std::copysign(std::fabs(x) < 1 ? 0.5 : 2.0, x);
  };
  p.alpha = even(p.alpha);
  p.beta = even(p.beta);
  return p;
}

}  // namespace assay::judge
