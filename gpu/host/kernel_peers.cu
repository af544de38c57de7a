#include "gpu/host/kernel_peers.hpp"

#include <cuda_runtime.h>

#include <array>
#include <memory>
#include <utility>

#include "gpu/kernels/device_array.cuh"

// ASSAY_NO_PEERS: for the executor of emulation/simt, whose device memory no library can take.
#if !defined(ASSAY_NO_PEERS) && __has_include(<cusparse.h>)
#define ASSAY_HAS_CUSPARSE 1
#include <cusparse.h>
#else
#define ASSAY_HAS_CUSPARSE 0
#endif
#if !defined(ASSAY_NO_PEERS) && __has_include(<cublas_v2.h>)
#define ASSAY_HAS_CUBLAS 1
#include <cublas_v2.h>
#else
#define ASSAY_HAS_CUBLAS 0
#endif

namespace assay::gpu {
namespace {

// An algorithm of a library that this build does not know.
[[maybe_unused]] std::vector<PeerAlgorithm> not_compiled(const char* name, const char* header) {
  return {{name, [header]() -> std::function<void()> {
             throw PeerError(std::string("compiled without ") + header);
           }}};
}

#if ASSAY_HAS_CUSPARSE

class Cusparse {
 public:
  // Loaded when first asked for; a failure is asked for again.
  static const Cusparse& get() {
    static const Cusparse one;
    return one;
  }
  void require(cusparseStatus_t status, const char* call) const {
    if (status != CUSPARSE_STATUS_SUCCESS)
      throw PeerError(std::string(call) + " of " + library_.soname() + ": " + error_string(status));
  }

 private:
  PeerLibrary library_{{"libcusparse.so.12", "libcusparse.so.13"}};

 public:
#define ASSAY_CUSPARSE(member, name) decltype(&name) member = library_.symbol<decltype(&name)>(#name)
  ASSAY_CUSPARSE(error_string, cusparseGetErrorString);
  ASSAY_CUSPARSE(create, cusparseCreate);
  ASSAY_CUSPARSE(create_csr, cusparseCreateCsr);
  ASSAY_CUSPARSE(create_blocked_ell, cusparseCreateBlockedEll);
  ASSAY_CUSPARSE(destroy_sparse, cusparseDestroySpMat);
  ASSAY_CUSPARSE(create_dense, cusparseCreateDnMat);
  ASSAY_CUSPARSE(destroy_dense, cusparseDestroyDnMat);
  ASSAY_CUSPARSE(spmm_bytes, cusparseSpMM_bufferSize);
  ASSAY_CUSPARSE(spmm_preprocess, cusparseSpMM_preprocess);
  ASSAY_CUSPARSE(spmm, cusparseSpMM);
  ASSAY_CUSPARSE(sddmm_bytes, cusparseSDDMM_bufferSize);
  ASSAY_CUSPARSE(sddmm_preprocess, cusparseSDDMM_preprocess);
  ASSAY_CUSPARSE(sddmm, cusparseSDDMM);
#undef ASSAY_CUSPARSE
  cusparseHandle_t handle = nullptr;

  // Of CUDA 12.1 and later.
  decltype(&cusparseCreateBsr) create_bsr() const {
    return library_.symbol<decltype(&cusparseCreateBsr)>("cusparseCreateBsr");
  }

