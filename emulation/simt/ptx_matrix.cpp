// PTX of tiles: ldmatrix and kin, mma, wgmma with its descriptors of shared memory, boxes of tensors.
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "emulation/simt/async.hpp"
#include "emulation/simt/block.hpp"
#include "emulation/simt/launch.hpp"
#include "emulation/simt/matrix.hpp"
#include "emulation/simt/observer.hpp"
#include "emulation/simt/ptx_machine.hpp"
#include "emulation/simt/tensor_map.hpp"
#include "emulation/simt/warp.hpp"

namespace assay::simt {
namespace {

constexpr std::uint32_t whole_warp = 0xFFFFFFFF;

const PtxArgument& element(const PtxInstruction& i, std::size_t argument, std::size_t k) {
  const PtxArgument& a = i.arguments[argument];
  return a.kind == PtxOperandKind::vector ? i.parts[a.first + k] : a;
}
std::size_t elements(const PtxInstruction& i, std::size_t argument) {
  const PtxArgument& a = i.arguments[argument];
  return a.kind == PtxOperandKind::vector ? a.count : 1;
}

// --- 8 x 8 tiles -----------------------------------------------------------------------------------------------------

struct Tiles {
  unsigned char* row = nullptr;  // of 16 bytes, that this lane names
  unsigned count = 1;
  bool transposed = false;
  std::array<std::uint32_t, 4> registers{};
};
constexpr unsigned tile_rows = 8, tile_row_bytes = 16;

// The byte of element e of a lane's register within row `row` of its tile, and that row.
struct TilePlace {
  unsigned row, byte;
};
TilePlace tile_place(unsigned lane, unsigned e, bool transposed) {
  const unsigned group = lane / 4, pair = 2 * (lane % 4) + e;
  return transposed ? TilePlace{pair, 2 * group} : TilePlace{group, 2 * pair};
}

void require_whole_warp(std::uint32_t lanes, const char* what) {
  if (lanes != whole_warp) ptx_fail(std::string(what) + " is not for all 32 lanes of a warp");
}

void load_tiles(const void* const* in, void* const* out, std::uint32_t lanes) {
  require_whole_warp(lanes, "ldmatrix");
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    const auto& mine = *static_cast<const Tiles*>(in[lane]);
    auto& result = *static_cast<Tiles*>(out[lane]);
    for (unsigned tile = 0; tile < mine.count; ++tile) {
      std::uint32_t value = 0;
      for (unsigned e = 0; e < 2; ++e) {
        const TilePlace place = tile_place(lane, e, mine.transposed);
        const auto& source = *static_cast<const Tiles*>(in[tile_rows * tile + place.row]);
        std::uint16_t half = 0;
        std::memcpy(&half, source.row + place.byte, 2);
        value |= std::uint32_t{half} << (16 * e);
      }
      result.registers[tile] = value;
    }
  }
}
void store_tiles(const void* const* in, void* const*, std::uint32_t lanes) {
  require_whole_warp(lanes, "stmatrix");
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    const auto& mine = *static_cast<const Tiles*>(in[lane]);
    for (unsigned tile = 0; tile < mine.count; ++tile) {
      for (unsigned e = 0; e < 2; ++e) {
        const TilePlace place = tile_place(lane, e, mine.transposed);
        const auto& target = *static_cast<const Tiles*>(in[tile_rows * tile + place.row]);
        const auto half = static_cast<std::uint16_t>(mine.registers[tile] >> (16 * e));
        std::memcpy(target.row + place.byte, &half, 2);
      }
    }
  }
}
void transpose_tile(const void* const* in, void* const* out, std::uint32_t lanes) {
  require_whole_warp(lanes, "movmatrix");
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    std::uint32_t value = 0;
    for (unsigned e = 0; e < 2; ++e) {
      // Element (row, column) of the result is (column, row) of the source.
      const TilePlace place = tile_place(lane, e, true);
      const unsigned column = place.byte / 2;
      const auto& source = *static_cast<const Tiles*>(in[4 * place.row + column / 2]);
      value |= (source.registers[0] >> (16 * (column % 2)) & 0xFFFF) << (16 * e);
    }
    static_cast<Tiles*>(out[lane])->registers[0] = value;
  }
}

