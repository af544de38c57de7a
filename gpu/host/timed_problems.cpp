#include "gpu/host/timed_problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "emulation/units/unit.hpp"
#include "reference/autosparse/gradient.hpp"
#include "reference/core/error.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/storage.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"

namespace assay::gpu {
namespace {

const Arithmetic& unit_named(std::string_view name) {
  static const ArithmeticRegistry& all = *[] {
    auto* const registry = new ArithmeticRegistry;  // lives as long as the program
    add_units(*registry);
    return registry;
  }();
  return all.find(name, "unit");
}

float widened(std::uint16_t code) { return std::bit_cast<float>(std::uint32_t{code} << 16); }
std::uint64_t code_of(float x) { return std::bit_cast<std::uint32_t>(x); }

// --- AutoSparse and conversion ---------------------------------------------------------------------------------------

constexpr autosparse::GradientScales timed_scales{timed_alpha, timed_lambda, timed_lambda_s};

// Weights and their gradients from `first` on.
struct TimedWeights {
  std::vector<float> w, g;

  TimedWeights(const TimedKeys& keys, std::uint64_t first, std::size_t count) : w(count), g(count) {
    for (std::size_t i = 0; i < count; ++i) {
      w[i] = operand_f32(keys.a, first + i);
      g[i] = operand_f32(keys.b, first + i);
    }
  }
};

std::uint64_t predicted_forward(const TimedProblem& p, const TimedKeys& keys, std::uint64_t place) {
  const float w[] = {operand_f32(keys.a, place % p.cols)}, t[] = {autosparse::threshold_of(timed_s)};
  float v[1];
  std::uint8_t mask[1];
  autosparse::forward<float>(w, {1, 1}, t, v, mask, 1, &autosparse::gradient_definition());
  return place < p.cols ? code_of(v[0]) : mask[0];
}

// ds: the pieces one by one, then pairwise in order, as gradient.hpp has it.
std::uint64_t predicted_ds(const TimedProblem& p, const TimedKeys& keys) {
  const float t[] = {autosparse::threshold_of(timed_s)};
  std::vector<double> sums;
  for (std::uint64_t first = 0; first < p.cols; first += autosparse::ds_piece) {
    const TimedWeights piece(keys, first, std::min<std::uint64_t>(autosparse::ds_piece, p.cols - first));
    sums.emplace_back();
    autosparse::backward<float>(piece.w, {1, piece.w.size()}, t, piece.g, timed_scales, {},
                                std::span(&sums.back(), 1));
  }
  for (std::size_t step = 1; step < sums.size(); step *= 2) {
    for (std::size_t i = 0; i + step < sums.size(); i += 2 * step) sums[i] += sums[i + step];
  }
  return std::bit_cast<std::uint64_t>(autosparse::s_gradient(static_cast<double>(t[0]), sums[0],
                                                             static_cast<double>(timed_s), timed_lambda_s));
}

std::uint64_t predicted_backward(const TimedProblem& p, const TimedKeys& keys, std::uint64_t place) {
  if (place == p.cols) return predicted_ds(p, keys);
  const TimedWeights one(keys, place, 1);
  const float t[] = {autosparse::threshold_of(timed_s)};
  float dw[1];
  autosparse::backward<float>(one.w, {1, 1}, t, one.g, timed_scales, dw, {}, 1,
                              &autosparse::gradient_definition());
  return code_of(dw[0]);
}

std::uint64_t predicted_code(const TimedProblem& p, std::uint64_t seed, std::uint64_t place) {
  const float x[] = {operand_any_f32(TimedKeys(p, seed).a, place)};
  bf16_t code[1];
  Conversion how;
  how.rounding = p.rounding;
  how.seed = seed;
  how.first_index = place;
  convert_array<bf16_t>(x, code, how, 1);
  return code[0].code;
}

// --- products --------------------------------------------------------------------------------------------------------

std::uint64_t predicted_spmm(const TimedProblem& p, std::uint64_t seed, std::uint64_t place) {
  const TimedKeys keys(p, seed);
  const bool narrow = p.kind == TimedKind::spmm_csr_bf16;
  const std::uint64_t row = place / p.n, column = place % p.n;
  const auto number = [narrow](OperandKey key, std::uint64_t at) {
    return narrow ? widened(operand_bf16(key, at)) : operand_f32(key, at);
  };
  float sum = 0;
  for (const std::int32_t k : timed_columns(p, seed, row)) {
    const auto at = static_cast<std::uint64_t>(k);
    sum = std::fma(number(keys.a, row * p.cols + at), number(keys.b, at * p.n + column), sum);
  }
  return narrow ? bf16_t(sum).code : code_of(sum);
}

std::uint64_t predicted_sddmm(const TimedProblem& p, const TimedKeys& keys, std::uint64_t place) {
  const bool narrow = p.kind == TimedKind::sddmm_csr_bf16;
  const std::uint64_t row = place / p.cols, column = place % p.cols;
  float sum = 0;
  for (std::uint64_t k = 0; k < p.n; ++k) {
    const std::uint64_t a = row * p.n + k, b = column * p.n + k;
    sum = narrow ? std::fma(widened(operand_bf16(keys.a, a)), widened(operand_bf16(keys.b, b)), sum)
                 : std::fma(operand_f32(keys.a, a), operand_f32(keys.b, b), sum);
  }
  return code_of(sum);
}

// A dot product of the unit over these places of k, and the rounding to bf16.
std::uint64_t by_unit(std::string_view unit, std::vector<std::uint16_t> a, std::vector<std::uint16_t> b) {
  constexpr std::size_t chunk = 16;
  a.resize((a.size() + chunk - 1) / chunk * chunk);
  b.resize(a.size());
  const auto vector = [](const std::vector<std::uint16_t>& codes) {
    return CodeVector{codes.data(), codes.size(), 1, formats::bfloat16};
  };
  const std::uint64_t sum = unit_named(unit).dot(vector(a), vector(b), {}, formats::float32);
  return bf16_t(std::bit_cast<float>(static_cast<std::uint32_t>(sum))).code;
}

std::uint64_t predicted_gemm(const TimedProblem& p, const TimedKeys& keys, std::uint64_t place,
                             std::string_view unit) {
  std::vector<std::uint16_t> a, b;
  for (std::uint64_t k = 0; k < p.cols; ++k) {
    a.push_back(operand_bf16(keys.a, place / p.n * p.cols + k));
    b.push_back(operand_bf16(keys.b, k * p.n + place % p.n));
  }
  return by_unit(unit, std::move(a), std::move(b));
}

std::uint64_t predicted_bsr(const TimedProblem& p, std::uint64_t seed, std::uint64_t place,
                            std::string_view unit) {
  const TimedKeys keys(p, seed);
  const std::uint64_t row = place / p.n;
  std::vector<std::uint16_t> a, b;
  for (const std::int32_t block : timed_columns(p, seed, row / p.block)) {
    for (std::uint64_t i = 0; i < p.block; ++i) {
      const std::uint64_t k = static_cast<std::uint64_t>(block) * p.block + i;
      a.push_back(operand_bf16(keys.a, row * p.cols + k));
      b.push_back(operand_bf16(keys.b, k * p.n + place % p.n));
    }
  }
  return by_unit(unit, std::move(a), std::move(b));
}

bool is_bsr(TimedKind kind) { return kind == TimedKind::spmm_bsr_mma || kind == TimedKind::spmm_bsr_wgmma; }

}  // namespace

std::uint64_t TimedProblem::blocks_of_row() const {
  const double share = std::round(density * static_cast<double>(block_columns()));
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(share));
}

