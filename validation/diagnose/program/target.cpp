#include "validation/diagnose/program/target.hpp"

#include <fmt/format.h>

#include <cmath>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {

std::string_view operation_name(Operation operation) {
  switch (operation) {
    case Operation::sum: return "sum";
    case Operation::mean: return "mean";
    case Operation::dot: return "dot";
    case Operation::gemm: return "gemm";
  }
  return "?";
}

Operation parse_operation(std::string_view name) {
  for (const Operation o : {Operation::sum, Operation::mean, Operation::dot, Operation::gemm}) {
    if (operation_name(o) == name) return o;
  }
  throw unknown_name("operation", "sum, mean, dot or gemm", name, {"sum", "mean", "dot", "gemm"});
}

std::string to_string(const Problem& p) {
  std::string text(operation_name(p.operation));
  if (p.operation == Operation::gemm) text += " m=" + std::to_string(p.m) + " n=" + std::to_string(p.n);
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
  if (p.c && p.operation != Operation::gemm) refuse("C for gemm alone", to_string(p));
  if (p.operation != Operation::gemm && p.alpha != 1) refuse("alpha for gemm alone", to_string(p));
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

Target target_of(const Arithmetic& arithmetic) {
  return [&arithmetic](const Problem& p, std::span<const Case> cases) {
    if (p.scaled() || p.operation == Operation::mean)
      throw ContractError("an arithmetic was asked for more than a sum: " + to_string(p));
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      Answer answer;
      const bool matrix = p.operation == Operation::gemm;
      const CodeMatrix a{x.a.data(), p.m, p.k, static_cast<std::ptrdiff_t>(p.k), 1, p.a};
      const CodeMatrix b = matrix ? CodeMatrix{x.b.data(), p.k, p.n, static_cast<std::ptrdiff_t>(p.n), 1, p.b}
                                  : CodeMatrix{x.b.data(), p.k, 1, 1, 1, p.b};
      for (std::size_t o = 0; o < p.outputs(); ++o) {
        std::optional<std::uint64_t> c;
        if (p.c) c = detail::load_code(x.c.data(), static_cast<std::ptrdiff_t>(o), code_bytes(*p.c));
        answer.push_back(
            arithmetic.dot(a.row(matrix ? o / p.n : 0), b.column(matrix ? o % p.n : 0), c, p.output, o));
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  };
}

}  // namespace assay::diagnose
