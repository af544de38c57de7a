#include "emulation/units/nvidia/fused_sum.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "emulation/units/nvidia/fused_sum_gemm.hpp"
#include "emulation/units/step_unit.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

constexpr std::size_t most_terms = 64;

// Float32 with 13 fraction bits: what an fp8 sum on Ada and Hopper is truncated to.
constexpr FormatSpec e8m13_format{"e8m13", "e8m13", 22, 14, -126, Specials::ieee};

const FormatSpec& accumulator_of(FusedResult result) {
  return result == FusedResult::f16 ? formats::float16 : formats::float32;
}

// An operand as the unit reads it.
struct FusedOperand {
  ExactValue<std::uint64_t> value{};
  int e = 0;  // of the specification: the exponent of the place before the point
};
using FusedLine = std::vector<FusedOperand>;  // a row of A or a column of B

FusedOperand operand(std::uint64_t code, const FormatSpec& f) {
  const ExactValue<std::uint64_t> x = exact_from_code(code, f);
  return {x, field_exponent(x, f)};
}

// A term of a step: 28 bits at most, a product of two of 14.
struct FusedTerm {
  ExactValue<std::uint64_t> exact{};
  int e = 0;
  std::uint64_t kept = 0;  // of |exact|, in units of q
};

// All that happened in one step. Setting up the terms takes longer than a short step, so the steps of a row share one.
struct Step {
  std::size_t products = 0;
  std::array<FusedTerm, most_terms + 1> terms{};  // the products, then c
  int quantum = 0;                                // q = 2^quantum
  ExactValue<Wide> sum{};                         // S q, or the special value
  std::uint64_t code = 0;

  const FusedTerm& addend() const { return terms[products]; }
  // Terms that may have lost something.
  std::size_t nonzero() const {
    return static_cast<std::size_t>(
        std::count_if(terms.begin(), terms.begin() + 1 + std::ptrdiff_t(products),
                      [](const FusedTerm& t) { return t.exact.significand != 0; }));
  }
};

// NaN, an infinity, or neither: decided before anything is aligned.
ExactValue<Wide> special_sum(const Step& step) {
  const auto all = step.terms.begin(), end = all + 1 + static_cast<std::ptrdiff_t>(step.products);
  if (std::all_of(all, end, [](const FusedTerm& t) { return t.exact.kind == Kind::finite; })) return {};
  bool nan = false, plus = false, minus = false;
  for (std::size_t i = 0; i <= step.products; ++i) {
    const ExactValue<std::uint64_t>& x = step.terms[i].exact;
    nan = nan || x.kind == Kind::nan;
    plus = plus || (x.kind == Kind::infinite && !x.negative);
    minus = minus || (x.kind == Kind::infinite && x.negative);
  }
  ExactValue<Wide> sum;
  if (nan || (plus && minus)) {
    sum.kind = Kind::nan;
  } else if (plus || minus) {
    sum.kind = Kind::infinite;
    sum.negative = minus;
  }
  return sum;
}

// |x| in units of 2^quantum, cut.
std::uint64_t kept_of(const ExactValue<std::uint64_t>& x, int quantum, FusedFault fault) {
  // Which way it goes is chance, so there is no branch: one of the two shifts is by 0. e is at most emax: nothing above
  // 2^(F + 2) comes out.
  const int down = quantum - x.exponent, shift = std::clamp(down, 0, 63);
  const std::uint64_t kept = x.significand << std::clamp(-down, 0, 63) >> shift;
  if (fault == FusedFault::none || shift == 0) return kept;
  const std::uint64_t rest = x.significand - (kept << shift), half = std::uint64_t{1} << (shift - 1);
  bool up = false;
  if (fault == FusedFault::nearest_terms) up = rest > half || (rest == half && (kept & 1) != 0);
  if (fault == FusedFault::floored_terms) up = rest != 0 && x.negative;
  return kept + (up ? 1 : 0);
}

template <class Matrix>
Matrix some_columns(Matrix x, std::size_t first, std::size_t count) {
  x.data =
      detail::advance_codes(x.data, static_cast<std::ptrdiff_t>(first) * x.col_stride, code_bytes(x.format));
  x.cols = count;
  return x;
}

class FusedSum final : public Unit {
 public:
  FusedSum(const FusedSumSpec& spec, ArithmeticInfo info) : Unit(std::move(info)), spec_(spec) {}

