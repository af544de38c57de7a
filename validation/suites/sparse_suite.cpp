// Sparse matrices: formats there and back, and every kernel of the products, bit for bit by its contract and within the
// proven bound of the exact result.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/sparse/sddmm.hpp"
#include "reference/sparse/sparse_formats.hpp"
#include "reference/sparse/spmm.hpp"
#include "reference/sparse/spmv.hpp"
#include "validation/judge/request.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

using sparse::Csr;
using sparse::DenseView;
using sparse::MutableDenseView;
using sparse::SddmmKernel;
using sparse::SddmmPlan;
using sparse::SpmmKernel;
using sparse::SpmmPlan;
using sparse::SpmvKernel;
using sparse::SpmvPlan;

struct Pattern {
  std::string_view name;
  std::int32_t rows, cols;
  bool wild = false;  // zeros, infinities and NaN in A and X: only the contract's bits are asked for
};
constexpr auto patterns = std::to_array<Pattern>({
    {"density_5", 90, 300},
    {"density_50", 61, 128},
    {"one_dense_row", 40, 500},
    {"one_column", 33, 1},
    {"stored_order", 25, 700},
    {"special_values", 70, 90, true},
});

bool is_stored(const Pattern& p, std::int64_t row, double u) {
  if (p.name == "one_dense_row") return row == 7;
  if (p.name == "one_column") return true;
  if (row == 2 || row + 1 == p.rows) return false;  // empty rows everywhere else
  return u < (p.name == "density_50" || p.name == "special_values" ? 0.5 : 0.05);
}

float number(const Pattern& p, const CounterRandom& random, std::uint64_t i) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float special[] = {0.0F, -0.0F, inf, -inf, nan, 1e-45F, -2e-39F, 3e38F};
  if (p.wild && random.below(6, 2 * i) == 0) return special[random.below(8, 2 * i + 1)];
  return static_cast<float>(random.normal(i));
}

