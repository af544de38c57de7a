// The arithmetics that may have made somebody's bits: orders of addition, rules of rounding, and what follows the sum.
//
// An order is a schedule, a list of additions over slots; rules say how each is rounded. Any order goes with any rules,
// so that the space is a product and not a list of names.
//
// Numerics
//   slot      starts at +0, or at c. `term` adds one product to it, `add` one slot to another.
//   rounding  one mode for products and additions, as in reference/exact/chain.hpp, which the tests hold this against.
//   flush     inputs: subnormal operands of any operation (partial sums too) are zeros of their sign; results: results
//             whose rounded code is subnormal are.
//   NaN       becomes the format's one quiet NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/trace.hpp"
#include "reference/exact/wide_arithmetic.hpp"

namespace assay::diagnose {

enum class LaneSum : std::uint8_t {
  halves,    // lane j + lane j + ceil(w/2), until one is left: a vector folded in the middle
  adjacent,  // lane 2j + lane 2j+1, until one is left: horizontal additions
  in_order,  // ((l0 + l1) + l2) + ...
};

// An order of addition for any number of terms.
struct ChainOrder {
  enum class Kind : std::uint8_t {
    blocked,  // panels of `panel` terms (0: one), in each term i goes to lane i mod `lanes`; panels' sums in order
    split,     // `parts` panels of ceil(n / parts) terms: split-K
    pairwise,  // halves, recursively, down to runs of `base`
    numpy,     // NumPy's sum: halves at multiples of 8 down to 128 terms, those in 8 lanes
  };
  Kind kind = Kind::blocked;
  std::size_t lanes = 1, panel = 0, parts = 1, base = 1;
  LaneSum lane_sum = LaneSum::halves;
  bool tail_after = false;  // terms that do not fill the lanes follow their sum, one by one
  bool even_last =
      false;  // panels: the last two share what is left, to a multiple of 16, as GotoBLAS and OpenBLAS do
  bool reversed = false;  // the last term first
  bool c_last = false;    // c is added to the sum; else the sum starts with it
};
// "sequential", "16 lanes", "split in 4, c last".
std::string order_name(const ChainOrder& order);

struct ScheduledOp {
  enum class Kind : std::uint32_t { zero, start, term, add };
  Kind kind;
  std::uint32_t slot;
  std::uint32_t from;  // term: which; add: the other slot
  friend bool operator==(const ScheduledOp&, const ScheduledOp&) = default;
};
struct Schedule {
  std::vector<ScheduledOp> ops{};
  std::uint32_t slots = 0, result = 0;
  friend bool operator==(const Schedule&, const Schedule&) = default;
};
// The additions of an order for n terms. ContractError for no lanes, parts or base, or 2^30 terms and more.
Schedule make_schedule(const ChainOrder& order, std::size_t n, bool has_c);

// How each operation is rounded.
struct ChainRules {
  FormatSpec accumulator = formats::float32;
  std::optional<FormatSpec> product{};  // empty: fused
  Rounding rounding = Rounding::nearest_even;
  bool flush_inputs = false, flush_results = false;
  friend bool operator==(const ChainRules&, const ChainRules&) = default;
};
std::string fusion_name(const ChainRules& rules);  // "fused", "products rounded to float32"
std::string flush_name(const ChainRules& rules);   // "none", "inputs", "results", "inputs and results"

// What one rounding after the sum may be.
struct Finish {
  std::optional<FormatSpec> by_way_of{};  // rounded to it first, to nearest even
  Rounding rounding = Rounding::nearest_even;
  Overflow overflow = Overflow::ieee;
  bool flush = false;  // subnormal results are zeros

  // `code` of format `from` in `to`.
  std::uint64_t apply(std::uint64_t code, const FormatSpec& from, const FormatSpec& to) const;
  friend bool operator==(const Finish&, const Finish&) = default;
};
std::string finish_name(const Finish& finish);  // "nearest-even", "toward-zero, by way of float32"
// Those that can differ; one that changes nothing where the formats are the same.
std::vector<Finish> finishes(const FormatSpec& from, const FormatSpec& to);

// One dot product, owned: codes, whatever their width. All the work that rules share, done once.
class PreparedTerms {
 public:
  PreparedTerms(const CodeVector& a, const CodeVector& b, const ChainRules& rules);

  std::size_t size() const { return n_; }
  // The code, of the accumulator, that the schedule gives. c is a code of the accumulator. `subnormal` becomes true if
  // an operand or a result on the way was one: without it, flushing changes nothing.
  std::uint64_t evaluate(const Schedule& schedule, std::optional<std::uint64_t> c,
                         bool* subnormal = nullptr) const;

 private:
  enum class Host : std::uint8_t { none, float32, float64 };
  // Products as they enter their additions; where they are fused, their operands.
  template <class T>
  struct HostTerms {
    std::vector<T> left{}, right{};
    bool fused = false;
  };
  template <class T>
  HostTerms<T> host_terms(const CodeVector& a, const CodeVector& b);
  template <class T>
  static std::uint64_t on_host(const HostTerms<T>& terms, const Schedule& schedule,
                               std::optional<std::uint64_t> c, bool& subnormal);

  ChainRules rules_;
  std::size_t n_;
  bool subnormal_ = false;  // an operand, or a product that was rounded
  Host host_ = Host::none;  // the type whose own arithmetic gives the bits of the definition
  HostTerms<float> float_{};
  HostTerms<double> double_{};
  std::vector<ExactValue<Wide>> leaves_{};
};

// A step that also says which terms of the dot product are in its result.
struct TracedStep : TraceStep {
  std::size_t below = 0;   // how many; 0: not known
  std::uint64_t mark = 0;  // of the set of them: see add_to_mark()
};
// Takes term i into the mark of a set; the order of additions does not matter.
void add_to_mark(std::uint64_t& mark, std::size_t i);
// Every addition of a chain, in the order of its schedule; the last result is the sum's.
std::vector<TracedStep> trace_chain(const ChainOrder& order, const ChainRules& rules, const CodeVector& a,
                                    const CodeVector& b, std::optional<std::uint64_t> c);

// A chain as an arithmetic like any other. Its bound is that of any order.
std::unique_ptr<const Arithmetic> make_scheduled_chain(std::string name, const ChainOrder& order,
                                                       const ChainRules& rules);

// The space: every order, those that are the same additions for all of `lengths` together, the plainest name first; the
// first of each; and every rule that the formats allow.
std::vector<std::vector<ChainOrder>> order_classes(const std::vector<std::size_t>& lengths, bool has_c);
std::vector<ChainOrder> candidate_orders(const std::vector<std::size_t>& lengths, bool has_c);
// Accumulators: float32 and float64, and those of a, b and the output that are narrower, if they hold c.
std::vector<ChainRules> candidate_rules(const FormatSpec& a, const FormatSpec& b, const FormatSpec& output,
                                        const std::optional<FormatSpec>& c);

}  // namespace assay::diagnose