  ExactDot exact(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const override {
    const std::vector<std::uint32_t> x = low_bits_ignored(a), y = low_bits_ignored(b);
    return Unit::exact(x.empty() ? a : CodeVector{x.data(), x.size(), 1, formats::float32},
                       y.empty() ? b : CodeVector{y.data(), y.size(), 1, formats::float32}, c);
  }

  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    check_dot(a, b, output);
    double total = 0;
    bool finite = true;
    const auto result_error = [](const ExactValue<Wide>& sum, FusedResult result) {
      const int places = result == FusedResult::f32 ? 23 : result == FusedResult::e8m13 ? 13 : 11;
      const int lowest = result == FusedResult::f32 ? -149 : result == FusedResult::e8m13 ? -139 : -25;
      // S has at most 64 bits: its upper bound as a double costs a rounding.
      const double magnitude = upward::multiply(
          upward::add(static_cast<double>(static_cast<std::uint64_t>(sum.significand >> 64)) * 0x1p64,
                      upward::add(static_cast<double>(static_cast<std::uint64_t>(sum.significand)), 2048)),
          std::ldexp(1.0, sum.exponent));
      return upward::add(std::ldexp(magnitude, -places), std::ldexp(1.0, lowest));
    };
    const auto on_step = [&](const Step& step, FusedResult result) {
      finite = finite && step.sum.kind == Kind::finite && accumulator_of(result).is_finite(step.code);
      if (!finite || step.sum.is_zero()) {
        if (finite) total = upward::add(total, lost_to_alignment(step));
        return;
      }
      total = upward::add(total, upward::add(lost_to_alignment(step), result_error(step.sum, result)));
    };
    const auto on_sum = [&](const ExactValue<Wide>& sum, std::uint64_t code) {
      finite = finite && sum.kind == Kind::finite && info().accumulator.is_finite(code);
      // One rounding to nearest: half of what a float32 truncation may drop, exactly what f16 may.
      if (finite && !sum.is_zero()) total = upward::add(total, result_error(sum, spec_.result));
    };
    Step step;
    run(step, line_of(a), line_of(b), c.value_or(0), on_step, on_sum);
    return finite ? total : std::numeric_limits<double>::infinity();
  }

  std::vector<UnitPath> paths() const override {
    if (spec_.definition_only) return {{"definition"}};
    return {
#define FUSED_SUM(isa, columns, description) \
  {#isa, Isa::isa, description}, {#isa " any range", Isa::isa, description},
#include "emulation/units/nvidia/fused_sum.def"
#undef FUSED_SUM
        {"scalar"}, {"definition"}};
  }

 private:
  static double lost_to_alignment(const Step& step) {
    return std::ldexp(static_cast<double>(step.nonzero()), step.quantum);
  }

  // float32 operands with the bits that tf32 lacks cleared; empty for other formats.
  std::vector<std::uint32_t> low_bits_ignored(const CodeVector& x) const {
    std::vector<std::uint32_t> codes;
    if (x.format != formats::float32) return codes;
    codes.resize(x.size);
    for (std::size_t i = 0; i < x.size; ++i) codes[i] = static_cast<std::uint32_t>(x.code(i)) & 0xFFFFE000;
    return codes;
  }

  FusedOperand read(const CodeVector& x, std::size_t i) const {
    const std::uint64_t code = x.code(i);
    if (x.format == formats::float32) return operand(code >> 13, formats::tf32);
    if (spec_.by_f16_steps) return operand(convert(code, x.format, formats::float16).code, formats::float16);
    return operand(code, x.format);
  }
  FusedLine line_of(const CodeVector& x) const {
    FusedLine line(x.size);
    for (std::size_t i = 0; i < x.size; ++i) line[i] = read(x, i);
    return line;
  }

  // --- the definition

  // The specification's step: products of a[index(0)] b[index(0)], ... of which those past the end are zero.
  template <class Index>
  void take_step(Step& step, const FusedLine& a, const FusedLine& b, Index index, std::uint64_t c,
                 FusedResult result) const {
    step.products = spec_.terms;
    const int of_zero = spec_.floor.value_or(no_exponent);
    for (std::size_t i = 0; i < spec_.terms; ++i) {
      const std::size_t at = index(i);
      FusedTerm& term = step.terms[i];
      term = {.e = of_zero};
      if (at >= a.size()) continue;
      term.exact = exact_product(a[at].value, b[at].value);
      if (!term.exact.is_zero()) term.e = a[at].e + b[at].e;
      if (spec_.fault == FusedFault::normalised_terms) term.e += in_next_binade(term);
    }
    const FusedOperand addend = operand(c, accumulator_of(result));
    step.terms[spec_.terms] = {addend.value, addend.value.is_zero() ? of_zero : addend.e};

    step.quantum = 0;
    step.sum = special_sum(step);
    if (step.sum.kind == Kind::finite) align_and_add(step);
    step.code = result_of(step, result);
  }

  static int in_next_binade(const FusedTerm& t) {
    return t.exact.is_zero() || t.exact.exponent + bit_width(t.exact.significand) - 1 <= t.e ? 0 : 1;
  }

  void align_and_add(Step& step) const {
    const bool apart = spec_.fault == FusedFault::addend_apart;
    int emax = no_exponent;
    for (std::size_t i = 0; i < step.products + (apart ? 0 : 1); ++i) emax = std::max(emax, step.terms[i].e);
    if (emax == no_exponent) return;  // zeros alone, and no floor
    step.quantum = emax - spec_.fraction;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < step.products + (apart ? 0 : 1); ++i) {
      FusedTerm& term = step.terms[i];
      term.kept = kept_of(term.exact, step.quantum, spec_.fault);
      sum +=
          term.exact.negative ? -static_cast<std::int64_t>(term.kept) : static_cast<std::int64_t>(term.kept);
    }
    step.sum.negative = sum < 0;
    step.sum.significand = static_cast<std::uint64_t>(sum < 0 ? -sum : sum);
    step.sum.exponent = step.quantum;
    if (apart) step.sum = wide_sum(step.sum, widened(step.addend().exact), Rounding::toward_zero);
  }

