// The conversion to bfloat16, code for code.
#include <cstdint>
#include <utility>
#include <vector>

#include "gpu/cases/conversion_cases.hpp"
#include "reference/formats/convert.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"

namespace assay::suites::cuda {
namespace {

gpu::KernelArrays converted(Rounding rounding, std::uint64_t seed) {
  gpu::KernelArrays out;
  for (const gpu::ConversionProblem& p : gpu::conversion_problems(seed)) {
    std::vector<bf16_t> codes(p.x.size());
    convert_array<bf16_t>(p.x, codes, {.rounding = rounding, .seed = seed});
    codes.resize(p.x.size() + gpu::conversion_guards, bf16_t::from_code(0xA5A5));
    out.push_back(gpu::kernel_array(p.name, codes, {static_cast<std::int64_t>(codes.size())}));
  }
  return out;
}

}  // namespace

std::vector<JudgedKernel> judged_conversions() {
  std::vector<JudgedKernel> all;
  for (const gpu::ConversionRounding& r : gpu::conversion_roundings()) {
    JudgedKernel one;
    one.kernel = gpu::conversion_case(r);
    one.contract = "the library's conversion";
    one.predicted = [rounding = r.rounding](std::uint64_t seed) { return converted(rounding, seed); };
    one.judge = [rounding = r.rounding, contract = one.contract](std::uint64_t seed,
                                                                 const gpu::KernelArrays& got) {
      return judge_arrays(contract, got, converted(rounding, seed), {});
    };
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace assay::suites::cuda
