// The harness's own test: errors planted into right results. Under bit-equal every plant is FAILED. Under the
// proven bound every plant above it is FAILED and none below: above and below are decided here once more, by
// exact sums. Where a plant sits is named. No bound is moved to catch one; what slips through stands in the
// tables that this prints.
#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/judge/operands.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::judge;
using compare::Codes;
using compare::Comparison;
using compare::Verdict;

namespace {

constexpr std::uint64_t seed = 11;

io::Array normal(const FormatSpec& f, io::Shape shape, std::uint64_t stream) {
  io::Array array = io::make_array(f, std::move(shape));
  array.origin = "made here";
  const CounterRandom random(seed, stream);
  const std::size_t bytes = array.element.bytes();
  for (std::size_t i = 0; i < static_cast<std::size_t>(array.size()); ++i) {
    detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), bytes,
                       encode(random.normal(i), f).code);
  }
  return array;
}

// About a fifth of the entries, one empty row, one full row.
io::SparseArray sparse(const FormatSpec& f, std::size_t rows, std::size_t cols, std::uint64_t stream) {
  io::SparseArray a;
  a.layout = io::SparseArray::Layout::csr;
  a.rows = static_cast<std::int64_t>(rows);
  a.cols = static_cast<std::int64_t>(cols);
  a.origin = "made here";
  a.offsets.push_back(0);
  const CounterRandom random(seed, stream);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      if (i == 3 || (i != 4 && random.uniform(i * cols + j) > 0.2)) continue;
      a.column_indices.push_back(static_cast<std::int32_t>(j));
    }
    a.offsets.push_back(static_cast<std::int64_t>(a.column_indices.size()));
  }
  a.values = normal(f, {static_cast<std::int64_t>(a.column_indices.size())}, stream + 1);
  return a;
}

using Bytes = std::vector<std::byte>;

// A right result, what it is judged by, and the shape it has.
struct Scene {
  std::string name;
  OutputSpec output;
  std::unique_ptr<const Operation> operation;
  Answer exact;  // with the bound for float32 sums in any order
  Bytes right;   // what a chain of fused float32 operations gives
  std::size_t rows = 1, cols = 1;

  std::size_t bytes() const { return code_bytes(output.format); }
  std::size_t size() const { return operation->size(); }
};

Bytes computed(const Operation& operation, const OutputSpec& output, const char* unit = "chain_f32_fused") {
  return predicted_answer(operation, arithmetics().find(unit), output).codes;
}

Scene scene(std::string name, std::unique_ptr<const Operation> operation, const OutputSpec& output) {
  Scene s;
  s.name = std::move(name);
  s.output = output;
  s.operation = std::move(operation);
  const auto any = make_any_order(Accumulation{}, output.format);
  s.exact = exact_answer(*s.operation, *any, output);
  s.right = computed(*s.operation, output);
  const compare::MatrixView view = compare::matrix_view(s.operation->shape());
  s.rows = view.rows;
  s.cols = view.cols;
  return s;
}

constexpr std::int64_t m = 64, n = 45, k = 101;

std::unique_ptr<const Operation> gemm_operation(const OutputSpec& output, std::int64_t cols,
                                                std::int64_t inner, bool bias) {
  const FormatSpec& f = formats::bfloat16;
  // One matrix for every inner size, so that a shorter sum is the beginning of a longer one.
  io::Array a = normal(f, {m, k}, 1), b = normal(f, {k, cols}, 2);
  if (inner < k) {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t l = inner; l < k; ++l) detail::store_code(a.bytes.data(), i * k + l, 2, 0);
    }
  }
  judge::Operands operands{.a = std::move(a), .b = std::move(b), .c = std::nullopt, .bias = std::nullopt};
  if (bias) operands.bias = normal(formats::float32, {cols}, 3);
  return judge::make_operation(operations::kind_of_gemm, std::move(operands), output);
}

Codes codes(const Scene& s, const Bytes& bytes) {
  return {bytes.data(), s.output.format, s.operation->shape()};
}

compare::Options with(const char* policy) {
  compare::Options o;
  o.policy = compare::find_policy(compare::default_policies(), policy, "test");
  o.threads = 1;
  return o;
}

