#include "emulation/simt/matrix.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "emulation/simt/block.hpp"
#include "emulation/simt/matrix_tile.hpp"
#include "emulation/simt/observer.hpp"
#include "emulation/units/nvidia/fused_sum.hpp"
#include "reference/formats/formats.hpp"

namespace assay::simt {
namespace {

using enum MatrixFormat;

bool is_integer(MatrixFormat f) { return f == s8 || f == u8 || f == s4 || f == u4; }
bool is_fp8(MatrixFormat f) { return f == e4m3 || f == e5m2; }

// In a view of a unit. tf32: the unit ignores the low bits of a float32.
const FormatSpec& format_of(MatrixFormat f) {
  switch (f) {
    case f16: return formats::float16;
    case bf16: return formats::bfloat16;
    case e4m3: return formats::float8_e4m3fn;
    case e5m2: return formats::float8_e5m2;
    default: return formats::float32;
  }
}

// --- the imitated GPU ------------------------------------------------------------------------------------------------

// GPUs that have a compute capability and units of their own in units.def, or share those of a neighbour.
struct ArchitectureRow {
  int number;  // 90 of sm_90
  const char* units;
  bool own_units;
};
constexpr auto architecture_rows = std::to_array<ArchitectureRow>({
    {70, "sm70", true},
    {72, "sm70", false},
    {75, "sm75", true},
    {80, "sm80", true},
    {86, "sm80", false},
    {87, "sm80", false},
    {89, "sm89", true},
    {90, "sm90", true},
    {100, "sm100", true},
    {103, "sm100", false},
    {120, "sm120", true},
    {121, "sm120", false},
});

// What one combination of formats comes to on one GPU.
struct Resolved {
  enum class How : std::uint8_t { unavailable, fused, chain_f64, integers, bits };
  How how = How::unavailable;
  std::string why_not{};
  std::vector<std::string> notes{};
  std::unique_ptr<const Unit> unit{};
  std::unique_ptr<const FusedTile> tile{};
  mutable std::atomic<bool> noted = false;
};

struct Architecture {
  std::string name{};
  const ArchitectureRow* row = nullptr;  // null: unknown
  std::array<std::atomic<const Resolved*>, 2 * matrix_formats * matrix_formats * matrix_formats> cache{};
  std::vector<std::unique_ptr<const Resolved>> resolved{};  // what the cache points to
};

// Guards everything that is not in a cache yet.
struct MatrixState {
  std::mutex mutex{};
  std::map<std::string, std::unique_ptr<Architecture>> architectures{};
  std::vector<std::string> notes{};
};
MatrixState& matrix_state() {
  static MatrixState state;
  return state;
}
constinit std::atomic<Architecture*> imitated = nullptr;

const ArchitectureRow* row_of(std::string_view name) {
  if (!name.starts_with("sm_")) return nullptr;
  name.remove_prefix(3);
  int number = 0;
  std::size_t digits = 0;
  for (; digits < name.size() && digits < 4 && name[digits] >= '0' && name[digits] <= '9'; ++digits) {
    number = 10 * number + (name[digits] - '0');
  }
  const std::string_view suffix = name.substr(digits);
  if (digits == 0 || (!suffix.empty() && suffix != "a" && suffix != "f")) return nullptr;
  const auto* const at = std::ranges::find(architecture_rows, number, &ArchitectureRow::number);
  return at == architecture_rows.end() ? nullptr : at;
}

Architecture& architecture_named(const std::string& name) {
  MatrixState& state = matrix_state();
  const std::lock_guard lock(state.mutex);
  std::unique_ptr<Architecture>& architecture = state.architectures[name];
  if (architecture == nullptr) {
    architecture = std::make_unique<Architecture>();
    architecture->name = name;
    architecture->row = row_of(name);
  }
  return *architecture;
}

Architecture& matrix_gpu() {
  Architecture* gpu = imitated.load(std::memory_order_acquire);
  if (gpu != nullptr) return *gpu;
  const char* const name = std::getenv("ASSAY_SIMT_ARCH");
  gpu = &architecture_named(name != nullptr && *name != '\0' ? name : "sm_90");
  Architecture* before = nullptr;
  return imitated.compare_exchange_strong(before, gpu) ? *gpu : *before;
}

std::string formats_text(const MatrixOperation& o) {
  std::string text = matrix_format_name(o.a);
  if (o.b != o.a) text += " times " + matrix_format_name(o.b);
  return text + " into " + matrix_format_name(o.accumulator);
}

// The rows of units.def by their names: "sm90.wgmma.f8_e4m3:f16", and where an instruction has no row of its own
// "sm90.f16:f16".
const FusedSumSpec* find_unit(const Architecture& gpu, const MatrixOperation& o) {
  const std::string units = gpu.row->units;
  const std::string of_instruction = o.instruction == MatrixInstruction::wgmma ? ".wgmma." : ".mma.";
  const std::string formats =
      (is_fp8(o.a) ? "f8_" : "") + matrix_format_name(o.a) + (o.accumulator == f16 ? ":f16" : "");
  const FusedSumSpec* const own = find_fused_sum_spec(units + of_instruction + formats);
  return own != nullptr ? own : find_fused_sum_spec(units + "." + formats);
}

std::unique_ptr<Resolved> unavailable(std::string why_not) {
  auto result = std::make_unique<Resolved>();
  result->why_not = std::move(why_not);
  return result;
}

// Integers and bits: PTX ISA's "Target ISA Notes" of mma and wmma.mma.
int first_with_integers(const MatrixOperation& o) {
  if (o.a == b1) return o.bits == BitProduct::conjunction ? 80 : 75;
  return o.a == s8 || o.a == u8 ? 72 : 75;
}

std::unique_ptr<Resolved> resolve(const Architecture& gpu, const MatrixOperation& o) {
  const std::string none = gpu.name + " has no matrix unit for " + formats_text(o);
  if (gpu.row == nullptr) {
    return unavailable("ASSAY_SIMT_ARCH: unknown GPU \"" + gpu.name +
                       "\": sm_70, sm_75, sm_80, sm_89, sm_90, sm_100, "
                       "sm_120 and their kin are known");
  }
  if (o.instruction == MatrixInstruction::wgmma && gpu.row->number != 90) {
    return unavailable(gpu.name + " has no wgmma");
  }
  auto result = std::make_unique<Resolved>();
  if (o.accumulator == s32) {
    const bool of_bits = o.a == b1 && o.b == b1;
    const bool of_integers =
        is_integer(o.a) && is_integer(o.b) && matrix_format_bits(o.a) == matrix_format_bits(o.b);
    if (!of_bits && !of_integers) return unavailable(none);
    if (gpu.row->number < first_with_integers(o)) return unavailable(none);
    if (o.instruction == MatrixInstruction::wgmma) {
      const bool none_there = matrix_format_bits(o.a) == 4 || (of_bits && o.bits != BitProduct::conjunction);
      if (none_there) return unavailable(none);
    }
    result->how = of_bits ? Resolved::How::bits : Resolved::How::integers;
    return result;
  }
  if (o.a == f64 && o.b == f64 && o.accumulator == f64) {
    if (gpu.row->number < 80 || o.instruction == MatrixInstruction::wgmma) return unavailable(none);
    result->how = Resolved::How::chain_f64;
    result->notes.push_back("fma_f64 on tensor cores of " + gpu.name +
                            ": the order of the sum within an instruction, taken as that of k, and the code "
                            "of NaN are unverified");
    return result;
  }
  const bool floats = (o.a == f16 || o.a == bf16 || o.a == tf32 || is_fp8(o.a)) &&
                      (o.accumulator == f32 || o.accumulator == f16) &&
                      (o.a == o.b || (is_fp8(o.a) && is_fp8(o.b)));
  if (!floats) return unavailable("no GPU multiplies " + formats_text(o));
  const FusedSumSpec* const spec = find_unit(gpu, o);
  if (spec == nullptr) return unavailable(none + " in emulation/units/units.def");
  result->how = Resolved::How::fused;
  result->unit = make_fused_sum(*spec);
  result->tile = std::make_unique<FusedTile>(*spec, format_of(o.a), format_of(o.b));
  const ArithmeticInfo& info = result->unit->info();
  if (is_unverified(info.evidence)) {
    result->notes.push_back(info.name + " is unverified (" + std::string(evidence_name(info.evidence)) +
                            "): " + info.source);
  }
  if (!gpu.row->own_units) {
    result->notes.push_back(gpu.name + " by the units of " + gpu.row->units + ": unverified");
  }
  return result;
}

const Resolved& resolved(const MatrixOperation& o) {
  Architecture& gpu = matrix_gpu();
  const auto number = [](MatrixFormat f) { return static_cast<std::size_t>(f); };
  const std::size_t second = o.instruction == MatrixInstruction::wgmma ? 1 : 0;
  std::size_t key = (second * matrix_formats + number(o.a)) * matrix_formats + number(o.b);
  // Conjunctions of bits have a place of their own.
  key = key * matrix_formats + number(o.a == b1 && o.bits == BitProduct::conjunction ? b1 : o.accumulator);
  std::atomic<const Resolved*>& slot = gpu.cache[key];
  const Resolved* found = slot.load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  std::unique_ptr<const Resolved> made = resolve(gpu, o);
  const std::lock_guard lock(matrix_state().mutex);
  found = slot.load(std::memory_order_acquire);
  if (found == nullptr) {
    found = made.get();
    gpu.resolved.push_back(std::move(made));
    slot.store(found, std::memory_order_release);
  }
  return *found;
}

void note_use(const std::atomic<bool>& noted, const Resolved& r) {
  if (r.notes.empty() || noted.load(std::memory_order_relaxed)) return;
  MatrixState& state = matrix_state();
  const std::lock_guard lock(state.mutex);
  r.noted.store(true, std::memory_order_relaxed);
  for (const std::string& note : r.notes) {
    if (std::ranges::find(state.notes, note) == state.notes.end()) state.notes.push_back(note);
  }
}

void note_saturation() {
  static const char* const note =
      "integers with .satfinite: the exact sum of an instruction is clamped once; whether partial sums are "
      "is unverified";
  MatrixState& state = matrix_state();
  const std::lock_guard lock(state.mutex);
  if (std::ranges::find(state.notes, note) == state.notes.end()) state.notes.emplace_back(note);
}

// --- arithmetic ------------------------------------------------------------------------------------------------------

// Kept from call to call: fibres have small stacks.
struct MatrixSpace {
  std::vector<std::int32_t> a{}, b{}, sums{};
  std::vector<std::uint64_t> row_bits{}, column_bits{};
  std::vector<std::uint64_t> tile_a{}, tile_b{}, tile_c{};
};
thread_local MatrixSpace matrix_space;

std::int32_t integer_of(std::uint64_t code, MatrixFormat f) {
  switch (f) {
    case s8: return static_cast<std::int8_t>(code);
    case u8: return static_cast<std::uint8_t>(code);
    case s4: return static_cast<std::int32_t>((code & 15) ^ 8) - 8;
    default: return static_cast<std::int32_t>(code & 15);
  }
}

std::uint64_t integer_result(std::int64_t exact, bool saturate) {
  if (saturate) {
    using Range = std::numeric_limits<std::int32_t>;
    exact = std::clamp<std::int64_t>(exact, Range::min(), Range::max());
  }
  return static_cast<std::uint32_t>(exact);
}
std::int64_t signed_code(std::uint64_t code) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(code));
}

