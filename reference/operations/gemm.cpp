#include "reference/operations/gemm.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

namespace assay {
namespace {

std::string shape(const CodeMatrix& x) { return std::to_string(x.rows) + " x " + std::to_string(x.cols); }

void check(const Arithmetic& arithmetic, const GemmProblem& problem, std::size_t rows, std::size_t cols) {
  check_epilogue(problem.epilogue);
  const std::size_t inner = problem.transpose_b ? problem.b.cols : problem.b.rows;
  if (problem.k() != inner || rows != problem.m() || cols != problem.n()) {
    throw ContractError("gemm: D of " + std::to_string(rows) + " x " + std::to_string(cols) + " from A of " +
                        shape(problem.a) + (problem.transpose_a ? " transposed" : "") + " and B of " +
                        shape(problem.b) + (problem.transpose_b ? " transposed" : ""));
  }
  if (problem.c && (problem.c->rows != rows || problem.c->cols != cols)) {
    throw ContractError("gemm: C of " + shape(*problem.c) + " for D of " + std::to_string(rows) + " x " +
                        std::to_string(cols));
  }
  if (problem.epilogue.beta != 0 && !problem.c) throw ContractError("gemm: beta without C");
  if (problem.c_place == CPlace::starts_chain) {
    const bool one = problem.epilogue.alpha == 1 && problem.epilogue.beta == 1;
    if (!problem.c || !one || problem.c->format != arithmetic.info().accumulator) {
      throw ContractError("gemm: C starts the chain only with alpha = beta = 1 and as " +
                          std::string(arithmetic.info().accumulator.short_name));
    }
  }
  const std::size_t biases = problem.bias_along == BiasAlong::columns ? cols : rows;
  if (problem.bias && problem.bias->size != biases) {
    throw ContractError("gemm: a bias of " + std::to_string(problem.bias->size) + " elements for " +
                        std::to_string(biases) +
                        (problem.bias_along == BiasAlong::columns ? " columns" : " rows"));
  }
}

CodeMatrix at_batch(const CodeMatrix& x, std::ptrdiff_t stride, std::size_t batch,
                    std::ptrdiff_t scale_stride = 0) {
  CodeMatrix moved = x;
  if (x.scales.given()) moved.scales.data += static_cast<std::ptrdiff_t>(batch) * scale_stride;
  moved.data =
      detail::advance_codes(x.data, static_cast<std::ptrdiff_t>(batch) * stride, code_bytes(x.format));
  return moved;
}

// One matrix of the batch: operands turned, C where it belongs.
struct Single {
  CodeMatrix a, b;
  std::optional<CodeMatrix> start;  // C, if the chain starts with it
  std::optional<CodeMatrix> c;      // C of the epilogue
  Epilogue epilogue;