// --- products --------------------------------------------------------------------------------------------------------

MatrixFormat matrix_format(PtxType type) {
  switch (type) {
    case PtxType::f16: return MatrixFormat::f16;
    case PtxType::bf16: return MatrixFormat::bf16;
    case PtxType::tf32: return MatrixFormat::tf32;
    case PtxType::e4m3: return MatrixFormat::e4m3;
    case PtxType::e5m2: return MatrixFormat::e5m2;
    case PtxType::f64: return MatrixFormat::f64;
    case PtxType::s8: return MatrixFormat::s8;
    case PtxType::u8: return MatrixFormat::u8;
    case PtxType::s4: return MatrixFormat::s4;
    case PtxType::u4: return MatrixFormat::u4;
    case PtxType::b1: return MatrixFormat::b1;
    case PtxType::s32: return MatrixFormat::s32;
    default: return MatrixFormat::f32;
  }
}

MatrixOperation operation_of(const PtxInstruction& i, MatrixInstruction instruction) {
  MatrixOperation o;
  o.m = instruction == MatrixInstruction::wgmma ? 16 : i.m;  // of a warp
  o.n = i.n;
  o.k = i.k;
  o.accumulator = matrix_format(i.t);
  o.a = matrix_format(i.u);
  o.b = matrix_format(i.v);
  o.saturate = i.has(ptx_satfinite);
  o.instruction = instruction;
  if (o.a == MatrixFormat::b1 && i.says("and")) o.bits = BitProduct::conjunction;
  return o;
}

template <class Register>
void multiply_warp(const PtxInstruction& i, PtxContext& c, const MatrixOperation& o) {
  std::array<Register, 8> registers[4];  // of D, A, B, C; more than any shape has
  for (std::size_t argument = 1; argument < 4; ++argument) {
    for (std::size_t k = 0; k < elements(i, argument); ++k)
      registers[argument][k] = static_cast<Register>(c.get(element(i, argument, k)));
  }
  warp_multiply_add(o, registers[1].data(), registers[2].data(), registers[3].data(), registers[0].data());
  for (std::size_t k = 0; k < elements(i, 0); ++k) c.set(element(i, 0, k), registers[0][k]);
}

// --- wgmma -----------------------------------------------------------------------------------------------------------

// A matrix in shared memory, as a descriptor says. Lines are rows of A or columns of B.
//
// PTX ISA, "Matrix Descriptor Format" and "Strides"; in K-major and MN-major layouts, by 16-byte pieces of T elements:
//   K-major, no swizzle    8 lines of a piece each, 16 bytes apart; SBO to the next 8 lines, LBO to the next piece
//   K-major, swizzle       lines W bytes apart; SBO to the next 8 lines
//   MN-major, no swizzle   8 places of k, 16 bytes apart; SBO to the next piece, LBO to the next 8 places of k
//   MN-major, swizzle      8 places of k, W bytes apart; LBO to the next W bytes of lines, SBO to the next 8 of k
struct SharedMatrix {
  std::uint32_t start, leading, stride;  // bytes
  Swizzle swizzle;
  bool by_lines;  // MN-major
  int bits;

  std::uint32_t offset(std::uint32_t line, std::uint32_t k) const {
    const auto bytes = static_cast<std::uint32_t>(bits) / 8;
    const std::uint32_t width = 16U << static_cast<unsigned>(swizzle);
    if (!by_lines) {
      const std::uint32_t byte = k * bytes;
      if (swizzle == Swizzle::none)
        return line % 8 * 16 + line / 8 * stride + byte / 16 * leading + byte % 16;
      return line % 8 * width + line / 8 * stride + byte;
    }
    const std::uint32_t byte = line * bytes;
    if (swizzle == Swizzle::none) return byte % 16 + byte / 16 * stride + k % 8 * 16 + k / 8 * leading;
    return byte % width + byte / width * leading + k % 8 * width + k / 8 * stride;
  }
};

