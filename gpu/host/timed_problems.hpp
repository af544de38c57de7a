// The problems on which the CUDA kernels are timed, and what their outputs are. Plain C++: a judge without a GPU makes
// any operand and any output of a problem again from the seed and the place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/host/kernel_times.hpp"
#include "gpu/host/timed_operands.hpp"
#include "reference/formats/rounding.hpp"
#include "reference/networks/network.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/spdnn/bit_matrix.hpp"

namespace assay::gpu {

enum class TimedKind : std::uint8_t {
  autosparse_forward,
  autosparse_backward,
  convert_bf16,
  spmm_csr_f32,
  spmm_csr_bf16,
  sddmm_csr_f32,
  sddmm_csr_bf16,
  gemm_bf16,
  spmm_bsr_mma,
  spmm_bsr_wgmma,
  spdnn_tiled,
  spdnn_fused,
};

// Products: A is rows x cols, X cols x n, Y rows x n, all bf16 or all float32. SDDMM: the mask is rows x cols, A
// rows x n and B^T cols x n, of bf16 or float32, and the result is float32.
struct TimedProblem {
  TimedKind kind{};
  std::string kernel{};  // "spmm/csr_f32"
  std::string text{};    // "4096x4096 density 0.1 n=512"
  std::vector<std::string> contestants{};
  std::uint64_t rows = 1, cols = 0, n = 0;  // elementwise: cols numbers; SpDNN: rows images of cols neurons
  double density = 1;
  std::uint64_t block = 0;  // BSR
  Rounding rounding = Rounding::nearest_even;
  int layers = 0;  // SpDNN

  std::uint64_t block_rows() const { return rows / block; }
  std::uint64_t block_columns() const { return cols / block; }
  // Stored blocks of a row of blocks: the same number in each, as blocked-ELL has it.
  std::uint64_t blocks_of_row() const;
};

// All problems; `small`: of every kind, in shapes that the executor runs in milliseconds.
std::vector<TimedProblem> timed_problems(bool small);
// ContractError if there is none.
const TimedProblem& timed_problem(std::span<const TimedProblem> problems, std::string_view kernel,
                                  std::string_view text);

// The operands: number (i, j) of an operand has place i * columns + j, stored or not.
struct TimedKeys {
  OperandKey structure{}, a{}, b{};

  TimedKeys(const TimedProblem& problem, std::uint64_t seed);
};

// AutoSparse: one threshold; w is operand_f32 of `a`, g of `b`.
inline constexpr float timed_s = -1.5F;
inline constexpr double timed_alpha = 0.25, timed_lambda = 0.0078125, timed_lambda_s = 0.5;

// The columns of a row, or the block columns of a row of blocks, ascending.
std::vector<std::int32_t> timed_columns(const TimedProblem& problem, std::uint64_t seed, std::uint64_t row);
sparse::CsrStructure timed_structure(const TimedProblem& problem, std::uint64_t seed);

// SpDNN: the challenge's network; generated digits, interpolated as the challenge's are.
networks::Network timed_network(const TimedProblem& problem);
spdnn::BitMatrix timed_images(const TimedProblem& problem, std::uint64_t seed);

// The code of an output by the contract of its kernel. `unit`: of emulation/units, for products on tensor cores
// ("sm90.bf16"). Places count outputs row by row; of SDDMM, numbers of the mask, stored or not; of AutoSparse, v and
// then the mask, or dw and then ds, which reads all weights. ContractError for SpDNN.
std::uint64_t predicted(const TimedProblem& problem, std::uint64_t seed, std::uint64_t place,
                        std::string_view unit);
// Of SpDNN, by the CPU's kernels on all threads.
TimedCategories predicted_categories(const TimedProblem& problem, std::uint64_t seed);
TimedCategories categories_of(std::span<const std::uint32_t> categories);

// Empty, or the first sample that is not as predicted: "place 17 is 0x3f800000, not 0x3f800001; 2 of 64 samples
// differ".
std::string difference(const TimedProblem& problem, std::uint64_t seed, std::span<const TimedSample> samples,
                       std::string_view unit);

}  // namespace assay::gpu