  std::uint64_t result_of(const Step& step, FusedResult result) const {
    const FormatSpec& out = accumulator_of(result);
    if (step.sum.kind == Kind::nan) return out.magnitude_mask();
    if (step.sum.kind == Kind::infinite)
      return out.infinity_code() | (step.sum.negative ? out.sign_code() : 0);
    ExactValue<Wide> sum = step.sum;
    const bool cut = spec_.fault == FusedFault::by_way_of_float32;
    if (result == FusedResult::f16 && (cut || spec_.fault == FusedFault::by_way_of_nearest_float32)) {
      const Rounding mode = cut ? Rounding::toward_zero : Rounding::nearest_even;
      sum =
          widened(exact_from_code(encode(sum, formats::float32, {.rounding = mode}).code, formats::float32));
    }
    const bool nearest = (result == FusedResult::f16) != (spec_.fault == FusedFault::other_rounding);
    const FormatSpec& f = result == FusedResult::e8m13 ? e8m13_format : out;
    const Encoded rounded =
        encode(sum, f, {.rounding = nearest ? Rounding::nearest_even : Rounding::toward_zero});
    // A truncation that leaves the range is an infinity here, where IEEE 754 stops at the largest number.
    const std::uint64_t code =
        rounded.overflow ? f.infinity_code() | (sum.negative ? f.sign_code() : 0) : rounded.code;
    return f == out ? code : code << (out.precision - f.precision);
  }

  // The whole dot product. `on_step(step, kind of its result)`, and `on_sum(t + C, its code)` for f16 steps.
  template <class OnStep, class OnSum>
  std::uint64_t run(Step& step, const FusedLine& a, const FusedLine& b, std::uint64_t c, OnStep on_step,
                    OnSum on_sum) const {
    const std::size_t chunk = info().step_terms;
    for (std::size_t begin = 0; begin < a.size(); begin += chunk) {
      if (!spec_.by_f16_steps) {
        take_step(
            step, a, b, [&](std::size_t i) { return begin + i; }, c, spec_.result);
        on_step(step, spec_.result);
        c = step.code;
        continue;
      }
      std::uint64_t t = 0;
      for (const std::size_t half : {0U, 2U}) {
        // The i-th k of those with k % 4 in {half, half + 1}.
        const auto index = [&](std::size_t i) { return begin + i / 2 * 4 + i % 2 + half; };
        const FusedResult result =
            spec_.fault == FusedFault::steps_in_float32 ? FusedResult::f32 : spec_.result;
        take_step(step, a, b, index, t, result);
        on_step(step, result);
        t = step.code;
      }
      const FormatSpec& of_t =
          spec_.fault == FusedFault::steps_in_float32 ? formats::float32 : info().accumulator;
      const ExactValue<Wide> sum =
          wide_sum(widened(exact_from_code(t, of_t)), widened(exact_from_code(c, info().accumulator)),
                   Rounding::nearest_even);
      c = sum.kind == Kind::nan ? info().accumulator.magnitude_mask() : encode(sum, info().accumulator).code;
      on_sum(sum, c);
    }
    return c;
  }

