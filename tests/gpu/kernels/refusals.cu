#include "tests/gpu/kernels/refusals.hpp"

#include "gpu/kernels/convert_bf16.cuh"
#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/sddmm_csr.cuh"
#include "gpu/kernels/spmm_csr.cuh"

namespace assay {
namespace {

using gpu::DeviceArray;

// Each change is made to operands that are right.
template <class Operands, class Launch>
std::string said(Operands o, const Launch& launch, void (*change)(Operands&)) {
  change(o);
  try {
    launch(o);
  } catch (const ContractError& e) {
    return e.what();
  }
  return "nothing";
}

template <class T>
T* misaligned(T* p) {
  return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(p) + 1);
}

}  // namespace

std::vector<std::string> refusals_of_spmm_csr() {
  const DeviceArray<std::int64_t> offsets(std::vector<std::int64_t>{0, 1, 1});
  const DeviceArray<std::int32_t> columns(std::vector<std::int32_t>{0});
  const DeviceArray<float> values(std::vector<float>{1}), x(std::vector<float>(24)), y(16);
  using Operands = gpu::SpmmCsr<float, float, float>;
  Operands o;
  o.rows = 2, o.cols = 3, o.n = 8, o.nnz = 1;
  o.row_offsets = offsets.data(), o.column_indices = columns.data(), o.values = values.data();
  o.x = x.data(), o.y = y.data(), o.x_stride = 8, o.y_stride = 8, o.c_stride = 8;
  std::vector<std::string> all;
  for (void (*change)(Operands&) : {
           +[](Operands&) {},
           +[](Operands& p) { p.row_offsets = nullptr; },
           +[](Operands& p) { p.x = misaligned(p.x); },
           +[](Operands& p) { p.x_stride = 7; },
           +[](Operands& p) { p.x_stride = std::int64_t{1} << 30; },
           +[](Operands& p) { p.rows = -1; },
           +[](Operands& p) { p.y = const_cast<float*>(p.x) + 8; },
           +[](Operands& p) { p.beta = 1; },
           +[](Operands& p) { p.beta = 1, p.c = p.y + 4; },
           +[](Operands& p) {
             p.n = std::int64_t{1} << 29, p.x_stride = p.y_stride = p.n, p.rows = p.n;
             p.y = reinterpret_cast<float*>(std::uintptr_t{1} << 60);
           },
       })
    all.push_back(said(
        o, [](const Operands& p) { gpu::spmm_csr(p, nullptr); }, change));
  return all;
}

std::vector<std::string> refusals_of_sddmm_csr() {
  const DeviceArray<std::int64_t> offsets(std::vector<std::int64_t>{0, 1, 1}), tile_rows(2);
  const DeviceArray<std::int32_t> columns(std::vector<std::int32_t>{0});
  const DeviceArray<float> a(std::vector<float>(16)), b(std::vector<float>(24)), out(1);
  using Operands = gpu::SddmmCsr<float>;
  Operands o;
  o.mask = {2, 3, 1, offsets.data(), columns.data(), tile_rows.data()};
  gpu::sddmm_csr_tiles(o.mask, nullptr);
  o.depth = 8;
  o.a = a.data(), o.b = b.data(), o.a_stride = 8, o.b_stride = 8;
  o.out = out.data();
  std::vector<std::string> all;
  for (void (*change)(Operands&) : {
           +[](Operands&) {},
           +[](Operands& p) { p.mask.tile_rows = nullptr; },
           +[](Operands& p) { p.a = nullptr; },
           +[](Operands& p) { p.b = misaligned(p.b); },
           +[](Operands& p) { p.b_stride = 7; },
           +[](Operands& p) { p.out = const_cast<float*>(p.a); },
           +[](Operands& p) { p.beta = 1; },
           // Far from all others, as it would reach over them.
           +[](Operands& p) {
             p.mask.nnz = std::int64_t{1} << 40;
             p.out = reinterpret_cast<float*>(std::uintptr_t{1} << 60);
           },
       })
    all.push_back(said(
        o, [](const Operands& p) { gpu::sddmm_csr(p, nullptr); }, change));
  return all;
}

std::vector<std::string> refusals_of_convert_bf16() {
  const DeviceArray<float> src(std::vector<float>(4));
  const DeviceArray<std::uint16_t> dst(4);
  using Operands = gpu::ConvertBf16;
  const Operands o{src.data(), reinterpret_cast<__nv_bfloat16*>(dst.data()), 4};
  std::vector<std::string> all;
  for (void (*change)(Operands&) : {
           +[](Operands&) {},
           +[](Operands& p) { p.src = nullptr; },
           +[](Operands& p) { p.dst = misaligned(p.dst); },
       })
    all.push_back(said(
        o, [](const Operands& p) { gpu::convert_bf16(p, nullptr); }, change));
  return all;
}

}  // namespace assay