 private:
  Cusparse() { require(create(&handle), "cusparseCreate"); }
};
#define ASSAY_PEER(call, name) Cusparse::get().require(Cusparse::get().call, name)

cudaDataType cuda_type(PeerType type) { return type == PeerType::f32 ? CUDA_R_32F : CUDA_R_16BF; }

// A descriptor that is destroyed with the last launch that has it.
class SparseOperand {
 public:
  SparseOperand() = default;
  ~SparseOperand() {
    if (descriptor != nullptr) Cusparse::get().destroy_sparse(descriptor);
  }
  SparseOperand(const SparseOperand&) = delete;
  SparseOperand& operator=(const SparseOperand&) = delete;
  cusparseSpMatDescr_t descriptor = nullptr;
};
class DenseOperand {
 public:
  DenseOperand(const PeerDense& d, PeerType type) {
    ASSAY_PEER(create_dense(&descriptor, d.rows, d.cols, d.cols, d.data, cuda_type(type), CUSPARSE_ORDER_ROW),
               "cusparseCreateDnMat");
  }
  ~DenseOperand() { Cusparse::get().destroy_dense(descriptor); }
  DenseOperand(const DenseOperand&) = delete;
  DenseOperand& operator=(const DenseOperand&) = delete;
  cusparseDnMatDescr_t descriptor = nullptr;
};

enum class SparseLayout : std::uint8_t { csr, bsr, blocked_ell };

std::shared_ptr<SparseOperand> sparse_operand(SparseLayout layout, const PeerSparse& s, cudaDataType type) {
  auto out = std::make_shared<SparseOperand>();
  switch (layout) {
    case SparseLayout::csr:
      ASSAY_PEER(create_csr(&out->descriptor, s.rows, s.cols, s.stored, s.offsets, s.columns, s.values,
                            CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, type),
                 "cusparseCreateCsr");
      break;
    case SparseLayout::bsr:
      ASSAY_PEER(create_bsr()(&out->descriptor, s.rows / s.block, s.cols / s.block, s.stored, s.block,
                              s.block, s.offsets, s.columns, s.values, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I,
                              CUSPARSE_INDEX_BASE_ZERO, type, CUSPARSE_ORDER_ROW),
                 "cusparseCreateBsr");
      break;
    case SparseLayout::blocked_ell:
      ASSAY_PEER(create_blocked_ell(&out->descriptor, s.rows, s.cols, s.block,
                                    s.stored / (s.rows / s.block) * s.block, s.columns, s.values,
                                    CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, type),
                 "cusparseCreateBlockedEll");
      break;
  }
  return out;
}

// What the launches of a product share.
struct CusparseProduct {
  CusparseProduct(std::shared_ptr<SparseOperand> s, const PeerDense& one, const PeerDense& other,
                  PeerType type)
      : sparse(std::move(s)), first(one, type), second(other, type) {}

  std::shared_ptr<SparseOperand> sparse;
  DenseOperand first, second;
  float alpha = 1, beta = 0;
  std::unique_ptr<DeviceArray<unsigned char>> workspace{};

