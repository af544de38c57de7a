// Libraries of this machine as programs for `assay probe --form binary`:
//
//   live_program version|eigen_sum|eigen_dot|eigen_gemm|std_reduce|std_accumulate|std_inner_product|onednn|
//                cblas_sdot|cblas_sgemm
//
// onednn takes float32 and bfloat16 operands, float32 results. Matrix products take alpha, beta and C. Ends with 77
// where a library is not here.
#include <Eigen/Core>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>
#ifdef ASSAY_LIVE_DNNL
#include <dnnl.hpp>
#endif
#ifdef ASSAY_LIVE_OPENBLAS
#include <cblas-openblas.h>
#endif

namespace {

struct Header {
  std::string operation, a, b, c, output;
  std::size_t m = 1, n = 1, k = 1, offset = 0, cases = 0;
  float alpha = 1, beta = 0;  // 0 without a C
};

bool read_header(Header& h) {
  std::string line, version, form;
  if (!std::getline(std::cin, line)) return false;
  std::istringstream in(line);
  int threads = 0;
  in >> version >> form >> h.operation >> h.m >> h.n >> h.k >> h.a >> h.b >> h.c >> h.output >> h.alpha >>
      h.beta >> threads >> h.offset >> h.cases;
  return version == "assay1" && form == "binary" && !in.fail();
}

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;

struct Free {
  void operator()(void* p) const { std::free(p); }
};
// Memory that begins so many bytes after a multiple of 64: the order may depend on the address.
class Room {
 public:
  Room(std::size_t bytes, std::size_t offset)
      : memory_(std::aligned_alloc(64, (bytes + offset + 127) / 64 * 64)), offset_(offset) {}
  char* get() const { return static_cast<char*>(memory_.get()) + offset_; }

