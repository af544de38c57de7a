// PTX of tiles against exact integers: mma of all shapes and types, with the manual's fragments; wgmma with matrices
// that boxes of tensors, or loops over core matrices, put into shared memory.
#include "emulation/simt/ptx.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "emulation/simt/launch.hpp"
#include "emulation/simt/tensor_map.hpp"
#include "emulation/units/nvidia/fragments.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

namespace {
using namespace assay;
using namespace assay::simt;

struct Type {
  std::string name;
  int bits;
  const FormatSpec* format;  // null for integers
};
const Type f16{"f16", 16, &formats::float16}, bf16{"bf16", 16, &formats::bfloat16},
    tf32{"tf32", 32, &formats::float32}, f32{"f32", 32, &formats::float32}, f64{"f64", 64, &formats::float64},
    e4m3{"e4m3", 8, &formats::float8_e4m3fn}, e5m2{"e5m2", 8, &formats::float8_e5m2}, s8{"s8", 8, nullptr},
    u8{"u8", 8, nullptr}, s4{"s4", 4, nullptr}, u4{"u4", 4, nullptr}, b1{"b1", 1, nullptr},
    s32{"s32", 32, nullptr};

std::uint64_t code_of(const Type& type, int value) {
  if (type.format != nullptr) return encode(static_cast<double>(value), *type.format).code;
  return static_cast<std::uint32_t>(value) & ((std::uint64_t{1} << type.bits) - 1);
}
bool is_unsigned(const Type& type) { return type.name[0] == 'u' || type.name[0] == 'b'; }
int a_value(const Type& type, int row, int k) {
  if (type.bits == 1) return (row * 5 + k * 3 + row * k) % 2;
  const int x = (row * 7 + k * 3 + row * k) % 7;
  return is_unsigned(type) ? x : x - 3;
}
int b_value(const Type& type, int k, int column) {
  if (type.bits == 1) return (column * 3 + k + column * k * 7) / 3 % 2;
  const int x = (column * 5 + k * 11 + column * k) % 7;
  return is_unsigned(type) ? x : x - 3;
}

// The statement's operands for a thread.
struct Registers {
  std::vector<std::uint64_t> values{};
  std::vector<PtxOperand> operands{};

