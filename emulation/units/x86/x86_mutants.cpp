#include "emulation/units/x86/x86_mutants.hpp"

#include <algorithm>
#include <array>

#include "reference/core/dispatch.hpp"
#include "reference/core/parallel.hpp"

namespace assay {
namespace {

constexpr std::string_view vdp = "vdpbf16ps", tdp = "tdpbf16ps";

constexpr std::array mutants{
    X86Mutant{"even_first", vdp, "element 2i before 2i+1", {.even_first = true}},
    X86Mutant{
        "sum_then_add", vdp, "the pair's products are added before the accumulator", {.sum_first = true}},
    X86Mutant{"tiny_before", vdp, "flushed if tiny before rounding", {.tiny = Tiny::before_rounding}},
    X86Mutant{"flush_stored", vdp, "the IEEE result is flushed if subnormal", {.tiny = Tiny::as_stored}},
    X86Mutant{"no_flush", vdp, "subnormals kept", {.flush_inputs = false, .tiny = Tiny::kept}},
    X86Mutant{"nan_b_first", vdp, "NaN order b, a, acc: that of VFMADD213PS", {.nan = NanOrder::b_a_c}},
    X86Mutant{"one_chain", tdp, "even and odd elements in one chain", {.one_chain = true}},
    X86Mutant{"no_flush_in_adds", tdp, "the two last additions keep subnormals", {.flush_adds = false}},
    X86Mutant{"tiny_before", tdp, "flushed if tiny before rounding", {.tiny = Tiny::before_rounding}},
    X86Mutant{"flush_stored", tdp, "the IEEE result is flushed if subnormal", {.tiny = Tiny::as_stored}},
    X86Mutant{"no_flush", tdp, "subnormals kept", {.flush_inputs = false, .tiny = Tiny::kept}},
    X86Mutant{"nan_b_first", tdp, "NaN order b, a, acc: that of VFMADD213PS", {.nan = NanOrder::b_a_c}},
};

constexpr std::array<std::size_t, 4> pair_counts{1, 2, 16, 33};
constexpr std::size_t most_pairs = 33;

// One dot product: its addend and pairs.
struct Dot {
  std::uint32_t c = 0;
  std::size_t pairs = 1;
  std::array<std::uint32_t, most_pairs> a{}, b{};
  std::array<std::uint16_t, 2 * most_pairs> a_elements{}, b_elements{};

  CodeVector a_view() const { return {a_elements.data(), 2 * pairs, 1, formats::bfloat16}; }
  CodeVector b_view() const { return {b_elements.data(), 2 * pairs, 1, formats::bfloat16}; }
};

void make(Dot& dot, const X86Lanes& lanes, bool tiles) {
  std::array<std::uint32_t, most_pairs> c;
  dot.pairs = tiles ? pair_counts[lanes.first % pair_counts.size()] : 1;
  x86_operands({lanes.kind, lanes.seed, lanes.first * most_pairs, dot.pairs}, c.data(), dot.a.data(),
               dot.b.data());
  dot.c = c[0];
  for (std::size_t i = 0; i < dot.pairs; ++i) {
    for (std::size_t half = 0; half < 2; ++half) {
      dot.a_elements[2 * i + half] = static_cast<std::uint16_t>(dot.a[i] >> 16 * half);
      dot.b_elements[2 * i + half] = static_cast<std::uint16_t>(dot.b[i] >> 16 * half);
    }
  }
}

std::uint32_t truth(const Dot& dot, bool tiles, bool live) {
  if (!live) {
    return tiles ? tdpbf16ps_definition(dot.a_view(), dot.b_view(), dot.c)
                 : vdpbf16ps_definition(dot.a_view(), dot.b_view(), dot.c);
  }
  std::uint32_t d = dot.c;
  if (!tiles) {
    vdpbf16ps_live(LaneForm::zmm, 0x1F80, &d, dot.a.data(), dot.b.data(), &d, 1);
    return d;
  }
  for (std::size_t i = 0; i < dot.pairs; i += 16) {
    const TileShape shape{1, 1, std::min<std::size_t>(16, dot.pairs - i)};
    tdpbf16ps_live(shape, 0x1F80, &d, dot.a.data() + i, dot.b.data() + i);
  }
  return d;
}

}  // namespace

std::span<const X86Mutant> x86_mutants() { return mutants; }

std::uint32_t mutant_dot(const X86Mutant& mutant, const CodeVector& a, const CodeVector& b,
                         std::optional<std::uint64_t> c) {
  return mutant.unit == tdp ? tdpbf16ps_definition(a, b, c, mutant.rules)
                            : vdpbf16ps_definition(a, b, c, mutant.rules);
}

std::uint64_t MutantKills::kills() const {
  std::uint64_t sum = 0;
  for (const ClassKills& c : classes) sum += c.kills;
  return sum;
}

std::vector<MutantKills> run_x86_mutants(std::uint64_t seed, std::uint64_t vectors) {
  std::vector<MutantKills> result;
  for (const X86Mutant& mutant : mutants) {
    const bool live = cpu_has(mutant.unit == tdp ? Isa::amx_bf16 : Isa::avx512bf16);
    result.push_back({.mutant = &mutant, .live = live});
    for (const X86ClassInfo& c : x86_classes()) result.back().classes.push_back({c.id, vectors, 0});
  }
  struct Own {
    Dot dot;
    std::array<std::uint64_t, mutants.size()> kills{};
  };
  for (std::size_t at = 0; at < x86_classes().size(); ++at) {
    const X86Class kind = x86_classes()[at].id;
    const Own all = parallel_reduce(
        static_cast<std::size_t>(vectors), {0, Share::fixed}, [] { return Own{}; },
        [&](Own& own, std::size_t i) {
          Dot& dot = own.dot;
          for (const bool tiles : {false, true}) {
            make(dot, {kind, seed, i, 1}, tiles);
            const std::uint32_t want = truth(dot, tiles, cpu_has(tiles ? Isa::amx_bf16 : Isa::avx512bf16));
            for (std::size_t m = 0; m < mutants.size(); ++m) {
              if ((mutants[m].unit == tdp) == tiles)
                own.kills[m] += mutant_dot(mutants[m], dot.a_view(), dot.b_view(), dot.c) != want;
            }
          }
        },
        [](Own& sum, const Own& own) {
          for (std::size_t m = 0; m < mutants.size(); ++m) sum.kills[m] += own.kills[m];
        });
    for (std::size_t m = 0; m < mutants.size(); ++m) result[m].classes[at].kills = all.kills[m];
  }
  return result;
}

}  // namespace assay