 private:
  std::unique_ptr<void, Free> memory_;
  std::size_t offset_;
};

#ifdef ASSAY_LIVE_DNNL
class OneDnn {
 public:
  void multiply(const Header& h, void* a, void* b, float* d) {
    std::ostringstream words;
    words << h.a << ' ' << h.m << ' ' << h.n << ' ' << h.k << ' ' << h.alpha << ' ' << h.beta;
    const std::string key = words.str();
    if (key != key_) {
      const auto type = h.a == "bfloat16" ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
      const auto m = static_cast<dnnl::memory::dim>(h.m), n = static_cast<dnnl::memory::dim>(h.n),
                 k = static_cast<dnnl::memory::dim>(h.k);
      a_ = {{m, k}, type, dnnl::memory::format_tag::ab};
      b_ = {{k, n}, type, dnnl::memory::format_tag::ab};
      d_ = {{m, n}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab};
      // alpha first, then D's old values times beta are added.
      dnnl::primitive_attr scales;
      dnnl::post_ops after;
      if (h.beta != 0) after.append_sum(h.beta);
#if DNNL_VERSION_MAJOR >= 3
      if (h.alpha != 1) std::exit(77);  // alpha is a memory of its own there
      scales.set_post_ops(after);
      primitive_ = dnnl::matmul(dnnl::matmul::primitive_desc(engine_, a_, b_, d_, scales));
#else
      if (h.alpha != 1) scales.set_output_scales(0, {h.alpha});
      scales.set_post_ops(after);
      primitive_ =
          dnnl::matmul(dnnl::matmul::primitive_desc(dnnl::matmul::desc(a_, b_, d_), scales, engine_));
#endif
      key_ = key;
    }
    primitive_.execute(stream_, {{DNNL_ARG_SRC, dnnl::memory(a_, engine_, a)},
                                 {DNNL_ARG_WEIGHTS, dnnl::memory(b_, engine_, b)},
                                 {DNNL_ARG_DST, dnnl::memory(d_, engine_, d)}});
    stream_.wait();
  }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::memory::desc a_, b_, d_;
  dnnl::matmul primitive_;
  std::string key_;
};
#endif

int print_version() {
  std::printf("Eigen %d.%d.%d, %s; libstdc++ of GCC %s", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
              EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse(), __VERSION__);
#ifdef ASSAY_LIVE_DNNL
  const dnnl_version_t* const v = dnnl_version();
  std::printf("; oneDNN %d.%d.%d", v->major, v->minor, v->patch);
#endif
#ifdef ASSAY_LIVE_OPENBLAS
  std::printf("; %s", openblas_get_config());
#endif
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "version") return print_version();
#ifdef ASSAY_LIVE_DNNL
  OneDnn dnnl_engine;
#else
  if (what == "onednn") return 77;
#endif
#ifndef ASSAY_LIVE_OPENBLAS
  if (what.rfind("cblas_", 0) == 0) return 77;
#endif
  Header h;
  while (read_header(h)) {
    const bool matrix = h.operation == "gemm";
    const std::size_t rows = matrix ? h.m : 1, cols = matrix ? h.n : 1;
    const std::size_t width = h.a == "bfloat16" ? 2 : 4;
    const std::size_t a_bytes = rows * h.k * width, b_bytes = h.b == "-" ? 0 : h.k * cols * width;
    const std::size_t c_bytes = h.c == "-" ? 0 : rows * cols * 4;
    const Room a(a_bytes, h.offset), b(b_bytes, h.offset), d(rows * cols * 4, h.offset);
    const auto* const x = reinterpret_cast<const float*>(a.get());
    const auto* const y = reinterpret_cast<const float*>(b.get());
    auto* const result = reinterpret_cast<float*>(d.get());
    const auto k = static_cast<Eigen::Index>(h.k), m = static_cast<Eigen::Index>(rows),
               n = static_cast<Eigen::Index>(cols);
    for (std::size_t c = 0; c < h.cases; ++c) {
      std::cin.read(a.get(), static_cast<std::streamsize>(a_bytes));
      std::cin.read(b.get(), static_cast<std::streamsize>(b_bytes));
      std::cin.read(d.get(), static_cast<std::streamsize>(c_bytes));
      if (!std::cin) return 5;
      if (what == "eigen_sum") {
        *result = Eigen::Map<const Vector>(x, k).sum();
      } else if (what == "eigen_dot") {
        *result = Eigen::Map<const Vector>(x, k).dot(Eigen::Map<const Vector>(y, k));
      } else if (what == "eigen_gemm") {
        Eigen::Map<Matrix> to(result, m, n);
        const Eigen::Map<const Matrix> left(x, m, k), right(y, k, n);
        if (h.beta == 0) {
          to.noalias() = h.alpha * left * right;
        } else {
          to *= h.beta;
          to.noalias() += h.alpha * left * right;
        }
      } else if (what == "std_reduce") {
        *result = std::reduce(x, x + h.k, 0.0F);
      } else if (what == "std_accumulate") {
        *result = std::accumulate(x, x + h.k, 0.0F);
      } else if (what == "std_inner_product") {
        *result = std::inner_product(x, x + h.k, y, 0.0F);
#ifdef ASSAY_LIVE_DNNL
      } else if (what == "onednn") {
        dnnl_engine.multiply(h, a.get(), b.get(), result);
#endif
#ifdef ASSAY_LIVE_OPENBLAS
      } else if (what == "cblas_sdot") {
        *result = cblas_sdot(static_cast<int>(k), x, 1, y, 1);
      } else if (what == "cblas_sgemm") {
        const int rows_int = static_cast<int>(m), cols_int = static_cast<int>(n), terms = static_cast<int>(k);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows_int, cols_int, terms, h.alpha, x, terms,
                    y, cols_int, h.beta, result, cols_int);
#endif
      } else {
        return 6;
      }
      std::cout.write(d.get(), static_cast<std::streamsize>(rows * cols * 4));
    }
    std::cout.flush();
  }
  return 0;
}
