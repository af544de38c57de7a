// The probe's interface to a GPU, which multiplies tiles. The real one is in cuda_device.cu; tests use others. Read by
// nvcc too: C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace assay::gpu {

enum class TensorCore : int {
#define TENSOR_CORE(id, form, ptx, m, k, input, accumulator, needs) id,
#include "emulation/units/nvidia/tensor_core_instructions.def"
  none,
};

enum class CudaCore : int {
#define CUDA_CORE(id, build, type, format) id,
#include "gpu/host/cuda_core_operations.def"
};

struct DeviceInfo {
  std::string name;             // "NVIDIA H100 80GB HBM3"
  int capability_major = 0;     // of the GPU
  int capability_minor = 0;     //
  int image = 0;                // architecture of the device code that runs: 900 for sm_90 and sm_90a
  bool has_wgmma = false;       // and whether it was compiled for sm_90a
  int driver_cuda = 0;          // CUDA version that the driver supports: 13000
  int runtime = 0;              // version of the CUDA runtime
  std::string driver;           // "580.65.06"; empty if the system does not say
  std::string device_compiler;  // "nvcc 13.0.88"
};

// D = A B + C for `tiles` tiles of m x 8, `chunks` instructions one after the other in K, the result of each the addend
// of the next. Row-major, tile by tile: a [tiles, m, chunks * k], b [tiles, 8, chunks * k] (columns of B), c and d
// [tiles, m, 8]. Words are codes of the instruction's formats; tf32 as the bits of a float32, whatever its low 13 bits.
struct TileJob {
  TensorCore instruction = TensorCore::none;
  std::size_t tiles = 0;
  std::size_t chunks = 1;
  std::vector<std::uint64_t> a, b, c;
};

// acc = a * b + acc over a row of k, from c: a and b [rows, k], c and d [rows]. Codes of the operation's format.
struct RowJob {
  CudaCore operation{};
  std::size_t rows = 0;
  std::size_t k = 0;
  std::vector<std::uint64_t> a, b, c;
};

class Device {
 public:
  virtual ~Device() = default;
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  virtual DeviceInfo info() const = 0;
  // std::runtime_error, naming call, file and line, if the device fails.
  virtual std::vector<std::uint64_t> run(const TileJob& job) = 0;
  virtual std::vector<std::uint64_t> run(const RowJob& job) = 0;
};

// GPU number `index`. std::runtime_error if there is none or it cannot run this program; no other call fails before.
// Defined in cuda_device.cu.
std::unique_ptr<Device> open_cuda_device(int index);

}  // namespace assay::gpu
