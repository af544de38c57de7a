// Products with sparse operands: SpMM and SDDMM over CSR, SpMM over BSR.
#include <cuda_bf16.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <type_traits>

#include "gpu/host/kernel_contest.cuh"
#include "gpu/kernels/sddmm_csr.cuh"
#include "gpu/kernels/spmm_bsr_bf16_mma.cuh"
#include "gpu/kernels/spmm_bsr_bf16_wgmma.cuh"
#include "gpu/kernels/spmm_csr.cuh"

namespace assay::gpu {

// Of the files <kernel>_run.cu: what is timed is what the product has.
extern template void spmm_csr(const SpmmCsr<float, float, float>&, cudaStream_t);
extern template void spmm_csr(const SpmmCsr<__nv_bfloat16, __nv_bfloat16, __nv_bfloat16>&, cudaStream_t);
extern template void sddmm_csr(const SddmmCsr<float>&, cudaStream_t);
extern template void sddmm_csr(const SddmmCsr<__nv_bfloat16>&, cudaStream_t);
extern template void spmm_bsr_bf16_mma(const SpmmBsrBf16<std::uint16_t>&, cudaStream_t);
extern template void spmm_bsr_bf16_wgmma(const SpmmBsrBf16<std::uint16_t>&, const SpmmBsrWgmmaLaunch&,
                                         cudaStream_t);

namespace {

constexpr int samples_in_all = 64;

template <class T>
DeviceArray<T> upload(const std::vector<T>& host) {
  return DeviceArray<T>(std::span<const T>{host});
}

// A structure on the device, offsets as the kernels and as the peers take them, and its rows, the longest first.
struct DeviceStructure {
  explicit DeviceStructure(const sparse::CsrStructure& from)
      : offsets(upload(from.row_offsets)),
        columns(upload(from.column_indices)),
        offsets32(upload(std::vector<std::int32_t>(from.row_offsets.begin(), from.row_offsets.end()))),
        order(upload(longest_first(from))) {}

  static std::vector<std::int32_t> longest_first(const sparse::CsrStructure& from) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(from.rows));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::int32_t row) { return from.view().row_length(row); });
    return order;
  }

  DeviceArray<std::int64_t> offsets;
  DeviceArray<std::int32_t> columns, offsets32, order;
};

template <class T>
PeerDense dense(std::uint64_t rows, std::uint64_t cols, const DeviceArray<T>& data) {
  return {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols), data.data()};
}
std::int64_t size_of(std::uint64_t n) { return static_cast<std::int64_t>(n); }
double bytes_of_offsets(const sparse::CsrStructure& s) {
  return static_cast<double>(s.row_offsets.size() * sizeof(std::int64_t));
}

// What the kernels of the device call a number.
template <class Numbers>
using DeviceNumber = std::conditional_t<std::is_same_v<typename Numbers::Number, std::uint16_t>,
                                        __nv_bfloat16, typename Numbers::Number>;
template <class Numbers>
DeviceNumber<Numbers>* numbers_of(const DeviceArray<typename Numbers::Number>& array) {
  return reinterpret_cast<DeviceNumber<Numbers>*>(array.data());
}
template <class Numbers>
constexpr PeerType type_of() {
  return sizeof(typename Numbers::Number) == 2 ? PeerType::bf16 : PeerType::f32;
}

// body(row, column, stored number) for each stored number, in stored order: of BSR, block by block.
template <class Body>
void for_each_stored(const TimedProblem& p, const sparse::CsrStructure& s, const Body& body) {
  const std::uint64_t side = p.block == 0 ? 1 : p.block;
  std::size_t stored = 0;
  for (std::uint64_t r = 0; r < static_cast<std::uint64_t>(s.rows); ++r) {
    for (const std::int32_t column : s.row_columns(static_cast<std::int64_t>(r))) {
      for (std::uint64_t i = 0; i < side; ++i) {
        for (std::uint64_t j = 0; j < side; ++j)
          body(r * side + i, static_cast<std::uint64_t>(column) * side + j, stored++);
      }
    }
  }
}

template <class Numbers>
std::vector<typename Numbers::Number> stored_values(const TimedProblem& p, const sparse::CsrStructure& s,
                                                    OperandKey key) {
  const std::uint64_t side = p.block == 0 ? 1 : p.block;
  std::vector<typename Numbers::Number> values(s.column_indices.size() * side * side);
  for_each_stored(p, s, [&](std::uint64_t row, std::uint64_t column, std::size_t stored) {
    values[stored] = Numbers::at(key, row * p.cols + column);
  });
  return values;
}

// A with all its zeros, for cuBLAS.
std::vector<std::uint16_t> expanded_values(const TimedProblem& p, const sparse::CsrStructure& s,
                                           OperandKey key) {
  std::vector<std::uint16_t> all(p.rows * p.cols);
  for_each_stored(p, s, [&](std::uint64_t row, std::uint64_t column, std::size_t) {
    all[row * p.cols + column] = operand_bf16(key, row * p.cols + column);
  });
  return all;
}