const TimedProblem& timed_problem(std::span<const TimedProblem> problems, std::string_view kernel,
                                  std::string_view text) {
  for (const TimedProblem& p : problems) {
    if (p.kernel == kernel && p.text == text) return p;
  }
  throw ContractError(fmt::format("no problem \"{}\" of {} is timed", text, kernel));
}

// Streams follow the shape, so that the kinds of one shape share operands and nothing else does.
TimedKeys::TimedKeys(const TimedProblem& p, std::uint64_t seed) {
  const std::uint64_t shape = (p.rows * 31 + p.cols) * 31 + p.n;
  structure = operand_key(seed, 4 * shape);
  a = operand_key(seed, 4 * shape + 1);
  b = operand_key(seed, 4 * shape + 2);
}

std::vector<std::int32_t> timed_columns(const TimedProblem& p, std::uint64_t seed, std::uint64_t row) {
  const OperandKey key = TimedKeys(p, seed).structure;
  std::vector<std::int32_t> columns;
  if (!is_bsr(p.kind)) {
    const auto below = static_cast<std::uint64_t>(p.density * 0x1p32);
    for (std::uint64_t j = 0; j < p.cols; ++j) {
      if (operand_word(key, row * p.cols + j) < below) columns.push_back(static_cast<std::int32_t>(j));
    }
    return columns;
  }
  // The blocks of the least words.
  std::vector<std::pair<std::uint32_t, std::int32_t>> words;
  for (std::uint64_t j = 0; j < p.block_columns(); ++j)
    words.emplace_back(operand_word(key, row * p.block_columns() + j), static_cast<std::int32_t>(j));
  std::ranges::sort(words);
  for (std::uint64_t i = 0; i < p.blocks_of_row(); ++i) columns.push_back(words[i].second);
  std::ranges::sort(columns);
  return columns;
}

