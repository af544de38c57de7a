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

#include "reference/formats/encode.hpp"

namespace assay::compare {
namespace {

constexpr auto tile_sizes = std::to_array<std::size_t>({128, 64, 32, 16, 8});
constexpr auto periods = std::to_array<std::size_t>({2, 4, 8, 16, 32, 64, 128});  // of lanes
constexpr auto distances =
    std::to_array<std::size_t>({1, 8, 16, 32, 64, 128});  // that an index or a tile is off by

// A place that may explain the values outside.
struct Place {
  std::string kind, text;
  std::uint64_t hits = 0;  // values outside that lie there
  double area = 0;         // values that lie there
  double weight = 1;       // below 1 for a place with more ends to choose, which fits by chance
};

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
              .area = static_cast<double>(width) * axis.cross_section};
  if (end == axis.length) {
    place.text += width == 1 ? fmt::format(" = last of {}={}", axis.size_name, axis.length)
                             : fmt::format(" = last {} of {}={}", width, axis.size_name, axis.length);
    for (const std::size_t tile : tile_sizes) {
      if (axis.length <= tile || axis.length % tile != width) continue;
      place.kind = "tail";
      place.text += fmt::format(": tail of a {}-wide tile?", tile);
      break;
    }
  } else if (std::find(tile_sizes.begin(), tile_sizes.end(), width) != tile_sizes.end() &&
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
                      static_cast<double>((axis.length - lane + period - 1) / period) * axis.cross_section});
  }
}

std::string range_text(std::size_t begin, std::size_t end) { return fmt::format("{}..{}", begin, end - 1); }

class Locator {
 public:
  Locator(const Problem& problem, const Statistics& statistics, const Options& options)
      : p_(problem),
        s_(statistics),
        stale_(options.stale),
        entry_of_(options.entry_of),
        view_(problem.view()),
        bad_(statistics.counts.outside) {}

  Where where() const {
    Where w;
    const Place place = best_place();
    w.kind = place.kind;
    w.hits = place.hits;
    w.text = fmt::format("{} of {} {}", place.hits, bad_, place.text);
    if (entry_of_) w.text += entries_text();
    w.looks_like = looks();
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
    if (bad_ == 1) return {"element", "at " + index_text(s_.sample.front(), s_.counts.shape), 1, 1};
    std::vector<Place> places;
    const auto values = static_cast<double>(s_.counts.values);
    const bool matrix = view_.rows > 1;
    add_ranges(places, {s_.cols, view_.cols, matrix ? "column" : "element", matrix ? "columns" : "elements",
                        "n", values / static_cast<double>(view_.cols)});
    if (matrix)
      add_ranges(places, {s_.rows, view_.rows, "row", "rows", "m", values / static_cast<double>(view_.rows)});
    if (matrix && view_.cols > 1) {
      add_tiles(places);
      add_block(places);
    }
    if (view_.batches > 1 && !s_.batches.empty()) {
      const auto at = std::max_element(s_.batches.begin(), s_.batches.end());
      places.push_back({"batch", fmt::format("in batch {} of {}", at - s_.batches.begin(), view_.batches),
                        *at, values / static_cast<double>(view_.batches)});
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
      best = &place;
      best_score = score;
    }
    if (best != nullptr) return *best;
    return {"everywhere", spread_text(), bad_, values};
  }

