#include "reference/exact/exact_gemm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <climits>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/exact_dot.hpp"

namespace assay {
namespace {

constexpr std::size_t most_depth = 256;  // of a pass: rows and columns of a tile stay in a core's own cache
constexpr std::uint32_t infinity_bits = 0x7F800000;

constexpr auto kernels_of_def = std::to_array<WindowSumsKernel>({
#define WINDOW_SUMS(name, needs, lanes, description) \
  {{#name, Isa::needs, description}, lanes, &kernels::name},
#include "reference/exact/window_sums.def"
#undef WINDOW_SUMS
});
constexpr KernelTable<WindowSumsKernel> table{"window_sums", kernels_of_def};

double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

}  // namespace

const KernelTable<WindowSumsKernel>& window_sums_kernels() { return table; }

ExactGemm::ExactGemm(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
                     const std::optional<CodeMatrix>& start)
    : ExactGemm(arithmetic, a, b, start, Options{}) {}

ExactGemm::ExactGemm(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
                     const std::optional<CodeMatrix>& start, const Options& options)
    : arithmetic_(arithmetic), a_(a), b_(b), start_(start), unproven_bits_(options.unproven_bits) {
  if (a.cols != b.rows)
    throw ContractError("exact gemm: A of " + std::to_string(a.cols) + " columns and B of " +
                        std::to_string(b.rows) + " rows");
  const std::size_t k = a.cols;
  const auto is_plain = [](const CodeMatrix& x) {
    return contains_format(formats::float32, x.format) && !x.scales.given() && !x.sparse.given() &&
           x.data != nullptr;
  };
  // What exact() would refuse is left to it. Above 2^32 terms no window is wide enough for full precision.
  if (k == 0 || k >> 32 != 0 || !arithmetic.accumulation() || !is_plain(a) || !is_plain(b) ||
      !arithmetic.accepts(a.format, b.format))
    return;
  kernel_ = options.kernel != nullptr ? options.kernel : &table.best();
  terms_log2_ = static_cast<int>(std::bit_width(k - 1));
  read_a_.emplace(a.format, arithmetic.info().flush_inputs);
  read_b_.emplace(b.format, arithmetic.info().flush_inputs);
  rows_.resize(a.rows);
  cols_.resize(b.cols);
  const auto look = [&](std::size_t n, const auto& one) {
    constexpr std::size_t few = 1 << 14;
    const std::size_t share = 16;
    parallel_for((n + share - 1) / share, n * k < few ? 1 : options.threads, [&](std::size_t part) {
      std::array<float, most_depth> stretch;
      for (std::size_t i = part * share; i < std::min(n, (part + 1) * share); ++i) one(i, stretch.data());
    });
  };
  look(a.rows, [&](std::size_t i, float* stretch) { rows_[i] = span_of(a_.row(i), *read_a_, stretch); });
  look(b.cols, [&](std::size_t j, float* stretch) { cols_[j] = span_of(b_.column(j), *read_b_, stretch); });
}

ExactGemm::Span ExactGemm::span_of(const CodeVector& x, const FloatReader& reader, float* stretch) {
  const MxcsrGuard guard(0x1F80);
  std::uint32_t largest = 0;
  int last = INT_MAX, bits = 0;
  std::uint32_t any_sign = 0, all_signs = ~0U;
  for (std::size_t begin = 0; begin < x.size; begin += most_depth) {
    const std::size_t count = std::min(most_depth, x.size - begin);
    const float* values = reader.read(x, begin, count, stretch);
    for (std::size_t i = 0; i < count; ++i) {
      const auto code = std::bit_cast<std::uint32_t>(values[i]);
      any_sign |= code;
      all_signs &= code;
      const std::uint32_t magnitude = code & 0x7FFFFFFF;
      if (magnitude == 0) continue;
      largest = std::max(largest, magnitude);
      const auto field = static_cast<int>(magnitude >> 23);
      const std::uint32_t significand = (magnitude & 0x7FFFFF) | (field != 0 ? 0x800000U : 0U);
      const int zeros = std::countr_zero(significand);
      last = std::min(last, std::max(field, 1) - 150 + zeros);
      bits = std::max(bits, static_cast<int>(std::bit_width(significand)) - zeros);
    }
  }
  Span span{.finite = largest < infinity_bits, .zero = largest == 0};
  span.plus = all_signs >> 31 == 0;
  span.minus = any_sign >> 31 != 0;
  if (!span.usable()) return span;
  span.top = std::max(static_cast<int>(largest >> 23), 1) - 126;
  span.last = last;
  span.bits = bits;
  return span;
}

int ExactGemm::parts_of(std::size_t row, std::size_t col) const {
  if (rows_.empty() || cols_.empty()) return 0;
  const Span &x = rows_[row], &y = cols_[col];
  if (!x.usable() || !y.usable()) return 0;
  return window_parts(x.top + y.top - x.last - y.last - unproven_bits_, terms_log2_);
}

// 3/2 2^m of window_sums.hpp; for the second part, what its terms have for E is m - 53.
double ExactGemm::anchor(std::size_t row, std::size_t col, int part) const {
  const int top = rows_[row].top + cols_[col].top, first = top + terms_log2_ + 1;
  return 1.5 * power_of_two(part == 0 ? first : first - 53 + terms_log2_ + 1);
}

// Rows and columns that are of no use are packed as zeros.
void ExactGemm::pack(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
                     std::size_t begin, std::size_t depth, Workspace& space) const {
  for (std::size_t i = 0; i < rows; ++i) {
    double* to = space.a.data() + i * depth;
    if (!rows_[first_row + i].usable()) {
      std::fill_n(to, depth, 0.0);
      continue;
    }
    const float* from = read_a_->read(a_.row(first_row + i), begin, depth, space.stretch.data());
    for (std::size_t k = 0; k < depth; ++k) to[k] = from[k];
  }
  const std::size_t lanes = kernel_->lanes, panels = (cols + lanes - 1) / lanes;
  for (std::size_t j = 0; j < panels * lanes; ++j) {
    double* to = space.b.data() + j / lanes * lanes * depth + j % lanes;
    if (j >= cols || !cols_[first_col + j].usable()) {
      for (std::size_t k = 0; k < depth; ++k) to[k * lanes] = 0;
      continue;
    }
    const float* from = read_b_->read(b_.column(first_col + j), begin, depth, space.stretch.data());
    for (std::size_t k = 0; k < depth; ++k) to[k * lanes] = from[k];
  }
}

void ExactGemm::add_windows(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
                            int parts, Workspace& space) const {
  const std::size_t k = a_.cols, lanes = kernel_->lanes, panels = (cols + lanes - 1) / lanes;
  const std::size_t depth = std::min(k, most_depth), block = static_cast<std::size_t>(2 * parts) * lanes;
  const auto reserve = [](std::vector<double>& x, std::size_t n) {
    if (x.size() < n) x.resize(n);
  };
  reserve(space.a, rows * depth);
  reserve(space.b, panels * lanes * depth);
  reserve(space.sums, rows * panels * block);
  space.stretch.resize(most_depth);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < panels * lanes; ++j) {
      double* sums = space.sums.data() + (i * panels + j / lanes) * block + j % lanes;
      for (int part = 0; part < parts; ++part) {
        const std::size_t at = static_cast<std::size_t>(part) * lanes,
                          sizes = static_cast<std::size_t>(parts) * lanes;
        const bool anchored = part + 1 < parts && j < cols;
        sums[at] = sums[at + sizes] = anchored ? anchor(first_row + i, first_col + j, part) : 0;
      }
    }
  }
  const MxcsrGuard guard(0x1F80);
  for (std::size_t begin = 0; begin < k; begin += depth) {
    const std::size_t count = std::min(depth, k - begin);
    pack(first_row, rows, first_col, cols, begin, count, space);
    kernel_->run({.a = space.a.data(),
                  .b = space.b.data(),
                  .sums = space.sums.data(),
                  .rows = rows,
                  .panels = panels,
                  .depth = count,
                  .parts = parts});
  }
  // What the anchored parts hold beside their anchors.
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      double* sums = space.sums.data() + (i * panels + j / lanes) * block + j % lanes;
      for (int part = 0; part + 1 < parts; ++part) {
        const double start = anchor(first_row + i, first_col + j, part);
        sums[static_cast<std::size_t>(part) * lanes] -= start;
        sums[static_cast<std::size_t>(parts + part) * lanes] -= start;
      }
    }
  }
}

