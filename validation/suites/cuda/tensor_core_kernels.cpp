// Dense and block-sparse products in bfloat16 on tensor cores: the bits that the GPU's unit is predicted to give.
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "emulation/simt/matrix.hpp"
#include "gpu/kernels/gemm_bf16_run.hpp"
#include "gpu/kernels/spmm_bsr_bf16_run.hpp"
#include "reference/sparse/bsr.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/cuda/kernel_cases.hpp"
#include "validation/suites/sparse_bf16.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::cuda {
namespace {

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

struct TensorCores {
  const char *gpu, *unit;
  gpu::BsrKernel kernel;
};
constexpr TensorCores by_mma[] = {{"sm_80", "sm80.bf16", gpu::BsrKernel::mma},
                                  {"sm_90a", "sm90.bf16", gpu::BsrKernel::mma}};
constexpr TensorCores by_wgmma{"sm_90a", "sm90.bf16", gpu::BsrKernel::wgmma};

constexpr const char* unit_bits =
    "the unit's prediction, bit for bit, and the exact result with the unit's bound";

std::vector<std::uint16_t> words_of(const io::Array& x) {
  std::vector<std::uint16_t> out(x.bytes.size() / sizeof(std::uint16_t));
  std::memcpy(out.data(), x.bytes.data(), x.bytes.size());
  return out;
}

// Of A X in full precision, for the distance: all places of A.
sparse::Csr<float> dense_csr(const io::Array& a) {
  sparse::Csr<float> out;
  out.structure.rows = a.shape[0];
  out.structure.cols = a.shape[1];
  for (std::int64_t i = 0; i < a.shape[0]; ++i) {
    for (std::int32_t j = 0; j < a.shape[1]; ++j) out.structure.column_indices.push_back(j);
    out.structure.end_row();
  }
  const auto values = a.as<float>();
  out.values.assign(values.begin(), values.end());
  return out;
}

// K as whole instructions have it: zeros behind the last column of A and row of X.
io::Array with_whole_chunks(const io::Array& x, bool columns) {
  constexpr std::int64_t chunk = 16;
  const std::int64_t k = x.shape[columns ? 1 : 0], whole = (k + chunk - 1) / chunk * chunk;
  io::Array out = io::make_array(formats::bfloat16,
                                 columns ? io::Shape{x.shape[0], whole} : io::Shape{whole, x.shape[1]});
  for (std::int64_t i = 0; i < x.shape[0]; ++i)
    std::memcpy(&out.bytes[static_cast<std::size_t>(i * out.shape[1]) * 2],
                &x.bytes[static_cast<std::size_t>(i * x.shape[1]) * 2],
                static_cast<std::size_t>(x.shape[1]) * 2);
  return out;
}

void judge_on(const TensorCores& t, io::Array a, io::Array x, const std::vector<float>& y, const Pattern& p,
              const std::string& what, Tally& tally) {
  judge::Request r;
  r.operation = "gemm";
  r.got = io::make_array(formats::float32, {a.shape[0], x.shape[1]});
  std::memcpy(r.got.bytes.data(), y.data(), r.got.bytes.size());
  r.a = with_whole_chunks(a, true);
  r.b = with_whole_chunks(x, false);
  judge_product(std::move(r), arithmetics().find(t.unit), p, what, tally);
}

CaseResult gemm(const TensorCores& t, std::uint64_t seed) {
  const ImitatedGpuScope imitated(t.gpu);
  Tally tally(unit_bits);
  RoundingDistance distance;
  for (const auto& [m, n, k] :
       {std::array<std::int32_t, 3>{1, 1, 1}, {33, 20, 50}, {64, 72, 64}, {70, 9, 130}}) {
    const Pattern p{"gemm", m, k};
    const io::Array a = dense(p, m, k, seed, 1), x = dense(p, k, n, seed, 2), a_codes = rounded(a),
                    x_codes = rounded(x);
    const std::vector<std::uint16_t> a_words = words_of(a_codes), x_words = words_of(x_codes);
    const auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n),
               depth = static_cast<std::size_t>(k);
    const std::vector<float> y =
        gpu::run_gemm_bf16_f32({rows, columns, depth, a_words, x_words, depth, columns});
    measure_distance(dense_csr(a), x, y, distance);
    judge_on(t, a_codes, x_codes, y, p, fmt::format("{}x{}x{}", m, n, k), tally);
  }
  tally.say(distance.text());
  return tally.result();
}

CaseResult bsr(const TensorCores& t, std::int64_t side, std::uint64_t seed) {
  const ImitatedGpuScope imitated(t.gpu);
  Tally tally(unit_bits);
  RoundingDistance distance;
  constexpr std::int64_t n = 40;
  for (const Pattern& p : {Pattern{"density_5", 90, 300}, Pattern{"blocks_of_8_rows", 64, 120}}) {
    const sparse::Csr<float> full = matrix(p, seed);
    sparse::Csr<bf16_t> narrow{full.structure, {}};
    for (const float value : full.values) narrow.values.push_back(bf16_t(value));
    const sparse::Bsr<bf16_t> blocks = sparse::bsr_from_csr(narrow, side, side);
    std::vector<std::uint16_t> values;
    for (const bf16_t value : blocks.values) values.push_back(value.code);
    const io::Array x = dense(p, p.cols, n, seed, 4), x_codes = rounded(x);
    const std::vector<std::uint16_t> x_words = words_of(x_codes);
    const gpu::SpmmBsrBf16Problem problem{
        .a = blocks.structure, .values = values, .n = n, .x = x_words, .x_stride = n, .multiprocessors = 2};
    const std::vector<float> y = gpu::run_spmm_bsr_bf16_f32(t.kernel, problem);
    measure_distance(full, x, y, distance);
    judge_on(t, expanded(narrow), x_codes, y, p, std::string(p.name), tally);
  }
  tally.say(distance.text());
  return tally.result();
}

}  // namespace

std::vector<KernelCase> tensor_core_cases() {
  std::vector<KernelCase> cases;
  for (const TensorCores& t : by_mma) {
    cases.push_back({"gemm/bf16_mma", {{"arch", t.gpu}}, [&t](std::uint64_t seed) { return gemm(t, seed); }});
    for (const std::int64_t side : {16, 32, 64})
      cases.push_back({"spmm/bsr_bf16_mma",
                       {{"arch", t.gpu}, {"blocks", std::to_string(side)}},
                       [&t, side](std::uint64_t seed) { return bsr(t, side, seed); }});
  }
  for (const std::int64_t side : {64, 128})
    cases.push_back({"spmm/bsr_bf16_wgmma",
                     {{"arch", by_wgmma.gpu}, {"blocks", std::to_string(side)}},
                     [side](std::uint64_t seed) { return bsr(by_wgmma, side, seed); }});
  return cases;
}

}  // namespace assay::suites::cuda
