// The multiply-add of a warp, D = A B + C on tiles, by the matrix units of the imitated GPU; and which elements of the
// tiles each lane's registers hold.
//
// Numerics
//   float      The bits of the unit's gemm() for the same K (emulation/units): "sm90.bf16" for bf16 on sm_90,
//              "sm90.mma.f8_e4m3" for mma.sync and "sm90.wgmma.f8_e4m3" for wgmma of fp8, "fma_f64" for f64.
//   integers   The exact sum of products and c, modulo 2^32; with `saturate` it is clamped to the range of s32, once.
//   b1         The number of ones in A xor B, or A and B, plus c, modulo 2^32.
// Where the imitated GPU has no unit for the formats, or no recorded or compiled evidence for one, nothing is made up:
// the former is an error, the latter a line of matrix_notes().
//
// Not here: sparse and block-scaled forms, f16 with C and D of different formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace assay::simt {

// tf32: a float32 whose low 13 bits are ignored.
enum class MatrixFormat : std::uint8_t { f16, bf16, tf32, e4m3, e5m2, f32, f64, s8, u8, s4, u4, b1, s32 };
inline constexpr std::size_t matrix_formats = 13;

constexpr int matrix_format_bits(MatrixFormat f) {
  switch (f) {
    case MatrixFormat::f16:
    case MatrixFormat::bf16: return 16;
    case MatrixFormat::tf32:
    case MatrixFormat::f32:
    case MatrixFormat::s32: return 32;
    case MatrixFormat::f64: return 64;
    case MatrixFormat::s4:
    case MatrixFormat::u4: return 4;
    case MatrixFormat::b1: return 1;
    default: return 8;
  }
}
std::string matrix_format_name(MatrixFormat f);

// mma: mma.sync and wmma.mma.
enum class MatrixInstruction : std::uint8_t { mma, wgmma };
enum class BitProduct : std::uint8_t { exclusive_or, conjunction };  // of b1

struct MatrixOperation {
  int m = 16, n = 8, k = 16;
  MatrixFormat a = MatrixFormat::f16, b = MatrixFormat::f16;
  MatrixFormat accumulator = MatrixFormat::f32;  // of C and D
  bool saturate = false;                         // .satfinite of integers
  MatrixInstruction instruction = MatrixInstruction::mma;
  BitProduct bits = BitProduct::exclusive_or;
};

// What the imitated GPU cannot do; the message names it and the formats.
class MatrixUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "sm_90": what ASSAY_SIMT_ARCH says, or sm_90. A suffix (sm_90a) is kept here and ignored by the units.
std::string imitated_architecture();
// From now on, in all threads. For tests and drivers, between launches.
void imitate_architecture(const std::string& name);

// Empty if the imitated GPU has this operation, else why not. Costs a look-up.
std::string why_no_matrix_operation(const MatrixOperation& operation);

// Row-major codes, one an element in the low bits: A m x k, B k x n, C and D m x n; C may be D. Throws
// MatrixUnavailable. Any shape within 64 x 256 x 256; which shapes an instruction has is not checked here.
void multiply_add(const MatrixOperation& operation, const std::uint64_t* a, const std::uint64_t* b,
                  const std::uint64_t* c, std::uint64_t* d);

// What a report must say of the operations that have run: a line for each unverified unit or property, in the order of
// first use.
std::vector<std::string> matrix_notes();
void clear_matrix_notes();

// --- fragments -------------------------------------------------------------------------------------------------------
//
// PTX ISA, "Matrix Fragments for mma.m16n8k..." and kin, mma.m8n8k... ; C and D of wgmma. An element has an index in a
// lane's fragment: registers in order, and within a register from the low bits.

struct MatrixPlace {
  int row, column;
};

// Elements that a lane holds of A, B, and C or D.
constexpr int elements_of_a(const MatrixOperation& o) { return o.m * o.k / 32; }
constexpr int elements_of_b(const MatrixOperation& o) { return o.k * o.n / 32; }
constexpr int elements_of_c(const MatrixOperation& o) { return o.m * o.n / 32; }

