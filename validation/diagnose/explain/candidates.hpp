// The arithmetics that may have made an output: orders of addition, rules of rounding, and what follows the sum.
//
// An order is a schedule, a list of additions over slots (reference/exact/schedule.hpp); rules say how each is rounded
// (reference/exact/rounded_sum.hpp). Any order combines with any rules: the space is a product, not a list of names.
//
// Numerics: those of reference/exact/chain.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/exact/rounded_sum.hpp"
#include "reference/exact/schedule.hpp"
#include "reference/exact/trace.hpp"

namespace assay::diagnose {

std::string fusion_name(const ChainRules& rules);  // "fused", "products rounded to float32"
std::string flush_name(const ChainRules& rules);   // "none", "inputs", "results", "inputs and results"

// One rounding after the sum.
struct Finish {
  std::optional<FormatSpec> by_way_of{};  // an intermediate format: rounded to it first, to nearest even
  Rounding rounding = Rounding::nearest_even;
  Overflow overflow = Overflow::ieee;
  bool flush = false;  // subnormal results become zeros

  // Rounds `code` of format `from` into `to`.
  std::uint64_t apply(std::uint64_t code, const FormatSpec& from, const FormatSpec& to) const;
  friend bool operator==(const Finish&, const Finish&) = default;
};
std::string finish_name(const Finish& finish);  // "nearest-even", "toward-zero, by way of float32"
// All that can give different codes; a single one that changes nothing if the formats are equal.
std::vector<Finish> finishes(const FormatSpec& from, const FormatSpec& to);

// The terms of one dot product, prepared once for all schedules under the same rules. Owns its data.
class PreparedTerms {
 public:
  PreparedTerms(const CodeVector& a, const CodeVector& b, const ChainRules& rules);

  std::size_t size() const { return n_; }
  // The result of the schedule, as a code of the accumulator; c is such a code too. Sets `subnormal` if an operand or
  // an intermediate result was subnormal: otherwise flushing changes nothing.
  std::uint64_t evaluate(const Schedule& schedule, std::optional<std::uint64_t> c,
                         bool* subnormal = nullptr) const;

 private:
  // Products as they enter their additions; for fused products their operands.
  template <class T>
  struct HostTerms {
    std::vector<T> left{}, right{};
    bool fused = false;
  };
  struct ReadyTerms;  // the same, for the definition in exact arithmetic
  template <class T>
  HostTerms<T> host_terms(const CodeVector& a, const CodeVector& b);
  template <class T>
  static std::uint64_t on_host(const HostTerms<T>& terms, const Schedule& schedule,
                               std::optional<std::uint64_t> c, bool& subnormal);

  ChainRules rules_;
  std::size_t n_;
  bool subnormal_ = false;  // an operand, or a product that was rounded
  HostType host_ = HostType::none;
  HostTerms<float> float_{};
  HostTerms<double> double_{};
  std::vector<ExactValue<Wide>> leaves_{};
};

// A step, with the set of terms of the dot product that its result contains.
struct TracedStep : TraceStep {
  std::size_t below = 0;   // number of those terms; 0: not known
  std::uint64_t mark = 0;  // hash of the set: see add_to_mark()
};
// Adds term i to the mark of a set. The mark does not depend on the order in which terms are added.
void add_to_mark(std::uint64_t& mark, std::size_t i);
// Every addition of a chain, in the order of its schedule; the last result is the sum.
std::vector<TracedStep> trace_chain(const SumOrder& order, const ChainRules& rules, const CodeVector& a,
                                    const CodeVector& b, std::optional<std::uint64_t> c);

// All orders, in classes that are the same additions for all of `lengths`, each class with its plainest name first;
// then the first of each class; then every rule that the formats allow.
std::vector<std::vector<SumOrder>> order_classes(const std::vector<std::size_t>& lengths, bool has_c);
std::vector<SumOrder> candidate_orders(const std::vector<std::size_t>& lengths, bool has_c);
// Accumulators: float32 and float64, and those of a, b and the output that are narrower, if they hold c.
std::vector<ChainRules> candidate_rules(const FormatSpec& a, const FormatSpec& b, const FormatSpec& output,
                                        const std::optional<FormatSpec>& c);

}  // namespace assay::diagnose
