#include <fmt/format.h>

#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/sparse/bf16_spmm.hpp"
#include "reference/sparse/sddmm.hpp"
#include "validation/judge/question.hpp"
#include "validation/judge/results.hpp"

namespace assay::judge {
namespace {

using sparse::Csr;
using sparse::DenseView;

template <class T>
std::vector<T> values_of(const io::Array& x) {
  std::vector<T> out(x.bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), x.bytes.data(), x.bytes.size());
  return out;
}

template <class T>
Csr<T> csr_of(const io::SparseArray& given, bool transposed) {
  const io::SparseArray rows = io::to_csr(given);
  Csr<T> a{{rows.rows, rows.cols, rows.offsets, rows.column_indices}, values_of<T>(rows.values)};
  return transposed ? sparse::transpose(a) : a;
}

// A row-major matrix, turned where it is asked for; of a vector its one column.
template <class T>
struct Matrix {
  std::int64_t rows = 0, cols = 0;
  std::vector<T> data{};

  Matrix(const io::Array& x, bool transposed) : data(values_of<T>(x)) {
    rows = x.shape.at(0);
    cols = x.shape.size() > 1 ? x.shape[1] : 1;
    if (!transposed) return;
    std::vector<T> turned(data.size());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols; ++j)
        turned[static_cast<std::size_t>(j * rows + i)] = data[static_cast<std::size_t>(i * cols + j)];
    }
    data = std::move(turned);
    std::swap(rows, cols);
  }
};

struct Given {
  io::SparseArray sparse{};
  std::optional<io::Array> a{}, b{}, c{}, bias{};
};

void require_element(const char* name, const io::Array& x, const FormatSpec& format,
                     std::string_view contract) {
  if (x.element == io::ElementType(format)) return;
  throw UsageError(
      fmt::format("{}: the kernels of {} take {}, not {}", name, contract, format.dtype, x.element.name()));
}

// What is fused after the sums, of float32.
struct Extras {
  std::vector<float> c{}, bias{};
  sparse::SpmmExtras extras{};

  Extras(const Request& r, const Given& given, const Epilogue& e, std::int64_t rows, std::int64_t cols)
      : c(given.c ? values_of<float>(*given.c) : std::vector<float>()),
        bias(given.bias ? values_of<float>(*given.bias) : std::vector<float>()) {
    extras = {.alpha = static_cast<float>(e.alpha),
              .beta = given.c ? static_cast<float>(e.beta) : 0.0F,
              .c = {c.data(), rows, cols, cols},
              .activation = static_cast<sparse::SpmmActivation>(e.activation),
              .low = static_cast<float>(e.low),
              .high = static_cast<float>(e.high)};
    if (!given.bias) return;
    extras.bias = bias;
    extras.bias_along = r.bias_along == "rows" ? sparse::SpmmBias::rows : sparse::SpmmBias::columns;
  }
};

void spmm(const Request& r, const Given& given, const Epilogue& e, std::span<float> y) {
  const Arithmetic& contract = *r.arithmetic;
  const bool bf16 = given.sparse.values.element == io::ElementType(formats::bfloat16);
  const auto multiply = [&](const auto& plan, const auto& x) {
    const Extras extras(r, given, e, plan.rows(), x.cols);
    plan.multiply({x.data.data(), x.rows, x.cols, x.cols}, {y.data(), plan.rows(), x.cols, x.cols},
                  extras.extras, r.threads);
  };
  if (bf16) {
    const Matrix<bf16_t> x(*given.b, r.transpose_b);
    multiply(sparse::Bf16SpmmPlan(csr_of<bf16_t>(given.sparse, r.transpose_a), contract, {.columns = x.cols}),
             x);
  } else {
    const Matrix<float> x(*given.b, r.transpose_b);
    multiply(sparse::SpmmPlan(csr_of<float>(given.sparse, r.transpose_a), {.columns = x.cols}), x);
  }
}

void sddmm(const Request& r, const Given& given, const Epilogue& e, std::span<float> out) {
  const io::SparseArray mask = io::to_csr(given.sparse);
  const sparse::CsrStructure structure{mask.rows, mask.cols, mask.offsets, mask.column_indices};
  const Matrix<float> a(*given.a, r.transpose_a), b(*given.b, false);
  const std::vector<float> c = given.c ? values_of<float>(*given.c) : std::vector<float>();
  const sparse::SddmmExtras extras{
      .alpha = static_cast<float>(e.alpha), .beta = given.c ? static_cast<float>(e.beta) : 0.0F, .c = c};
  const sparse::SddmmPlan plan(structure);
  const DenseView of_a{a.data.data(), a.rows, a.cols, a.cols}, of_b{b.data.data(), b.rows, b.cols, b.cols};
  if (r.transpose_b) {
    plan.multiply_transposed(of_a, of_b, out, extras, r.threads);
  } else {
    plan.multiply(of_a, of_b, out, extras, r.threads);
  }
}