// The blocks of a row of blocks side by side.
std::vector<std::uint16_t> blocked_ell_values(const TimedProblem& p, const sparse::CsrStructure& s,
                                              OperandKey key) {
  const std::uint64_t width = p.blocks_of_row() * p.block, of_block = p.block * p.block;
  std::vector<std::uint16_t> all(p.rows * width);
  for_each_stored(p, s, [&](std::uint64_t row, std::uint64_t column, std::size_t stored) {
    const std::uint64_t within = stored / of_block % p.blocks_of_row();
    all[row * width + within * p.block + column % p.block] = operand_bf16(key, row * p.cols + column);
  });
  return all;
}

template <class Numbers>
void time_csr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
              std::vector<KernelTime>& times) {
  using Number = typename Numbers::Number;
  const TimedKeys keys(p, options.seed);
  const sparse::CsrStructure structure = timed_structure(p, options.seed);
  const DeviceStructure device(structure);
  const DeviceArray<Number> values = upload(stored_values<Numbers>(p, structure, keys.a)),
                            x = timed_array<Numbers>(p.cols * p.n, keys.b), y(p.rows * p.n);
  SpmmCsr<DeviceNumber<Numbers>, DeviceNumber<Numbers>, DeviceNumber<Numbers>> task;
  task.rows = size_of(p.rows), task.cols = size_of(p.cols), task.n = size_of(p.n);
  task.nnz = structure.nnz();
  task.row_offsets = device.offsets.data();
  task.column_indices = device.columns.data();
  task.values = numbers_of<Numbers>(values);
  task.row_order = device.order.data();
  task.x = numbers_of<Numbers>(x), task.x_stride = task.n;
  task.y = numbers_of<Numbers>(y), task.y_stride = task.n;

  const auto nnz = static_cast<double>(task.nnz);
  KernelContest contest(p, clock, times, 2 * nnz * static_cast<double>(p.n),
                        nnz * (sizeof(Number) + 4) + bytes_of_offsets(structure) +
                            static_cast<double>((x.size() + y.size()) * sizeof(Number)));
  contest.add_output({y, sampled_elements(y.size(), samples_in_all, options.seed)});
  contest.time_ours([&] { spmm_csr(task, nullptr); });
  const PeerSparse a{task.rows,    task.cols, task.nnz, 0, device.offsets32.data(), device.columns.data(),
                     values.data()};
  const PeerDense peer_x = dense(p.cols, p.n, x), peer_y = dense(p.rows, p.n, y);
  contest.time_peer("cusparse CSR", cusparse_spmm_csr(type_of<Numbers>(), a, peer_x, peer_y));
  if constexpr (sizeof(Number) == 2) {
    const DeviceArray<std::uint16_t> full = upload(expanded_values(p, structure, keys.a));
    contest.time_peer("cublas dense",
                      cublas_gemm(PeerType::bf16, dense(p.rows, p.cols, full), peer_x, peer_y));
  }
}

// Entries of the mask: their places are numbers of the whole matrix.
std::vector<std::pair<std::uint64_t, std::uint64_t>> sampled_entries(const TimedProblem& p,
                                                                     const sparse::CsrStructure& mask,
                                                                     std::uint64_t seed) {
  auto all = sampled_elements(mask.column_indices.size(), samples_in_all, seed);
  for (auto& [entry, place] : all) {
    const auto behind = std::ranges::upper_bound(mask.row_offsets, static_cast<std::int64_t>(entry)) -
                        mask.row_offsets.begin();
    place = static_cast<std::uint64_t>(behind - 1) * p.cols +
            static_cast<std::uint64_t>(mask.column_indices[entry]);
  }
  return all;
}

template <class Numbers>
void time_sddmm(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                std::vector<KernelTime>& times) {
  using Number = typename Numbers::Number;
  const TimedKeys keys(p, options.seed);
  const sparse::CsrStructure structure = timed_structure(p, options.seed);
  const DeviceStructure device(structure);
  const DeviceArray<Number> a = timed_array<Numbers>(p.rows * p.n, keys.a),
                            b = timed_array<Numbers>(p.cols * p.n, keys.b);
  const DeviceArray<float> out(structure.column_indices.size());
  SddmmCsr<DeviceNumber<Numbers>> task;
  task.mask = {size_of(p.rows), size_of(p.cols), structure.nnz(), device.offsets.data(),
               device.columns.data()};
  const DeviceArray<std::int64_t> tile_rows(task.mask.workspace_bytes() / sizeof(std::int64_t));
  task.mask.tile_rows = tile_rows.data();
  task.depth = size_of(p.n);
  task.a = numbers_of<Numbers>(a), task.a_stride = task.depth;
  task.b = numbers_of<Numbers>(b), task.b_stride = task.depth;
  task.out = out.data();
  sddmm_csr_tiles(task.mask, nullptr);

  const auto nnz = static_cast<double>(task.mask.nnz);
  KernelContest contest(
      p, clock, times, 2 * nnz * static_cast<double>(p.n),
      8 * nnz + bytes_of_offsets(structure) + static_cast<double>((a.size() + b.size()) * sizeof(Number)));
  contest.add_output({out, sampled_entries(p, structure, options.seed)});
  contest.time_ours([&] { sddmm_csr(task, nullptr); });
  const PeerSparse mask{task.mask.rows,          task.mask.cols,        task.mask.nnz, 0,
                        device.offsets32.data(), device.columns.data(), out.data()};
  contest.time_peer("cusparse CSR", cusparse_sddmm_csr(type_of<Numbers>(), mask, dense(p.rows, p.n, a),
                                                       dense(p.cols, p.n, b)));
}

