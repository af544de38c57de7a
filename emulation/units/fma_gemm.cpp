#include "emulation/units/fma_gemm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

// Blocks of depth, columns and rows. A panel of A stays in the first cache, a block of A (rows x depth) and the panel
// of B that it meets in the second, B's block in the third. Depth saves most: each block of it reads and writes D once.
// Measured on a Zen 5 (48 KiB, 1 MiB, 32 MiB): VDPBF16PS, n = 1024, 0.76 of the peak at a depth of 256, 0.79 at 512.
constexpr std::size_t depth_block = 512, column_block = 2048, row_block = 192;
constexpr std::size_t tile_block = 32;  // of ChainShape::tiles
static_assert(depth_block % tile_block == 0, "a block of TDPBF16PS is one");
constexpr std::size_t padding = SIZE_MAX;  // an element past the end of K: +0

// Floats that start at a cache line.
class Buffer {
 public:
  explicit Buffer(std::size_t n) : floats_(n + 16) {}
  float* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(floats_.data());
    return floats_.data() + (64 - address % 64) % 64 / sizeof(float);
  }

 private:
  std::vector<float> floats_;
};

constexpr auto kernels_of_def = std::to_array<FmaKernel>({
#define FMA_GEMM(isa, any_range, rows, columns, description) \
  {{#isa, Isa::isa, description}, kernels::fma_gemm_##isa, kernels::any_range, fma_tile_##isa},
#include "emulation/units/fma_gemm.def"
#undef FMA_GEMM
});
constexpr KernelTable<FmaKernel> kernel_table{"fma_gemm", kernels_of_def};

// The elements of K in the order in which a chain takes them.
std::vector<std::size_t> order_of(ChainShape shape, std::size_t k) {
  std::vector<std::size_t> order;
  order.reserve(k + 1);
  const auto at = [&](std::size_t i) { return i < k ? i : padding; };
  switch (shape) {
    case ChainShape::sequential:
      for (std::size_t i = 0; i < k; ++i) order.push_back(i);
      break;
    case ChainShape::pairs:
      for (std::size_t i = 0; i < k; i += 2) {
        order.push_back(at(i + 1));
        order.push_back(i);
      }
      break;
    case ChainShape::tiles:
      for (std::size_t begin = 0; begin < k; begin += tile_block) {
        const std::size_t end = std::min(begin + tile_block, k);
        for (std::size_t i = begin; i < end; i += 2) order.push_back(at(i + 1));
        for (std::size_t i = begin; i < end; i += 2) order.push_back(i);
      }
      break;
  }
  return order;
}

// The elements of one operand: `lines` along m or n, depth along k, each at a stride.
struct Source {
  const unsigned char* data;
  std::ptrdiff_t line_bytes, depth_bytes;
  bool narrow;  // bfloat16

  const unsigned char* at(std::size_t line, std::size_t k) const {
    return data + static_cast<std::ptrdiff_t>(line) * line_bytes +
           static_cast<std::ptrdiff_t>(k) * depth_bytes;
  }
};
Source source_of(const CodeMatrix& x, bool lines_are_rows) {
  const auto bytes = static_cast<std::ptrdiff_t>(code_bytes(x.format));
  const std::ptrdiff_t line = lines_are_rows ? x.row_stride : x.col_stride;
  const std::ptrdiff_t depth = lines_are_rows ? x.col_stride : x.row_stride;
  return {static_cast<const unsigned char*>(x.data), line * bytes, depth * bytes,
          x.format == formats::bfloat16};
}

// A panel: `width` lines from `first` on, those past `lines` zeros; element (k, line) at k * width + line. The bits of
// a float32 each; Code is that of the operand.
template <std::size_t width, class Code>
void pack_panel(float* out, const Source& x, std::size_t first, std::size_t lines, const std::size_t* order,
                std::size_t depth) {
  constexpr int up = 32 - 8 * static_cast<int>(sizeof(Code));
  const std::size_t count = std::min(width, lines - first);
  const bool adjacent = count == width && x.line_bytes == sizeof(Code);
  std::array<std::uint32_t, width> bits{};
  for (std::size_t i = 0; i < depth; ++i, out += width) {
    if (order[i] == padding) {
      bits = {};
    } else if (const unsigned char* p = x.at(first, order[i]); adjacent) {
      std::array<Code, width> codes;
      std::memcpy(codes.data(), p, sizeof codes);
      for (std::size_t j = 0; j < width; ++j) bits[j] = std::uint32_t{codes[j]} << up;
    } else {
      for (std::size_t j = 0; j < count; ++j, p += x.line_bytes) {
        Code code;
        std::memcpy(&code, p, sizeof code);
        bits[j] = std::uint32_t{code} << up;
      }
    }
    std::memcpy(out, bits.data(), sizeof bits);
  }
}

// Four words of four lines each, turned: word i of every line into `out[i]`.
void transpose(__m128i (&w)[4]) {
  const __m128i low01 = _mm_unpacklo_epi32(w[0], w[1]), low23 = _mm_unpacklo_epi32(w[2], w[3]);
  const __m128i high01 = _mm_unpackhi_epi32(w[0], w[1]), high23 = _mm_unpackhi_epi32(w[2], w[3]);
  w[0] = _mm_unpacklo_epi64(low01, low23);
  w[1] = _mm_unpackhi_epi64(low01, low23);
  w[2] = _mm_unpacklo_epi64(high01, high23);
  w[3] = _mm_unpackhi_epi64(high01, high23);
}

// The same panel for lines that are contiguous along the depth, four lines and four words at a time. The elements of
// order[0 .. depth) are those from k0 on, in another order, padding apart.
template <std::size_t width, class Code>
void pack_across(float* out, const Source& x, std::size_t first, const std::size_t* order, std::size_t k0,
                 std::size_t depth) {
  static_assert(width % 4 == 0);
  constexpr std::size_t per_word = 4 / sizeof(Code), step = 4 * per_word;
  std::array<float*, depth_block> place{};  // of each element
  std::size_t elements = 0;
  for (std::size_t i = 0; i < depth; ++i) {
    if (order[i] == padding) {
      std::memset(out + i * width, 0, width * sizeof(float));
    } else {
      place[order[i] - k0] = out + i * width;
      ++elements;
    }
  }
  const auto put = [](float* to, __m128i four) {
    _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(to)), four);
  };
  for (std::size_t line = 0; line < width; line += 4) {
    std::size_t k = 0;
    for (; k + step <= elements; k += step) {
      __m128i words[4];
      for (std::size_t j = 0; j < 4; ++j)
        words[j] = _mm_loadu_si128(
            static_cast<const __m128i*>(static_cast<const void*>(x.at(first + line + j, k0 + k))));
      transpose(words);
      for (std::size_t i = 0; i < 4; ++i) {
        if constexpr (per_word == 1) {
          put(place[k + i] + line, words[i]);
        } else {
          put(place[k + 2 * i] + line, _mm_slli_epi32(words[i], 16));
          put(place[k + 2 * i + 1] + line, _mm_and_si128(words[i], _mm_set1_epi32(-65536)));
        }
      }
    }
    for (; k < elements; ++k) {
      for (std::size_t j = 0; j < 4; ++j) {
        Code code;
        std::memcpy(&code, x.at(first + line + j, k0 + k), sizeof code);
        const std::uint32_t bits = std::uint32_t{code} << (32 - 8 * sizeof(Code));
        std::memcpy(place[k] + line + j, &bits, sizeof bits);
      }
    }
  }
}

