#include "validation/compare/where.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "validation/compare/hints.hpp"

namespace assay::compare {
namespace {

constexpr auto tile_sizes = std::to_array<std::size_t>({128, 64, 32, 16, 8});
constexpr auto periods = std::to_array<std::size_t>({2, 4, 8, 16, 32, 64, 128});  // of lanes
// A place that may explain the values outside.
struct Place {
  std::string kind, text;
  std::uint64_t hits = 0;  // values outside that lie there
  double area = 0;         // values that lie there
  double weight = 1;       // below 1 for a place with more ends to choose, which fits by chance
  double choices = 1;      // places of its kind and no larger: one of them holds much by chance
};

// Are the ends of a place known to a position? Values outside fill it, or there are several at each position along it.
bool is_sharp(std::uint64_t hits, std::size_t positions, double area) {
  constexpr std::uint64_t several = 4;
  return hits >= several * positions || 4 * static_cast<double>(hits) >= 3 * area;
}

// By how many bits a place that holds `share` of `outside` values, and `fraction` of all values, is denser than chance
// makes one (the large deviations of a binomial distribution).
double evidence(std::uint64_t outside, double share, double fraction) {
  const auto term = [](double x, double y) { return x == 0 ? 0 : x * std::log2(x / y); };
  if (fraction >= 1) return 0;
  return static_cast<double>(outside) * (term(share, fraction) + term(1 - share, 1 - fraction));
}

// Rows or columns, with the words for them.
struct Axis {
  const std::vector<std::uint32_t>& counts;  // values outside by position
  std::size_t length;
  std::string_view one, many, size_name;  // "column", "columns", "n"
  double cross_section;                   // values at one position

  std::uint64_t hits(std::size_t begin, std::size_t end) const {
    return std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(begin),
                           counts.begin() + static_cast<std::ptrdiff_t>(end), std::uint64_t{0});
  }
};

// Positions [begin, end) of an axis: as "column 32 = last of n=33: tail of a 32-wide tile?".
Place range_place(const Axis& axis, std::size_t begin, std::size_t end) {
  const std::size_t width = end - begin;
  Place place{.kind = std::string(width == 1 ? axis.one : axis.many),
              .text = width == 1 ? fmt::format("in {} {}", axis.one, begin)
                                 : fmt::format("in {} {}..{}", axis.many, begin, end - 1),
              .hits = axis.hits(begin, end),
              .area = static_cast<double>(width) * axis.cross_section,
              .choices = static_cast<double>(axis.length) * static_cast<double>(width)};
  const bool sharp = is_sharp(place.hits, width, place.area);
  if (end == axis.length) {
    place.text += width == 1 ? fmt::format(" = last of {}={}", axis.size_name, axis.length)
                             : fmt::format(" = last {} of {}={}", width, axis.size_name, axis.length);
    for (const std::size_t tile : tile_sizes) {
      if (!sharp || axis.length <= tile || axis.length % tile != width) continue;
      place.kind = "tail";
      place.text += fmt::format(": tail of a {}-wide tile?", tile);
      break;
    }
  } else if (sharp && std::find(tile_sizes.begin(), tile_sizes.end(), width) != tile_sizes.end() &&
             begin % width == 0) {
    place.text += fmt::format(" = one {}-wide tile", width);
  }
  return place;
}

void add_ranges(std::vector<Place>& places, const Axis& axis) {
  if (axis.counts.empty() || axis.length < 2) return;
  for (const std::size_t tile : tile_sizes) {
    const std::size_t tail = axis.length % tile;
    if (axis.length > tile && tail != 0) places.push_back(range_place(axis, axis.length - tail, axis.length));
  }
  const auto fullest = static_cast<std::size_t>(std::max_element(axis.counts.begin(), axis.counts.end()) -
                                                axis.counts.begin());
  places.push_back(range_place(axis, fullest, fullest + 1));
  const auto touched = [](std::uint32_t c) { return c != 0; };
  const auto first = static_cast<std::size_t>(std::find_if(axis.counts.begin(), axis.counts.end(), touched) -
                                              axis.counts.begin());
  const auto behind =
      axis.length - static_cast<std::size_t>(std::find_if(axis.counts.rbegin(), axis.counts.rend(), touched) -
                                             axis.counts.rbegin());
  places.push_back(range_place(axis, first, behind));
  for (const std::size_t tile : tile_sizes) {
    if (axis.length <= tile) continue;
    const std::size_t begin = fullest / tile * tile;
    places.push_back(range_place(axis, begin, std::min(begin + tile, axis.length)));
  }
  for (const std::size_t period : periods) {
    if (axis.length < 2 * period) break;
    std::vector<std::uint64_t> lanes(period);
    for (std::size_t i = 0; i < axis.length; ++i) lanes[i % period] += axis.counts[i];
    const auto lane = static_cast<std::size_t>(std::max_element(lanes.begin(), lanes.end()) - lanes.begin());
    places.push_back({"lane", fmt::format("in {} {} mod {}", axis.many, lane, period), lanes[lane],
                      static_cast<double>((axis.length - lane + period - 1) / period) * axis.cross_section, 1,
                      static_cast<double>(2 * period)});
  }
}

std::string range_text(std::size_t begin, std::size_t end) { return fmt::format("{}..{}", begin, end - 1); }

class Locator {
 public:
  Locator(const Pairs& pairs, const Comparison& counts, const PlaceTally& tally, const Surroundings& around)
      : p_(pairs), counts_(counts), t_(tally), around_(around), view_(pairs.view()), bad_(counts.outside) {}

