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
#include "validation/suites/sparse_bf16.hpp"
#include "validation/suites/sparse_format_products.hpp"
#include "validation/suites/sparse_problems.hpp"
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

const Arithmetic& float_contract() { return arithmetics().find("chain_f32_fused"); }

// What every product is held to: the bits of the contract, and, where all is finite, the bound of the exact result.
constexpr const char* held_to =
    "the contract chain_f32_fused, bit for bit, and the exact result with its bound";

// Numbers of columns around every width of a panel; the same at every scale, so that a line reruns what it names.
std::vector<std::int64_t> column_counts() {
  std::vector<std::int64_t> all;
  for (std::int64_t n = 1; n <= 17; ++n) all.push_back(n);
  for (const std::int64_t n : {31, 32, 33, 63, 64, 65, 130}) all.push_back(n);
  return all;
}

CaseResult product_case(const SpmmKernel& kernel, const Pattern& p, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  const Csr<float> a = matrix(p, context.seed);
  Tally tally(held_to);
  const std::vector<std::int64_t> counts = column_counts();
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
    judge_product(std::move(r), float_contract(), p, what, tally);
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
    judge_product(std::move(r), float_contract(), p,
                  joined ? "with alpha, beta c, bias and ReLU" : "the sums alone", tally);
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
      judge_product(std::move(r), float_contract(), p,
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
  for (const Pattern& p : sparse_patterns()) {
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
      for (const Pattern& p : sparse_patterns()) {
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
  add_format_product_cases(context, cases);
  add_bf16_cases(context, cases);
  return cases;
}

}  // namespace assay::suites
