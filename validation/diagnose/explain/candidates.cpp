#include "validation/diagnose/explain/candidates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

template <class T>
bool is_subnormal(T x) {
  return x != 0 && std::fabs(x) < std::numeric_limits<T>::min();
}

template <class T>
std::uint64_t to_bits(T x) {
  if (std::isnan(x)) return format_of<T>.nan_code();
  return std::bit_cast<BitsOf<T>>(x);
}

}  // namespace

std::string fusion_name(const ChainRules& rules) {
  return rules.product ? fmt::format("products rounded to {}", rules.product->dtype) : "fused";
}

std::string flush_name(const ChainRules& rules) {
  if (rules.flush_inputs) return rules.flush_results ? "inputs and results" : "inputs";
  return rules.flush_results ? "results" : "none";
}

std::uint64_t Finish::apply(std::uint64_t code, const FormatSpec& from, const FormatSpec& to) const {
  EncodeOptions options{.rounding = rounding, .overflow = overflow};
  if (flush) options.subnormals = Subnormals::flush_result;
  if (!by_way_of) return from == to && !flush ? code : convert(code, from, to, options).code;
  return convert(convert(code, from, *by_way_of).code, *by_way_of, to, options).code;
}

std::string finish_name(const Finish& finish) {
  std::string text(rounding_name(finish.rounding));
  if (finish.overflow == Overflow::saturate) text += ", saturating";
  if (finish.flush) text += ", subnormal results flushed";
  if (finish.by_way_of) text += fmt::format(", by way of {}", finish.by_way_of->dtype);
  return text;
}

std::vector<Finish> finishes(const FormatSpec& from, const FormatSpec& to) {
  if (from == to || contains_format(to, from)) return {Finish{}};
  std::vector<Finish> all;
  for (const Rounding mode : deterministic_roundings) all.push_back({.rounding = mode});
  all.push_back({.overflow = Overflow::saturate});
  all.push_back({.flush = true});
  const FormatSpec& f32 = formats::float32;
  if (from != f32 && to != f32 && contains_format(f32, to) && !contains_format(f32, from)) {
    all.push_back({.by_way_of = f32});
    all.push_back({.by_way_of = f32, .rounding = Rounding::toward_zero});
  }
  return all;
}

// --- evaluation --------------------------------------------------------------------------------------------

PreparedTerms::PreparedTerms(const CodeVector& a, const CodeVector& b, const ChainRules& rules)
    : rules_(rules), n_(a.size) {
  for (std::size_t i = 0; i < n_; ++i) {
    subnormal_ = subnormal_ || a.format.is_subnormal(a.code(i)) || b.format.is_subnormal(b.code(i));
  }
  host_ = host_type(rules, a.format, b.format);
  if (host_ == HostType::float32) float_ = host_terms<float>(a, b);
  if (host_ == HostType::float64) double_ = host_terms<double>(a, b);
  if (host_ != HostType::none) return;
  leaves_.reserve(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    leaves_.push_back(read_product(a, b, i, rules));
    if (!rules.product) continue;
    const std::uint64_t code = encode(leaves_.back(), *rules.product, encode_options(rules)).code;
    subnormal_ = subnormal_ || rules.product->is_subnormal(code);
    leaves_.back() = read_value(code, *rules.product, rules);
  }
}

template <class T>
PreparedTerms::HostTerms<T> PreparedTerms::host_terms(const CodeVector& a, const CodeVector& b) {
  const MxcsrGuard guard(0x1F80);
  HostTerms<T> terms;
  for (std::size_t i = 0; i < a.size; ++i) {
    terms.left.push_back(static_cast<T>(decode(a.code(i), a.format)));
    terms.right.push_back(static_cast<T>(decode(b.code(i), b.format)));
  }
  const HostProduct how = host_product<T>(rules_, a.format, b.format);
  terms.fused = how == HostProduct::fused;
  if (terms.fused) return terms;
  for (std::size_t i = 0; i < a.size; ++i) {
    const T *const x = terms.left.data(), *const y = terms.right.data();
    if (how == HostProduct::rounded_to_float) {
      terms.left[i] = host_term<T, HostProduct::rounded_to_float>(x, y, i);
      subnormal_ = subnormal_ || is_subnormal(static_cast<float>(terms.left[i]));
    } else {
      terms.left[i] = host_term<T, HostProduct::rounded>(x, y, i);
      subnormal_ = subnormal_ || is_subnormal(terms.left[i]);
    }
  }
  return terms;
}

