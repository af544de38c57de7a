#include "validation/diagnose/explain/candidates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <type_traits>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

// --- orders ------------------------------------------------------------------------------------------------

class Scheduler {
 public:
  Scheduler(const ChainOrder& order, std::size_t n, bool has_c) : order_(order), n_(n), has_c_(has_c) {}

  Schedule made() {
    const bool starts = has_c_ && !order_.c_last;
    std::uint32_t total = 0;
    switch (order_.kind) {
      case ChainOrder::Kind::blocked: total = blocked(order_.panel == 0 ? n_ : order_.panel, starts); break;
      case ChainOrder::Kind::split: total = blocked((n_ + order_.parts - 1) / order_.parts, starts); break;
      case ChainOrder::Kind::pairwise: total = with_c(pairwise(0, n_), starts); break;
      case ChainOrder::Kind::numpy: total = with_c(numpy(0, n_), starts); break;
    }
    if (has_c_ && order_.c_last) total = with_c(total, true);
    schedule_.result = total;
    return std::move(schedule_);
  }

 private:
  using Kind = ScheduledOp::Kind;

  std::uint32_t slot(Kind kind) {
    const std::uint32_t made = schedule_.slots++;
    schedule_.ops.push_back({kind, made, 0});
    return made;
  }
  void term(std::uint32_t to, std::size_t i) {
    const std::size_t which = order_.reversed ? n_ - 1 - i : i;
    schedule_.ops.push_back({Kind::term, to, static_cast<std::uint32_t>(which)});
  }
  void add(std::uint32_t to, std::uint32_t from) { schedule_.ops.push_back({Kind::add, to, from}); }

  // c + sum, if c is to come now.
  std::uint32_t with_c(std::uint32_t sum, bool now) {
    if (!now) return sum;
    const std::uint32_t c = slot(Kind::start);
    add(c, sum);
    return c;
  }

  std::uint32_t chain(std::size_t begin, std::size_t count, Kind from = Kind::zero) {
    const std::uint32_t sum = slot(from);
    for (std::size_t i = 0; i < count; ++i) term(sum, begin + i);
    return sum;
  }

  std::uint32_t folded(std::vector<std::uint32_t> lanes, LaneSum how) {
    if (how == LaneSum::in_order) {
      for (std::size_t j = 1; j < lanes.size(); ++j) add(lanes[0], lanes[j]);
      return lanes[0];
    }
    while (lanes.size() > 1) {
      const std::size_t width = lanes.size(), half = (width + 1) / 2;
      if (how == LaneSum::halves) {
        for (std::size_t j = 0; j + half < width; ++j) add(lanes[j], lanes[j + half]);
      } else {
        for (std::size_t j = 0; 2 * j < width; ++j) {
          if (2 * j + 1 < width) add(lanes[2 * j], lanes[2 * j + 1]);
          lanes[j] = lanes[2 * j];
        }
      }
      lanes.resize(half);
    }
    return lanes[0];
  }

  // The terms of one panel, in lanes.
  std::uint32_t panel(std::size_t begin, std::size_t count) {
    const std::size_t width = order_.lanes;
    const std::size_t in_lanes = order_.tail_after ? count - count % width : count;
    if (width == 1 || in_lanes == 0) return chain(begin, count);
    std::vector<std::uint32_t> lanes;
    for (std::size_t j = 0; j < width; ++j) lanes.push_back(slot(Kind::zero));
    for (std::size_t i = 0; i < in_lanes; ++i) term(lanes[i % width], begin + i);
    const std::uint32_t sum = folded(std::move(lanes), order_.lane_sum);
    for (std::size_t i = in_lanes; i < count; ++i) term(sum, begin + i);
    return sum;
  }

  std::uint32_t blocked(std::size_t width, bool starts) {
    // One chain takes c as its first value; chains of panels are added to it.
    if (n_ == 0 || (order_.lanes == 1 && width >= n_)) return chain(0, n_, starts ? Kind::start : Kind::zero);
    std::optional<std::uint32_t> total;
    for (std::size_t begin = 0, count = 0; begin < n_; begin += count) {
      count = std::min(width, n_ - begin);
      // OpenBLAS's interface/level3.c: what is left is more than one panel and less than two.
      if (order_.even_last && n_ - begin > width && n_ - begin < 2 * width)
        count = std::min(((n_ - begin) / 2 + 15) / 16 * 16, n_ - begin);
      const std::uint32_t sum = panel(begin, count);
      if (!total) {
        total = with_c(sum, starts);
      } else {
        add(*total, sum);
      }
    }
    return *total;
  }

