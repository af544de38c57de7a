#include "validation/suites/plan_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "reference/core/memory.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/random.hpp"
#include "reference/sparse/bsr.hpp"
#include "reference/sparse/sparse_formats.hpp"
#include "reference/sparse/spmm.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/fitted.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay {
namespace {

using sparse::CsrView;
using sparse::SpmmPlan;

constexpr std::uint64_t most_columns = std::numeric_limits<std::int32_t>::max();

const sparse::SpmmKernel* find_kernel(const PlanRequest& r) {
  if (r.kernel.empty()) return nullptr;
  std::vector<std::string> names;
  for (const sparse::SpmmKernel& kernel : sparse::spmm_kernels()) {
    if (kernel.name == r.kernel) return &kernel;
    names.emplace_back(kernel.name);
  }
  throw unknown_name(r.option("kernel"), "a kernel of sparse products", r.kernel, names);
}

sparse::SpmmOptions options_of(const PlanRequest& r) {
  return {.columns = static_cast<std::int64_t>(r.columns), .kernel = r.kernel};
}

io::Array as_float32(io::Array&& values) {
  const ArithmeticInfo& info = arithmetics().find("chain_f32_fused").info();
  return judge::fitted(judge::as_floating(std::move(values)), formats::float32, true, info);
}

// --- what the matrix is ----------------------------------------------------------------------------------------------

RowLengths row_lengths(const CsrView& a) {
  if (a.rows == 0) return {};
  std::vector<std::int64_t> all(static_cast<std::size_t>(a.rows));
  for (std::int64_t i = 0; i < a.rows; ++i) all[static_cast<std::size_t>(i)] = a.row_length(i);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  return {.least = *std::min_element(all.begin(), middle + 1),
          .median = *middle,
          .longest = *std::max_element(middle, all.end()),
          .empty = std::count(all.begin(), all.end(), 0)};
}

StoredForm form(std::string name, const CsrView& a, std::uint64_t places, std::uint64_t index_bytes) {
  return {.name = std::move(name),
          .value_bytes = places * sizeof(float),
          .index_bytes = index_bytes,
          .added = places - static_cast<std::uint64_t>(a.nnz())};
}

StoredForm bsr_form(const CsrView& a, std::int64_t side) {
  const sparse::BsrStructure blocks = sparse::bsr_from_csr(a, side, side);
  return form(fmt::format("bsr {0} x {0}", side), a, static_cast<std::uint64_t>(blocks.slots()),
              std::span(blocks.row_offsets).size_bytes() + std::span(blocks.column_indices).size_bytes());
}

// In the order of sparse_formats.def, BSR with blocks of several sizes; CSR alone where nothing else holds the rows.
std::vector<StoredForm> forms_of(const CsrView& a, bool ascending) {
  std::vector<StoredForm> forms;
  for (const sparse::SparseFormat& f : sparse::all_sparse_formats()) {
    if (!ascending && f.name != "csr") continue;
    if (f.name == "bsr") {
      for (const std::int64_t side : {4, 8, 16, 32}) forms.push_back(bsr_form(a, side));
    } else {
      forms.push_back(form(std::string(f.name), a, f.places(a), f.index_bytes(a)));
    }
  }
  return forms;
}

// --- how long it takes -----------------------------------------------------------------------------------------------

template <class F>
double median_seconds(const F& f) {
  std::array<double, 7> all{};
  for (double& seconds : all) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  std::ranges::nth_element(all, all.begin() + all.size() / 2);
  return all[all.size() / 2];
}

PlanTimes times_of(const PlanRequest& r, const CsrView& a, std::span<const float> values,
                   const SpmmPlan& plan) {
  const auto n = static_cast<std::int64_t>(r.columns);
  std::vector<float> x(static_cast<std::size_t>(a.cols * n)), y(static_cast<std::size_t>(a.rows * n));
  const CounterRandom random(r.seed);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(random.uniform(i)) - 0.5F;
  PlanTimes t{.repetitions = 7};
  t.planning_seconds = median_seconds([&] { const SpmmPlan again(a, values, options_of(r)); });
  t.product_seconds = median_seconds([&] {
    plan.multiply({x.data(), a.cols, n, n}, {y.data(), a.rows, n, n}, {}, 1);
  });
  t.flops_per_second = 2 * static_cast<double>(a.nnz()) * static_cast<double>(n) / t.product_seconds;
  return t;
}

}  // namespace

void require_plannable(const PlanRequest& r) {
  if (r.columns == 0 || r.columns > most_columns)
    throw InputError::of_option(r.option("n"), fmt::format("a number of columns from 1 to {}", most_columns),
                                fmt::format("{}", r.columns));
  if (const sparse::SpmmKernel* const kernel = find_kernel(r)) require_cpu(*kernel);
}

PlanMemory plan_memory(const PlanRequest& r) {
  const auto rows = static_cast<std::uint64_t>(r.a.rows), cols = static_cast<std::uint64_t>(r.a.cols),
             entries = static_cast<std::uint64_t>(r.a.nnz());
  // By rows, its values in float32 and on the way there in float64, and the lengths of its rows.
  const auto csr = bytes_sum({bytes_product({rows + 1, 16}), bytes_product({entries, 4 + 8 + 4})});
  const auto plan = sparse::spmm_plan_bytes(r.a.rows, r.a.cols, r.a.nnz(), options_of(r));
  const auto timed = r.measure ? bytes_sum({bytes_product({cols, r.columns, sizeof(float)}),
                                            bytes_product({rows, r.columns, sizeof(float)}),
                                            sparse::spmm_product_bytes(r.a.cols, options_of(r))})
                               : std::uint64_t{0};
  return {.why = fmt::format("rows and plan of {} x {} with {} entries{}", rows, cols, entries,
                             r.measure ? fmt::format(", X and Y of {} columns", r.columns) : ""),
          .needed = bytes_sum({csr, plan, timed})};
}

PlannedSpmm plan_spmm(PlanRequest r) {
  require_plannable(r);
  PlannedSpmm found{.name = r.a.origin,
                    .value_format = r.a.values.element.name(),
                    .rows = r.a.rows,
                    .cols = r.a.cols,
                    .entries = r.a.nnz(),
                    .columns = static_cast<std::int64_t>(r.columns),
                    .seed = r.seed};
  io::SparseArray csr = r.a.layout == io::SparseArray::Layout::csr ? std::move(r.a) : io::to_csr(r.a);
  r.a = {};
  const io::Array values = as_float32(std::move(csr.values));
  const CsrView a = csr.csr_view();
  if (const auto defect = sparse::first_defect(a)) found.unsorted_row = defect->row;
  found.row_lengths = row_lengths(a);
  found.forms = forms_of(a, !found.unsorted_row);
  const SpmmPlan plan(a, values.as<float>(), options_of(r));
  found.choice = plan.choice();
  const sparse::SpmmKernel& kernel = sparse::spmm_kernels().named(found.choice.kernel);
  found.isa = isa_name(kernel.needs);
  found.rows_side_by_side = kernel.rows;
  if (r.measure) found.times = times_of(r, a, values.as<float>(), plan);
  return found;
}

}  // namespace assay