  void add_tiles(std::vector<Place>& places) const {
    for (const std::size_t tile : tile_sizes) {
      if (view_.rows <= tile && view_.cols <= tile) continue;
      std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> counts;
      for (const std::size_t i : s_.sample) {
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
      if (s_.sample.size() < bad_ && view_.batches == 1) continue;
      places.push_back(
          {"tile",
           fmt::format("in the {0}x{0} tile of rows {1}, columns {2}", tile, range_text(row * tile, row_end),
                       range_text(col * tile, col_end)),
           fullest->second,
           static_cast<double>((row_end - row * tile) * (col_end - col * tile) * view_.batches)});
    }
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
    if (s_.rows.empty() || s_.cols.empty()) return;
    const auto [top, bottom] = core(s_.rows);
    const auto [left, right] = core(s_.cols);
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
    const std::uint64_t elsewhere = outside(s_.rows, top, bottom) + outside(s_.cols, left, right);
    const std::uint64_t hits =
        s_.sample.size() == bad_
            ? static_cast<std::uint64_t>(std::count_if(s_.sample.begin(), s_.sample.end(), inside))
            : bad_ - std::min(bad_, elsewhere);
    const auto touched = [](std::uint32_t c) { return c != 0; };
    const bool one_batch = view_.batches > 1 && !s_.batches.empty() &&
                           std::count_if(s_.batches.begin(), s_.batches.end(), touched) == 1;
    const std::size_t batches = one_batch ? 1 : view_.batches;
    Place place{.kind = "block",
                .text = fmt::format("in {}, {}", positions_text("row", top, bottom),
                                    positions_text("column", left, right)),
                .hits = hits,
                .area = static_cast<double>(height * width) * static_cast<double>(batches),
                .weight = 0.75};
    // Few values anywhere span some rectangle: one that is mostly empty explains nothing.
    if (static_cast<double>(hits) < place.area / 2) return;
    const auto is_tile = [](std::size_t begin, std::size_t size) {
      return std::find(tile_sizes.begin(), tile_sizes.end(), size) != tile_sizes.end() && begin % size == 0;
    };
    if (is_tile(top, height) && is_tile(left, width))
      place.text += fmt::format(" = one {}x{} tile", height, width);
    if (one_batch) {
      place.text += fmt::format(
          " of batch {}", std::find_if(s_.batches.begin(), s_.batches.end(), touched) - s_.batches.begin());
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
    if (s_.cols.empty() || s_.rows.empty()) return "in no one place";
    if (view_.rows == 1) return fmt::format("in no one place, among elements {}", span_text(s_.cols));
    return fmt::format("in no one place: {} of {} rows, {} of {} columns", touched(s_.rows), view_.rows,
                       touched(s_.cols), view_.cols);
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
      const auto [row, col] = entry_of_(i);
      return fmt::format("row {}, column {}", row, col);
    };
    if (bad_ == 1) return " = " + text(s_.sample.front());
    std::map<std::size_t, std::size_t> rows, cols;
    for (const std::size_t i : s_.sample) {
      const auto [row, col] = entry_of_(i);
      ++rows[row];
      ++cols[col];
    }
    const auto fullest = [](const std::map<std::size_t, std::size_t>& counts) {
      return *std::max_element(counts.begin(), counts.end(),
                               [](const auto& x, const auto& y) { return x.second < y.second; });
    };
    const std::size_t seen = s_.sample.size();
    for (const auto& [one, counts] : {std::pair("row", &rows), std::pair("column", &cols)}) {
      const auto [at, hits] = fullest(*counts);
      if (10 * hits >= 9 * seen)
        return fmt::format("; {} of {} in {} {} of the sparse matrix", hits, seen, one, at);
    }
    return fmt::format("; from {} to {} of the sparse matrix", text(s_.sample.front()),
                       text(s_.sample.back()));
  }

  // --- looks -----------------------------------------------------------------------------------------------

  // With few values a pattern is chance.
  static constexpr std::size_t fewest = 4;

  std::vector<std::string> looks() const {
    std::vector<std::string> found;
    const auto note = [&found](std::string text) {
      if (!text.empty()) found.push_back(std::move(text));
    };
    note(one_bit());
    if (s_.sample.size() < fewest) return found;
    note(constant_there());
    if (found.empty()) note(transposed());
    if (found.empty()) note(shifted());
    if (found.empty()) note(few_bits());
    if (found.empty()) note(factor());
    if (found.empty()) note(offset());
    return found;
  }

  template <class Predicate>
  bool all(const Predicate& predicate) const {
    return std::all_of(s_.sample.begin(), s_.sample.end(), predicate);
  }

  std::string one_bit() const {
    const std::size_t first = s_.sample.front();
    const std::uint64_t changed = p_.got_code(first) ^ p_.want_code(first);
    if (!std::has_single_bit(changed)) return {};
    if (!all([&](std::size_t i) { return (p_.got_code(i) ^ p_.want_code(i)) == changed; })) return {};
    const int bit = std::countr_zero(changed);
    const FormatSpec& f = p_.format();
    const char* const field = bit == f.bits - 1        ? "sign"
                              : bit >= f.precision - 1 ? "exponent"
                                                       : "significand";
    return fmt::format("bit {} ({}) is flipped", bit, field);
  }

  std::string constant_there() const {
    const FormatSpec& f = p_.format();
    if (stale_ && all([&](std::size_t i) { return p_.got_code(i) == code_at(*stale_, i); })) {
      return "got is what the memory held before";
    }
    if (all([&](std::size_t i) {
          return (p_.got_code(i) & f.magnitude_mask()) == 0 && !f.is_nan(p_.got_code(i));
        })) {
      return "got is zero there";
    }
    if (all([&](std::size_t i) { return f.is_nan(p_.got_code(i)); })) return "got is NaN there";
    const std::uint64_t first = p_.got_code(s_.sample.front());
    if (all([&](std::size_t i) { return p_.got_code(i) == first; })) {
      return fmt::format("got is {:g} there, everywhere the same", p_.got_value(s_.sample.front()));
    }
    return {};
  }

  // got[i] would be accepted at `source(i)`; places without a source are left out of it.
  bool taken_from(const std::function<std::optional<std::size_t>(std::size_t)>& source) const {
    std::size_t with_source = 0;
    for (const std::size_t i : s_.sample) {
      const std::optional<std::size_t> from = source(i);
      if (!from) continue;
      if (!p_.accepts(p_.got_code(i), *from)) return false;
      ++with_source;
    }
    return with_source >= fewest && 2 * with_source >= s_.sample.size();
  }

  std::string transposed() const {
    if (view_.rows < 2 || view_.cols < 2) return {};
    const std::size_t matrix = view_.rows * view_.cols;
    const auto source = [&](std::size_t i) -> std::optional<std::size_t> {
      const std::size_t within = i % matrix;
      return i - within + within % view_.rows * view_.cols + within / view_.rows;
    };
    if (!taken_from(source)) return {};
    return view_.rows == view_.cols ? "got is want transposed" : "got is want written column by column";
  }

  std::string shifted() const {
    struct Shift {
      std::ptrdiff_t batch, row, col;
      std::string text;
    };
    std::vector<Shift> shifts;
    const auto words = [](std::size_t by, bool on, std::string_view what) {
      return by == 1 ? fmt::format("got is want one {} {}: an index off by one?", what, on ? "on" : "back")
                     : fmt::format("got is want {} {}s {}: a tile off by one?", by, what, on ? "on" : "back");
    };
    for (const std::size_t by : distances) {
      const auto d = static_cast<std::ptrdiff_t>(by);
      for (const bool on : {true, false}) {
        shifts.push_back({0, 0, on ? d : -d, words(by, on, view_.rows > 1 ? "column" : "element")});
        shifts.push_back({0, on ? d : -d, 0, words(by, on, "row")});
      }
    }
    shifts.push_back({1, 0, 0, "got is want of the next batch"});
    shifts.push_back({-1, 0, 0, "got is want of the batch before"});
    const auto inside = [](std::size_t at, std::ptrdiff_t by, std::size_t size) {
      const auto moved = static_cast<std::ptrdiff_t>(at) + by;
      return moved >= 0 && moved < static_cast<std::ptrdiff_t>(size);
    };
    for (const Shift& s : shifts) {
      const auto source = [&](std::size_t i) -> std::optional<std::size_t> {
        const Position at = position(i);
        if (!inside(at.batch, s.batch, view_.batches) || !inside(at.row, s.row, view_.rows) ||
            !inside(at.col, s.col, view_.cols)) {
          return std::nullopt;
        }
        const auto rows = static_cast<std::ptrdiff_t>(view_.rows),
                   cols = static_cast<std::ptrdiff_t>(view_.cols);
        return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(i) + (s.batch * rows + s.row) * cols +
                                        s.col);
      };
      if (taken_from(source)) return s.text;
    }
    return {};
  }

