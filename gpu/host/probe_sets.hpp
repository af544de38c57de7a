// The probe's sets of vectors, what each requires and what it is evidence for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gpu/host/device.hpp"
#include "reference/formats/format_spec.hpp"

namespace assay::gpu {

enum class ImageNeeds { sm75, sm80, sm89, sm90a };

struct TensorCoreInstruction {
  TensorCore id = TensorCore::none;
  std::string ptx;  // whole
  int m = 0;        // n is 8
  int k = 0;
  FormatSpec input;
  FormatSpec accumulator;
  ImageNeeds needs = ImageNeeds::sm75;
};
// ContractError for TensorCore::none.
const TensorCoreInstruction& instruction_of(TensorCore id);

struct CudaCoreOperation {
  CudaCore id{};
  std::string flags;  // of nvcc, those that matter
  FormatSpec format;
};
const CudaCoreOperation& operation_of(CudaCore id);

struct TensorCoreSet {
  TensorCore d32 = TensorCore::none;  // d_fp32 or d_fp64
  TensorCore d16 = TensorCore::none;  // d_fp16
  std::size_t chunks = 1;
  std::string_view unit;
};
struct CudaCoreSet {
  CudaCore operation{};
};
struct ProbeSet {
  std::string_view name;
  FormatSpec input;
  std::size_t k;  // of a row
  std::variant<TensorCoreSet, CudaCoreSet> how;
};
const std::vector<ProbeSet>& probe_sets();

// Why this GPU, with this device code, cannot record the set; empty if it can.
std::string why_not(const ProbeSet& set, const DeviceInfo& device);

// Assay's name of the unit whose arithmetic the set shows on such a GPU, without ":f16": "sm90.bf16",
// "sm90.wgmma.f8_e4m3", "sm90.mma.f8_e4m3" (one unit on sm_89 and sm_120: "sm89.f8_e4m3"), "fma_f32". Empty where Assay
// has no unit for it.
std::string unit_name(const ProbeSet& set, const DeviceInfo& device);

}  // namespace assay::gpu