  void allocate(std::size_t bytes) {
    try {
      workspace = std::make_unique<DeviceArray<unsigned char>>(bytes == 0 ? 1 : bytes);
    } catch (const DeviceError& error) {
      cudaGetLastError();  // the error is this peer's alone
      throw PeerError("a workspace of " + std::to_string(bytes) + " bytes: " + error.what());
    }
  }
};

constexpr cusparseOperation_t as_it_is = CUSPARSE_OPERATION_NON_TRANSPOSE;

std::function<void()> prepare_spmm(SparseLayout layout, PeerType type, cusparseSpMMAlg_t algorithm,
                                   const PeerSparse& a, const PeerDense& x, const PeerDense& y) {
  const Cusparse& c = Cusparse::get();
  auto p = std::make_shared<CusparseProduct>(sparse_operand(layout, a, cuda_type(type)), x, y, type);
  std::size_t bytes = 0;
  c.require(c.spmm_bytes(c.handle, as_it_is, as_it_is, &p->alpha, p->sparse->descriptor, p->first.descriptor,
                         &p->beta, p->second.descriptor, CUDA_R_32F, algorithm, &bytes),
            "cusparseSpMM_bufferSize");
  p->allocate(bytes);
  // Formats without preprocessing say so; the product does not need it.
  if (layout == SparseLayout::csr)
    c.require(
        c.spmm_preprocess(c.handle, as_it_is, as_it_is, &p->alpha, p->sparse->descriptor, p->first.descriptor,
                          &p->beta, p->second.descriptor, CUDA_R_32F, algorithm, p->workspace->data()),
        "cusparseSpMM_preprocess");
  return [p, &c, algorithm] {
    c.require(c.spmm(c.handle, as_it_is, as_it_is, &p->alpha, p->sparse->descriptor, p->first.descriptor,
                     &p->beta, p->second.descriptor, CUDA_R_32F, algorithm, p->workspace->data()),
              "cusparseSpMM");
  };
}

std::function<void()> prepare_sddmm(PeerType type, const PeerSparse& mask, const PeerDense& a,
                                    const PeerDense& b) {
  const Cusparse& c = Cusparse::get();
  constexpr cusparseOperation_t turned = CUSPARSE_OPERATION_TRANSPOSE;
  constexpr cusparseSDDMMAlg_t algorithm = CUSPARSE_SDDMM_ALG_DEFAULT;
  auto p = std::make_shared<CusparseProduct>(sparse_operand(SparseLayout::csr, mask, CUDA_R_32F), a, b, type);
  std::size_t bytes = 0;
  c.require(c.sddmm_bytes(c.handle, as_it_is, turned, &p->alpha, p->first.descriptor, p->second.descriptor,
                          &p->beta, p->sparse->descriptor, CUDA_R_32F, algorithm, &bytes),
            "cusparseSDDMM_bufferSize");
  p->allocate(bytes);
  c.require(
      c.sddmm_preprocess(c.handle, as_it_is, turned, &p->alpha, p->first.descriptor, p->second.descriptor,
                         &p->beta, p->sparse->descriptor, CUDA_R_32F, algorithm, p->workspace->data()),
      "cusparseSDDMM_preprocess");
  return [p, &c] {
    c.require(c.sddmm(c.handle, as_it_is, turned, &p->alpha, p->first.descriptor, p->second.descriptor,
                      &p->beta, p->sparse->descriptor, CUDA_R_32F, algorithm, p->workspace->data()),
              "cusparseSDDMM");
  };
}

#endif  // ASSAY_HAS_CUSPARSE

#if ASSAY_HAS_CUBLAS

class Cublas {
 public:
  static const Cublas& get() {
    static const Cublas one;
    return one;
  }
  void require(cublasStatus_t status, const char* call) const {
    if (status != CUBLAS_STATUS_SUCCESS)
      throw PeerError(std::string(call) + " of " + library_.soname() + ": " + status_string(status));
  }

 private:
  PeerLibrary library_{{"libcublas.so.13", "libcublas.so.12"}};
  decltype(&cublasGetStatusString) status_string =
      library_.symbol<decltype(&cublasGetStatusString)>("cublasGetStatusString");
  decltype(&cublasCreate_v2) create = library_.symbol<decltype(&cublasCreate_v2)>("cublasCreate_v2");

 public:
  // Overloaded for C++ in cublas_api.h: the C function of 32-bit sizes.
  using Gemm = cublasStatus_t(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                              const void*, const void*, cudaDataType, int, const void*, cudaDataType, int,
                              const void*, void*, cudaDataType, int, cublasComputeType_t, cublasGemmAlgo_t);
  Gemm* gemm = library_.symbol<Gemm*>("cublasGemmEx");
  cublasHandle_t handle = nullptr;

