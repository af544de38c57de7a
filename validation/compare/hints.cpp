#include "validation/compare/hints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/compare/ulp.hpp"

namespace assay::compare {
namespace {

constexpr double enough_bits = 12;
constexpr std::size_t fewest = 4;  // with fewer values a pattern is chance
constexpr auto distances =
    std::to_array<std::size_t>({1, 8, 16, 32, 64, 128});  // that an index or a tile is off by

class Hints {
 public:
  Hints(const Pairs& pairs, const PlaceTally& tally, const CodeAt& stale)
      : p_(pairs),
        f_(pairs.floating()),
        tally_(tally),
        sample_(tally.sample()),
        stale_(stale),
        view_(pairs.view()) {}

  std::vector<std::string> all() const {
    std::vector<std::string> found;
    const auto note = [&found](std::string text) {
      if (!text.empty()) found.push_back(std::move(text));
    };
    note(one_bit());
    if (sample_.size() >= fewest) note(constant_there());
    if (found.empty()) note(moved());
    if (sample_.size() < fewest) return found;
    if (found.empty()) note(few_bits());
    if (found.empty()) note(factor());
    if (found.empty()) note(offset());
    return found;
  }

 private:
  struct Position {
    std::size_t batch, row, col;
  };
  Position position(std::size_t i) const {
    const std::size_t line = i / view_.cols;
    return {line / view_.rows, line % view_.rows, i % view_.cols};
  }

  template <class Predicate>
  bool all_of(const Predicate& predicate) const {
    return std::all_of(sample_.begin(), sample_.end(), predicate);
  }

  // --- evidence --------------------------------------------------------------------------------------------

  // Are both codes numbers?
  bool are_numbers(std::size_t i) const {
    return f_ == nullptr || (f_->is_finite(p_.got_code(i)) && f_->is_finite(p_.want_code(i)));
  }

  // What it is worth to name got exactly. An error of this size could have led to as many codes on either side: one ulp
  // is worth a bit. An infinity or a NaN comes of too many causes; the bits of an odd NaN do not.
  double worth(std::size_t i) const {
    const std::uint64_t got = p_.got_code(i), want = p_.want_code(i);
    if (!are_numbers(i)) {
      const bool odd_nan = f_->is_nan(got) && got != f_->nan_code() && !f_->is_nan(want);
      return odd_nan ? f_->precision : 0;
    }
    double steps = 0;
    if (f_ == nullptr) {
      steps = std::fabs(p_.numbers(i).difference);
    } else {
      const Steps signed_steps = *ulp_steps(want, got, *f_);
      steps = std::fabs(static_cast<double>(signed_steps));
    }
    return steps < 1 ? 0 : 1 + std::log2(steps);
  }

  // The same over the whole sample, a pair that comes again counted once: it may come of one cause.
  double worth_of_distinct() const {
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    double bits = 0;
    for (const std::size_t i : sample_) {
      if (seen.emplace(p_.got_code(i), p_.want_code(i)).second) bits += worth(i);
    }
    return bits;
  }

  // What it is worth that a value is accepted in another element's place, from how often that is so by chance: of
  // values of want, and of those outside, which fit their source besides if they have one.
  double worth_of_place() const {
    constexpr std::size_t trials = 2048;
    const CounterRandom random(1);
    const std::size_t n = p_.size();
    double of_want = 0, of_got = 0;
    for (std::size_t t = 0; t < trials; ++t) {
      const std::size_t to = random.below(n, 3 * t), from = (to + 1 + random.below(n - 1, 3 * t + 1)) % n;
      of_want += p_.accepts(p_.want_code(from), to) ? 1 : 0;
      of_got += p_.accepts(p_.got_code(sample_[random.below(sample_.size(), 3 * t + 2)]), to) ? 1 : 0;
    }
    const double sources = static_cast<double>(trials) / static_cast<double>(n);
    of_got -= sources + 2 * std::sqrt(sources);
    return -std::log2((std::max(of_want, of_got) + 1) / static_cast<double>(trials + 2));
  }

  // --- codes -----------------------------------------------------------------------------------------------

