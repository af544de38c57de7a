#include "validation/diagnose/reveal/invariance.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {
namespace {

// Each value once, in their order.
template <class T>
std::vector<T> values_of(const std::vector<T>& list, T otherwise) {
  if (list.empty()) return {otherwise};
  std::vector<T> values;
  std::set<T> seen;
  for (const T value : list) {
    if (seen.insert(value).second) values.push_back(value);
  }
  return values;
}

// Of vectors of rows each lane, what remains at the end, and the middle.
std::vector<std::size_t> places(std::size_t m, bool all) {
  std::vector<std::size_t> rows{0};
  for (const std::size_t row : {std::size_t{1}, std::size_t{2}, std::size_t{3}, m / 2, m - 2, m - 1}) {
    if (all && row < m && std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<Setting> all_settings(const Problem& p, const Variation& v) {
  if (p.operation != SumOperation::gemm && (!v.m.empty() || !v.n.empty() || v.row))
    throw UsageError("--vary: m, n and row are for gemm, not for " +
                     std::string(operation_name(p.operation)));
  std::vector<Setting> settings;
  for (const std::size_t m : values_of(v.m, p.m)) {
    for (const std::size_t n : values_of(v.n, p.n)) {
      for (const std::size_t row : places(m, v.row)) {
        for (const int threads : values_of(v.threads, p.threads)) {
          for (const int offset : values_of(v.offset, p.offset)) {
            for (std::size_t run = 0; run < std::max<std::size_t>(v.runs, 1); ++run)
              settings.push_back({m, n, row, threads, offset, run, -1});
          }
        }
      }
    }
  }
  if (settings.size() < 2) throw UsageError("--vary requires two settings or more to compare, not one");
  return settings;
}

Problem problem_at(const Problem& p, const Setting& s) {
  Problem at = p;
  at.m = s.m;
  at.n = s.n;
  at.threads = s.threads;
  at.offset = s.offset;
  return at;
}

// Many rows cancel: what is left is rounding, which a narrow result shows as well as a wide one, and that of a wide
// accumulator too. The others have what kernels may treat apart: zeros that meet infinities, numbers near both ends of
// the range, ties, patterns; first of those rows of nothing but zeros, and blocks of them.
Case row_of(const Problem& one, std::uint64_t seed, std::uint64_t trial) {
  constexpr InputKind kinds[] = {InputKind::normal,    InputKind::deep,      InputKind::special,
                                 InputKind::threshold, InputKind::patterned, InputKind::deep,
                                 InputKind::top,       InputKind::patterned, InputKind::deep,
                                 InputKind::ties,      InputKind::patterned, InputKind::tiny};
  constexpr std::uint64_t patterns[] = {11, 9, 27, 10, 15, 25};
  const InputKind kind = kinds[trial % std::size(kinds)];
  if (kind != InputKind::patterned) return random_case(one, kind, seed, trial);
  // Three of twelve trials have one: the first six of them these.
  const std::uint64_t which = trial / std::size(kinds) * 3 + trial % std::size(kinds) / 3 - 1;
  return random_case(one, kind, seed, which < std::size(patterns) ? patterns[which] : trial);
}

// What stands in the other rows and columns.
InputKind others_of(std::uint64_t trial) {
  constexpr InputKind kinds[] = {InputKind::normal, InputKind::zeros, InputKind::special, InputKind::top,
                                 InputKind::tiny};
  return kinds[trial % std::size(kinds)];
}

// The same row and the same first columns in matrices of any shape; everything else is random and another for
// every shape.
Case embedded(const Problem& p, const Setting& s, std::size_t columns, std::uint64_t seed,
              std::uint64_t trial) {
  Problem one = p;
  one.m = 1;
  one.n = columns;
  const Case core = row_of(one, seed, trial);
  if (p.operation != SumOperation::gemm) return core;
  Case x = random_case(problem_at(p, s), others_of(trial), seed ^ (s.m * 0x10001U + s.n), trial + 1000);
  const std::size_t wa = code_bytes(p.a), wb = code_bytes(p.b);
  std::copy(core.a.begin(), core.a.end(), x.a.begin() + static_cast<std::ptrdiff_t>(s.row * p.k * wa));
  for (std::size_t i = 0; i < p.k; ++i) {
    std::copy_n(core.b.begin() + static_cast<std::ptrdiff_t>(i * columns * wb), columns * wb,
                x.b.begin() + static_cast<std::ptrdiff_t>(i * s.n * wb));
  }
  if (p.c) {
    const std::size_t wc = code_bytes(*p.c);
    std::copy_n(core.c.begin(), columns * wc, x.c.begin() + static_cast<std::ptrdiff_t>(s.row * s.n * wc));
  }
  return x;
}

class Comparison {
 public:
  Comparison(const Problem& problem, const Target& target, const Variation& variation,
             const RevealOptions& options, std::size_t trials)
      : target_(target), options_(options), matrix_(problem.operation == SumOperation::gemm) {
    check_problem(problem);
    result_.problem = problem;
    result_.trials = trials;
    result_.settings = all_settings(problem, variation);
    common_ = matrix_ ? problem.n : 1;
    if (!variation.n.empty()) common_ = *std::min_element(variation.n.begin(), variation.n.end());
    for (const Setting& s : result_.settings) check_problem(problem_at(problem, s));
  }

  Invariance operator()(std::size_t most_trees) {
    ask();
    classify();
    find_dependences();
    const std::vector<std::size_t> chosen = choose_classes(most_trees);
    choose_columns(chosen);
    for (const std::size_t i : chosen) look_at(result_.classes[i]);
    if (result_.invariant && most_trees > 0) compare_last();
    result_.invariant = result_.invariant && result_.repeats;
    return std::move(result_);
  }

 private:
  // The bits of the row, trial by trial, column by column.
  void ask() {
    bits_.resize(result_.settings.size());
    // Settings of one number of threads in one go: a program is started anew for another.
    std::vector<std::size_t> sequence(bits_.size());
    for (std::size_t i = 0; i < sequence.size(); ++i) sequence[i] = i;
    std::stable_sort(sequence.begin(), sequence.end(), [&](std::size_t x, std::size_t y) {
      const Setting &s = result_.settings[x], &t = result_.settings[y];
      return s.threads != t.threads ? s.threads < t.threads : s.run < t.run;
    });
    std::size_t run = 0;
    for (const std::size_t i : sequence) {
      const std::size_t before = std::exchange(run, result_.settings[i].run);
      // Every other run goes on in the process that answered the run before.
      if (run != before && run % 2 == 0) restart();
      bits_[i] = ask(result_.settings[i]);
    }
    // What differs from run to run, or from process to process, seems to depend on everything.
    restart();
    result_.repeats = ask(result_.settings[sequence.back()]) == bits_[sequence.back()];
  }

  void restart() const {
    if (options_.restart) options_.restart();
  }

  std::vector<std::uint64_t> ask(const Setting& s) {
    const FormatSpec& f = result_.problem.output;
    const Problem p = problem_at(result_.problem, s);
    std::vector<std::uint64_t> bits;
    Asker asker(p, target_, options_);
    asker.ask(
        result_.trials, [&](std::size_t t) { return embedded(p, s, common_, options_.seed, t); },
        [&](std::size_t, const Answer& answer) {
          for (std::size_t c = 0; c < common_; ++c) {
            const std::uint64_t code = answer[output_of(s, c)];
            bits.push_back(f.is_nan(code) ? f.nan_code() : code);
          }
        },
        "bits");
    result_.runs += asker.runs();
    return bits;
  }

  std::size_t output_of(const Setting& s, std::size_t column) const {
    return matrix_ ? s.row * s.n + column : 0;
  }

  void classify() {
    std::map<std::vector<std::uint64_t>, int> seen;
    result_.first_change = result_.settings.size();
    for (std::size_t i = 0; i < result_.settings.size(); ++i) {
      const auto [at, fresh] = seen.try_emplace(bits_[i], static_cast<int>(result_.classes.size()));
      if (fresh) result_.classes.push_back({.first = i});
      result_.settings[i].by_bits = at->second;
      ++result_.classes[static_cast<std::size_t>(at->second)].settings;
      if (at->second != 0) result_.first_change = std::min(result_.first_change, i);
    }
    result_.invariant = result_.classes.size() == 1;
    const std::vector<std::uint64_t>& answers = bits_.front();
    const std::uint64_t first = answers.front();
    const FormatSpec& f = result_.problem.output;
    result_.answers_vary = answers.size() > 1 ? std::adjacent_find(answers.begin(), answers.end(),
                                                                   std::not_equal_to<>()) != answers.end()
                                              : !f.is_nan(first) && (first & f.magnitude_mask()) != 0;
  }

  Difference difference(std::size_t setting, std::size_t against) const {
    const std::vector<std::uint64_t>&got = bits_[setting], &was = bits_[against];
    Difference d{.setting = setting, .against = against, .of = got.size()};
    for (std::size_t i = got.size(); i-- > 0;) {
      if (got[i] == was[i]) continue;
      ++d.results;
      d.column = i % common_;
      d.got = got[i];
      d.was = was[i];
    }
    return d;
  }

  // Every setting is compared with the first that is like it in all but one thing.
  void find_dependences() {
    const std::vector<Setting>& settings = result_.settings;
    const Coordinates reference = coordinates(settings.front());
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      if (std::all_of(settings.begin(), settings.end(),
                      [&](const Setting& s) { return coordinates(s)[axis] == reference[axis]; }))
        continue;
      Dependence found{axes[axis], {}};
      std::map<Coordinates, std::size_t> firsts;
      for (std::size_t i = 0; i < settings.size() && !found.first; ++i) {
        Coordinates others = coordinates(settings[i]);
        others[axis] = 0;
        const std::size_t first = firsts.try_emplace(others, i).first->second;
        if (settings[first].by_bits != settings[i].by_bits) found.first = difference(i, first);
      }
      result_.dependences.push_back(found);
    }
  }

  // The reference's, those between which something that was varied makes the first difference, then the others.
  std::vector<std::size_t> choose_classes(std::size_t most) const {
    std::vector<std::size_t> chosen;
    const auto take = [&](std::size_t which) {
      if (chosen.size() < most && std::find(chosen.begin(), chosen.end(), which) == chosen.end())
        chosen.push_back(which);
    };
    const auto class_of = [&](std::size_t setting) {
      return static_cast<std::size_t>(result_.settings[setting].by_bits);
    };
    take(0);
    for (const Dependence& d : result_.dependences) {
      if (!d.first) continue;
      take(class_of(d.first->against));
      take(class_of(d.first->setting));
    }
    for (std::size_t i = 1; i < result_.classes.size(); ++i) take(i);
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }

  // Two classes may have one order in some columns and two in others.
  void choose_columns(const std::vector<std::size_t>& classes) {
    std::vector<std::size_t>& columns = result_.columns;
    columns = {0};
    if (common_ > 1) columns.push_back(common_ - 1);
    for (std::size_t x = 0; x < classes.size(); ++x) {
      for (std::size_t y = x + 1; y < classes.size(); ++y) {
        const std::size_t first = result_.classes[classes[x]].first,
                          second = result_.classes[classes[y]].first;
        const auto differ = [&](std::size_t column) { return differ_in(column, first, second); };
        if (std::none_of(columns.begin(), columns.end(), differ))
          columns.push_back(difference(second, first).column);
      }
    }
    std::sort(columns.begin(), columns.end());
  }

  bool differ_in(std::size_t column, std::size_t x, std::size_t y) const {
    for (std::size_t i = column; i < bits_[x].size(); i += common_) {
      if (bits_[x][i] != bits_[y][i]) return true;
    }
    return false;
  }

  void look_at(BitClass& found) {
    const Setting& s = result_.settings[found.first];
    RevealOptions options = options_;
    options.order_only = true;
    for (const std::size_t column : result_.columns) options.only.push_back(output_of(s, column));
    found.looked_at = true;
    try {
      const Revelation r = reveal(problem_at(result_.problem, s), target_, options);
      result_.runs += r.runs;
      result_.repeats = result_.repeats && r.repeats;
      for (const std::size_t output : options.only) {
        const int at = r.class_of[output];
        const OrderClass none{};
        const OrderClass& c = at < 0 ? none : r.classes[static_cast<std::size_t>(at)];
        found.trees.push_back(c.tree);
        found.orders.push_back(c.tree.nodes.empty() ? "" : canonical_order(c.tree));
        if (c.tree.nodes.empty()) found.why_not = at < 0 ? "not looked at" : c.why_not;
      }
    } catch (const TargetError& e) {
      // That bits differ is said, whatever comes after it.
      if (result_.invariant) throw;
      found.why_not = e.what();
    }
  }

  // Equal bits on random rows are no proof: the setting that is farthest away is looked at as well.
  void compare_last() {
    BitClass last{.first = result_.settings.size() - 1, .settings = 1};
    look_at(last);
    BitClass& first = result_.classes.front();
    bool differ = false;
    for (std::size_t i = 0; i < last.orders.size(); ++i) {
      const std::string &x = first.orders[i], &y = last.orders[i];
      differ = differ || (!x.empty() && !y.empty() && x != y);
    }
    if (!differ) return;
    result_.invariant = false;
    result_.by_tree = true;
    result_.first_change = last.first;
    --first.settings;
    result_.settings[last.first].by_bits = 1;
    result_.classes.push_back(std::move(last));
  }

  Invariance result_{};
  const Target& target_;
  const RevealOptions& options_;
  bool matrix_;
  std::size_t common_ = 1;  // columns that every setting has
  std::vector<std::vector<std::uint64_t>> bits_{};
};

}  // namespace

Coordinates coordinates(const Setting& s) {
  return {s.m, s.n, s.row, static_cast<std::size_t>(s.threads), static_cast<std::size_t>(s.offset), s.run};
}

Invariance invariance(const Problem& problem, const Target& target, const Variation& variation,
                      const RevealOptions& options, std::size_t trials, std::size_t most_trees) {
  if (trials == 0) throw ContractError("trials: 0, not 1 or more random rows");
  return Comparison(problem, target, variation, options, trials)(most_trees);
}

}  // namespace assay::diagnose