  std::uint32_t pairwise(std::size_t begin, std::size_t n) {
    if (n <= order_.base) return chain(begin, n);
    const std::size_t half = n / 2;
    const std::uint32_t sum = pairwise(begin, half);
    add(sum, pairwise(begin + half, n - half));
    return sum;
  }

  // numpy/_core/src/umath/loops_utils.h.src, @TYPE@_pairwise_sum.
  std::uint32_t numpy(std::size_t begin, std::size_t n) {
    if (n < 8) return chain(begin, n);
    if (n > 128) {
      const std::size_t half = n / 2 - n / 2 % 8;
      const std::uint32_t sum = numpy(begin, half);
      add(sum, numpy(begin + half, n - half));
      return sum;
    }
    std::vector<std::uint32_t> lanes;
    for (std::size_t j = 0; j < 8; ++j) lanes.push_back(slot(Kind::zero));
    const std::size_t whole = n - n % 8;
    for (std::size_t i = 0; i < whole; ++i) term(lanes[i % 8], begin + i);
    const std::uint32_t sum = folded(std::move(lanes), LaneSum::adjacent);
    for (std::size_t i = whole; i < n; ++i) term(sum, begin + i);
    return sum;
  }

  const ChainOrder& order_;
  std::size_t n_;
  bool has_c_;
  Schedule schedule_{};
};

// --- values ------------------------------------------------------------------------------------------------

std::uint64_t read_code(std::uint64_t code, const FormatSpec& f, const ChainRules& rules) {
  return rules.flush_inputs ? flushed_code(code, f) : code;
}

std::uint64_t rounded(const ExactValue<Wide>& x, const FormatSpec& f, const ChainRules& rules) {
  EncodeOptions options{.rounding = rules.rounding};
  if (rules.flush_results) options.subnormals = Subnormals::flush_result;
  return encode(x, f, options).code;
}

ExactValue<Wide> read_value(std::uint64_t code, const FormatSpec& f, const ChainRules& rules) {
  return widened(exact_from_code(read_code(code, f, rules), f));
}

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
T from_bits(std::uint64_t code) {
  return std::bit_cast<T>(static_cast<BitsOf<T>>(code));
}

template <class T>
bool is_subnormal(T x) {
  return x != 0 && std::fabs(x) < std::numeric_limits<T>::min();
}

template <class T>
std::uint64_t to_bits(T x) {
  if (std::isnan(x)) return (sizeof(T) == 4 ? formats::float32 : formats::float64).nan_code();
  return std::bit_cast<BitsOf<T>>(x);
}

class ScheduledChain final : public Arithmetic {
 public:
  ScheduledChain(ArithmeticInfo info, const ChainOrder& order, const ChainRules& rules)
      : Arithmetic(std::move(info)), order_(order), rules_(rules) {}

  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    const ExactDot truth = exact(a, b, c);
    if (truth.value.result().kind != Kind::finite) return std::numeric_limits<double>::infinity();
    Accumulation how{.accumulator = rules_.accumulator,
                     .product = rules_.product,
                     .rounding = rules_.rounding,
                     .flush = rules_.flush_inputs || rules_.flush_results,
                     .tree = {}};
    if (output != rules_.accumulator) how.output = output;
    return dot_bound(how, {.terms = a.size,
                           .magnitudes = truth.magnitudes,
                           .addend = c.has_value(),
                           .exact = truth.value.magnitude_up()})
        .value;
  }

 private:
  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& output, OutputPlace) const override {
    const PreparedTerms terms(a, b, rules_);
    const std::uint64_t sum = terms.evaluate(make_schedule(order_, a.size, c.has_value()), c);
    return convert(sum, rules_.accumulator, output).code;
  }
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace) const override {
    const PreparedTerms terms(a, b, rules_);
    return terms.evaluate(make_schedule({}, a.size, true), c);
  }

  ChainOrder order_;
  ChainRules rules_;
};

}  // namespace

