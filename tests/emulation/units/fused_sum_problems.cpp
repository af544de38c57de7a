#include "tests/emulation/units/fused_sum_problems.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay::test {
namespace {

// Random numbers of one problem, drawn in a fixed order.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream) : random_(seed, stream) {}
  std::uint64_t below(std::uint64_t n) { return random_.below(n, at_++); }
  double normal() { return random_.normal(at_++); }
  // 1 to 2, of either sign.
  double signed_fraction() {
    const double fraction = 1 + random_.uniform(at_++);
    return below(2) == 0 ? fraction : -fraction;
  }
  // The same times 2^e, low <= e <= high. In statements: the order in which a call's arguments are evaluated is the
  // compiler's.
  double scaled_fraction(int low, int high) {
    const int e = exponent(low, high);
    return std::ldexp(signed_fraction(), e);
  }
  double scaled_normal(int low, int high) {
    const int e = exponent(low, high);
    return std::ldexp(normal(), e);
  }
  double sign() { return below(2) == 0 ? 1 : -1; }
  // low <= e <= high
  int exponent(int low, int high) {
    return low + static_cast<int>(below(static_cast<std::uint64_t>(high - low + 1)));
  }

 private:
  CounterRandom random_;
  std::uint64_t at_ = 0;
};

// The format's value range as the unit reads it: of float32 operands the tf32 part.
const FormatSpec& read_as(const FormatSpec& f) { return f == formats::float32 ? formats::tf32 : f; }

std::uint64_t to_code(double x, const FormatSpec& f) {
  return encode(x, f, {.overflow = Overflow::saturate}).code;
}

std::uint64_t finite_code(Draw& draw, const FormatSpec& f) {
  for (;;) {
    const std::uint64_t code = draw.below(std::uint64_t{1} << f.bits);
    // The low bits of a float32 are ignored: with them it may be finite and an infinity without.
    if (f.is_finite(code) && !(f == formats::float32 && formats::tf32.is_infinite(code >> 13))) return code;
  }
}

std::uint64_t special_code(Draw& draw, const FormatSpec& f) {
  const std::uint64_t sign = draw.below(2) * f.sign_code();
  switch (draw.below(3)) {
    case 0: return sign;
    case 1: return f.has_infinity() ? sign | f.infinity_code() : f.nan_code();
    default: return draw.below(4) == 0 ? f.nan_code() : sign | f.max_finite_code();
  }
}

class Maker {
 public:
  Maker(FusedSumClass kind, const Unit& unit, FusedSumProblem& p, std::uint64_t seed)
      : kind_(kind), unit_(unit), p_(p), draw_(seed, static_cast<std::uint64_t>(kind) + 100) {}

  void make() {
    fill(p_.a_codes, p_.m * p_.k, p_.a_format, true);
    fill(p_.b_codes, p_.k * p_.n, p_.b_format, false);
    p_.c_codes.resize(p_.m * p_.n * code_bytes(p_.c_format));
    if (kind_ == FusedSumClass::products_cancel) cancel_products();
    for (std::size_t i = 0; i < p_.m; ++i) {
      for (std::size_t j = 0; j < p_.n; ++j) store(p_.c_codes, i * p_.n + j, p_.c_format, addend(i, j));
    }
  }

 private:
  static void store(std::vector<unsigned char>& to, std::size_t at, const FormatSpec& f, std::uint64_t code) {
    detail::store_code(to.data(), static_cast<std::ptrdiff_t>(at), code_bytes(f), code);
  }

  void fill(std::vector<unsigned char>& to, std::size_t n, const FormatSpec& f, bool first) {
    to.resize(n * code_bytes(f));
    for (std::size_t i = 0; i < n; ++i) store(to, i, f, operand(f, first, i));
  }