void multiply_integers(const MatrixOperation& o, const TileOperands& t) {
  MatrixSpace& space = matrix_space;
  space.a.resize(t.m * t.k);
  space.b.resize(t.k * t.n);
  space.sums.resize(t.n);
  for (std::size_t i = 0; i < t.m * t.k; ++i) space.a[i] = integer_of(t.a[i], o.a);
  for (std::size_t i = 0; i < t.k * t.n; ++i) space.b[i] = integer_of(t.b[i], o.b);
  for (std::size_t i = 0; i < t.m; ++i) {
    std::int32_t* const sums = space.sums.data();
    std::fill_n(sums, t.n, 0);  // at most 256 products of 16 bits: exact
    for (std::size_t p = 0; p < t.k; ++p) {
      const std::int32_t x = space.a[i * t.k + p];
      const std::int32_t* const row = space.b.data() + p * t.n;
      for (std::size_t j = 0; j < t.n; ++j) sums[j] += x * row[j];
    }
    for (std::size_t j = 0; j < t.n; ++j) {
      t.d[i * t.n + j] = integer_result(signed_code(t.c[i * t.n + j]) + sums[j], o.saturate);
    }
  }
}

void multiply_bits(const MatrixOperation& o, const TileOperands& t) {
  MatrixSpace& space = matrix_space;
  const std::size_t words = (t.k + 63) / 64;
  space.row_bits.assign(t.m * words, 0);
  space.column_bits.assign(t.n * words, 0);
  for (std::size_t i = 0; i < t.m; ++i) {
    for (std::size_t p = 0; p < t.k; ++p) {
      space.row_bits[i * words + p / 64] |= (t.a[i * t.k + p] & 1) << (p % 64);
    }
  }
  for (std::size_t p = 0; p < t.k; ++p) {
    for (std::size_t j = 0; j < t.n; ++j) {
      space.column_bits[j * words + p / 64] |= (t.b[p * t.n + j] & 1) << (p % 64);
    }
  }
  for (std::size_t i = 0; i < t.m; ++i) {
    for (std::size_t j = 0; j < t.n; ++j) {
      int ones = 0;
      for (std::size_t w = 0; w < words; ++w) {
        const std::uint64_t x = space.row_bits[i * words + w], y = space.column_bits[j * words + w];
        ones += std::popcount(o.bits == BitProduct::conjunction ? x & y : x ^ y);
      }
      t.d[i * t.n + j] = integer_result(signed_code(t.c[i * t.n + j]) + ones, false);
    }
  }
}