  std::string one_bit() const {
    const std::size_t first = sample_.front();
    const std::uint64_t changed = p_.got_code(first) ^ p_.want_code(first);
    if (!std::has_single_bit(changed)) return {};
    if (!all_of([&](std::size_t i) { return (p_.got_code(i) ^ p_.want_code(i)) == changed; })) return {};
    const int bit = std::countr_zero(changed);
    if (sample_.size() == 1) {
      const bool is_number =
          f_ == nullptr || f_->is_finite(p_.got_code(first)) || f_->is_finite(p_.want_code(first));
      if (!is_number) return {};
      const bool is_flip = worth(first) >= enough_bits + std::log2(64);
      return fmt::format("{} {}", bit_text(bit), is_flip ? "is flipped" : "alone differs");
    }
    // Where the bit has one value in all of want, an error of one size and sign explains as much.
    const bool was_set = (p_.want_code(first) & changed) != 0;
    const bool varies = !all_of([&](std::size_t i) { return ((p_.want_code(i) & changed) != 0) == was_set; });
    if (!varies && (f_ == nullptr || bit == 0)) return {};
    if (worth_of_distinct() < enough_bits + std::log2(64)) return {};
    return bit_text(bit) + " is flipped";
  }

  std::string bit_text(int bit) const {
    if (f_ == nullptr) return fmt::format("bit {}", bit);
    const char* const field = bit == f_->bits - 1        ? "sign"
                              : bit >= f_->precision - 1 ? "exponent"
                                                         : "significand";
    return fmt::format("bit {} ({})", bit, field);
  }

  bool is_zero(std::uint64_t code) const {
    return f_ == nullptr ? code == 0 : (code & f_->magnitude_mask()) == 0 && !f_->is_nan(code);
  }
  bool is_nan(std::uint64_t code) const { return f_ != nullptr && f_->is_nan(code); }

  std::string constant_there() const {
    const double worth_of_all = std::accumulate(sample_.begin(), sample_.end(), 0.0,
                                                [&](double sum, std::size_t i) { return sum + worth(i); });
    if (stale_ && worth_of_all >= enough_bits &&
        all_of([&](std::size_t i) { return p_.got_code(i) == stale_(i); })) {
      return "got is what the memory held before";
    }
    if (all_of([&](std::size_t i) { return is_nan(p_.got_code(i)) && !is_nan(p_.want_code(i)); }))
      return "got is NaN there";
    if (worth_of_all >= enough_bits &&
        all_of([&](std::size_t i) { return is_zero(p_.got_code(i)) && !is_zero(p_.want_code(i)); })) {
      return "got is zero there";
    }
    const std::size_t first = sample_.front();
    if (worth_of_distinct() >= enough_bits && !is_nan(p_.got_code(first)) && p_.are_finite(first) &&
        all_of([&](std::size_t i) { return p_.got_code(i) == p_.got_code(first); })) {
      return fmt::format("got is {:g} there, everywhere the same", p_.numbers(first).got);
    }
    return {};
  }

  // --- values of another place -----------------------------------------------------------------------------

  std::string moved() const {
    if (sample_.size() < 2) return {};
    const double bits = worth_of_place();
    if (sample_.size() >= fewest) {
      if (std::string text = transposed(bits); !text.empty()) return text;
      if (std::string text = shifted(bits, 0.9); !text.empty()) return text;
    }
    for (const bool by_rows : {true, false}) {
      if (std::string text = permuted(by_rows, bits); !text.empty()) return text;
    }
    if (std::string text = exchanged(bits); !text.empty()) return text;
    // A shift by a tile leaves up to half of the values without a source.
    return sample_.size() >= fewest ? shifted(bits, 0.5) : std::string();
  }

  // Is got accepted at `source(i)` wherever there is one? Places without one are left out; at least `share` have one.
  template <class Source>
  bool taken_from(const Source& source, double share, double bits) const {
    std::size_t with_source = 0;
    for (const std::size_t i : sample_) {
      const std::optional<std::size_t> from = source(i);
      if (!from) continue;
      if (!p_.accepts(p_.got_code(i), *from)) return false;
      ++with_source;
    }
    return with_source >= fewest &&
           static_cast<double>(with_source) >= share * static_cast<double>(sample_.size()) &&
           static_cast<double>(with_source) * bits >= enough_bits + std::log2(4.0 * distances.size());
  }

  std::string transposed(double bits) const {
    if (view_.rows < 2 || view_.cols < 2) return {};
    const std::size_t matrix = view_.rows * view_.cols;
    const auto source = [&](std::size_t i) -> std::optional<std::size_t> {
      const std::size_t within = i % matrix;
      return i - within + within % view_.rows * view_.cols + within / view_.rows;
    };
    if (!taken_from(source, 1, bits)) return {};
    return view_.rows == view_.cols ? "got is want transposed" : "got is want written column by column";
  }

  std::string shifted(double bits, double share) const {
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
      if (taken_from(source, share, bits)) return s.text;
    }
    return {};
  }

