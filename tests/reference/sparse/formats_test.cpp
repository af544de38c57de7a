#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/storage.hpp"
#include "reference/sparse/bitmap.hpp"
#include "reference/sparse/bsr.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/ell.hpp"
#include "reference/sparse/sparse_formats.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;

constexpr std::int64_t over_32_bits = (std::int64_t{1} << 31) + 8;

Csr<float> random_csr(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed) {
  const CounterRandom random(seed);
  Csr<float> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    for (std::int32_t j = 0; j < cols; ++j) {
      // Row 1 is full and row 2 empty, where they exist.
      if (i != 1 && (i == 2 || random.uniform(n++) >= density)) continue;
      a.structure.column_indices.push_back(j);
      a.values.push_back(static_cast<float>(random.normal(n++)));
    }
    a.structure.end_row();
  }
  return a;
}

struct Shape {
  std::int32_t rows, cols;
  double density;
};
const Shape shapes[] = {{0, 0, 0}, {0, 5, 0.5}, {5, 0, 0.5},   {1, 1, 1},   {1, 1, 0},     {3, 7, 0.5},
                        {7, 3, 1}, {5, 5, 0},   {31, 33, 0.1}, {64, 64, 1}, {97, 101, 0.3}};

// The sentence of the ContractError; "no error" without one.
std::string contract_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const ContractError& e) {
    return e.what();
  }
  return "no error";
}
bool throws_contract_error(const std::function<void()>& f) { return contract_error(f) != "no error"; }

BOOST_AUTO_TEST_CASE(round_trip_keeps_everything) {
  int wrong = 0;
  for (const Shape& s : shapes) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Csr<float> a = random_csr(s.rows, s.cols, s.density, seed);
      check(a);
      const std::int64_t longest = longest_row(a.structure);
      for (const std::int64_t width : {longest, longest + 1, longest + 8}) {
        const Ell<float> e = ell_from_csr(a, width);
        check(e);
        wrong += csr_from_ell(e) == a && e.nnz() == a.nnz() ? 0 : 1;
        // The structure alone makes the same journey.
        wrong += csr_from_ell(ell_from_csr(a.structure.view(), width)) == a.structure ? 0 : 1;
      }
    }
  }
  BOOST_TEST(wrong == 0);
}

// `a` without the entries that `kept` lacks; they must be +0.
Csr<float> without_filled(const Csr<float>& a, const CsrStructure& kept) {
  Csr<float> out;
  out.structure.rows = a.rows();
  out.structure.cols = a.cols();
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    const auto columns = a.row_columns(i);
    const auto values = a.row_values(i);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      if (std::ranges::binary_search(kept.row_columns(i), columns[e])) {
        out.structure.column_indices.push_back(columns[e]);
        out.values.push_back(values[e]);
      } else {
        BOOST_TEST((values[e] == 0 && !std::signbit(values[e])));
      }
    }
    out.structure.end_row();
  }
  return out;
}

BOOST_AUTO_TEST_CASE(every_listed_format_gives_back_what_it_was_given) {
  BOOST_TEST(all_sparse_formats().size() >= 2U);
  for (const SparseFormat& format : all_sparse_formats()) {
    int wrong = 0;
    for (const Shape& s : shapes) {
      const Csr<float> a = random_csr(s.rows, s.cols, s.density, 11);
      wrong += without_filled(format.through(a), a.structure) == a ? 0 : 1;
    }
    BOOST_TEST(wrong == 0, format.name);
    BOOST_TEST(!format.text.empty());
  }
  const Csr<float> a = random_csr(3, 7, 0.5, 1);  // its row 1 is full
  BOOST_TEST(csr_index_bytes(a.structure) == 4 * 8 + static_cast<std::uint64_t>(a.nnz()) * 4);
  BOOST_TEST(ell_index_bytes(a.structure) == 3U * 7 * 4);
  BOOST_TEST(bsr_index_bytes(a.structure) == 2U * 8 + 2 * 4);
  BOOST_TEST(bitmap_index_bytes(a.structure) == 4U * 8 + 3 * 8);
}