  Where where() const {
    Where w;
    const Place place = best_place();
    w.kind = place.kind;
    w.hits = place.hits;
    w.text = fmt::format("{} of {} {}", place.hits, bad_, place.text);
    if (around_.entry_of) w.text += entries_text();
    w.looks_like = hints(p_, t_, around_.stale);
    for (const std::string& look : w.looks_like) w.text += "; " + look;
    return w;
  }

 private:
  struct Position {
    std::size_t batch, row, col;
  };
  Position position(std::size_t i) const {
    const std::size_t line = i / view_.cols;
    return {line / view_.rows, line % view_.rows, i % view_.cols};
  }

  // --- places ----------------------------------------------------------------------------------------------

  Place best_place() const {
    if (bad_ == 1) return {"element", "at " + index_text(t_.sample().front(), counts_.shape), 1, 1};
    std::vector<Place> places;
    const auto values = static_cast<double>(counts_.values);
    const bool matrix = view_.rows > 1;
    add_ranges(places, {t_.cols(), view_.cols, matrix ? "column" : "element", matrix ? "columns" : "elements",
                        "n", values / static_cast<double>(view_.cols)});
    if (matrix)
      add_ranges(places,
                 {t_.rows(), view_.rows, "row", "rows", "m", values / static_cast<double>(view_.rows)});
    if (matrix && view_.cols > 1) {
      add_tiles(places);
      add_block(places);
      add_diagonals(places);
    }
    if (view_.batches > 1 && !t_.batches().empty()) {
      const auto at = std::max_element(t_.batches().begin(), t_.batches().end());
      places.push_back({"batch", fmt::format("in batch {} of {}", at - t_.batches().begin(), view_.batches),
                        *at, values / static_cast<double>(view_.batches), 1,
                        static_cast<double>(view_.batches)});
    }
    // How full the place is, less what lies elsewhere: a tenth elsewhere weighs as much as half of the place
    // being empty.
    const Place* best = nullptr;
    double best_score = 0;
    for (const Place& place : places) {
      const auto hits = static_cast<double>(place.hits);
      const double share = hits / static_cast<double>(bad_),
                   score = place.weight * hits / place.area * std::pow(share, 7);
      if (share < 0.9 || share < 1.5 * place.area / values || score <= best_score) continue;
      constexpr double enough_bits = 10;
      if (evidence(bad_, share, place.area / values) < enough_bits + std::log2(place.choices)) continue;
      best = &place;
      best_score = score;
    }
    if (best != nullptr) return *best;
    return {"everywhere", spread_text(), bad_, values};
  }