void ExactGemm::add_start(std::size_t row, std::size_t col, ExactSum& value, ExactSum& magnitudes) const {
  const FormatSpec& f = start_->format;
  const std::uint64_t code = start_->code(row, col);
  ExactValue<std::uint64_t> addend =
      exact_from_code(arithmetic_.info().flush_inputs ? flushed_code(code, f) : code, f);
  value.add(addend);
  addend.negative = false;
  magnitudes.add(addend);
}

std::optional<GemmSum> ExactGemm::sum_of_zeros(std::size_t row, std::size_t col) const {
  if (rows_.empty() || cols_.empty()) return std::nullopt;
  const Span &x = rows_[row], &y = cols_[col];
  if (!x.finite || !y.finite || (!x.zero && !y.zero)) return std::nullopt;
  // One sign on one side: the products have the other side's signs, or the opposite ones.
  if (x.plus && x.minus && y.plus && y.minus) return std::nullopt;
  GemmSum sum;
  sum.all_zero = true;
  if ((x.plus && y.plus) || (x.minus && y.minus)) sum.dot.value.add(0.0);
  if ((x.plus && y.minus) || (x.minus && y.plus)) sum.dot.value.add(-0.0);
  ExactSum magnitudes;
  if (start_) add_start(row, col, sum.dot.value, magnitudes);
  sum.dot.magnitudes = magnitudes.rounded_up();
  return sum;
}