// Any type of values takes any structure. Special values, by their bits.
template <class T>
bool round_trips(const std::vector<T>& values) {
  const CsrStructure structure{3, 4, {0, 2, 2, 5}, {1, 3, 0, 2, 3}};
  const Csr<T> a{structure, values};
  check(a);
  const Csr<T> back = csr_from_ell(ell_from_csr(a, 4)), twice = transpose(transpose(a));
  const std::size_t bytes = values.size() * sizeof(T);
  return back.structure == structure && twice.structure == structure &&
         std::memcmp(back.values.data(), values.data(), bytes) == 0 &&
         std::memcmp(twice.values.data(), values.data(), bytes) == 0;
}

BOOST_AUTO_TEST_CASE(values_of_any_type) {
  const float inf = std::numeric_limits<float>::infinity();
  BOOST_TEST(round_trips<float>({-0.0F, 0.0F, inf, std::numeric_limits<float>::quiet_NaN(), 1e-45F}));
  BOOST_TEST(round_trips<double>({-0.0, 0.0, 1, 5e-324, std::numeric_limits<double>::quiet_NaN()}));
  BOOST_TEST(round_trips<std::int8_t>({-128, 0, 1, 2, 127}));
  BOOST_TEST(round_trips<std::int64_t>({std::numeric_limits<std::int64_t>::min(), 0, 1, 2, 3}));
  const auto bf16 = [](std::uint16_t code) { return bf16_t::from_code(code); };
  const std::vector<bf16_t> codes{bf16(0x8000), bf16(0), bf16(0x7F81), bf16(0x3F80), bf16(1)};
  BOOST_TEST(round_trips<bf16_t>(codes));
  const auto f4 = [](std::uint8_t code) { return f4_e2m1_t::from_code(code); };
  BOOST_TEST(round_trips<f4_e2m1_t>({f4(0), f4(8), f4(15), f4(1), f4(7)}));

  const Csr<bf16_t> a{{1, 8, {0, 5}, {0, 1, 2, 3, 4}}, codes};
  const auto view = code_view(a);
  BOOST_TEST((view.values.format == formats::bfloat16));
  BOOST_TEST(view.values.size == 5U);
  BOOST_TEST(view.values.code(2) == 0x7F81U);
  BOOST_TEST(view.structure.row_columns(0).size() == 5U);
}

BOOST_AUTO_TEST_CASE(transpose_is_the_definition_and_its_own_inverse) {
  int wrong = 0;
  for (const Shape& s : shapes) {
    const Csr<float> a = random_csr(s.rows, s.cols, s.density, 7);
    const Csr<float> t = transpose(a);
    check(t);
    std::vector<float> dense(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.cols), NAN),
        back = dense;
    const auto at = [&](std::int64_t i, std::int64_t j) {
      return static_cast<std::size_t>(i) * static_cast<std::size_t>(s.cols) + static_cast<std::size_t>(j);
    };
    for (std::int64_t i = 0; i < a.rows(); ++i) {
      for (std::size_t e = 0; e < a.row_columns(i).size(); ++e)
        dense[at(i, a.row_columns(i)[e])] = a.row_values(i)[e];
    }
    for (std::int64_t j = 0; j < t.rows(); ++j) {
      for (std::size_t e = 0; e < t.row_columns(j).size(); ++e)
        back[at(t.row_columns(j)[e], j)] = t.row_values(j)[e];
    }
    for (std::size_t k = 0; k < dense.size(); ++k) {
      wrong += dense[k] == back[k] || (std::isnan(dense[k]) && std::isnan(back[k])) ? 0 : 1;
    }
    wrong += transpose(t) == a ? 0 : 1;
  }
  BOOST_TEST(wrong == 0);
}

// Repeated and unsorted columns are kept in stored order, and so come back in the order of their rows.
BOOST_AUTO_TEST_CASE(entries_of_a_row_keep_the_order_in_which_they_come) {
  const std::int64_t rows[] = {2, 0, 2, 2, 0}, columns[] = {3, 1, 0, 3, 1};
  std::vector<std::size_t> sources(5);
  const CsrStructure a = csr_from_entries(
      4, 4,
      [&](const auto& f) {
        for (std::size_t e = 0; e < 5; ++e) f(rows[e], columns[e], e);
      },
      [&](std::size_t to, std::size_t from) { sources[to] = from; });
  BOOST_TEST((a == CsrStructure{4, 4, {0, 2, 2, 5, 5}, {1, 1, 3, 0, 3}}));
  BOOST_TEST((sources == std::vector<std::size_t>{1, 4, 0, 2, 3}));
  check(a, ColumnOrder::stored);
  BOOST_TEST(throws_contract_error([&] { check(a.view()); }));
  const Csr<float> numbered{a, {0, 1, 2, 3, 4}};
  const Csr<float> t = transpose(numbered);
  BOOST_TEST((t.structure == CsrStructure{4, 4, {0, 1, 3, 3, 5}, {2, 0, 0, 2, 2}}));
  BOOST_TEST((t.values == std::vector<float>{3, 0, 1, 2, 4}));
}

