// The CUDA production kernels under the executor: the bits of their contracts for every order of threads, and the exact
// results with proven bounds.
#include <string>
#include <string_view>
#include <utility>

#include "emulation/simt/launch_scope.hpp"
#include "emulation/simt/matrix.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"
#include "validation/suites/cuda/recorded_kernels.hpp"
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

// The GPU whose units multiply, for a scope.
class ImitatedGpuScope {
 public:
  explicit ImitatedGpuScope(const std::string& gpu) : before_(simt::imitated_architecture()) {
    simt::imitate_architecture(gpu);
  }
  ~ImitatedGpuScope() { simt::imitate_architecture(before_); }
  ImitatedGpuScope(const ImitatedGpuScope&) = delete;
  ImitatedGpuScope& operator=(const ImitatedGpuScope&) = delete;

 private:
  std::string before_;
};

CaseResult judge_under_executor(const cuda::JudgedKernel& kernel, const KernelOrder& order,
                                std::uint64_t seed) {
  simt::LaunchOptions options;
  options.block.schedule = order.schedule;
  options.threads = order.threads;
  gpu::KernelArrays got;
  {
    const ImitatedGpuScope imitated(kernel.gpu.name());
    const simt::LaunchScope scope(options);
    got = kernel.kernel.run(seed);
  }
  return kernel.judge(seed, got);
}

}  // namespace

std::vector<Case> cuda_cases(const RunContext& context) {
  std::vector<cuda::JudgedKernel> kernels = cuda::judged_kernels({.architecture = 90, .has_wgmma = true});
  // sm_90's units are in the list; the same kernels on others.
  for (const int architecture : {80, 100}) {
    for (cuda::JudgedKernel& one :
         cuda::judged_tensor_cores({.architecture = architecture, .has_wgmma = false}))
      kernels.push_back(std::move(one));
  }
  std::vector<Case> cases;
  for (const cuda::JudgedKernel& kernel : kernels) {
    for (const KernelOrder& order : kernel_orders) {
      Case c{.member = kernel.kernel.member, .parameters = kernel.kernel.parameters};
      c.parameters.emplace_back("schedule", std::string(order.name));
      c.parameters.emplace_back("seed", std::to_string(context.seed));
      c.run = [kernel, &order](const RunContext& run_context) {
        return judge_under_executor(kernel, order, run_context.seed);
      };
      cases.push_back(std::move(c));
    }
  }
  if (!context.recorded.empty()) {
    for (Case& c : cuda::recorded_kernel_cases(context.recorded)) cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace assay::suites