sparse::CsrStructure timed_structure(const TimedProblem& p, std::uint64_t seed) {
  const bool blocks = is_bsr(p.kind);
  sparse::CsrStructure out;
  out.rows = static_cast<std::int64_t>(blocks ? p.block_rows() : p.rows);
  out.cols = static_cast<std::int64_t>(blocks ? p.block_columns() : p.cols);
  for (std::int64_t i = 0; i < out.rows; ++i) {
    const std::vector<std::int32_t> columns = timed_columns(p, seed, static_cast<std::uint64_t>(i));
    out.column_indices.insert(out.column_indices.end(), columns.begin(), columns.end());
    out.end_row();
  }
  return out;
}

networks::Network timed_network(const TimedProblem& p) {
  return spdnn::challenge_network(static_cast<std::int32_t>(p.cols), p.layers);
}

spdnn::BitMatrix timed_images(const TimedProblem& p, std::uint64_t seed) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(p.cols))));
  return spdnn::interpolate(spdnn::generate_digits(p.rows, seed), side).pixels;
}

std::uint64_t predicted(const TimedProblem& p, std::uint64_t seed, std::uint64_t place,
                        std::string_view unit) {
  const TimedKeys keys(p, seed);
  switch (p.kind) {
    case TimedKind::autosparse_forward: return predicted_forward(p, keys, place);
    case TimedKind::autosparse_backward: return predicted_backward(p, keys, place);
    case TimedKind::convert_bf16: return predicted_code(p, seed, place);
    case TimedKind::spmm_csr_f32:
    case TimedKind::spmm_csr_bf16: return predicted_spmm(p, seed, place);
    case TimedKind::sddmm_csr_f32:
    case TimedKind::sddmm_csr_bf16: return predicted_sddmm(p, keys, place);
    case TimedKind::gemm_bf16: return predicted_gemm(p, keys, place, unit);
    case TimedKind::spmm_bsr_mma:
    case TimedKind::spmm_bsr_wgmma: return predicted_bsr(p, seed, place, unit);
    case TimedKind::spdnn_tiled:
    case TimedKind::spdnn_fused: break;
  }
  throw ContractError(p.kernel + " has no samples: its categories are predicted");
}

TimedCategories predicted_categories(const TimedProblem& p, std::uint64_t seed) {
  const spdnn::BitMatrix images = timed_images(p, seed);
  const spdnn::Plan plan(spdnn::best_kernel(spdnn::Format::ell), timed_network(p));
  return categories_of(spdnn::execute(plan, images.view()).categories);
}

TimedCategories categories_of(std::span<const std::uint32_t> categories) {
  TimedCategories out{categories.size(), 0xCBF29CE484222325};
  for (const std::uint32_t category : categories) {
    for (int shift = 0; shift < 32; shift += 8)
      out.hash = (out.hash ^ (category >> shift & 0xFF)) * 0x100000001B3;
  }
  return out;
}

std::string difference(const TimedProblem& p, std::uint64_t seed, std::span<const TimedSample> samples,
                       std::string_view unit) {
  std::size_t wrong = 0;
  std::string first;
  for (const TimedSample& sample : samples) {
    const std::uint64_t expected = predicted(p, seed, sample.place, unit);
    if (sample.code == expected) continue;
    if (wrong++ == 0)
      first = fmt::format("place {} is {:#x}, not {:#x}", sample.place, sample.code, expected);
  }
  return wrong == 0 ? "" : fmt::format("{}; {} of {} samples differ", first, wrong, samples.size());
}

}  // namespace assay::gpu