 private:
  Cublas() { require(create(&handle), "cublasCreate"); }
};

#endif  // ASSAY_HAS_CUBLAS

}  // namespace

#if ASSAY_HAS_CUSPARSE
std::vector<PeerAlgorithm> cusparse_spmm_csr(PeerType type, const PeerSparse& a, const PeerDense& x,
                                             const PeerDense& y) {
  std::vector<PeerAlgorithm> all;
  for (const auto& [name, algorithm] : {std::pair{"CUSPARSE_SPMM_ALG_DEFAULT", CUSPARSE_SPMM_ALG_DEFAULT},
                                        {"CUSPARSE_SPMM_CSR_ALG2", CUSPARSE_SPMM_CSR_ALG2},
                                        {"CUSPARSE_SPMM_CSR_ALG3", CUSPARSE_SPMM_CSR_ALG3}}) {
    all.push_back({name, [=, by = algorithm] { return prepare_spmm(SparseLayout::csr, type, by, a, x, y); }});
  }
  return all;
}
std::vector<PeerAlgorithm> cusparse_spmm_bsr(PeerType type, const PeerSparse& a, const PeerDense& x,
                                             const PeerDense& y) {
  return {{"CUSPARSE_SPMM_BSR_ALG1",
           [=] { return prepare_spmm(SparseLayout::bsr, type, CUSPARSE_SPMM_BSR_ALG1, a, x, y); }}};
}
std::vector<PeerAlgorithm> cusparse_spmm_blocked_ell(PeerType type, const PeerSparse& a, const PeerDense& x,
                                                     const PeerDense& y) {
  return {{"CUSPARSE_SPMM_BLOCKED_ELL_ALG1", [=] {
             return prepare_spmm(SparseLayout::blocked_ell, type, CUSPARSE_SPMM_BLOCKED_ELL_ALG1, a, x, y);
           }}};
}
std::vector<PeerAlgorithm> cusparse_sddmm_csr(PeerType type, const PeerSparse& mask, const PeerDense& a,
                                              const PeerDense& b_turned) {
  return {{"CUSPARSE_SDDMM_ALG_DEFAULT", [=] { return prepare_sddmm(type, mask, a, b_turned); }}};
}
#else
std::vector<PeerAlgorithm> cusparse_spmm_csr(PeerType, const PeerSparse&, const PeerDense&,
                                             const PeerDense&) {
  return not_compiled("SpMM", "cusparse.h");
}
std::vector<PeerAlgorithm> cusparse_spmm_bsr(PeerType, const PeerSparse&, const PeerDense&,
                                             const PeerDense&) {
  return not_compiled("SpMM", "cusparse.h");
}
std::vector<PeerAlgorithm> cusparse_spmm_blocked_ell(PeerType, const PeerSparse&, const PeerDense&,
                                                     const PeerDense&) {
  return not_compiled("SpMM", "cusparse.h");
}
std::vector<PeerAlgorithm> cusparse_sddmm_csr(PeerType, const PeerSparse&, const PeerDense&,
                                              const PeerDense&) {
  return not_compiled("SDDMM", "cusparse.h");
}
#endif

#if ASSAY_HAS_CUBLAS
std::vector<PeerAlgorithm> cublas_gemm(PeerType type, const PeerDense& a, const PeerDense& x,
                                       const PeerDense& y) {
  const cudaDataType number = type == PeerType::f32 ? CUDA_R_32F : CUDA_R_16BF;
  // Column-major: Y^T = X^T A^T.
  return {{"cublasGemmEx", [=]() -> std::function<void()> {
             const Cublas& c = Cublas::get();
             return [=, &c] {
               const float alpha = 1, beta = 0;
               const auto size = [](std::int64_t n) { return static_cast<int>(n); };
               c.require(c.gemm(c.handle, CUBLAS_OP_N, CUBLAS_OP_N, size(x.cols), size(a.rows), size(a.cols),
                                &alpha, x.data, number, size(x.cols), a.data, number, size(a.cols), &beta,
                                y.data, number, size(y.cols), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                         "cublasGemmEx");
             };
           }}};
}
#else
std::vector<PeerAlgorithm> cublas_gemm(PeerType, const PeerDense&, const PeerDense&, const PeerDense&) {
  return not_compiled("cublasGemmEx", "cublas_v2.h");
}
#endif

}  // namespace assay::gpu