  // got ends in zeros that want does not have: a step on the way kept fewer bits.
  std::string few_bits() const {
    constexpr std::size_t enough = 16;
    constexpr int fewest_zeros = 3;
    const FormatSpec& f = p_.format();
    const auto zeros = [&](std::uint64_t code) {
      const std::uint64_t fraction = code & (f.min_normal_code() - 1);
      return fraction == 0 ? f.precision - 1 : std::countr_zero(fraction);
    };
    int got = f.precision - 1, want = f.precision - 1;
    for (const std::size_t i : s_.sample) {
      got = std::min(got, zeros(p_.got_code(i)));
      want = std::min(want, zeros(p_.want_code(i)));
    }
    if (s_.sample.size() < enough || got < fewest_zeros || want >= got) return {};
    const int kept = f.precision - got;
    // Formats of one precision differ in range: those that do not hold the values are not meant.
    const auto holds = [&](std::size_t i, const FormatSpec& narrow) {
      return !f.is_finite(p_.got_code(i)) || !convert(p_.got_code(i), f, narrow).inexact;
    };
    std::vector<const FormatSpec*> found;
    for (const FormatSpec* narrow : formats::all) {
      const bool fits = narrow->precision == kept && narrow->bits < f.bits;
      if (fits && all([&](std::size_t i) { return holds(i, *narrow); })) found.push_back(narrow);
    }
    // The narrowest says most.
    std::stable_sort(found.begin(), found.end(),
                     [](const FormatSpec* x, const FormatSpec* y) { return x->bits < y->bits; });
    constexpr std::size_t most_names = 3;
    std::vector<std::string_view> names;
    for (const FormatSpec* narrow : found) {
      if (names.size() < most_names) names.push_back(narrow->dtype);
    }
    const std::string said = fmt::format("got has {} bits of precision there", kept);
    return names.empty() ? said : fmt::format("{}: {} on the way?", said, fmt::join(names, " or "));
  }