std::string order_name(const ChainOrder& o) {
  std::string text;
  switch (o.kind) {
    case ChainOrder::Kind::pairwise: text = fmt::format("pairwise, runs of {}", o.base); break;
    case ChainOrder::Kind::numpy: text = "NumPy's pairwise"; break;
    case ChainOrder::Kind::split: text = fmt::format("split in {}", o.parts); break;
    case ChainOrder::Kind::blocked:
      text = o.lanes > 1    ? fmt::format("{} lanes", o.lanes)
             : o.panel == 0 ? std::string("sequential")
                            : fmt::format("panels of {}", o.panel);
      if (o.lanes > 1 && o.panel != 0) text += fmt::format(", panels of {}", o.panel);
      if (o.even_last) text += ", the last two even";
      break;
  }
  if (o.lanes > 1) {
    if (o.lane_sum == LaneSum::adjacent) text += ", neighbours added";
    if (o.lane_sum == LaneSum::in_order) text += ", added in order";
    if (o.tail_after) text += ", tail after";
  }
  if (o.reversed) text += text == "sequential" ? ", last term first" : ", reversed";
  if (o.c_last) text += ", c last";
  return text;
}

Schedule make_schedule(const ChainOrder& order, std::size_t n, bool has_c) {
  if (order.lanes == 0 || order.parts == 0 || order.base == 0 || n >> 30 != 0) {
    throw ContractError(fmt::format("a schedule of {} lanes, {} parts, runs of {}, {} terms", order.lanes,
                                    order.parts, order.base, n));
  }
  return Scheduler(order, n, has_c).made();
}

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
  const FormatSpec& f = rules.accumulator;
  const bool plain = rules.rounding == Rounding::nearest_even && !rules.flush_inputs && !rules.flush_results;
  const auto holds = [&](const FormatSpec& g) {
    return contains_format(g, a.format) && contains_format(g, b.format);
  };
  if (plain && f == formats::float32 && (!rules.product || *rules.product == f) && holds(f)) {
    host_ = Host::float32;
    float_ = host_terms<float>(a, b);
    return;
  }
  const bool float_product = rules.product && *rules.product == formats::float32 && holds(formats::float32);
  if (plain && f == formats::float64 && (!rules.product || *rules.product == f || float_product)) {
    host_ = Host::float64;
    double_ = host_terms<double>(a, b);
    return;
  }
  leaves_.reserve(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    ExactValue<Wide> product = wide_product(exact_from_code(read_code(a.code(i), a.format, rules), a.format),
                                            exact_from_code(read_code(b.code(i), b.format, rules), b.format));
    if (rules.product) {
      const std::uint64_t code = rounded(product, *rules.product, rules);
      subnormal_ = subnormal_ || rules.product->is_subnormal(code);
      product = read_value(code, *rules.product, rules);
    }
    leaves_.push_back(product);
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
  // In float64 every product of two float32 values is exact, and std::fma may be a call.
  const bool exact_products = sizeof(T) == 8 && contains_format(formats::float32, a.format) &&
                              contains_format(formats::float32, b.format);
  terms.fused = !rules_.product && !exact_products;
  if (terms.fused) return terms;
  const bool by_float = rules_.product && *rules_.product != rules_.accumulator;
  for (std::size_t i = 0; i < a.size; ++i) {
    const T x = terms.left[i], y = terms.right[i];
    if (by_float) {
      const float product = static_cast<float>(x) * static_cast<float>(y);
      terms.left[i] = static_cast<T>(product);
      subnormal_ = subnormal_ || is_subnormal(product);
    } else {
      terms.left[i] = x * y;
      subnormal_ = subnormal_ || is_subnormal(terms.left[i]);
    }
  }
  return terms;
}

template <class T>
std::uint64_t PreparedTerms::on_host(const HostTerms<T>& terms, const Schedule& schedule,
                                     std::optional<std::uint64_t> c, bool& subnormal) {
  const MxcsrGuard guard(0x1F80);
  const T start = c ? from_bits<T>(*c) : T{0};
  const T *const left = terms.left.data(), *const right = terms.right.data();
  std::vector<T> slots(schedule.slots);
  for (const ScheduledOp& op : schedule.ops) {
    T& slot = slots[op.slot];
    switch (op.kind) {
      case ScheduledOp::Kind::zero: slot = 0; break;
      case ScheduledOp::Kind::start: slot = start; break;
      case ScheduledOp::Kind::term:
        slot = terms.fused ? std::fma(left[op.from], right[op.from], slot) : slot + left[op.from];
        break;
      case ScheduledOp::Kind::add: slot = slot + slots[op.from]; break;
    }
    subnormal |= is_subnormal(slot);
  }
  return to_bits(slots[schedule.result]);
}