  void make(const std::vector<char>& types, std::size_t outputs) {
    values.assign(types.size(), 0);
    for (std::size_t k = 0; k < types.size(); ++k) {
      PtxOperand o;
      o.value = &values[k];
      o.type = types[k];
      o.bytes = types[k] == 'l' || types[k] == 'd' ? 8 : 4;
      o.writes = k < outputs;
      operands.push_back(o);
    }
  }
};
std::string list(std::size_t first, std::size_t count) {
  std::string text = "{";
  for (std::size_t k = 0; k < count; ++k) text += (k == 0 ? "%" : ", %") + std::to_string(first + k);
  return text + "}";
}
// For every thread of a block of so many.
std::string run(const std::string& text, std::vector<Registers>& threads,
                const std::vector<unsigned char>& shared = {}) {
  PtxError error;
  const auto program = parse_ptx(text, threads[0].operands.data(), threads[0].operands.size(), error);
  BOOST_REQUIRE_MESSAGE(program != nullptr,
                        text << ": expected " << error.expected << ", found " << error.found);
  return launch(1, static_cast<unsigned>(threads.size()), shared.size(), [&] {
    if (threadIdx.x == 0 && !shared.empty()) std::memcpy(dynamic_shared(), shared.data(), shared.size());
    Block::current()->barrier(0, false, Vote::none);
    const Registers& mine = threads[threadIdx.x];
    run_ptx(*program, mine.operands.data(), mine.operands.size());
  });
}

// --- mma -------------------------------------------------------------------------------------------------------------

struct Place {
  int row, column;
};
// The manual's tables for m8n8k4 and m16n8k of f64, and of m8n8k of integers; the others are fragments.hpp's.
Place a_place(int m, int bits, int lane, int r, int e) {
  if (m == 8) return {lane / 4, (bits == 64 ? 1 : 32 / bits) * (lane % 4) + e};
  if (bits == 64) return {lane / 4 + 8 * (r % 2), lane % 4 + 4 * (r / 2)};
  const gpu::Place p = gpu::place_a(bits, lane, r, e);
  return {p.row, p.column};
}
Place b_place(int m, int bits, int lane, int r, int e) {
  if (m == 8) return {(bits == 64 ? 1 : 32 / bits) * (lane % 4) + e, lane / 4};
  if (bits == 64) return {lane % 4 + 4 * r, lane / 4};
  const gpu::Place p = gpu::place_b(bits, lane, r, e);
  return {p.row, p.column};
}

void check_mma(int m, int k, const Type& d, const Type& a, const Type& b, const std::string& words = "",
               const std::string& last = "") {
  const int n = 8, per_a = a.bits >= 32 ? 1 : 32 / a.bits, per_b = b.bits >= 32 ? 1 : 32 / b.bits,
            per_d = d.bits >= 32 ? 1 : 2;
  const auto ra = static_cast<std::size_t>(m * k / 32 / per_a),
             rb = static_cast<std::size_t>(k * n / 32 / per_b),
             rd = static_cast<std::size_t>(m * n / 32 / per_d);
  const std::string text = "mma.sync.aligned.m" + std::to_string(m) + "n8k" + std::to_string(k) + ".row.col" +
                           words + "." + d.name + "." + a.name + "." + b.name + "." + d.name + last + " " +
                           list(0, rd) + ", " + list(rd, ra) + ", " + list(rd + ra, rb) + ", " +
                           list(rd + ra + rb, rd) + ";";
  std::vector<Registers> lanes(32);
  std::vector<char> types;
  const char wide = d.bits == 64 ? 'd' : 'r', of_d = d.bits == 64 ? 'd' : d.name == "f32" ? 'f' : 'r';
  types.insert(types.end(), rd, of_d);
  types.insert(types.end(), ra + rb, wide);
  types.insert(types.end(), rd, of_d);
  const auto d_place = [&](int lane, int i) { return Place{lane / 4 + 8 * (i / 2), 2 * (lane % 4) + i % 2}; };
  const auto addend = [](Place p) { return p.row - 2 * p.column; };
  for (int lane = 0; lane < 32; ++lane) {
    Registers& mine = lanes[static_cast<std::size_t>(lane)];
    mine.make(types, rd);
    for (std::size_t r = 0; r < ra; ++r) {
      for (int e = 0; e < per_a; ++e) {
        const Place p = a_place(m, a.bits, lane, static_cast<int>(r), e);
        mine.values[rd + r] |= code_of(a, a_value(a, p.row, p.column)) << (e * a.bits);
      }
    }
    for (std::size_t r = 0; r < rb; ++r) {
      for (int e = 0; e < per_b; ++e) {
        const Place p = b_place(m, b.bits, lane, static_cast<int>(r), e);
        mine.values[rd + ra + r] |= code_of(b, b_value(b, p.row, p.column)) << (e * b.bits);
      }
    }
    for (int i = 0; i < m * n / 32; ++i)
      mine.values[rd + ra + rb + static_cast<std::size_t>(i / per_d)] |= code_of(d, addend(d_place(lane, i)))
                                                                         << (i % per_d * d.bits);
  }
  const std::string why = run(text, lanes);
  BOOST_TEST(why == "", text << ": " << why);
  int wrong = 0;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < m * n / 32; ++i) {
      const Place p = d_place(lane, i);
      int sum = addend(p);
      for (int x = 0; x < k; ++x) {
        const int va = a_value(a, p.row, x), vb = b_value(b, x, p.column);
        sum += a.bits != 1 ? va * vb : last.find("xor") != std::string::npos ? va ^ vb : va & vb;
      }
      const std::uint64_t got =
          lanes[static_cast<std::size_t>(lane)].values[static_cast<std::size_t>(i / per_d)] >>
          (i % per_d * d.bits);
      wrong +=
          (got & (d.bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << d.bits) - 1)) != code_of(d, sum);
    }
  }
  BOOST_TEST(wrong == 0, text);
}

// --- wgmma -----------------------------------------------------------------------------------------------------------

struct Layout {
  Swizzle swizzle;
  bool by_lines;  // lines are neighbours in memory: MN-major
};
constexpr std::uint32_t swizzle_code(Swizzle s) {
  return s == Swizzle::none ? 0 : s == Swizzle::bytes128 ? 1 : s == Swizzle::bytes64 ? 2 : 3;
}

