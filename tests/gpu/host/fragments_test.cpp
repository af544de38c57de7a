// The layouts of fragments.hpp against the formulas of the PTX manual, shape by shape as printed there, and each a
// bijection.
#include "emulation/units/nvidia/fragments.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "gpu/host/probe_sets.hpp"
#include "reference/formats/formats.hpp"

using namespace assay::gpu;

namespace {

// i: number of the element in the lane's fragment, a0, a1, ...
using Formula = std::function<Place(int group, int thread, int i)>;

// Elements of one matrix under both formulas; `ours` by register and element.
int differences(int registers, int bits, const std::function<Place(int, int, int)>& ours,
                const Formula& manual) {
  int wrong = 0;
  for (int lane = 0; lane < 32; ++lane) {
    for (int r = 0; r < registers; ++r) {
      for (int e = 0; e < 32 / bits; ++e) {
        const Place mine = ours(lane, r, e);
        const Place theirs = manual(lane >> 2, lane % 4, r * (32 / bits) + e);
        if (mine.row != theirs.row || mine.column != theirs.column) ++wrong;
      }
    }
  }
  return wrong;
}

struct Shape {
  const char* name;
  int bits, a_registers;
  Formula a, b;
};

// PTX ISA 9.0, "Matrix Fragments for mma.m16n8k..."; t is threadID_in_group.
const Shape shapes[] = {
    {"m16n8k4 tf32", 32, 2,
     [](int g, int t, int i) {
       return Place{i == 0 ? g : g + 8, t};
     },
     [](int g, int t, int) {
       return Place{t, g};
     }},
    {"m16n8k8 f16 and bf16", 16, 2,
     [](int g, int t, int i) {
       return Place{i < 2 ? g : g + 8, t * 2 + (i & 1)};
     },
     [](int g, int t, int i) {
       return Place{t * 2 + i, g};
     }},
    {"m16n8k8 tf32", 32, 4,
     [](int g, int t, int i) {
       return Place{i == 0 || i == 2 ? g : g + 8, i < 2 ? t : t + 4};
     },
     [](int g, int t, int i) {
       return Place{i == 0 ? t : t + 4, g};
     }},
    {"m16n8k16 f16 and bf16", 16, 4,
     [](int g, int t, int i) {
       return Place{i < 2 || (4 <= i && i < 6) ? g : g + 8, i < 4 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8};
     },
     [](int g, int t, int i) {
       return Place{i < 2 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8, g};
     }},
    {"m16n8k32 e4m3 and e5m2", 8, 4,
     [](int g, int t, int i) {
       return Place{i < 4 || (8 <= i && i < 12) ? g : g + 8, i < 8 ? t * 4 + (i & 3) : t * 4 + (i & 3) + 16};
     },
     [](int g, int t, int i) {
       return Place{i < 4 ? t * 4 + (i & 3) : t * 4 + (i & 3) + 16, g};
     }},
};

}  // namespace

BOOST_AUTO_TEST_CASE(operands_are_the_manuals) {
  for (const Shape& s : shapes) {
    const auto a = [&](int lane, int r, int e) { return place_a(s.bits, lane, r, e); };
    const auto b = [&](int lane, int r, int e) { return place_b(s.bits, lane, r, e); };
    BOOST_TEST(differences(s.a_registers, s.bits, a, s.a) == 0, s.name << ", A");
    BOOST_TEST(differences(s.a_registers / 2, s.bits, b, s.b) == 0, s.name << ", B");
  }
}

BOOST_AUTO_TEST_CASE(accumulators_are_the_manuals) {
  // .f32 and .f16 alike: row = groupID for ci where i < 2, groupID + 8 for i >= 2.
  const auto ours = [](int lane, int r, int) { return place_d(lane, r); };
  BOOST_TEST(differences(4, 32, ours, [](int g, int t, int i) {
               return Place{i < 2 ? g : g + 8, t * 2 + (i & 1)};
             }) == 0);
  int wrong = 0;
  for (int lane = 0; lane < 32; ++lane) {
    const int g = lane >> 2, t = lane % 4;
    const auto same = [](Place x, Place y) { return x.row == y.row && x.column == y.column; };
    if (!same(place_a_f64(lane), {g, t}) || !same(place_b_f64(lane), {t, g})) ++wrong;
    for (int i = 0; i < 2; ++i) {
      if (!same(place_d_f64(lane, i), {g, t * 2 + i})) ++wrong;
    }
  }
  BOOST_TEST(wrong == 0);
}

