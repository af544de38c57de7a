#include "validation/diagnose/reveal/order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {

std::vector<std::uint64_t> Channel::ask(const std::vector<Probe>& probes, std::string_view stage) {
  std::vector<std::uint64_t> codes(probes.size());
  asker_.ask(
      probes.size(), [&](std::size_t i) { return asker_.case_of(probes[i]); },
      [&](std::size_t i, const Answer& answer) {
        codes[i] = answer[output_];
        for (std::size_t o = 0; o < answer.size(); ++o) {
          if (answer[o] != codes[i]) agrees_[o] = 0;
        }
      },
      stage);
  return codes;
}

std::vector<double> Channel::values(const std::vector<Probe>& probes, std::string_view stage) {
  std::vector<double> values;
  for (const std::uint64_t code : ask(probes, stage)) values.push_back(value_of(code));
  return values;
}

double Channel::value_of(std::uint64_t code) const {
  const double x = decode(code, problem().output);
  if (problem().operation != SumOperation::mean || !std::isfinite(x)) return x;
  const FormatSpec& f = problem().output;
  const double sum = x * static_cast<double>(problem().k) / mean_scale(problem());
  int e = 0;
  std::frexp(sum, &e);
  const double grid = std::ldexp(1.0, std::max(e - std::max(f.precision - 2, 4), f.emin - f.precision + 1));
  return std::round(sum / grid) * grid;
}

namespace {

// How pairs are asked for: masks of +-m over units of u, `chunk` of them at once. With a `place` the masks
// are not swallowed up but move by multiples of it: counts are taken modulo place.
struct Mask {
  double m = 0, u = 0, place = 0;
  std::size_t chunk = 0;
  std::string text{};
};

struct Unusable {
  std::string why;
};

double two_to(int e) { return std::ldexp(1.0, e); }

class Search {
 public:
  Search(Channel& channel, std::uint64_t seed)
      : channel_(channel), p_(channel.problem()), n_(p_.k + (p_.adds_c() ? 1 : 0)), random_(seed, 0x0f) {}

  FoundOrder run() {
    FoundOrder found;
    if (n_ == 1) {
      found.tree.terms = p_.k;
      found.tree.nodes.push_back({{}, 0, 0});
      return found;
    }
    std::string first;
    bool constant = false, stopped = false;
    const std::uint64_t before = channel_.runs();
    std::size_t tried = 0;
    for (const Mask& candidate : candidates()) {
      stopped = channel_.runs() - before > most_runs_in_vain();
      if (stopped) break;
      ++tried;
      try {
        Mask mask = candidate;
        settle(mask);
        deny_early(mask);
        found.tree = build(mask);
        while (!survives_halves(found.tree, mask)) {
          mask.chunk /= 2;
          found.tree = build(mask);
        }
        verify(found.tree, mask);
        found.how = mask.text;
        return found;
      } catch (const Unusable& e) {
        if (first.empty()) first = "the first tried: " + mask_failure(candidate, e.why);
        constant = constant || e.why == all_survive;
      }
    }
    found.tree = {};
    if (constant && !loses_units_) {
      // Whatever the order is, it does not show in these formats: as one exact sum.
      found.tree.terms = p_.k;
      found.tree.addend = p_.adds_c();
      TreeNode root;
      for (std::size_t i = 0; i < n_; ++i) {
        found.tree.nodes.push_back({{}, static_cast<int>(i), 0});
        root.children.push_back(static_cast<int>(i));
      }
      found.tree.nodes.push_back(std::move(root));
      found.as_exact = true;
      found.how = "no pair of masks loses a unit";
      return found;
    }
    found.why_not = "no order of additions found: masks show no tree of its terms (" +
                    (first.empty() ? "none fits into these formats" : first) + ")";
    if (stopped) {
      found.why_not += fmt::format("; the search stopped after {} pairs of masks and {} runs", tried,
                                   channel_.runs() - before);
    }
    return found;
  }

