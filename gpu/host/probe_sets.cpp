#include "gpu/host/probe_sets.hpp"

#include <algorithm>

#include "reference/core/error.hpp"
#include "reference/formats/formats.hpp"

namespace assay::gpu {
namespace {

std::string whole_ptx(std::string_view ptx) {
  const bool wgmma = ptx.starts_with("m64");
  return std::string(wgmma ? "wgmma.mma_async.sync.aligned." : "mma.sync.aligned.") + std::string(ptx);
}

int image_of(ImageNeeds needs) {
  switch (needs) {
    case ImageNeeds::sm75: return 750;
    case ImageNeeds::sm80: return 800;
    case ImageNeeds::sm89: return 890;
    case ImageNeeds::sm90a: break;
  }
  return 900;
}

constexpr std::string_view flags_contracted = "-fmad=true";
constexpr std::string_view flags_separate = "-fmad=false";
constexpr std::string_view flags_contracted_ftz = "-fmad=true -ftz=true";
constexpr std::string_view flags_separate_ftz = "-fmad=false -ftz=true";

}  // namespace

const TensorCoreInstruction& instruction_of(TensorCore id) {
  static const std::vector<TensorCoreInstruction> all{
#define TENSOR_CORE(id, form, ptx, m, k, input, accumulator, needs) \
  {TensorCore::id, whole_ptx(ptx), m, k, formats::input, formats::accumulator, ImageNeeds::needs},
#include "emulation/units/nvidia/tensor_core_instructions.def"
  };
  if (id == TensorCore::none) throw ContractError("there is no instruction to describe");
  return all.at(static_cast<std::size_t>(id));
}

const CudaCoreOperation& operation_of(CudaCore id) {
  static const std::vector<CudaCoreOperation> all{
#define CUDA_CORE(id, build, type, format) {CudaCore::id, std::string(flags_##build), formats::format},
#include "gpu/host/cuda_core_operations.def"
  };
  return all.at(static_cast<std::size_t>(id));
}

const std::vector<ProbeSet>& probe_sets() {
  static const std::vector<ProbeSet> all = [] {
    std::vector<ProbeSet> sets;
    const auto tensor_core = [&](std::string_view name, TensorCore d32, TensorCore d16, std::size_t chunks,
                                 std::string_view unit) {
      const TensorCoreInstruction& first = instruction_of(d32);
      sets.push_back({name, first.input, chunks * static_cast<std::size_t>(first.k),
                      TensorCoreSet{d32, d16, chunks, unit}});
    };
    const auto cuda_core = [&](std::string_view name, CudaCore operation, std::size_t k) {
      sets.push_back({name, operation_of(operation).format, k, CudaCoreSet{operation}});
    };
#define TENSOR_CORE_SET(name, d32, d16, chunks, unit) \
  tensor_core(name, TensorCore::d32, TensorCore::d16, chunks, unit);
#define CUDA_CORE_SET(name, operation, k) cuda_core(name, CudaCore::operation, k);
#include "gpu/host/probe_sets.def"
    return sets;
  }();
  return all;
}

std::string why_not(const ProbeSet& set, const DeviceInfo& device) {
  const auto* const how = std::get_if<TensorCoreSet>(&set.how);
  if (how == nullptr) return "";
  for (const TensorCore id : {how->d32, how->d16}) {
    if (id == TensorCore::none) continue;
    const ImageNeeds needs = instruction_of(id).needs;
    if (needs == ImageNeeds::sm90a) {
      if (!device.has_wgmma) return "wgmma is an instruction of sm_90a";
    } else if (device.image < image_of(needs)) {
      return "needs device code of sm_" + std::to_string(image_of(needs) / 10) + " or later; this is sm_" +
             std::to_string(device.image / 10);
    }
  }
  return "";
}

std::string unit_name(const ProbeSet& set, const DeviceInfo& device) {
  const int capability = 10 * device.capability_major + device.capability_minor;
  if (const auto* const how = std::get_if<CudaCoreSet>(&set.how)) {
    switch (how->operation) {
      case CudaCore::multiply_add_f32: return "fma_f32";
      case CudaCore::multiply_add_f32_separate: return "mul_add_f32";
      case CudaCore::multiply_add_f32_ftz: return "fma_f32_ftz";
      case CudaCore::multiply_add_f32_separate_ftz: return "mul_add_f32_ftz";
      // sm_80 has fma.rn.bf16 alone, by which nvcc rounds the product and then the sum.
      case CudaCore::multiply_add_bf16: return capability >= 90 ? "fma_bf16.sm90" : "fma_bf16.sm80";
      case CudaCore::multiply_add_bf16_separate: return "mul_add_bf16";
      case CudaCore::multiply_add_f16:
      case CudaCore::multiply_add_f16_separate: return "";
    }
  }
  // The first of each family of tensor cores: 8.6 and 8.7 are 8.0's.
  constexpr int families[] = {70, 75, 80, 89, 90, 100, 120};
  const auto above = std::upper_bound(std::begin(families), std::end(families), capability);
  const int family = above == std::begin(families) ? capability : *(above - 1);
  std::string_view input = std::get<TensorCoreSet>(set.how).unit;
  if (input == "f64") return "fma_f64";
  std::string name = "sm" + std::to_string(family) + ".";
  if (const auto bar = input.find('|'); bar != std::string_view::npos) {
    if (family != 89 && family != 120) name += std::string(input.substr(0, bar)) + ".";
    input.remove_prefix(bar + 1);
  }
  return name + std::string(input);
}

}  // namespace assay::gpu
