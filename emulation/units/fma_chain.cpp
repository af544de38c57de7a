#include "emulation/units/fma_chain.hpp"

#include <limits>
#include <string>
#include <utility>

#include "emulation/units/fma_gemm.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/exact_dot.hpp"

namespace assay {
namespace {

// An operation's operands, as codes of the accumulator's format and by name.
struct Operand {
  std::uint64_t code = 0;
  const char* name = "acc";
};

std::string note_of(OpEvent event) {
  switch (event) {
    case OpEvent::none: return {};
    case OpEvent::nan_operand: return "an operand is NaN";
    case OpEvent::zero_times_infinity: return "0 * Inf: NaN";
    case OpEvent::infinities: return "+Inf and -Inf: NaN";
    case OpEvent::overflow: return "overflow";
    case OpEvent::flushed: return "tiny: flushed";
  }
  return {};
}

// One dot product under way: its operands, and the record of its operations if one is wanted.
class Run {
 public:
  Run(const CodeVector& a, const CodeVector& b, const FusedRules& rules, std::vector<TraceStep>* trace)
      : a_(a), b_(b), rules_(rules), trace_(trace) {}

  // acc + a[i] b[i], one rounding. Past the end: +0 * +0.
  std::uint64_t fma(std::size_t i, Operand acc) {
    const std::uint64_t a = operand(a_, i), b = operand(b_, i);
    const OpResult r = fused_multiply_add(rules_, a, b, acc.code);
    if (trace_ != nullptr)
      record("fma " + product_name(i), {product_term(i, a, b), term(acc, rules_)}, r, rules_);
    return r.code;
  }
  std::uint64_t multiplied(std::size_t i) {
    const std::uint64_t a = operand(a_, i), b = operand(b_, i);
    const OpResult r = multiply(rules_, a, b);
    if (trace_ != nullptr) record("multiply " + product_name(i), {product_term(i, a, b)}, r, rules_);
    return r.code;
  }
  std::uint64_t sum(Operand x, Operand y) { return sum(x, y, rules_); }
  std::uint64_t sum(Operand x, Operand y, const FusedRules& rules) {
    const OpResult r = add(rules, x.code, y.code);
    if (trace_ != nullptr)
      record(std::string("add ") + x.name + " + " + y.name, {term(x, rules), term(y, rules)}, r, rules);
    return r.code;
  }

 private:
  std::uint64_t operand(const CodeVector& x, std::size_t i) const {
    if (i >= x.size) return 0;
    const std::uint64_t code = x.code(i);
    // A NaN's payload moves with the code, so no conversion by value.
    return x.format == rules_.format ? code : code << (rules_.format.bits - x.format.bits);
  }

  static std::string product_name(std::size_t i) {
    const std::string at = "[" + std::to_string(i) + "]";
    return "a" + at + " b" + at;
  }
  TraceTerm product_term(std::size_t i, std::uint64_t a, std::uint64_t b) const {
    const FormatSpec& f = rules_.format;
    return {product_name(i) + (i >= a_.size ? " (padding)" : ""),
            wide_product(exact_from_code(a, f), exact_from_code(b, f)),
            wide_product(read_operand(rules_, a), read_operand(rules_, b))};
  }
  static TraceTerm term(const Operand& x, const FusedRules& rules) {
    return {x.name, widened(exact_from_code(x.code, rules.format)), widened(read_operand(rules, x.code))};
  }
  void record(std::string name, std::vector<TraceTerm> terms, const OpResult& r, const FusedRules& rules) {
    trace_->push_back({.name = std::move(name),
                       .terms = std::move(terms),
                       .sum = r.sum,
                       .result = r.code,
                       .format = rules.format,
                       .note = note_of(r.event)});
  }

