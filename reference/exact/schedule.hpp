// An order of additions as data: a generator for any number of terms, and the list of additions that it gives for n.
//
// Chains (chain.hpp) form their sums by it, bounds (error_bound.hpp) take its longest path, and a search for somebody's
// order goes through many of them. How each addition rounds is another matter: rounded_sum.hpp.
//
// Numerics
//   blocked   terms are cut into panels of `panel` (0: one panel). In a panel, term i goes to lane i mod `lanes`; every
//             lane starts at +0 and takes its terms in order. The lanes are added as `lane_sum` says, and the panels'
//             sums in order to c, or to the first panel's sum. One lane and one panel is one chain, which starts at c
//             or at +0: ((c + p0) + p1) + ...
//   split     the same with `parts` panels of ceil(n / parts) terms.
//   pairwise  n <= base terms: a chain from +0. Else the sum of the first floor(n/2) terms plus that of the rest.
//   numpy     fewer than 8 terms: a chain from +0. Up to 128: 8 lanes, neighbours added, then the terms that are left.
//             More: halves, the first a multiple of 8 terms long.
//   c         of pairwise and numpy, c + sum. Where `c_last`, c + sum in every order.
//   none      no terms give c, or +0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay {

enum class LaneSum : std::uint8_t {
  halves,    // lane j + lane j + ceil(w/2), until one is left: a vector folded in the middle
  adjacent,  // lane 2j + lane 2j+1, until one is left: horizontal additions
  in_order,  // ((l0 + l1) + l2) + ...
};

// An order of addition for any number of terms; {} is one after another.
struct SumOrder {
  enum class Kind : std::uint8_t {
    blocked,   // panels of `panel` terms, in each `lanes` lanes
    split,     // `parts` panels: split-K
    pairwise,  // halves, recursively, down to runs of `base`
    numpy,     // NumPy's sum
    any,       // unknown, or not the same from run to run: it has a longest path and no schedule
  };
  Kind kind = Kind::blocked;
  std::size_t lanes = 1, panel = 0, parts = 1, base = 1;
  LaneSum lane_sum = LaneSum::halves;
  bool tail_after = false;  // terms that do not fill the lanes follow their sum, one by one
  // Panels: the last two share what is left, to a multiple of 16, as GotoBLAS and OpenBLAS do.
  bool even_last = false;
  bool reversed = false;  // the last term first
  bool c_last = false;    // c is added to the sum; else the sum starts with it

  static constexpr SumOrder sequential() { return {}; }
  static constexpr SumOrder any() { return {.kind = Kind::any}; }
  static constexpr SumOrder pairwise(std::size_t base = 1) { return {.kind = Kind::pairwise, .base = base}; }
  static constexpr SumOrder blocked(std::size_t lanes, std::size_t panel = 0) {
    return {.lanes = lanes, .panel = panel};
  }

  friend bool operator==(const SumOrder&, const SumOrder&) = default;
};
// "sequential", "16 lanes", "split in 4, c last".
std::string order_name(const SumOrder& order);

// Each term is added to the sum of all before it, and that is all.
bool is_sequential(const SumOrder& order);

// Roundings of additions on the longest way from a term to the result, for n terms (adding to +0, and c, do not count):
// n-1 for any order and sequential; pairwise: the levels above the runs, plus base - 1; a panel of m terms in w lanes:
// ceil(m / w) - 1 and the additions of the lanes, ceil(log2 w), or w - 1 in order; the terms that follow lanes one
// each; and one for each panel that comes after. Where two of these differ by how n divides, the larger. ContractError
// for no lanes, parts or base.
std::uint64_t longest_path(const SumOrder& order, std::uint64_t n);

// One step of a sum over slots: a slot is set to +0 or c, takes a term, or takes another slot.
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
// The additions of an order for n terms, and c if there is one. ContractError for no lanes, parts or base, any order,
// or 2^30 terms and more.
Schedule make_schedule(const SumOrder& order, std::size_t n, bool has_c);

}  // namespace assay
