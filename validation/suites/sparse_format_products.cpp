// Every product of every format, by the best kernel of each instruction set: what a format fills in is an explicit zero
// that multiplies, in the bits of the contract too.
#include "validation/suites/sparse_format_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "reference/sparse/sddmm.hpp"
#include "reference/sparse/sparse_formats.hpp"
#include "reference/sparse/spmm.hpp"
#include "reference/sparse/spmv.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites {
namespace {

using sparse::Csr;

struct NamedIsa {
  std::string_view name;
  Isa isa;
};
constexpr NamedIsa instruction_sets[] = {
    {"avx512", Isa::avx512}, {"avx2", Isa::avx2}, {"scalar", Isa::scalar}};

// The best kernel of a family that needs this and no more.
template <class Kernel>
const Kernel& best_of(const KernelTable<Kernel>& table, Isa isa) {
  return *std::ranges::find_if(table, [&](const Kernel& kernel) { return kernel.needs == isa; });
}

std::string_view kernel_name(const auto& table, Isa isa) { return best_of(table, isa).name; }

void multiply_matrix(const Csr<float>& a, const Pattern& p, Isa isa, std::uint64_t seed, Tally& tally) {
  constexpr std::int64_t n = 33;
  judge::Request r;
  r.operation = "spmm";
  r.sparse = sparse_array(a);
  r.b = dense(p, p.cols, n, seed, 4);
  r.got = io::make_array(formats::float32, {p.rows, n});
  sparse::SpmmPlan(a, {.columns = n, .kernel = kernel_name(sparse::spmm_kernels(), isa)})
      .multiply({r.b->as<float>().data(), p.cols, n, n}, {r.got.as<float>().data(), p.rows, n, n}, {}, 2);
  judge_product(std::move(r), arithmetics().find("chain_f32_fused"), p, fmt::format("spmm, {}", p.name),
                tally);
}

void multiply_vector(const Csr<float>& a, const Pattern& p, Isa isa, std::uint64_t seed, Tally& tally) {
  judge::Request r;
  r.operation = "spmm";
  r.sparse = sparse_array(a);
  r.b = vector(p, p.cols, seed, 4);
  r.got = io::make_array(formats::float32, {p.rows});
  sparse::SpmvPlan(a, {.kernel = kernel_name(sparse::spmv_kernels(), isa)})
      .multiply(r.b->as<float>(), r.got.as<float>(), {}, 2);
  judge_product(std::move(r), arithmetics().find("chain_f32_fused"), p, fmt::format("spmv, {}", p.name),
                tally);
}

void sample(const Csr<float>& mask, const Pattern& p, Isa isa, std::uint64_t seed, Tally& tally) {
  constexpr std::int64_t k = 17;
  judge::Request r;
  r.operation = "sddmm";
  r.sparse = sparse_array(mask);
  r.a = dense(p, p.rows, k, seed, 7);
  r.b = dense(p, k, p.cols, seed, 8);
  r.got = io::make_array(formats::float32, {mask.structure.nnz()});
  sparse::SddmmPlan(mask.structure, {.kernel = kernel_name(sparse::sddmm_kernels(), isa)})
      .multiply({r.a->as<float>().data(), p.rows, k, k}, {r.b->as<float>().data(), k, p.cols, p.cols},
                r.got.as<float>(), {}, 2);
  judge_product(std::move(r), arithmetics().find("chain_f32_fused"), p, fmt::format("sddmm, {}", p.name),
                tally);
}

CaseResult case_of(const sparse::SparseFormat& format, const NamedIsa& set, const RunContext& context) {
  if (const std::string why = why_not(best_of(sparse::spmm_kernels(), set.isa)); !why.empty())
    return skipped_because(why);
  Tally tally("the contract chain_f32_fused, bit for bit, and the exact result with its bound");
  for (const Pattern& p : sparse_patterns()) {
    if (p.name == "stored_order") continue;  // columns ascend in a format but for CSR itself
    const Csr<float> a = format.through(matrix(p, context.seed));
    multiply_matrix(a, p, set.isa, context.seed, tally);
    multiply_vector(a, p, set.isa, context.seed, tally);
    sample(a, p, set.isa, context.seed, tally);
  }
  return tally.result();
}

}  // namespace

void add_format_product_cases(const RunContext& context, std::vector<Case>& cases) {
  for (const sparse::SparseFormat& format : sparse::all_sparse_formats()) {
    for (const NamedIsa& set : instruction_sets) {
      cases.push_back({"products/" + std::string(format.name),
                       {{"isa", std::string(set.name)}, {"seed", std::to_string(context.seed)}},
                       [&format, &set](const RunContext& c) { return case_of(format, set, c); }});
    }
  }
}

}  // namespace assay::suites
