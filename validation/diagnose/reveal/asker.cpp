#include "validation/diagnose/reveal/asker.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

bool holds(const FormatSpec& f, double v) {
  const Encoded e = encode(v, f);
  return !e.inexact && !e.overflow && !e.invalid;
}

void fill(std::vector<std::byte>& bytes, const FormatSpec& f, std::size_t n, double value) {
  const std::uint64_t code = encode(value, f).code;
  const std::size_t width = code_bytes(f);
  bytes.resize(n * width);
  for (std::size_t i = 0; i < n; ++i)
    detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), width, code);
}

void set(std::vector<std::byte>& bytes, const FormatSpec& f, std::size_t i, double value) {
  detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), encode(value, f).code);
}

}  // namespace

std::optional<Probe::Term> split(const Problem& p, int leaf, double v) {
  v = p.operation == SumOperation::mean ? v * mean_scale(p)
                                        : v / (static_cast<std::size_t>(leaf) == p.k ? p.beta : p.alpha);
  if (static_cast<std::size_t>(leaf) == p.k) {
    return p.c && holds(*p.c, v) ? std::optional<Probe::Term>({leaf, v, 1}) : std::nullopt;
  }
  if (!p.has_b()) {
    return holds(p.a, v) ? std::optional<Probe::Term>({leaf, v, 1}) : std::nullopt;
  }
  // A subnormal factor may be flushed: only where there is no other.
  if (holds(p.a, v) && std::fabs(v) >= std::ldexp(1.0, p.a.emin) && holds(p.b, 1))
    return Probe::Term{leaf, v, 1};
  // A power of two moves to the other factor; normal ones first.
  int e = 0;
  const double m = std::frexp(v, &e);
  for (const bool subnormal : {false, true}) {
    const int low = p.b.emin - (subnormal ? p.b.precision - 1 : 0);
    for (int d = 0; d <= 160; ++d) {
      for (const int shift : {d, -d}) {
        const int other = e / 2 + shift;
        if (other < low || other > p.b.emax()) continue;
        const double x = std::ldexp(m, e - other);
        if (!subnormal && std::fabs(x) < std::ldexp(1.0, p.a.emin)) continue;
        if (holds(p.a, x) && holds(p.b, std::ldexp(1.0, other)))
          return Probe::Term{leaf, x, std::ldexp(1.0, other)};
      }
    }
  }
  return std::nullopt;
}

double mean_scale(const Problem& p) { return static_cast<double>(std::bit_ceil(p.k)); }

int lost_above(const Problem& p) {
  if (p.operation == SumOperation::mean) return -std::ilogb(mean_scale(p));
  return std::min({0, std::ilogb(p.alpha), p.adds_c() ? std::ilogb(p.beta) : 0});
}
int lost_below(const Problem& p) {
  return std::max({0, std::ilogb(p.alpha), p.adds_c() ? std::ilogb(p.beta) : 0});
}
int highest_exponent(const Problem& p) {
  return (!p.has_b() ? p.a.emax() : p.a.emax() + p.b.emax()) + lost_above(p);
}
int lowest_exponent(const Problem& p, bool subnormal) {
  const int a = p.a.emin - (subnormal ? p.a.precision - 1 : 0),
            b = p.b.emin - (subnormal ? p.b.precision - 1 : 0);
  return (!p.has_b() ? a : a + b) + lost_below(p);
}

SumOperands operands_of(const Problem& p, const Probe& probe) {
  if (probe.dense) return *probe.dense;
  SumOperands o;
  fill(o.a, p.a, p.k, 0);
  if (p.has_b()) fill(o.b, p.b, p.k, 1);
  const auto put = [&](std::size_t i, double x, double y) {
    if (i == p.k) {
      o.c = encode(x * y, *p.c).code;
      return;
    }
    set(o.a, p.a, i, x);
    if (p.has_b()) set(o.b, p.b, i, y);
  };
  for (std::size_t i = probe.begin; i < probe.end; ++i) put(i, probe.unit_x, probe.unit_y);
  for (const Probe::Term& t : probe.terms) put(static_cast<std::size_t>(t.leaf), t.x, t.y);
  return o;
}