// The unit fma_f64: one fused multiply-add after another in the order of k.
void multiply_f64(const TileOperands& t) {
  constexpr std::uint64_t nan_code = 0xFFF8000000000000;
  for (std::size_t i = 0; i < t.m; ++i) {
    for (std::size_t j = 0; j < t.n; ++j) {
      auto sum = std::bit_cast<double>(t.c[i * t.n + j]);
      for (std::size_t p = 0; p < t.k; ++p) {
        sum = std::fma(std::bit_cast<double>(t.a[i * t.k + p]), std::bit_cast<double>(t.b[p * t.n + j]), sum);
      }
      t.d[i * t.n + j] = std::isnan(sum) ? nan_code : std::bit_cast<std::uint64_t>(sum);
    }
  }
}

// By the unit itself: its view of codes that lie 8 bytes apart.
void multiply_by_unit(const MatrixOperation& o, const Unit& unit, const TileOperands& t) {
  const auto view = [](const std::uint64_t* data, std::size_t rows, std::size_t columns,
                       const FormatSpec& f) {
    const auto stride = static_cast<std::ptrdiff_t>(sizeof(std::uint64_t) / code_bytes(f));
    return CodeMatrix{data, rows, columns, static_cast<std::ptrdiff_t>(columns) * stride, stride, f};
  };
  const FormatSpec& accumulator = format_of(o.accumulator);
  const CodeMatrix c = view(t.c, t.m, t.n, accumulator);
  if (t.d != t.c) std::copy_n(t.c, t.m * t.n, t.d);  // for the bytes that the unit does not write
  unit.gemm(view(t.a, t.m, t.k, format_of(o.a)), view(t.b, t.k, t.n, format_of(o.b)), c,
            {t.d, t.m, t.n, c.row_stride, c.col_stride, accumulator});
}