  // What two values may differ by and still count as one to the eye: a few roundings of a narrow format,
  // 2^-14 of a wide one, where sums in another order differ too; and what the bound says, if there is one.
  double noise(double scale, const Target& want) const {
    constexpr int least = -14;
    return std::ldexp(scale, std::max(2 - p_.format().precision, least)) +
           (std::isinf(want.bound) ? 0 : want.bound);
  }

  bool finite(std::size_t i, const Target& want) const {
    return p_.format().is_finite(p_.got_code(i)) && std::isfinite(want.value);
  }

  // got = ratio * want, the ratio taken where |want| is largest.
  std::string factor() const {
    double largest = 0, ratio = 0;
    for (const std::size_t i : s_.sample) {
      const Target want = p_.target(i);
      if (!finite(i, want)) return {};
      if (std::fabs(want.value) <= largest) continue;
      largest = std::fabs(want.value);
      ratio = p_.got_value(i) / want.value;
    }
    const bool fits = largest > 0 && all([&](std::size_t i) {
                        const Target want = p_.target(i);
                        const double expected = ratio * want.value;
                        return std::fabs(p_.got_value(i) - expected) <= noise(std::fabs(expected), want);
                      });
    constexpr double visible = 1.0 / 64;
    if (!fits || std::fabs(ratio - 1) < visible || std::fabs(ratio) < visible) return {};
    return fmt::format("got is want times {:.3g}: a factor left out?", ratio);
  }

  // got - want is one number in each column, or in each row.
  std::string offset() const {
    if (view_.rows > 1 && constant_along(true))
      return "got - want is constant down each column: a bias left out?";
    if (!constant_along(false)) return {};
    return view_.rows > 1 ? "got - want is constant along each row: a bias left out?"
                          : "got - want is constant: an addend left out?";
  }

  bool constant_along(bool columns) const {
    struct Value {
      double difference = 0, noise = 0;
    };
    std::map<std::size_t, std::vector<Value>> groups;
    for (const std::size_t i : s_.sample) {
      const Target want = p_.target(i);
      if (!finite(i, want)) return false;
      const double got = p_.got_value(i);
      groups[columns ? position(i).col : position(i).row].push_back(
          {(got - want.value) - want.remainder,
           noise(std::max(std::fabs(got), std::fabs(want.value)), want)});
    }
    std::size_t visible = 0;
    for (const auto& [at, values] : groups) {
      // The value that is known best stands for the group.
      const Value& best = *std::min_element(values.begin(), values.end(),
                                            [](const Value& x, const Value& y) { return x.noise < y.noise; });
      for (const Value& v : values) {
        if (std::fabs(v.difference - best.difference) > v.noise + best.noise) return false;
        if (values.size() >= fewest && std::fabs(best.difference) > 2 * v.noise) ++visible;
      }
    }
    return 2 * visible >= s_.sample.size();
  }

  const Problem& p_;
  const Statistics& s_;
  const std::optional<Codes>& stale_;
  const std::function<std::pair<std::size_t, std::size_t>(std::size_t)>& entry_of_;
  MatrixView view_;
  std::uint64_t bad_;
};

}  // namespace

Where locate(const Problem& problem, const Statistics& statistics, const Options& options) {
  return Locator(problem, statistics, options).where();
}

}  // namespace assay::compare
