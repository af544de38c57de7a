// Arrays converted from one format to another, by the best kernel that this CPU has.
//
// Numerics
//   hence  every kernel gives the bits of convert_bits32() and encode_stochastic(): the definition, whatever the ISA,
//          the number of threads, the alignment and MXCSR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/convert_params.hpp"
#include "reference/formats/rounding.hpp"
#include "reference/formats/storage.hpp"

namespace assay {

// What is asked of a conversion.
struct Conversion {
  FormatSpec from = formats::float32;
  FormatSpec to = formats::bfloat16;
  Rounding rounding = Rounding::nearest_even;
  std::string_view policy = "format";
  Overflow overflow = Overflow::ieee;
  int random_bits = 0;     // stochastic rounding: 0 means 16 for bfloat16 (exact probabilities), else 32
  std::uint64_t seed = 0;  // stochastic rounding
  std::uint64_t first_index =
      0;  // stochastic rounding: index of src[0] in the array that is rounded piece by piece
};

struct ConversionKernel : KernelInfo {
  bool (*supports)(const Conversion&);
  ConvertFn* run;
};

// Every kernel of conversions.def, best first.
const KernelTable<ConversionKernel>& conversion_kernels();

// The parameters of a conversion, but for the key of stochastic rounding, which depends on the index; ContractError
// where the policy has no such rounding or destination, or the random bits are not 0 to 32.
ConvertParams convert_params(const Conversion& c);

// The best kernel that supports the conversion, that this CPU runs and that ASSAY_ISA allows; Unavailable if there is
// none.
const ConversionKernel& best_kernel(const Conversion& c);

// Converts src[0..n) on `threads` threads (0: as many as OpenMP gives, for arrays of 2^18 elements and more), by the
// best kernel, or where there is none element by element by the definition: the same bits. ContractError as
// convert_params(), and for a policy where src is not float32: they convert nothing else.
void convert_array(const void* src, void* dst, std::size_t n, const Conversion& c, int threads = 0);

// The same by one kernel. ContractError if it does not support the conversion, Unavailable if this CPU lacks its ISA.
void convert_array(const ConversionKernel& kernel, const void* src, void* dst, std::size_t n,
                   const Conversion& c, int threads = 0);

// Destinations of this many bytes are written with non-temporal stores by the kernels of wide ISAs: an ordinary store
// fetches its line first, and by the end of such an array the line has left the caches again. Measured on a Zen 5 with
// 32 MiB of L3, VCVTNE2PS2BF16 without and with: 4 MiB 19 and 18 Gelem/s, 16 MiB 2.4 and 7.5, 128 MiB 2.9 and 3.8.
inline constexpr std::size_t non_temporal_bytes = std::size_t{1} << 24;

template <class To>
void convert_array(std::span<const float> src, std::span<To> dst, Conversion c = {}, int threads = 0) {
  c.from = formats::float32;
  c.to = To::format;
  if (src.size() != dst.size()) {
    throw ContractError("convert_array: " + std::to_string(src.size()) + " floats into " +
                        std::to_string(dst.size()) + " codes");
  }
  convert_array(src.data(), dst.data(), src.size(), c, threads);
}

}  // namespace assay