struct CsrFault {
  std::string name;
  std::function<void(Csr<float>&)> plant;
  std::string said;
};

BOOST_AUTO_TEST_CASE(check_finds_every_fault_of_csr) {
  const Csr<float> good = random_csr(6, 9, 0.5, 3);
  const auto row_one = [](Csr<float>& a) {
    return a.structure.column_indices.data() + a.structure.row_offsets[1];
  };
  const std::vector<CsrFault> faults = {
      {"rows negative", [](Csr<float>& a) { a.structure.rows = -1; }, "shape -1 x 9 is negative"},
      {"cols negative", [](Csr<float>& a) { a.structure.cols = -1; }, "shape 6 x -1 is negative"},
      {"an offset short", [](Csr<float>& a) { a.structure.row_offsets.pop_back(); },
       "6 row offsets for 6 rows"},
      {"an offset more",
       [](Csr<float>& a) { a.structure.row_offsets.push_back(a.structure.row_offsets.back()); },
       "8 row offsets for 6 rows"},
      {"no offsets", [](Csr<float>& a) { a.structure.row_offsets.clear(); }, "0 row offsets for 6 rows"},
      {"first offset", [](Csr<float>& a) { a.structure.row_offsets[0] = 1; },
       "the first row offset is 1, not 0"},
      {"falling offsets", [](Csr<float>& a) { a.structure.row_offsets[1] = a.structure.row_offsets[2] + 1; },
       "row 1 ends at "},
      {"negative offset", [](Csr<float>& a) { a.structure.row_offsets[1] = -1; }, "row 0 ends at -1, before"},
      {"offset behind the end", [](Csr<float>& a) { a.structure.row_offsets.back() += 1; },
       "the last row offset is "},
      {"offset far behind the end", [](Csr<float>& a) { a.structure.row_offsets.back() = over_32_bits; },
       "the last row offset is 2147483656"},
      {"a value short", [](Csr<float>& a) { a.values.pop_back(); }, " column indices"},
      {"column too large",
       [](Csr<float>& a) { a.structure.column_indices.back() = static_cast<std::int32_t>(a.cols()); },
       "row 5 has column 9 outside 0..8"},
      {"column negative", [](Csr<float>& a) { a.structure.column_indices[0] = -1; },
       "row 0 has column -1 outside 0..8"},
      {"column twice", [&](Csr<float>& a) { row_one(a)[1] = row_one(a)[0]; }, "row 1 has column 0 after 0"},
      {"columns not ascending", [&](Csr<float>& a) { std::swap(row_one(a)[0], row_one(a)[1]); },
       "row 1 has column 0 after 1"},
  };
  for (const auto& [name, plant, said] : faults) {
    Csr<float> bad = good;
    plant(bad);
    const std::string found = contract_error([&] { check(bad); });
    BOOST_TEST(found.find(said) != std::string::npos, name << ": " << found);
  }
}

BOOST_AUTO_TEST_CASE(a_defect_says_where_it_is) {
  CsrStructure a{3, 4, {0, 2, 2, 4}, {0, 3, 1, 9}};
  const auto found = first_defect(a);
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST((found->kind == CsrDefect::Kind::column_range));
  BOOST_TEST(found->row == 2);
  BOOST_TEST(found->entry == 3);
  BOOST_TEST(found->found == 9);
  BOOST_TEST(found->limit == 4);
  a.column_indices = {3, 0, 1, 1};
  BOOST_TEST((first_defect(a)->kind == CsrDefect::Kind::column_order));
  BOOST_TEST(!first_defect(a, ColumnOrder::stored).has_value());
}