Comparison by_bits(const Scene& s, const Bytes& got, const Bytes* stale = nullptr) {
  compare::Options o = with("bit-equal");
  if (stale != nullptr) o.stale = codes(s, *stale);
  return compare::judge(codes(s, got), {.codes = codes(s, s.right)}, o);
}

Comparison by_bound(const Scene& s, const Bytes& got, const Bytes* stale = nullptr) {
  compare::Options o = with("bound");
  if (stale != nullptr) o.stale = codes(s, *stale);
  return compare::judge(codes(s, got),
                        {.codes = codes(s, s.exact.codes),
                         .truth = s.exact.truth,
                         .remainder = s.exact.remainder,
                         .bound = s.exact.bound},
                        o);
}

// By the sets of right results, as `assay check` judges: never more lenient than the bare bound.
Comparison by_results(const Scene& s, const Bytes& got) {
  return compare::judge(codes(s, got),
                        {.codes = codes(s, s.exact.codes),
                         .truth = s.exact.truth,
                         .remainder = s.exact.remainder,
                         .bound = s.exact.bound,
                         .results = s.exact.results,
                         .specials = s.exact.specials},
                        with("bound"));
}

std::uint64_t code_at(const Scene& s, const Bytes& bytes, std::size_t i) {
  return detail::load_code(bytes.data(), static_cast<std::ptrdiff_t>(i), s.bytes());
}
void set_code(const Scene& s, Bytes& bytes, std::size_t i, std::uint64_t code) {
  detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), s.bytes(), code);
}

// Decided without the comparator: |code - exact| > bound, by exact sums. The exact values are computed anew.
class Umpire {
 public:
  explicit Umpire(const Scene& s) : s_(s) {
    const auto any = make_any_order(Accumulation{}, s.output.format);
    for (std::size_t i = 0; i < s.size(); ++i) truths_.push_back(s.operation->truth(*any, i, 1));
  }

  bool above(std::size_t i, std::uint64_t code) const {
    if (!s_.output.format.is_finite(code)) return true;
    ExactSum difference;
    difference.add(truths_[i].exact);
    difference.negate();
    difference.add(code, s_.output.format);
    if (difference.result().negative) difference.negate();
    difference.add(-truths_[i].bound);
    const ExactValue<Wide> rest = difference.result();
    return !rest.negative && !rest.is_zero();
  }
  std::uint64_t count(const Bytes& got) const {
    std::uint64_t outside = 0;
    for (std::size_t i = 0; i < s_.size(); ++i) outside += above(i, code_at(s_, got, i)) ? 1 : 0;
    return outside;
  }

 private:
  const Scene& s_;
  std::vector<ElementTruth> truths_;
};

struct Plant {
  std::string name;
  Bytes got;
  std::string kind;  // of Where, under bit-equal
  std::string look;  // a part of Where::text, under bit-equal
  const Bytes* stale = nullptr;
};

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::uint64_t differing(const Scene& s, const Bytes& got) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < s.size(); ++i) count += code_at(s, got, i) != code_at(s, s.right, i) ? 1 : 0;
  return count;
}

// Everything that is demanded of one plant; a line of the table.
void judge_plant(const Scene& s, const Umpire& umpire, const Plant& plant) {
  const std::string what = s.name + ", " + plant.name;
  const Comparison bits = by_bits(s, plant.got, plant.stale), bound = by_bound(s, plant.got, plant.stale);
  const std::uint64_t touched = differing(s, plant.got), above = umpire.count(plant.got);
  BOOST_TEST((bits.verdict == Verdict::disagree), what);
  BOOST_TEST(bits.outside == touched, what);
  BOOST_TEST(bits.where.kind == plant.kind, what << ": " << bits.where.text);
  BOOST_TEST(holds(bits.where.text, plant.look), what << ": " << bits.where.text);
  BOOST_TEST(bound.outside == above, what);
  const Comparison sets = by_results(s, plant.got);
  BOOST_TEST(sets.outside >= above, what);
  BOOST_TEST(sets.not_judged == 0U, what);
  BOOST_TEST((bound.verdict == Verdict::disagree) == (above > 0), what);
  fmt::print("{:<16} {:<28} {:>5} of {:<5} {:>5} outside  max error/bound {:<9.3g} {}\n", s.name, plant.name,
             touched, s.size(), above, bound.over_bound->max.value,
             bound.where.text.empty() ? bits.where.text : bound.where.text);
}