  Single(const GemmProblem& p, std::size_t batch)
      : a(at_batch(p.a, p.a_batch_stride, batch, p.a_scale_batch_stride)),
        b(at_batch(p.b, p.b_batch_stride, batch, p.b_scale_batch_stride)),
        epilogue(p.epilogue) {
    if (p.transpose_a) a = a.transposed();
    if (p.transpose_b) b = b.transposed();
    if (p.c_place == CPlace::starts_chain) {
      start = at_batch(*p.c, p.c_batch_stride, batch);
      epilogue.beta = 0;
    } else if (p.c && p.epilogue.beta != 0) {
      c = at_batch(*p.c, p.c_batch_stride, batch);
    }
  }
};

std::optional<Addend> addend(const std::optional<CodeMatrix>& x, std::size_t i, std::size_t j) {
  return x ? std::optional(Addend{x->code(i, j), x->format}) : std::nullopt;
}

std::optional<Addend> bias_of(const GemmProblem& problem, std::size_t i, std::size_t j) {
  if (!problem.bias) return std::nullopt;
  return Addend{problem.bias->code(problem.bias_along == BiasAlong::columns ? j : i), problem.bias->format};
}

bool is_direct(const Arithmetic& arithmetic, const Epilogue& epilogue, bool bias, const FormatSpec& output) {
  return is_plain(epilogue) && !bias && arithmetic.gives(output);
}

}  // namespace

void gemm(const Arithmetic& arithmetic, const GemmProblem& problem, const MutableCodeMatrix& d) {
  check(arithmetic, problem, d.rows, d.cols);
  const FormatSpec& given = arithmetic.info().outputs.front();
  std::vector<std::uint64_t> sums;
  for (std::size_t batch = 0; batch < problem.batch; ++batch) {
    const Single one(problem, batch);
    OutputOrigin origin = problem.origin;
    origin.offset += batch * (problem.origin_batch_stride != 0 ? problem.origin_batch_stride
                                                               : std::uint64_t{d.rows} * d.cols);
    MutableCodeMatrix out = d;
    out.data = detail::advance_codes(d.data, static_cast<std::ptrdiff_t>(batch) * problem.d_batch_stride,
                                     code_bytes(d.format));
    if (is_direct(arithmetic, one.epilogue, problem.bias.has_value(), d.format)) {
      arithmetic.gemm(one.a, one.b, one.start, out, origin);
      continue;
    }
    sums.resize(d.rows * d.cols);  // elements are as wide as a code of `given` needs: at most 8 bytes
    const MutableCodeMatrix accumulated{sums.data(), d.rows, d.cols, static_cast<std::ptrdiff_t>(d.cols),
                                        1,           given};
    arithmetic.gemm(one.a, one.b, one.start, accumulated, origin);
    const CodeMatrix results = accumulated;
    const FormatSpec& format = one.epilogue.format.value_or(arithmetic.info().accumulator);
    for (std::size_t i = 0; i < d.rows; ++i) {
      for (std::size_t j = 0; j < d.cols; ++j) {
        out.set(i, j,
                apply_epilogue(one.epilogue, format, {results.code(i, j), given}, addend(one.c, i, j),
                               bias_of(problem, i, j), d.format));
      }
    }
  }
}

ElementTruth gemm_truth(const Arithmetic& arithmetic, const GemmProblem& problem, const FormatSpec& output,
                        std::size_t batch, std::size_t i, std::size_t j) {
  check(arithmetic, problem, problem.m(), problem.n());
  if (batch >= problem.batch || i >= problem.m() || j >= problem.n()) {
    throw ContractError("gemm: no element [" + std::to_string(batch) + ", " + std::to_string(i) + ", " +
                        std::to_string(j) + "]");
  }
  const Single one(problem, batch);
  const std::optional<std::uint64_t> start = one.start ? std::optional(one.start->code(i, j)) : std::nullopt;
  return element_truth(arithmetic, one.epilogue, one.a.row(i), one.b.column(j), start, addend(one.c, i, j),
                       bias_of(problem, i, j), output);
}

namespace {

// The problem of one matrix, checked; operands as they are multiplied, C in the epilogue or at the start.
GemmProblem one_of(const Arithmetic& arithmetic, const GemmProblem& problem, std::size_t batch) {
  check(arithmetic, problem, problem.m(), problem.n());
  if (batch >= problem.batch) throw ContractError("gemm: no matrix " + std::to_string(batch));
  const Single one(problem, batch);
  GemmProblem turned{.a = one.a, .b = one.b, .c = one.start ? one.start : one.c, .c_place = problem.c_place};
  turned.bias = problem.bias;
  turned.bias_along = problem.bias_along;
  turned.epilogue = one.epilogue;
  return turned;
}

}  // namespace

GemmTruths::GemmTruths(const Arithmetic& arithmetic, const GemmProblem& problem, const FormatSpec& output,
                       std::size_t batch, double factor, int threads)
    : arithmetic_(arithmetic),
      one_(one_of(arithmetic, problem, batch)),
      start_(one_.c_place == CPlace::starts_chain ? one_.c : std::nullopt),
      c_(one_.c_place == CPlace::starts_chain ? std::nullopt : one_.c),
      output_(output),
      factor_(factor),
      threads_(threads),
      sums_(arithmetic, one_.a, one_.b, start_, {.threads = threads}) {}

void GemmTruths::rows(std::size_t first, std::size_t count, const Take& take) const {
  if (first > one_.m() || count > one_.m() - first) {
    throw ContractError("gemm: no rows [" + std::to_string(first) + ", " + std::to_string(first + count) +
                        ") of " + std::to_string(one_.m()));
  }
  const std::size_t n = one_.n();
  const int team = threads_or_default(threads_);
  // Smaller tiles where there would be few for each thread.
  std::size_t size = ExactGemm::tile_size;
  const auto tiles = [&] { return ((count + size - 1) / size) * ((n + size - 1) / size); };
  while (size > 16 && tiles() < 4 * static_cast<std::size_t>(team)) size /= 2;
  const std::size_t across = (n + size - 1) / size;
  std::vector<ExactGemm::Workspace> spaces(static_cast<std::size_t>(team));
  parallel_for(tiles(), team, [&](std::size_t tile, std::size_t worker) {
    const std::size_t row = tile / across * size, col = tile % across * size;
    sums_.tile(first + row, std::min(size, count - row), col, std::min(size, n - col), spaces[worker],
               [&](std::size_t i, std::size_t j, const GemmSum& sum) {
                 const auto start = start_ ? std::optional(start_->code(i, j)) : std::nullopt;
                 take(i, j,
                      element_truth(arithmetic_, one_.epilogue, one_.a.row(i), one_.b.column(j), start,
                                    addend(c_, i, j), bias_of(one_, i, j), output_, factor_, &sum));
               });
  });
}

}  // namespace assay
