// The bf16 kernels with a planted fault, for the tests that must notice it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gpu/kernels/gemm_bf16_run.hpp"
#include "gpu/kernels/spmm_bsr_bf16_run.hpp"

namespace assay {

enum class Bf16Fault : std::uint8_t {
  none,
  transposed_fragment,  // B's, or X's
  stale_stage,          // multiplied before it has come
  tail,                 // numbers behind the matrix's edge are read
  chunk_order,          // of k, within a stage: descending
  bf16_sums,            // rounded after every chunk
  row_too_many,         // is written
};
struct NamedBf16Fault {
  Bf16Fault fault;
  const char* name;
};
inline constexpr std::array<NamedBf16Fault, 5> bf16_faults{{
    {Bf16Fault::transposed_fragment, "a transposed fragment"},
    {Bf16Fault::stale_stage, "a stale stage"},
    {Bf16Fault::tail, "a tail that is read"},
    {Bf16Fault::chunk_order, "descending chunks of k"},
    {Bf16Fault::bf16_sums, "sums in bf16"},
}};

// As run_gemm_bf16_f32() and run_spmm_bsr_bf16_f32(), with the arrays as they are: what lies behind a tail can be read.
// Y has gaps between its rows and rows behind its last; std::runtime_error where a kernel writes there.
std::vector<float> run_faulty_gemm(Bf16Fault fault, const gpu::GemmBf16Problem& p);
std::vector<float> run_faulty_spmm(Bf16Fault fault, gpu::BsrKernel kernel, const gpu::SpmmBsrBf16Problem& p);

// What launchers say to operands that no run function makes.
struct Bf16Refusals {
  std::string null_a, misaligned_d, misaligned_values, misaligned_x, odd_x_stride;
};
Bf16Refusals bf16_refusals();

}  // namespace assay
