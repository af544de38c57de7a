// Which element of a tile each lane's registers hold, for the matrix instructions that the probe issues.
//
// Source: PTX ISA 9.0, "Matrix Fragments for mma.m16n8k..." and "Register Fragments and Shared Memory Matrix Layouts"
// of wgmma. The manual gives a formula for each shape and type; counted in registers they are all one, which the tests
// compare with the manual's own.
//
// A register has 32 bits and so E = 32 / bits elements, which are neighbours in K. Read by device code too: C++17.
#pragma once

#if defined(__CUDACC__)
#define ASSAY_HOST_DEVICE __host__ __device__
#else
#define ASSAY_HOST_DEVICE
#endif

namespace assay::gpu {

struct Place {
  int row;
  int column;
};

// Lanes come in eight groups of four: PTX's groupID and threadID_in_group.
ASSAY_HOST_DEVICE constexpr int lane_group(int lane) { return lane >> 2; }
ASSAY_HOST_DEVICE constexpr int lane_in_group(int lane) { return lane & 3; }

// Element `e` of register `r` of A (m16 x k, row-major), as (row, k). wgmma: the same in rows 16 * warp and up.
ASSAY_HOST_DEVICE constexpr Place place_a(int bits, int lane, int r, int e) {
  const int per_register = 32 / bits;
  return {lane_group(lane) + 8 * (r & 1), per_register * (4 * (r >> 1) + lane_in_group(lane)) + e};
}

// Element `e` of register `r` of B (k x n8, column-major), as (k, column).
ASSAY_HOST_DEVICE constexpr Place place_b(int bits, int lane, int r, int e) {
  const int per_register = 32 / bits;
  return {per_register * (4 * r + lane_in_group(lane)) + e, lane_group(lane)};
}

// Element `i` of C and D (m16 x n8). Accumulators of 32 bits have one element a register; of 16 bits two, elements 2r
// and 2r + 1 in register r, low half first.
ASSAY_HOST_DEVICE constexpr Place place_d(int lane, int i) {
  return {lane_group(lane) + 8 * (i >> 1), 2 * lane_in_group(lane) + (i & 1)};
}

// mma.m8n8k4 on float64: A (m8 x k4), B (k4 x n8), element `i` of C and D (m8 x n8).
ASSAY_HOST_DEVICE constexpr Place place_a_f64(int lane) { return {lane_group(lane), lane_in_group(lane)}; }
ASSAY_HOST_DEVICE constexpr Place place_b_f64(int lane) { return {lane_in_group(lane), lane_group(lane)}; }
ASSAY_HOST_DEVICE constexpr Place place_d_f64(int lane, int i) {
  return {lane_group(lane), 2 * lane_in_group(lane) + i};
}

// B of wgmma (k x n8) in shared memory, K-major without swizzling: core matrices of 8 columns of 16 bytes, one after
// the other in K. The byte at which element (k, column) starts.
constexpr int core_matrix_bytes = 128;
ASSAY_HOST_DEVICE constexpr int shared_byte_b(int bits, int k, int column) {
  const int byte = k * bits / 8;
  return byte / 16 * core_matrix_bytes + column * 16 + byte % 16;
}

}  // namespace assay::gpu
