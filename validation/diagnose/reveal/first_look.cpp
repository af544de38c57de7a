#include "validation/diagnose/reveal/first_look.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "reference/core/random.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "validation/diagnose/reveal/known_sums.hpp"

namespace assay::diagnose {
namespace {

constexpr std::size_t sums = 36, orders = 3;  // 36: each depth of the inputs six times
constexpr std::size_t enough = 3;             // answers that tell two sums apart

class Look {
 public:
  Look(Channel& channel, std::uint64_t seed) : channel_(channel), p_(channel.problem()), seed_(seed) {}

  FirstLook run() {
    ask();
    judge();
    return std::move(look_);
  }

 private:
  void ask() {
    Problem one = p_;
    one.m = one.n = 1;
    std::vector<Probe> probes;
    for (std::size_t i = 0; i < sums; ++i) {
      SumOperands in = operands_of(one, random_case(one, InputKind::deep, seed_ ^ 0x6c6f6f6bU, i), 0);
      if (one.operation != SumOperation::gemm) in.c = 0;
      for (std::size_t order = 0; order < orders; ++order) {
        look_.inputs.push_back(order == 0 ? in : permuted(in, order * sums + i));
        Probe probe;
        probe.dense = std::make_shared<SumOperands>(look_.inputs.back());
        probes.push_back(std::move(probe));
      }
    }
    look_.codes = channel_.ask(probes, "first look");
  }

  SumOperands permuted(const SumOperands& in, std::uint64_t stream) const {
    const CounterRandom random(seed_, stream);
    const std::size_t wa = code_bytes(p_.a), wb = code_bytes(p_.b);
    SumOperands out = in;
    const auto swap = [](std::vector<std::byte>& codes, std::size_t width, std::size_t i, std::size_t j) {
      if (i == j) return;
      std::swap_ranges(codes.begin() + static_cast<std::ptrdiff_t>(i * width),
                       codes.begin() + static_cast<std::ptrdiff_t>((i + 1) * width),
                       codes.begin() + static_cast<std::ptrdiff_t>(j * width));
    };
    for (std::size_t i = p_.k; i-- > 1;) {
      const auto j = static_cast<std::size_t>(random.below(i + 1, i));
      swap(out.a, wa, i, j);
      if (p_.has_b()) swap(out.b, wb, i, j);
    }
    return out;
  }

  // Term i + by, cyclically, in the place of term i.
  SumOperands rotated(const SumOperands& in, std::size_t by) const {
    SumOperands out = in;
    const auto turn = [&](std::vector<std::byte>& codes, std::size_t width) {
      std::rotate(codes.begin(), codes.begin() + static_cast<std::ptrdiff_t>(by * width),
                  codes.begin() + static_cast<std::ptrdiff_t>(p_.k * width));
    };
    turn(out.a, code_bytes(p_.a));
    if (p_.has_b()) turn(out.b, code_bytes(p_.b));
    return out;
  }

  void judge() {
    const auto all = [&](const auto& result) {
      std::vector<std::uint64_t> codes;
      for (const SumOperands& in : look_.inputs) codes.push_back(result(in));
      return codes;
    };
    const bool mean = p_.operation == SumOperation::mean;
    std::vector<std::vector<std::uint64_t>> chains;
    for (const Width width : {Width::float32, Width::float64, Width::extended})
      chains.push_back(all([&](const SumOperands& in) { return chain_result(p_, in, width); }));
    std::vector<std::uint64_t> exact = all([&](const SumOperands& in) { return exact_result(p_, in); });
    std::vector<std::uint64_t> by_float64 =
        all([&](const SumOperands& in) { return exact_result(p_, in, true); });
    if (different(by_float64, look_.codes) < different(exact, look_.codes)) exact.swap(by_float64);
    const std::vector<std::uint64_t> extended = chains.back();
    const std::vector<std::uint64_t> compensated =
        all([&](const SumOperands& in) { return compensated_result(p_, in); });
    if (!mean && different(exact, look_.codes) == 0) {
      look_.exact = different(exact, extended) >= enough && different(exact, compensated) >= enough;
      return;
    }
    if (p_.adds_c()) return;
    // Of three terms there are two trees more, which compensation can hardly be told from.
    for (std::size_t by = 1; by < 3 && p_.k == 3; ++by) {
      for (const Width width : {Width::float32, Width::float64, Width::extended})
        chains.push_back(
            all([&](const SumOperands& in) { return chain_result(p_, rotated(in, by), width); }));
    }
    const bool plain = std::any_of(chains.begin(), chains.end(),
                                   [&](const auto& chain) { return different(chain, look_.codes) < enough; });
    if (plain) return;
    look_.refusal = known_names();
    if (!look_.refusal.empty()) return;
    if (!mean && is_nearly_exact(exact, compensated, extended))
      look_.refusal =
          "exact where a compensated sum in float64 is exact: compensated, or with about twice as many bits";
    else if (turning(look_.codes) == 0 && turning(extended) >= enough && answers_vary())
      look_.remark = "its results do not depend on the order of the terms: are they sorted first?";
  }

