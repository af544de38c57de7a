// cuSPARSE's and cuBLAS's products on arrays of the device, by algorithm, for kernel_times.cu.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gpu/host/peer_library.hpp"

namespace assay::gpu {

enum class PeerType : std::uint8_t { f32, bf16 };

// Row-major, without gaps.
struct PeerDense {
  std::int64_t rows = 0, cols = 0;
  void* data = nullptr;
};

// CSR; or BSR with square blocks, row-major, the same number in every row of blocks. Offsets have 32 bits, as all
// versions take them.
struct PeerSparse {
  std::int64_t rows = 0, cols = 0, stored = 0;  // stored: numbers, or blocks
  std::int64_t block = 0;                       // BSR
  std::int32_t *offsets = nullptr, *columns = nullptr;
  void* values = nullptr;
};

// One algorithm: prepare() makes descriptors and workspace, and preprocesses; what it returns launches the product on
// the stream 0 and may be called again and again. Both throw PeerError.
struct PeerAlgorithm {
  std::string name{};
  std::function<std::function<void()>()> prepare{};
};

// Sums in float32, alpha 1, beta 0; operands and result of one type, but for SDDMM's result, which is float32.
std::vector<PeerAlgorithm> cusparse_spmm_csr(PeerType type, const PeerSparse& a, const PeerDense& x,
                                             const PeerDense& y);
std::vector<PeerAlgorithm> cusparse_spmm_bsr(PeerType type, const PeerSparse& a, const PeerDense& x,
                                             const PeerDense& y);
// `a` as blocked-ELL: its values are rows x (blocks of a row times block), row-major; offsets are not read.
std::vector<PeerAlgorithm> cusparse_spmm_blocked_ell(PeerType type, const PeerSparse& a, const PeerDense& x,
                                                     const PeerDense& y);
// out = (A B^T) where the mask stores: its values are the result; B^T is cols x k.
std::vector<PeerAlgorithm> cusparse_sddmm_csr(PeerType type, const PeerSparse& mask, const PeerDense& a,
                                              const PeerDense& b_turned);
std::vector<PeerAlgorithm> cublas_gemm(PeerType type, const PeerDense& a, const PeerDense& x,
                                       const PeerDense& y);

}  // namespace assay::gpu