SharedMatrix matrix_described(std::uint64_t descriptor, bool by_lines, int bits) {
  const auto field = [&](int at) { return static_cast<std::uint32_t>(descriptor >> at & 0x3FFF) << 4; };
  constexpr Swizzle swizzles[] = {Swizzle::none, Swizzle::bytes128, Swizzle::bytes64, Swizzle::bytes32};
  if ((descriptor >> 49 & 7) != 0) ptx_fail("a descriptor of shared memory with a base offset");
  return {field(0), field(16), field(32), swizzles[descriptor >> 62], by_lines, bits};
}

// Descriptors keep 18 bits of an address.
std::uint64_t element_at(const SharedMatrix& m, std::uint32_t line, std::uint32_t k) {
  const auto bytes = static_cast<std::size_t>(m.bits) / 8;
  const std::uint32_t address = swizzled(m.swizzle, m.start + m.offset(line, k));
  std::uint64_t value = 0;
  std::memcpy(&value, ptx_shared(address, bytes, 1), bytes);
  return value;
}

struct WarpgroupProduct {
  const PtxInstruction* instruction;
  PtxContext* context;
};

// Where the start of a matrix lies: the one address with these 18 bits that is the block's.
std::uint32_t whole_address(std::uint32_t start) {
  constexpr std::uint32_t window = 1U << 18;
  std::optional<std::uint32_t> found;
  for (const std::uint32_t candidate : {start - window, start, start + window}) {
    if (!is_shared_of_block(shared_pointer(candidate), 16)) continue;
    if (found)
      ptx_fail("a descriptor of shared memory names two places: there is too much static shared memory");
    found = candidate;
  }
  if (!found) ptx_fail("a descriptor of what is not shared memory");
  return *found;
}