  void add_tiles(std::vector<Place>& places) const {
    const auto matrix = static_cast<double>(view_.rows * view_.cols);
    for (const std::size_t tile : tile_sizes) {
      if (view_.rows <= tile && view_.cols <= tile) continue;
      std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> counts;
      for (const std::size_t i : t_.sample()) {
        const Position at = position(i);
        ++counts[{at.row / tile, at.col / tile}];
      }
      const auto fullest = std::max_element(counts.begin(), counts.end(),
                                            [](const auto& x, const auto& y) { return x.second < y.second; });
      const auto [row, col] = fullest->first;
      const std::size_t row_end = std::min((row + 1) * tile, view_.rows),
                        col_end = std::min((col + 1) * tile, view_.cols);
      // The sample is the beginning of what is outside: where it is not all, the whole cannot lie in one tile
      // of it.
      if (t_.sample().size() < bad_ && view_.batches == 1) continue;
      places.push_back({"tile",
                        fmt::format("in the {0}x{0} tile of rows {1}, columns {2}", tile,
                                    range_text(row * tile, row_end), range_text(col * tile, col_end)),
                        fullest->second,
                        static_cast<double>((row_end - row * tile) * (col_end - col * tile) * view_.batches),
                        1, static_cast<double>(counts.size()) + matrix / static_cast<double>(tile * tile)});
    }
  }

  // Values with column - row from `low` to `high`.
  double band_area(std::ptrdiff_t low, std::ptrdiff_t high) const {
    const auto rows = static_cast<std::ptrdiff_t>(view_.rows), cols = static_cast<std::ptrdiff_t>(view_.cols);
    std::ptrdiff_t area = 0;
    for (std::ptrdiff_t row = 0; row < rows; ++row) {
      const std::ptrdiff_t first = std::max<std::ptrdiff_t>(row + low, 0),
                           last = std::min(row + high, cols - 1);
      area += std::max<std::ptrdiff_t>(last - first + 1, 0);
    }
    return static_cast<double>(area) * static_cast<double>(view_.batches);
  }

  // Bands of diagonals and what lies on one side of the diagonal, told by column - row; and antidiagonals.
  void add_diagonals(std::vector<Place>& places) const {
    if (t_.sample().size() < bad_) return;  // the sample is the beginning alone
    std::map<std::ptrdiff_t, std::uint64_t> counts, anti;
    for (const std::size_t i : t_.sample()) {
      const Position at = position(i);
      ++counts[static_cast<std::ptrdiff_t>(at.col) - static_cast<std::ptrdiff_t>(at.row)];
      ++anti[static_cast<std::ptrdiff_t>(at.col + at.row)];
    }
    const auto lowest = -static_cast<std::ptrdiff_t>(view_.rows),
               highest = static_cast<std::ptrdiff_t>(view_.cols);
    const auto add = [&](std::ptrdiff_t low, std::ptrdiff_t high, std::string kind, std::string text,
                         double choices) {
      std::uint64_t hits = 0;
      for (auto at = counts.lower_bound(low); at != counts.end() && at->first <= high; ++at)
        hits += at->second;
      places.push_back({std::move(kind), std::move(text), hits, band_area(low, high), 0.9, choices});
    };
    const auto fuller = [](const auto& x, const auto& y) { return x.second < y.second; };
    const auto diagonals = static_cast<double>(view_.rows + view_.cols);
    const std::ptrdiff_t fullest = std::max_element(counts.begin(), counts.end(), fuller)->first;
    add(fullest, fullest, "diagonal",
        fullest == 0
            ? "on the diagonal"
            : fmt::format("on the diagonal column = row {} {}", fullest < 0 ? '-' : '+', std::abs(fullest)),
        diagonals);
    constexpr double sides = 4;
    add(1, highest, "triangle", "above the diagonal", sides);
    add(0, highest, "triangle", "on and above the diagonal", sides);
    add(lowest, -1, "triangle", "below the diagonal", sides);
    add(lowest, 0, "triangle", "on and below the diagonal", sides);
    const std::ptrdiff_t first = counts.begin()->first, last = counts.rbegin()->first;
    if (first != last && 2 * static_cast<double>(bad_) >= band_area(first, last)) {
      add(first, last, "diagonals", fmt::format("on the diagonals column - row = {}..{}", first, last),
          diagonals * static_cast<double>(last - first));
    }
    const auto across = std::max_element(anti.begin(), anti.end(), fuller);
    const std::ptrdiff_t sum = across->first;
    const std::ptrdiff_t length = std::min({sum, highest - 1, -lowest - 1, highest - lowest - 2 - sum}) + 1;
    places.push_back({"diagonal", fmt::format("on the antidiagonal row + column = {}", sum), across->second,
                      static_cast<double>(length) * static_cast<double>(view_.batches), 0.9, diagonals});
  }

