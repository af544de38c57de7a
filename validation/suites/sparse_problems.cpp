#include "validation/suites/sparse_problems.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace assay::suites {

sparse::Csr<float> matrix(const Pattern& p, std::uint64_t seed) { return sparse::sample_matrix(p, seed); }

io::Array dense(const Pattern& p, std::int64_t rows, std::int64_t cols, std::uint64_t seed,
                std::uint64_t stream) {
  io::Array x = io::make_array(formats::float32, {rows, cols});
  const std::vector<float> numbers =
      sparse::sample_numbers(p, static_cast<std::size_t>(x.size()), seed, stream);
  std::copy(numbers.begin(), numbers.end(), x.as<float>().begin());
  return x;
}

io::Array vector(const Pattern& p, std::int64_t n, std::uint64_t seed, std::uint64_t stream) {
  io::Array x = dense(p, 1, n, seed, stream);
  x.shape = {n};
  return x;
}

io::SparseArray sparse_array(const sparse::Csr<float>& a) {
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