// The rows of a warp: 16 of the 64.
void multiply_warpgroup(const void* const* in, void* const*, std::uint32_t lanes) {
  require_whole_warp(lanes, "wgmma");
  const auto& first = *static_cast<const WarpgroupProduct*>(in[0]);
  const PtxInstruction& i = *first.instruction;
  const MatrixOperation o = operation_of(i, MatrixInstruction::wgmma);
  if (std::string why = why_no_matrix_operation(o); !why.empty()) ptx_fail(std::move(why));
  const bool a_in_registers = i.arguments[1].kind == PtxOperandKind::vector;
  const auto constant = [&](std::size_t k) {
    return k < i.arguments.size() ? static_cast<std::int32_t>(first.context->get(i.arguments[k])) : 0;
  };
  const std::int32_t scale_a = i.arguments.size() > 4 ? constant(4) : 1,
                     scale_b = i.arguments.size() > 5 ? constant(5) : 1;
  if ((scale_a != 1 && scale_a != -1) || (scale_b != 1 && scale_b != -1))
    ptx_fail("wgmma with a scale that is not 1 or -1");
  const bool transposed_a = !a_in_registers && constant(6) != 0;
  const bool transposed_b = constant(a_in_registers ? 6 : 7) != 0;
  const int bits = matrix_format_bits(o.a), b_bits = matrix_format_bits(o.b);
  const auto m = static_cast<std::uint32_t>(o.m), n = static_cast<std::uint32_t>(o.n),
             k = static_cast<std::uint32_t>(o.k);
  const std::uint32_t row0 = Block::current()->thread_number() / warp_lanes % 4 * m;

  // All that may end the block comes before what a frame owns.
  SharedMatrix from_a{}, from_b = matrix_described(first.context->get(i.arguments[2]), transposed_b, b_bits);
  from_b.start = whole_address(from_b.start);
  if (!a_in_registers) {
    from_a = matrix_described(first.context->get(i.arguments[1]), transposed_a, bits);
    from_a.start = whole_address(from_a.start);
  }
  std::vector<std::uint64_t> a(m * k), b(k * n), c(m * n);
  const std::uint64_t a_sign = scale_a < 0 ? std::uint64_t{1} << (bits - 1) : 0;
  const std::uint64_t b_sign = scale_b < 0 ? std::uint64_t{1} << (b_bits - 1) : 0;
  if (a_in_registers) {
    const int per = 32 / bits;
    for (int lane = 0; lane < 32; ++lane) {
      const auto& mine = *static_cast<const WarpgroupProduct*>(in[lane]);
      for (int e = 0; e < 4 * per; ++e) {
        const auto word =
            static_cast<std::uint32_t>(mine.context->get(element(i, 1, static_cast<std::size_t>(e / per))));
        const std::uint64_t code = word >> (e % per * bits % 32) & (bits == 32 ? ~0U : (1U << bits) - 1);
        const MatrixPlace place = place_of_a(o, lane, e);
        a[static_cast<std::size_t>(place.row) * k + static_cast<std::size_t>(place.column)] = code ^ a_sign;
      }
    }
  } else {
    for (std::uint32_t row = 0; row < m; ++row) {
      for (std::uint32_t x = 0; x < k; ++x) a[row * k + x] = element_at(from_a, row0 + row, x) ^ a_sign;
    }
  }
  for (std::uint32_t column = 0; column < n; ++column) {
    for (std::uint32_t x = 0; x < k; ++x) b[x * n + column] = element_at(from_b, column, x) ^ b_sign;
  }
  const bool accumulates = first.context->predicate(i.arguments[3]);
  const bool halves = o.accumulator == MatrixFormat::f16;
  const int held = elements_of_c(o);
  const auto place = [&](int lane, int e) {
    const MatrixPlace p = place_of_c(o, lane, e);
    return static_cast<std::size_t>(p.row) * n + static_cast<std::size_t>(p.column);
  };
  const auto register_of = [&](int e) { return static_cast<std::size_t>(halves ? e / 2 : e); };
  const auto shift_of = [&](int e) { return halves ? 16 * (e % 2) : 0; };
  for (int lane = 0; accumulates && lane < 32; ++lane) {
    const auto& mine = *static_cast<const WarpgroupProduct*>(in[lane]);
    for (int e = 0; e < held; ++e)
      c[place(lane, e)] =
          mine.context->get(element(i, 0, register_of(e))) >> shift_of(e) & (halves ? 0xFFFFU : 0xFFFFFFFFU);
  }
  multiply_add(o, a.data(), b.data(), c.data(), c.data());
  for (int lane = 0; lane < 32; ++lane) {
    const auto& mine = *static_cast<const WarpgroupProduct*>(in[lane]);
    for (int e = 0; e < held; ++e) {
      if (halves && e % 2 != 0) continue;
      std::uint64_t value = c[place(lane, e)];
      if (halves) value |= c[place(lane, e + 1)] << 16;
      mine.context->set(element(i, 0, register_of(e)), value);
    }
  }
}

// --- tensors ---------------------------------------------------------------------------------------------------------

struct BoxOperand {
  TensorMap map{};
  std::int32_t at[tensor_max_rank] = {};
};
// The map and the coordinates of an address [map, {c0, c1}].
BoxOperand box_operand(const PtxInstruction& i, const PtxContext& c, const PtxArgument& a) {
  BoxOperand box;
  PtxInstruction generic;
  std::memcpy(&box.map, ptx_pointer(generic, c, a, sizeof(TensorMap), 64), sizeof(TensorMap));
  const int rank = i.words[4][0] - '0';
  if (box.map.magic != tensor_map_magic) ptx_fail("a tensor map that was not encoded");
  if (box.map.rank != rank || a.count != rank)
    ptx_fail("a tensor map of " + std::to_string(box.map.rank) + " dimensions, " + std::to_string(a.count) +
             " coordinates, for " + i.words[4]);
  for (int d = 0; d < rank; ++d)
    box.at[d] = static_cast<std::int32_t>(c.get(i.parts[a.first + static_cast<std::size_t>(d)]));
  return box;
}
// To who looks on: the rows of the box, by the calling thread.
void tell_box(const BoxOperand& box, const unsigned char* shared, bool loads) {
  if (observer == nullptr) return;
  using Access = Observer::Access;
  for (const BoxRow& row : rows_of_box(box.map, box.at)) {
    if (row.global_bytes != 0)
      tell_access(loads ? Access::read : Access::write, reinterpret_cast<const void*>(row.global),
                  row.global_bytes);
    if (loads || row.global_bytes != 0)
      tell_access(loads ? Access::write : Access::read, shared + row.shared, row.shared_bytes);
  }
}
std::uint32_t shared_address_of(const PtxContext& c, const PtxArgument& a) {
  return static_cast<std::uint32_t>(c.slots[a.slot] + static_cast<std::uint64_t>(a.value) +
                                    (a.second != 0 ? c.slots[a.second - 1] : 0));
}

}  // namespace

