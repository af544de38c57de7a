// Matrices for the cases of suite `sparse`, and what their products are held to.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/sample_matrices.hpp"
#include "validation/judge/request.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {

// Where it is wild, only the contract's bits are asked for.
using Pattern = sparse::SamplePattern;
inline std::span<const Pattern> sparse_patterns() { return sparse::sample_patterns(); }

sparse::Csr<float> matrix(const Pattern& p, std::uint64_t seed);
// float32, of the pattern's kind of numbers; each stream has its own.
io::Array dense(const Pattern& p, std::int64_t rows, std::int64_t cols, std::uint64_t seed,
                std::uint64_t stream);
io::Array vector(const Pattern& p, std::int64_t n, std::uint64_t seed, std::uint64_t stream);
io::SparseArray sparse_array(const sparse::Csr<float>& a);

// Counts of several comparisons, and the first that disagrees.
class Tally {
 public:
  explicit Tally(std::string evidence) { result_.evidence = std::move(evidence); }
  void add(judge::Judgement&& judgement, const std::string& what);
  void fail(const std::string& reason, const std::string& what);
  void say(const std::string& detail) { result_.details.push_back(detail); }
  CaseResult result();

 private:
  CaseResult result_;
  std::uint64_t judged_ = 0;
  bool failed_ = false;
};

CaseResult skipped_because(const std::string& why);

// By the bound of the exact result: of a chain of fused multiply-adds in order, or of the contract itself where that is
// another one. The largest error over its bound.
double judge_by_bound(judge::Request r, const Arithmetic& contract, const std::string& what, Tally& tally);

// By the bits of the contract and, where all is finite, the bound of the exact result.
void judge_product(judge::Request r, const Arithmetic& contract, const Pattern& p, const std::string& what,
                   Tally& tally);

}  // namespace assay::suites
