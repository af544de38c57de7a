#include "validation/compare/vacuity.hpp"

#include <algorithm>
#include <cstddef>

namespace assay::compare {
namespace {

constexpr std::size_t most_visited = std::size_t{1} << 22;

// `code_of(i)`: what stands at i in the wrong output. Ends at the first value that is rejected, mostly at
// once.
template <class CodeOf>
bool all_accepted(const Pairs& pairs, const CodeOf& code_of) {
  const std::size_t step = std::max<std::size_t>(1, pairs.size() / most_visited);
  for (std::size_t i = 0; i < pairs.size(); i += step) {
    if (!pairs.accepts(code_of(i), i)) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> weaknesses(const Pairs& pairs, const CodeAt& stale) {
  const std::size_t n = pairs.size();
  std::vector<std::string> found;
  const auto note = [&](const std::string& what) {
    found.push_back(what + " would pass too" +
                    (n > most_visited ? " (looked at in " + std::to_string(most_visited) + " places)" : ""));
  };
  if (n >= 2) {
    if (all_accepted(pairs, [&](std::size_t i) { return pairs.want_code(n - 1 - i); }))
      note("a reversed output");
    if (all_accepted(pairs, [&](std::size_t i) { return pairs.want_code(i + 1 < n ? i + 1 : 0); })) {
      note("an output rotated by one");
    }
  }
  const MatrixView view = pairs.view();
  if (view.rows > 1 && view.cols > 1) {
    // Of matrices that are not square: the same memory written column by column.
    const auto transposed = [&](std::size_t i) {
      const std::size_t matrix = view.rows * view.cols, within = i % matrix;
      return pairs.want_code(i - within + within % view.rows * view.cols + within / view.rows);
    };
    if (all_accepted(pairs, transposed)) note("a transposed output");
  }
  if (stale && n > 0 && all_accepted(pairs, [&](std::size_t i) { return stale(i); })) {
    note("what the memory held before");
  }
  return found;
}

}  // namespace assay::compare