  // The positions that count: from the first to the last with at least a quarter of the fullest one's values, so that a
  // stray value does not stretch the range.
  static std::pair<std::size_t, std::size_t> core(const std::vector<std::uint32_t>& counts) {
    const std::uint32_t most = *std::max_element(counts.begin(), counts.end());
    const auto counted = [most](std::uint32_t c) { return std::uint64_t{4} * c >= most; };
    const auto first = std::find_if(counts.begin(), counts.end(), counted) - counts.begin();
    const auto behind = counts.rend() - std::find_if(counts.rbegin(), counts.rend(), counted);
    return {static_cast<std::size_t>(first), static_cast<std::size_t>(behind)};
  }

  // A rectangle of any size at any place: what a kernel's own tile, or a part of one, leaves behind.
  void add_block(std::vector<Place>& places) const {
    if (t_.rows().empty() || t_.cols().empty()) return;
    const auto [top, bottom] = core(t_.rows());
    const auto [left, right] = core(t_.cols());
    const std::size_t height = bottom - top, width = right - left;
    // A whole row or column, or several, is named by the ranges of one axis.
    if (height == view_.rows || width == view_.cols) return;
    const auto inside = [&, top = top, bottom = bottom, left = left, right = right](std::size_t i) {
      const Position at = position(i);
      return at.row >= top && at.row < bottom && at.col >= left && at.col < right;
    };
    // The sample may be the beginning alone; then what the other rows and columns hold is taken off.
    const auto outside = [](const std::vector<std::uint32_t>& counts, std::size_t begin, std::size_t end) {
      const auto at = [&](std::size_t i) { return counts.begin() + static_cast<std::ptrdiff_t>(i); };
      return std::accumulate(counts.begin(), at(begin), std::uint64_t{0}) +
             std::accumulate(at(end), counts.end(), std::uint64_t{0});
    };
    const std::uint64_t elsewhere = outside(t_.rows(), top, bottom) + outside(t_.cols(), left, right);
    const std::uint64_t hits =
        t_.sample().size() == bad_
            ? static_cast<std::uint64_t>(std::count_if(t_.sample().begin(), t_.sample().end(), inside))
            : bad_ - std::min(bad_, elsewhere);
    const auto touched = [](std::uint32_t c) { return c != 0; };
    const bool one_batch = view_.batches > 1 && !t_.batches().empty() &&
                           std::count_if(t_.batches().begin(), t_.batches().end(), touched) == 1;
    const std::size_t batches = one_batch ? 1 : view_.batches;
    Place place{
        .kind = "block",
        .text = fmt::format("in {}, {}", positions_text("row", top, bottom),
                            positions_text("column", left, right)),
        .hits = hits,
        .area = static_cast<double>(height * width) * static_cast<double>(batches),
        .weight = 0.75,
        .choices = static_cast<double>(view_.rows * view_.cols) * static_cast<double>(height * width)};
    // Few values anywhere span some rectangle: one that is mostly empty explains nothing.
    if (static_cast<double>(hits) < place.area / 2) return;
    const auto is_tile = [](std::size_t begin, std::size_t size) {
      return std::find(tile_sizes.begin(), tile_sizes.end(), size) != tile_sizes.end() && begin % size == 0;
    };
    if (is_tile(top, height) && is_tile(left, width))
      place.text += fmt::format(" = one {}x{} tile", height, width);
    if (one_batch) {
      place.text +=
          fmt::format(" of batch {}",
                      std::find_if(t_.batches().begin(), t_.batches().end(), touched) - t_.batches().begin());
    }
    places.push_back(std::move(place));
  }
  static std::string positions_text(std::string_view one, std::size_t begin, std::size_t end) {
    return end - begin == 1 ? fmt::format("{} {}", one, begin)
                            : fmt::format("{}s {}", one, range_text(begin, end));
  }