Csr<float> matrix(const Pattern& p, std::uint64_t seed) {
  const CounterRandom place(seed, 1), value(seed, 2), order(seed, 3);
  Csr<float> a;
  a.structure.rows = p.rows;
  a.structure.cols = p.cols;
  std::vector<std::int32_t>& columns = a.structure.column_indices;
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const std::size_t begin = columns.size();
    for (std::int32_t j = 0; j < p.cols; ++j) {
      if (is_stored(p, i, place.uniform(static_cast<std::uint64_t>(i * p.cols + j)))) columns.push_back(j);
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

// Counts of several comparisons, and the first that disagrees.
class Tally {
 public:
  explicit Tally(std::string evidence) { result_.evidence = std::move(evidence); }
  void add(judge::Judgement&& judgement, const std::string& what) {
    const CaseResult one = result_of(std::move(judgement.comparison));
    result_.checked += one.checked;
    result_.mismatches += one.mismatches;
    result_.not_judged += one.not_judged;
    judged_ += one.status == Status::passed ? 1 : 0;
    if (one.status != Status::failed || failed_) return;
    failed_ = true;
    result_.reason = one.reason;
    result_.details.push_back(what);
    result_.comparison = one.comparison;
  }
  CaseResult result() {
    result_.status = failed_ ? Status::failed : judged_ > 0 ? Status::passed : Status::vacuous;
    return result_;
  }

 private:
  CaseResult result_;
  std::uint64_t judged_ = 0;
  bool failed_ = false;
};

CaseResult skipped_because(const std::string& why) {
  CaseResult skipped;
  skipped.status = Status::skipped;
  skipped.reason = why;
  return skipped;
}

// What every product is held to: the bits of the contract, and, where all is finite, the bound of the exact result.
constexpr const char* held_to =
    "the contract chain_f32_fused, bit for bit, and the exact result with its bound";

void judge_product(judge::Request r, const Pattern& p, const std::string& what, Tally& tally) {
  if (!p.wild) {
    judge::Request bound = r;
    bound.policy = compare::find_policy(compare::default_policies(), "bound", "sparse");
    bound.order = "sequential";
    bound.accumulator = "float32";
    bound.product = "fused";
    bound.epilogue = "last";
    bound.given.insert({"order", "acc", "product", "epilogue"});
    tally.add(judge::check(std::move(bound)), what + ", by the bound");
  }
  const Arithmetic& contract = arithmetics().find("chain_f32_fused");
  r.policy = compare::find_policy(compare::default_policies(), "bit-equal", "sparse");
  r.arithmetic = &contract;
  r.arithmetic_name = contract.info().name;
  r.given.insert("unit");
  tally.add(judge::check(std::move(r)), what + ", by the contract");
}

// Numbers of columns around every width of a panel.
std::vector<std::int64_t> column_counts(const RunContext& context) {
  if (context.scale == Scale::quick) return {1, 17, 65};
  std::vector<std::int64_t> all;
  for (std::int64_t n = 1; n <= 17; ++n) all.push_back(n);
  for (const std::int64_t n : {31, 32, 33, 63, 64, 65, 130}) all.push_back(n);
  return all;
}

CaseResult product_case(const SpmmKernel& kernel, const Pattern& p, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  const Csr<float> a = matrix(p, context.seed);
  Tally tally(held_to);
  const std::vector<std::int64_t> counts = column_counts(context);
  for (std::size_t at = 0; at < counts.size(); ++at) {
    const std::int64_t n = counts[at];
    context.progress(static_cast<double>(at) / static_cast<double>(counts.size()),
                     fmt::format("{} columns", n));
    const bool transposed = at % 2 == 1, joined = at % 3 == 1;
    judge::Request r;
    r.operation = "spmm";
    r.sparse = sparse_array(a);
    r.b = dense(p, p.cols, n, context.seed, 4);
    r.got = io::make_array(formats::float32, {p.rows, n});
    sparse::SpmmExtras extras;
    if (joined) {
      r.c = dense(p, p.rows, n, context.seed, 5);
      r.bias = dense(p, 1, p.rows, context.seed, 6);
      r.bias->shape = {p.rows};
      r.alpha = "-0.75";
      r.beta = "0.5";
      r.activation = "relu";
      r.bias_along = "rows";
      r.given = {"c", "bias", "alpha", "beta", "activation", "bias-along"};
      extras = {.alpha = -0.75F,
                .beta = 0.5F,
                .c = {r.c->as<float>().data(), p.rows, n, n},
                .bias_along = sparse::SpmmBias::rows,
                .bias = r.bias->as<float>(),
                .activation = sparse::SpmmActivation::relu};
    }
    const SpmmPlan plan(a, {.columns = n, .kernel = kernel.name, .depth = at % 4 == 0 ? 0U : 24U});
    float* const y = r.got.as<float>().data();
    if (transposed && !joined) {
      // Activations by weights: the same product, both sides turned.
      std::vector<float> x_turned(static_cast<std::size_t>(p.cols * n)),
          y_turned(static_cast<std::size_t>(p.rows * n));
      const auto x = r.b->as<float>();
      for (std::int64_t k = 0; k < p.cols; ++k) {
        for (std::int64_t j = 0; j < n; ++j)
          x_turned[static_cast<std::size_t>(j * p.cols + k)] = x[static_cast<std::size_t>(k * n + j)];
      }
      plan.multiply_transposed({x_turned.data(), n, p.cols, p.cols}, {y_turned.data(), n, p.rows, p.rows}, {},
                               2);
      for (std::int64_t i = 0; i < p.rows; ++i) {
        for (std::int64_t j = 0; j < n; ++j)
          y[i * n + j] = y_turned[static_cast<std::size_t>(j * p.rows + i)];
      }
    } else {
      plan.multiply({r.b->as<float>().data(), p.cols, n, n}, {y, p.rows, n, n}, extras, at % 2 == 0 ? 1 : 3);
    }
    const std::string what = fmt::format("n={}{}{}", n, transposed && !joined ? ", transposed" : "",
                                         joined ? ", with alpha, beta C, bias and ReLU" : "");
    judge_product(std::move(r), p, what, tally);
  }
  return tally.result();
}

CaseResult vector_case(const SpmvKernel& kernel, const Pattern& p, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  const Csr<float> a = matrix(p, context.seed);
  const SpmvPlan plan(a, {.kernel = kernel.name});
  Tally tally(held_to);
  for (const bool joined : {false, true}) {
    judge::Request r;
    r.operation = "spmm";
    r.sparse = sparse_array(a);
    r.b = vector(p, p.cols, context.seed, 4);
    r.got = io::make_array(formats::float32, {p.rows});
    sparse::SpmvExtras extras;
    if (joined) {
      r.c = vector(p, p.rows, context.seed, 5);
      r.bias = vector(p, p.rows, context.seed, 6);
      r.alpha = "-0.75";
      r.beta = "0.5";
      r.activation = "relu";
      r.bias_along = "rows";
      r.given = {"c", "bias", "alpha", "beta", "activation", "bias-along"};
      extras = {.alpha = -0.75F,
                .beta = 0.5F,
                .c = r.c->as<float>(),
                .bias = r.bias->as<float>(),
                .activation = sparse::SpmmActivation::relu};
    }
    plan.multiply(r.b->as<float>(), r.got.as<float>(), extras, joined ? 3 : 1);
    judge_product(std::move(r), p, joined ? "with alpha, beta c, bias and ReLU" : "the sums alone", tally);
  }
  return tally.result();
}

CaseResult sampled_case(const SddmmKernel& kernel, const Pattern& p, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  const Csr<float> mask = matrix(p, context.seed);
  Tally tally(held_to);
  // Numbers of terms around every register, and both ways of a plan with each.
  for (const std::int64_t k : {1, 15, 16, 17, 33, 65}) {
    for (const sparse::SddmmSharing sharing : {sparse::SddmmSharing::never, sparse::SddmmSharing::always}) {
      const bool shares = sharing == sparse::SddmmSharing::always, joined = k % 3 == 0,
                 transposed = k % 2 == 1;
      judge::Request r;
      r.operation = "sddmm";
      r.sparse = sparse_array(mask);
      r.a = dense(p, p.rows, k, context.seed, 7);
      r.b = transposed ? dense(p, p.cols, k, context.seed, 8) : dense(p, k, p.cols, context.seed, 8);
      r.transpose_b = transposed;
      if (transposed) r.given.insert("transpose-b");
      r.got = io::make_array(formats::float32, {mask.structure.nnz()});
      sparse::SddmmExtras extras;
      if (joined) {
        r.c = vector(p, mask.structure.nnz(), context.seed, 9);
        r.alpha = "-0.75";
        r.beta = "0.5";
        r.given.insert({"c", "alpha", "beta"});
        extras = {.alpha = -0.75F, .beta = 0.5F, .c = r.c->as<float>()};
      }
      const SddmmPlan plan(mask.structure, {.kernel = kernel.name, .sharing = sharing});
      const DenseView a{r.a->as<float>().data(), p.rows, k, k};
      const float* const b = r.b->as<float>().data();
      if (transposed) {
        plan.multiply_transposed(a, {b, p.cols, k, k}, r.got.as<float>(), extras, 1);
      } else {
        plan.multiply(a, {b, k, p.cols, p.cols}, r.got.as<float>(), extras, 3);
      }
      judge_product(std::move(r), p,
                    fmt::format("k={}{}{}{}", k, transposed ? ", B transposed" : "",
                                shares ? ", columns shared" : "", joined ? ", with alpha and beta C" : ""),
                    tally);
    }
  }
  return tally.result();
}

CaseResult format_case(const sparse::SparseFormat& format, const RunContext& context) {
  CaseResult result;
  result.evidence = "the matrix that went in, entry by entry";
  for (const Pattern& p : patterns) {
    if (p.name == "stored_order") continue;  // columns ascend in a format but for CSR itself
    const Csr<float> a = matrix(p, context.seed), back = format.through(a);
    for (std::int64_t i = 0; i < a.rows(); ++i) {
      const auto columns = a.row_columns(i), found = back.row_columns(i);
      std::size_t at = 0;
      for (std::size_t e = 0; e < found.size(); ++e) {
        const float value = back.row_values(i)[e];
        const bool known = at < columns.size() && columns[at] == found[e];
        // What a format adds is +0.
        const float want = known ? a.row_values(i)[at] : 0.0F;
        at += known ? 1 : 0;
        ++result.checked;
        if (std::memcmp(&value, &want, sizeof value) != 0) ++result.mismatches;
      }
      result.mismatches += columns.size() - at;
    }
  }
  result.status = result.mismatches == 0 ? Status::passed : Status::failed;
  if (result.mismatches != 0) result.reason = "entries were lost or changed";
  return result;
}

}  // namespace

std::vector<Case> sparse_cases(const RunContext& context) {
  const std::string seed = std::to_string(context.seed);
  std::vector<Case> cases;
  for (const sparse::SparseFormat& format : sparse::all_sparse_formats()) {
    cases.push_back({"format/" + std::string(format.name),
                     {{"seed", seed}},
                     [&format](const RunContext& c) { return format_case(format, c); },
                     true});
  }
  const auto add = [&](const auto& kernels, const auto& run) {
    for (const auto& kernel : kernels) {
      for (const Pattern& p : patterns) {
        cases.push_back({std::string(kernels.family()) + "/" + std::string(kernel.name),
                         {{"pattern", std::string(p.name)},
                          {"m", std::to_string(p.rows)},
                          {"k", std::to_string(p.cols)},
                          {"seed", seed}},
                         [&kernel, &p, run](const RunContext& c) { return run(kernel, p, c); }});
      }
    }
  };
  add(sparse::spmm_kernels(), product_case);
  add(sparse::spmv_kernels(), vector_case);
  add(sparse::sddmm_kernels(), sampled_case);
  return cases;
}

}  // namespace assay::suites
