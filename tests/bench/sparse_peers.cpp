#include "tests/bench/sparse_peers.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "reference/core/dispatch.hpp"

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
  // It knows CPUs by their number, and takes one that came later than it for a very old one.
  if (assay::cpu_has(assay::Isa::avx512)) setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
  void* const library = open_library({"libopenblas.so.0"});
  Sgemm* const sgemm = symbol<Sgemm>(library, "cblas_sgemm");
  SetThreads* const set_threads = symbol<SetThreads>(library, "openblas_set_num_threads");
  if (sgemm == nullptr || set_threads == nullptr)
    return missing("OpenBLAS dense", true, "no libopenblas.so.0");
  set_threads(1);
  return {
      .name = "OpenBLAS dense", .is_dense = true, .why_not = "", .prepare = [sgemm](const PeerProblem& p) {
        constexpr int row_major = 101, as_it_is = 111;
        return Product{[sgemm, &p] {
          sgemm(row_major, as_it_is, as_it_is, p.rows, p.n, p.cols, 1, p.dense, p.cols, p.x, p.n, 0, p.y,
                p.n);
        }};
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
      .prepare = [=](const PeerProblem& p) -> Product {
        constexpr int base_zero = 0, as_it_is = 10, row_major = 101;
        void* made = nullptr;
        const int failed = blocks ? create_blocks(&made, base_zero, row_major, p.rows / p.block,
                                                  p.cols / p.block, p.block, p.block_row_offsets,
                                                  p.block_row_offsets + 1, p.block_columns, p.block_values)
                                  : create(&made, base_zero, p.rows, p.cols, p.row_offsets, p.row_offsets + 1,
                                           p.column_indices, p.values);
        if (failed != 0) return {};
        const std::shared_ptr<void> matrix(made, [destroy](void* m) { destroy(m); });
        if (p.n == 1) {
          hint_vector(made, as_it_is, {}, 100000);
          optimize(made);
          return {[=, &p] { multiply_vector(as_it_is, 1, matrix.get(), {}, p.x, 0, p.y); }};
        }
        hint(made, as_it_is, {}, row_major, p.n, 100000);
        optimize(made);
        return {[=, &p] { multiply(as_it_is, 1, matrix.get(), {}, row_major, p.x, p.n, p.n, 0, p.y, p.n); }};
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
  Product product_of(Handle a, Handle a_memory, Handle x, const void* x_data, Handle y, float* y_data) const {
    Handle description = nullptr, product = nullptr, x_memory = nullptr, y_memory = nullptr;
    if (matmul(&description, engine, a, x, nullptr, y, nullptr) != 0 ||
        primitive(&product, description) != 0 ||
        memory(&x_memory, x, engine, const_cast<void*>(x_data)) != 0 ||
        memory(&y_memory, y, engine, y_data) != 0)
      return {};
    return {[*this, product, a_memory, x_memory, y_memory] {
      constexpr int source = 1, weights = 33, destination = 17;
      const Argument arguments[] = {{source, a_memory}, {weights, x_memory}, {destination, y_memory}};
      if (execute(product, stream, 3, arguments) != 0 || wait(stream) != 0) std::abort();
    }};
  }

  Product prepare_bf16(const PeerProblem& p) const {
    constexpr int bfloat16 = 2, float32 = 3, row_major = 3;
    const std::int64_t a_dims[12] = {p.rows, p.cols}, x_dims[12] = {p.cols, p.n}, y_dims[12] = {p.rows, p.n};
    Handle a = nullptr, x = nullptr, y = nullptr, a_memory = nullptr;
    if (with_tag(&a, 2, a_dims, bfloat16, row_major) != 0 ||
        with_tag(&x, 2, x_dims, bfloat16, row_major) != 0 ||
        with_tag(&y, 2, y_dims, float32, row_major) != 0 ||
        memory(&a_memory, a, engine, const_cast<std::uint16_t*>(p.dense_bf16)) != 0)
      return {};
    return product_of(a, a_memory, x, p.x_bf16, y, p.y);
  }

  Product prepare(const PeerProblem& p) const {
    constexpr int float32 = 3, int32 = 4, row_major = 3;
    const std::int64_t a_dims[12] = {p.rows, p.cols}, x_dims[12] = {p.cols, p.n}, y_dims[12] = {p.rows, p.n};
    Handle a = nullptr, x = nullptr, y = nullptr, a_memory = nullptr;
    if (csr(&a, 2, a_dims, float32, p.row_offsets[p.rows], int32, int32) != 0 ||
        with_tag(&x, 2, x_dims, float32, row_major) != 0 || with_tag(&y, 2, y_dims, float32, row_major) != 0)
      return {};
    const auto writable = [](const void* of) { return const_cast<void*>(of); };
    void* parts[3] = {writable(p.values), writable(p.column_indices), writable(p.row_offsets)};
    if (memory_of_parts(&a_memory, a, engine, 3, parts) != 0) return {};
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

// --- libxsmm 1.17: SpMDM, whose slices of A are made once, and a batch of small products for blocks ------------------

struct Xsmm {
  // As libxsmm_spmdm_handle.
  struct Handle {
    int m, n, k, bm, bn, bk, mb, nb, kb, type;
    char *scratch_a, *scratch_b_and_c;
    int scratch_of_thread;
  };
  using Batch = void(const float**, const float**, float*, const unsigned long long*);
  void (*init)(int, int, int, int, Handle*, void**) = nullptr;
  void (*destroy)(Handle*) = nullptr;
  int (*slices)(const Handle*) = nullptr;
  int (*blocks)(const Handle*) = nullptr;
  void (*slice)(const Handle*, char, const float*, void*, int, int, int) = nullptr;
  void (*compute)(const Handle*, char, char, const float*, void*, const float*, char, const float*, float*,
                  int, int, int) = nullptr;
  Batch* (*batch)(int, int, int, const int*, const int*, const int*, const float*, const float*, const int*,
                  const int*) = nullptr;

  explicit Xsmm(void* library) {
    const auto find = [&](const char* name, auto*& function) {
      function = symbol<std::remove_pointer_t<std::remove_reference_t<decltype(function)>>>(library, name);
      return function != nullptr;
    };
    const bool all = find("libxsmm_spmdm_init", init) && find("libxsmm_spmdm_destroy", destroy) &&
                     find("libxsmm_spmdm_get_num_createSparseSlice_blocks", slices) &&
                     find("libxsmm_spmdm_get_num_compute_blocks", blocks) &&
                     find("libxsmm_spmdm_createSparseSlice_fp32_thread", slice) &&
                     find("libxsmm_spmdm_compute_fp32_thread", compute) &&
                     find("libxsmm_smmdispatch_reducebatch_addr", batch);
    if (!all) init = nullptr;
  }

  Product prepare(const PeerProblem& p) const {
    if (p.n == 1) return {};
    struct Made {
      Handle handle{};
      void* slices = nullptr;
    };
    const std::shared_ptr<Made> made(new Made, [end = destroy](Made* m) {
      end(&m->handle);
      delete m;
    });
    init(p.rows, p.n, p.cols, 1, &made->handle, &made->slices);
    for (int i = 0; i < slices(&made->handle); ++i) slice(&made->handle, 'N', p.dense, made->slices, i, 0, 1);
    return {[*this, made, &p] {
      constexpr float one = 1, zero = 0;
      const int end = blocks(&made->handle);
      for (int i = 0; i < end; ++i)
        compute(&made->handle, 'N', 'N', &one, made->slices, p.x, 'N', &zero, p.y, i, 0, 1);
    }};
  }

  // Of its column-major matrices the transposed product: X^T times the transposed blocks of a row of them.
  Product prepare_blocks(const PeerProblem& p) const {
    constexpr float one = 1, zero = 0;
    Batch* const product = batch(p.n, p.block, p.block, &p.n, &p.block, &p.n, &one, &zero, nullptr, nullptr);
    if (product == nullptr) return {};
    std::vector<const float*> x, values;
    const int block_rows = p.rows / p.block;
    for (int i = 0; i < p.block_row_offsets[block_rows]; ++i) {
      x.push_back(p.x + std::ptrdiff_t{p.block_columns[i]} * p.block * p.n);
      values.push_back(p.block_values + std::ptrdiff_t{i} * p.block * p.block);
    }
    return {[=, &p] {
      std::vector<const float*> x_now, values_now;
      for (int row = 0; row < block_rows; ++row) {
        float* const y = p.y + std::ptrdiff_t{row} * p.block * p.n;
        const int begin = p.block_row_offsets[row], end = p.block_row_offsets[row + 1];
        const auto count = static_cast<unsigned long long>(end - begin);
        if (count == 0) {
          std::fill_n(y, p.block * p.n, 0.0F);
          continue;
        }
        // The kernel moves the addresses on.
        x_now.assign(x.begin() + begin, x.begin() + end);
        values_now.assign(values.begin() + begin, values.begin() + end);
        product(x_now.data(), values_now.data(), y, &count);
      }
    }};
  }
};

Peer libxsmm(bool blocks) {
  const std::string name = blocks ? "libxsmm BRGEMM" : "libxsmm SpMDM";
  const Xsmm xsmm(open_library({"libxsmm.so.1.17", "libxsmm.so.1", "libxsmm.so"}));
  if (xsmm.init == nullptr)
    return missing(name, false, "no libxsmm.so of version 1 (Debian has an archive alone, libxsmm-dev)");
  return {.name = name, .is_dense = false, .why_not = "", .prepare = [xsmm, blocks](const PeerProblem& p) {
            return blocks ? xsmm.prepare_blocks(p) : xsmm.prepare(p);
          }};
}

// --- SuiteSparse:GraphBLAS 7: a sparse matrix times a full one -------------------------------------------------------

struct GraphBlas {
  using Handle = void*;
  using Index = std::uint64_t;
  int (*init)(int) = nullptr;
  int (*set)(int, int) = nullptr;
  int (*create)(Handle*, Handle, Index, Index) = nullptr;
  int (*destroy)(Handle*) = nullptr;
  int (*build)(Handle, const Index*, const Index*, const float*, Index, Handle) = nullptr;
  int (*multiply)(Handle, Handle, Handle, Handle, Handle, Handle, Handle) = nullptr;
  int (*wait)(Handle, int) = nullptr;
  int (*tuples)(Index*, Index*, float*, Index*, Handle) = nullptr;
  Handle *float32 = nullptr, *plus = nullptr, *plus_times = nullptr;

  explicit GraphBlas(void* library) {
    const auto find = [&](const char* name, auto*& found) {
      found = reinterpret_cast<std::remove_reference_t<decltype(found)>>(
          library == nullptr ? nullptr : dlsym(library, name));
      return found != nullptr;
    };
    constexpr int blocking = 1, threads = 5;
    const bool all = find("GrB_init", init) && find("GxB_Global_Option_set_INT32", set) &&
                     find("GrB_Matrix_new", create) && find("GrB_Matrix_free", destroy) &&
                     find("GrB_Matrix_build_FP32", build) && find("GrB_mxm", multiply) &&
                     find("GrB_Matrix_wait", wait) && find("GrB_Matrix_extractTuples_FP32", tuples) &&
                     find("GrB_FP32", float32) && find("GrB_PLUS_FP32", plus) &&
                     find("GrB_PLUS_TIMES_SEMIRING_FP32", plus_times);
    if (!all || init(blocking) != 0 || set(threads, 1) != 0) init = nullptr;
  }

  // What create() and build() give, or null.
  std::shared_ptr<void> matrix(int rows, int cols, const std::vector<Index>& i, const std::vector<Index>& j,
                               const float* values) const {
    Handle made = nullptr;
    if (create(&made, *float32, static_cast<Index>(rows), static_cast<Index>(cols)) != 0) return nullptr;
    std::shared_ptr<void> owned(made, [end = destroy](Handle m) { end(&m); });
    if (!i.empty() && build(made, i.data(), j.data(), values, i.size(), *plus) != 0) return nullptr;
    return owned;
  }

  Product prepare(const PeerProblem& p) const {
    if (p.n == 1) return {};
    std::vector<Index> i, j;
    for (int row = 0; row < p.rows; ++row) {
      for (int e = p.row_offsets[row]; e < p.row_offsets[row + 1]; ++e) {
        i.push_back(static_cast<Index>(row));
        j.push_back(static_cast<Index>(p.column_indices[e]));
      }
    }
    const auto a = matrix(p.rows, p.cols, i, j, p.values);
    i.clear();
    j.clear();
    for (int row = 0; row < p.cols; ++row) {
      for (int column = 0; column < p.n; ++column) {
        i.push_back(static_cast<Index>(row));
        j.push_back(static_cast<Index>(column));
      }
    }
    const auto x = matrix(p.cols, p.n, i, j, p.x), y = matrix(p.rows, p.n, {}, {}, nullptr);
    if (a == nullptr || x == nullptr || y == nullptr) return {};
    const auto run = [=, *this] {
      constexpr int complete = 0;
      if (multiply(y.get(), nullptr, nullptr, *plus_times, a.get(), x.get(), nullptr) != 0 ||
          wait(y.get(), complete) != 0)
        std::abort();
    };
    const auto collect = [=, *this, &p] {
      Index count = static_cast<Index>(p.rows) * static_cast<Index>(p.n);
      std::vector<Index> at_row(count), at_column(count);
      std::vector<float> values(count);
      if (tuples(at_row.data(), at_column.data(), values.data(), &count, y.get()) != 0) std::abort();
      // A place without entry is a zero.
      std::fill_n(p.y, static_cast<std::size_t>(p.rows) * static_cast<std::size_t>(p.n), 0.0F);
      for (Index e = 0; e < count; ++e) p.y[at_row[e] * static_cast<Index>(p.n) + at_column[e]] = values[e];
    };
    return {run, collect};
  }
};

Peer graphblas() {
  const GraphBlas library(open_library({"libgraphblas.so.7"}));
  if (library.init == nullptr)
    return missing("GraphBLAS", false, "no libgraphblas.so.7 (Debian: libgraphblas7)");
  return {.name = "GraphBLAS", .is_dense = false, .why_not = "", .prepare = [library](const PeerProblem& p) {
            return library.prepare(p);
          }};
}

}  // namespace

std::vector<Peer> sparse_peers() {
  return {openblas(), eigen_peer(), mkl(false), onednn(false), libxsmm(false), graphblas()};
}
std::vector<Peer> block_peers() { return {openblas(), mkl(true), libxsmm(true)}; }
std::vector<Peer> bf16_peers() { return {onednn(true)}; }