 private:
  static constexpr const char* all_survive = "no unit is lost";
  // What has an order shows it with one of the first pairs of masks that its formats can lose units beside.
  std::uint64_t most_runs_in_vain() const { return 20'000 + 50 * std::uint64_t{n_}; }
  static std::string mask_failure(const Mask& m, const std::string& why) { return m.text + ": " + why; }

  std::vector<Mask> candidates() const {
    std::vector<Mask> list;
    const auto add = [&](int m, int u, double factor, double place, std::size_t chunk, const char* kind) {
      Mask mask{factor * two_to(m), two_to(u), place, chunk,
                std::string(kind) + " values ±" + (factor == 1 ? "" : "1.5 x ") + "2^" + std::to_string(m) +
                    ", unit terms " + (u == 0 ? "1" : "2^" + std::to_string(u))};
      if (m <= u || !split(p_, 0, mask.m) || !split(p_, 0, mask.u)) return;
      if (p_.adds_c() &&
          (!split(p_, static_cast<int>(p_.k), mask.m) || !split(p_, static_cast<int>(p_.k), mask.u)))
        return;
      for (const Mask& other : list) {
        if (other.m == mask.m && other.u == mask.u && other.place == mask.place) return;
      }
      list.push_back(mask);
    };
    const FormatSpec* const ranges[] = {
        &formats::float32,       &formats::float16,       &formats::float8_e5m2, &formats::float8_e4m3fn,
        &formats::float6_e3m2fn, &formats::float6_e2m3fn, &formats::float64};
    const int high = highest_exponent(p_);
    std::vector<std::pair<int, int>> spans;  // of masks, units
    for (const FormatSpec* range : ranges) {
      for (const bool subnormal : {false, true}) {
        int u = std::max({range->emin, lowest_exponent(p_, subnormal), p_.output.emin});
        if (subnormal) {
          u = std::max({range->emin - range->precision + 1, lowest_exponent(p_, true),
                        p_.output.emin - p_.output.precision + 1});
        }
        u += lost_below(p_);
        const int m = std::min(range->emax() + lost_above(p_), high);
        if (m >= 100 && u <= 0 && !subnormal) u = 0;
        spans.emplace_back(m, u);
      }
    }
    const int kept = p_.output.precision;
    for (const auto& [m, u] : spans)
      add(m, u, 1, 0, kept >= 30 ? std::size_t{1} << 30 : std::size_t{1} << kept, "masking");
    // The accumulator's precision is not known yet: the usual ones, widest formats of the data first.
    for (const int precision : {24, 53, 11, 8, 14, 4, 3}) {
      const int count = std::min(precision, kept);
      // Narrow ranges leave room for few units at once.
      for (const int s : {(count + 1) / 2, std::min((count + 1) / 2, 4), 2}) {
        if (s < 2) continue;
        const auto chunk = (std::size_t{1} << (s - 1)) - 1;
        for (const auto& [high_m, u] : spans) {
          const int m = precision - 1 + s + u;
          if (m < high_m) add(m, u, 1.5, two_to(s), chunk, "counting");
        }
      }
    }
    return list;
  }

  Probe masked(const Mask& mask, int i, int j, std::size_t begin, std::size_t end) const {
    Probe probe;
    const Probe::Term unit = *split(p_, 0, mask.u);
    probe.unit_x = unit.x;
    probe.unit_y = unit.y;
    probe.begin = begin;
    probe.end = end;
    if (p_.adds_c() && end == n_) {  // C counts in its own format
      probe.end = p_.k;
      probe.terms.push_back(*split(p_, static_cast<int>(p_.k), mask.u));
    }
    if (i >= 0) probe.terms.push_back(*split(p_, i, mask.m));
    if (j >= 0) probe.terms.push_back(*split(p_, j, -mask.m));
    return probe;
  }

  std::size_t chunks(const Mask& mask) const { return (n_ + mask.chunk - 1) / mask.chunk; }

  // A chunk size whose units add up exactly everywhere.
  void settle(Mask& mask) {
    std::size_t before = 0;
    std::string wrong;
    for (const std::size_t most : {std::size_t{1} << 24, std::size_t{2048}, std::size_t{256}, std::size_t{8},
                                   std::size_t{4}, std::size_t{1}}) {
      const std::size_t chunk = std::min({mask.chunk, most, n_});
      if (chunk == before) continue;
      before = chunk;
      Mask tried = mask;
      tried.chunk = chunk;
      std::vector<Probe> probes;
      for (std::size_t begin = 0; begin < n_; begin += chunk)
        probes.push_back(masked(tried, -1, -1, begin, std::min(begin + chunk, n_)));
      const std::vector<double> sums = channel_.values(probes, "order");
      wrong.clear();
      for (std::size_t c = 0; c < sums.size() && wrong.empty(); ++c) {
        const std::size_t units = std::min(chunk, n_ - c * chunk);
        if (sums[c] != static_cast<double>(units) * mask.u)
          wrong = fmt::format("{} of {:g} sum to {:g}", units, mask.u, sums[c]);
        const double whole = static_cast<double>(units) * mask.u;
        const double off = std::fabs(sums[c] * static_cast<double>(p_.k) - whole);
        if (!wrong.empty() && p_.operation == SumOperation::sum &&
            off <= std::ldexp(whole, 1 - p_.output.precision))
          wrong += " (is it a mean?)";
        if (!wrong.empty() && p_.scaled()) wrong += " (are alpha and beta applied?)";
      }
      if (wrong.empty()) {
        mask = tried;
        return;
      }
    }
    throw Unusable{"units do not add up: " + wrong + ", all else +0"};
  }

  struct Pair {
    int i, j;
  };
  // Leaves below the lowest common node of each pair.
  std::vector<std::size_t> counts(const Mask& mask, const std::vector<Pair>& pairs) {
    const std::size_t each = chunks(mask);
    std::vector<Probe> probes;
    std::vector<std::size_t> counts(pairs.size(), n_);
    std::size_t done = 0;  // pairs whose probes were asked
    // Few at first: masks that do not fit are denied by them.
    for (std::size_t most = 1U << 8U; done < pairs.size(); most = std::size_t{1} << 16U) {
      probes.clear();
      std::size_t upto = done;
      while (upto < pairs.size() && (upto == done || (probes.size() + each) <= most)) {
        for (std::size_t c = 0; c < each; ++c) {
          probes.push_back(
              masked(mask, pairs[upto].i, pairs[upto].j, c * mask.chunk, std::min((c + 1) * mask.chunk, n_)));
        }
        ++upto;
      }
      const std::vector<double> sums = channel_.values(probes, "order");
      for (std::size_t at = 0; at < sums.size(); ++at) {
        double left = sums[at] / mask.u;
        if (mask.place > 0) {
          // Each unit moves a mask by one place at most: more places are those of another precision.
          const double places = std::floor(left / mask.place);
          if (std::fabs(places) > static_cast<double>(mask.chunk) + 1)
            throw Unusable{"masks of another precision"};
          left -= places * mask.place;
        }
        if (!(left >= 0 && left <= static_cast<double>(mask.chunk)) || left != std::floor(left))
          throw Unusable{"a result that is no count"};
        counts[done + at / each] -= static_cast<std::size_t>(left);
      }
      done = upto;
    }
    return counts;
  }

  // Of any three leaves of a tree two pairs meet in one node, the last that any of them meet in. Where that is not so,
  // no more need be asked.
  void deny_early(const Mask& mask) {
    constexpr std::size_t small = 32;
    if (n_ < small) return;
    std::uint64_t next = 1000;
    for (const std::size_t triples : {2U, 10U}) {  // few at first: a pair may take a run for each term
      std::vector<Pair> pairs;
      for (std::size_t t = 0; t < triples; ++t) {
        const int i = leaf(next++), j = leaf(next++), l = leaf(next++);
        if (i == j || j == l || i == l) continue;
        for (const Pair& pair : {Pair{i, j}, Pair{j, l}, Pair{i, l}}) pairs.push_back(pair);
      }
      deny_triples(pairs, counts(mask, pairs));
    }
  }
  int leaf(std::uint64_t draw) const { return static_cast<int>(random_.below(n_, draw)); }

  void deny_triples(const std::vector<Pair>& pairs, const std::vector<std::size_t>& got) {
    for (std::size_t t = 0; t < pairs.size(); t += 3) {
      std::array<std::size_t, 3> sizes{got[t], got[t + 1], got[t + 2]};
      std::sort(sizes.begin(), sizes.end());
      loses_units_ = loses_units_ || sizes[2] > 2;
      if (sizes[1] != sizes[2]) {
        throw Unusable{fmt::format("terms {}, {} and {} meet in pairs of {}, {} and {} terms, as in no tree",
                                   pairs[t].i, pairs[t].j, pairs[t + 1].j, got[t], got[t + 1], got[t + 2])};
      }
    }
  }

  // One set of leaves whose subtree is to be found.
  struct Task {
    std::vector<int> leaves{};
    std::vector<std::pair<std::size_t, std::vector<int>>> groups{};  // ascending by count
    std::vector<int> subtasks{};                                     // of each group, -1 for a single leaf
    int pivot = 0;
  };

  AdditionTree build(const Mask& mask) {
    std::vector<Task> tasks(1);
    for (std::size_t i = 0; i < n_; ++i) tasks[0].leaves.push_back(static_cast<int>(i));
    tasks[0].pivot = 0;
    for (std::size_t first = 0; first < tasks.size();) {
      // All sets of one depth in one go: a program that starts anew for a round is slow.
      const std::size_t last = tasks.size();
      std::vector<Pair> pairs;
      for (std::size_t t = first; t < last; ++t) {
        for (const int j : tasks[t].leaves) {
          if (j != tasks[t].pivot) pairs.push_back({tasks[t].pivot, j});
        }
      }
      const std::vector<std::size_t> sizes = counts(mask, pairs);
      if (first == 0 && n_ > 2) {
        if (*std::max_element(sizes.begin(), sizes.end()) == 2) throw Unusable{all_survive};
        loses_units_ = true;
      }
      std::size_t at = 0;
      for (std::size_t t = first; t < last; ++t) {
        std::map<std::size_t, std::vector<int>> groups;
        for (const int j : tasks[t].leaves) {
          if (j != tasks[t].pivot) groups[sizes[at++]].push_back(j);
        }
        // A chain that was entered at its far end has one group only: go on from its other end.
        const bool from_end = groups.size() == 1;
        for (auto& [size, leaves] : groups) {
          int sub = -1;
          if (leaves.size() > 1) {
            sub = static_cast<int>(tasks.size());
            Task task;
            task.leaves = leaves;
            task.pivot =
                from_end == (tasks[t].pivot == tasks[t].leaves.front()) ? leaves.back() : leaves.front();
            tasks.push_back(std::move(task));
          }
          tasks[t].subtasks.push_back(sub);
          tasks[t].groups.emplace_back(size, std::move(leaves));
        }
      }
      first = last;
    }
    return assemble(tasks);
  }

  AdditionTree assemble(const std::vector<Task>& tasks) const {
    struct Node {
      std::vector<int> children{};
      int leaf = -1;
    };
    std::vector<Node> nodes;
    std::vector<int> root_of(tasks.size());
    std::vector<std::pair<int, std::size_t>> sizes;  // what was counted for a node
    const auto make = [&](Node node) {
      nodes.push_back(std::move(node));
      return static_cast<int>(nodes.size()) - 1;
    };
    for (std::size_t t = tasks.size(); t-- > 0;) {
      const Task& task = tasks[t];
      int root = make({{}, task.pivot});
      for (std::size_t g = 0; g < task.groups.size(); ++g) {
        const auto& [count, leaves] = task.groups[g];
        const int sub = task.subtasks[g];
        const int other = sub < 0 ? make({{}, leaves.front()}) : root_of[static_cast<std::size_t>(sub)];
        const std::size_t size = sub < 0 ? 1 : tasks[static_cast<std::size_t>(sub)].groups.back().first;
        if (size == leaves.size()) {
          root = make({{root, other}, -1});
        } else {
          nodes[static_cast<std::size_t>(other)].children.push_back(root);
          root = other;
        }
        sizes.emplace_back(root, count);
      }
      root_of[t] = root;
    }
    // Into an order of children before nodes, the child with the least leaf first.
    AdditionTree tree;
    tree.terms = p_.k;
    tree.addend = p_.adds_c();
    std::vector<int> placed(nodes.size(), -1), least(nodes.size(), 0);
    std::vector<std::size_t> below(nodes.size(), 1);
    struct Visit {
      int node;
      bool children_done;
    };
    std::vector<Visit> stack{{root_of[0], false}};
    while (!stack.empty()) {
      const Visit v = stack.back();
      stack.pop_back();
      Node& node = nodes[static_cast<std::size_t>(v.node)];
      if (!v.children_done && !node.children.empty()) {
        stack.push_back({v.node, true});
        for (const int child : node.children) stack.push_back({child, false});
        continue;
      }
      TreeNode flat;
      flat.leaf = node.leaf;
      if (!node.children.empty()) {
        below[static_cast<std::size_t>(v.node)] = 0;
        std::sort(node.children.begin(), node.children.end(), [&](int x, int y) {
          return least[static_cast<std::size_t>(x)] < least[static_cast<std::size_t>(y)];
        });
        for (const int child : node.children) {
          flat.children.push_back(placed[static_cast<std::size_t>(child)]);
          below[static_cast<std::size_t>(v.node)] += below[static_cast<std::size_t>(child)];
        }
      }
      least[static_cast<std::size_t>(v.node)] =
          node.children.empty() ? node.leaf : least[static_cast<std::size_t>(node.children.front())];
      placed[static_cast<std::size_t>(v.node)] = static_cast<int>(tree.nodes.size());
      tree.nodes.push_back(std::move(flat));
    }
    for (const auto& [node, count] : sizes) {
      if (below[static_cast<std::size_t>(node)] != count) throw Unusable{"counts that no tree has"};
    }
    return tree;
  }

  // So many units at once may add up to what a mask does not swallow where it swallows each of them: the counts of half
  // as many must be the same. A pair of each of the last nodes.
  bool survives_halves(const AdditionTree& tree, const Mask& mask) {
    constexpr std::size_t most = 64;
    if (mask.place > 0 || std::min(mask.chunk, n_) < 2) return true;
    std::vector<int> first(tree.nodes.size());
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
      const TreeNode& node = tree.nodes[i];
      const auto below = [&](std::size_t child) {
        return first[static_cast<std::size_t>(node.children[child])];
      };
      first[i] = node.children.empty() ? node.leaf : below(0);
      if (!node.children.empty()) pairs.push_back({below(0), below(1)});
    }
    if (pairs.size() > most) pairs.erase(pairs.begin(), pairs.end() - static_cast<std::ptrdiff_t>(most));
    Mask half = mask;
    half.chunk = mask.chunk / 2;
    const std::vector<std::size_t> got = counts(half, pairs);
    for (std::size_t t = 0; t < pairs.size(); ++t) {
      if (leaves_below_common(tree, pairs[t].i, pairs[t].j) != got[t]) return false;
    }
    return true;
  }

