#include "tests/gpu/kernels/wrong_bf16_kernels.hpp"

#include <stdexcept>

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/gemm_bf16.cuh"
#include "gpu/kernels/spmm_bsr_bf16_mma.cuh"
#include "gpu/kernels/spmm_bsr_bf16_wgmma.cuh"

namespace assay {
namespace {

using gpu::bf16_tiles::Steps;
using WgmmaSteps = gpu::spmm_bsr_wgmma_kernels::Steps;

struct Transposed : Steps {
  __device__ static void fragments_b(std::uint32_t (&b)[4], std::uint32_t row) {
    gpu::bf16_tiles::ldmatrix(b, row);
  }
};
struct Stale : Steps {
  template <int groups_left>
  __device__ static void wait() {
    gpu::bf16_tiles::cp_async_wait<groups_left + 1>();
  }
};
struct Tail : Steps {
  __device__ static int numbers(std::ptrdiff_t) { return gpu::bf16_tiles::piece; }
};
struct Descending : Steps {
  __device__ static int place_of(int i, int chunks) { return chunks - 1 - i; }
};
__device__ float in_bf16(float x) { return __uint_as_float(gpu::bf16_tiles::bf16_pair(x, 0.0F) << 16); }
struct Bf16Sums : Steps {
  __device__ static void multiply(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                  std::uint32_t b1) {
    Steps::multiply(d, a, b0, b1);
    for (float& sum : d) sum = in_bf16(sum);
  }
};

struct WgmmaTransposed : WgmmaSteps {
  __device__ static void multiply(float (&d)[64], std::uint64_t a, std::uint64_t x) {
    gpu::hopper::multiply_64x128<0>(d, a, x);
  }
};
struct WgmmaStale : WgmmaSteps {
  __device__ static void wait_full(std::uint32_t, std::uint32_t) {}
};
struct WgmmaDescending : WgmmaSteps {
  __device__ static int place_of(int i, int chunks) { return chunks - 1 - i; }
};
struct WgmmaBf16Sums : WgmmaSteps {
  __device__ static void multiply(float (&d)[64], std::uint64_t a, std::uint64_t x) {
    WgmmaSteps::multiply(d, a, x);
    for (float& sum : d) sum = in_bf16(sum);
  }
};

// rows x n floats with room around them that a kernel leaves alone.
class Guarded {
 public:
  Guarded(std::size_t rows, std::size_t n)
      : rows_(rows),
        n_(n),
        array_(std::span<const float>(std::vector<float>((rows + 2) * (n + 3), untouched))) {}
  float* data() const { return array_.data(); }
  std::size_t stride() const { return n_ + 3; }
  std::vector<float> on_host() const {
    const std::vector<float> all = array_.on_host();
    std::vector<float> y;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t row = i / stride(), column = i % stride();
      if (row < rows_ && column < n_) {
        y.push_back(all[i]);
      } else if (all[i] != untouched) {
        throw std::runtime_error("row " + std::to_string(row) + ", column " + std::to_string(column) +
                                 " lies outside of Y and is written");
      }
    }
    return y;
  }

 private:
  static constexpr float untouched = -123.25F;
  std::size_t rows_, n_;
  gpu::DeviceArray<float> array_;
};

using Operands = gpu::SpmmBsrBf16<float>;
void launch_mma(Bf16Fault fault, Operands o) {
  namespace kernels = gpu::spmm_bsr_mma_kernels;
  switch (fault) {
    case Bf16Fault::none: return kernels::launch<Steps>(o, nullptr);
    case Bf16Fault::transposed_fragment: return kernels::launch<Transposed>(o, nullptr);
    case Bf16Fault::stale_stage: return kernels::launch<Stale>(o, nullptr);
    case Bf16Fault::tail: return kernels::launch<Tail>(o, nullptr);
    case Bf16Fault::chunk_order: return kernels::launch<Descending>(o, nullptr);
    case Bf16Fault::bf16_sums: return kernels::launch<Bf16Sums>(o, nullptr);
    case Bf16Fault::row_too_many: ++o.rows; return kernels::launch<Steps>(o, nullptr);
  }
}
void launch_wgmma(Bf16Fault fault, Operands o) {
  namespace kernels = gpu::spmm_bsr_wgmma_kernels;
  const gpu::SpmmBsrWgmmaLaunch how{1};
  switch (fault) {
    case Bf16Fault::none: return kernels::launch<WgmmaSteps>(o, how, nullptr);
    case Bf16Fault::transposed_fragment: return kernels::launch<WgmmaTransposed>(o, how, nullptr);
    case Bf16Fault::stale_stage: return kernels::launch<WgmmaStale>(o, how, nullptr);
    case Bf16Fault::tail:  // boxes end where the tensor map says
      o.cols = (o.cols + 63) / 64 * 64;
      return kernels::launch<WgmmaSteps>(o, how, nullptr);
    case Bf16Fault::chunk_order: return kernels::launch<WgmmaDescending>(o, how, nullptr);
    case Bf16Fault::bf16_sums: return kernels::launch<WgmmaBf16Sums>(o, how, nullptr);
    case Bf16Fault::row_too_many: ++o.rows; return kernels::launch<WgmmaSteps>(o, how, nullptr);
  }
}

}  // namespace

