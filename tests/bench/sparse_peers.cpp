#include "tests/bench/sparse_peers.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdlib>

namespace {

// A library by one of its file names; null if there is none.
void* open_library(std::initializer_list<const char*> names) {
  const char* const folder = std::getenv("ASSAY_PEERS");
  for (const char* name : names) {
    if (folder != nullptr) {
      if (void* const found = dlopen((std::string(folder) + "/" + name).c_str(), RTLD_NOW | RTLD_LOCAL))
        return found;
    }
    if (void* const found = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return found;
  }
  return nullptr;
}

template <class F>
F* symbol(void* library, const char* name) {
  return library == nullptr ? nullptr : reinterpret_cast<F*>(dlsym(library, name));
}

Peer missing(std::string name, bool is_dense, std::string why) {
  return {.name = std::move(name), .is_dense = is_dense, .why_not = std::move(why), .prepare = nullptr};
}

// --- OpenBLAS: the dense product -------------------------------------------------------------------------------------

Peer openblas() {
  using Sgemm =
      void(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
  using SetThreads = void(int);
  void* const library = open_library({"libopenblas.so.0"});
  Sgemm* const sgemm = symbol<Sgemm>(library, "cblas_sgemm");
  SetThreads* const set_threads = symbol<SetThreads>(library, "openblas_set_num_threads");
  if (sgemm == nullptr || set_threads == nullptr)
    return missing("OpenBLAS dense", true, "no libopenblas.so.0");
  set_threads(1);
  return {
      .name = "OpenBLAS dense", .is_dense = true, .why_not = "", .prepare = [sgemm](const PeerProblem& p) {
        constexpr int row_major = 101, as_it_is = 111;
        return std::function<void()>([sgemm, &p] {
          sgemm(row_major, as_it_is, as_it_is, p.rows, p.n, p.cols, 1, p.dense, p.cols, p.x, p.n, 0, p.y,
                p.n);
        });
      }};
}

// --- MKL: its CSR, inspected -----------------------------------------------------------------------------------------

struct MklDescription {
  int type = 20;  // SPARSE_MATRIX_TYPE_GENERAL
  int mode = 0, diag = 0;
};
using MklCreate = int(void**, int, int, int, const int*, const int*, const int*, const float*);
using MklCreateBlocks = int(void**, int, int, int, int, int, const int*, const int*, const int*,
                            const float*);
using MklHint = int(void*, int, MklDescription, int, int, int);
using MklHintVector = int(void*, int, MklDescription, int);
using MklOptimize = int(void*);
using MklMultiply = int(int, float, void*, MklDescription, int, const float*, int, int, float, float*, int);
using MklMultiplyVector = int(int, float, void*, MklDescription, const float*, float, float*);
using MklDestroy = int(void*);

// `blocks`: its BSR.
Peer mkl(bool blocks) {
  setenv("MKL_THREADING_LAYER", "SEQUENTIAL", 0);
  void* const library = open_library({"libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"});
  auto* const create = symbol<MklCreate>(library, "mkl_sparse_s_create_csr");
  auto* const create_blocks = symbol<MklCreateBlocks>(library, "mkl_sparse_s_create_bsr");
  auto* const hint = symbol<MklHint>(library, "mkl_sparse_set_mm_hint");
  auto* const optimize = symbol<MklOptimize>(library, "mkl_sparse_optimize");
  auto* const multiply = symbol<MklMultiply>(library, "mkl_sparse_s_mm");
  auto* const hint_vector = symbol<MklHintVector>(library, "mkl_sparse_set_mv_hint");
  auto* const multiply_vector = symbol<MklMultiplyVector>(library, "mkl_sparse_s_mv");
  auto* const destroy = symbol<MklDestroy>(library, "mkl_sparse_destroy");
  if (create == nullptr || create_blocks == nullptr || hint == nullptr || optimize == nullptr ||
      multiply == nullptr || hint_vector == nullptr || multiply_vector == nullptr || destroy == nullptr)
    return missing(blocks ? "MKL BSR" : "MKL CSR", false,
                   "no libmkl_rt (PyPI: mkl; ASSAY_PEERS names its folder)");
  return {
      .name = blocks ? "MKL BSR" : "MKL CSR",
      .is_dense = false,
      .why_not = "",
      .prepare = [=](const PeerProblem& p) -> std::function<void()> {
        constexpr int base_zero = 0, as_it_is = 10, row_major = 101;
        void* made = nullptr;
        const int failed = blocks ? create_blocks(&made, base_zero, row_major, p.rows / p.block,
                                                  p.cols / p.block, p.block, p.block_row_offsets,
                                                  p.block_row_offsets + 1, p.block_columns, p.block_values)
                                  : create(&made, base_zero, p.rows, p.cols, p.row_offsets, p.row_offsets + 1,
                                           p.column_indices, p.values);
        if (failed != 0) return nullptr;
        const std::shared_ptr<void> matrix(made, [destroy](void* m) { destroy(m); });
        if (p.n == 1) {
          hint_vector(made, as_it_is, {}, 100000);
          optimize(made);
          return [=, &p] { multiply_vector(as_it_is, 1, matrix.get(), {}, p.x, 0, p.y); };
        }
        hint(made, as_it_is, {}, row_major, p.n, 100000);
        optimize(made);
        return [=, &p] { multiply(as_it_is, 1, matrix.get(), {}, row_major, p.x, p.n, p.n, 0, p.y, p.n); };
      }};
}

// --- oneDNN 3: a CSR source, and the dense product in bfloat16 -------------------------------------------------------

struct Dnnl {
  using Handle = void*;
  using Dims = std::array<std::int64_t, 12>;
  struct Argument {
    int arg;
    Handle memory;
  };
  int (*engine_create)(Handle*, int, std::size_t) = nullptr;
  int (*stream_create)(Handle*, Handle, unsigned) = nullptr;
  int (*csr)(Handle*, int, const std::int64_t*, int, std::int64_t, int, int) = nullptr;
  int (*with_tag)(Handle*, int, const std::int64_t*, int, int) = nullptr;
  int (*matmul)(Handle*, Handle, Handle, Handle, Handle, Handle, Handle) = nullptr;
  int (*primitive)(Handle*, Handle) = nullptr;
  int (*memory)(Handle*, Handle, Handle, void*) = nullptr;
  int (*memory_of_parts)(Handle*, Handle, Handle, int, void**) = nullptr;
  int (*execute)(Handle, Handle, int, const Argument*) = nullptr;
  int (*wait)(Handle) = nullptr;
  Handle engine = nullptr, stream = nullptr;

  explicit Dnnl(void* library) {
    const auto find = [&](const char* name, auto*& function) {
      function = symbol<std::remove_pointer_t<std::remove_reference_t<decltype(function)>>>(library, name);
      return function != nullptr;
    };
    const bool all = find("dnnl_engine_create", engine_create) && find("dnnl_stream_create", stream_create) &&
                     find("dnnl_memory_desc_create_with_csr_encoding", csr) &&
                     find("dnnl_memory_desc_create_with_tag", with_tag) &&
                     find("dnnl_matmul_primitive_desc_create", matmul) &&
                     find("dnnl_primitive_create", primitive) && find("dnnl_memory_create", memory) &&
                     find("dnnl_memory_create_v2", memory_of_parts) &&
                     find("dnnl_primitive_execute", execute) && find("dnnl_stream_wait", wait);
    constexpr int cpu = 1;
    constexpr unsigned in_order = 1;
    if (!all || engine_create(&engine, cpu, 0) != 0 || stream_create(&stream, engine, in_order) != 0)
      stream = nullptr;
  }

  // A matrix product of what was described.
  std::function<void()> product_of(Handle a, Handle a_memory, Handle x, const void* x_data, Handle y,
                                   float* y_data) const {
    Handle description = nullptr, product = nullptr, x_memory = nullptr, y_memory = nullptr;
    if (matmul(&description, engine, a, x, nullptr, y, nullptr) != 0 ||
        primitive(&product, description) != 0 ||
        memory(&x_memory, x, engine, const_cast<void*>(x_data)) != 0 ||
        memory(&y_memory, y, engine, y_data) != 0)
      return nullptr;
    return [*this, product, a_memory, x_memory, y_memory] {
      constexpr int source = 1, weights = 33, destination = 17;
      const Argument arguments[] = {{source, a_memory}, {weights, x_memory}, {destination, y_memory}};
      if (execute(product, stream, 3, arguments) != 0 || wait(stream) != 0) std::abort();
    };
  }

  std::function<void()> prepare_bf16(const PeerProblem& p) const {
    constexpr int bfloat16 = 2, float32 = 3, row_major = 3;
    const std::int64_t a_dims[12] = {p.rows, p.cols}, x_dims[12] = {p.cols, p.n}, y_dims[12] = {p.rows, p.n};
    Handle a = nullptr, x = nullptr, y = nullptr, a_memory = nullptr;
    if (with_tag(&a, 2, a_dims, bfloat16, row_major) != 0 ||
        with_tag(&x, 2, x_dims, bfloat16, row_major) != 0 ||
        with_tag(&y, 2, y_dims, float32, row_major) != 0 ||
        memory(&a_memory, a, engine, const_cast<std::uint16_t*>(p.dense_bf16)) != 0)
      return nullptr;
    return product_of(a, a_memory, x, p.x_bf16, y, p.y);
  }

  std::function<void()> prepare(const PeerProblem& p) const {
    constexpr int float32 = 3, int32 = 4, row_major = 3;
    const std::int64_t a_dims[12] = {p.rows, p.cols}, x_dims[12] = {p.cols, p.n}, y_dims[12] = {p.rows, p.n};
    Handle a = nullptr, x = nullptr, y = nullptr, a_memory = nullptr;
    if (csr(&a, 2, a_dims, float32, p.row_offsets[p.rows], int32, int32) != 0 ||
        with_tag(&x, 2, x_dims, float32, row_major) != 0 || with_tag(&y, 2, y_dims, float32, row_major) != 0)
      return nullptr;
    const auto writable = [](const void* of) { return const_cast<void*>(of); };
    void* parts[3] = {writable(p.values), writable(p.column_indices), writable(p.row_offsets)};
    if (memory_of_parts(&a_memory, a, engine, 3, parts) != 0) return nullptr;
    return product_of(a, a_memory, x, p.x, y, p.y);
  }
};

Peer onednn(bool bf16) {
  const std::string name = bf16 ? "oneDNN dense bf16" : "oneDNN 3 CSR";
  const auto dnnl = std::make_shared<Dnnl>(open_library({"libdnnl.so.3"}));
  if (dnnl->stream == nullptr)
    return missing(name, bf16, "no libdnnl.so.3 that makes an engine (PyPI: onednn-devel)");
  return {.name = name, .is_dense = bf16, .why_not = "", .prepare = [dnnl, bf16](const PeerProblem& p) {
            return bf16 ? dnnl->prepare_bf16(p) : dnnl->prepare(p);
          }};
}

}  // namespace

std::vector<Peer> sparse_peers() { return {openblas(), eigen_peer(), mkl(false), onednn(false)}; }
std::vector<Peer> block_peers() { return {openblas(), mkl(true)}; }
std::vector<Peer> bf16_peers() { return {onednn(true)}; }