// What is copied of the operands and of the result, beside the plan.
std::optional<std::uint64_t> bytes_of_copies(const Given& given, std::optional<std::uint64_t> outputs) {
  std::uint64_t dense = 0;
  for (const auto* const x : {&given.a, &given.b, &given.c, &given.bias}) {
    if (*x) dense += (*x)->bytes.size();
  }
  const auto entries = static_cast<std::uint64_t>(given.sparse.nnz());
  const auto sides = static_cast<std::uint64_t>(given.sparse.rows + given.sparse.cols);
  // As CSR, in this order of rows and columns or in the other.
  const auto of_sparse = bytes_sum({bytes_product({entries, 24}), bytes_product({sides, 16})});
  // Turned operands are copied twice, and results are codes too.
  return bytes_sum({2 * dense, of_sparse, bytes_product({outputs.value_or(UINT64_MAX), 2 * sizeof(float)})});
}

void require_memory(const Request& r, const Given& given, std::optional<std::uint64_t> outputs) {
  std::optional<std::uint64_t> of_plan = 0, of_tiles = 0;
  if (r.operation == "spmm") {
    const std::int64_t n = given.b->shape.size() > 1 ? given.b->shape[r.transpose_b ? 0 : 1] : 1;
    const sparse::SpmmOptions options{.columns = n};
    const std::int64_t rows = r.transpose_a ? given.sparse.cols : given.sparse.rows,
                       cols = r.transpose_a ? given.sparse.rows : given.sparse.cols;
    // A bit for each place, in whole blocks.
    if (r.arithmetic->info().name == "tdpbf16ps")
      of_tiles = bytes_product({static_cast<std::uint64_t>(rows) / sparse::bf16_tile_rows + 1,
                                static_cast<std::uint64_t>(cols) / sparse::bf16_tile_depth + 1,
                                sparse::bf16_tile_rows * sizeof(std::uint32_t)});
    of_plan = bytes_sum({sparse::spmm_plan_bytes(rows, cols, given.sparse.nnz(), options),
                         sparse::spmm_product_bytes(cols, options)});
  }
  check_memory("a, b", "the operands, the plan and the result",
               bytes_sum({bytes_of_copies(given, outputs), of_plan, of_tiles}));
}

// Contracts that kernels have; UsageError for others.
void require_contract(const Request& r, const Given& given) {
  const std::string& name = r.arithmetic->info().name;
  const bool of_spmm = r.operation == "spmm";
  if (!of_spmm && r.operation != "sddmm")
    throw UsageError(r.option("contract") + " is for spmm and sddmm: " + r.operation +
                     " has no sparse kernels");
  const bool bf16 = of_spmm && given.sparse.values.element == io::ElementType(formats::bfloat16);
  const bool known = name == "chain_f32_fused" || (bf16 && (name == "vdpbf16ps" || name == "tdpbf16ps"));
  if (!known) {
    throw UsageError(fmt::format("{} takes chain_f32_fused{}, not {}", r.option("contract"),
                                 bf16 ? ", vdpbf16ps or tdpbf16ps for bfloat16" : " for float32", name));
  }
  const FormatSpec& format = bf16 ? formats::bfloat16 : formats::float32;
  if (of_spmm) require_element("a", given.sparse.values, format, name);
  if (given.a) require_element("a", *given.a, format, name);
  if (given.b) require_element("b", *given.b, format, name);
  if (given.c) require_element("c", *given.c, formats::float32, name);
  if (given.bias) require_element("bias", *given.bias, formats::float32, name);
}

void require_plain_output(const Request& r, const Epilogue& e, const std::optional<FormatSpec>& output) {
  if (output.value_or(formats::float32) != formats::float32 || e.rounding != Rounding::nearest_even ||
      e.overflow != Overflow::ieee)
    throw UsageError(r.option("contract") + " gives float32, rounded to nearest and not saturated");
  if (r.operation == "sddmm" && e.activation != Activation::none)
    throw UsageError(r.option("contract") + ": the kernels of sddmm have no activation");
}

}  // namespace

void require_kernel_contract(std::string_view name, Caller caller) {
  for (const std::string_view known : {"chain_f32_fused", "vdpbf16ps", "tdpbf16ps"}) {
    if (name == known) return;
  }
  throw UsageError(fmt::format("{} takes chain_f32_fused, or for bfloat16 vdpbf16ps or tdpbf16ps, not \"{}\"",
                               option_name(caller, "contract"), name));
}

Results kernel_results(Request r, const std::optional<FormatSpec>& output) {
  if (!r.sparse || !r.b) return predicted_results(std::move(r), output);  // for its errors
  Given given{*r.sparse, r.a, r.b, r.c, r.bias};
  require_contract(r, given);
  Request asked = r;
  asked.got.element = formats::float32;
  asked.policy = {};
  const Question q = make_question(asked);
  require_plain_output(r, q.output.epilogue, output);
  Results results{q.operation->shape(), formats::float32, {}};
  std::optional<std::uint64_t> count = 1;
  for (const std::size_t size : results.shape) count = bytes_product({count.value_or(UINT64_MAX), size});
  require_memory(r, given, count);
  const auto outputs = static_cast<std::size_t>(*count);
  results.answer.codes.resize(outputs * sizeof(float));
  std::vector<float> y(outputs);
  if (r.operation == "spmm") {
    spmm(r, given, q.output.epilogue, y);
  } else {
    sddmm(r, given, q.output.epilogue, y);
  }
  if (outputs != 0) std::memcpy(results.answer.codes.data(), y.data(), outputs * sizeof(float));
  return results;
}

}  // namespace assay::judge