  std::uint64_t operand(const FormatSpec& f, bool first, std::size_t at) {
    const FormatSpec& r = read_as(f);
    // The exponents of the windows: of a product, half of it in each operand as far as the format has it.
    const bool f16 = p_.c_format == formats::float16;
    switch (kind_) {
      case FusedSumClass::uniform_bits: return finite_code(draw_, f);
      case FusedSumClass::underflow_window: {
        if (draw_.below(6) == 0) return draw_.below(2) * f.sign_code();
        const int middle = f16 ? -11 : -69;
        return window(f, std::max(middle, r.emin - r.precision + 3), 7);
      }
      case FusedSumClass::overflow_window: {
        const int middle = f16 ? 6 : 62;
        return window(f, std::min(middle, r.emax() - 2), 2);
      }
      case FusedSumClass::mixed_specials: {
        // In a quarter of the rows of A and of the columns of B, so that plain ones stay beside them.
        const std::size_t line = first ? at / p_.k : at % p_.n;
        if (line % 4 == 1 && draw_.below(8) == 0) return special_code(draw_, f);
        return to_code(draw_.normal(), f);
      }
      case FusedSumClass::wide_gaps:
        if (draw_.below(16) == 0) return 0;
        return to_code(draw_.scaled_fraction(r.emin, r.emax() - 1), f);
      case FusedSumClass::half_way: return to_code(near_tie(f, first, at), f);
      case FusedSumClass::unit_scale:
      case FusedSumClass::addend_cancels:
      case FusedSumClass::products_cancel: break;
    }
    return to_code(draw_.normal(), f);
  }

  std::uint64_t window(const FormatSpec& f, int middle, int reach) {
    const FormatSpec& r = read_as(f);
    const int low = std::max(middle - reach, r.emin - r.precision + 1),
              high = std::min(middle + reach, r.emax() - 1);
    return to_code(draw_.scaled_fraction(std::min(low, high), high), f);
  }

  // Exponents of a row of A or a column of B: high enough for the smallest operand of near_tie().
  int scale(bool first, std::size_t line) const {
    const FormatSpec& f = first ? p_.a_format : p_.b_format;
    const int lowest = f.bits == 8 ? f.emin - f.precision + 14 : -1;
    return lowest + static_cast<int>(line % 2);
  }

  // Most products are a few quarters of 2^E, E the sum of two scales. Every fourth product is at the edge of q, from
  // 2^(E-26) up; others may be half of the last place of a float16 that holds the sum. So sums lie on ties, or beside
  // them by what truncations and intermediate roundings lose.
  double near_tie(const FormatSpec& f, bool first, std::size_t at) {
    const std::size_t line = first ? at / p_.k : at % p_.n, k = first ? at % p_.k : at / p_.n;
    const int e = scale(first, line);
    const double sign = first ? draw_.sign() : 1;
    // About one of either kind in a chunk: more would drown each other.
    const bool none = first && draw_.below(std::max<std::size_t>(1, unit_.info().step_terms / 4)) != 0;
    const double few = draw_.below(2) == 0 ? 1 : 1.5;
    // Of either kind in both of fp8's f16 steps too.
    if (k % 4 == 3 || k % 16 == 13) return none ? 0 : sign * std::ldexp(few, e - draw_.exponent(9, 13));
    if (k % 8 == 6 || k % 16 == 5) return none ? 0 : sign * std::ldexp(1.0, e - draw_.exponent(2, 5));
    return (draw_.below(16) == 0 ? sign : 1) * std::ldexp(few, std::min(e, read_as(f).emax() - 1));
  }

  // b's second half of each pair of products repeats its first, a's is the negative, at times one place off.
  void cancel_products() {
    for (std::size_t from = 0; from + 1 < p_.k; from += 2) {
      for (std::size_t i = 0; i < p_.m; ++i) {
        const std::uint64_t code = p_.a().code(i, from);
        const std::uint64_t low = p_.a_format == formats::float32 ? 1U << 13 : 1;
        const std::uint64_t near = draw_.below(4) == 0 ? code ^ low : code;
        store(p_.a_codes, i * p_.k + from + 1, p_.a_format, near ^ p_.a_format.sign_code());
      }
      for (std::size_t j = 0; j < p_.n; ++j) {
        store(p_.b_codes, (from + 1) * p_.n + j, p_.b_format, p_.b().code(from, j));
      }
    }
  }