template <std::size_t width, class Code>
void pack_as(float* out, const Source& x, std::size_t first, std::size_t lines, const std::size_t* order,
             std::size_t k0, std::size_t depth) {
  if constexpr (width % 4 == 0) {
    if (first + width <= lines && x.depth_bytes == sizeof(Code))
      return pack_across<width, Code>(out, x, first, order, k0, depth);
  }
  pack_panel<width, Code>(out, x, first, lines, order, depth);
}

template <std::size_t width>
void pack_width(float* out, const Source& x, std::size_t first, std::size_t lines, const std::size_t* order,
                std::size_t k0, std::size_t depth) {
  if (x.narrow) {
    pack_as<width, std::uint16_t>(out, x, first, lines, order, k0, depth);
  } else {
    pack_as<width, std::uint32_t>(out, x, first, lines, order, k0, depth);
  }
}

// The panel of `width` lines from `first` on and elements order[0 .. depth), which are those from k0 on.
void pack(float* out, std::size_t width, const Source& x, std::size_t first, std::size_t lines,
          const std::size_t* order, std::size_t k0, std::size_t depth) {
  switch (width) {
    case 4: return pack_width<4>(out, x, first, lines, order, k0, depth);
    case 6: return pack_width<6>(out, x, first, lines, order, k0, depth);
    case 8: return pack_width<8>(out, x, first, lines, order, k0, depth);
    case 12: return pack_width<12>(out, x, first, lines, order, k0, depth);
    case 16: return pack_width<16>(out, x, first, lines, order, k0, depth);
    case 32: return pack_width<32>(out, x, first, lines, order, k0, depth);
    default: throw ContractError("fma_gemm: no panels of " + std::to_string(width));
  }
}

