// The bodies of gradient_f32_<isa>.cpp, over a type of 16 lanes: see reference/autosparse/gradient.hpp.
//
// Forward reads a weight and writes one, backward reads two and writes one: in arrays that no cache holds both run as
// fast as memory does, if what is written is not fetched first.
//
// In an unnamed namespace: a file that includes this has code of its own, compiled for its own ISA, and exports none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "reference/autosparse/gradient_task.hpp"

namespace assay::autosparse {
namespace {

inline constexpr std::size_t step = 16;

// Weights ahead of the step that reads them, behind the end of a piece too: a hint, which cannot fault. What is written
// around the caches slows the processor's own prefetching: 70 % of memcpy's rate without this, 88 % with it.
inline constexpr std::size_t ahead = 512;
[[gnu::always_inline]] inline void ask_for(const float* p) { __builtin_prefetch(p + ahead); }

template <class Lanes, bool stream>
[[gnu::always_inline]] inline void store(Lanes x, float* p) {
  if constexpr (stream)
    x.stream(p);
  else
    x.store(p);
}

template <class Lanes, bool stream>
[[gnu::always_inline]] inline void forward_step(const float* w_at, Lanes threshold, float* v,
                                                std::uint16_t* v_bf16, std::uint8_t* mask) {
  const Lanes w = Lanes::load(w_at);
  const auto kept = w.magnitude_above(threshold);
  const Lanes pruned = w.shrunk(threshold, kept);
  if (v != nullptr) store<Lanes, stream>(pruned, v);
  if (v_bf16 != nullptr) pruned.template store_bf16<stream>(v_bf16);
  if (mask != nullptr) Lanes::store_mask(kept, mask);
}

template <class Lanes, bool stream>
inline void forward_steps(const ForwardTask<float>& task) {
  const Lanes threshold = Lanes::all(task.threshold);
  const auto from = [](auto* p, std::size_t i) __attribute__((always_inline)) {
    return p == nullptr ? p : p + i;
  };
  std::size_t i = 0;
  for (; i + step <= task.n; i += step) {
    if constexpr (stream) ask_for(task.w + i);
    forward_step<Lanes, stream>(task.w + i, threshold, from(task.v, i), from(task.v_bf16, i),
                                from(task.mask, i));
  }
  if (i == task.n) return;
  const std::size_t rest = task.n - i;
  float w[step] = {}, v[step];
  std::uint16_t v_bf16[step];
  std::uint8_t mask[step];
  std::memcpy(w, task.w + i, rest * sizeof *w);
  forward_step<Lanes, false>(w, threshold, v, v_bf16, mask);
  if (task.v != nullptr) std::memcpy(task.v + i, v, rest * sizeof *v);
  if (task.v_bf16 != nullptr) std::memcpy(task.v_bf16 + i, v_bf16, rest * sizeof *v_bf16);
  if (task.mask != nullptr) std::memcpy(task.mask + i, mask, rest);
}

template <class Lanes>
inline void forward_weights(const ForwardTask<float>& task) {
  task.stream ? forward_steps<Lanes, true>(task) : forward_steps<Lanes, false>(task);
}

// `decays`: lambda is not 0. A decay of 0 is no operation: it would make +0 of a gradient of -0.
template <class Lanes, bool stream, bool decays>
[[gnu::always_inline]] inline void backward_step(const float* w_at, const float* g_at, Lanes threshold,
                                                 Lanes alpha, Lanes lambda, float* dw,
                                                 typename Lanes::Sums& sums) {
  const Lanes w = Lanes::load(w_at), g = Lanes::load(g_at);
  const auto kept = w.magnitude_above(threshold);
  sums.add(g.with_sign_by(w), Lanes::all(1).where(kept, alpha));
  if (dw == nullptr) return;
  Lanes out = g.where(kept, alpha * g);
  if constexpr (decays) out = Lanes::fma(lambda, w, out);
  store<Lanes, stream>(out.with_one_nan(), dw);
}

template <class Lanes, bool stream, bool decays>
inline double backward_steps(const BackwardTask<float>& task) {
  const Lanes threshold = Lanes::all(task.threshold), alpha = Lanes::all(task.alpha),
              lambda = Lanes::all(task.lambda);
  typename Lanes::Sums sums;
  std::size_t i = 0;
  for (; i + step <= task.n; i += step) {
    if constexpr (stream) {
      ask_for(task.w + i);
      ask_for(task.g + i);
    }
    backward_step<Lanes, stream, decays>(task.w + i, task.g + i, threshold, alpha, lambda,
                                         task.dw == nullptr ? nullptr : task.dw + i, sums);
  }
  if (i < task.n) {
    // A weight of 0 adds nothing.
    const std::size_t rest = task.n - i;
    float w[step] = {}, g[step] = {}, dw[step];
    std::memcpy(w, task.w + i, rest * sizeof *w);
    std::memcpy(g, task.g + i, rest * sizeof *g);
    backward_step<Lanes, false, decays>(w, g, threshold, alpha, lambda, dw, sums);
    if (task.dw != nullptr) std::memcpy(task.dw + i, dw, rest * sizeof *dw);
  }
  double lanes[step];
  sums.store(lanes);
  for (std::size_t half = step / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

template <class Lanes>
inline double backward_weights(const BackwardTask<float>& task) {
  if (task.lambda != 0)
    return task.stream ? backward_steps<Lanes, true, true>(task) : backward_steps<Lanes, false, true>(task);
  return task.stream ? backward_steps<Lanes, true, false>(task) : backward_steps<Lanes, false, false>(task);
}

}  // namespace
}  // namespace assay::autosparse
