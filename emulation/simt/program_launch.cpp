// Launches of programs: include/assay_simt.h and include/cuda_launch.h.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "emulation/simt/faults.hpp"
#include "emulation/simt/grid.hpp"
#include "emulation/simt/imitated_gpu.hpp"
#include "emulation/simt/include/assay_simt.h"
#include "emulation/simt/include/cuda_launch.h"
#include "emulation/simt/include/cuda_runtime_api.h"
#include "emulation/simt/launch_scope.hpp"
#include "emulation/simt/observer.hpp"
#include "emulation/simt/record.hpp"
#include "emulation/simt/runtime.hpp"
#include "reference/core/parallel.hpp"

namespace assay_simt {
namespace {

using assay::simt::Block;
using assay::simt::Ended;
using assay::simt::LaunchOptions;
using assay::simt::Outcome;
using assay::simt::Schedule;

[[noreturn]] void refuse(const char* name, const char* value, const char* expected) {
  std::fprintf(stderr, "%s=%s: expected %s\n", name, value, expected);
  std::exit(2);
}
template <class T>
bool parse(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

LaunchOptions read_environment() {
  LaunchOptions options;
  if (const char* const name = "ASSAY_SIMT_SCHEDULE", * const value = std::getenv(name); value != nullptr) {
    const std::string_view text = value;
    constexpr std::string_view random = "random:";
    if (text == "forward") {
      options.block.schedule = Schedule::forward;
    } else if (text == "reverse") {
      options.block.schedule = Schedule::reverse;
    } else if (text.starts_with(random) && parse(text.substr(random.size()), options.block.seed)) {
      options.block.schedule = Schedule::random;
    } else {
      refuse(name, value, "forward, reverse or random:SEED");
    }
  }
  if (const char* const name = "ASSAY_SIMT_THREADS", * const value = std::getenv(name); value != nullptr) {
    if (!parse(value, options.threads) || options.threads < 1 || options.threads > assay::most_threads)
      refuse(name, value, "a number of threads from 1 to 4096");
  }
  if (const char* const name = "ASSAY_SIMT_STACK", * const value = std::getenv(name); value != nullptr) {
    constexpr std::size_t least = 1 << 14, most = 1 << 30;
    std::size_t& bytes = options.block.stack_bytes;
    if (!parse(value, bytes) || bytes < least || bytes > most)
      refuse(name, value, "16384 to 1073741824 bytes");
  }
  if (const char* const name = "ASSAY_SIMT_FTZ", * const value = std::getenv(name); value != nullptr) {
    const std::string_view text = value;
    if (text != "0" && text != "1") refuse(name, value, "0 or 1");
    options.flush_subnormals = text == "1";
  }
  if (const char* const name = "ASSAY_SIMT_SECONDS", * const value = std::getenv(name); value != nullptr) {
    if (!parse(value, options.seconds) || !(options.seconds > 0) || options.seconds > 1e6)
      refuse(name, value, "a number of seconds above 0");
  }
  return options;
}

// Of the innermost LaunchScope of this host thread.
thread_local const LaunchOptions* options_of_scope = nullptr;

cudaError_t error_of(Ended how) {
  switch (how) {
    case Ended::well: return cudaSuccess;
    case Ended::not_started: return cudaErrorInvalidConfiguration;
    case Ended::failed: return cudaErrorLaunchFailure;
    case Ended::timed_out: return cudaErrorLaunchTimeout;
  }
  return cudaErrorUnknown;
}

struct Registry {
  std::mutex mutex{};
  struct Known {
    Invoker invoker;
    BindKernel bind;
  };
  std::map<const void*, Known> all{};
  static Registry& one() {
    static Registry registry;
    return registry;
  }
};

BoundKernel bind_registered(const void* kernel, void** parameters) {
  Registry& registry = Registry::one();
  BindKernel bind = nullptr;
  {
    const std::scoped_lock lock(registry.mutex);
    if (const auto found = registry.all.find(kernel); found != registry.all.end()) bind = found->second.bind;
  }
  return bind == nullptr ? BoundKernel{} : bind(kernel, parameters);
}

cudaError_t refuse_call(cudaError_t error) {
  report(error);
  return error;
}

}  // namespace

void poison_shared(const volatile void* variable, std::size_t bytes, unsigned long long& run) {
  const Block* const block = Block::current();
  if (block == nullptr || run == block->run_number()) return;
  run = block->run_number();
  std::memset(const_cast<void*>(variable), 0xFF, bytes);
  assay::simt::add_shared_variable(const_cast<const void*>(variable), bytes);
}

const LaunchOptions& options_of_environment() {
  if (options_of_scope != nullptr) return *options_of_scope;
  static const LaunchOptions options = read_environment();
  return options;
}

// A CUDA error, or 0.
int Launch::why_not() const {
  const assay::simt::LaunchLimits limits = assay::simt::imitated_limits();
  if (!assay::simt::why_not_launched(grid_, block_, 0, limits).empty()) return cudaErrorInvalidConfiguration;
  if (shared_bytes_ > limits.shared_bytes) return cudaErrorInvalidValue;
  if (!cooperative_) return cudaSuccess;
  const assay::simt::ImitatedGpu& gpu = assay::simt::imitated_gpu();
  const std::size_t threads = std::size_t{block_.x} * block_.y * block_.z, warps = (threads + 31) / 32;
  const std::size_t resident =
      std::min({static_cast<std::size_t>(gpu.blocks_per_multiprocessor),
                static_cast<std::size_t>(gpu.threads_per_multiprocessor) / (32 * warps),
                gpu.shared_per_multiprocessor / (shared_bytes_ + gpu.shared_reserved)});
  const std::uint64_t blocks = std::uint64_t{grid_.x} * grid_.y * grid_.z;
  return blocks > resident * static_cast<std::size_t>(gpu.multiprocessors)
             ? cudaErrorCooperativeLaunchTooLarge
             : cudaSuccess;
}

Outcome Launch::run_now(const Kernel& kernel) const {
  LaunchOptions options = options_of_environment();
  options.cooperative = cooperative_;
  options.name = line_ == 0 ? std::string("the kernel of a ") + file_
                            : "the kernel launched at " + std::string(file_) + ':' + std::to_string(line_);
  assay::simt::record_launch(options.name, grid_, block_);
  if (assay::simt::observer != nullptr) assay::simt::observer->enters_range(assay::simt::current_range());
  Outcome outcome = assay::simt::run_grid(grid_, block_, shared_bytes_, kernel, options);
  if (outcome.how != Ended::well) outcome.text = options.name + ", " + outcome.text;
  return outcome;
}

void Launch::report_variable_captured() {
  std::fprintf(
      stderr,
      "simt: a stream captures a launch of a kernel through a variable, which the dialect does not have\n");
  report(cudaErrorNotSupported);
}

int Launch::start_kernel(const Kernel& kernel) const {
  // What a failed kernel has left is no input of another one.
  if (const cudaError_t error = runtime::lasting_error(); error != cudaSuccess) return error;
  if (const int error = why_not(); error != cudaSuccess) {
    report(error);
    return error;
  }
  assay::simt::catch_faults_of_kernels();
  const Outcome outcome = run_now(kernel);
  if (outcome.how == Ended::not_started) {
    report(cooperative_ ? cudaErrorCooperativeLaunchTooLarge : cudaErrorInvalidConfiguration);
    return cooperative_ ? cudaErrorCooperativeLaunchTooLarge : cudaErrorInvalidConfiguration;
  }
  // The kernel's own error is seen by those who wait for it.
  if (outcome.how != Ended::well) report(error_of(outcome.how), outcome.text);
  return cudaSuccess;
}

int Launch::defer_kernel(std::unique_ptr<assay::simt::Deferred> kernel) const {
  Block& block = *Block::current();
  int error = why_not();
  if (error == cudaSuccess && block.grid()->depth() >= assay::simt::most_nested_launches)
    error = cudaErrorLaunchMaxDepthExceeded;
  if (error != cudaSuccess) {
    report(error);
    return error;
  }
  block.grid()->defer(block.number(), stream_ == cudaStreamTailLaunch, std::move(kernel));
  return cudaSuccess;
}

bool register_kernel(const void* kernel, Invoker invoker, BindKernel bind) {
  bind_kernel = bind_registered;
  Registry& registry = Registry::one();
  const std::scoped_lock lock(registry.mutex);
  return registry.all.emplace(kernel, Registry::Known{invoker, bind}).second;
}
Invoker invoker_of(const void* kernel) {
  Registry& registry = Registry::one();
  const std::scoped_lock lock(registry.mutex);
  const auto found = registry.all.find(kernel);
  return found == registry.all.end() ? nullptr : found->second.invoker;
}

}  // namespace assay_simt

using assay_simt::Invoker;
using assay_simt::invoker_of;
using assay_simt::Launch;

cudaError_t assay_simt_launch_of(const cudaLaunchConfig_t* config, Launch& launch) {
  if (config == nullptr || (config->numAttrs != 0 && config->attrs == nullptr))
    return assay_simt::refuse_call(cudaErrorInvalidValue);
  launch = launch.with(config->gridDim, config->blockDim, config->dynamicSmemBytes, config->stream);
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config->attrs[i];
    switch (attribute.id) {
      case cudaLaunchAttributeIgnore:
      // What changes no result.
      case cudaLaunchAttributeAccessPolicyWindow:
      case cudaLaunchAttributeSynchronizationPolicy:
      case cudaLaunchAttributeMemSyncDomainMap:
      case cudaLaunchAttributeMemSyncDomain:
      case cudaLaunchAttributePreferredSharedMemoryCarveout:
      case cudaLaunchAttributePreferredClusterDimension:
      case cudaLaunchAttributeClusterSchedulingPolicyPreference:
      case cudaLaunchAttributeProgrammaticStreamSerialization:
      case cudaLaunchAttributePriority: continue;
      case cudaLaunchAttributeCooperative: launch.cooperative(attribute.val.cooperative != 0); continue;
      case cudaLaunchAttributeClusterDimension: {
        const auto& d = attribute.val.clusterDim;
        if (d.x == 1 && d.y == 1 && d.z == 1) continue;
        std::fprintf(stderr,
                     "simt: a launch with clusters of several blocks, which the dialect does not have\n");
        return assay_simt::refuse_call(cudaErrorNotSupported);
      }
      case cudaLaunchAttributeProgrammaticEvent:
      case cudaLaunchAttributeLaunchCompletionEvent: return assay_simt::refuse_call(cudaErrorNotSupported);
    }
    return assay_simt::refuse_call(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                             std::size_t shared_bytes, cudaStream_t stream) {
  const Invoker invoker = invoker_of(kernel);
  if (invoker == nullptr) return assay_simt::refuse_call(cudaErrorInvalidDeviceFunction);
  return static_cast<cudaError_t>(
      invoker(kernel, Launch(grid, block, shared_bytes, stream, "cudaLaunchKernel", 0), arguments));
}
cudaError_t cudaLaunchCooperativeKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                        std::size_t shared_bytes, cudaStream_t stream) {
  const Invoker invoker = invoker_of(kernel);
  if (invoker == nullptr) return assay_simt::refuse_call(cudaErrorInvalidDeviceFunction);
  Launch launch(grid, block, shared_bytes, stream, "cudaLaunchCooperativeKernel", 0);
  return static_cast<cudaError_t>(invoker(kernel, launch.cooperative(), arguments));
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments) {
  const Invoker invoker = invoker_of(kernel);
  if (invoker == nullptr) return assay_simt::refuse_call(cudaErrorInvalidDeviceFunction);
  Launch launch(1, 1, 0, nullptr, "cudaLaunchKernelExC", 0);
  if (const cudaError_t error = assay_simt_launch_of(config, launch); error != cudaSuccess) return error;
  return static_cast<cudaError_t>(invoker(kernel, launch, arguments));
}

namespace assay::simt {

LaunchScope::LaunchScope(const LaunchOptions& options)
    : options_(options), before_(std::exchange(assay_simt::options_of_scope, &options_)) {}
LaunchScope::~LaunchScope() { assay_simt::options_of_scope = before_; }

}  // namespace assay::simt