  std::uint64_t addend(std::size_t i, std::size_t j) {
    const FormatSpec& f = p_.c_format;
    const bool f16 = f == formats::float16;
    switch (kind_) {
      case FusedSumClass::uniform_bits:
      case FusedSumClass::wide_gaps: return draw_.below(4) == 0 ? 0 : finite_code(draw_, f);
      case FusedSumClass::addend_cancels: {
        const std::uint64_t sum = unit_.dot(p_.a().row(i), p_.b().column(j), 0);
        if (!f.is_finite(sum)) return 0;
        // Neighbours by code: a magnitude's last places.
        const std::uint64_t off = draw_.below(4) == 0 ? draw_.below(4) : 0;
        return (sum ^ f.sign_code()) ^ off;
      }
      case FusedSumClass::underflow_window:
        if (draw_.below(3) == 0) return draw_.below(2) * f.sign_code();
        return to_code(f16 ? draw_.scaled_fraction(-26, -12) : draw_.scaled_fraction(-150, -120), f);
      case FusedSumClass::overflow_window:
        return to_code(f16 ? draw_.scaled_fraction(12, 15) : draw_.scaled_fraction(122, 127), f);
      case FusedSumClass::mixed_specials:
        return draw_.below(16) == 0 ? special_code(draw_, f) : to_code(draw_.normal(), f);
      case FusedSumClass::half_way: {
        const int offset = draw_.below(2) == 0 ? draw_.exponent(-3, 12) : draw_.exponent(21, 27);
        return draw_.below(3) == 0
                   ? 0
                   : to_code(draw_.sign() * std::ldexp(1.0, scale(true, i) + scale(false, j) - offset), f);
      }
      case FusedSumClass::products_cancel:
        return draw_.below(2) == 0 ? 0 : to_code(draw_.scaled_normal(-20, 2), f);
      case FusedSumClass::unit_scale: break;
    }
    return draw_.below(8) == 0 ? 0 : to_code(draw_.normal(), f);
  }

  FusedSumClass kind_;
  const Unit& unit_;
  FusedSumProblem& p_;
  Draw draw_;
};

constexpr std::array<std::string_view, 9> class_names{
    "unit_scale",      "uniform_bits",   "addend_cancels", "products_cancel", "underflow_window",
    "overflow_window", "mixed_specials", "wide_gaps",      "half_way"};

std::vector<std::uint64_t> outputs_of(const Unit& unit, std::string_view path, const FusedSumProblem& p) {
  std::vector<unsigned char> d(p.m * p.n * code_bytes(p.c_format));
  const MutableCodeMatrix out{d.data(), p.m, p.n, static_cast<std::ptrdiff_t>(p.n), 1, p.c_format};
  unit.gemm_by(path, p.a(), p.b(), p.c(), out);
  std::vector<std::uint64_t> codes(p.m * p.n);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = CodeMatrix(out).code(i / p.n, i % p.n);
  return codes;
}

}  // namespace

std::span<const FusedSumClass> all_fused_sum_classes() {
  using enum FusedSumClass;
  static constexpr std::array<FusedSumClass, class_names.size()> all{
      unit_scale,      uniform_bits,   addend_cancels, products_cancel, underflow_window,
      overflow_window, mixed_specials, wide_gaps,      half_way};
  return all;
}

std::string_view name(FusedSumClass c) { return class_names[static_cast<std::size_t>(c)]; }

FusedSumProblem make_fused_sum_problem(FusedSumClass c, const Unit& unit, std::size_t pair, std::size_t m,
                                       std::size_t n, std::size_t k, std::uint64_t seed) {
  const ArithmeticInfo& info = unit.info();
  if (pair >= info.inputs.size()) {
    throw ContractError(info.name + " accepts " + std::to_string(info.inputs.size()) +
                        " pairs of formats, not one of number " + std::to_string(pair));
  }
  FusedSumProblem p{.m = m, .n = n, .k = k};
  p.a_format = info.inputs[pair].first;
  p.b_format = info.inputs[pair].second;
  p.c_format = info.accumulator;
  Maker(c, unit, p, seed).make();
  return p;
}

std::vector<std::uint64_t> definition_of(const Unit& unit, const FusedSumProblem& problem) {
  return outputs_of(unit, "definition", problem);
}

PathComparison compare_path(const Unit& unit, std::string_view path, const FusedSumProblem& problem,
                            const std::vector<std::uint64_t>& expected) {
  const std::vector<std::uint64_t> got = outputs_of(unit, path, problem);
  if (expected.size() != got.size()) {
    throw ContractError(std::to_string(expected.size()) + " expected outputs for " +
                        std::to_string(got.size()));
  }
  PathComparison result{.outputs = got.size()};
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == expected[i] || result.mismatches++ != 0) continue;
    result.row = i / problem.n;
    result.column = i % problem.n;
    result.got = got[i];
    result.expected = expected[i];
  }
  return result;
}

}  // namespace assay::test