  std::string spread_text() const {
    const auto touched = [](const std::vector<std::uint32_t>& counts) {
      return std::count_if(counts.begin(), counts.end(), [](std::uint32_t c) { return c != 0; });
    };
    constexpr std::uint64_t few = 4;
    if (bad_ <= few) {
      std::vector<std::string> at;
      for (const std::size_t i : t_.sample()) at.push_back(index_text(i, counts_.shape));
      return fmt::format("in no one place: {}", fmt::join(at, ", "));
    }
    if (t_.cols().empty() || t_.rows().empty()) return "in no one place";
    if (view_.rows == 1) return fmt::format("in no one place, among elements {}", span_text(t_.cols()));
    return fmt::format("in no one place: {} of {} rows, {} of {} columns", touched(t_.rows()), view_.rows,
                       touched(t_.cols()), view_.cols);
  }
  static std::string span_text(const std::vector<std::uint32_t>& counts) {
    const auto touched = [](std::uint32_t c) { return c != 0; };
    const auto first = std::find_if(counts.begin(), counts.end(), touched) - counts.begin();
    const auto last = counts.rend() - std::find_if(counts.rbegin(), counts.rend(), touched) - 1;
    return fmt::format("{}..{}", first, last);
  }

  // Where the values stand in the sparse matrix whose entries they are.
  std::string entries_text() const {
    const auto text = [&](std::size_t i) {
      const auto [row, col] = around_.entry_of(i);
      return fmt::format("row {}, column {}", row, col);
    };
    if (bad_ == 1) return " = " + text(t_.sample().front());
    std::map<std::size_t, std::size_t> rows, cols;
    for (const std::size_t i : t_.sample()) {
      const auto [row, col] = around_.entry_of(i);
      ++rows[row];
      ++cols[col];
    }
    const auto fullest = [](const std::map<std::size_t, std::size_t>& counts) {
      return *std::max_element(counts.begin(), counts.end(),
                               [](const auto& x, const auto& y) { return x.second < y.second; });
    };
    const std::size_t seen = t_.sample().size();
    for (const auto& [one, counts] : {std::pair("row", &rows), std::pair("column", &cols)}) {
      const auto [at, hits] = fullest(*counts);
      if (10 * hits >= 9 * seen)
        return fmt::format("; {} of {} in {} {} of the sparse matrix", hits, seen, one, at);
    }
    return fmt::format("; from {} to {} of the sparse matrix", text(t_.sample().front()),
                       text(t_.sample().back()));
  }

  const Pairs& p_;
  const Comparison& counts_;
  const PlaceTally& t_;
  const Surroundings& around_;
  MatrixView view_;
  std::uint64_t bad_;
};

}  // namespace

Where locate(const Pairs& pairs, const Comparison& counts, const PlaceTally& tally,
             const Surroundings& around) {
  return Locator(pairs, counts, tally, around).where();
}

}  // namespace assay::compare
