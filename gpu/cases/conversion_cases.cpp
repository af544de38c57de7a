#include "gpu/cases/conversion_cases.hpp"

#include "gpu/kernels/convert_bf16_run.hpp"
#include "reference/sparse/sample_matrices.hpp"

namespace assay::gpu {
namespace {

constexpr ConversionRounding all_roundings[] = {{"nearest-even", Rounding::nearest_even},
                                                {"toward-zero", Rounding::toward_zero},
                                                {"stochastic", Rounding::stochastic}};

}  // namespace

std::span<const ConversionRounding> conversion_roundings() { return all_roundings; }

std::vector<ConversionProblem> conversion_problems(std::uint64_t seed) {
  constexpr sparse::SamplePattern wild{"numbers", 1, 1, true};
  std::vector<ConversionProblem> problems;
  for (const std::size_t n : {std::size_t{1}, std::size_t{31}, std::size_t{5000}})
    problems.push_back({"n=" + std::to_string(n), sparse::sample_numbers(wild, n, seed, 3)});
  return problems;
}

KernelCase conversion_case(const ConversionRounding& rounding) {
  return {.member = "convert/f32_bf16",
          .parameters = {{"rounding", rounding.name}},
          .run = [&rounding](std::uint64_t seed) {
            KernelArrays out;
            for (const ConversionProblem& p : conversion_problems(seed)) {
              const std::vector<bf16_t> codes =
                  run_convert_bf16(p.x, {.rounding = rounding.rounding, .seed = seed});
              out.push_back(kernel_array(p.name, codes, {static_cast<std::int64_t>(codes.size())}));
            }
            return out;
          }};
}

std::vector<KernelCase> conversion_cases() {
  std::vector<KernelCase> cases;
  for (const ConversionRounding& rounding : all_roundings) cases.push_back(conversion_case(rounding));
  return cases;
}

}  // namespace assay::gpu