  const CodeVector a_, b_;
  const FusedRules rules_;
  std::vector<TraceStep>* const trace_;
};

std::uint64_t sequential_definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                    const FusedRules& rules, bool fused, std::vector<TraceStep>* trace) {
  Run run(a, b, rules, trace);
  std::uint64_t acc = c.value_or(0);
  for (std::size_t i = 0; i < a.size; ++i) {
    if (fused) {
      acc = run.fma(i, {acc});
    } else {
      const std::uint64_t product = run.multiplied(i);
      acc = run.sum({acc}, {product, "product"});
    }
  }
  return acc;
}

// A row of units.def.
struct Row {
  std::string_view name;
  ChainShape shape;
  FormatSpec format;  // of the accumulator
  bool fused, flush;
  Evidence evidence;
  std::string_view summary, source;
};

class FmaChainUnit final : public Unit {
 public:
  FmaChainUnit(const Row& row, ArithmeticInfo info) : Unit(std::move(info)), row_(row) {}

  std::vector<UnitPath> paths() const override {
    if (row_.format != formats::float32) return {{"definition"}};
    std::vector<UnitPath> paths = fma_kernels().infos();
    if (row_.fused) paths.push_back({"scalar any range"});
    paths.push_back({"definition"});
    return paths;
  }

  std::optional<Accumulation> accumulation() const override {
    Accumulation how{.accumulator = row_.format, .flush = row_.flush};
    if (!row_.fused) how.product = row_.format;
    how.order = row_.shape == ChainShape::tiles ? SumOrder::blocked(2, tile_depth) : SumOrder::sequential();
    return how;
  }
  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec&) const override {
    const ExactDot truth = exact(a, b, c);
    if (truth.value.result().kind != Kind::finite) return std::numeric_limits<double>::infinity();
    return dot_bound(*accumulation(), {.terms = a.size,
                                       .magnitudes = truth.magnitudes,
                                       .addend = c.has_value(),
                                       .exact = truth.value.magnitude_up()})
        .value;
  }

 private:
  std::uint64_t evaluate(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                         std::vector<TraceStep>* trace) const {
    switch (row_.shape) {
      case ChainShape::pairs: return vdpbf16ps_definition(a, b, c, {}, trace);
      case ChainShape::tiles: return tdpbf16ps_definition(a, b, c, {}, trace);
      case ChainShape::sequential: break;
    }
    return sequential_definition(a, b, c, rules(), row_.fused, trace);
  }

  FusedRules rules() const {
    FusedRules rules{.format = row_.format};
    rules.flush_inputs = row_.flush;
    rules.tiny = row_.flush ? Tiny::after_rounding : Tiny::kept;
    rules.default_nan = row_.format == formats::float64 ? 0xFFF8000000000000 : row_.format.magnitude_mask();
    return rules;
  }

  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec&, OutputPlace) const override {
    return evaluate(a, b, c, nullptr);
  }
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace) const override {
    return evaluate(a, b, c, nullptr);
  }
  std::vector<TraceStep> trace_checked(const CodeVector& a, const CodeVector& b,
                                       std::optional<std::uint64_t> c, const FormatSpec&) const override {
    std::vector<TraceStep> steps;
    evaluate(a, b, c, &steps);
    return steps;
  }

  void gemm_by_checked(const UnitPath& path, const CodeMatrix& a, const CodeMatrix& b,
                       const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const override {
    const FmaGemm how{.shape = row_.shape,
                      .fused = row_.fused,
                      .flush = row_.flush,
                      .canonical_nan = row_.shape == ChainShape::sequential};
    const bool any_range = path.name == "scalar any range";
    const FmaKernel* const kernel = fma_kernels().lookup(any_range ? "scalar" : path.name);
    if (kernel == nullptr || !fma_gemm(how, *kernel, a, b, c, d, any_range))
      Unit::gemm_by_checked(path, a, b, c, d);
  }

  const Row row_;
};

