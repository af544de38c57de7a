#include "emulation/units/x86/live_x86.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "emulation/units/fma_gemm.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/conversion_policy.hpp"

namespace assay {
namespace {

constexpr std::array<X86ClassInfo, 9> x86_class_list{{
    {X86Class::uniform_bits, "uniform_bits", "every bit of c, a, b a coin"},
    {X86Class::cancel_addend, "cancel_addend", "c undoes one product, up to a few last places"},
    {X86Class::cancel_products, "cancel_products",
     "the products undo each other, up to a factor's last place"},
    {X86Class::underflow, "underflow", "products of 2^-152 to 2^-121, c at the subnormal numbers"},
    {X86Class::overflow, "overflow", "products of 2^124 to 2^129, c of 2^123 to 2^127"},
    {X86Class::specials, "specials",
     "NaNs with payloads, infinities, zeros, subnormals, ends of the range, mixed"},
    {X86Class::wide_gaps, "wide_gaps", "numbers of few bits, up to 2^120 apart"},
    {X86Class::tiny_boundary, "tiny_boundary", "2^-126 plus and minus fractions of 2^-150"},
    {X86Class::half_way, "half_way", "products at, or just off, half of the last place of c"},
}};

constexpr std::array<LaneForm, 5> forms{LaneForm::xmm, LaneForm::ymm, LaneForm::zmm, LaneForm::merge_masked,
                                        LaneForm::zero_masked};
constexpr std::array<ConversionForm, 6> conversions{ConversionForm::ps_xmm,     ConversionForm::ps_ymm,
                                                    ConversionForm::ps_zmm,     ConversionForm::two_ps_xmm,
                                                    ConversionForm::two_ps_ymm, ConversionForm::two_ps_zmm};

constexpr std::size_t batch = 1024;  // lanes whose operands and results stay in the first cache
struct Batch {
  alignas(64) std::uint32_t c[batch], a[batch], b[batch], got[batch], want[batch];
  X86Lane lane(std::size_t i) const { return {c[i], a[i], b[i]}; }
};

constexpr auto lanes_of_def = std::to_array<X86LanesKernel>({
#define X86_LANES(isa, description) \
  {{#isa, Isa::isa, description}, kernels::x86_operands_##isa, kernels::vdpbf16ps_lanes_##isa},
#include "emulation/units/x86/x86_lanes.def"
#undef X86_LANES
});
constexpr KernelTable<X86LanesKernel> lanes_table{"x86_lanes", lanes_of_def};

constexpr auto live_of_def = std::to_array<KernelInfo>({
#define LIVE_X86(name, isa, type, description) {#name, Isa::isa, description},
#include "emulation/units/x86/live_x86.def"
#undef LIVE_X86
});
constexpr KernelTable<KernelInfo> live_table{"live_x86", live_of_def};

void need(Isa isa) {
  if (const std::string why = why_unavailable(isa); !why.empty()) throw Unavailable(why);
}

void vdpbf16ps_lanes_definition(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                                std::uint32_t* d, std::size_t n, const X86Rules& rules = {}) {
  for (std::size_t i = 0; i < n; ++i) d[i] = vdpbf16ps_lane({c[i], a[i], b[i]}, rules);
}

// fill(batch, first, n) makes operands and both results; the batches are shared out over threads.
template <class Fill>
CheckCounts compare(std::uint64_t first, std::uint64_t count, std::size_t step, const Fill& fill) {
  struct Own {
    Batch x{};
    CheckCounts counts;
  };
  const auto batches = static_cast<std::size_t>((count + step - 1) / step);
  return parallel_reduce(
             batches, {batches > 4 ? 0 : 1, Share::fixed}, [] { return Own{}; },
             [&](Own& own, std::size_t k) {
               Batch& x = own.x;
               const std::uint64_t at = std::uint64_t{k} * step;
               const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(step, count - at));
               fill(x, first + at, n);
               own.counts.vectors += n;
               if (std::memcmp(x.got, x.want, n * sizeof *x.got) == 0) return;
               for (std::size_t i = 0; i < n; ++i) {
                 if (x.got[i] == x.want[i]) continue;
                 ++own.counts.mismatches;
                 if (!own.counts.first || first + at + i < own.counts.first->index)
                   own.counts.first = X86Mismatch{first + at + i, x.lane(i), x.got[i], x.want[i]};
               }
             },
             [](Own& all, const Own& own) { all.counts += own.counts; })
      .counts;
}

CodeMatrix pairs_of_rows(const std::uint32_t* a, const TileShape& shape) {
  return {a, shape.rows, 2 * shape.pairs, static_cast<std::ptrdiff_t>(2 * shape.pairs), 1, formats::bfloat16};
}

// B as AMX holds it has the two elements of a pair beside each other, which no strided matrix has: k x columns.
std::vector<std::uint16_t> unpaired(const std::uint32_t* b, const TileShape& shape) {
  std::vector<std::uint16_t> rows(2 * shape.pairs * shape.columns);
  for (std::size_t k = 0; k < shape.pairs; ++k) {
    for (std::size_t j = 0; j < shape.columns; ++j) {
      const std::uint32_t word = b[k * shape.columns + j];
      rows[2 * k * shape.columns + j] = static_cast<std::uint16_t>(word);
      rows[(2 * k + 1) * shape.columns + j] = static_cast<std::uint16_t>(word >> 16);
    }
  }
  return rows;
}

void check_shape(const TileShape& s) {
  const auto in_range = [](std::size_t x) { return x >= 1 && x <= 16; };
  if (!in_range(s.rows) || !in_range(s.columns) || !in_range(s.pairs)) {
    throw ContractError("a tile of " + std::to_string(s.rows) + " rows, " + std::to_string(s.columns) +
                        " columns, " + std::to_string(s.pairs) + " pairs; each is 1 to 16");
  }
}

// c += a b by the emulation: its gemm, or the definition under `rules`.
void emulate_tile(const TileShape& shape, std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                  const X86Rules* rules = nullptr) {
  const std::vector<std::uint16_t> rows = unpaired(b, shape);
  const auto columns = static_cast<std::ptrdiff_t>(shape.columns);
  const CodeMatrix x = pairs_of_rows(a, shape);
  const CodeMatrix y{rows.data(), 2 * shape.pairs, shape.columns, columns, 1, formats::bfloat16};
  const MutableCodeMatrix d{c, shape.rows, shape.columns, columns, 1, formats::float32};
  if (rules == nullptr && fma_gemm({.shape = ChainShape::tiles, .fused = true, .flush = true},
                                   fma_kernels().best(), x, y, CodeMatrix(d), d))
    return;
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (std::size_t j = 0; j < shape.columns; ++j)
      d.set(i, j,
            tdpbf16ps_definition(x.row(i), y.column(j), CodeMatrix(d).code(i, j),
                                 rules == nullptr ? X86Rules{} : *rules));
  }
}

// Tiles through two(got, want, a, b), which turns c, twice in place, into both results.
template <class Two>
CheckCounts compare_tiles(X86Class kind, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                          const TileShape& shape, const Two& two) {
  check_shape(shape);
  const std::size_t outputs = shape.rows * shape.columns;
  return compare(first * outputs, count * outputs, outputs, [&](Batch& x, std::uint64_t at, std::size_t) {
    std::array<std::uint32_t, 256> c, a, b;
    tile_operands(kind, seed, at / outputs, shape, c.data(), a.data(), b.data());
    std::copy_n(c.data(), outputs, x.got);
    std::copy_n(c.data(), outputs, x.want);
    two(x.got, x.want, a.data(), b.data());
    for (std::size_t i = 0; i < outputs; ++i) {
      x.c[i] = c[i];
      x.a[i] = a[i / shape.columns * shape.pairs];
      x.b[i] = b[i % shape.columns];
    }
  });
}

}  // namespace

// The baseline has no kernel file of it: the definition is all there is.
void kernels::vdpbf16ps_lanes_scalar(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                                     std::uint32_t* d, std::size_t n) noexcept {
  vdpbf16ps_lanes_definition(c, a, b, d, n);
}

const KernelTable<X86LanesKernel>& x86_lanes_kernels() { return lanes_table; }
const KernelTable<KernelInfo>& live_x86_kernels() { return live_table; }

std::span<const X86ClassInfo> x86_classes() { return x86_class_list; }
std::span<const LaneForm> lane_forms() { return forms; }
std::span<const ConversionForm> conversion_forms() { return conversions; }

std::string_view lane_form_name(LaneForm form) {
  switch (form) {
    case LaneForm::xmm: return "xmm";
    case LaneForm::ymm: return "ymm";
    case LaneForm::zmm: return "zmm";
    case LaneForm::merge_masked: return "zmm, merge-masked";
    case LaneForm::zero_masked: return "zmm, zero-masked";
  }
  return "?";
}

std::string_view conversion_form_name(ConversionForm form) {
  switch (form) {
    case ConversionForm::ps_xmm: return "VCVTNEPS2BF16 xmm";
    case ConversionForm::ps_ymm: return "VCVTNEPS2BF16 ymm";
    case ConversionForm::ps_zmm: return "VCVTNEPS2BF16 zmm";
    case ConversionForm::two_ps_xmm: return "VCVTNE2PS2BF16 xmm";
    case ConversionForm::two_ps_ymm: return "VCVTNE2PS2BF16 ymm";
    case ConversionForm::two_ps_zmm: return "VCVTNE2PS2BF16 zmm";
  }
  return "?";
}

CheckCounts& CheckCounts::operator+=(const CheckCounts& other) {
  vectors += other.vectors;
  mismatches += other.mismatches;
  if (other.first && (!first || other.first->index < first->index)) first = other.first;
  return *this;
}

void x86_operands(const X86Lanes& lanes, std::uint32_t* c, std::uint32_t* a, std::uint32_t* b) {
  lanes_table.best().operands(lanes.kind, lanes.seed, lanes.first, static_cast<std::size_t>(lanes.count), c,
                              a, b);
}

std::uint32_t vdpbf16ps_lane(const X86Lane& lane, const X86Rules& rules) {
  const std::array<std::uint16_t, 2> a{static_cast<std::uint16_t>(lane.a),
                                       static_cast<std::uint16_t>(lane.a >> 16)};
  const std::array<std::uint16_t, 2> b{static_cast<std::uint16_t>(lane.b),
                                       static_cast<std::uint16_t>(lane.b >> 16)};
  return vdpbf16ps_definition({a.data(), 2, 1, formats::bfloat16}, {b.data(), 2, 1, formats::bfloat16},
                              lane.c, rules);
}

void vdpbf16ps_lanes(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* d,
                     std::size_t n) {
  lanes_table.best().lanes(c, a, b, d, n);
}

void vdpbf16ps_live(LaneForm form, std::uint32_t mxcsr, const std::uint32_t* c, const std::uint32_t* a,
                    const std::uint32_t* b, std::uint32_t* d, std::size_t n) {
  need(Isa::avx512bf16);
  const std::size_t whole = n / 16 * 16, rest = n - whole;
  kernels::vdpbf16ps_live_avx512bf16(form, mxcsr, c, a, b, d, whole);
  if (rest == 0) return;
  std::array<std::uint32_t, 16> x{}, y{}, z{};
  std::copy_n(c + whole, rest, z.data());
  std::copy_n(a + whole, rest, x.data());
  std::copy_n(b + whole, rest, y.data());
  kernels::vdpbf16ps_live_avx512bf16(form, mxcsr, z.data(), x.data(), y.data(), z.data(), 16);
  std::copy_n(z.data(), rest, d + whole);
}

void vcvtneps2bf16_live(ConversionForm form, std::uint32_t mxcsr, const std::uint32_t* src,
                        std::uint16_t* dst, std::size_t n) {
  need(Isa::avx512bf16);
  const std::size_t whole = n / 32 * 32, rest = n - whole;
  kernels::vcvtneps2bf16_live_avx512bf16(form, mxcsr, src, dst, whole);
  if (rest == 0) return;
  std::array<std::uint32_t, 32> in{};
  std::array<std::uint16_t, 32> out{};
  std::copy_n(src + whole, rest, in.data());
  kernels::vcvtneps2bf16_live_avx512bf16(form, mxcsr, in.data(), out.data(), 32);
  std::copy_n(out.data(), rest, dst + whole);
}

CheckCounts check_vdpbf16ps_live(const X86Lanes& lanes, LaneForm form, std::uint32_t mxcsr) {
  need(Isa::avx512bf16);
  X86OperandsFn* const operands = lanes_table.best().operands;
  return compare(lanes.first, lanes.count, batch, [&](Batch& x, std::uint64_t first, std::size_t n) {
    operands(lanes.kind, lanes.seed, first, n, x.c, x.a, x.b);
    vdpbf16ps_live(form, mxcsr, x.c, x.a, x.b, x.got, n);
    vdpbf16ps_lanes(x.c, x.a, x.b, x.want, n);
  });
}

CheckCounts check_vdpbf16ps_definition(const X86Lanes& lanes, const X86Rules& rules) {
  X86OperandsFn* const operands = lanes_table.best().operands;
  return compare(lanes.first, lanes.count, batch, [&](Batch& x, std::uint64_t first, std::size_t n) {
    operands(lanes.kind, lanes.seed, first, n, x.c, x.a, x.b);
    vdpbf16ps_lanes(x.c, x.a, x.b, x.got, n);
    vdpbf16ps_lanes_definition(x.c, x.a, x.b, x.want, n, rules);
  });
}

CheckCounts check_vcvtneps2bf16_live(const X86Lanes& lanes, ConversionForm form, std::uint32_t mxcsr) {
  need(Isa::avx512bf16);
  X86OperandsFn* const operands = lanes_table.best().operands;
  const ConversionPolicy& policy = parse_policy("intel");
  return compare(lanes.first, lanes.count, batch, [&](Batch& x, std::uint64_t first, std::size_t n) {
    operands(lanes.kind, lanes.seed, first, n, x.a, x.b, x.c);
    std::array<std::uint16_t, batch> codes;
    vcvtneps2bf16_live(form, mxcsr, x.a, codes.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      x.got[i] = codes[i];
      x.want[i] = convert_bits32(x.a[i], formats::bfloat16, policy);
      x.b[i] = x.c[i] = 0;
    }
  });
}

void tdpbf16ps_live(const TileShape& shape, std::uint32_t mxcsr, std::uint32_t* c, const std::uint32_t* a,
                    const std::uint32_t* b) {
  check_shape(shape);
  need(Isa::amx_bf16);
  kernels::tdpbf16ps_live_amx_bf16(shape.rows, shape.columns, shape.pairs, mxcsr, c, a, b);
}

void tile_operands(X86Class kind, std::uint64_t seed, std::uint64_t index, const TileShape& shape,
                   std::uint32_t* c, std::uint32_t* a, std::uint32_t* b) {
  check_shape(shape);
  // Lane (i, k) of 16 x 16 belongs to pair k of output (i, i): rows take its a, columns its b and the first c. The
  // addends of the other outputs come from lanes that serve no pair.
  std::array<std::uint32_t, 512> lane_c, lane_a, lane_b;
  x86_operands({kind, seed, index * 512, 512}, lane_c.data(), lane_a.data(), lane_b.data());
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (std::size_t k = 0; k < shape.pairs; ++k) a[i * shape.pairs + k] = lane_a[i % shape.columns * 16 + k];
    for (std::size_t j = 0; j < shape.columns; ++j)
      c[i * shape.columns + j] = i % shape.columns == j ? lane_c[j * 16] : lane_c[256 + i * 16 + j];
  }
  for (std::size_t k = 0; k < shape.pairs; ++k) {
    for (std::size_t j = 0; j < shape.columns; ++j) b[k * shape.columns + j] = lane_b[j * 16 + k];
  }
}

CheckCounts check_tdpbf16ps_live(X86Class kind, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                                 const TileShape& shape, std::uint32_t mxcsr) {
  need(Isa::amx_bf16);
  return compare_tiles(
      kind, seed, first, count, shape,
      [&](std::uint32_t* got, std::uint32_t* want, const std::uint32_t* a, const std::uint32_t* b) {
        tdpbf16ps_live(shape, mxcsr, got, a, b);
        emulate_tile(shape, want, a, b);
      });
}

CheckCounts check_tdpbf16ps_definition(X86Class kind, std::uint64_t seed, std::uint64_t first,
                                       std::uint64_t count, const TileShape& shape, const X86Rules& rules) {
  return compare_tiles(
      kind, seed, first, count, shape,
      [&](std::uint32_t* got, std::uint32_t* want, const std::uint32_t* a, const std::uint32_t* b) {
        emulate_tile(shape, got, a, b);
        emulate_tile(shape, want, a, b, &rules);
      });
}

}  // namespace assay
