#include "emulation/units/arm_bfdot.hpp"

#include <utility>
#include <vector>

#include "emulation/units/step_unit.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/wide_arithmetic.hpp"

namespace assay {
namespace {

using formats::float32;

class ArmBfdot final : public StepUnit {
 public:
  ArmBfdot(const ArmBfdotSpec& spec, ArithmeticInfo info) : StepUnit(std::move(info)), spec_(spec) {}

 private:
  // An operand as the unit reads it.
  ExactValue<std::uint64_t> read(std::uint64_t code, const FormatSpec& f) const {
    return exact_from_code(spec_.extended ? code : flushed_code(code, f), f);
  }
  ExactValue<Wide> read_sum(std::uint64_t code) const { return widened(read(code, float32)); }

  Rounding mode() const { return spec_.extended ? spec_.rounding : Rounding::to_odd; }

  // One rounded operation, as one line of the trace.
  std::uint64_t round(std::string name, std::vector<TraceTerm> terms, const ExactValue<Wide>& sum,
                      const StepLog& log) const {
    TraceStep step{.name = std::move(name), .terms = std::move(terms), .sum = sum};
    // flush_input compares the exact value with 2^emin: tininess before rounding.
    const EncodeOptions options{.rounding = mode(),
                                .subnormals = spec_.extended ? Subnormals::keep : Subnormals::flush_input};
    const Encoded rounded = encode(sum, float32, options);
    step.result = rounded.code;
    if (!spec_.extended && rounded.overflow) {
      // encode() stops at the largest finite value when it rounds to odd; this unit does not.
      step.result = float32.infinity_code() | (sum.negative ? float32.sign_code() : 0);
      step.note = "overflow: infinite";
    }
    if (sum.kind == Kind::nan) {
      step.note = "default NaN";
    } else if (rounded.inexact && (rounded.code & float32.magnitude_mask()) == 0) {
      step.note = "tiny: flushed";
    }
    log.add_error(rounding_error(sum, float32, mode(), !spec_.extended));
    const std::uint64_t result = step.result;
    if (log.trace != nullptr) log.trace->push_back(std::move(step));
    return result;
  }

  TraceTerm term(std::string name, std::uint64_t code) const {
    return {
        .name = std::move(name), .exact = widened(exact_from_code(code, float32)), .entered = read_sum(code)};
  }

  std::uint64_t add(const std::string& x_name, std::uint64_t x, const std::string& y_name, std::uint64_t y,
                    const StepLog& log) const {
    return round("add " + x_name + " + " + y_name, {term(x_name, x), term(y_name, y)},
                 wide_sum(read_sum(x), read_sum(y), mode()), log);
  }

  // The product of elements i, +0 beyond the end.
  TraceTerm product(const CodeVector& a, const CodeVector& b, std::size_t i, std::size_t first) const {
    TraceTerm p{.name = product_name(first + i)};
    if (i < a.size) {
      p.exact = wide_product(exact_from_code(a.code(i), a.format), exact_from_code(b.code(i), b.format));
      p.entered = wide_product(read(a.code(i), a.format), read(b.code(i), b.format));
    }
    return p;
  }

  std::uint64_t take_step(const CodeVector& a, const CodeVector& b, std::size_t first, std::uint64_t c,
                          const StepLog& log) const override {
    for (std::size_t i = 0; i < spec_.terms; i += 2) {
      const TraceTerm p = product(a, b, i, first), q = product(a, b, i + 1, first);
      std::uint64_t pair = 0;
      if (spec_.extended) {
        pair = round("add " + p.name + " + " + q.name, {p, q}, wide_sum(p.entered, q.entered, mode()), log);
      } else {
        const std::uint64_t x = round("multiply " + p.name, {p}, p.entered, log);
        const std::uint64_t y = round("multiply " + q.name, {q}, q.entered, log);
        pair = add(p.name, x, q.name, y, log);
      }
      c = add("c", c, "pair", pair, log);
    }
    return c;
  }

  ArmBfdotSpec spec_;
};

}  // namespace

std::unique_ptr<const Unit> make_arm_bfdot(const ArmBfdotSpec& spec) {
  const bool sound_mode =
      spec.rounding == Rounding::nearest_even || spec.rounding == Rounding::toward_positive ||
      spec.rounding == Rounding::toward_negative || spec.rounding == Rounding::toward_zero;
  if ((spec.terms != 2 && spec.terms != 4) || !sound_mode) {
    throw ContractError("BFDOT unit " + spec.name + ": L = " + std::to_string(spec.terms) + ", " +
                        std::string(rounding_name(spec.rounding)) +
                        "; L is 2 or 4, the rounding one of FPCR.RMode");
  }
  ArithmeticInfo info{.name = spec.name, .family = "arm_bfdot", .summary = spec.summary};
  info.inputs = {{formats::bfloat16, formats::bfloat16}};
  info.step_terms = spec.terms;
  info.order = "pairs in order; each c + (p0 + p1)";
  info.products = spec.extended ? "exact" : "rounded to float32";
  info.rounding = std::string(rounding_name(spec.extended ? spec.rounding : Rounding::to_odd));
  info.fused = spec.extended;
  info.flush_inputs = info.flush_results = !spec.extended;
  info.parameters = {{"L", std::to_string(spec.terms)}, {"EBF", spec.extended ? "1" : "0"}};
  info.nan = "the default NaN, 0x7FC00000";
  info.source = "Arm ARM DDI 0487, BFDotAdd";
  info.evidence = Evidence::SRC;
  return std::make_unique<ArmBfdot>(spec, std::move(info));
}

void add_arm_bfdot_units(ArithmeticRegistry& registry) {
#define ARM_BFDOT(unit_name, products, ebf, text) \
  registry.add(make_arm_bfdot({.name = unit_name, .summary = text, .terms = products, .extended = ebf}));
#include "emulation/units/units.def"
#undef ARM_BFDOT
}

}  // namespace assay