template <class T>
std::uint64_t PreparedTerms::on_host(const HostTerms<T>& terms, const Schedule& schedule,
                                     std::optional<std::uint64_t> c, bool& subnormal) {
  const MxcsrGuard guard(0x1F80);
  const T start = c ? from_code<T>(*c, format_of<T>) : T{0};
  const auto with = [&]<HostProduct how>() {
    HostOps<T, how> ops{terms.left.data(), terms.right.data(), start};
    bool seen = false;
    const T sum = replay(schedule, ops, [&seen](T x) { seen |= is_subnormal(x); });
    subnormal |= seen;
    return to_bits(sum);
  };
  return terms.fused ? with.template operator()<HostProduct::fused>()
                     : with.template operator()<HostProduct::given>();
}

struct PreparedTerms::ReadyTerms {
  const ExactValue<Wide>* leaves;
  const ExactValue<Wide>& entering(std::size_t i, const SameOptions&) const { return leaves[i]; }
};

std::uint64_t PreparedTerms::evaluate(const Schedule& schedule, std::optional<std::uint64_t> c,
                                      bool* subnormal) const {
  bool ignored = false;
  bool& seen = subnormal != nullptr ? *subnormal : ignored;
  seen = seen || subnormal_;
  if (host_ == HostType::float32) return on_host(float_, schedule, c, seen);
  if (host_ == HostType::float64) return on_host(double_, schedule, c, seen);
  const FormatSpec& f = rules_.accumulator;
  RoundedOps<ReadyTerms, SameOptions> ops(rules_, {leaves_.data()}, SameOptions(rules_), c);
  return replay(schedule, ops, [&](std::uint64_t code) { seen |= f.is_subnormal(code); });
}

void add_to_mark(std::uint64_t& mark, std::size_t i) {
  std::uint64_t x = (i + 1) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  mark += x ^ (x >> 27);
}

std::vector<TracedStep> trace_chain(const SumOrder& order, const ChainRules& rules, const CodeVector& a,
                                    const CodeVector& b, std::optional<std::uint64_t> c) {
  const Schedule schedule = make_schedule(order, a.size, c.has_value());
  const FormatSpec& f = rules.accumulator;
  const EncodeOptions options = encode_options(rules);
  std::vector<std::uint64_t> slots(schedule.slots), marks(schedule.slots);
  std::vector<std::size_t> below(schedule.slots);
  std::vector<TracedStep> steps;
  const auto slot_name = [](std::uint32_t slot) { return fmt::format("sum {}", slot); };
  for (const ScheduledOp& op : schedule.ops) {
    if (op.kind == ScheduledOp::Kind::zero) continue;
    if (op.kind == ScheduledOp::Kind::start) {
      slots[op.slot] = read_code(c.value_or(0), f, rules);
      continue;
    }
    const std::uint64_t before = slots[op.slot];
    TracedStep step{{.name = slot_name(op.slot), .format = f}};
    step.terms.push_back(
        {slot_name(op.slot), widened(exact_from_code(before, f)), read_value(before, f, rules)});
    if (op.kind == ScheduledOp::Kind::term) {
      const std::size_t i = op.from;
      step.name += fmt::format(" + a[{}] b[{}]", i, i);
      const ExactValue<Wide> exact =
          wide_product(exact_from_code(a.code(i), a.format), exact_from_code(b.code(i), b.format));
      ExactValue<Wide> entered = read_product(a, b, i, rules);
      if (rules.product)
        entered = read_value(encode(entered, *rules.product, options).code, *rules.product, rules);
      step.terms.push_back({fmt::format("a[{}] b[{}]", i, i), exact, entered});
      add_to_mark(marks[op.slot], i);
      ++below[op.slot];
    } else {
      step.name += " + " + slot_name(op.from);
      step.terms.push_back({slot_name(op.from), widened(exact_from_code(slots[op.from], f)),
                            read_value(slots[op.from], f, rules)});
      marks[op.slot] += marks[op.from];
      below[op.slot] += below[op.from];
    }
    step.mark = marks[op.slot];
    step.below = below[op.slot];
    step.sum = wide_sum(step.terms[1].entered, step.terms[0].entered, rules.rounding);
    step.result = slots[op.slot] = encode(step.sum, f, options).code;
    steps.push_back(std::move(step));
  }
  return steps;
}

// --- the space ---------------------------------------------------------------------------------------------