  // Two values that stand in each other's place.
  std::string exchanged(double bits) const {
    if (sample_.size() != 2 || 2 * bits < enough_bits) return {};
    const std::size_t a = sample_[0], b = sample_[1];
    if (!p_.accepts(p_.got_code(a), b) || !p_.accepts(p_.got_code(b), a)) return {};
    return "the two values are swapped";
  }

  // Whole rows (or columns) of want that stand in each other's place.
  std::string permuted(bool by_rows, double bits) const {
    constexpr std::size_t most_lines = 512;
    const std::vector<std::uint32_t>& counts = by_rows ? tally_.rows() : tally_.cols();
    const std::size_t across = by_rows ? view_.cols : view_.rows;
    if (view_.batches != 1 || counts.size() < 2) return {};
    std::vector<std::size_t> lines;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] != 0) lines.push_back(i);
    }
    if (lines.size() < 2 || lines.size() > most_lines) return {};
    const auto index = [&](std::size_t line, std::size_t at) {
      return by_rows ? line * view_.cols + at : at * view_.cols + line;
    };
    const auto holds = [&](std::size_t line, std::size_t other) {
      for (std::size_t at = 0; at < across; ++at) {
        if (!p_.accepts(p_.got_code(index(line, at)), index(other, at))) return false;
      }
      return true;
    };
    std::map<std::size_t, std::size_t> source;  // of got's line: the line of want
    std::set<std::size_t> taken;
    for (const std::size_t line : lines) {
      for (const std::size_t other : lines) {
        if (other == line || taken.contains(other) || !holds(line, other)) continue;
        source[line] = other;
        taken.insert(other);
        break;
      }
      if (!source.contains(line)) return {};
    }
    const auto explained =
        static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
    const double orders = std::lgamma(static_cast<double>(lines.size()) + 1) / std::log(2.0);
    if (explained * bits < enough_bits + orders) return {};
    return order_text(by_rows ? "row" : view_.rows > 1 ? "column" : "element", lines, source);
  }

  static std::string order_text(std::string_view one, const std::vector<std::size_t>& lines,
                                const std::map<std::size_t, std::size_t>& source) {
    const std::size_t first = lines.front(), last = lines.back(), n = lines.size();
    const bool contiguous = last - first + 1 == n;
    const auto every = [&](const auto& rule) {
      return std::all_of(source.begin(), source.end(),
                         [&](const auto& s) { return rule(s.first, s.second); });
    };
    if (n == 2) return fmt::format("{}s {} and {} are swapped", one, first, last);
    if (contiguous && every([&](std::size_t to, std::size_t from) { return to + from == first + last; }))
      return fmt::format("{}s {}..{} stand in reverse order", one, first, last);
    // Two runs that changed places.
    const std::size_t middle = lines[n / 2], distance = middle - first;
    const bool are_runs = n % 2 == 0 && lines[n / 2 - 1] - first + 1 == n / 2 && last - middle + 1 == n / 2;
    if (are_runs && every([&](std::size_t to, std::size_t from) {
          return to < middle ? from == to + distance : from + distance == to;
        })) {
      return fmt::format("{0}s {1}..{2} and {3}..{4} are swapped", one, first, lines[n / 2 - 1], middle,
                         last);
    }
    constexpr std::size_t most_named = 3;
    const bool in_pairs = every([&](std::size_t to, std::size_t from) { return source.at(from) == to; });
    std::vector<std::string> named;
    for (const auto& [to, from] : source) {
      if (in_pairs && from < to) continue;
      named.push_back(in_pairs ? fmt::format("{} and {}", to, from)
                               : fmt::format("{} {} is want's {}", one, to, from));
    }
    const bool cut = named.size() > most_named;
    if (cut) named.resize(most_named);
    return fmt::format("{}s are {}: {}{}", one, in_pairs ? "swapped in pairs" : "in another order",
                       fmt::join(named, ", "), cut ? ", ..." : "");
  }

  // --- values ----------------------------------------------------------------------------------------------

  // got ends in zeros that want does not have: a step on the way kept fewer bits.
  std::string few_bits() const {
    if (f_ == nullptr) return {};
    constexpr int fewest_zeros = 3;
    const FormatSpec& f = *f_;
    const auto zeros = [&](std::uint64_t code) {
      const std::uint64_t fraction = code & (f.min_normal_code() - 1);
      return fraction == 0 ? f.precision - 1 : std::countr_zero(fraction);
    };
    int got = f.precision - 1, want = f.precision - 1;
    std::set<std::uint64_t> distinct;
    for (const std::size_t i : sample_) {
      if (!are_numbers(i)) continue;
      got = std::min(got, zeros(p_.got_code(i)));
      want = std::min(want, zeros(p_.want_code(i)));
      distinct.insert(p_.got_code(i));
    }
    if (got < fewest_zeros || want >= got) return {};
    // How often want ends in as many zeros says how much it is worth that got always does.
    const auto ends = std::count_if(sample_.begin(), sample_.end(), [&](std::size_t i) {
      return are_numbers(i) && zeros(p_.want_code(i)) >= got;
    });
    const double chance = std::max(
        (static_cast<double>(ends) + 1) / (static_cast<double>(sample_.size()) + 2), std::ldexp(1.0, -got));
    if (-std::log2(chance) * static_cast<double>(distinct.size()) < enough_bits + std::log2(f.precision))
      return {};
    const int kept = f.precision - got;
    // Formats of one precision differ in range: those that do not hold the values are not meant.
    const auto holds = [&](std::size_t i, const FormatSpec& narrow) {
      return !f.is_finite(p_.got_code(i)) || !convert(p_.got_code(i), f, narrow).inexact;
    };
    std::vector<const FormatSpec*> found;
    for (const FormatSpec* narrow : formats::all) {
      const bool fits = narrow->precision == kept && narrow->bits < f.bits;
      if (fits && all_of([&](std::size_t i) { return holds(i, *narrow); })) found.push_back(narrow);
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

  // What two values may differ by and still count as one to the eye: an ulp of a narrow format, 2^-14 of a wide one,
  // where sums in another order differ too; and what the bound says, if there is one. Integers that were divided are
  // cut to a whole number.
  double noise(double scale, const Pairs::Numbers& x) const {
    constexpr int least = -14;
    if (f_ == nullptr) return 1 + std::ldexp(scale, -50) + x.bound;
    return std::ldexp(scale, std::max(1 - f_->precision, least)) + decode(1, *f_) + x.bound;
  }

  // The sum of what values that fit are worth, the worthiest left out for the parameter that was fitted.
  static double all_but_the_most(const std::map<double, double>& bits) {
    double sum = 0, most = 0;
    for (const auto& [value, b] : bits) {
      sum += b;
      most = std::max(most, b);
    }
    return sum - most;
  }

  // got = ratio * want, the ratio taken where |want| is largest.
  std::string factor() const {
    double largest = 0, ratio = 0;
    for (const std::size_t i : sample_) {
      if (!p_.are_finite(i)) return {};
      const Pairs::Numbers x = p_.numbers(i);
      if (std::fabs(x.want) <= largest) continue;
      largest = std::fabs(x.want);
      ratio = x.got / x.want;
    }
    constexpr double visible = 1.0 / 64;
    if (largest == 0 || std::fabs(ratio - 1) < visible || std::fabs(ratio) < visible) return {};
    std::map<double, double> bits;  // of each value of want
    for (const std::size_t i : sample_) {
      const Pairs::Numbers x = p_.numbers(i);
      const double expected = ratio * x.want, open = noise(std::fabs(expected), x);
      if (std::fabs(x.got - expected) > open) return {};
      bits[x.want] = std::max(0.0, std::log2(std::fabs(x.difference) / open));
    }
    if (all_but_the_most(bits) < enough_bits) return {};
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
    for (const std::size_t i : sample_) {
      if (!p_.are_finite(i)) return false;
      const Pairs::Numbers x = p_.numbers(i);
      const double scale = std::max(std::fabs(x.got), std::fabs(x.want));
      groups[columns ? position(i).col : position(i).row].push_back(
          {x.difference, f_ == nullptr ? 0.25 : noise(scale, x)});
    }
    double bits = 0;
    std::size_t repeated = 0;
    for (const auto& [at, values] : groups) {
      // The value that is known best stands for the group.
      const auto best = std::min_element(values.begin(), values.end(),
                                         [](const Value& x, const Value& y) { return x.noise < y.noise; });
      for (auto v = values.begin(); v != values.end(); ++v) {
        const double open = v->noise + best->noise;
        if (std::fabs(v->difference - best->difference) > open) return false;
        if (v != best && best->difference != 0)
          bits += std::max(0.0, std::log2(std::fabs(best->difference) / open));
      }
      if (values.size() >= fewest && std::fabs(best->difference) > 2 * best->noise) repeated += values.size();
    }
    return bits >= enough_bits && 2 * repeated >= sample_.size();
  }

  const Pairs& p_;
  const FormatSpec* f_;
  const PlaceTally& tally_;
  const std::vector<std::size_t>& sample_;
  const CodeAt& stale_;
  MatrixView view_;
};

}  // namespace

std::vector<std::string> hints(const Pairs& pairs, const PlaceTally& tally, const CodeAt& stale) {
  return Hints(pairs, tally, stale).all();
}

}  // namespace assay::compare
