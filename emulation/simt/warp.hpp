// Warp operations of the threads of a block: shuffles, votes, matches and reductions, as the CUDA C++ Programming Guide
// defines them. A shuffle from a lane that does not take part, which the guide leaves undefined, gives the caller's own
// value.
#pragma once

#include <cstdint>
#include <type_traits>

#include "emulation/simt/block.hpp"

namespace assay::simt {

template <class Visit>
void for_each_lane(std::uint32_t lanes, const Visit& visit) {
  for (; lanes != 0; lanes &= lanes - 1) visit(static_cast<std::uint32_t>(__builtin_ctz(lanes)));
}

// result[lane] = combine(inputs, lanes, lane), every lane's input being read before a result is written.
template <class In, class Out, auto combine>
[[gnu::always_inline]] inline Out warp_operation(std::uint32_t mask, const In& in) {
  Out out{};
  Block::current()->collective(
      mask, &in, &out, [](const void* const* inputs, void* const* outputs, std::uint32_t lanes) {
        const auto input = [&](std::uint32_t lane) -> const In& {
          return *static_cast<const In*>(inputs[lane]);
        };
        Out results[warp_lanes];
        for_each_lane(lanes, [&](std::uint32_t lane) { results[lane] = combine(input, lanes, lane); });
        for_each_lane(lanes, [&](std::uint32_t lane) { *static_cast<Out*>(outputs[lane]) = results[lane]; });
      });
  return out;
}

// --- shuffles --------------------------------------------------------------------------------------------------------

template <class T>
struct Shuffled {
  T value;
  std::uint32_t source;
};
template <class T>
[[gnu::always_inline]] inline T shuffle_from(std::uint32_t mask, T value, std::uint32_t source) {
  static_assert(std::is_trivially_copyable_v<T>);
  constexpr auto combine = [](const auto& input, std::uint32_t lanes, std::uint32_t lane) {
    const std::uint32_t from = input(lane).source;
    return input((lanes >> from & 1) != 0 ? from : lane).value;
  };
  return warp_operation<Shuffled<T>, T, combine>(mask, {value, source});
}

// The lanes of a warp in segments of `width`, a power of two.
template <class T>
[[gnu::always_inline]] inline T shuffle(std::uint32_t mask, T value, int source, int width) {
  const std::uint32_t segment = static_cast<std::uint32_t>(width) - 1, lane = Block::current()->lane();
  return shuffle_from(mask, value, (lane & ~segment) | (static_cast<std::uint32_t>(source) & segment));
}
template <class T>
[[gnu::always_inline]] inline T shuffle_up(std::uint32_t mask, T value, unsigned delta, int width) {
  const std::uint32_t segment = static_cast<std::uint32_t>(width) - 1, lane = Block::current()->lane();
  return shuffle_from(mask, value, (lane & segment) >= delta ? lane - delta : lane);
}
template <class T>
[[gnu::always_inline]] inline T shuffle_down(std::uint32_t mask, T value, unsigned delta, int width) {
  const std::uint32_t segment = static_cast<std::uint32_t>(width) - 1, lane = Block::current()->lane();
  return shuffle_from(mask, value, delta <= segment - (lane & segment) ? lane + delta : lane);
}
// A lane of a later segment gives the caller's own value; of an earlier one it is read.
template <class T>
[[gnu::always_inline]] inline T shuffle_xor(std::uint32_t mask, T value, int lane_mask, int width) {
  const std::uint32_t segment = static_cast<std::uint32_t>(width) - 1, lane = Block::current()->lane();
  const std::uint32_t from = (lane ^ static_cast<std::uint32_t>(lane_mask)) % warp_lanes;
  return shuffle_from(mask, value, (from & ~segment) > (lane & ~segment) ? lane : from);
}

// --- votes, matches, reductions --------------------------------------------------------------------------------------

[[gnu::always_inline]] inline void synchronize(std::uint32_t mask) {
  Block::current()->collective(mask, nullptr, nullptr, nullptr);
}

[[gnu::always_inline]] inline std::uint32_t ballot(std::uint32_t mask, bool predicate) {
  constexpr auto combine = [](const auto& input, std::uint32_t lanes, std::uint32_t) {
    std::uint32_t bits = 0;
    for_each_lane(lanes, [&](std::uint32_t lane) { bits |= std::uint32_t{input(lane)} << lane; });
    return bits;
  };
  return warp_operation<bool, std::uint32_t, combine>(mask, predicate);
}

// Whether the predicate holds in every lane that takes part.
[[gnu::always_inline]] inline bool all_of_lanes(std::uint32_t mask, bool predicate) {
  constexpr auto combine = [](const auto& input, std::uint32_t lanes, std::uint32_t) {
    bool all = true;
    for_each_lane(lanes, [&](std::uint32_t lane) { all = all && input(lane); });
    return all;
  };
  return warp_operation<bool, bool, combine>(mask, predicate);
}

// The lanes that have the caller's value.
template <class T>
[[gnu::always_inline]] inline std::uint32_t match_any(std::uint32_t mask, T value) {
  constexpr auto combine = [](const auto& input, std::uint32_t lanes, std::uint32_t lane) {
    std::uint32_t same = 0;
    for_each_lane(lanes, [&](std::uint32_t other) {
      same |= std::uint32_t{__builtin_memcmp(&input(other), &input(lane), sizeof(T)) == 0} << other;
    });
    return same;
  };
  return warp_operation<T, std::uint32_t, combine>(mask, value);
}

// binary(binary(x0, x1), x2) ... over the lanes in ascending order.
template <class T, auto binary>
[[gnu::always_inline]] inline T reduce_lanes(std::uint32_t mask, T value) {
  constexpr auto combine = [](const auto& input, std::uint32_t lanes, std::uint32_t) {
    T sum{};
    bool first = true;
    for_each_lane(lanes, [&](std::uint32_t lane) {
      sum = first ? input(lane) : static_cast<T>(binary(sum, input(lane)));
      first = false;
    });
    return sum;
  };
  return warp_operation<T, T, combine>(mask, value);
}

}  // namespace assay::simt