void multiply_resolved(const MatrixOperation& o, const Resolved& r, const TileOperands& t) {
  note_use(r.noted, r);
  if (observer != nullptr && Block::current() != nullptr) {
    const auto m = static_cast<std::uint64_t>(o.m), n = static_cast<std::uint64_t>(o.n);
    observer->multiplies(*Block::current(), 2 * m * n * static_cast<std::uint64_t>(o.k));
  }
  switch (r.how) {
    case Resolved::How::unavailable: throw MatrixUnavailable(r.why_not);
    case Resolved::How::fused:
      if (!r.tile->multiply_add(t)) multiply_by_unit(o, *r.unit, t);
      return;
    case Resolved::How::chain_f64: return multiply_f64(t);
    case Resolved::How::integers:
      if (o.saturate) note_saturation();
      return multiply_integers(o, t);
    case Resolved::How::bits: return multiply_bits(o, t);
  }
}

TileOperands tile_of(const MatrixOperation& o, const std::uint64_t* a, const std::uint64_t* b,
                     const std::uint64_t* c, std::uint64_t* d) {
  return {static_cast<std::size_t>(o.m),
          static_cast<std::size_t>(o.n),
          static_cast<std::size_t>(o.k),
          a,
          b,
          c,
          d};
}

// --- fragments of a warp ---------------------------------------------------------------------------------------------

