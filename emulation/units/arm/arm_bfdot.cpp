#include "emulation/units/arm/arm_bfdot.hpp"

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

  struct Rounded {
    std::uint64_t code;
    const char* note;
  };
  Rounded round(const ExactValue<Wide>& x, const StepLog& log) const {
    // flush_input compares the exact value with 2^emin: tininess before rounding.
    const EncodeOptions options{.rounding = mode(),
                                .subnormals = spec_.extended ? Subnormals::keep : Subnormals::flush_input};
    const Encoded rounded = encode(x, float32, options);
    log.add_rounding(x, float32, mode(), !spec_.extended);
    // encode() stops at the largest finite value when it rounds to odd; this unit does not.
    if (!spec_.extended && rounded.overflow)
      return {float32.infinity_code() | (x.negative ? float32.sign_code() : 0), "overflow: infinite"};
    const bool gone = rounded.inexact && (rounded.code & float32.magnitude_mask()) == 0;
    return {rounded.code, x.kind == Kind::nan ? "default NaN" : gone ? "tiny: flushed" : ""};
  }

  static void trace(std::string name, std::vector<TraceTerm> terms, const ExactValue<Wide>& x,
                    const Rounded& result, const StepLog& log) {
    log.trace->push_back({.name = std::move(name),
                          .terms = std::move(terms),
                          .quantum = {},
                          .sum = x,
                          .result = result.code,
                          .note = result.note});
  }

  // Operands with names, which only traces make and read.
  struct Named {
    std::uint64_t code = 0;
    std::string name{};
  };

  std::uint64_t add(const Named& x, const Named& y, const StepLog& log) const {
    const ExactValue<Wide> vx = read_sum(x.code), vy = read_sum(y.code);
    const ExactValue<Wide> sum = wide_sum(vx, vy, mode());
    const Rounded result = round(sum, log);
    if (log.trace != nullptr) {
      trace("add " + x.name + " + " + y.name,
            {{.name = x.name, .exact = widened(exact_from_code(x.code, float32)), .entered = vx},
             {.name = y.name, .exact = widened(exact_from_code(y.code, float32)), .entered = vy}},
            sum, result, log);
    }
    return result.code;
  }

  // The product of elements i, +0 beyond the end.
  ExactValue<Wide> product(const CodeVector& a, const CodeVector& b, std::size_t i) const {
    if (i >= a.size) return {};
    return wide_product(read(a.code(i), a.format), read(b.code(i), b.format));
  }
  static TraceTerm product_term(const CodeVector& a, const CodeVector& b, std::size_t i, std::size_t first,
                                const ExactValue<Wide>& entered) {
    TraceTerm term{.name = product_name(first + i), .entered = entered};
    if (i < a.size)
      term.exact = wide_product(exact_from_code(a.code(i), a.format), exact_from_code(b.code(i), b.format));
    return term;
  }

  std::uint64_t take_step(const CodeVector& a, const CodeVector& b, std::size_t first, std::uint64_t c,
                          const StepLog& log) const override {
    for (std::size_t i = 0; i < spec_.terms; i += 2) {
      const ExactValue<Wide> p = product(a, b, i), q = product(a, b, i + 1);
      Named pair;
      std::vector<TraceTerm> terms;
      if (log.trace != nullptr)
        terms = {product_term(a, b, i, first, p), product_term(a, b, i + 1, first, q)};
      if (spec_.extended) {
        const ExactValue<Wide> sum = wide_sum(p, q, mode());
        const Rounded result = round(sum, log);
        pair.code = result.code;
        if (log.trace != nullptr)
          trace("add " + terms[0].name + " + " + terms[1].name, terms, sum, result, log);
      } else {
        const Rounded x = round(p, log), y = round(q, log);
        Named named_x{.code = x.code}, named_y{.code = y.code};
        if (log.trace != nullptr) {
          trace("multiply " + terms[0].name, {terms[0]}, p, x, log);
          trace("multiply " + terms[1].name, {terms[1]}, q, y, log);
          named_x.name = terms[0].name;
          named_y.name = terms[1].name;
        }
        pair.code = add(named_x, named_y, log);
      }
      Named addend{.code = c};
      if (log.trace != nullptr) {
        addend.name = "c";
        pair.name = "pair";
      }
      c = add(addend, pair, log);
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
  info.flush_by_code = spec.extended;
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