  std::uint64_t result_of_run(Step& step, const FusedLine& a, const FusedLine& b, std::uint64_t c) const {
    return run(
        step, a, b, c, [](const Step&, FusedResult) {}, [](const ExactValue<Wide>&, std::uint64_t) {});
  }

  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec&, OutputPlace) const override {
    Step step;
    return result_of_run(step, line_of(a), line_of(b), c.value_or(0));
  }

  // Every element as dot_checked() has it, but each operand is read once for many of them.
  void gemm_by_definition(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                          const MutableCodeMatrix& d) const {
    constexpr std::size_t most_columns = 64;
    for (std::size_t first = 0; first < d.cols; first += most_columns) {
      std::vector<FusedLine> columns(std::min(most_columns, d.cols - first));
      for (std::size_t j = 0; j < columns.size(); ++j) columns[j] = line_of(b.column(first + j));
      parallel_for(d.rows, d.rows > 1 ? 0 : 1, [&](std::size_t i) {
        const FusedLine row = line_of(a.row(i));
        Step step;
        for (std::size_t j = 0; j < columns.size(); ++j) {
          const std::uint64_t start = c ? c->code(i, first + j) : 0;
          d.set(i, first + j, result_of_run(step, row, columns[j], start));
        }
      });
    }
  }

  // Fewer products than L are filled up with zeros.
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace) const override {
    return dot_checked(a, b, c, info().accumulator, 0);
  }

  // --- traces

  std::vector<TraceStep> trace_checked(const CodeVector& a, const CodeVector& b,
                                       std::optional<std::uint64_t> c,
                                       const FormatSpec& output) const override {
    std::vector<TraceStep> steps;
    if (a.size == 0) {
      const ExactValue<Wide> start = widened(exact_from_code(c.value_or(0), output));
      return {{.name = "no products",
               .terms = {{"c", start, start}},
               .sum = start,
               .result = c.value_or(0),
               .format = output}};
    }
    std::size_t taken = 0;
    std::uint64_t addend = c.value_or(0);
    const std::size_t chunk = info().step_terms;
    const auto on_step = [&](const Step& step, FusedResult result) {
      const std::size_t number = steps.size() - (spec_.by_f16_steps ? taken / chunk : 0);
      TraceStep out{.name = "step " + std::to_string(number),
                    .sum = step.sum,
                    .result = step.code,
                    .format = accumulator_of(result)};
      const std::size_t half = spec_.by_f16_steps ? number % 2 * 2 : 0;
      const bool finite = step.sum.kind == Kind::finite;
      if (finite) out.quantum = step.quantum;
      for (std::size_t i = 0; i <= step.products; ++i) {
        const bool is_product = i < step.products;
        const std::size_t at = spec_.by_f16_steps ? taken + i / 2 * 4 + i % 2 + half : taken + i;
        if (is_product && at >= a.size) continue;
        const FusedTerm& term = step.terms[i];
        const std::string index = "[" + std::to_string(at) + "]";
        ExactValue<Wide> entered = widened(term.exact);
        if (finite) entered = {Kind::finite, term.exact.negative, term.kept, step.quantum};
        out.terms.push_back({is_product           ? "a" + index + " b" + index
                             : spec_.by_f16_steps ? "t"
                                                  : "c",
                             widened(term.exact), entered});
      }
      if (step.sum.kind == Kind::nan) out.note = "NaN, 0 * Inf, or infinities of both signs: NaN";
      if (step.sum.kind == Kind::infinite) out.note = "an infinite term";
      if (finite && !accumulator_of(result).is_finite(step.code)) out.note = "the sum overflows";
      if (finite && step.sum.is_zero()) out.note = "an exactly zero sum: +0 (unverified)";
      if (spec_.by_f16_steps)
        out.note += (out.note.empty() ? "" : "; ") + std::string(half == 0 ? "k % 4 < 2" : "k % 4 >= 2");
      steps.push_back(std::move(out));
      if (!spec_.by_f16_steps) taken += chunk;
    };
    const auto on_sum = [&](const ExactValue<Wide>& sum, std::uint64_t code) {
      const ExactValue<Wide> t = widened(exact_from_code(steps.back().result, output));
      const ExactValue<Wide> start = widened(exact_from_code(addend, output));
      steps.push_back({.name = "add t + c",
                       .terms = {{"t", t, t}, {"c", start, start}},
                       .sum = sum,
                       .result = code,
                       .format = output,
                       .note = "one rounding, nearest-even"});
      addend = code;
      taken += chunk;
    };
    Step step;
    run(step, line_of(a), line_of(b), addend, on_step, on_sum);
    return steps;
  }

  // --- gemm

  void gemm_by_checked(const UnitPath& path, const CodeMatrix& a, const CodeMatrix& b,
                       const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const override {
    if (path.name == "definition") return gemm_by_definition(a, b, c, d);
    const FusedSumShape shape{.terms = spec_.terms,
                              .fraction = spec_.fraction,
                              .floor = spec_.floor,
                              .result = spec_.result,
                              .by_f16_steps = spec_.by_f16_steps};
    fused_sum_gemm(shape, path, a, b, c, d, [&](OutputRange rows, OutputRange columns) {
      std::optional<CodeMatrix> start;
      if (c) start = some_columns(some_rows(*c, rows.first, rows.count), columns.first, columns.count);
      gemm_by_definition(some_rows(a, rows.first, rows.count), some_columns(b, columns.first, columns.count),
                         start,
                         some_columns(some_rows(d, rows.first, rows.count), columns.first, columns.count));
    });
  }

  static constexpr int no_exponent = std::numeric_limits<int>::min();

  FusedSumSpec spec_;
};

