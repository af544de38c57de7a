// Of Thrust, in place of its own: thrust::cuda::par and par.on(stream). Streams run in order, so their algorithms are
// those of the host's, done when the call returns.
#pragma once

#include <thrust/system/cpp/execution_policy.h>

#include "emulation/simt/include/cuda_runtime_api.h"

THRUST_NAMESPACE_BEGIN
namespace system {
namespace cuda {
namespace detail {

struct par_t : thrust::system::cpp::detail::par_t {
  const thrust::system::cpp::detail::par_t& on(cudaStream_t) const { return *this; }
};

}  // namespace detail
inline constexpr detail::par_t par, par_nosync;
}  // namespace cuda
}  // namespace system

namespace cuda {
using thrust::system::cuda::par;
using thrust::system::cuda::par_nosync;
}  // namespace cuda
namespace cuda_cub {
using thrust::system::cuda::par;
using thrust::system::cuda::par_nosync;
}  // namespace cuda_cub
THRUST_NAMESPACE_END