  // Pairs that were not asked, masks the other way round as well.
  void verify(const AdditionTree& tree, const Mask& mask) {
    const std::size_t all = n_ * (n_ - 1) / 2;
    std::vector<Pair> pairs;
    if (all <= 64) {
      for (int i = 0; i < static_cast<int>(n_); ++i) {
        for (int j = 0; j < i; ++j) pairs.push_back({i, j});
      }
    } else {
      for (std::uint64_t t = 0; t < 64; ++t) {
        const int i = static_cast<int>(random_.below(n_, 2 * t)),
                  j = static_cast<int>(random_.below(n_, 2 * t + 1));
        if (i != j) pairs.push_back({i, j});
      }
    }
    const std::vector<std::size_t> got = counts(mask, pairs);
    for (std::size_t t = 0; t < pairs.size(); ++t) {
      if (leaves_below_common(tree, pairs[t].i, pairs[t].j) != got[t])
        throw Unusable{"a tree that fresh pairs contradict"};
    }
  }

  Channel& channel_;
  const Problem& p_;
  std::size_t n_;
  CounterRandom random_;
  bool loses_units_ = false;  // beside some mask: the sum is not exact, whatever others show
};

}  // namespace

FoundOrder find_order(Channel& channel, std::uint64_t seed) { return Search(channel, seed).run(); }

}  // namespace assay::diagnose