// Where in a row-major tile the registers' first elements are, [lane][register], and how far apart the next ones.
struct FragmentMap {
  int bits = 0, registers = 0;
  std::ptrdiff_t step = 1;
  std::vector<std::uint32_t> offsets{};
};
template <class Place>
FragmentMap fragment_map(MatrixFormat f, int elements, int columns, bool down, const Place& place) {
  const int per = elements_of_register(f);
  FragmentMap map{matrix_format_bits(f), elements / per, down ? columns : 1, {}};
  for (int lane = 0; lane < static_cast<int>(warp_lanes); ++lane) {
    for (int r = 0; r < map.registers; ++r) {
      const MatrixPlace p = place(lane, r * per);
      map.offsets.push_back(static_cast<std::uint32_t>(p.row * columns + p.column));
    }
  }
  return map;
}

struct WarpMap {
  std::array<int, 6> shape{};
  FragmentMap a{}, b{}, c{};
};
// Made once for a shape and its registers: it takes longer than a product.
const WarpMap& warp_map(const MatrixOperation& o) {
  thread_local std::vector<std::unique_ptr<const WarpMap>> maps;
  const std::array<int, 6> shape{
      o.m, o.n, o.k, matrix_format_bits(o.a), matrix_format_bits(o.b), matrix_format_bits(o.accumulator)};
  for (const auto& map : maps) {
    if (map->shape == shape) return *map;
  }
  auto map = std::make_unique<WarpMap>();
  map->shape = shape;
  map->a = fragment_map(o.a, elements_of_a(o), o.k, false,
                        [&](int lane, int i) { return place_of_a(o, lane, i); });
  map->b =
      fragment_map(o.b, elements_of_b(o), o.n, true, [&](int lane, int i) { return place_of_b(o, lane, i); });
  map->c = fragment_map(o.accumulator, elements_of_c(o), o.n, false,
                        [&](int lane, int i) { return place_of_c(o, lane, i); });
  maps.push_back(std::move(map));
  return *maps.back();
}

std::uint64_t load_word(const void* fragment, int r, int bits) {
  if (bits == 64) {
    std::uint64_t word = 0;
    std::memcpy(&word, static_cast<const unsigned char*>(fragment) + 8 * r, 8);
    return word;
  }
  std::uint32_t word = 0;
  std::memcpy(&word, static_cast<const unsigned char*>(fragment) + 4 * r, 4);
  return word;
}
void store_word(void* fragment, int r, int bits, std::uint64_t word) {
  if (bits == 64) {
    std::memcpy(static_cast<unsigned char*>(fragment) + 8 * r, &word, 8);
    return;
  }
  const auto low = static_cast<std::uint32_t>(word);
  std::memcpy(static_cast<unsigned char*>(fragment) + 4 * r, &low, 4);
}