// The matrix of `lines` x k at `at` in shared memory; its descriptor.
template <class ValueOf>
std::uint64_t put(std::vector<unsigned char>& shared, std::uint32_t at, const Layout& layout,
                  const Type& type, int lines, int k, const ValueOf& value) {
  const int bytes = type.bits / 8, width = 16 << static_cast<int>(layout.swizzle);
  std::uint32_t leading = 16, stride = 16;
  const auto store = [&](std::uint32_t offset, int line, int x) {
    const std::uint64_t code = code_of(type, value(line, x));
    std::memcpy(shared.data() + at + offset, &code, static_cast<std::size_t>(bytes));
  };
  if (layout.swizzle != Swizzle::none) {
    // As TMA puts it: rows of the swizzle's width.
    const int inner = layout.by_lines ? lines : k, outer = layout.by_lines ? k : lines,
              row_elements = width / bytes;
    const int padded = (inner + row_elements - 1) / row_elements * row_elements;
    std::vector<unsigned char> tensor(static_cast<std::size_t>(padded * outer * bytes + 16));
    const std::size_t shift = (16 - reinterpret_cast<std::uintptr_t>(tensor.data()) % 16) % 16;
    for (int o = 0; o < outer; ++o) {
      for (int i = 0; i < inner; ++i) {
        const std::uint64_t code = layout.by_lines ? code_of(type, value(i, o)) : code_of(type, value(o, i));
        std::memcpy(tensor.data() + shift + (o * padded + i) * bytes, &code, static_cast<std::size_t>(bytes));
      }
    }
    TensorMap map;
    map.rank = 2;
    map.element_bytes = static_cast<std::uint8_t>(bytes);
    map.swizzle = layout.swizzle;
    map.address = reinterpret_cast<std::uint64_t>(tensor.data() + shift);
    map.sizes[0] = static_cast<std::uint64_t>(padded);
    map.sizes[1] = static_cast<std::uint64_t>(outer);
    map.strides[0] = static_cast<std::uint64_t>(bytes);
    map.strides[1] = static_cast<std::uint64_t>(padded * bytes);
    map.box[0] = static_cast<std::uint16_t>(row_elements);
    map.box[1] = static_cast<std::uint16_t>(outer);
    BOOST_REQUIRE(why_no_tensor_map(map) == "");
    leading = static_cast<std::uint32_t>(outer * width);
    stride = static_cast<std::uint32_t>(8 * width);
    for (int block = 0; block * row_elements < inner; ++block) {
      const std::int32_t coordinates[] = {block * row_elements, 0};
      const std::uint32_t offset = at + static_cast<std::uint32_t>(block) * leading;
      load_box(map, coordinates, shared.data() + offset, offset);
    }
  } else {
    // Core matrices of 8 rows of 16 bytes, in an order with gaps.
    const int piece = 16 / bytes;
    const int inner_cores = layout.by_lines ? lines / piece : k / piece;
    for (int line = 0; line < lines; ++line) {
      for (int x = 0; x < k; ++x) {
        const int inner = layout.by_lines ? line : x, outer = layout.by_lines ? x : line;
        const int core = (outer / 8 * inner_cores + inner / piece) * 160;
        store(static_cast<std::uint32_t>(core + outer % 8 * 16 + inner % piece * bytes), line, x);
      }
    }
    const std::uint32_t next_inner = 160, next_outer = static_cast<std::uint32_t>(160 * inner_cores);
    leading = layout.by_lines ? next_outer : next_inner;
    stride = layout.by_lines ? next_inner : next_outer;
  }
  const std::uint32_t address = 1024 + at;  // dynamic shared memory begins there
  return address >> 4 | std::uint64_t{leading >> 4} << 16 | std::uint64_t{stride >> 4} << 32 |
         std::uint64_t{swizzle_code(layout.swizzle)} << 62;
}

