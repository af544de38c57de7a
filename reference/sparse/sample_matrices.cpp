#include "reference/sparse/sample_matrices.hpp"

#include <array>
#include <limits>
#include <utility>

#include "reference/core/random.hpp"

namespace assay::sparse {
namespace {

constexpr auto all_patterns = std::to_array<SamplePattern>({
    {"density_5", 90, 300},
    {"density_50", 61, 128},
    {"one_dense_row", 40, 500},
    {"one_column", 33, 1},
    {"stored_order", 25, 700},
    {"special_values", 70, 90, true},
    {"blocks_of_8_rows", 64, 120},
    {"density_90", 50, 90},
});

// Does row `row` have an entry where a uniform number is u?
bool is_stored(const SamplePattern& p, std::int64_t row, double u) {
  if (p.name == "one_dense_row") return row == 7;
  if (p.name == "one_column") return true;
  if (p.name == "blocks_of_8_rows") return u < 0.4;
  if (p.name == "density_90") return u < 0.9;
  if (row == 2 || row + 1 == p.rows) return false;  // empty rows everywhere else
  return u < (p.name == "density_50" || p.name == "special_values" ? 0.5 : 0.05);
}

float number(const SamplePattern& p, const CounterRandom& random, std::uint64_t i) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float special[] = {0.0F, -0.0F, inf, -inf, nan, 1e-45F, -2e-39F, 3e38F};
  if (p.wild && random.below(6, 2 * i) == 0) return special[random.below(8, 2 * i + 1)];
  return static_cast<float>(random.bell(i));
}

}  // namespace

std::span<const SamplePattern> sample_patterns() { return all_patterns; }

Csr<float> sample_matrix(const SamplePattern& p, std::uint64_t seed) {
  const CounterRandom place(seed, 1), value(seed, 2), order(seed, 3);
  Csr<float> a;
  a.structure.rows = p.rows;
  a.structure.cols = p.cols;
  std::vector<std::int32_t>& columns = a.structure.column_indices;
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const std::size_t begin = columns.size();
    for (std::int32_t j = 0; j < p.cols; ++j) {
      const std::int64_t row = p.name == "blocks_of_8_rows" ? i / 8 : i;
      if (is_stored(p, i, place.uniform(static_cast<std::uint64_t>(row * p.cols + j)))) columns.push_back(j);
    }
    if (p.name == "stored_order" && columns.size() > begin) {
      for (std::size_t k = columns.size() - 1; k > begin; --k)
        std::swap(columns[k], columns[begin + order.below(k - begin + 1, k)]);
      columns.push_back(columns[begin]);  // a column that repeats is a term of its own
    }
    a.structure.end_row();
  }
  for (std::size_t k = 0; k < columns.size(); ++k) a.values.push_back(number(p, value, k));
  return a;
}

std::vector<float> sample_numbers(const SamplePattern& p, std::size_t count, std::uint64_t seed,
                                  std::uint64_t stream) {
  const CounterRandom random(seed, stream);
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = number(p, random, i);
  return out;
}

}  // namespace assay::sparse
