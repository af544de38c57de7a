// What is asked of a CUDA kernel's results, whoever ran it: the bits of its contract or of the GPU's unit, and the
// proven bound of the exact result.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gpu/cases/kernel_case.hpp"
#include "validation/io/array.hpp"
#include "validation/judge/request.hpp"
#include "validation/report/result.hpp"
#include "validation/suites/rounding_distance.hpp"

namespace assay::suites::cuda {

struct JudgedKernel {
  gpu::KernelCase kernel{};
  gpu::CaseGpu gpu{};
  std::string contract{};  // whose bits are predicted: "the unit sm90.bf16"
  // What it has to write; by the CPU, from the same seed. Unavailable where no unit is known.
  std::function<gpu::KernelArrays(std::uint64_t seed)> predicted{};
  // PASSED if all bits of what it wrote are right and all of it lies within the bound; else the first wrong element is
  // named, by array and place.
  std::function<CaseResult(std::uint64_t seed, const gpu::KernelArrays& got)> judge{};

  std::string name() const;  // "spmm/csr_f32 matrix=density_5"
};

// Of a GPU, as gpu::kernel_cases() has them; the tensor cores alone.
std::vector<JudgedKernel> judged_kernels(const gpu::CaseGpu& gpu);
std::vector<JudgedKernel> judged_tensor_cores(const gpu::CaseGpu& gpu);

// --- families: <family>_judge.cpp ------------------------------------------------------------------------------------

std::vector<JudgedKernel> judged_autosparse();
std::vector<JudgedKernel> judged_csr();
std::vector<JudgedKernel> judged_conversions();
std::vector<JudgedKernel> judged_spdnn();

// A product that a case has computed, as the judge takes it.
struct JudgedProduct {
  std::string name{};
  judge::Request request{};  // without got, of float32 results
  // Of bfloat16 operands: from float32's results on those that were not rounded. May be null.
  std::function<void(std::span<const float> got, RoundingDistance& distance)> distance{};
  bool bits_alone = false;  // infinities and NaN: no bound
};
using JudgedProducts = std::function<std::vector<JudgedProduct>(std::uint64_t seed)>;

// By an arithmetic of arithmetics(): predicted() and judge() throw Unavailable where there is none of that name.
JudgedKernel judged_products(gpu::KernelCase kernel, const std::string& arithmetic,
                             const std::string& contract, JudgedProducts products);

// Element by element; the first that differs by array, place and codes.
struct ArrayDifferences {
  std::uint64_t checked = 0, different = 0;
  std::string first{};
};
ArrayDifferences differences(const gpu::KernelArrays& got, const gpu::KernelArrays& want);

// PASSED if all bits are the predicted ones and all judgements agree.
CaseResult judge_arrays(const std::string& contract, const gpu::KernelArrays& got,
                        const gpu::KernelArrays& predicted, const std::vector<judge::Judgement>& by_bound);

io::Array to_io_array(const gpu::KernelArray& array);

}  // namespace assay::suites::cuda