namespace {

std::vector<SumOrder> all_orders() {
  using Kind = SumOrder::Kind;
  std::vector<SumOrder> all{{}, {.reversed = true}};
  for (std::size_t base = 1; base <= 128; base *= 2) all.push_back({.kind = Kind::pairwise, .base = base});
  all.push_back({.kind = Kind::numpy});
  for (const std::size_t parts : std::to_array<std::size_t>({2, 3, 4, 5, 6, 7, 8, 12, 16, 32}))
    all.push_back({.kind = Kind::split, .parts = parts});
  for (const std::size_t lanes : std::to_array<std::size_t>({2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64})) {
    for (const LaneSum sum : {LaneSum::halves, LaneSum::adjacent, LaneSum::in_order}) {
      for (const bool after : {false, true})
        all.push_back({.lanes = lanes, .lane_sum = sum, .tail_after = after});
    }
  }
  for (const std::size_t panel : std::to_array<std::size_t>(
           {4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 384, 448, 512, 768, 1024, 2048, 4096})) {
    for (const std::size_t lanes : std::to_array<std::size_t>({1, 2, 4, 8, 16, 32})) {
      if (lanes < panel) all.push_back({.lanes = lanes, .panel = panel});
    }
  }
  for (const std::size_t panel :
       std::to_array<std::size_t>({128, 192, 224, 240, 256, 320, 352, 384, 448, 512, 640, 768})) {
    for (const std::size_t lanes : std::to_array<std::size_t>({1, 2, 4, 8, 16}))
      all.push_back({.lanes = lanes, .panel = panel, .even_last = true});
  }
  return all;
}

// A hash of the additions for each length.
std::vector<std::uint64_t> schedule_marks(const SumOrder& order, const std::vector<std::size_t>& lengths,
                                          bool has_c) {
  std::vector<std::uint64_t> marks;
  for (const std::size_t n : lengths) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const ScheduledOp& op : make_schedule(order, n, has_c).ops) {
      for (const std::uint32_t x : {static_cast<std::uint32_t>(op.kind), op.slot, op.from})
        hash = (hash ^ x) * 0x100000001b3;
    }
    marks.push_back(hash);
  }
  return marks;
}

}  // namespace

std::vector<std::vector<SumOrder>> order_classes(const std::vector<std::size_t>& lengths, bool has_c) {
  std::vector<SumOrder> all;
  for (const SumOrder& order : all_orders()) {
    all.push_back(order);
    if (!has_c) continue;
    // Side by side, so that of two names for the same additions the simpler order's comes first.
    all.push_back(order);
    all.back().c_last = true;
  }
  std::vector<std::vector<SumOrder>> classes;
  std::map<std::vector<std::uint64_t>, std::size_t> seen;
  for (const SumOrder& order : all) {
    const auto [found, is_new] = seen.emplace(schedule_marks(order, lengths, has_c), classes.size());
    if (is_new) classes.emplace_back();
    classes[found->second].push_back(order);
  }
  return classes;
}

std::vector<SumOrder> candidate_orders(const std::vector<std::size_t>& lengths, bool has_c) {
  std::vector<SumOrder> distinct;
  for (const std::vector<SumOrder>& same : order_classes(lengths, has_c)) distinct.push_back(same.front());
  return distinct;
}

std::vector<ChainRules> candidate_rules(const FormatSpec& a, const FormatSpec& b, const FormatSpec& output,
                                        const std::optional<FormatSpec>& c) {
  const auto add = [](std::vector<FormatSpec>& list, const FormatSpec& f) {
    if (std::find(list.begin(), list.end(), f) == list.end()) list.push_back(f);
  };
  std::vector<FormatSpec> accumulators;
  for (const FormatSpec& f : {formats::float32, formats::float64, a, b, output}) {
    if (f.bits >= 16) add(accumulators, f);  // nobody sums in fewer
  }
  if (c) std::erase_if(accumulators, [&](const FormatSpec& f) { return !contains_format(f, *c); });
  std::vector<ChainRules> all;
  for (const FormatSpec& accumulator : accumulators) {
    std::vector<FormatSpec> products{accumulator};
    if (accumulator != formats::float32) add(products, formats::float32);
    for (const FormatSpec& f : {a, b}) {
      if (f.bits >= 16 && f.bits < accumulator.bits) add(products, f);
    }
    for (std::size_t p = 0; p <= products.size(); ++p) {
      for (const Rounding mode : deterministic_roundings) {
        for (const bool flush_inputs : {false, true}) {
          for (const bool flush_results : {false, true}) {
            ChainRules rules{.accumulator = accumulator,
                             .rounding = mode,
                             .flush_inputs = flush_inputs,
                             .flush_results = flush_results};
            if (p > 0) rules.product = products[p - 1];
            all.push_back(rules);
          }
        }
      }
    }
  }
  return all;
}

}  // namespace assay::diagnose