SumOperands operands_of(const Problem& p, const Case& input, std::size_t output) {
  SumOperands o;
  if (p.operation != SumOperation::gemm) {
    o.a = input.a;
    o.b = input.b;
    return o;
  }
  const std::size_t row = output / p.n, col = output % p.n, wa = code_bytes(p.a), wb = code_bytes(p.b);
  o.a.assign(input.a.begin() + static_cast<std::ptrdiff_t>(row * p.k * wa),
             input.a.begin() + static_cast<std::ptrdiff_t>((row + 1) * p.k * wa));
  o.b.resize(p.k * wb);
  for (std::size_t i = 0; i < p.k; ++i) {
    std::copy_n(input.b.begin() + static_cast<std::ptrdiff_t>((i * p.n + col) * wb), wb,
                o.b.begin() + static_cast<std::ptrdiff_t>(i * wb));
  }
  if (p.c) o.c = detail::load_code(input.c.data(), static_cast<std::ptrdiff_t>(output), code_bytes(*p.c));
  return o;
}

Asker::Asker(const Problem& problem, const Target& target, const RevealOptions& options)
    : problem_(problem), target_(target), options_(options) {}

Case Asker::case_of(const Probe& probe) const {
  const Problem& p = problem_;
  SumOperands o = operands_of(p, probe);
  if (p.operation != SumOperation::gemm) return {std::move(o.a), std::move(o.b), {}};
  Case x;
  const std::size_t wb = code_bytes(p.b);
  x.a.reserve(o.a.size() * p.m);
  for (std::size_t row = 0; row < p.m; ++row) x.a.insert(x.a.end(), o.a.begin(), o.a.end());
  x.b.resize(o.b.size() * p.n);
  for (std::size_t i = 0; i < p.k; ++i) {
    for (std::size_t col = 0; col < p.n; ++col) {
      std::copy_n(o.b.begin() + static_cast<std::ptrdiff_t>(i * wb), wb,
                  x.b.begin() + static_cast<std::ptrdiff_t>((i * p.n + col) * wb));
    }
  }
  if (p.c) {
    x.c.resize(p.outputs() * code_bytes(*p.c));
    for (std::size_t i = 0; i < p.outputs(); ++i)
      detail::store_code(x.c.data(), static_cast<std::ptrdiff_t>(i), code_bytes(*p.c), o.c);
  }
  return x;
}

std::size_t Asker::cases_per_round() const {
  const std::size_t bytes = problem_.a_size() * code_bytes(problem_.a) +
                            problem_.b_size() * code_bytes(problem_.b) +
                            (problem_.c ? problem_.c_size() * code_bytes(*problem_.c) : 0) +
                            problem_.outputs() * code_bytes(problem_.output);
  return std::clamp<std::size_t>(options_.bytes_per_round / bytes, 1, options_.cases_per_round);
}

void Asker::ask(std::size_t cases, const std::function<Case(std::size_t)>& make,
                const std::function<void(std::size_t, const Answer&)>& take, std::string_view stage) {
  const std::size_t piece = cases_per_round();
  std::vector<Case> round;
  for (std::size_t first = 0; first < cases; first += round.size()) {
    round.clear();
    for (std::size_t i = first; i < cases && round.size() < piece; ++i) round.push_back(make(i));
    runs_ += round.size();
    ++rounds_;
    if (runs_ > options_.most_runs) {
      throw TargetError("more than " + std::to_string(options_.most_runs) +
                        " runs are needed (the limit can be raised); this was " + to_string(problem_));
    }
    const std::vector<Answer> answers = target_(problem_, round);
    if (answers.size() != round.size()) {
      throw TargetError("it answered " + std::to_string(answers.size()) + " of " +
                        std::to_string(round.size()) + " cases");
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].size() != problem_.outputs()) {
        throw TargetError("it gave " + std::to_string(answers[i].size()) + " results for a case that has " +
                          std::to_string(problem_.outputs()));
      }
      take(first + i, answers[i]);
    }
    show(stage);
  }
}

}  // namespace assay::diagnose