void check_wgmma(int n, const Type& d, const Type& a, const Type& b, const Layout& layout_a,
                 const Layout& layout_b, bool a_in_registers, bool accumulates, int scale_a = 1) {
  const int k = 256 / a.bits, per_d = d.bits == 16 ? 2 : 1, per_a = 32 / a.bits;
  std::vector<unsigned char> shared(80 * 1024);
  const auto value_a = [&](int row, int x) { return a_value(a, row, x); };
  const auto value_b = [&](int column, int x) { return b_value(b, x, column); };
  const std::uint64_t da = put(shared, 0, layout_a, a, 64, k, value_a),
                      db = put(shared, 32 * 1024, layout_b, b, n, k, value_b);
  const auto rd = static_cast<std::size_t>(n / 2 / per_d);
  const std::size_t ra = a_in_registers ? 4 : 1;
  std::string text = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(n) + "k" + std::to_string(k) + "." +
                     d.name + "." + a.name + "." + b.name + " " + list(0, rd) + ", " +
                     (a_in_registers ? list(rd, 4) : "%" + std::to_string(rd)) + ", %" +
                     std::to_string(rd + ra) + ", " + (accumulates ? "1" : "0");
  if (d.format != nullptr) text += ", " + std::to_string(scale_a) + ", 1";
  if (a.bits == 16)
    text += (a_in_registers      ? std::string()
             : layout_a.by_lines ? ", 1"
                                 : ", 0") +
            (layout_b.by_lines ? ", 1" : ", 0");
  text += ";";
  std::vector<char> types(rd, d.name == "f32" ? 'f' : 'r');
  types.insert(types.end(), ra, a_in_registers ? 'r' : 'l');
  types.push_back('l');
  std::vector<Registers> threads(128);
  const auto d_place = [&](int t, int i) {
    return Place{16 * (t / 32) + t % 32 / 4 + 8 * (i / 2 % 2), 8 * (i / 4) + 2 * (t % 4) + i % 2};
  };
  const auto addend = [](Place p) { return p.row % 5 - p.column % 3; };
  for (int t = 0; t < 128; ++t) {
    Registers& mine = threads[static_cast<std::size_t>(t)];
    mine.make(types, rd);
    for (int i = 0; i < n / 2; ++i)
      mine.values[static_cast<std::size_t>(i / per_d)] |= code_of(d, addend(d_place(t, i)))
                                                          << (i % per_d * 16);
    if (a_in_registers) {
      for (int r = 0; r < 4; ++r) {
        for (int e = 0; e < per_a; ++e) {
          const gpu::Place p = gpu::place_a(a.bits, t % 32, r, e);
          mine.values[rd + static_cast<std::size_t>(r)] |=
              code_of(a, value_a(16 * (t / 32) + p.row, p.column)) << (e * a.bits);
        }
      }
    } else {
      mine.values[rd] = da;
    }
    mine.values[rd + ra] = db;
  }
  const std::string why = run(text, threads, shared);
  BOOST_TEST(why == "", text << ": " << why);
  int wrong = 0;
  for (int t = 0; t < 128; ++t) {
    for (int i = 0; i < n / 2; ++i) {
      const Place p = d_place(t, i);
      int sum = 0;
      for (int x = 0; x < k; ++x) sum += scale_a * value_a(p.row, x) * value_b(p.column, x);
      if (accumulates) sum += addend(p);
      const std::uint64_t got =
          threads[static_cast<std::size_t>(t)].values[static_cast<std::size_t>(i / per_d)] >>
          (i % per_d * 16);
      wrong += (got & (d.bits == 16 ? 0xFFFF : 0xFFFFFFFF)) != code_of(d, sum);
    }
  }
  BOOST_TEST(wrong == 0, text << " swizzles " << static_cast<int>(layout_a.swizzle)
                              << static_cast<int>(layout_b.swizzle));
}

constexpr Swizzle all_swizzles[] = {Swizzle::none, Swizzle::bytes32, Swizzle::bytes64, Swizzle::bytes128};

}  // namespace

BOOST_AUTO_TEST_CASE(mma_of_all_shapes_and_types) {
  for (const int k : {8, 16}) {
    check_mma(16, k, f32, f16, f16);
    check_mma(16, k, f16, f16, f16);
    check_mma(16, k, f32, bf16, bf16);
  }
  for (const int k : {4, 8}) check_mma(16, k, f32, tf32, tf32);
  for (const Type& a : {e4m3, e5m2}) {
    for (const Type& b : {e4m3, e5m2}) check_mma(16, 32, f32, a, b);
  }
  check_mma(8, 4, f64, f64, f64);
  for (const int k : {4, 8, 16}) check_mma(16, k, f64, f64, f64, ".rn");
  for (const Type& a : {s8, u8}) {
    for (const Type& b : {s8, u8}) {
      check_mma(8, 16, s32, a, b);
      check_mma(16, 16, s32, a, b, ".satfinite");
      check_mma(16, 32, s32, a, b);
    }
  }
  for (const Type& a : {s4, u4}) {
    check_mma(8, 32, s32, a, s4);
    check_mma(16, 32, s32, a, u4);
    check_mma(16, 64, s32, a, s4);
  }
  for (const char* const how : {".xor.popc", ".and.popc"}) {
    check_mma(8, 128, s32, b1, b1, "", how);
    check_mma(16, 128, s32, b1, b1, "", how);
    check_mma(16, 256, s32, b1, b1, "", how);
  }
}