BOOST_AUTO_TEST_CASE(check_finds_every_fault_of_ell) {
  const Csr<float> source = random_csr(6, 9, 0.5, 3);
  const Ell<float> good = ell_from_csr(source, 10);
  struct Fault {
    std::string name;
    std::function<void(Ell<float>&)> plant;
    std::string said;
  };
  const std::vector<Fault> faults = {
      {"rows negative", [](Ell<float>& a) { a.structure.rows = -1; }, "shape -1 x 9, width 10 is negative"},
      {"width negative", [](Ell<float>& a) { a.structure.width = -1; }, "width -1 is negative"},
      {"an index short", [](Ell<float>& a) { a.structure.column_indices.pop_back(); }, "59 column indices"},
      {"a value more", [](Ell<float>& a) { a.values.push_back(0); }, "61 values"},
      {"more slots than 64 bits count", [](Ell<float>& a) { a.structure.width = std::int64_t{1} << 62; },
       "6 rows of 4611686018427387904 entries are more than 64 bits count"},
      {"entry after padding",
       [](Ell<float>& a) {
         a.structure.column_indices[9] = 8;
         a.structure.column_indices[8] = EllView::padding;
       },
       "row 0 has column 8 after padding"},
      {"column too large", [](Ell<float>& a) { a.structure.column_indices[10] = 9; }, "outside 0..8"},
      {"column below padding", [](Ell<float>& a) { a.structure.column_indices[10] = -2; },
       "row 1 has column -2 outside 0..8"},
      {"column twice", [](Ell<float>& a) { a.structure.column_indices[11] = a.structure.column_indices[10]; },
       "row 1 has column 0 after 0"},
  };
  for (const auto& [name, plant, said] : faults) {
    Ell<float> bad = good;
    plant(bad);
    const std::string found = contract_error([&] { check(bad); });
    BOOST_TEST(found.find(said) != std::string::npos, name << ": " << found);
  }
  BOOST_TEST(throws_contract_error([&] { ell_from_csr(source, longest_row(source.structure) - 1); }),
             "a row that does not fit");
}