namespace ptx_rows {

using I = PtxInstruction;
using C = PtxContext;

void ldmatrix(const I& i, C& c) {
  Tiles tiles;
  tiles.count = i.vector;
  tiles.transposed = i.has(ptx_trans);
  // The other lanes' addresses are not read.
  if (Block::current()->lane() < tile_rows * i.vector)
    tiles.row =
        static_cast<unsigned char*>(ptx_pointer(i, c, i.arguments[1], tile_row_bytes, tile_row_bytes));
  if (tiles.row != nullptr) tell_access(Observer::Access::read, tiles.row, tile_row_bytes);
  Block::current()->collective(whole_warp, &tiles, &tiles, load_tiles);
  for (unsigned k = 0; k < i.vector; ++k) c.set(element(i, 0, k), tiles.registers[k]);
}
void stmatrix(const I& i, C& c) {
  Tiles tiles;
  tiles.count = i.vector;
  tiles.transposed = i.has(ptx_trans);
  if (Block::current()->lane() < tile_rows * i.vector)
    tiles.row =
        static_cast<unsigned char*>(ptx_pointer(i, c, i.arguments[0], tile_row_bytes, tile_row_bytes));
  if (tiles.row != nullptr) tell_access(Observer::Access::write, tiles.row, tile_row_bytes);
  for (unsigned k = 0; k < i.vector; ++k)
    tiles.registers[k] = static_cast<std::uint32_t>(c.get(element(i, 1, k)));
  Block::current()->collective(whole_warp, &tiles, &tiles, store_tiles);
}
void movmatrix(const I& i, C& c) {
  Tiles in, out;
  in.registers[0] = static_cast<std::uint32_t>(c.get(i.arguments[1]));
  Block::current()->collective(whole_warp, &in, &out, transpose_tile);
  c.set(i.arguments[0], out.registers[0]);
}

void mma(const I& i, C& c) {
  const MatrixOperation o = operation_of(i, MatrixInstruction::mma);
  if (o.a == MatrixFormat::f64) return multiply_warp<std::uint64_t>(i, c, o);
  multiply_warp<std::uint32_t>(i, c, o);
}

// The product is there at once: a missing wgmma.wait_group does not show.
void wgmma(const I& i, C& c) {
  const WarpgroupProduct product{&i, &c};
  Block::current()->collective(whole_warp, &product, nullptr, multiply_warpgroup);
}
void wgmma_a(const I& i, C& c) { wgmma(i, c); }

void tensor_load(const I& i, C& c) {
  const BoxOperand box = box_operand(i, c, i.arguments[1]);
  const std::uint32_t address = shared_address_of(c, i.arguments[0]);
  const std::size_t bytes = box_bytes(box.map);
  auto* const to = static_cast<unsigned char*>(ptx_shared(address, bytes, 128));
  auto* const barrier = static_cast<Mbarrier*>(ptx_shared(shared_address_of(c, i.arguments[2]), 8, 8));
  tell_box(box, to, true);
  mbarrier_copy(
      barrier, [=] { load_box(box.map, box.at, to, address); }, static_cast<std::uint32_t>(bytes));
}
void tensor_store(const I& i, C& c) {
  const BoxOperand box = box_operand(i, c, i.arguments[0]);
  const std::uint32_t address = shared_address_of(c, i.arguments[1]);
  const auto* const from = static_cast<const unsigned char*>(ptx_shared(address, box_bytes(box.map), 128));
  tell_box(box, from, false);
  bulk_copy([=] { store_box(box.map, box.at, from, address); });
}

}  // namespace ptx_rows
}  // namespace assay::simt