__global__ void describe_wgmma(int* has) { *has = ASSAY_HAS_WGMMA; }

// Empty, or why this GPU, or this program on it, has no wgmma.
std::string why_no_wgmma() {
  int device = 0, major = 0, minor = 0;
  ASSAY_CUDA(cudaGetDevice(&device));
  ASSAY_CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  ASSAY_CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  if (major != 9 || minor != 0)
    return "wgmma is of compute capability 9.0, and this GPU has " + std::to_string(major) + "." +
           std::to_string(minor);
  const DeviceArray<int> has(1);
  describe_wgmma<<<1, 1, 0, nullptr>>>(has.data());
  ASSAY_CUDA(cudaGetLastError());
  return has.on_host().front() != 0 ? "" : "this program was not compiled for sm_90a";
}

}  // namespace

void time_spmm_csr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                   std::vector<KernelTime>& times) {
  if (p.kind == TimedKind::spmm_csr_f32) return time_csr<timed_kernels::F32>(p, options, clock, times);
  time_csr<timed_kernels::Bf16>(p, options, clock, times);
}

void time_sddmm_csr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                    std::vector<KernelTime>& times) {
  if (p.kind == TimedKind::sddmm_csr_f32) return time_sddmm<timed_kernels::F32>(p, options, clock, times);
  time_sddmm<timed_kernels::Bf16>(p, options, clock, times);
}

void time_spmm_bsr(const TimedProblem& p, const TimesOptions& options, const KernelClock& clock,
                   std::vector<KernelTime>& times) {
  const TimedKeys keys(p, options.seed);
  const sparse::CsrStructure structure = timed_structure(p, options.seed);
  const DeviceStructure device(structure);
  const DeviceArray<std::uint16_t> values = upload(stored_values<timed_kernels::Bf16>(p, structure, keys.a)),
                                   x = timed_array<timed_kernels::Bf16>(p.cols * p.n, keys.b),
                                   y(p.rows * p.n);
  SpmmBsrBf16<std::uint16_t> task;
  task.rows = p.rows, task.cols = p.cols, task.n = p.n;
  task.block = static_cast<int>(p.block);
  task.blocks = structure.column_indices.size();
  task.row_offsets = device.offsets.data();
  task.column_indices = device.columns.data();
  task.values = values.data();
  task.row_order = device.order.data();
  task.x = x.data(), task.x_stride = p.n;
  task.y = y.data(), task.y_stride = p.n;

  KernelContest contest(p, clock, times, 2 * static_cast<double>(values.size()) * static_cast<double>(p.n),
                        2 * static_cast<double>(values.size() + x.size() + y.size()) +
                            4 * static_cast<double>(task.blocks) + bytes_of_offsets(structure));
  contest.add_output({y, sampled_elements(y.size(), samples_in_all, options.seed)});
  if (p.kind == TimedKind::spmm_bsr_mma) {
    contest.time_ours([&] { spmm_bsr_bf16_mma(task, nullptr); });
  } else if (const std::string why = why_no_wgmma(); why.empty()) {
    contest.time_ours([&] { spmm_bsr_bf16_wgmma(task, {}, nullptr); });
  } else {
    contest.refuse_ours(why);
  }

  const PeerDense peer_x = dense(p.cols, p.n, x), peer_y = dense(p.rows, p.n, y);
  PeerSparse a{size_of(p.rows),         size_of(p.cols),       structure.nnz(), size_of(p.block),
               device.offsets32.data(), device.columns.data(), values.data()};
  contest.time_peer("cusparse BSR", cusparse_spmm_bsr(PeerType::bf16, a, peer_x, peer_y));
  {
    const DeviceArray<std::uint16_t> ell = upload(blocked_ell_values(p, structure, keys.a));
    a.values = ell.data();
    contest.time_peer("cusparse blocked-ELL", cusparse_spmm_blocked_ell(PeerType::bf16, a, peer_x, peer_y));
  }
  const DeviceArray<std::uint16_t> full = upload(expanded_values(p, structure, keys.a));
  contest.time_peer("cublas dense", cublas_gemm(PeerType::bf16, dense(p.rows, p.cols, full), peer_x, peer_y));
}

}  // namespace assay::gpu