void fill_with_zeros(const Scene& s, Bytes& got,
                     const std::function<bool(std::size_t row, std::size_t col)>& where) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (where(i / s.cols % s.rows, i % s.cols)) set_code(s, got, i, 0);
  }
}

const std::vector<Scene>& scenes() {
  static const std::vector<Scene> all = [] {
    std::vector<Scene> v;
    for (const FormatSpec* f : {&formats::float32, &formats::bfloat16}) {
      const OutputSpec output{.format = *f};
      const std::string to = " > " + std::string(f->short_name);
      v.push_back(scene("gemm" + to, gemm_operation(output, n, k, true), output));
      judge::Operands spmm{.sparse = sparse(formats::bfloat16, 70, 80, 20),
                           .b = normal(formats::bfloat16, {80, n}, 22),
                           .c = std::nullopt,
                           .bias = std::nullopt};
      v.push_back(scene("spmm" + to, judge::make_operation(operations::kind_of_spmm, std::move(spmm), output),
                        output));
      judge::Operands dot{.a = normal(formats::bfloat16, {300, k}, 30),
                          .b = normal(formats::bfloat16, {300, k}, 31),
                          .c = std::nullopt};
      v.push_back(
          scene("dot" + to, judge::make_operation(operations::kind_of_dot, std::move(dot), output), output));
    }
    return v;
  }();
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(right_results_pass) {
  for (const Scene& s : scenes()) {
    BOOST_TEST((by_bits(s, s.right).verdict == Verdict::agree), s.name);
    BOOST_TEST(by_results(s, s.right).outside == 0U, s.name);
    const Comparison c = by_bound(s, s.right);
    BOOST_TEST((c.verdict == Verdict::agree), s.name << ": " << c.reason);
    BOOST_TEST(Umpire(s).count(s.right) == 0U, s.name);
  }
}

BOOST_AUTO_TEST_CASE(single_wrong_bits) {
  constexpr std::size_t elements = 48;
  fmt::print("\nSmallest bit that the bound detects (bit 0 is the last place), over {} values each\n",
             elements);
  fmt::print("{:<16} {:>8} {:>8} {:>8}   a share of bits detected\n", "", "least", "median", "most");
  for (const Scene& s : scenes()) {
    const Umpire umpire(s);
    const CounterRandom random(seed, 99);
    const int bits = s.output.format.bits;
    std::vector<int> smallest;
    std::size_t detected = 0, missed_by_bits = 0, wrong_place = 0, wrong_bit = 0, wrong_by_bound = 0;
    for (std::size_t e = 0; e < elements; ++e) {
      // Corners first.
      const std::size_t i = e == 0   ? 0
                            : e == 1 ? s.size() - 1
                                     : static_cast<std::size_t>(random.below(s.size(), e));
      int first = bits;
      for (int bit = 0; bit < bits; ++bit) {
        Bytes got = s.right;
        const std::uint64_t code = code_at(s, got, i) ^ std::uint64_t{1} << bit;
        set_code(s, got, i, code);
        const Comparison exact = by_bits(s, got), bound = by_bound(s, got);
        const std::string place = "1 of 1 at " + compare::index_text(i, s.operation->shape());
        missed_by_bits += exact.verdict == Verdict::disagree && exact.outside == 1 ? 0 : 1;
        wrong_place += exact.where.text.starts_with(place) && exact.where.kind == "element" ? 0 : 1;
        wrong_bit += holds(exact.where.text, fmt::format("; bit {} (", bit)) ? 0 : 1;
        const bool above = umpire.above(i, code);
        wrong_by_bound +=
            (bound.outside == 1) == above && (bound.verdict == Verdict::disagree) == above ? 0 : 1;
        wrong_place += above && !bound.where.text.starts_with(place) ? 1 : 0;
        if (above) {
          ++detected;
          first = std::min(first, bit);
        }
      }
      smallest.push_back(first);
    }
    BOOST_TEST(missed_by_bits == 0U, s.name);
    BOOST_TEST(wrong_place == 0U, s.name);
    BOOST_TEST(wrong_bit == 0U, s.name);
    BOOST_TEST(wrong_by_bound == 0U, s.name);
    std::sort(smallest.begin(), smallest.end());
    fmt::print("{:<16} {:>8} {:>8} {:>8}   {:.1f} %\n", s.name, smallest.front(), smallest[elements / 2],
               smallest.back(),
               100.0 * static_cast<double>(detected) /
                   static_cast<double>(elements * static_cast<std::size_t>(bits)));
  }
}

BOOST_AUTO_TEST_CASE(structural_plants) {
  fmt::print("\nPlants under the bound: values touched, values outside\n");
  for (const Scene& s : scenes()) {
    const Umpire umpire(s);
    const bool matrix = s.rows > 1, is_float32 = s.output.format == formats::float32;
    std::vector<Plant> plants;
    const auto changed = [&](const std::function<void(Bytes&)>& change) {
      Bytes got = s.right;
      change(got);
      return got;
    };
    const std::size_t tail = s.cols / 32 * 32;  // 32 of 45, 288 of 300
    plants.push_back({"dropped column tail", changed([&](Bytes& got) {
                        fill_with_zeros(s, got, [&](std::size_t, std::size_t col) { return col >= tail; });
                      }),
                      "tail", "tail of a 32-wide tile?; got is zero there"});
    // The memory held the result of another problem.
    Bytes before = s.right;
    std::reverse(before.begin(), before.end());
    for (std::size_t i = 0; i < s.size(); ++i) set_code(s, before, i, code_at(s, s.right, s.size() - 1 - i));
    const std::size_t kept = s.size() * 3 / 4;
    plants.push_back({"stale last quarter", changed([&](Bytes& got) {
                        std::copy(before.begin() + static_cast<std::ptrdiff_t>(kept * s.bytes()),
                                  before.end(), got.begin() + static_cast<std::ptrdiff_t>(kept * s.bytes()));
                      }),
                      matrix ? "rows" : "elements", "got is what the memory held before", &before});
    plants.push_back(
        {"tile off by one", changed([&](Bytes& got) {
           for (std::size_t i = 0; i < s.size(); ++i) {
             const std::size_t row = i / s.cols, col = i % s.cols;
             if ((!matrix || row / 16 == 1) && col < 16) set_code(s, got, i, code_at(s, s.right, i + 16));
           }
         }),
         matrix ? "tile" : "elements",
         fmt::format("got is want 16 {} on: a tile off by one?", matrix ? "columns" : "elements")});
    plants.push_back({"bf16 accumulator", computed(*s.operation, s.output, "chain_bf16_fused"), "everywhere",
                      is_float32 ? "bfloat16 on the way?" : ""});
    if (s.name.starts_with("gemm")) {
      plants.push_back({"dropped tail of k",
                        computed(*gemm_operation(s.output, n, k / 32 * 32, true), s.output), "everywhere",
                        ""});
      plants.push_back({"missing bias", computed(*gemm_operation(s.output, n, k, false), s.output),
                        "everywhere", "a bias left out?"});
      plants.push_back({"dropped row tail", changed([&](Bytes& got) {
                          fill_with_zeros(s, got,
                                          [&](std::size_t row, std::size_t) { return row == s.rows - 1; });
                        }),
                        "row", "in row 63 = last of m=64; got is zero there"});
    }
    for (const Plant& plant : plants) judge_plant(s, umpire, plant);
  }
  for (const FormatSpec* f : {&formats::float32, &formats::bfloat16}) {
    const OutputSpec output{.format = *f};
    const Scene square =
        scene("gemm > " + std::string(f->short_name), gemm_operation(output, m, k, false), output);
    Bytes turned = square.right;
    for (std::size_t i = 0; i < square.size(); ++i) {
      set_code(square, turned, i,
               code_at(square, square.right, i % square.cols * square.cols + i / square.cols));
    }
    judge_plant(square, Umpire(square), {"transposed", turned, "everywhere", "got is want transposed"});
  }
}