// Calls with(integral_constant<bits>), for the compiler to unroll the loops over a register.
template <class With>
void with_bits(int bits, const With& with) {
  switch (bits) {
    case 1: return with(std::integral_constant<int, 1>());
    case 4: return with(std::integral_constant<int, 4>());
    case 8: return with(std::integral_constant<int, 8>());
    case 16: return with(std::integral_constant<int, 16>());
    case 32: return with(std::integral_constant<int, 32>());
    default: return with(std::integral_constant<int, 64>());
  }
}

// fragment(lane): where its registers lie.
template <class Fragment>
void gather(const FragmentMap& map, const Fragment& fragment, std::uint64_t* tile) {
  with_bits(map.bits, [&](auto constant) {
    constexpr int bits = decltype(constant)::value, per = bits >= 32 ? 1 : 32 / bits;
    constexpr std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits % 64) - 1;
    const std::uint32_t* offset = map.offsets.data();
    for (int lane = 0; lane < static_cast<int>(warp_lanes); ++lane) {
      const void* const registers = fragment(lane);
      for (int r = 0; r < map.registers; ++r) {
        const std::uint64_t word = load_word(registers, r, bits);
        std::uint64_t* const to = tile + *offset++;
        for (int e = 0; e < per; ++e) to[e * map.step] = word >> (e * bits) & mask;
      }
    }
  });
}
template <class Fragment>
void scatter(const FragmentMap& map, const std::uint64_t* tile, const Fragment& fragment) {
  with_bits(map.bits, [&](auto constant) {
    constexpr int bits = decltype(constant)::value, per = bits >= 32 ? 1 : 32 / bits;
    const std::uint32_t* offset = map.offsets.data();
    for (int lane = 0; lane < static_cast<int>(warp_lanes); ++lane) {
      void* const registers = fragment(lane);
      for (int r = 0; r < map.registers; ++r) {
        const std::uint64_t* const from = tile + *offset++;
        std::uint64_t word = 0;
        for (int e = 0; e < per; ++e) word |= from[e * map.step] << (e * bits);
        store_word(registers, r, bits, word);
      }
    }
  });
}

// What a lane brings to an instruction, and what comes of it.
struct LaneOperands {
  const MatrixOperation* operation;
  const void *a, *b, *c;
  void* d;
};
enum class WarpFailure : std::uint8_t { none, lanes_missing, lanes_differ };

bool same_operation(const MatrixOperation& x, const MatrixOperation& y) {
  return x.m == y.m && x.n == y.n && x.k == y.k && x.a == y.a && x.b == y.b &&
         x.accumulator == y.accumulator && x.saturate == y.saturate && x.instruction == y.instruction &&
         x.bits == y.bits;
}

WarpFailure multiply_lanes(const void* const* in, std::uint32_t lanes) {
  if (lanes != 0xFFFFFFFF) return WarpFailure::lanes_missing;
  const auto of = [&](int lane) -> const LaneOperands& {
    return *static_cast<const LaneOperands*>(in[lane]);
  };
  const MatrixOperation& o = *of(0).operation;
  for (int lane = 1; lane < static_cast<int>(warp_lanes); ++lane) {
    if (!same_operation(*of(lane).operation, o)) return WarpFailure::lanes_differ;
  }
  MatrixSpace& space = matrix_space;
  const auto size = [](int x, int y) { return static_cast<std::size_t>(x * y); };
  space.tile_a.resize(size(o.m, o.k));
  space.tile_b.resize(size(o.k, o.n));
  space.tile_c.resize(size(o.m, o.n));
  const WarpMap& map = warp_map(o);
  gather(
      map.a, [&](int lane) { return of(lane).a; }, space.tile_a.data());
  gather(
      map.b, [&](int lane) { return of(lane).b; }, space.tile_b.data());
  gather(
      map.c, [&](int lane) { return of(lane).c; }, space.tile_c.data());
  multiply_resolved(
      o, resolved(o),
      tile_of(o, space.tile_a.data(), space.tile_b.data(), space.tile_c.data(), space.tile_c.data()));
  scatter(map.c, space.tile_c.data(), [&](int lane) { return of(lane).d; });
  return WarpFailure::none;
}

