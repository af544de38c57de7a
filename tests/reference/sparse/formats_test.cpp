#define BOOST_TEST_MODULE sparse_formats
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/ell.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;

Csr random_csr(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed) {
  const CounterRandom random(seed);
  Csr a;
  a.rows = rows;
  a.cols = cols;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    for (std::int32_t j = 0; j < cols; ++j) {
      // Row 1 is full and row 2 empty, where they exist.
      if (i != 1 && (i == 2 || random.uniform(n++) >= density)) continue;
      a.column_indices.push_back(j);
      a.values.push_back(static_cast<float>(random.normal(n++)));
    }
    a.row_offsets.push_back(static_cast<std::int32_t>(a.column_indices.size()));
  }
  return a;
}

struct Shape {
  std::int32_t rows, cols;
  double density;
};
const Shape shapes[] = {{0, 0, 0}, {0, 5, 0.5}, {5, 0, 0.5},   {1, 1, 1},   {1, 1, 0},     {3, 7, 0.5},
                        {7, 3, 1}, {5, 5, 0},   {31, 33, 0.1}, {64, 64, 1}, {97, 101, 0.3}};

bool throws_contract_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const ContractError&) {
    return true;
  }
  return false;
}

BOOST_AUTO_TEST_CASE(round_trip_keeps_everything) {
  int wrong = 0;
  for (const Shape& s : shapes) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Csr a = random_csr(s.rows, s.cols, s.density, seed);
      check(a);
      const std::int32_t longest = longest_row(a);
      for (const std::int32_t width : {longest, longest + 1, longest + 8}) {
        const Ell e = ell_from_csr(a, width);
        check(e);
        wrong += csr_from_ell(e) == a ? 0 : 1;
      }
    }
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(transpose_is_the_definition_and_its_own_inverse) {
  int wrong = 0;
  for (const Shape& s : shapes) {
    const Csr a = random_csr(s.rows, s.cols, s.density, 7);
    const Csr t = transpose(a);
    check(t);
    std::vector<float> dense(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.cols), NAN),
        back = dense;
    const auto at = [&](std::int32_t i, std::int32_t j) {
      return static_cast<std::size_t>(i) * static_cast<std::size_t>(s.cols) + static_cast<std::size_t>(j);
    };
    for (std::int32_t i = 0; i < a.rows; ++i) {
      for (std::size_t e = 0; e < a.row_columns(i).size(); ++e)
        dense[at(i, a.row_columns(i)[e])] = a.row_values(i)[e];
    }
    for (std::int32_t j = 0; j < t.rows; ++j) {
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

BOOST_AUTO_TEST_CASE(check_finds_every_fault_of_csr) {
  const Csr good = random_csr(6, 9, 0.5, 3);
  const std::vector<std::pair<std::string, std::function<void(Csr&)>>> faults = {
      {"rows negative", [](Csr& a) { a.rows = -1; }},
      {"cols negative", [](Csr& a) { a.cols = -1; }},
      {"an offset short", [](Csr& a) { a.row_offsets.pop_back(); }},
      {"an offset more", [](Csr& a) { a.row_offsets.push_back(a.row_offsets.back()); }},
      {"no offsets", [](Csr& a) { a.row_offsets.clear(); }},
      {"first offset", [](Csr& a) { a.row_offsets[0] = 1; }},
      {"falling offsets", [](Csr& a) { a.row_offsets[1] = a.row_offsets[2] + 1; }},
      {"negative offset", [](Csr& a) { a.row_offsets[1] = -1; }},
      {"offset behind the end", [](Csr& a) { a.row_offsets.back() += 1; }},
      {"a value short", [](Csr& a) { a.values.pop_back(); }},
      {"column too large", [](Csr& a) { a.column_indices.back() = a.cols; }},
      {"column negative", [](Csr& a) { a.column_indices[0] = -1; }},
      {"column twice",
       [](Csr& a) {
         a.column_indices[static_cast<std::size_t>(a.row_offsets[1]) + 1] =
             a.column_indices[static_cast<std::size_t>(a.row_offsets[1])];
       }},
      {"columns not ascending",
       [](Csr& a) {
         std::swap(a.column_indices[static_cast<std::size_t>(a.row_offsets[1])],
                   a.column_indices[static_cast<std::size_t>(a.row_offsets[1]) + 1]);
       }},
  };
  for (const auto& [name, plant] : faults) {
    Csr bad = good;
    plant(bad);
    BOOST_TEST(throws_contract_error([&] { check(bad); }), name);
  }
}

BOOST_AUTO_TEST_CASE(check_finds_every_fault_of_ell) {
  const Csr source = random_csr(6, 9, 0.5, 3);
  const Ell good = ell_from_csr(source, 10);
  const std::vector<std::pair<std::string, std::function<void(Ell&)>>> faults = {
      {"width negative", [](Ell& a) { a.width = -1; }},
      {"an index short", [](Ell& a) { a.column_indices.pop_back(); }},
      {"a value more", [](Ell& a) { a.values.push_back(0); }},
      {"entry after padding",
       [](Ell& a) {
         a.column_indices[9] = 8;
         a.column_indices[8] = Ell::padding;
       }},
      {"column too large", [](Ell& a) { a.column_indices[10] = 9; }},
      {"column below padding", [](Ell& a) { a.column_indices[10] = -2; }},
      {"column twice", [](Ell& a) { a.column_indices[11] = a.column_indices[10]; }},
  };
  for (const auto& [name, plant] : faults) {
    Ell bad = good;
    plant(bad);
    BOOST_TEST(throws_contract_error([&] { check(bad); }), name);
  }
  BOOST_TEST(throws_contract_error([&] { ell_from_csr(source, longest_row(source) - 1); }),
             "a row that does not fit");
}
}  // namespace