BOOST_AUTO_TEST_CASE(wgmma_of_all_layouts) {
  for (const Swizzle sa : all_swizzles) {
    for (const Swizzle sb : all_swizzles) {
      for (const bool transposed_a : {false, true}) {
        for (const bool transposed_b : {false, true})
          check_wgmma(64, f32, bf16, bf16, {sa, transposed_a}, {sb, transposed_b}, false, transposed_a);
      }
    }
    check_wgmma(128, f32, f16, f16, {sa, false}, {sa, true}, true, true, -1);
    check_wgmma(16, f16, f16, f16, {sa, true}, {sa, false}, false, true, -1);
    check_wgmma(24, f32, tf32, tf32, {sa, false}, {sa, false}, false, false);
    check_wgmma(32, f32, e4m3, e5m2, {sa, false}, {sa, false}, false, true);
    check_wgmma(8, s32, s8, u8, {sa, false}, {sa, false}, false, true);
  }
  const Layout usual{Swizzle::bytes128, false};
  check_wgmma(256, f32, bf16, bf16, usual, usual, false, true);
  check_wgmma(8, f32, tf32, tf32, usual, usual, true, true);
  check_wgmma(8, f32, e5m2, e4m3, usual, usual, true, true);
  check_wgmma(8, s32, u8, s8, usual, usual, true, true);
}

BOOST_AUTO_TEST_CASE(wgmma_says_what_it_cannot_do) {
  std::vector<Registers> threads(128);
  for (Registers& mine : threads) mine.make({'f', 'f', 'f', 'f', 'l', 'l'}, 4);
  const auto failure = [&](const std::string& rest, std::uint64_t descriptor) {
    for (Registers& mine : threads) mine.values[4] = mine.values[5] = descriptor;
    return run("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, %4, %5, " + rest,
               threads, std::vector<unsigned char>(16384));
  };
  BOOST_TEST(failure("1, 1, 1, 0, 0;", 64) == "");
  BOOST_TEST(failure("1, 2, 1, 0, 0;", 64).find("a scale that is not 1 or -1") != std::string::npos);
  BOOST_TEST(failure("1, 1, 1, 0, 0;", 64 | std::uint64_t{1} << 49).find("a base offset") !=
             std::string::npos);
  // One warp alone.
  threads.resize(16);
  BOOST_TEST(failure("1, 1, 1, 0, 0;", 64).find("32 lanes") != std::string::npos);
}

// What a profile is told of a box is what the box copies, with rows and planes beyond the tensor.
BOOST_AUTO_TEST_CASE(rows_of_a_box_are_what_it_copies) {
  constexpr std::size_t sizes[] = {40, 5, 3};  // of two bytes
  std::vector<std::uint16_t> numbers(sizes[0] * sizes[1] * sizes[2] + 8);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint16_t>(i + 1);
  TensorMap map;
  map.rank = 3;
  map.element_bytes = 2;
  map.swizzle = Swizzle::none;
  map.address = (reinterpret_cast<std::uint64_t>(numbers.data()) + 15) / 16 * 16;
  std::uint64_t stride = 2;
  for (std::size_t d = 0; d < 3; ++d) {
    map.sizes[d] = sizes[d];
    map.strides[d] = stride;
    stride *= sizes[d];
  }
  map.box[0] = 16;
  map.box[1] = 4;
  map.box[2] = 2;
  BOOST_REQUIRE(why_no_tensor_map(map) == "");
  const std::int32_t corners[][3] = {{0, 0, 0},  {8, 1, 1},  {32, 0, 0}, {-8, -2, -1},
                                     {24, 3, 2}, {40, 0, 0}, {0, 5, 0},  {-16, 0, 0}};
  for (const auto& corner : corners) {
    std::vector<unsigned char> want(box_bytes(map), 0xFF), got(box_bytes(map));
    load_box(map, corner, want.data(), 0);
    std::size_t covered = 0;
    for (const BoxRow& row : rows_of_box(map, corner)) {
      covered += row.shared_bytes;
      // The part of the row that is before the tensor stays zero.
      const std::size_t before = corner[0] < 0 ? static_cast<std::size_t>(-corner[0]) * 2 : 0;
      if (row.global_bytes != 0)
        std::memcpy(got.data() + row.shared + before, reinterpret_cast<const void*>(row.global),
                    row.global_bytes);
    }
    BOOST_TEST(covered == box_bytes(map));
    BOOST_TEST(got == want, "a box at " << corner[0] << ", " << corner[1] << ", " << corner[2]);
  }
}