// Neighbours along k that share a 32-bit register: PTX's formulas for all types are one in terms of it.
constexpr int elements_of_register(MatrixFormat f) {
  return matrix_format_bits(f) >= 32 ? 1 : 32 / matrix_format_bits(f);
}

// A, (row, k). A tile of more than 16 rows, as wmma has it, is blocks of 16, one after another in the fragment.
constexpr MatrixPlace place_of_a(const MatrixOperation& o, int lane, int i) {
  const int per = elements_of_register(o.a), halves = o.m == 8 ? 1 : 2, of_block = halves * (o.k / (4 * per));
  const int block = i / per / of_block, r = i / per % of_block;
  return {16 * block + 8 * (r % halves) + lane / 4, per * (4 * (r / halves) + lane % 4) + i % per};
}
// B, (k, column); blocks of 8 columns.
constexpr MatrixPlace place_of_b(const MatrixOperation& o, int lane, int i) {
  const int per = elements_of_register(o.b), of_block = o.k / (4 * per);
  const int block = i / per / of_block, r = i / per % of_block;
  return {per * (4 * r + lane % 4) + i % per, 8 * block + lane / 4};
}
// C and D; blocks of 16 x 8, those of the same rows together. For a warp of wgmma they are those of m16, in rows
// 16 * (warp % 4) and up.
constexpr MatrixPlace place_of_c(const MatrixOperation& o, int lane, int i) {
  const int of_block = o.m == 8 ? 2 : 4, block = i / of_block, across = o.n / 8;
  return {16 * (block / across) + 8 * (i % of_block / 2) + lane / 4,
          8 * (block % across) + 2 * (lane % 4) + i % 2};
}

// D = A B + C by the calling lane, all 32 lanes of its warp together: mma.sync and wmma.mma. Each points to the
// registers of a lane's fragment, 32 bits each (f64: 64). D may be C. What the imitated GPU does not have, and a warp
// whose lanes do not all come to the same operation, end the block with a message.
void warp_multiply_add(const MatrixOperation& operation, const void* a, const void* b, const void* c,
                       void* d);

// mma.m8n8k4 of f16: four products at once, of tiles that eight lanes each hold, lanes 4t to 4t + 3 and those 16 above.
// On sm_70 and sm_72 alone: elsewhere the compiler takes the instruction apart, and which bits that gives is not known.
// `columns`: the tile is column-major in PTX's sense, and with it which elements a lane holds.
constexpr MatrixPlace place_of_quad_a(bool columns, int lane, int i) {
  const int high = lane >= 16 ? 4 : 0;
  return columns ? MatrixPlace{i % 4 + high, lane % 4} : MatrixPlace{lane % 4 + high, i};
}
constexpr MatrixPlace place_of_quad_b(bool columns, int lane, int i) {
  const int high = lane >= 16 ? 4 : 0;
  return columns ? MatrixPlace{i, lane % 4 + high} : MatrixPlace{lane % 4, i + high};
}
constexpr MatrixPlace place_of_quad_c(MatrixFormat accumulator, int lane, int i) {
  const int high = lane >= 16 ? 4 : 0;
  if (accumulator == MatrixFormat::f16) return {lane % 4 + high, i};
  return {(lane & 1) + (i & 2) + high, (i & 4) + (lane & 2) + (i & 1)};
}
struct QuadOperation {
  bool a_columns = false, b_columns = true;
  MatrixFormat accumulator = MatrixFormat::f32;  // or f16
};
void warp_multiply_add_quads(const QuadOperation& operation, const void* a, const void* b, const void* c,
                             void* d);

// Waits for all lanes of the calling lane's warp, as wmma's loads and stores do; ends the block with a message where
// they do not all bring the same matrix, or its stride, in elements, is no multiple of 16 bytes.
void warp_agrees(const void* matrix, unsigned stride, bool row_major, int element_bits);

}  // namespace assay::simt
