// The CUDA production kernels under the executor: the bits of their contracts for every order of threads, and the exact
// results with proven bounds.
#include <string_view>
#include <utility>

#include "emulation/simt/launch_scope.hpp"
#include "validation/suites/cuda/kernel_cases.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

struct KernelOrder {
  std::string_view name;
  simt::Schedule schedule;
  int threads;
};
constexpr KernelOrder kernel_orders[] = {{"forward", simt::Schedule::forward, 1},
                                         {"reverse", simt::Schedule::reverse, 2},
                                         {"random:1", simt::Schedule::random, 1}};

}  // namespace

std::vector<Case> cuda_cases(const RunContext& context) {
  std::vector<Case> cases;
  const std::string seed = std::to_string(context.seed);
  std::vector<cuda::KernelCase> kernels;
  for (const auto family : {cuda::autosparse_cases, cuda::sparse_cases, cuda::tensor_core_cases}) {
    for (cuda::KernelCase& kernel : family()) kernels.push_back(std::move(kernel));
  }
  for (const cuda::KernelCase& kernel : kernels) {
    for (const KernelOrder& order : kernel_orders) {
      Case c{.member = kernel.member, .parameters = kernel.parameters};
      c.parameters.emplace_back("schedule", std::string(order.name));
      c.parameters.emplace_back("seed", seed);
      c.run = [run = kernel.run, &order](const RunContext& run_context) {
        simt::LaunchOptions options;
        options.block.schedule = order.schedule;
        options.threads = order.threads;
        const simt::LaunchScope scope(options);
        return run(run_context.seed);
      };
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

}  // namespace assay::suites
