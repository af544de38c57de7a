#include "validation/judge/any_order.hpp"

#include <limits>
#include <string>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"

namespace assay::judge {
namespace {

ArithmeticInfo info_of(const Accumulation& how, const FormatSpec& output) {
  ArithmeticInfo info;
  info.name = "any_order";
  info.family = "any";
  info.summary = "what is known of a kernel: its formats";
  info.accumulator = how.accumulator;
  info.outputs = {how.accumulator};
  if (output != how.accumulator) info.outputs.push_back(output);
  info.order = how.order.kind == SumOrder::Kind::any ? "any" : "as typed";
  info.flush_inputs = how.flush;
  info.flush_results = how.flush;
  info.source = "the command line";
  return info;
}

class AnyOrder : public Arithmetic {
 public:
  AnyOrder(const Accumulation& how, const FormatSpec& output) : Arithmetic(info_of(how, output)), how_(how) {}

  std::optional<Accumulation> accumulation() const override { return how_; }

  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const ExactDot truth = exact(a, b, c);
    if (truth.value.result().kind != Kind::finite) return infinity;
    Accumulation how = how_;
    if (output != how.accumulator) how.output = output;
    const ErrorBound bound = chain_bound(how, info(), a, b, c.has_value(), truth);
    return bound.may_overflow ? infinity : bound.value;
  }

 private:
  [[noreturn]] static void no_bits() {
    throw ContractError("an arithmetic of any order has a bound and no bits");
  }
  std::uint64_t dot_checked(const CodeVector&, const CodeVector&, std::optional<std::uint64_t>,
                            const FormatSpec&, OutputPlace) const override {
    no_bits();
  }
  std::uint64_t step_checked(const CodeVector&, const CodeVector&, std::uint64_t,
                             OutputPlace) const override {
    no_bits();
  }

  Accumulation how_;
};

}  // namespace

std::unique_ptr<const Arithmetic> make_any_order(const Accumulation& how, const FormatSpec& output) {
  return std::make_unique<AnyOrder>(how, output);
}

}  // namespace assay::judge