  // Known sums that give all of these answers: of a narrow result it may be more than one.
  std::string known_names() const {
    constexpr std::size_t most = 4;
    std::string names;
    std::size_t count = 0;
    for (const KnownSum& known : known_sums(p_, look_.inputs)) {
      if (different(known.codes, look_.codes) > 0 || ++count > most) continue;
      names += (names.empty() ? "" : ", or ") + known.name;
    }
    if (count > most) names += ", or " + std::to_string(count - most) + " more";
    return names.empty() ? "" : names + ": no tree of additions";
  }
  bool answers_vary() const {
    return std::adjacent_find(look_.codes.begin(), look_.codes.end(), std::not_equal_to<>()) !=
           look_.codes.end();
  }

  // Where a compensated sum is exact and 80 bits are not, most answers are; one in lanes is not everywhere.
  bool is_nearly_exact(const std::vector<std::uint64_t>& exact, const std::vector<std::uint64_t>& compensated,
                       const std::vector<std::uint64_t>& extended) const {
    std::size_t telling = 0, right = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      if (!same(compensated[i], exact[i]) || same(extended[i], exact[i])) continue;
      ++telling;
      right += same(look_.codes[i], exact[i]) ? 1 : 0;
    }
    return telling >= 4 * enough && 4 * right >= 3 * telling;
  }

  // How many of the permuted sums differ from those of the terms as they were.
  std::size_t turning(const std::vector<std::uint64_t>& codes) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) count += same(codes[i], codes[i - i % orders]) ? 0 : 1;
    return count;
  }

  bool same(std::uint64_t x, std::uint64_t y) const {
    return x == y || (p_.output.is_nan(x) && p_.output.is_nan(y));
  }
  std::size_t different(const std::vector<std::uint64_t>& x, const std::vector<std::uint64_t>& y) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < x.size(); ++i) count += same(x[i], y[i]) ? 0 : 1;
    return count;
  }

  Channel& channel_;
  const Problem& p_;
  std::uint64_t seed_;
  FirstLook look_{};
};

}  // namespace

FirstLook look_first(Channel& channel, std::uint64_t seed) {
  if (channel.problem().k < 3 || channel.problem().scaled()) return {};
  return Look(channel, seed).run();
}

std::string unmodelled_arithmetic(const FirstLook& look, const Problem& p, const AdditionTree& order) {
  AdditionTree float64 = order;
  float64.node_rules = {NodeRule{formats::float64}};
  float64.leaf_rules = {LeafRule{}};
  float64.output.format = p.output;
  if (p.operation == SumOperation::mean) float64.output.mean = MeanRule{formats::float64};
  for (TreeNode& node : float64.nodes) node.rule = 0;
  TreeEvaluator evaluate(float64, p.a, p.b, p.c.value_or(formats::float32));
  const auto same = [&](std::uint64_t x, std::uint64_t y) {
    return x == y || (p.output.is_nan(x) && p.output.is_nan(y));
  };
  bool float64_fits = true, extended_fits = !look.inputs.empty();
  for (std::size_t i = 0; i < look.inputs.size() && extended_fits; ++i) {
    const SumOperands& in = look.inputs[i];
    const CodeVector a{in.a.data(), p.k, 1, p.a}, b{in.b.data(), p.k, 1, p.b};
    float64_fits = float64_fits && same(evaluate(a, !p.has_b() ? nullptr : &b, in.c), look.codes[i]);
    extended_fits = same(extended_result(p, order, in), look.codes[i]);
  }
  return extended_fits && !float64_fits ? "additions in x87's 80-bit format (64 places)" : "";
}

}  // namespace assay::diagnose