// Four tiles, in quads of lanes.
struct LaneQuads {
  QuadOperation operation;
  const void *a, *b, *c;
  void* d;
};

MatrixOperation operation_of(const QuadOperation& q) {
  MatrixOperation o;
  o.m = o.n = 8;
  o.k = 4;
  o.accumulator = q.accumulator;
  return o;
}

std::uint64_t load_half_or_word(const void* fragment, int i, int bits) {
  const std::uint64_t word = load_word(fragment, i * bits / 32, 32);
  return bits == 32 ? word : word >> (i % 2 * 16) & 0xFFFF;
}

WarpFailure multiply_quads(const void* const* in, std::uint32_t lanes) {
  if (lanes != 0xFFFFFFFF) return WarpFailure::lanes_missing;
  const auto of = [&](int lane) -> const LaneQuads& { return *static_cast<const LaneQuads*>(in[lane]); };
  const QuadOperation q = of(0).operation;
  for (int lane = 1; lane < static_cast<int>(warp_lanes); ++lane) {
    const QuadOperation& other = of(lane).operation;
    if (other.a_columns != q.a_columns || other.b_columns != q.b_columns ||
        other.accumulator != q.accumulator) {
      return WarpFailure::lanes_differ;
    }
  }
  const MatrixOperation o = operation_of(q);
  const int bits = matrix_format_bits(q.accumulator);
  std::array<std::uint64_t, 32> a{}, b{};
  std::array<std::array<std::uint64_t, 64>, 4> d{};
  const auto at = [](MatrixPlace p, int columns) {
    return static_cast<std::size_t>(p.row * columns + p.column);
  };
  for (int tile = 0; tile < 4; ++tile) {
    auto& c = d[static_cast<std::size_t>(tile)];
    for (int l = 0; l < 8; ++l) {
      const int lane = 4 * tile + l % 4 + l / 4 * 16;
      for (int i = 0; i < 4; ++i) {
        a[at(place_of_quad_a(q.a_columns, lane, i), 4)] = load_half_or_word(of(lane).a, i, 16);
        b[at(place_of_quad_b(q.b_columns, lane, i), 8)] = load_half_or_word(of(lane).b, i, 16);
      }
      for (int i = 0; i < 8; ++i) {
        c[at(place_of_quad_c(q.accumulator, lane, i), 8)] = load_half_or_word(of(lane).c, i, bits);
      }
    }
    multiply_resolved(o, resolved(o), tile_of(o, a.data(), b.data(), c.data(), c.data()));
  }
  for (int lane = 0; lane < static_cast<int>(warp_lanes); ++lane) {
    const auto& c = d[static_cast<std::size_t>(lane % 16 / 4)];
    const int per = 32 / bits;
    for (int r = 0; r < 8 / per; ++r) {
      std::uint64_t word = 0;
      for (int e = 0; e < per; ++e) {
        word |= c[at(place_of_quad_c(q.accumulator, lane, r * per + e), 8)] << (e * bits);
      }
      store_word(of(lane).d, r, 32, word);
    }
  }
  return WarpFailure::none;
}

// A load or a store of a lane.
struct LaneMatrix {
  const void* matrix;
  unsigned stride;
  bool row_major;
  int element_bits;
  bool operator==(const LaneMatrix&) const = default;
};

WarpFailure compare_lanes(const void* const* in, std::uint32_t lanes) {
  if (lanes != 0xFFFFFFFF) return WarpFailure::lanes_missing;
  const auto of = [&](std::uint32_t lane) -> const LaneMatrix& {
    return *static_cast<const LaneMatrix*>(in[lane]);
  };
  for (std::uint32_t lane = 1; lane < warp_lanes; ++lane) {
    if (of(lane) != of(0)) return WarpFailure::lanes_differ;
  }
  return WarpFailure::none;
}

// A collective that tells all lanes there what came of it: a block can be ended by a thread alone.
template <WarpFailure (*step)(const void* const*, std::uint32_t)>
void warp_step(const void* const* in, void* const* out, std::uint32_t lanes) {
  const WarpFailure failure = step(in, lanes);
  for (std::uint32_t lane = 0; lane < warp_lanes; ++lane) {
    if ((lanes >> lane & 1) != 0) *static_cast<WarpFailure*>(out[lane]) = failure;
  }
}