// The exponents of a bfloat16 matrix: of its least nonzero and its largest element.
struct Range {
  int least = 1000, largest = -1000;
  bool finite = true, subnormals = false;
};
Range range_of(const CodeMatrix& x) {
  Range range;
  const FormatSpec& f = x.format;
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) {
      const std::uint64_t magnitude = x.code(i, j) & f.magnitude_mask();
      const int binade = static_cast<int>(magnitude >> (f.precision - 1));
      if (binade == 0) {
        range.subnormals = range.subnormals || magnitude != 0;
        continue;
      }
      range.finite = range.finite && magnitude < f.infinity_code();
      range.least = std::min(range.least, binade - 1 + f.emin);
      range.largest = std::max(range.largest, binade - 1 + f.emin);
    }
  }
  return range;
}

// Is every product exact as a float32?
bool products_are_exact(const Range& a, const Range& b, bool flush, bool narrow) {
  const bool subnormal = !flush && (a.subnormals || b.subnormals);
  return narrow && a.finite && b.finite && !subnormal && a.least + b.least >= formats::float32.emin &&
         a.largest + b.largest + 1 <= formats::float32.emax();
}

void start(const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) {
  if (c && c->data == d.data) return;
  const bool dense = d.col_stride == 1 && (!c || c->col_stride == 1);
  for (std::size_t i = 0; i < d.rows; ++i) {
    if (dense) {
      void* const row = detail::advance_codes(d.data, static_cast<std::ptrdiff_t>(i) * d.row_stride, 4);
      if (c) {
        std::memcpy(row, c->row(i).data, 4 * d.cols);
      } else {
        std::memset(row, 0, 4 * d.cols);
      }
      continue;
    }
    for (std::size_t j = 0; j < d.cols; ++j) d.set(i, j, c ? c->code(i, j) : 0);
  }
}

void make_nans_canonical(unsigned char* d, std::ptrdiff_t row_bytes, std::size_t rows, std::size_t columns) {
  for (std::size_t i = 0; i < rows; ++i, d += row_bytes) {
    for (std::size_t j = 0; j < columns; ++j) {
      std::uint32_t code;
      std::memcpy(&code, d + 4 * j, sizeof code);
      if ((code & 0x7FFFFFFF) > 0x7F800000) code = 0x7FFFFFFF;
      std::memcpy(d + 4 * j, &code, sizeof code);
    }
  }
}