std::string default_summary(const FusedSumSpec& spec) {
  const std::string operands(spec.inputs.front().first.short_name);
  if (spec.by_f16_steps) return operands + " through mma.sync: two f16 steps and an addition";
  return operands + ", sums of " + std::to_string(spec.terms) + " products and c, cut at emax - " +
         std::to_string(spec.fraction);
}

std::string_view rounding_text(const FusedSumSpec& spec) {
  if (spec.result == FusedResult::f16) return "terms toward zero, the sum once to float16, nearest-even";
  if (spec.by_f16_steps) return "terms and sums toward zero, t + c nearest-even";
  if (spec.result == FusedResult::e8m13) return "terms toward zero, the sum toward zero to 13 fraction bits";
  return "toward zero, of terms and of the sum";
}

}  // namespace

std::unique_ptr<const Unit> make_fused_sum(const FusedSumSpec& spec) {
  if (spec.terms == 0 || spec.terms > most_terms || spec.fraction < 1 || spec.fraction > 40 ||
      spec.inputs.empty()) {
    throw ContractError("fused sum " + spec.name + ": L = " + std::to_string(spec.terms) +
                        " is 1 to 64, F = " + std::to_string(spec.fraction) + " is 1 to 40, of " +
                        std::to_string(spec.inputs.size()) + " pairs of formats there is at least one");
  }
  ArithmeticInfo info{.name = spec.name, .family = "fused_sum"};
  info.summary = spec.summary.empty() ? default_summary(spec) : spec.summary;
  info.inputs = spec.inputs;
  info.accumulator = accumulator_of(spec.result);
  info.outputs = {info.accumulator};
  info.step_terms = spec.by_f16_steps ? f16_steps_chunk : spec.terms;
  info.order = "chunks of " + std::to_string(info.step_terms) + " in order";
  if (spec.by_f16_steps) info.order += ", k % 4 < 2 before k % 4 >= 2";
  info.products = "exact, then cut to a common quantum";
  info.rounding = std::string(rounding_text(spec));
  info.fused = true;
  info.nan = spec.result == FusedResult::f16 ? "0x7FFF" : "0x7FFFFFFF";
  const std::string_view result = spec.result == FusedResult::f16     ? "float16"
                                  : spec.result == FusedResult::e8m13 ? "E8M13 in float32"
                                                                      : "float32";
  info.parameters = {{"L", std::to_string(spec.terms)},
                     {"F", std::to_string(spec.fraction)},
                     {"ezero", (spec.floor ? std::to_string(*spec.floor) : "none") + " (unverified)"},
                     {"result", std::string(result)},
                     {"zero sum", "+0 (unverified)"}};
  info.source = spec.source;
  info.evidence = spec.evidence;
  return std::make_unique<FusedSum>(spec, std::move(info));
}

}  // namespace assay