std::uint64_t PreparedTerms::evaluate(const Schedule& schedule, std::optional<std::uint64_t> c,
                                      bool* subnormal) const {
  bool ignored = false;
  bool& seen = subnormal != nullptr ? *subnormal : ignored;
  seen = seen || subnormal_;
  if (host_ == Host::float32) return on_host(float_, schedule, c, seen);
  if (host_ == Host::float64) return on_host(double_, schedule, c, seen);
  const FormatSpec& f = rules_.accumulator;
  std::vector<std::uint64_t> slots(schedule.slots);
  for (const ScheduledOp& op : schedule.ops) {
    std::uint64_t& slot = slots[op.slot];
    switch (op.kind) {
      case ScheduledOp::Kind::zero: slot = 0; break;
      case ScheduledOp::Kind::start: slot = read_code(c.value_or(0), f, rules_); break;
      case ScheduledOp::Kind::term:
        slot = rounded(wide_sum(leaves_[op.from], read_value(slot, f, rules_), rules_.rounding), f, rules_);
        break;
      case ScheduledOp::Kind::add:
        slot = rounded(
            wide_sum(read_value(slots[op.from], f, rules_), read_value(slot, f, rules_), rules_.rounding), f,
            rules_);
        break;
    }
    seen |= f.is_subnormal(slot);
  }
  return slots[schedule.result];
}

void add_to_mark(std::uint64_t& mark, std::size_t i) {
  std::uint64_t x = (i + 1) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  mark += x ^ (x >> 27);
}

std::vector<TracedStep> trace_chain(const ChainOrder& order, const ChainRules& rules, const CodeVector& a,
                                    const CodeVector& b, std::optional<std::uint64_t> c) {
  const Schedule schedule = make_schedule(order, a.size, c.has_value());
  const FormatSpec& f = rules.accumulator;
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
      ExactValue<Wide> entered =
          wide_product(exact_from_code(read_code(a.code(i), a.format, rules), a.format),
                       exact_from_code(read_code(b.code(i), b.format, rules), b.format));
      if (rules.product) entered = read_value(rounded(entered, *rules.product, rules), *rules.product, rules);
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
    step.result = slots[op.slot] = rounded(step.sum, f, rules);
    steps.push_back(std::move(step));
  }
  return steps;
}

std::unique_ptr<const Arithmetic> make_scheduled_chain(std::string name, const ChainOrder& order,
                                                       const ChainRules& rules) {
  ArithmeticInfo info{.name = std::move(name), .family = "scheduled chain", .summary = order_name(order)};
  info.accumulator = rules.accumulator;
  info.outputs = {rules.accumulator};
  info.any_output = true;
  info.order = order_name(order);
  info.products = rules.product ? "rounded to " + std::string(rules.product->dtype) : "exact";
  info.fused = !rules.product;
  info.rounding = std::string(rounding_name(rules.rounding));
  info.flush_inputs = rules.flush_inputs;
  info.flush_results = rules.flush_results;
  info.nan = "the one quiet NaN of the format";
  info.source = "validation/diagnose/explain/candidates.hpp";
  return std::make_unique<ScheduledChain>(std::move(info), order, rules);
}

// --- the space ---------------------------------------------------------------------------------------------

namespace {

std::vector<ChainOrder> all_orders() {
  using Kind = ChainOrder::Kind;
  std::vector<ChainOrder> all{{}, {.reversed = true}};
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
std::vector<std::uint64_t> schedule_marks(const ChainOrder& order, const std::vector<std::size_t>& lengths,
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

std::vector<std::vector<ChainOrder>> order_classes(const std::vector<std::size_t>& lengths, bool has_c) {
  std::vector<ChainOrder> all;
  for (const ChainOrder& order : all_orders()) {
    all.push_back(order);
    if (!has_c) continue;
    // Side by side, so that of two names for the same additions the simpler order's comes first.
    all.push_back(order);
    all.back().c_last = true;
  }
  std::vector<std::vector<ChainOrder>> classes;
  std::map<std::vector<std::uint64_t>, std::size_t> seen;
  for (const ChainOrder& order : all) {
    const auto [found, is_new] = seen.emplace(schedule_marks(order, lengths, has_c), classes.size());
    if (is_new) classes.emplace_back();
    classes[found->second].push_back(order);
  }
  return classes;
}

std::vector<ChainOrder> candidate_orders(const std::vector<std::size_t>& lengths, bool has_c) {
  std::vector<ChainOrder> distinct;
  for (const std::vector<ChainOrder>& same : order_classes(lengths, has_c)) distinct.push_back(same.front());
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