// The test above can fail: each of these mistakes is one that real programs have made.
BOOST_AUTO_TEST_CASE(wrong_layouts_are_seen) {
  const Shape& s = shapes[3];
  const auto halves_swapped = [&](int lane, int r, int e) {
    return place_a(s.bits, lane, (r & 1) << 1 | r >> 1, e);
  };
  const auto elements_swapped = [&](int lane, int r, int e) { return place_a(s.bits, lane, r, 1 - e); };
  const auto lanes_transposed = [&](int lane, int r, int e) {
    return place_a(s.bits, (lane % 4) * 8 + lane / 4, r, e);
  };
  BOOST_TEST(differences(4, 16, halves_swapped, s.a) != 0);
  BOOST_TEST(differences(4, 16, elements_swapped, s.a) != 0);
  BOOST_TEST(differences(4, 16, lanes_transposed, s.a) != 0);
}

// Every instruction of the list: each element of its tile is in one register of one lane, and no register is left over.
BOOST_AUTO_TEST_CASE(every_instruction_covers_its_tile) {
  int instructions = 0;
  for (int id = 0; id < static_cast<int>(TensorCore::none); ++id) {
    const TensorCoreInstruction& one = instruction_of(static_cast<TensorCore>(id));
    ++instructions;
    if (one.input == assay::formats::float64) {
      std::set<std::pair<int, int>> a, b, d;
      for (int lane = 0; lane < 32; ++lane) {
        a.emplace(place_a_f64(lane).row, place_a_f64(lane).column);
        b.emplace(place_b_f64(lane).row, place_b_f64(lane).column);
        for (int i = 0; i < 2; ++i) d.emplace(place_d_f64(lane, i).row, place_d_f64(lane, i).column);
      }
      BOOST_TEST((a.size() == 32 && b.size() == 32 && d.size() == 64), one.ptx);
      continue;
    }
    const int bits = one.input == assay::formats::tf32 ? 32 : one.input.bits;
    const int warps = one.m / 16, a_registers = one.k * bits / 64;
    std::set<std::pair<int, int>> a, b, d;
    for (int warp = 0; warp < warps; ++warp) {
      for (int lane = 0; lane < 32; ++lane) {
        for (int r = 0; r < a_registers; ++r) {
          for (int e = 0; e < 32 / bits; ++e) {
            const Place pa = place_a(bits, lane, r, e), pb = place_b(bits, lane, r, e);
            a.emplace(16 * warp + pa.row, pa.column);
            if (r < a_registers / 2) b.emplace(pb.row, pb.column);
          }
        }
        for (int i = 0; i < 4; ++i) d.emplace(16 * warp + place_d(lane, i).row, place_d(lane, i).column);
      }
    }
    const auto inside = [](const std::set<std::pair<int, int>>& places, int rows, int columns) {
      if (places.size() != static_cast<std::size_t>(rows * columns)) return false;
      for (const auto& [row, column] : places) {
        if (row < 0 || row >= rows || column < 0 || column >= columns) return false;
      }
      return true;
    };
    BOOST_TEST(inside(a, one.m, one.k), one.ptx << ", A");
    BOOST_TEST(inside(b, one.k, 8), one.ptx << ", B");
    BOOST_TEST(inside(d, one.m, 8), one.ptx << ", D");
  }
  BOOST_TEST(instructions == 21);
}

// K-major without swizzling: 8 x 16-byte core matrices; all bytes of B, each once.
BOOST_AUTO_TEST_CASE(shared_memory_of_wgmma) {
  for (const int bits : {8, 16, 32}) {
    const int k = 256 / bits, bytes = bits / 8;
    std::set<int> seen;
    int wrong = 0;
    for (int column = 0; column < 8; ++column) {
      for (int i = 0; i < k; ++i) {
        const int per_row = 16 / bytes;  // elements of one row of a core matrix
        const int at = shared_byte_b(bits, i, column);
        if (at != (i / per_row) * 128 + column * 16 + (i % per_row) * bytes) ++wrong;
        for (int byte = 0; byte < bytes; ++byte) seen.insert(at + byte);
      }
    }
    BOOST_TEST(wrong == 0, bits << " bits");
    BOOST_TEST((seen.size() == 256 && *seen.begin() == 0 && *seen.rbegin() == 255), bits << " bits");
  }
}
