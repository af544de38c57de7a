#include "validation/suites/sparse_problems.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "reference/core/random.hpp"

namespace assay::suites {
namespace {

using sparse::Csr;

constexpr auto all_patterns = std::to_array<Pattern>({
    {"density_5", 90, 300},
    {"density_50", 61, 128},
    {"one_dense_row", 40, 500},
    {"one_column", 33, 1},
    {"stored_order", 25, 700},
    {"special_values", 70, 90, true},
    {"blocks_of_8_rows", 64, 120},
    {"density_90", 50, 90},
});

// Does row `row` have an entry where a uniform number is u?
bool is_stored(const Pattern& p, std::int64_t row, double u) {
  if (p.name == "one_dense_row") return row == 7;
  if (p.name == "one_column") return true;
  if (p.name == "blocks_of_8_rows") return u < 0.4;
  if (p.name == "density_90") return u < 0.9;
  if (row == 2 || row + 1 == p.rows) return false;  // empty rows everywhere else
  return u < (p.name == "density_50" || p.name == "special_values" ? 0.5 : 0.05);
}

float number(const Pattern& p, const CounterRandom& random, std::uint64_t i) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float special[] = {0.0F, -0.0F, inf, -inf, nan, 1e-45F, -2e-39F, 3e38F};
  if (p.wild && random.below(6, 2 * i) == 0) return special[random.below(8, 2 * i + 1)];
  return static_cast<float>(random.normal(i));
}

}  // namespace

std::span<const Pattern> sparse_patterns() { return all_patterns; }

Csr<float> matrix(const Pattern& p, std::uint64_t seed) {
  const CounterRandom place(seed, 1), value(seed, 2), order(seed, 3);
  Csr<float> a;
  a.structure.rows = p.rows;
  a.structure.cols = p.cols;
  std::vector<std::int32_t>& columns = a.structure.column_indices;
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const std::size_t begin = columns.size();
    for (std::int32_t j = 0; j < p.cols; ++j) {
      const std::int64_t row = p.name == "blocks_of_8_rows" ? i / 8 : i;
      if (is_stored(p, i, place.uniform(static_cast<std::uint64_t>(row * p.cols + j)))) columns.push_back(j);
    }
    if (p.name == "stored_order" && columns.size() > begin) {
      for (std::size_t k = columns.size() - 1; k > begin; --k)
        std::swap(columns[k], columns[begin + order.below(k - begin + 1, k)]);
      columns.push_back(columns[begin]);  // a column that repeats is a term of its own
    }
    a.structure.end_row();
  }
  for (std::size_t k = 0; k < columns.size(); ++k) a.values.push_back(number(p, value, k));
  return a;
}

io::Array dense(const Pattern& p, std::int64_t rows, std::int64_t cols, std::uint64_t seed,
                std::uint64_t stream) {
  io::Array x = io::make_array(formats::float32, {rows, cols});
  const CounterRandom random(seed, stream);
  std::uint64_t i = 0;
  for (float& f : x.as<float>()) f = number(p, random, i++);
  return x;
}

io::Array vector(const Pattern& p, std::int64_t n, std::uint64_t seed, std::uint64_t stream) {
  io::Array x = dense(p, 1, n, seed, stream);
  x.shape = {n};
  return x;
}

io::SparseArray sparse_array(const Csr<float>& a) {
  io::SparseArray out;
  out.layout = io::SparseArray::Layout::csr;
  out.rows = a.rows();
  out.cols = a.cols();
  out.offsets = a.structure.row_offsets;
  out.column_indices = a.structure.column_indices;
  out.values = io::make_array(formats::float32, {static_cast<std::int64_t>(a.values.size())});
  std::memcpy(out.values.bytes.data(), a.values.data(), a.values.size() * sizeof(float));
  return out;
}

void Tally::add(judge::Judgement&& judgement, const std::string& what) {
  const CaseResult one = result_of(std::move(judgement.comparison));
  result_.checked += one.checked;
  result_.mismatches += one.mismatches;
  result_.not_judged += one.not_judged;
  judged_ += one.status == Status::passed ? 1 : 0;
  if (one.status != Status::failed || failed_) return;
  fail(one.reason, what);
  result_.comparison = one.comparison;
}

void Tally::fail(const std::string& reason, const std::string& what) {
  if (failed_) return;
  failed_ = true;
  result_.reason = reason;
  result_.details.push_back(what);
}

CaseResult Tally::result() {
  result_.status = failed_ ? Status::failed : judged_ > 0 ? Status::passed : Status::vacuous;
  return result_;
}

CaseResult skipped_because(const std::string& why) {
  CaseResult skipped;
  skipped.status = Status::skipped;
  skipped.reason = why;
  return skipped;
}

double judge_by_bound(judge::Request r, const Arithmetic& contract, const std::string& what, Tally& tally) {
  r.policy = compare::find_policy(compare::default_policies(), "bound", "sparse");
  if (contract.info().name == "chain_f32_fused") {
    r.order = "sequential";
    r.accumulator = "float32";
    r.product = "fused";
    r.epilogue = "last";
    r.given.insert({"order", "acc", "product", "epilogue"});
  } else {
    r.arithmetic = &contract;
    r.arithmetic_name = contract.info().name;
    r.given.insert("unit");
  }
  judge::Judgement judgement = judge::check(std::move(r));
  const double largest = judgement.comparison.over_bound ? judgement.comparison.over_bound->max.value : 0;
  tally.add(std::move(judgement), what + ", by the bound");
  return largest;
}

void judge_product(judge::Request r, const Arithmetic& contract, const Pattern& p, const std::string& what,
                   Tally& tally) {
  if (!p.wild) judge_by_bound(r, contract, what, tally);
  // Plans give one NaN, where a machine's unit has several.
  const bool one_nan = contract.info().name == "chain_f32_fused";
  r.policy = compare::find_policy(compare::default_policies(), one_nan ? "bit-equal" : "bit-equal-any-nan",
                                  "sparse");
  r.arithmetic = &contract;
  r.arithmetic_name = contract.info().name;
  r.given.insert("unit");
  tally.add(judge::check(std::move(r)), what + ", by the contract");
}

}  // namespace assay::suites