// D dense along its rows.
void dense_gemm(const FmaGemm& how, const FmaKernel& kernel, bool any_range, const CodeMatrix& a,
                const CodeMatrix& b, bool fresh, const MutableCodeMatrix& d) {
  FmaPanelsFn* const run = any_range ? kernel.any_range : kernel.run;
  const std::size_t tile_rows = kernel.tile.rows, tile_columns = kernel.tile.columns;
  const std::vector<std::size_t> order = order_of(how.shape, a.cols);
  const std::size_t m = d.rows, n = d.cols, k = order.size();
  const Source rows_of_a = source_of(a, true), columns_of_b = source_of(b, false);
  const std::size_t row_tiles = (m + tile_rows - 1) / tile_rows;

  const bool alone = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < 1e5;
  const int threads = alone ? 1 : default_threads();
  // Rows are cut into blocks of equal size, as many for each thread.
  const auto shares = static_cast<std::size_t>(threads);
  const std::size_t blocks = shares * ((m + shares * row_block - 1) / (shares * row_block));
  const std::size_t most_tiles = (row_tiles + blocks - 1) / blocks;

  const std::size_t depth_most = std::min(k, depth_block);
  const std::size_t column_tiles_most = (std::min(n, column_block) + tile_columns - 1) / tile_columns;
  Buffer packed_b(column_tiles_most * tile_columns * depth_most);
  const std::size_t a_block = most_tiles * tile_rows * depth_most;
  Buffer packed_a(shares * ((a_block + 15) / 16 * 16));

  for (std::size_t j0 = 0; j0 < n; j0 += column_block) {
    const std::size_t columns = std::min(column_block, n - j0);
    const std::size_t column_tiles = (columns + tile_columns - 1) / tile_columns;
    for (std::size_t k0 = 0; k0 < k; k0 += depth_block) {
      const std::size_t depth = std::min(depth_block, k - k0);
      const std::size_t* const part = order.data() + k0;
      const Sharing shares_of_threads{threads, Share::fixed};
      parallel_for(column_tiles, shares_of_threads, [&](std::size_t tile) {
        pack(packed_b.data() + tile * depth * tile_columns, tile_columns, columns_of_b,
             j0 + tile * tile_columns, n, part, k0, depth);
      });
      parallel_for(blocks, shares_of_threads, [&](std::size_t block, std::size_t worker) {
        float* const own_a = packed_a.data() + worker * ((a_block + 15) / 16 * 16);
        const std::size_t first = block * row_tiles / blocks, last = (block + 1) * row_tiles / blocks;
        if (first == last) return;
        for (std::size_t tile = first; tile < last; ++tile) {
          pack(own_a + (tile - first) * depth * tile_rows, tile_rows, rows_of_a, tile * tile_rows, m, part,
               k0, depth);
        }
        const std::size_t i0 = first * tile_rows;
        FmaPanels panels{.a = own_a, .b = packed_b.data()};
        panels.d_row_bytes = d.row_stride * 4;
        panels.d = static_cast<unsigned char*>(d.data) +
                   static_cast<std::ptrdiff_t>(i0) * panels.d_row_bytes + 4 * j0;
        panels.rows = std::min(m, last * tile_rows) - i0;
        panels.columns = columns;
        panels.depth = depth;
        panels.a_panel = depth * tile_rows;
        panels.b_panel = depth * tile_columns;
        panels.tiles = how.shape == ChainShape::tiles;
        panels.fresh = fresh && k0 == 0;
        panels.fused = how.fused;
        panels.flush = how.flush;
        run(panels);
        if (how.canonical_nan && k0 + depth == k)
          make_nans_canonical(panels.d, panels.d_row_bytes, panels.rows, columns);
      });
    }
  }
}

}  // namespace

const KernelTable<FmaKernel>& fma_kernels() { return kernel_table; }

bool fma_gemm(const FmaGemm& how, const FmaKernel& kernel, const CodeMatrix& a, const CodeMatrix& b,
              const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d, bool any_range) {
  bool wide = false;  // products and sums in float64
  if (!kernel.is_fused() && how.fused) {
    const bool narrow = a.format == formats::bfloat16;
    const Range of_a = range_of(a), of_b = range_of(b);
    if (!how.canonical_nan && !(of_a.finite && of_b.finite)) return false;
    wide = any_range || !products_are_exact(of_a, of_b, how.flush, narrow);
  }
  if (c || a.cols == 0) start(c, d);
  if (a.cols == 0) return true;
  if (d.col_stride == 1 || d.cols == 1) {
    dense_gemm(how, kernel, wide, a, b, !c, d);
    return true;
  }
  std::vector<std::uint32_t> dense(d.rows * d.cols);
  const MutableCodeMatrix copy{dense.data(),    d.rows, d.cols, static_cast<std::ptrdiff_t>(d.cols), 1,
                               formats::float32};
  if (c) start(CodeMatrix(d), copy);
  dense_gemm(how, kernel, wide, a, b, !c, copy);
  start(CodeMatrix(copy), d);
  return true;
}

}  // namespace assay
