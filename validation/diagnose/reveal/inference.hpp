// Private to find_rules(): the search for the rules that reproduce most answers. rules.cpp holds the data and the
// descent; telling.cpp separates rules that fit equally well.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reference/exact/tree_evaluator.hpp"
#include "validation/diagnose/reveal/asker.hpp"
#include "validation/diagnose/reveal/rule_groups.hpp"
#include "validation/diagnose/reveal/rules.hpp"

namespace assay::diagnose {

// Random inputs that decide between rules: every `one_in`-th input of each kind.
struct InputShare {
  InputKind kind;
  std::size_t one_in = 1;
};
inline constexpr std::array random_inputs{
    InputShare{InputKind::tiny},         InputShare{InputKind::sparse},
    InputShare{InputKind::normal},       InputShare{InputKind::wide},
    InputShare{InputKind::zeros},        InputShare{InputKind::special, 3},
    InputShare{InputKind::threshold, 2}, InputShare{InputKind::deep},
    InputShare{InputKind::ties, 2},      InputShare{InputKind::top, 2},
    InputShare{InputKind::patterned, 2}};

class Inference {
 public:
  Inference(Channel& even, Channel& real, AdditionTree& tree, std::uint64_t seed, std::uint64_t most_work)
      : even_(even),
        real_(real),
        p_(real.problem()),
        tree_(tree),
        seed_(seed),
        most_work_(most_work),
        groups_(p_, tree) {}

  FoundRules run();

 private:
  struct Datum {
    SumOperands in{};
    std::uint64_t code = 0;
    bool real = true;    // answered with the problem's own alpha and beta
    std::size_t id = 0;  // how many were learned before it
  };
  // These rules repeat every answer whose id is below `end`.
  struct Repeating {
    Rules rules{};
    std::size_t end = 0;
  };
  struct Pooled {
    SumOperands in{};
    std::uint64_t code = 0;
    bool asked = false;
  };

  std::size_t nodes() const { return tree_.nodes.size(); }

  // The data that decide.
  void train(std::vector<AnsweredProbe> asked);
  void add_largest(std::vector<Probe>& probes) const;
  void add_narrow(std::vector<Probe>& probes) const;
  std::vector<SumOperands> balanced() const;
  void improve_formats();
  void add_unread(std::vector<Probe>& probes) const;
  static Probe dense(SumOperands operands) {
    Probe x;
    x.dense = std::make_shared<SumOperands>(std::move(operands));
    return x;
  }
  void learn(const std::vector<Probe>& probes);
  SumOperands random_operands(InputKind kind, std::uint64_t seed, std::uint64_t i) const;
  bool same(std::uint64_t x, std::uint64_t y) const;
  std::size_t misses(std::size_t limit);
  Repeating* repeating(const Rules& rules);
  void remember(const Rules& rules);
  std::uint64_t evaluated(TreeEvaluator& evaluate, const SumOperands& in, bool real = true);
  std::uint64_t most_work() const;
  bool spent() const;
  bool hopeless() const;

  // The search.
  void descend();
  void start_again();
  void uniform();
  template <class Rule>
  void improve(Rule& rule, const std::vector<Rule>& candidates);
  void descend_on();
  void improve_all_leaves();
  void improve_all_leaves(bool really);
  void improve_start();
  void start_sum(bool started, bool padded);
  void improve_place();
  void improve_alone();
  void prefer_output_format();
  void improve_to(const std::vector<Rules>& candidates);

  // Separating equally good rules.
  template <class Visit>
  void each_rule(const Visit& visit);
  template <class Body>
  void each_alternative(const Body& body);
  template <class Body>
  void each_near(std::size_t most_misses, const Body& body);
  std::string rules_text() const;
  void fill_pool();
  bool tell_apart();
  void choose_below(std::size_t end, std::vector<std::size_t>& chosen);
  void choose_telling(const std::string& name, std::size_t end, std::vector<std::size_t>& chosen);
  std::vector<std::string> ambiguous();
  std::vector<Unexplained> unexplained();

  Channel &even_, &real_;
  const Problem& p_;
  AdditionTree& tree_;
  std::uint64_t seed_, most_work_;  // nodes evaluated at most
  RuleGroups groups_;
  std::vector<Datum> data_;
  std::vector<Repeating> repeating_;
  std::vector<Pooled> pool_;
  Rules beginning_{};  // the rules as the probes of the groups showed them
  std::vector<Uniform> uniform_settings_{};
  std::string pooled_for_;  // the rules that pool_'s codes were computed with
  std::size_t best_ = 0, stride_ = 1;
  std::uint64_t work_ = 0;        // nodes evaluated so far
  std::uint64_t next_shown_ = 0;  // progress is shown again at this count
  std::size_t pool_coded_ = 0;    // number of pool entries with the code of the present rules
  // For each alternative, the first pool entry that it was not compared on.
  std::map<std::string, std::size_t> scanned_;
};

}  // namespace assay::diagnose