BOOST_AUTO_TEST_CASE(blocks_of_any_size_hold_every_entry_in_its_place) {
  int wrong = 0;
  for (const Shape& s : shapes) {
    const Csr<float> a = random_csr(s.rows, s.cols, s.density, 3);
    for (const auto& [height, width] : {std::pair{1, 1}, {4, 4}, {5, 3}, {16, 1}, {64, 64}}) {
      const Bsr<float> b = bsr_from_csr(a, height, width);
      check(b);
      for (std::int64_t row = 0; row < b.structure.view().block_rows(); ++row) {
        for (const std::int32_t column : b.structure.view().block_row_columns(row)) {
          // No block without an entry.
          bool empty = true;
          for (std::int64_t i = row * height; i < std::min<std::int64_t>(s.rows, (row + 1) * height); ++i) {
            for (const std::int32_t at : a.row_columns(i)) empty = empty && at / width != column;
          }
          wrong += empty ? 1 : 0;
        }
      }
      const Csr<float> back = csr_from_bsr(b);
      wrong += without_filled(back, a.structure) == a ? 0 : 1;
      wrong += filled_entries(a.structure, b.structure) == back.nnz() - a.nnz() ? 0 : 1;
      wrong += b.nnz() == back.nnz() ? 0 : 1;
    }
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(faults_of_blocks_are_found) {
  const Bsr<float> good = bsr_from_csr(random_csr(10, 9, 0.4, 5), 4, 2);
  struct Fault {
    const char* name;
    std::function<void(Bsr<float>&)> plant;
    const char* said;
  };
  const Fault faults[] = {
      {"no height", [](Bsr<float>& a) { a.structure.block_height = 0; }, "BSR: blocks of 0 x 2"},
      {"shape", [](Bsr<float>& a) { a.structure.rows = -1; }, "shape -1 x 9 is negative"},
      {"block rows", [](Bsr<float>& a) { a.structure.rows = 13; }, "4 row offsets for 4 rows"},
      {"column", [](Bsr<float>& a) { a.structure.column_indices[0] = 5; }, "column 5 outside 0..4"},
      {"order",
       [](Bsr<float>& a) { std::swap(a.structure.column_indices[0], a.structure.column_indices[1]); },
       "has column 0 after"},
      {"values", [](Bsr<float>& a) { a.values.pop_back(); }, "values for"},
  };
  for (const auto& [name, plant, said] : faults) {
    Bsr<float> bad = good;
    plant(bad);
    const std::string found = contract_error([&] { check(bad); });
    BOOST_TEST(found.find(said) != std::string::npos, name << ": " << found);
  }
  const CsrView empty{};
  BOOST_TEST(throws_contract_error([&] { bsr_from_csr(empty, 0, 4); }));
  BOOST_TEST(throws_contract_error([&] { bsr_from_csr(empty, std::int64_t{1} << 30, 4); }));
}

BOOST_AUTO_TEST_CASE(faults_of_bitmaps_are_found) {
  const Bitmap<float> good = bitmap_from_csr(random_csr(10, 70, 0.4, 5));
  struct Fault {
    const char* name;
    std::function<void(Bitmap<float>&)> plant;
    const char* said;
  };
  const Fault faults[] = {
      {"shape", [](Bitmap<float>& a) { a.structure.cols = -1; }, "is negative"},
      {"offsets", [](Bitmap<float>& a) { a.structure.row_offsets.pop_back(); }, "10 row offsets for 10 rows"},
      {"words", [](Bitmap<float>& a) { a.structure.bits.pop_back(); }, "bitmap: 19 words for 10 rows of 2"},
      {"bit beyond", [](Bitmap<float>& a) { a.structure.bits[1] |= std::uint64_t{1} << 6; },
       "beyond column 69"},
      {"bit more", [](Bitmap<float>& a) { a.structure.bits[4] ^= 1; }, "bits for"},
      {"values", [](Bitmap<float>& a) { a.values.pop_back(); }, "values for"},
  };
  for (const auto& [name, plant, said] : faults) {
    Bitmap<float> bad = good;
    plant(bad);
    const std::string found = contract_error([&] { check(bad); });
    BOOST_TEST(found.find(said) != std::string::npos, name << ": " << found);
  }
}

// Counts of more than 32 bits, by their structure: nothing of that size is allocated.
BOOST_AUTO_TEST_CASE(counts_have_64_bits) {
  const std::vector<std::int64_t> offsets{0, over_32_bits - 1, over_32_bits - 1, over_32_bits};
  const CsrView a{3, 5, offsets, {}};
  BOOST_TEST(a.nnz() == over_32_bits);
  BOOST_TEST(a.row_begin(2) == over_32_bits - 1);
  BOOST_TEST(a.row_length(0) == over_32_bits - 1);
  BOOST_TEST(longest_row(a) == over_32_bits - 1);
  // The offsets pass; what is missing is the indices.
  const auto defect = first_defect(a);
  BOOST_REQUIRE(defect.has_value());
  BOOST_TEST((defect->kind == CsrDefect::Kind::last_offset));
  BOOST_TEST(defect->found == over_32_bits);
  BOOST_TEST(ell_slots(a.rows, longest_row(a)) == 3 * (over_32_bits - 1));
  BOOST_TEST(ell_index_bytes(a) == 12 * static_cast<std::uint64_t>(over_32_bits - 1));
  BOOST_TEST((EllView{1 << 20, 5, 1 << 20, {}}.slots()) == std::int64_t{1} << 40);
  BOOST_TEST(throws_contract_error([] { ell_slots(over_32_bits, std::int64_t{1} << 40); }));
}

BOOST_AUTO_TEST_CASE(narrowing_says_the_value) {
  BOOST_TEST(narrow<std::int32_t>(std::int64_t{2147483647}, "nonzeros") == 2147483647);
  BOOST_TEST(contract_error([] { narrow<std::int32_t>(over_32_bits, "nonzeros"); }) ==
             "nonzeros: 2147483656 is outside -2147483648..2147483647");
  BOOST_TEST(contract_error([] { narrow<std::uint32_t>(-1, "an index"); }) ==
             "an index: -1 is outside 0..4294967295");
  BOOST_TEST(narrow<std::uint8_t>(255U, "a byte") == 255);
  // Rows become columns, and columns have 32 bits.
  BOOST_TEST(contract_error([] {
               check_transposable({over_32_bits, 1, {}, {}});
             }) ==
             "the last row as a column of the transpose: 2147483655 is outside -2147483648..2147483647");
  BOOST_CHECK_NO_THROW(check_transposable({std::int64_t{1} << 31, 1, {}, {}}));
}
}  // namespace