void end_block(const std::string& reason) { Block::current()->fail(reason); }
void end_block_after(WarpFailure failure) {
  if (failure == WarpFailure::lanes_missing) {
    end_block("a matrix operation of a warp that has exited in part, or has fewer than 32 threads");
  }
  if (failure == WarpFailure::lanes_differ) {
    end_block("the lanes of a warp bring different operands or shapes to one matrix operation");
  }
}

}  // namespace

std::string matrix_format_name(MatrixFormat f) {
  constexpr const char* names[] = {"f16", "bf16", "tf32", "e4m3", "e5m2", "f32", "f64",
                                   "s8",  "u8",   "s4",   "u4",   "b1",   "s32"};
  return names[static_cast<std::size_t>(f)];
}

std::string imitated_architecture() { return matrix_gpu().name; }
void imitate_architecture(const std::string& name) {
  Architecture& gpu = architecture_named(name);
  if (gpu.row == nullptr) throw MatrixUnavailable(resolve(gpu, {})->why_not);
  imitated.store(&gpu, std::memory_order_release);
}

std::string why_no_matrix_operation(const MatrixOperation& operation) { return resolved(operation).why_not; }

void multiply_add(const MatrixOperation& operation, const std::uint64_t* a, const std::uint64_t* b,
                  const std::uint64_t* c, std::uint64_t* d) {
  multiply_resolved(operation, resolved(operation), tile_of(operation, a, b, c, d));
}

std::vector<std::string> matrix_notes() {
  MatrixState& state = matrix_state();
  const std::lock_guard lock(state.mutex);
  return state.notes;
}
void clear_matrix_notes() {
  MatrixState& state = matrix_state();
  const std::lock_guard lock(state.mutex);
  state.notes.clear();
  for (const auto& [name, gpu] : state.architectures) {
    for (const auto& r : gpu->resolved) r->noted.store(false, std::memory_order_relaxed);
  }
}

void warp_multiply_add(const MatrixOperation& operation, const void* a, const void* b, const void* c,
                       void* d) {
  const AtSite here(__builtin_return_address(0));
  if (const Resolved& r = resolved(operation); r.how == Resolved::How::unavailable) end_block(r.why_not);
  const LaneOperands in{&operation, a, b, c, d};
  WarpFailure failure{};
  Block::current()->collective(0xFFFFFFFF, &in, &failure, warp_step<multiply_lanes>);
  end_block_after(failure);
}

void warp_multiply_add_quads(const QuadOperation& operation, const void* a, const void* b, const void* c,
                             void* d) {
  const AtSite here(__builtin_return_address(0));
  const Architecture& gpu = matrix_gpu();
  if (gpu.row != nullptr && gpu.row->number >= 75) {
    end_block("mma.m8n8k4 of f16 is taken apart on " + gpu.name + ": not emulated, but on sm_70 and sm_72");
  }
  if (const Resolved& r = resolved(operation_of(operation)); r.how == Resolved::How::unavailable) {
    end_block(r.why_not);
  }
  const LaneQuads in{operation, a, b, c, d};
  WarpFailure failure{};
  Block::current()->collective(0xFFFFFFFF, &in, &failure, warp_step<multiply_quads>);
  end_block_after(failure);
}

void warp_agrees(const void* matrix, unsigned stride, bool row_major, int element_bits) {
  if (stride * static_cast<unsigned>(element_bits) % 128 != 0) {
    end_block("wmma: a stride of " + std::to_string(stride) + " elements of " + std::to_string(element_bits) +
              " bits is no multiple of 16 bytes");
  }
  const LaneMatrix in{matrix, stride, row_major, element_bits};
  WarpFailure failure{};
  Block::current()->collective(0xFFFFFFFF, &in, &failure, warp_step<compare_lanes>);
  end_block_after(failure);
}

}  // namespace assay::simt
