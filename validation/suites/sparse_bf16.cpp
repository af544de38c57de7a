// Every contract of bfloat16 by every way to compute it: its bits, its bound, and how far it is from float32.
#include "validation/suites/sparse_bf16.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "reference/sparse/bf16_spmm.hpp"
#include "reference/sparse/sparse_formats.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/rounding_distance.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites {

using sparse::Csr;

io::Array rounded(const io::Array& x) {
  io::Array out = io::make_array(formats::bfloat16, x.shape);
  const auto from = x.as<float>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bf16_t code(from[i]);
    std::memcpy(out.bytes.data() + i * sizeof code, &code, sizeof code);
  }
  return out;
}

std::vector<bf16_t> codes_of(const io::Array& x) {
  std::vector<bf16_t> out(x.bytes.size() / sizeof(bf16_t));
  if (!out.empty()) std::memcpy(out.data(), x.bytes.data(), x.bytes.size());
  return out;
}

io::Array expanded(const Csr<bf16_t>& a) {
  io::Array out = io::make_array(formats::bfloat16, {a.rows(), a.cols()});
  std::memset(out.bytes.data(), 0, out.bytes.size());
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    const auto columns = a.row_columns(i);
    const auto values = a.row_values(i);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      const auto at = static_cast<std::size_t>(i * a.cols() + columns[e]);
      std::memcpy(out.bytes.data() + at * sizeof(bf16_t), &values[e], sizeof(bf16_t));
    }
  }
  return out;
}

void measure_distance(const Csr<float>& a, const io::Array& x, std::span<const float> got,
                      RoundingDistance& distance) {
  const std::int64_t n = x.shape[1];
  const auto of_x = x.as<float>();
  std::vector<float> want(static_cast<std::size_t>(a.rows() * n));
  sparse::SpmmPlan(a).multiply({of_x.data(), a.cols(), n, n}, {want.data(), a.rows(), n, n});
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    const auto columns = a.row_columns(i);
    const auto values = a.row_values(i);
    for (std::int64_t j = 0; j < n; ++j) {
      double magnitudes = 0;
      for (std::size_t e = 0; e < columns.size(); ++e)
        magnitudes +=
            std::fabs(double{values[e]} * double{of_x[static_cast<std::size_t>(columns[e] * n + j)]});
      const auto at = static_cast<std::size_t>(i * n + j);
      distance.add(double{want[at]}, double{got[at]}, magnitudes, static_cast<std::int64_t>(columns.size()));
    }
  }
}

namespace {

using sparse::Bf16SpmmPlan;

struct Way {
  std::string_view name, contract, kernel;  // of SpmmOptions
};
constexpr Way ways[] = {{"bf16_chain", "chain_f32_fused", ""},
                        {"bf16_pairs_avx512bf16", "vdpbf16ps", "bf16_pairs_avx512bf16"},
                        {"vdpbf16ps_by_arithmetic", "vdpbf16ps", sparse::by_arithmetic},
                        {"bf16_tiles_amx_vbmi2", "tdpbf16ps", "bf16_tiles_amx_vbmi2"},
                        {"tdpbf16ps_by_arithmetic", "tdpbf16ps", sparse::by_arithmetic}};

bool is_of_tiles(const Way& way) { return way.contract == "tdpbf16ps"; }

// Tiles take columns in ascending order, and of infinities what no operation of arrays has.
bool takes(const Way& way, const Pattern& p) {
  return !is_of_tiles(way) || (!p.wild && p.name != "stored_order");
}

std::string why_not_here(const Way& way) {
  return way.kernel.empty() || way.kernel == sparse::by_arithmetic
             ? ""
             : why_not(sparse::bf16_spmm_kernels().named(way.kernel));
}

// The products of one matrix, of several numbers of columns.
void judge_columns(const Way& way, const Pattern& p, const Csr<float>& full,
                   std::span<const std::int64_t> counts, const RunContext& context, Tally& tally) {
  const io::SparseArray full_array = sparse_array(full);
  const io::Array values = rounded(full_array.values);
  const Csr<bf16_t> a{full.structure, codes_of(values)};
  const Arithmetic& contract = arithmetics().find(way.contract);
  const Bf16SpmmPlan plan(a, contract, {.kernel = way.kernel});
  RoundingDistance distance;
  for (const std::int64_t n : counts) {
    const io::Array x = dense(p, p.cols, n, context.seed, 4);
    judge::Request r;
    r.b = rounded(x);
    r.got = io::make_array(formats::float32, {p.rows, n});
    const std::vector<bf16_t> codes = codes_of(*r.b);
    plan.multiply({codes.data(), p.cols, n, n}, {r.got.as<float>().data(), p.rows, n, n}, {}, 2);
    if (!p.wild) measure_distance(full, x, r.got.as<float>(), distance);
    if (is_of_tiles(way)) {
      r.operation = "gemm";
      r.a = expanded(a);
    } else {
      r.operation = "spmm";
      r.sparse = full_array;
      r.sparse->values = values;
    }
    judge_product(std::move(r), contract, p, fmt::format("{}, n={}", p.name, n), tally);
  }
  if (!p.wild) tally.say(distance.text());
  if (!distance.within_bound())
    tally.fail("further from float32 than rounding the operands explains", distance.text());
}

Tally tally_of(const Way& way) {
  return Tally(
      fmt::format("the contract {}, bit for bit, and the exact result with its bound", way.contract));
}

CaseResult bf16_case(const Way& way, const Pattern& p, const RunContext& context) {
  if (const std::string why = why_not_here(way); !why.empty()) return skipped_because(why);
  Tally tally = tally_of(way);
  judge_columns(way, p, matrix(p, context.seed), std::array<std::int64_t, 5>{1, 16, 17, 65, 130}, context,
                tally);
  return tally.result();
}

// Of every pattern as the format stores it.
CaseResult format_case(const Way& way, const sparse::SparseFormat& format, const RunContext& context) {
  if (const std::string why = why_not_here(way); !why.empty()) return skipped_because(why);
  Tally tally = tally_of(way);
  for (const Pattern& p : sparse_patterns()) {
    if (!takes(way, p) || p.name == "stored_order") continue;
    judge_columns(way, p, format.through(matrix(p, context.seed)), std::array<std::int64_t, 1>{33}, context,
                  tally);
  }
  return tally.result();
}

}  // namespace

void add_bf16_cases(const RunContext& context, std::vector<Case>& cases) {
  for (const Way& way : ways) {
    for (const Pattern& p : sparse_patterns()) {
      if (!takes(way, p)) continue;
      cases.push_back({"bf16_spmm/" + std::string(way.name),
                       {{"pattern", std::string(p.name)},
                        {"m", std::to_string(p.rows)},
                        {"k", std::to_string(p.cols)},
                        {"seed", std::to_string(context.seed)}},
                       [&way, &p](const RunContext& c) { return bf16_case(way, p, c); }});
    }
    for (const sparse::SparseFormat& format : sparse::all_sparse_formats()) {
      cases.push_back({"bf16_products/" + std::string(format.name),
                       {{"way", std::string(way.name)}, {"seed", std::to_string(context.seed)}},
                       [&way, &format](const RunContext& c) { return format_case(way, format, c); }});
    }
  }
}

}  // namespace assay::suites