ArithmeticInfo info_of(const Row& row) {
  const FormatSpec& f = row.format;
  ArithmeticInfo info{
      .name = std::string(row.name), .family = "fma_chain", .summary = std::string(row.summary)};
  info.accumulator = f;
  info.outputs = {f};
  info.fused = row.fused;
  info.products = row.fused ? "exact" : "rounded to " + std::string(f.dtype);
  info.flush_inputs = info.flush_results = row.flush;
  info.flush_by_code = !row.flush;
  info.parameters = {{"flush", row.flush ? "operands; results tiny after rounding" : "none"}};
  info.evidence = row.evidence;
  info.source = std::string(row.source);
  switch (row.shape) {
    case ChainShape::sequential:
      info.inputs = {{f, f}};
      if (f == formats::float32) info.inputs.push_back({formats::bfloat16, formats::bfloat16});
      info.step_terms = 1;
      info.order = "sequential";
      info.sequential = true;
      info.nan = f == formats::float32    ? "0x7FFFFFFF"
                 : f == formats::bfloat16 ? "0x7FFF"
                                          : "0xFFF8000000000000 (UNV for NaN operands)";
      return info;
    case ChainShape::pairs:
      info.inputs = {{formats::bfloat16, formats::bfloat16}};
      info.step_terms = 2;
      info.order = "pairs in order, the odd element first";
      break;
    case ChainShape::tiles:
      info.inputs = {{formats::bfloat16, formats::bfloat16}};
      info.step_terms = tile_depth;
      info.order = "blocks of 32: even and odd chains from +0, their sum added to c";
      info.parameters.emplace_back("block", "32");
      break;
  }
  info.nan = "the first of a, b, c that is one, quieted; 0xFFC00000 if none is";
  return info;
}

}  // namespace

std::uint32_t vdpbf16ps_definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                   const X86Rules& rules, std::vector<TraceStep>* trace) {
  Run run(a, b, rules.operation(), trace);
  std::uint64_t acc = c.value_or(0);
  for (std::size_t i = 0; i < a.size; i += 2) {
    const std::size_t first = rules.even_first ? i : i + 1, second = rules.even_first ? i + 1 : i;
    if (rules.sum_first) {
      const std::uint64_t products = run.fma(second, {run.fma(first, {0, "zero"}), "product"});
      acc = run.sum({acc}, {products, "products"});
    } else {
      acc = run.fma(second, {run.fma(first, {acc})});
    }
  }
  return static_cast<std::uint32_t>(acc);
}

std::uint32_t tdpbf16ps_definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                   const X86Rules& rules, std::vector<TraceStep>* trace) {
  Run run(a, b, rules.operation(), trace);
  FusedRules addition = rules.operation();
  if (!rules.flush_adds) {
    addition.flush_inputs = false;
    addition.tiny = Tiny::kept;
  }
  std::uint64_t total = c.value_or(0);
  for (std::size_t begin = 0; begin < a.size; begin += tile_depth) {
    std::uint64_t even = 0, odd = 0;
    for (std::size_t i = begin; i < a.size && i < begin + tile_depth; i += 2) {
      even = run.fma(i, {even, "even chain"});
      if (rules.one_chain) {
        even = run.fma(i + 1, {even, "chain"});
      } else {
        odd = run.fma(i + 1, {odd, "odd chain"});
      }
    }
    const std::uint64_t block = run.sum({even, "even chain"}, {odd, "odd chain"}, addition);
    total = run.sum({total, "c"}, {block, "block"}, addition);
  }
  return static_cast<std::uint32_t>(total);
}

void add_fma_chain_units(ArithmeticRegistry& registry) {
  using namespace formats;
  constexpr bool fused = true, rounded = false, keep = false, flush = true;
#define FMA_CHAIN(name, shape, format, products, flushing, evidence, summary, source)                        \
  {                                                                                                          \
    const Row row{name, ChainShape::shape, format, products, flushing, Evidence::evidence, summary, source}; \
    registry.add(std::make_unique<FmaChainUnit>(row, info_of(row)));                                         \
  }
#include "emulation/units/units.def"
}

}  // namespace assay
