// The arguments of a kernel of AutoSparse's gradient path: plain pointers and sizes, so that a kernel compiled for a
// wide ISA shares no inline code with the rest of the program.
//
// Numerics: the contract of gradient.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::autosparse {

// ds is summed by pieces of so many weights, and each by so many sums side by side.
inline constexpr std::size_t ds_piece = 4096, ds_lanes = 16;

// Weights under one threshold. What is null is not written.
template <class Real>
struct ForwardTask {
  const Real* w = nullptr;
  Real* v = nullptr;
  std::uint16_t* v_bf16 = nullptr;  // v rounded to bfloat16
  std::uint8_t* mask = nullptr;
  std::size_t n = 0;
  Real threshold = 0;
  bool stream = false;  // v by non-temporal stores: both lie at multiples of 16 bytes
};

// A piece of weights under one threshold, at most ds_piece of them.
template <class Real>
struct BackwardTask {
  const Real* w = nullptr;
  const Real* g = nullptr;
  Real* dw = nullptr;  // null: not written
  std::size_t n = 0;
  Real threshold = 0, alpha = 0, lambda = 0;
  bool stream = false;  // dw by non-temporal stores: it lies at a multiple of 16 bytes
};

// The second returns the piece's sum of sign(w) h G.
using ForwardFn = void(const ForwardTask<float>& task) noexcept;
using BackwardFn = double(const BackwardTask<float>& task) noexcept;

}  // namespace assay::autosparse