std::vector<float> run_faulty_gemm(Bf16Fault fault, const gpu::GemmBf16Problem& p) {
  namespace kernels = gpu::gemm_bf16_kernels;
  const gpu::DeviceArray<std::uint16_t> a(p.a), b(p.b);
  const Guarded d(p.m, p.n);
  gpu::GemmBf16<float> o{p.m, p.n, p.k, a.data(), p.a_stride, b.data(), p.b_stride, d.data(), d.stride()};
  switch (fault) {
    case Bf16Fault::none: kernels::launch<Steps>(o, nullptr); break;
    case Bf16Fault::transposed_fragment: kernels::launch<Transposed>(o, nullptr); break;
    case Bf16Fault::stale_stage: kernels::launch<Stale>(o, nullptr); break;
    case Bf16Fault::tail: kernels::launch<Tail>(o, nullptr); break;
    case Bf16Fault::chunk_order: kernels::launch<Descending>(o, nullptr); break;
    case Bf16Fault::bf16_sums: kernels::launch<Bf16Sums>(o, nullptr); break;
    case Bf16Fault::row_too_many:
      ++o.m;
      kernels::launch<Steps>(o, nullptr);
      break;
  }
  return d.on_host();
}

std::vector<float> run_faulty_spmm(Bf16Fault fault, gpu::BsrKernel kernel, const gpu::SpmmBsrBf16Problem& p) {
  const gpu::DeviceArray<std::int64_t> row_offsets(p.a.row_offsets);
  const gpu::DeviceArray<std::int32_t> column_indices(p.a.column_indices);
  const gpu::DeviceArray<std::uint16_t> values(p.values), x(p.x);
  const Guarded y(static_cast<std::size_t>(p.a.rows), p.n);
  Operands o{static_cast<std::size_t>(p.a.rows), static_cast<std::size_t>(p.a.cols), p.n,
             static_cast<int>(p.a.block_height), static_cast<std::size_t>(p.a.blocks())};
  o.row_offsets = row_offsets.data();
  o.column_indices = column_indices.data();
  o.values = values.data();
  o.x = x.data();
  o.x_stride = p.x_stride;
  o.y = y.data();
  o.y_stride = y.stride();
  if (kernel == gpu::BsrKernel::mma) {
    launch_mma(fault, o);
  } else {
    launch_wgmma(fault, o);
  }
  return y.on_host();
}

Bf16Refusals bf16_refusals() {
  const auto said = [](const auto& launch) {
    try {
      launch();
    } catch (const ContractError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const gpu::DeviceArray<std::uint16_t> numbers(64 * 64 + 8);
  const gpu::DeviceArray<float> y(64 * 64);
  const std::int64_t offsets[] = {0, 1};
  const std::int32_t columns[] = {0};
  const gpu::DeviceArray<std::int64_t> row_offsets{std::span<const std::int64_t>(offsets)};
  const gpu::DeviceArray<std::int32_t> column_indices{std::span<const std::int32_t>(columns)};
  const auto gemm = [&](const std::uint16_t* a, float* d) {
    return said([&] {
      gpu::gemm_bf16(gpu::GemmBf16<float>{8, 8, 8, a, 8, numbers.data(), 8, d, 8}, nullptr);
    });
  };
  const auto spmm = [&](const std::uint16_t* values, const std::uint16_t* x, std::size_t x_stride) {
    Operands o{64, 64, 8, 64, 1, row_offsets.data(), column_indices.data(), values};
    o.x = x;
    o.x_stride = x_stride;
    o.y = y.data();
    o.y_stride = 8;
    return said([&] { gpu::spmm_bsr_bf16_wgmma(o, {}, nullptr); });
  };
  float* const between = reinterpret_cast<float*>(reinterpret_cast<unsigned char*>(y.data()) + 2);
  return {gemm(nullptr, y.data()), gemm(numbers.data(), between), spmm(numbers.data() + 4, numbers.data(), 8),
          spmm(numbers.data(), numbers.data() + 1, 8), spmm(numbers.data(), numbers.data(), 9)};
}

}  // namespace assay