GemmSum ExactGemm::by_exact(std::size_t row, std::size_t col) const {
  const auto start = start_ ? std::optional(start_->code(row, col)) : std::nullopt;
  return {.dot = arithmetic_.exact(a_.row(row), b_.column(col), start)};
}

void ExactGemm::tile(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
                     Workspace& space, const Take& take) const {
  if (rows > tile_size || cols > tile_size || first_row + rows > a_.rows || first_col + cols > b_.cols)
    throw ContractError("exact gemm: no tile of " + std::to_string(rows) + " x " + std::to_string(cols) +
                        " at [" + std::to_string(first_row) + ", " + std::to_string(first_col) + "]");
  int parts = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) parts = std::max(parts, parts_of(first_row + i, first_col + j));
  }
  if (parts != 0) add_windows(first_row, rows, first_col, cols, parts, space);
  const std::size_t lanes = kernel_ != nullptr ? kernel_->lanes : 1, panels = (cols + lanes - 1) / lanes;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      const std::size_t row = first_row + i, col = first_col + j;
      std::array<double, 3> value{}, size{};
      bool is_zero = true;
      if (parts != 0 && parts_of(row, col) != 0) {
        const double* sums = space.sums.data() +
                             (i * panels + j / lanes) * static_cast<std::size_t>(2 * parts) * lanes +
                             j % lanes;
        for (int part = 0; part < parts; ++part) {
          const auto at = static_cast<std::size_t>(part);
          value[at] = sums[at * lanes];
          size[at] = sums[(static_cast<std::size_t>(parts) + at) * lanes];
          is_zero = is_zero && size[at] == 0;
        }
      }
      // Where no product is anything but zero, the signs of zeros matter.
      if (is_zero) {
        const std::optional<GemmSum> zeros = sum_of_zeros(row, col);
        take(row, col, zeros ? *zeros : by_exact(row, col));
        continue;
      }
      const Span &x = rows_[row], &y = cols_[col];
      GemmSum sum{.dot = {.value = ExactSum::of_parts(value)}};
      sum.limits = ProductLimits{.last = x.last + y.last,
                                 .bits = x.bits + y.bits - (x.bits == 1 || y.bits == 1 ? 1 : 0)};
      if (parts == 2 && !start_) {
        sum.dot.magnitudes = upward::add(size[0], size[1]);
      } else {
        ExactSum magnitudes = ExactSum::of_parts(size);
        if (start_) add_start(row, col, sum.dot.value, magnitudes);
        sum.dot.magnitudes = magnitudes.rounded_up();
      }
      take(row, col, sum);
    }
  }
}

}  // namespace assay
